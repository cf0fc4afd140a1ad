"""A captured form, read out of JSON or of a form's fields: what steers the capture, and what the person wrote."""

import json
import re
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from tallymark.control.consents import ERASURE, MARKETING, State
from tallymark.errors import BadRequest
from tallymark.packs.redirect import requested_in

MOST_FIELDS: Final = 100
MOST_BYTES: Final = 65_536
#: The most purposes that are spoken of at once.
MOST_PURPOSES: Final = 20

_UTM: Final = ("source", "medium", "campaign", "term", "content")
_SAID: Final[Mapping[str, State | None]] = {
    **dict.fromkeys(("granted", "given", "accepted", "true", "yes", "on", "1"), "granted"),
    **dict.fromkeys(("denied", "rejected", "false", "no", "off", "0"), "denied"),
    **dict.fromkeys(("withdrawn", "revoked"), "withdrawn"),
    **dict.fromkeys(("unknown", "pending", "unset", ""), None),
}
_TOLD: Final = ("true", "false", "granted", "denied", "withdrawn")
_PURPOSE = re.compile(r"[a-z][a-z0-9_.-]{0,63}", re.ASCII)
_WORD: Final = "A purpose is a word such as 'marketing' or 'analytics', of at most 64 characters."
#: `consent[marketing]` and `utm.source`, as forms write what JSON nests.
_NESTED = re.compile(r"(consent|utm)(?:\[([^\[\]]+)\]|\.(.+))")


class LeadMalformed(BadRequest):
    """A form that can't be read: no fields, too many or too large ones, a consent that is neither yes nor no."""

    code = "lead_malformed"


class LeadBadEmail(BadRequest):
    """A form without an address, or with something else in its place."""

    code = "lead_bad_email"


Consents = Mapping[str, State]


@dataclass(frozen=True)
class LeadForm:
    """A form's fields. What is not given is ''; `trapped`: a field that people don't see is filled in.

    `payload` is everything that has no meaning of its own here: name, message and whatever else the form asks for.
    """

    email: str
    form: str
    submission_id: str
    visitor_id: str
    session_id: str
    url: str
    path: str
    utm: Mapping[str, str]
    referrer: str
    consents: Consents
    policy: str
    redirect: str | None
    trapped: bool
    payload: Mapping[str, Any]


def json_fields(body: bytes) -> dict[str, Any]:
    """The fields of a JSON object. Errors: `LeadMalformed`."""
    try:
        fields = _json(body)
    except (ValueError, RecursionError):
        raise LeadMalformed("The body is no JSON.") from None
    if not isinstance(fields, dict):
        raise LeadMalformed("The body is no JSON object.")
    return fields


def _json(body: bytes) -> Any:
    """What the JSON says; halves of characters, of texts that were cut within an emoji, become `?`."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        text = json.dumps(json.loads(body), ensure_ascii=False, allow_nan=False)
        return msgspec.json.decode(text.encode("utf-8", "replace"))


def named(fields: Mapping[str, Any]) -> tuple[str, str]:
    """The key and the property that fields name, '' for none."""
    return first(dict(fields), "key"), first(dict(fields), "propertyId", "property_id")


def read(fields: Mapping[str, Any]) -> LeadForm:
    """The form that has these fields. Whether the address is one is not looked at. Errors: `LeadMalformed`."""
    if len(fields) > MOST_FIELDS:
        raise LeadMalformed(f"A form has at most {MOST_FIELDS} fields.")
    rest = _unfolded(fields)
    for name in ("key", "propertyId", "property_id", "ip", "userAgent", "user_agent"):
        rest.pop(name, None)
    return LeadForm(
        email=first(rest, "email"),
        form=first(rest, "form", "formName", "form_name", "formId", "form_id")[:200],
        submission_id=first(rest, "submissionId", "submission_id", "eventId", "event_id", "id"),
        visitor_id=first(rest, "visitorId", "visitor_id"),
        session_id=first(rest, "sessionId", "session_id"),
        url=first(rest, "url", "pageUrl", "page_url"),
        path=first(rest, "path"),
        utm=_utm(rest),
        referrer=first(rest, "referrer"),
        consents=consents_in(rest.pop("consent", None)),
        policy=first(rest, "consentPolicy", "consent_policy", "policyVersion", "policy_version")[:64],
        redirect=requested_in(rest),
        trapped=any([first(rest, name) for name in ("_gotcha", "_hp")]),
        payload=rest,
    )


def first(fields: MutableMapping[str, Any], *names: str) -> str:
    """The first text there is under these names, all of which are taken out; '' for none."""
    found = [_text(fields.pop(name, None)) for name in names]
    return next((text for text in found if text), "")


def consents_in(said: object) -> Consents:
    """What is said of each purpose: yes or no alone is said of marketing. Errors: `LeadMalformed`."""
    purposes = said if isinstance(said, Mapping) else {MARKETING: said}
    if len(purposes) > MOST_PURPOSES:
        raise LeadMalformed(f"At most {MOST_PURPOSES} purposes are taken at once.", field="consent")
    for purpose in purposes:
        if not isinstance(purpose, str) or not _PURPOSE.fullmatch(purpose) or purpose == ERASURE:
            raise LeadMalformed(_WORD, field="consent")
    states = {purpose: _state(value) for purpose, value in purposes.items()}
    return {purpose: state for purpose, state in states.items() if state is not None}


def _state(said: object) -> State | None:
    """Yes, no, or nothing said. Of a checkbox with a hidden field before it, the last one counts."""
    value = _many(said)[-1] if _many(said) else None
    word = "" if value is None else str(value).strip().lower()
    if word not in _SAID:
        raise LeadMalformed("A consent is yes or no.", field="consent", allowed=_TOLD)
    return _SAID[word]


def _unfolded(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields with `consent[purpose]` and `utm[name]` under one name each; a copy."""
    rest: dict[str, Any] = {}
    for name, value in fields.items():
        found = _NESTED.fullmatch(name)
        if found is None:
            rest[name] = value
            continue
        inside = rest.get(found[1], fields.get(found[1]))
        rest[found[1]] = {**(inside if isinstance(inside, dict) else {}), found[2] or found[3]: value}
    return rest


def _utm(fields: MutableMapping[str, Any]) -> dict[str, str]:
    """The campaign that the fields name, nested or flat."""
    nested = fields.pop("utm", None)
    inside = dict(nested) if isinstance(nested, Mapping) else {}
    campaign = {}
    for name in _UTM:
        flat = first(fields, f"utm{name.capitalize()}", f"utm_{name}")
        campaign[name] = first(inside, name, f"utm_{name}", f"utm{name.capitalize()}") or flat
    return {name: text for name, text in campaign.items() if text}


def _text(value: object) -> str:
    """A text without spaces around it; a number as text; '' for what is neither. Of a list the first."""
    if isinstance(value, list):
        value = value[0] if value else ""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value.strip() if isinstance(value, str) else ""


def _many(value: object) -> list[Any]:
    return list(value) if isinstance(value, list) else [value]
