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
