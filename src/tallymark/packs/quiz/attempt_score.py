"""The score and the time of an attempt as SQL: what its submission says, or what its answers add up to.

A score is in percent where nothing is said of the highest possible; no grade is below 0 or above 100.
"""

from collections.abc import Mapping
from typing import Final

from tallymark.engine.expression import literal, number_of, text_of
from tallymark.packs.quiz.names import (
    BAND,
    CORRECT,
    GRADE,
    MAX_SCORE,
    QUESTIONS,
    SCORE,
    SECONDS,
    SKIPPED,
    SUBMITTED,
    TIME,
)
from tallymark.spec.condition import Prop

#: Columns of a part: what it says.
SAID: Final = ", ".join((
    f"{number_of(Prop(SCORE))} AS score", f"{number_of(Prop(MAX_SCORE))} AS highest", f"{number_of(Prop(TIME))} AS ms",
    f"{text_of(Prop(CORRECT))} AS correct", f"{text_of(Prop(SKIPPED))} = 'true' AS skipped",
))  # fmt: skip

#: Decimals of what is computed.
_DECIMALS: Final = 9

#: An answer that says how good it is; a skipped one that says nothing counts only beside such answers.
_MARKED: Final = "(score IS NOT NULL OR correct IN ('true', 'false'))"

#: Where a right answer is worth one point if nothing else is said, and one that is skipped none, whatever is said.
_WORTH: Final = "if(highest > 0, highest, 1)"
_POINTS: Final = (
    f"multiIf(skipped, 0, score IS NOT NULL, score, correct = 'true', {_WORTH}, correct = 'false', 0, NULL)"
)


def sums(place: str) -> str:
    """What is summed up of the parts of an attempt; `place` is a part's place in their order.

    Of several submissions the last one that says something counts; a score and its highest come of the same.
    """
    submission = f"event = {literal(SUBMITTED)}"
    return ", ".join((
        f"argMaxIf((score, highest), {place}, {submission} AND score IS NOT NULL) AS told",
        f"argMaxIf(ms, {place}, {submission} AND ms >= 0) AS told_ms",
        f"maxIf(occurred_at, {submission}) AS submitted_at",
        f"minIf(toNullable(occurred_at), NOT ({submission})) AS watched_at",
        f"sumIf({_POINTS}, latest AND {_POINTS} IS NOT NULL) AS points",
        f"if(countIf(latest AND {_MARKED}) > 0, sumIf({_WORTH}, latest AND {_POINTS} IS NOT NULL), 0) AS worth",
        "countIf(latest AND NOT skipped) AS questions",
    ))  # fmt: skip


_OF_ANSWERS: Final = "told.1 IS NULL AND worth > 0"
_PERCENT: Final = (
    f"multiIf({_OF_ANSWERS}, 100 * points / worth, told.2 IS NULL, told.1, told.2 > 0, 100 * told.1 / told.2, NULL)"
)

#: Columns that an attempt has of these sums; null where nobody can know.
SCORED: Final = ", ".join((
    f"if(submitted, if({_OF_ANSWERS}, round(points, {_DECIMALS}), told.1), NULL) AS score",
    f"if(submitted, if({_OF_ANSWERS}, round(worth, {_DECIMALS}), told.2), NULL) AS highest",
    f"if(submitted, round({_PERCENT}, {_DECIMALS}), NULL) AS percent",
    "multiIf(percent < 0, 0, percent > 100, 100, percent) AS grade",
    "if(grade = 100, 90, toInt32(floor(grade / 10)) * 10) AS tenth",
    "concat(toString(tenth), '-', toString(tenth + 10)) AS band",
    "toUnixTimestamp64Milli(submitted_at) - toUnixTimestamp64Milli(first.1) AS passed_ms",
    "multiIf(told_ms IS NOT NULL, told_ms, watched_at <= submitted_at, passed_ms, NULL) AS spent_ms",
    "if(submitted, spent_ms / 1000, NULL) AS seconds",
))  # fmt: skip

#: What an attempt says of them: the property, the column and its type.
TOLD: Final[Mapping[str, tuple[str, str]]] = {
    SCORE: ("score", "Nullable(Float64)"),
    MAX_SCORE: ("highest", "Nullable(Float64)"),
    GRADE: ("grade", "Nullable(Float64)"),
    BAND: ("band", "Nullable(String)"),
    SECONDS: ("seconds", "Nullable(Float64)"),
    QUESTIONS: ("questions", "UInt64"),
}
