"""An endpoint for events in any of several spellings. A bare ASGI application, as for `/v1/events`."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from urllib.parse import parse_qs

import msgspec
from litestar import asgi
from litestar.exceptions import MethodNotAllowedException
from litestar.handlers import ASGIRouteHandler
from litestar.types import ExceptionHandlersMap, Receive, Scope, Send

from tallymark.api.intake import answer, client_address, headers_of, plain_body
from tallymark.api.services import Services
from tallymark.ingest.decode import Decoded
from tallymark.ingest.receive import Sender
from tallymark.packs.loose import Sent, told
from tallymark.spec.project import Project

#: The project that a request, with a key in its query or none, may send to by a name or by none, and the user whom all
#: that it sends is of; None for anybody.
Admit = Callable[[Scope, str | None, str | None], Awaitable[tuple[Project, str | None]]]


@dataclass(frozen=True)
class Capture:
    """Takes in what apps and pages send; `decode` makes events of a body, `field` is what its query calls a project."""

    here: Services
    field: str
    admit: Admit
    decode: Callable[[bytes], Sent]

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request. Errors are those of the contract, told by its exception handlers."""
        if scope.get("method") != "POST":
            raise MethodNotAllowedException(headers={"Allow": "POST"})
        headers = headers_of(scope)
        body = await plain_body(receive, headers, self.here.settings.max_body_bytes)
        query = parse_qs(scope["query_string"].decode("latin-1"))
        sent = self.decode(body)
        named = sent.project or query.get(self.field, [None])[0]
        project, user = await self.admit(scope, query.get("key", [None])[0], named)
        decoded = sent.decoded if user is None else as_sent_by(user, sent.decoded)
        address = client_address(scope, headers, self.here.settings.trusted_proxies)
        sender = Sender(address, headers.get(b"user-agent", b"").decode("latin-1"))
        receipt = await self.here.receiver.take(decoded, body, project, sender)
        await answer(send, *told(receipt), [])


def as_sent_by(user: str, decoded: Decoded) -> Decoded:
    """The events with that user, whatever they say themselves."""
    events = [
        msgspec.structs.replace(event, actor=None, user_id=user, visitor_id=None, anonymous_id=None)
        for event in decoded.events
    ]
    return replace(decoded, events=events)


def capturing(path: str, capture: Capture, errors: ExceptionHandlersMap) -> ASGIRouteHandler:
    """The endpoint at a path, with the contract's errors."""

    @asgi(path, is_mount=False, copy_scope=False, exception_handlers=errors)
    async def events(scope: Scope, receive: Receive, send: Send) -> None:
        await capture.serve(scope, receive, send)

    return events
