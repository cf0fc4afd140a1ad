"""`POST /sdk/api/v1/events`: counters in. A bare ASGI application, as for `/v1/events`."""

from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qs

import msgspec
from litestar import asgi
from litestar.exceptions import MethodNotAllowedException
from litestar.handlers import ASGIRouteHandler
from litestar.types import Receive, Scope, Send

from tallymark.api.intake import answer, headers_of, plain_body
from tallymark.api.services import Services
from tallymark.errors import BadRequest
from tallymark.ingest import pii
from tallymark.ingest.decode import Rejection
from tallymark.ingest.names import KnownTexts
from tallymark.ingest.receive import Receipt, Sender
from tallymark.packs.sdk.contract import CONTRACT, EXCEPTION_HANDLERS, PersonalData, TooManyNames
from tallymark.packs.sdk.metrics import MOST_NETWORKS
from tallymark.packs.sdk.names import NETWORK, NETWORKS
from tallymark.packs.sdk.wire import Counters, counters, read
from tallymark.spec.condition import Prop
from tallymark.spec.event import Reason
from tallymark.spec.project import Project

PATH: Final = "/sdk/api/v1/events"

_encode = msgspec.json.encode


@dataclass(frozen=True)
class Capture:
    """Takes in what SDKs send. Of who sends it nothing is looked at: neither address nor user agent."""

    here: Services
    networks: KnownTexts = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "networks", KnownTexts(self.here.engine, NETWORKS, Prop(NETWORK)))

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request. Errors are those of the contract, told by its exception handlers."""
        if scope.get("method") != "POST":
            raise MethodNotAllowedException(headers={"Allow": "POST"})
        body = await plain_body(receive, headers_of(scope), self.here.settings.max_body_bytes)
        query = parse_qs(scope["query_string"].decode("latin-1"))
        project = CONTRACT.sent_to(self.here, scope, query.get("key", [None])[0], query.get(CONTRACT.field, [None])[0])
        try:
            sent = await self._checked(body, project)
        except BadRequest as error:
            self._count(project, error)
            raise
        receipt = await self.here.receiver.take(sent.events(), body, project, Sender())
        await answer(send, *_told(receipt))

    async def _checked(self, body: bytes, project: Project) -> Counters:
        """The counters of a body that is as it should be. Errors: `BadRequest`."""
        said = read(body)
        if project.pii == "reject" and pii.suspicious(body):
            for finding in pii.find(said) if isinstance(said, dict) else ():
                message = f"{finding.field} holds personal data of the kind {finding.kind}."
                raise PersonalData(message, field=finding.field)
        sent = counters(said)
        network = sent.payload.network
        if await self.networks.refused(project.id, [network], MOST_NETWORKS):
            raise TooManyNames(f"This project's counters are of {MOST_NETWORKS} networks already.", field="network")
        return sent

    def _count(self, project: Project, error: BadRequest) -> None:
        """Counts a payload that is refused as a whole."""
        reason = Reason(error.code) if error.code in list(Reason) else Reason.MALFORMED
        now_ms = int(self.here.now() * 1000)
        self.here.receiver.counts.add(project.id, now_ms, 0, [Rejection(0, reason, error.message)])


def sdk_events(here: Services) -> ASGIRouteHandler:
    """The endpoint."""
    capture = Capture(here)

    @asgi(PATH, is_mount=False, copy_scope=False, exception_handlers=EXCEPTION_HANDLERS)
    async def events(scope: Scope, receive: Receive, send: Send) -> None:
        await capture.serve(scope, receive, send)

    return events


def _told(receipt: Receipt) -> tuple[int, bytes, list[tuple[bytes, bytes]]]:
    """Status, body and headers of an answer; counters that were refused are named by their place and why."""
    body: dict[str, Any] = {"success": True}
    if receipt.rejected:
        body["rejected"] = [{"index": r.index, "reason": r.reason, "message": r.message} for r in receipt.rejected]
    if receipt.rejected and not receipt.accepted:
        first = receipt.rejected[0]
        return 400, _encode({**body, "success": False, "error": first.reason, "message": first.message}), []
    return 200, _encode(body), []
