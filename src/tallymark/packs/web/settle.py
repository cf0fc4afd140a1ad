"""What an event says in the web contract's words, put into the core's."""

from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any, Final

from tallymark.ingest.page import LONGEST
from tallymark.ingest.traffic_source import CHANNELS
from tallymark.packs.web import names
from tallymark.packs.web.address import Surroundings, address_of
from tallymark.packs.web.web_event import WebEvent
from tallymark.spec.session import CONVERSION, ENTRANCE, EXIT

FLAGS: Final = (ENTRANCE, EXIT, CONVERSION)
MEASURES: Final = (names.ENGAGED, names.SCROLLED, names.TTFB, names.FCP, names.LCP, names.INP, names.CLS)

_measures = attrgetter("engaged_time_ms", "scroll_depth_percent", "ttfb_ms", "fcp_ms", "lcp_ms", "inp_ms", "cls_score")
_flags = attrgetter("is_entrance", "is_exit", "is_conversion")
_NO_MEASURES: Final = (None,) * len(MEASURES)
_NO_FLAGS: Final = (None,) * len(FLAGS)

_RIGHT: Final = frozenset({names.PAGE_VIEW, names.FORM_START, names.FORM_SUBMIT, names.OUTBOUND, names.DOWNLOAD})
_OF_PEOPLE: Final = frozenset({names.LEAD, names.CONSENT, names.WITHDRAWAL})
#: The contract's names in other spellings, without case and what stands between words.
_SPELLINGS: Final = {name.replace("_", ""): name for name in _RIGHT}
_BETWEEN_WORDS: Final = str.maketrans("", "", "-_ ")

DENIED: Final = "denied"
_GRANTED: Final = "granted"
_CONSENT: Final[Mapping[str | bool | None, str | None]] = {
    **dict.fromkeys((True, "granted", "given", "accepted", "true", "yes", "on", "1"), _GRANTED),
    **dict.fromkeys((False, "denied", "rejected", "withdrawn", "revoked", "false", "no", "off", "0"), DENIED),
    **dict.fromkeys((None, "unknown", "pending", "unset", ""), None),
}


def settle(e: WebEvent, around: Surroundings) -> str:
    """Settles the event in place; gives what is wrong with it, '' for nothing."""
    if e.event_type is not None:
        if e.event:
            _give(e, "event", e.event)
        e.event = e.event_type
    if e.event not in _RIGHT:
        e.event = _SPELLINGS.get(e.event.translate(_BETWEEN_WORDS).lower(), e.event)
    if e.occurred_at is not None:
        e.timestamp = e.occurred_at
    if (flags := _flags(e)) != _NO_FLAGS:
        _give_all(e, FLAGS, flags)
    if (measures := _measures(e)) != _NO_MEASURES:
        _give_all(e, MEASURES, measures)
    if not around.relayed:
        e.ip = e.user_agent = None
    e.url = address_of(e, around)
    if e.referrer:
        e.referrer = e.referrer[:LONGEST]
    return _reserved(e, around) or _channel(e) or _consent(e)


def _reserved(e: WebEvent, around: Surroundings) -> str:
    """Pages don't tell of people: their forms do, at endpoints of their own. A server with an admin key may."""
    if e.event not in _OF_PEOPLE or around.trusted:
        return ""
    return f"`{e.event}` is written by POST /web/v1/leads/capture and /web/v1/consent, not by pages."


def _channel(e: WebEvent) -> str:
    e.channel = e.traffic_source or e.channel or None
    if e.channel is None or e.channel in CHANNELS:
        return ""
    return f"`trafficSource` must be one of {', '.join(CHANNELS)}."


def _consent(e: WebEvent) -> str:
    """Keeps what is said of consent; where it is denied, forgets who did it."""
    if e.consent is None:
        return ""
    said = e.consent.get("analytics") if isinstance(e.consent, dict) else e.consent
    word = said.strip().lower() if isinstance(said, str) else said
    if not isinstance(word, str | bool | None) or word not in _CONSENT:
        return "`consent` must be true, false, granted, denied, or an object with `analytics`."
    state = _CONSENT[word]
    if state is not None:
        _give(e, "consent", state)
    if state == DENIED:
        e.actor = e.user_id = e.visitor_id = e.anonymous_id = e.session_id = None
    return ""


def _give_all(e: WebEvent, named: Sequence[str], values: Sequence[object]) -> None:
    """Keeps values as properties, under the names that metrics read."""
    given = {name: value for name, value in zip(named, values, strict=True) if value is not None}
    e.properties = {**e.properties, **given} if e.properties else given


def _give(e: WebEvent, name: str, value: Any) -> None:
    if e.properties is None:
        e.properties = {}
    e.properties[name] = value
