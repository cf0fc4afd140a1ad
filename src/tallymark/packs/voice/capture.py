"""`POST /voice/ingest`: queries and outcomes in. A bare ASGI application, as for `/v1/events`."""

import asyncio
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final
from urllib.parse import parse_qs

from litestar import asgi
from litestar.exceptions import MethodNotAllowedException
from litestar.handlers import ASGIRouteHandler
from litestar.types import Receive, Scope, Send

from tallymark.api.intake import answer, client_address, headers_of, plain_body
from tallymark.api.services import Services
from tallymark.errors import Forbidden, Unauthorized
from tallymark.ingest.receive import Sender
from tallymark.packs.loose import told
from tallymark.packs.voice.contract import CONTRACT, EXCEPTION_HANDLERS
from tallymark.packs.voice.signing import HEADER, Signed, Signing, signature_of, target_of
from tallymark.packs.voice.wire import decode

PATH: Final = "/voice/ingest"


@dataclass(frozen=True)
class Capture:
    """Takes in what voice assistants send. It is a server that sends: its address and user agent are nobody's."""

    here: Services

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request. Errors are those of the contract, told by its exception handlers."""
        if scope.get("method") != "POST":
            raise MethodNotAllowedException(headers={"Allow": "POST"})
        headers = headers_of(scope)
        address = client_address(scope, headers, self.here.settings.trusted_proxies)
        self._check_address(address)
        body = await plain_body(receive, headers, self.here.settings.max_body_bytes)
        await self._check_signature(scope, body)
        sent, query = decode(body), parse_qs(scope["query_string"].decode("latin-1"))
        named = sent.project or query.get(CONTRACT.field, [None])[0]
        project = CONTRACT.sent_to(self.here, scope, query.get("key", [None])[0], named)
        receipt = await self.here.receiver.take(sent.decoded, body, project, Sender())
        await answer(send, *told(receipt), [])

    def _check_address(self, address: str) -> None:
        """Raises `Forbidden` for an address that is not on the list, where there is one."""
        allowed = self.here.settings.voice_allow
        if not allowed:
            return
        try:
            found = ip_address(address)
        except ValueError:
            found = None
        mapped = getattr(found, "ipv4_mapped", None) or found
        if mapped is None or not any(mapped in network for network in allowed):
            raise Forbidden("This address may not send here: TALLYMARK_VOICE_ALLOW lists those that may.")

    async def _check_signature(self, scope: Scope, body: bytes) -> None:
        """Raises `Unauthorized` for a signature that is none, or where one is needed and missing."""
        settings, given = self.here.settings, signature_of(scope)
        if given is not None:
            signing = Signing(settings.voice_signing_secrets, self.here.seen_signatures)
            request = Signed("POST", target_of(scope), body)
            await asyncio.to_thread(signing.check, given, request, self.here.now())
        elif settings.voice_capture == "signed":
            raise Unauthorized(f"Requests here are signed: send {HEADER}.", field=HEADER)


def voice_ingest(here: Services) -> ASGIRouteHandler:
    """The endpoint."""
    capture = Capture(here)

    @asgi(PATH, is_mount=False, copy_scope=False, exception_handlers=EXCEPTION_HANDLERS)
    async def ingest(scope: Scope, receive: Receive, send: Send) -> None:
        await capture.serve(scope, receive, send)

    return ingest
