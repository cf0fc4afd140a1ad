"""`POST /web/v1/events`: what pages, forms and relaying servers send. A bare ASGI application, as for `/v1/events`."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import parse_qs

import msgspec
from litestar import asgi
from litestar.exceptions import MethodNotAllowedException
from litestar.handlers import ASGIRouteHandler
from litestar.types import Receive, Scope, Send

from tallymark.access.guard import token_of
from tallymark.api.intake import Headers, answer, client_address, headers_of, media_type, plain_body
from tallymark.api.services import Services
from tallymark.errors import Forbidden, NotFound, TallymarkError
from tallymark.ingest.decode import Decoded, Rejection
from tallymark.ingest.receive import Receipt, Sender
from tallymark.ingest.user_agent import describe
from tallymark.packs.leads.origins import Origins, visitor
from tallymark.packs.redirect import Target, requested_in, target_of
from tallymark.packs.web.address import surroundings
from tallymark.packs.web.contract import CONTRACT, EXCEPTION_HANDLERS, sending_origin_allowed
from tallymark.packs.web.form import form_fields, json_in
from tallymark.packs.web.sent import OriginNotAllowed
from tallymark.packs.web.web_event import WebEvent
from tallymark.packs.web.wire import Sent, decode, decode_form
from tallymark.spec.event import Reason
from tallymark.spec.project import Project

PATH: Final = "/web/v1/events"

_encode = msgspec.json.encode


@dataclass(frozen=True)
class Posted:
    """What a request says besides its body. `key` is good for `property`, or for the default one where that is None."""

    scope: Scope
    ip: str
    user_agent: str
    origin: str
    referer: str
    key: str | None
    relayed: bool
    property: str | None


@dataclass(frozen=True)
class Content:
    """A body's events, where a form wants its sender to go, and the texts in which personal data would stand."""

    sent: Sent
    target: Target
    text: bytes


@dataclass(frozen=True)
class Capture:
    """Takes in what is posted."""

    here: Services

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request. Errors are those of the contract, told by its exception handlers."""
        if scope.get("method") != "POST":
            raise MethodNotAllowedException(headers={"Allow": "POST"})
        headers = headers_of(scope)
        body = await plain_body(receive, headers, self.here.settings.max_body_bytes)
        posted = _posted(scope, headers, self.here.settings.trusted_proxies)
        if not sending_origin_allowed(self.here, posted.origin):
            raise OriginNotAllowed("Pages of this origin may not send.", allowed=self.here.settings.cors_origins)
        content = await self._content(body, headers, posted)
        receipt = await self._take(content, posted)
        await answer(send, *_told(receipt, content.target))

    async def _content(self, body: bytes, headers: Headers, posted: Posted) -> Content:
        around = surroundings(posted.origin, posted.referer, posted.relayed, self._trusted(posted))
        page = around.page.encode()
        json = json_in(body, media_type(headers))
        if json is not None:
            return Content(decode(json, around), Target(), b"%b %b" % (json, page))
        fields = await asyncio.to_thread(form_fields, body, headers[b"content-type"].decode("latin-1"))
        text = b"%b %b" % (_encode(fields), page)
        asked = requested_in(fields.get("properties", {}))
        allowed = self.here.settings.cors_origins
        target = target_of(asked, posted.origin, posted.referer, allowed) if _navigates(posted.scope) else Target()
        return Content(decode_form(fields, around), target, text)

    def _trusted(self, posted: Posted) -> bool:
        identity = self.here.access.identify(posted.key) if posted.relayed and posted.key else None
        return identity is not None and identity.scope == "admin"

    async def _take(self, content: Content, posted: Posted) -> Receipt:
        """Gives every event to the property it names; one property alone must be there, of several each may not be."""
        groups = _by_property(content.sent, posted.property)
        receipts = []
        for name, decoded in groups.items():
            try:
                project = CONTRACT.sent_to(self.here, posted.scope, posted.key, name)
            except (NotFound, Forbidden) as error:
                if len(groups) == 1:
                    raise
                receipts.append(self._refused(decoded, error))
            else:
                receipts.append(await self._received(project, decoded, content.text, posted))
        rejected = sorted((r for receipt in receipts for r in receipt.rejected), key=lambda r: r.index)
        return Receipt(sum(receipt.accepted for receipt in receipts), rejected)

    def _refused(self, decoded: Decoded, error: TallymarkError) -> Receipt:
        refused = [Rejection(place, Reason.UNKNOWN_PROJECT, error.message) for place in decoded.places]
        self.here.receiver.counts.add(0, int(self.here.now() * 1000), 0, refused + decoded.rejections)
        return Receipt(0, refused + decoded.rejections)

    async def _received(self, project: Project, decoded: Decoded, text: bytes, posted: Posted) -> Receipt:
        now = datetime.fromtimestamp(self.here.now(), UTC)
        origins = Origins(self.here.salts)
        origin = 0 if _of_a_server(posted) else origins.of(project, posted.ip, posted.user_agent, now)
        for event in decoded.events:
            if event.visitor_id or event.user_id or event.actor or event.anonymous_id:
                continue
            own = origin
            if event.ip:
                own = origins.of(project, event.ip, event.user_agent or posted.user_agent, now)
            event.visitor_id = visitor(own) if own else None
        return await self.here.receiver.take(decoded, text, project, self._sender(posted, origin))

    def _sender(self, posted: Posted, origin: int) -> Sender:
        """The request's sender. A relaying server's own address is no browser's in a data centre."""
        hosted = self.here.hosting.is_hosting
        if not _of_a_server(posted):
            return Sender(posted.ip, posted.user_agent, origin, hosted)
        return Sender(posted.ip, posted.user_agent, origin, lambda ip: ip != posted.ip and hosted(ip))


def web_events(here: Services) -> ASGIRouteHandler:
    """The endpoint."""
    capture = Capture(here)

    @asgi(PATH, is_mount=False, copy_scope=False, exception_handlers=EXCEPTION_HANDLERS)
    async def events(scope: Scope, receive: Receive, send: Send) -> None:
        await capture.serve(scope, receive, send)

    return events


def _posted(scope: Scope, headers: Headers, trusted_proxies: int) -> Posted:
    token = token_of(scope["headers"])
    query = parse_qs(scope["query_string"].decode("latin-1"))
    return Posted(
        scope,
        client_address(scope, headers, trusted_proxies),
        headers.get(b"user-agent", b"").decode("latin-1"),
        headers.get(b"origin", b"").decode("latin-1"),
        headers.get(b"referer", b"").decode("latin-1"),
        token or query.get("key", [None])[0],
        token is not None,
        query.get("propertyId", [None])[0],
    )


def _of_a_server(posted: Posted) -> bool:
    """Whether the address is a relaying server's, which says nothing of visitors."""
    return posted.relayed and not describe(posted.user_agent).browser


def _navigates(scope: Scope) -> bool:
    """Whether a browser shows the answer: scripts send forms too. Old browsers don't say."""
    return all(value == b"navigate" for name, value in scope["headers"] if name == b"sec-fetch-mode")


def _by_property(sent: Sent, named: str | None) -> dict[str | None, Decoded]:
    """The events by the property that they name, or else the request; at least one property is asked for."""
    meant = {event.property_id or named for event in sent.events} | {name or named for name, _ in sent.refused}
    if len(meant) < 2:
        rejections = [rejection for _, rejection in sent.refused]
        return {next(iter(meant), named): Decoded(sent.events, sent.places, rejections)}
    groups: dict[str | None, tuple[list[WebEvent], list[int], list[Rejection]]] = {}
    for event, place in zip(sent.events, sent.places, strict=True):
        events, places, _ = groups.setdefault(event.property_id or named, ([], [], []))
        events.append(event)
        places.append(place)
    for name, rejection in sent.refused:
        groups.setdefault(name or named, ([], [], []))[2].append(rejection)
    return {name: Decoded(*group) for name, group in groups.items()}


def _told(receipt: Receipt, target: Target) -> tuple[int, bytes, list[tuple[bytes, bytes]]]:
    """Status, body and headers of an answer."""
    body: dict[str, Any] = {
        "ok": True,
        "accepted": receipt.accepted,
        "rejected": [_told_of(r) for r in receipt.rejected],
    }
    if receipt.rejected and not receipt.accepted:
        first = receipt.rejected[0]
        return 400, _encode({**body, "ok": False, "error": first.reason, "message": first.message}), []
    if target.refused:
        body["redirect"] = target.told()
    if target.location is not None and receipt.accepted:
        return 303, _encode(body), [(b"location", target.location.encode("ascii"))]
    return 202, _encode(body), []


def _told_of(rejection: Rejection) -> dict[str, Any]:
    return {"index": rejection.index, "reason": rejection.reason, "message": rejection.message}
