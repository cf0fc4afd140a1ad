"""From bytes to events: what quizzes send, in any of the usual spellings, onto what the core takes."""

from collections.abc import Mapping
from typing import Any, Final

from tallymark.ingest.decode import WireEvent
from tallymark.packs import loose
from tallymark.packs.loose import Names, Refused, Sent
from tallymark.packs.quiz import names
from tallymark.packs.quiz.checks import SPENT, checked, checked_together
from tallymark.packs.quiz.contract import CONTRACT
from tallymark.spec.event import Reason

#: What the core calls a field: the names that clients use. Of several in one event the first here counts.
NAMES: Final[Names] = {
    "event": ("event", "eventType", "event_type"),
    "timestamp": ("timestamp", "occurredAt", "occurred_at"),
    "sentAt": ("sentAt", "sent_at"),
    "eventId": ("eventId", "event_id"),
    "actor": ("userId", "user_id", "learnerId", "learner_id", "studentId", "student_id", "actor"),
    "sessionId": ("sessionId", "session_id"),
    "value": ("value",),
    "url": ("url",),
    "properties": ("properties", "metadata"),
}

#: Properties of the contract, by what they are called in events.
PROPERTIES: Final[Names] = {
    names.QUIZ: ("quizId", "quiz_id", "quiz"),
    names.ATTEMPT_ID: ("attemptId", "attempt_id", "attempt"),
    names.QUESTION: ("questionId", "question_id", "question", "itemId", "item_id", "item"),
    names.ANSWER: ("answer", "response", "selected", "selectedOption", "selected_option"),
    names.CORRECT: ("correct", "isCorrect", "is_correct"),
    names.SKIPPED: ("skipped", "isSkipped", "is_skipped"),
    names.OPTIONS: ("options", "optionCount", "option_count"),
    names.SCORE: ("score", "points"),
    names.MAX_SCORE: ("maxScore", "max_score", "max", "maxPoints", "max_points"),
    names.TIME: ("timeMs", "time_ms", "timeSpentMs", "time_spent_ms", "durationMs", "duration_ms"),
    SPENT: ("timeSpent", "time_spent", "timeSeconds", "time_seconds"),
}

#: Names of events without case and what stands between words; of `question_skipped` see `event_of`.
EVENTS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("quizstarted", "quizstart", "quizbegun"), names.STARTED),
    **dict.fromkeys(("questionanswered", "questionanswer", "quizanswered", "questionskipped"), names.ANSWERED),
    **dict.fromkeys(("quizsubmitted", "quizsubmit", "quizcompleted", "quizcomplete", "quizfinished"), names.SUBMITTED),
    **dict.fromkeys(("quizabandoned", "quizabandon", "quizquit", "quizexited"), names.ABANDONED),
}
_SKIPS: Final = "questionskipped"
_BETWEEN_WORDS: Final = str.maketrans("", "", "-_ ")


def decode(body: bytes) -> Sent:
    """The events of a body. Errors: `UnreadableBody`."""
    return loose.decode(body, CONTRACT.field, (*NAMES.values(), *_groups()), event_of)


def event_of(said: Mapping[str, Any]) -> WireEvent:
    """The event that an object means. Errors: `Refused`."""
    rest = {name: value for name, value in said.items() if value is not None}
    fields, known = loose.taken(rest, NAMES), loose.taken(rest, PROPERTIES)
    plain = str(fields.get("event", "")).translate(_BETWEEN_WORDS).lower()
    if plain not in EVENTS:
        raise Refused(Reason.MALFORMED, _unknown(plain))
    fields["event"] = EVENTS[plain]
    given = fields.pop("properties", {})
    if not isinstance(given, dict):
        raise Refused(Reason.MALFORMED, "`properties` are a JSON object.")
    inner = {name: value for name, value in given.items() if value is not None}
    known = {**loose.taken(inner, PROPERTIES), **known}
    fields = {**_user(inner), **fields}
    _user(rest)
    if plain == _SKIPS:
        known[names.SKIPPED] = True
    kept = checked({name: (value, PROPERTIES[name][0]) for name, value in known.items()})
    checked_together(fields["event"], kept)
    properties = {**rest, **inner, **kept}
    if "eventId" not in fields and fields["event"] != names.ANSWERED and names.ATTEMPT_ID in kept:
        fields["eventId"] = identity(fields["event"], kept[names.QUIZ], kept[names.ATTEMPT_ID])
    return loose.converted({**fields, "properties": properties}, said, NAMES)


def identity(event: str, quiz: str, attempt: str) -> str:
    """The `eventId` of what is once in an attempt: its beginning and its end; no two attempts share one."""
    line = quiz.replace("\\", "\\\\").replace("\n", "\\n")  # else the id of a quiz could end with another's attempt
    return f"{event}\n{line}\n{attempt}"


def _user(properties: dict[str, Any]) -> dict[str, Any]:
    """Who is named among properties, taken out by every name: there it would be stored as it is."""
    user = loose.taken(properties, {"actor": NAMES["actor"]})
    for name in NAMES["actor"]:
        properties.pop(name, None)
    return user


def _groups() -> list[tuple[str, ...]]:
    """The names of properties that mean the same; of a time in both units an event's own counts."""
    groups = {name: tuple(spellings) for name, spellings in PROPERTIES.items()}
    return [*groups.values(), groups[names.TIME] + groups[SPENT]]


def _unknown(plain: str) -> str:
    if plain == names.LEAD.replace("_", ""):
        return "Leads are sent to POST /quiz/leads."
    return f"`event` must be one of {', '.join(names.PARTS)}."
