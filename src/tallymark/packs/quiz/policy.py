"""Which attempts of a learner count: all, the first, the last or the best at each quiz."""

from enum import StrEnum
from typing import Final

from tallymark.engine.expression import condition_sql, number_of, text_of
from tallymark.engine.source import events_between
from tallymark.packs.quiz import names
from tallymark.spec.condition import Comparison, Condition, Op, Prop, event, human


class Policy(StrEnum):
    """Of a learner's attempts at a quiz that began within the window, those that count."""

    ALL = "all"
    FIRST = "first"
    LAST = "last"
    BEST = "best"


#: An attempt, as metrics count them.
ATTEMPT: Final[Condition] = event(names.ATTEMPT) & human()

GRADE: Final = number_of(Prop(names.GRADE))
QUIZ: Final = text_of(Prop(names.QUIZ))

_ROW: Final = "(occurred_at, event_id, actor)"
_BEGUN: Final = "(occurred_at, event_id)"

#: Whose attempts at what are compared; each attempt of nobody has a learner of its own.
_LEARNER: Final = f"{QUIZ}, actor, if(actor = 0, event_id, 0)"

#: Of attempts with the same grade the earlier is the better, and any grade is better than none.
_CHOSEN: Final = {
    Policy.FIRST: f"argMin({_ROW}, {_BEGUN})",
    Policy.LAST: f"argMax({_ROW}, {_BEGUN})",
    Policy.BEST: f"argMin({_ROW}, (-ifNull({GRADE}, -1e15), occurred_at, event_id))",
}


def of_quiz(quiz: str) -> Comparison:
    """The event is of that quiz."""
    return Comparison(Prop(names.QUIZ), Op.IS, (quiz,))


def counted(policy: Policy, wanted: Condition) -> str:
    """The wanted attempts that began in the span of `engine.source.span` and count, as rows of events."""
    every = f"(SELECT * FROM {events_between()} WHERE {condition_sql(ATTEMPT & wanted)})"
    if policy is Policy.ALL:
        return every
    return f"(SELECT * FROM {every} WHERE {_ROW} IN (SELECT {_CHOSEN[policy]} FROM {every} GROUP BY {_LEARNER}))"


_BEGIN: Final = "begun_at, event_id"
_ORDER: Final = {
    Policy.FIRST: _BEGIN,
    Policy.LAST: "begun_at DESC, event_id DESC",
    Policy.BEST: f"grade DESC NULLS LAST, {_BEGIN}",
}

#: What joins the parts of an attempt; one without an id is alone.
ATTEMPT_KEY: Final = f"if(empty({text_of(Prop(names.ATTEMPT_ID))}), hex(event_id), {text_of(Prop(names.ATTEMPT_ID))})"


def chosen_attempts(policy: Policy, *, apart: bool = False) -> str:
    """The attempts at `quiz` that began within the window and that the policy lets count, as a table expression.

    Columns: `attempt` (the key of its parts, `ATTEMPT_KEY`), `event_id`, `actor`, `learner` (whose attempts are chosen
    among: the actor, or the attempt itself where nobody is named), `begun_at`, `state`, `submitted` (1 or 0), `score`,
    `max_score`, `grade`, `seconds`; numbers are null where not known. `apart` chooses among submitted attempts and
    among the others each, so that an attempt that was left takes no submitted one's place. Parameters: those of
    `engine.source.span`, and `quiz`.
    """
    attempts = f"(SELECT {_COLUMNS} FROM {events_between()} WHERE {_IS_ATTEMPT} AND {_OF_QUIZ})"
    if policy is Policy.ALL:
        return attempts
    among = "learner, submitted" if apart else "learner"
    return f"(SELECT * FROM {attempts} ORDER BY {_ORDER[policy]} LIMIT 1 BY {among})"


_COLUMNS: Final = (
    f"{ATTEMPT_KEY} AS attempt, event_id, actor, if(actor = 0, attempt, toString(actor)) AS learner, "
    f"occurred_at AS begun_at, {text_of(Prop(names.STATE))} AS state, state = '{names.COMPLETED}' AS submitted, "
    f"{number_of(Prop(names.SCORE))} AS score, {number_of(Prop(names.MAX_SCORE))} AS max_score, "
    f"{GRADE} AS grade, {number_of(Prop(names.SECONDS))} AS seconds"
)

_IS_ATTEMPT: Final = condition_sql(
    event(names.ATTEMPT) & human() & Comparison(Prop(names.STATE), Op.IS_NOT, (names.VOID,))
)
_OF_QUIZ: Final = f"{QUIZ} = {{quiz:String}}"
