"""Records of learners: how many attempts, which grades, how much time, by quiz or by learner."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from tallymark.engine.aggregate import billionths
from tallymark.engine.base import Row
from tallymark.engine.expression import condition_sql, number_of
from tallymark.engine.source import utc
from tallymark.packs.quiz import names
from tallymark.packs.quiz.policy import GRADE
from tallymark.spec.condition import Comparison, Op, Prop
from tallymark.spec.project import instant_text
from tallymark.spec.summary import SCALE

_DIGITS: Final = 6

_SUBMITTED: Final = condition_sql(Comparison(Prop(names.STATE), Op.IS, (names.COMPLETED,)))
_SCORED: Final = f"{_SUBMITTED} AND isNotNull({GRADE})"
_SECONDS: Final = number_of(Prop(names.SECONDS))

#: The columns of a record, over attempts.
COLUMNS: Final = (
    "count()",
    f"countIf({_SUBMITTED})",
    f"countIf({_SCORED})",
    f"sumIf({billionths(GRADE)}, {_SCORED})",
    f"maxIf({GRADE}, {_SCORED})",
    f"argMaxIf({GRADE}, (occurred_at, event_id), {_SCORED})",
    f"sumIf({billionths(_SECONDS)}, {_SUBMITTED} AND isNotNull({_SECONDS}))",
    "min(occurred_at)",
    "max(occurred_at)",
)


@dataclass(frozen=True)
class Record:
    """Attempts taken together. `grades` and `seconds` are sums in billionths; all but `attempts` of submitted ones."""

    attempts: int
    submitted: int
    scored: int
    grades: int
    best: float | None
    last: float | None
    seconds: int
    first_at: datetime
    last_at: datetime

    @classmethod
    def of(cls, row: Row) -> "Record":
        """The record of a row of `COLUMNS`."""
        return cls(*row)

    def body(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "attempts": self.attempts,
            "submitted": self.submitted,
            "bestScore": _rounded(self.best if self.scored else None),
            "lastScore": _rounded(self.last if self.scored else None),
            "averageScore": average([self]),
            "timeSpent": time_spent([self]),
            "firstAttempt": instant_text(utc(self.first_at)),
            "lastAttempt": instant_text(utc(self.last_at)),
        }


def average(records: Sequence[Record]) -> float | None:
    """The mean grade of the submitted attempts with one; None without any."""
    scored = sum(record.scored for record in records)
    return round(sum(record.grades for record in records) / scored / SCALE, _DIGITS) if scored else None


def time_spent(records: Sequence[Record]) -> float | int:
    """The seconds of the submitted attempts, added up."""
    whole, rest = divmod(sum(record.seconds for record in records), SCALE)
    return round(whole + rest / SCALE, _DIGITS) if rest else whole


def _rounded(grade: float | None) -> float | None:
    return None if grade is None else round(grade, _DIGITS)
