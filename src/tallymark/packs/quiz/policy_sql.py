"""Which of a learner's attempts at a quiz count: the rows that questions about attempts read.

Parameters: `project`, `start` and `end` as `engine.source.span` binds them, and `quiz`.
"""

from enum import StrEnum
from typing import Final

from tallymark.engine.expression import condition_sql, number_of, text_of
from tallymark.engine.source import events_between
from tallymark.packs.quiz import names
from tallymark.spec.condition import Comparison, Op, Prop, event, human


class Policy(StrEnum):
    """Which of the attempts of a learner that began within the window count."""

    FIRST = "first"
    LAST = "last"
    BEST = "best"
    ALL = "all"


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
    among the others each, so that an attempt that was left takes no submitted one's place.
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
    f"{number_of(Prop(names.GRADE))} AS grade, {number_of(Prop(names.SECONDS))} AS seconds"
)

_IS_ATTEMPT: Final = condition_sql(
    event(names.ATTEMPT) & human() & Comparison(Prop(names.STATE), Op.IS_NOT, (names.VOID,))
)
_OF_QUIZ: Final = f"{text_of(Prop(names.QUIZ))} = {{quiz:String}}"
