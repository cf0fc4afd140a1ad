"""From bytes to events: what voice assistants send, in any of the usual spellings, onto what the core takes."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from tallymark.ingest.decode import WireEvent
from tallymark.packs import loose
from tallymark.packs.loose import Names, Refused, Sent
from tallymark.packs.voice import names
from tallymark.packs.voice.contract import CONTRACT
from tallymark.spec.event import Reason

#: What the core calls a field: the names that clients use. Of several in one event the first here counts.
NAMES: Final[Names] = {
    "event": ("event_type", "eventType", "event"),
    "timestamp": ("timestamp", "occurred_at", "occurredAt"),
    "sentAt": ("sent_at", "sentAt"),
    "eventId": ("event_id", "eventId"),
    "actor": ("user_id", "userId", "actor", "device_id", "deviceId"),
    "sessionId": ("session_id", "sessionId"),
    "value": ("value",),
    "userAgent": ("user_agent", "userAgent"),
    "properties": ("properties", "metadata"),
}

#: Properties of the contract, by what they are called in events.
PROPERTIES: Final[Names] = {
    names.QUERY_ID: ("query_id", "queryId"),
    names.STORE: ("store_id", "storeId"),
    names.TRANSCRIPT: ("transcript", "query", "query_text", "queryText"),
    names.INTENT: ("intent", "intent_name", "intentName"),
    names.CONFIDENCE: ("confidence", "intent_confidence", "intentConfidence"),
    names.RESPONSE: ("response", "response_text", "responseText", "answer"),
    names.SUCCESS: ("success",),
    names.FALLBACK: ("fallback", "is_fallback", "isFallback"),
    names.ERROR: ("error", "error_code", "errorCode", "error_type", "errorType"),
    names.LANGUAGE: ("language", "lang", "locale"),
    names.MODEL: ("model", "model_name", "modelName"),
    names.WORD_ERRORS: ("word_error_rate", "wordErrorRate", "wer"),
    names.RECOGNITION: ("recognition_ms", "recognitionMs", "recognition_latency_ms", "recognitionLatencyMs"),
    names.UNDERSTANDING: ("understanding_ms", "understandingMs", "understanding_latency_ms", "understandingLatencyMs"),
    names.ANSWERING: ("response_ms", "responseMs", "response_latency_ms", "responseLatencyMs"),
    names.TOTAL: ("total_ms", "totalMs", "total_latency_ms", "totalLatencyMs", "latency_ms", "latencyMs"),
    names.PROMPT_TOKENS: ("prompt_tokens", "promptTokens", "input_tokens", "inputTokens"),
    names.COMPLETION_TOKENS: ("completion_tokens", "completionTokens", "output_tokens", "outputTokens"),
    names.TOKENS: ("tokens", "total_tokens", "totalTokens"),
    names.COST: ("cost_usd", "costUsd", "cost"),
}

#: Latencies may also stand in an object of their own, by these names.
_LATENCIES: Final = ("latencies", "latency")
_STAGES: Final[Names] = {
    names.RECOGNITION: ("recognition", *PROPERTIES[names.RECOGNITION]),
    names.UNDERSTANDING: ("understanding", *PROPERTIES[names.UNDERSTANDING]),
    names.ANSWERING: ("response", *PROPERTIES[names.ANSWERING]),
    names.TOTAL: ("total", *PROPERTIES[names.TOTAL]),
}

#: Intents that say that nothing was understood.
FALLBACK_INTENTS: Final = frozenset({"fallback", "default_fallback_intent", "default fallback intent", "unknown",
                                     "none", "out_of_scope", "no_match"})  # fmt: skip

_LARGEST: Final = 1e12
_LONGEST_ID: Final = 200
_LONGEST_ERROR: Final = 200
_BANDS: Final = 10


def decode(body: bytes) -> Sent:
    """The events of a body. Errors: `UnreadableBody`."""
    return loose.decode(body, CONTRACT.field, (*NAMES.values(), *PROPERTIES.values()), event_of)


def event_of(said: Mapping[str, Any]) -> WireEvent:
    """The event that an object means. Errors: `Refused`."""
    rest = {name: value for name, value in said.items() if value is not None}
    fields, known = loose.taken(rest, NAMES), loose.taken(rest, PROPERTIES)
    if fields.get("event") not in (names.QUERY, names.OUTCOME):
        raise Refused(Reason.MALFORMED, f"`event_type` must be {names.QUERY} or {names.OUTCOME}.")
    given = fields.pop("properties", {})
    if not isinstance(given, dict):
        raise Refused(Reason.MALFORMED, "`properties` are a JSON object.")
    inner = {name: value for name, value in given.items() if value is not None}
    known = {**loose.taken(inner, PROPERTIES), **_stages(rest), **known}
    properties = {**rest, **inner, **_derived(_checked(known))}
    if "eventId" not in fields and names.QUERY_ID in properties:
        fields["eventId"] = f"{fields['event']}\n{properties[names.QUERY_ID]}"
    return loose.converted({**fields, "properties": properties or None}, said, NAMES)


def _stages(rest: dict[str, Any]) -> dict[str, Any]:
    """The latencies that stand in an object of their own, or are one number, taken out. Errors: `Refused`."""
    name = next((name for name in _LATENCIES if name in rest), None)
    if name is None:
        return {}
    said = rest.pop(name)
    if isinstance(said, dict):
        return loose.taken(said, _STAGES)
    if isinstance(said, int | float) and not isinstance(said, bool):
        return {names.TOTAL: said}
    stages = ", ".join(spellings[0] for spellings in _STAGES.values())
    raise Refused(Reason.MALFORMED, f"`{name}` is a number of milliseconds, or an object with {stages}.")


def _checked(known: Mapping[str, Any]) -> dict[str, Any]:
    """The properties as they are kept. Errors: `Refused`."""
    kept: dict[str, Any] = {}
    for name, value in known.items():
        if value is not None and value != "":
            kept[name] = _CHECKS[name](value, PROPERTIES[name][0])
    return kept


def _derived(known: dict[str, Any]) -> dict[str, Any]:
    """The properties with what follows from them: a fallback, all tokens, the band of the confidence."""
    derived = dict(known)
    if str(known.get(names.INTENT, "")).lower() in FALLBACK_INTENTS:
        derived[names.FALLBACK] = True
    parts = [known[name] for name in (names.PROMPT_TOKENS, names.COMPLETION_TOKENS) if name in known]
    if parts and names.TOKENS not in known:
        derived[names.TOKENS] = sum(parts)
    if names.CONFIDENCE in known:
        derived[names.BAND] = band_of(known[names.CONFIDENCE])
    return derived


def band_of(confidence: float) -> str:
    """The tenth that a confidence lies in: `0.8-0.9`; 1 belongs to the last."""
    low = min(int(round(confidence * _BANDS, 9)), _BANDS - 1)
    return f"{low / _BANDS:.1f}-{(low + 1) / _BANDS:.1f}"


def _id(value: Any, called: str) -> str:
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or len(text) > _LONGEST_ID:
        raise Refused(Reason.MALFORMED, f"`{called}` is a text of at most {_LONGEST_ID} characters, or a whole number.")
    return text


def _text(value: Any, called: str) -> str:
    if not isinstance(value, str):
        raise Refused(Reason.MALFORMED, f"`{called}` is a text.")
    return value


def _error(value: Any, called: str) -> str:
    """An error's name or message; of an object its code, name or message."""
    if value and isinstance(value, dict):
        value = next((value[name] for name in ("code", "name", "type", "message") if value.get(name)), "error")
    if value is True:
        return "error"
    return str(value)[:_LONGEST_ERROR] if value else ""


def _flag(value: Any, called: str) -> bool:
    if value in (0, 1):
        return bool(value)
    raise Refused(Reason.MALFORMED, f"`{called}` is true or false.")


def _between(low: float, high: float, words: str) -> Callable[[Any, str], Any]:
    def check(value: Any, called: str) -> Any:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not low <= value <= high:
            raise Refused(Reason.BAD_VALUE, f"`{called}` is {words}.")
        return value

    return check


_share = _between(0, 1, "a number from 0 to 1")
_amount = _between(0, _LARGEST, "a number of 0 or more")

_CHECKS: Final[Mapping[str, Callable[[Any, str], Any]]] = {
    **dict.fromkeys(PROPERTIES, _amount),
    **dict.fromkeys((names.QUERY_ID, names.STORE), _id),
    **dict.fromkeys((names.TRANSCRIPT, names.INTENT, names.RESPONSE, names.LANGUAGE, names.MODEL), _text),
    **dict.fromkeys((names.SUCCESS, names.FALLBACK), _flag),
    names.CONFIDENCE: _share,
    names.ERROR: _error,
}
