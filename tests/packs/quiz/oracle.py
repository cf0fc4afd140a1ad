"""What the quiz pack's numbers must be: plain Python over parts of attempts as they were sent, written from the rules.

- A part counts once: of those with the same name, user and `eventId` the first to arrive is the one. Bots' don't count.
- Parts with the same quiz and `attemptId` belong together as long as no 31 days pass between them, those of each user
  for themselves; what names nobody is who alone is named among them, or else nobody's. Without an id, a part is alone.
- An attempt lies where its first part lies. It is submitted if it was ever; else abandoned, if that was said or it is
  old; else open. Of several submissions the last that says something counts, of several answers to a question the last.
"""

import json
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from functools import partial
from itertools import groupby
from typing import Any

from tests.oracle import Expected, Near, Span

Wire = Mapping[str, Any]

REACH_MS = 31 * 86_400_000


@dataclass(frozen=True)
class Row:
    """A part, a lead or an attempt that counts."""

    name: str
    at: int
    user: str
    said: Mapping[str, Any]

    def number(self, prop: str) -> Fraction | None:
        """What it says as a number."""
        return Fraction(str(self.said[prop])) if prop in self.said else None


def received(sent: Iterable[Wire]) -> list[Row]:
    """What counts of what was sent, in order of arrival."""
    first: dict[object, Wire] = {}
    for wire in sent:
        first.setdefault((wire["event"], wire.get("userId"), wire["eventId"]), wire)
    return [_row(wire) for wire in first.values() if "userAgent" not in wire]


def _row(wire: Wire) -> Row:
    at = (datetime.fromisoformat(wire["timestamp"]) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    return Row(wire["event"], at, wire.get("userId", ""), wire["properties"])


def attempts(rows: Sequence[Row], old: bool) -> list[Row]:
    """The attempts of parts, all of which are old or none."""
    together: dict[object, list[Row]] = {}
    for place, row in enumerate(rows):
        if row.name != "quiz_lead":
            together.setdefault((row.said["quizId"], row.said.get("attemptId", place)), []).append(row)
    return [
        _attempt(user, mine, old)
        for group in together.values()
        for spell in _spells(group)
        for user, mine in _own(spell)
    ]


def _spells(group: Sequence[Row]) -> Iterator[list[Row]]:
    spell: list[Row] = []
    for row in sorted(group, key=lambda row: row.at):
        if spell and row.at - spell[-1].at > REACH_MS:
            yield spell
            spell = []
        spell.append(row)
    yield spell


def _own(spell: Sequence[Row]) -> Iterator[tuple[str, list[Row]]]:
    """Each user's parts, in order."""
    users = {row.user for row in spell} - {""}
    alone = users.pop() if len(users) == 1 else ""
    for user, mine in groupby(sorted(spell, key=lambda row: row.user or alone), lambda row: row.user or alone):
        yield user, sorted(mine, key=lambda row: row.at)


def _attempt(user: str, mine: Sequence[Row], old: bool) -> Row:
    submissions = [row for row in mine if row.name == "quiz_submitted"]
    answers = list({row.said.get("questionId"): row for row in mine if row.name == "question_answered"}.values())
    left = old or any(row.name == "quiz_abandoned" for row in mine)
    said: dict[str, Any] = {
        "quizId": mine[0].said["quizId"],
        "attemptState": "submitted" if submissions else "abandoned" if left else "open",
        "questions": sum(not row.said.get("skipped", False) for row in answers),
    }
    if "attemptId" in mine[0].said:
        said["attemptId"] = mine[0].said["attemptId"]
    if submissions:
        known = {**_scored(submissions, answers), "seconds": _seconds(mine, submissions)}
        said |= {name: value for name, value in known.items() if value is not None}
    return Row("quiz_attempt", mine[0].at, user, said)


def _scored(submissions: Sequence[Row], answers: Sequence[Row]) -> dict[str, Any]:
    marked = any("score" in answer.said or "correct" in answer.said for answer in answers)
    points = [pair for pair in map(_points, answers) if pair and marked]
    told = [row for row in submissions if "score" in row.said]
    if told:
        score, highest = told[-1].number("score"), told[-1].number("maxScore")
    elif points:
        score, highest = (sum(parts, Fraction(0)) for parts in zip(*points, strict=True))
    else:
        return {}
    assert score is not None
    if highest is not None and highest <= 0:
        return {"score": score, "maxScore": highest}
    grade = min(max(score if highest is None else 100 * score / highest, Fraction(0)), Fraction(100))
    tenth = min(math.floor(grade / 10), 9)
    return {"score": score, "maxScore": highest, "grade": grade, "gradeBand": f"{tenth * 10}-{tenth * 10 + 10}"}


def _points(answer: Row) -> tuple[Fraction, Fraction] | None:
    """What an answer adds, and what it could."""
    highest = answer.number("maxScore")
    worth = highest if highest is not None and highest > 0 else Fraction(1)
    if answer.said.get("skipped"):
        return Fraction(0), worth
    if (score := answer.number("score")) is not None:
        return score, worth
    if answer.said.get("correct") is True:
        return worth, worth
    return (Fraction(0), worth) if "correct" in answer.said else None


def _seconds(mine: Sequence[Row], submissions: Sequence[Row]) -> Fraction | None:
    told = [number for row in submissions if (number := row.number("timeMs")) is not None]
    if told:
        return told[-1] / 1000
    last = submissions[-1].at
    watched = any(row.name != "quiz_submitted" and row.at <= last for row in mine)
    return Fraction(last - mine[0].at, 1000) if watched else None


@dataclass(frozen=True)
class Oracle:
    """Parts, leads and attempts of a project."""

    rows: Sequence[Row]

    @classmethod
    def of(cls, sent: Iterable[Wire], old: bool) -> "Oracle":
        """The oracle of what was sent, all of it old or nothing."""
        counted = received(sent)
        return cls([*counted, *attempts(counted, old)])

    def ask(self, metric: str, span: Span) -> Expected:
        """A metric over a span."""
        return METRICS[metric](self.within(span))

    def counts(self, dimension: str, span: Span) -> dict[str, int]:
        """How many rows of a dimension's metric there are of each key over a span."""
        metric, key_of = DIMENSIONS[dimension]
        rows = self.within(span)
        return dict(Counter(map(key_of, _attempts(rows) if metric == "quiz_attempts" else _answers(rows))))

    def within(self, span: Span) -> list[Row]:
        """The rows of a span."""
        return [row for row in self.rows if span.start <= row.at < span.end]


def _attempts(rows: Sequence[Row], *states: str) -> list[Row]:
    return [row for row in rows if row.name == "quiz_attempt" and row.said["attemptState"] in (states or _STATES)]


_STATES = ("open", "submitted", "abandoned")


def _answers(rows: Sequence[Row], skipped: bool = False) -> list[Row]:
    return [row for row in rows if row.name == "question_answered" and row.said.get("skipped", False) == skipped]


def _leads(rows: Sequence[Row]) -> int:
    return sum(row.name == "quiz_lead" for row in rows)


def _over(upper: int | Fraction, lower: int) -> Fraction | None:
    return Fraction(upper) / lower if lower else None


def _numbers(rows: Iterable[Row], prop: str) -> list[Fraction]:
    return [Fraction(row.said[prop]) for row in rows if prop in row.said]


def _mean(rows: Sequence[Row], prop: str) -> Fraction | None:
    return _over(sum(_numbers(rows, prop), Fraction(0)), len(_numbers(rows, prop)))


def _correct(rows: Sequence[Row]) -> Fraction | None:
    marked = [row.said["correct"] for row in _answers(rows) if "correct" in row.said]
    return _over(sum(marked), len(marked))


def _quantile(rows: Sequence[Row], percent: int) -> Near | None:
    """The nearest rank: the smallest number that at least so many of a hundred do not exceed."""
    ordered = sorted(_numbers(_answers(rows), "timeMs"))
    return Near(float(ordered[math.ceil(Fraction(percent, 100) * len(ordered)) - 1])) if ordered else None


METRICS: dict[str, Callable[[Sequence[Row]], Expected]] = {
    "quiz_attempts": lambda rows: len(_attempts(rows)),
    "quiz_learners": lambda rows: len({row.user for row in _attempts(rows)} - {""}),
    "quiz_submissions": lambda rows: len(_attempts(rows, "submitted")),
    "quiz_abandonments": lambda rows: len(_attempts(rows, "abandoned")),
    "quiz_completion_rate": lambda rows: _over(len(_attempts(rows, "submitted")), len(_attempts(rows))),
    "quiz_abandonment_rate": lambda rows: _over(len(_attempts(rows, "abandoned")), len(_attempts(rows))),
    "quiz_score": lambda rows: _mean(_attempts(rows, "submitted"), "grade"),
    "quiz_scored": lambda rows: len(_numbers(_attempts(rows, "submitted"), "grade")),
    "quiz_time": lambda rows: _mean(_attempts(rows, "submitted"), "seconds"),
    "quiz_time_total": lambda rows: sum(_numbers(_attempts(rows, "submitted"), "seconds"), Fraction(0)),
    "quiz_answers": lambda rows: len(_answers(rows)),
    "quiz_skips": lambda rows: len(_answers(rows, skipped=True)),
    "quiz_correct_rate": _correct,
    "quiz_answer_time_p50": partial(_quantile, percent=50),
    "quiz_answer_time_p90": partial(_quantile, percent=90),
    "quiz_leads": _leads,
    "quiz_lead_rate": lambda rows: _over(_leads(rows), len(_attempts(rows))),
}


#: Of each dimension a metric, and the key that a row adds to it under.
DIMENSIONS: dict[str, tuple[str, Callable[[Row], str]]] = {
    "quiz": ("quiz_attempts", lambda row: str(row.said.get("quizId", ""))),
    "quiz_question": ("quiz_answers", lambda row: f"{row.said.get('quizId', '')}/{row.said.get('questionId', '')}"),
    "attempt_state": ("quiz_attempts", lambda row: str(row.said["attemptState"])),
    "score_band": ("quiz_attempts", lambda row: str(row.said.get("gradeBand", ""))),
}


def told(row: Row, actor: Callable[[str], int]) -> tuple[Any, ...]:
    """Time, actor and what is said of an attempt, to be compared."""
    return row.at, actor(row.user) if row.user else 0, shown(row.said)


def shown(said: Mapping[str, Any]) -> str:
    """What is said as text; numbers to the sixth decimal."""
    numbers = {name: round(float(n), 6) if isinstance(n, int | float | Fraction) else n for name, n in said.items()}
    return json.dumps(numbers, sort_keys=True)
