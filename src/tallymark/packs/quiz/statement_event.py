"""The event that an xAPI statement tells of, if it tells of one of a quiz."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from tallymark.ingest.decode import WireEvent
from tallymark.packs.loose import Refused
from tallymark.packs.quiz import names
from tallymark.packs.quiz.checks import checked, checked_together
from tallymark.packs.quiz.statement import Activity, ContextActivities, Definition, Result, Score, Statement
from tallymark.spec.event import Reason

_ADL: Final = "http://adlnet.gov/expapi/verbs/"
_STREAMS: Final = "http://activitystrea.ms/schema/1.0/"
_SKIPPED: Final = "http://id.tincanapi.com/verb/skipped"

#: Verbs of ADL, of cmi5 and of activity streams, and the events that they mean.
VERBS: Final[Mapping[str, str]] = {
    **{f"{_ADL}{verb}": names.STARTED for verb in ("attempted", "launched", "initialized", "resumed")},
    f"{_STREAMS}start": names.STARTED,
    f"{_ADL}answered": names.ANSWERED,
    _SKIPPED: names.ANSWERED,
    **{f"{_ADL}{verb}": names.SUBMITTED for verb in ("completed", "passed", "failed", "scored", "mastered")},
    f"{_STREAMS}complete": names.SUBMITTED,
    f"{_STREAMS}submit": names.SUBMITTED,
    **{f"{_ADL}{verb}": names.ABANDONED for verb in ("exited", "terminated")},
    "https://w3id.org/xapi/adl/verbs/abandoned": names.ABANDONED,
}

#: Types of activities that are questions, and so no quizzes.
_QUESTIONS: Final = (
    "http://adlnet.gov/expapi/activities/cmi.interaction",
    "http://adlnet.gov/expapi/activities/question",
)
_PERCENT: Final = 100


def event_of(statement: Statement, who: str | None, attempt: str | None) -> WireEvent:
    """The event, of that user, known by the statement's id; `attempt` stands for one without a registration.

    Errors: `Refused` for a statement that is about no quiz, or names one in a way that is none here.
    """
    name = VERBS.get(statement.verb.id)
    if name is None or statement.object.object_type != "Activity":
        raise Refused(Reason.UNKNOWN_NAME, "The statement's verb means nothing to quizzes.")
    registration = None if statement.context is None else statement.context.registration
    said = {names.ATTEMPT_ID: registration or attempt, **_about(statement, name)}
    if statement.result is not None:
        said |= _told(statement.result, name)
    kept = checked({key: (value, key) for key, value in said.items() if value is not None})
    checked_together(name, kept)
    return WireEvent(
        event=name, timestamp=statement.at, event_id=statement.id, actor=who, properties=kept
    )  # fmt: skip


def _about(statement: Statement, name: str) -> dict[str, Any]:
    """Which quiz and question it is about."""
    definition = statement.object.definition or Definition()
    if name != names.ANSWERED:
        if definition.type in _QUESTIONS:
            raise Refused(Reason.UNKNOWN_NAME, "The statement is about a question, and not about its answer.")
        return {names.QUIZ: statement.object.id}
    within = None if statement.context is None else statement.context.context_activities
    about = {
        names.QUIZ: _quiz(within or ContextActivities()),
        names.QUESTION: statement.object.id,
        names.OPTIONS: _options(definition),
    }
    return {**about, names.SKIPPED: True} if statement.verb.id == _SKIPPED else about


def _quiz(within: ContextActivities) -> str:
    """The activity that an answer's question is part of."""
    for given in (within.parent, within.grouping):
        found = [given] if isinstance(given, Activity) else given or []
        if found:
            return found[0].id
    raise Refused(Reason.MALFORMED, "The answer names no quiz in `context.contextActivities.parent`.")


def _options(definition: Definition) -> int | None:
    if definition.interaction_type == "true-false":
        return 2
    return len(definition.choices) if definition.interaction_type == "choice" and definition.choices else None


def _told(result: Result, name: str) -> dict[str, Any]:
    """How it went."""
    answer = name == names.ANSWERED
    told = {names.TIME: _milliseconds(result.duration), **_score(result.score or Score(), answer)}
    return {**told, names.ANSWER: result.response, names.CORRECT: result.success} if answer else told


def _milliseconds(duration: str | None) -> float | None:
    """Of a duration in ISO 8601; None for one in years or months, which have no length."""
    try:
        spent = msgspec.convert(duration, timedelta)
    except msgspec.ValidationError:
        return None
    return max(spent / timedelta(milliseconds=1), 0)


def _score(score: Score, answer: bool) -> dict[str, float]:
    """What it counts, and of how much; an answer alone may count less than nothing."""
    highest = score.max if score.max is not None and score.max > 0 else None
    if score.raw is not None and highest is not None:
        return {names.SCORE: max(score.raw, -highest if answer else 0), names.MAX_SCORE: highest}
    if score.scaled is not None:
        scale = 1 if answer else _PERCENT
        return {names.SCORE: round(max(score.scaled, -1 if answer else 0) * scale, 9), names.MAX_SCORE: scale}
    if score.raw is not None and 0 <= score.raw <= (1 if answer else _PERCENT):
        return {names.SCORE: score.raw}
    return {}


def attempt_of_day(actor: int, at: datetime) -> str:
    """What stands for the attempt of a statement without a registration: one a user, a quiz and a UTC day."""
    return f"{at:%Y-%m-%d}-{actor:016x}"
