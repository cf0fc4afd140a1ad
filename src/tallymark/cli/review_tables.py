"""Reviews, agreement and compared versions as rows of tables."""

from collections.abc import Mapping
from typing import Any, Final

from tallymark.spec.evaluation import SCORES

REVIEWS: Final = {
    "exchangeId": "Exchange", "reviewer": "Reviewer", "scores": "Scores", "judge": "Judge", "labels": "Labels",
    "comment": "Comment", "transcript": "Query", "response": "Answer",
}  # fmt: skip
SAMPLE: Final = {"exchangeId": "Exchange", "at": "When", "transcript": "Query", "response": "Answer"}
AGREEMENT: Final = {
    "score": "Score", "n": "Pairs", "exact": "Exact", "kappa": "Kappa", "weightedKappa": "Weighted kappa",
    "spearman": "Spearman", "pearson": "Pearson", "judgeMean": "Judge", "peopleMean": "People", "bias": "Bias",
    "among": "Kappa among people",
}  # fmt: skip
VERSIONS: Final = {
    "score": "Score", "n": "Exchanges", "before": "Before", "after": "After", "difference": "Difference",
    "better": "Better", "worse": "Worse", "equal": "Equal",
}  # fmt: skip


def review_row(review: Mapping[str, Any]) -> dict[str, Any]:
    """A review as a table tells it."""
    return {**review, "scores": _scores(review["scores"]), "judge": judged(review["evaluation"])}


def judged(evaluation: Mapping[str, Any] | None) -> list[str]:
    """The scores of a judge, each with its name; none where it judged nothing."""
    return _scores(evaluation or {})


def _scores(held: Mapping[str, Any]) -> list[str]:
    return [f"{name} {held[name]}" for name in SCORES if name in held]


def rounded(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row whose numbers have three digits."""
    return {name: f"{value:.3g}" if isinstance(value, float) else value for name, value in row.items()}


def interval(told: Mapping[str, Any]) -> str | None:
    """A difference with the interval around it, as far as they are known."""
    if told["difference"] is None:
        return None
    effect = f"{told['difference']:+.3g}"
    return effect if told["low"] is None else f"{effect} ({told['low']:.3g} to {told['high']:.3g})"
