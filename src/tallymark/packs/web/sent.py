"""What a page or a form sends of people: its fields, however they are written, and who the request is from."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from tallymark.access.guard import token_of
from tallymark.api.auth import Call
from tallymark.api.compression import inflate
from tallymark.api.intake import Headers, client_address, headers_of, media_type
from tallymark.api.services import Services
from tallymark.errors import BadRequest, BodyTooLarge, Forbidden
from tallymark.ingest.user_agent import describe
from tallymark.packs.leads.form import MOST_BYTES, LeadMalformed, first, json_fields, named
from tallymark.packs.web.contract import CONTRACT, sending_origin_allowed
from tallymark.packs.web.form import MULTIPART, URLENCODED, fields_of, json_in, pairs_of
from tallymark.spec.project import Project

Fields = Mapping[str, Any]


class OriginNotAllowed(Forbidden):
    """A page of an origin that may not send."""

    code = "origin_not_allowed"


@dataclass(frozen=True)
class Arrival:
    """Who a request says it is from; '' for what it does not say. `form`: a browser shows the answer.

    `relayed`: it brings a key in a header, as servers do.
    """

    ip: str
    user_agent: str
    origin: str
    referer: str
    form: bool
    relayed: bool

    def of(self, fields: Fields) -> "Arrival":
        """Whom the fields say that a server with a key relays for; without a word on it that is nobody known."""
        if not self.relayed:
            return self
        ip, user_agent = first(dict(fields), "ip"), first(dict(fields), "userAgent", "user_agent")
        if not (ip or user_agent) and describe(self.user_agent).browser:
            return self
        return replace(self, ip=ip, user_agent=user_agent)


def arrival_of(request: Call, here: Services) -> Arrival:
    """What the headers say."""
    headers = headers_of(request.scope)
    said = {name: headers.get(name, b"").decode("latin-1") for name in (b"user-agent", b"origin", b"referer")}
    ip = client_address(request.scope, headers, here.settings.trusted_proxies)
    relayed = token_of(request.scope["headers"]) is not None
    form = media_type(headers) in (URLENCODED, MULTIPART)
    shown = request.headers.get("sec-fetch-mode", "navigate") == "navigate"  # old browsers don't say
    return Arrival(ip, said[b"user-agent"], said[b"origin"], said[b"referer"], form and shown, relayed)


async def fields_sent(request: Call, most: int = MOST_BYTES) -> dict[str, Any]:
    """The body's fields: of JSON, whatever type it has, or of a form. Errors: `LeadMalformed`."""
    return await asyncio.to_thread(_fields, await request.body(), headers_of(request.scope), most)


def _fields(body: bytes, headers: Headers, most: int) -> dict[str, Any]:
    if len(body) > most:
        raise LeadMalformed(f"The body has {len(body)} bytes; {most} are allowed.")
    try:
        plain = inflate(body, headers.get(b"content-encoding", b"").decode("latin-1").lower(), most)
        found = json_in(plain, media_type(headers))
        if found is not None:
            return json_fields(found)
        return fields_of(pairs_of(plain, headers[b"content-type"].decode("latin-1")))
    except (BadRequest, BodyTooLarge) as error:
        raise LeadMalformed(error.message) from None


def sending_property(here: Services, request: Call, fields: Fields, origin: str) -> Project:
    """The property that a page sends to, named in the body or else in the query.

    Errors: `OriginNotAllowed`, and those of `Contract.sent_to`.
    """
    if not sending_origin_allowed(here, origin):
        raise OriginNotAllowed("Pages of this origin may not send.", allowed=here.settings.cors_origins)
    key, name = named(fields)
    query = request.query_params
    key, name = key or query.get("key", ""), name or query.get("propertyId", "")
    return CONTRACT.sent_to(here, request.scope, key or None, name or None)
