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

#: Bytes of a body: 64 counters need a tenth of it.
_LARGEST: Final = 1 << 17

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
        limit = min(_LARGEST, self.here.settings.max_body_bytes)
        body = await plain_body(receive, headers_of(scope), limit)
        query = parse_qs(scope["query_string"].decode("latin-1"))
        project = CONTRACT.sent_to(self.here, scope, query.get("key", [None])[0], query.get(CONTRACT.field, [None])[0])
        try:
            sent = self._checked(body, project)
            receipt = await self._received(sent, body, project)
        except BadRequest as error:
            self._count(project, error)
            raise
        await answer(send, *_told(receipt))

    def _checked(self, body: bytes, project: Project) -> Counters:
        """The counters of a body that is as it should be. Errors: `BadRequest`."""
        said = read(body)
        if project.pii == "reject" and isinstance(said, dict) and pii.suspicious(body):
            found = pii.first(said)
            if found is not None:
                raise PersonalData(f"{found.field} holds personal data of the kind {found.kind}.", field=found.field)
        sent, allowed = counters(said), self.here.settings.sdk_networks
        if allowed and sent.payload.network not in allowed:
            raise BadRequest("There is no such network here.", field="network", allowed=allowed)
        return sent

    async def _received(self, sent: Counters, body: bytes, project: Project) -> Receipt:
        """What became of the counters. A network is one of the project's once anything of it is stored."""
        admitted = await self.networks.admit(project.id, [sent.payload.network], MOST_NETWORKS)
        if admitted.over:
            raise TooManyNames(f"This project's counters are of {MOST_NETWORKS} networks already.", field="network")
        accepted = 0
        try:
            receipt = await self.here.receiver.take(sent.events(), body, project, Sender())
            accepted = receipt.accepted
        finally:
            if not accepted:
                self.networks.forget(project.id, admitted.new)
        return receipt

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
