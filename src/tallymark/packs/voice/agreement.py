"""How far a judge agrees with people, and people with one another: kappas, correlations, bias.

Scores are whole numbers from `LOWEST` to `HIGHEST`. Cohen's kappa is the agreement beyond chance: 1 less the
disagreement that there is over that which there would be by chance, if both kept to how often they give each score. Any
other score disagrees wholly (Cohen, "A coefficient of agreement for nominal scales", 1960), or by the square of how far
it is off (Cohen, "Weighted kappa", 1968).

Where several people reviewed an exchange, each review is a pair with the judge's score: kappas and exact agreement are
those of the table of all pairs, people being one rater. For correlations and means an exchange counts once, with the
mean of its reviews. Among people it is Light's kappa, the mean over all pairs of reviewers (Light, "Measures of
response agreement for qualitative data", 1971).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from tallymark.spec.evaluation import HIGHEST, LOWEST

#: What reviewers gave an exchange, by reviewer.
Reviewed = Mapping[str, int]

#: Two scores of one exchange, by two raters.
Pair = tuple[int, int]

#: One pair says nothing of agreement beyond chance, nor of correlation.
_FEWEST: Final = 2

_LEVELS: Final = HIGHEST - LOWEST + 1
_OFF: Final = np.abs(np.subtract.outer(np.arange(_LEVELS), np.arange(_LEVELS))).astype(float)


@dataclass(frozen=True)
class Agreement:
    """A judge beside people. `n` pairs of `exchanges`; None for what so few or so uniform scores don't tell.

    `bias` is the judge's mean less the people's: above 0 the judge is the kinder one.
    """

    n: int
    exchanges: int
    exact: float | None
    kappa: float | None
    weighted_kappa: float | None
    spearman: float | None
    pearson: float | None
    judge_mean: float | None
    people_mean: float | None
    bias: float | None


@dataclass(frozen=True)
class AmongPeople:
    """People beside one another: `n` pairs of reviews of one exchange, by `reviewers` who share one with another."""

    n: int
    reviewers: int
    exact: float | None
    kappa: float | None
    weighted_kappa: float | None


def agreement(rated: Sequence[tuple[int, Reviewed]]) -> Agreement:
    """Of exchanges with the judge's score and reviews of it; those without a review are left out."""
    both = [(judge, list(people.values())) for judge, people in rated if people]
    pairs = [(judge, person) for judge, people in both for person in people]
    judges, people = [float(judge) for judge, _ in both], [fmean(scores) for _, scores in both]
    return Agreement(
        n=len(pairs),
        exchanges=len(both),
        exact=_exact(pairs),
        kappa=kappa(pairs),
        weighted_kappa=weighted_kappa(pairs),
        spearman=_correlation(stats.spearmanr, judges, people),
        pearson=_correlation(stats.pearsonr, judges, people),
        judge_mean=fmean(judges) if both else None,
        people_mean=fmean(people) if both else None,
        bias=fmean(judges) - fmean(people) if both else None,
    )


def among_people(reviews: Iterable[Reviewed]) -> AmongPeople:
    """Of exchanges with their reviews. Pairs of reviewers whose kappa is undefined have no part in the mean."""
    shared: dict[tuple[str, str], list[Pair]] = {}
    for people in reviews:
        for one, other in combinations(sorted(people), 2):
            shared.setdefault((one, other), []).append((people[one], people[other]))
    pairs = [pair for theirs in shared.values() for pair in theirs]
    return AmongPeople(
        n=len(pairs),
        reviewers=len({reviewer for both in shared for reviewer in both}),
        exact=_exact(pairs),
        kappa=_mean(map(kappa, shared.values())),
        weighted_kappa=_mean(map(weighted_kappa, shared.values())),
    )


def kappa(pairs: Sequence[Pair]) -> float | None:
    """Cohen's kappa; None for fewer than two pairs, and where both always give one and the same score."""
    return _kappa(pairs, np.sign(_OFF))


def weighted_kappa(pairs: Sequence[Pair]) -> float | None:
    """Cohen's weighted kappa, disagreements squared; None where `kappa` is."""
    return _kappa(pairs, _OFF**2)


def _kappa(pairs: Sequence[Pair], disagreement: NDArray[np.float64]) -> float | None:
    if len(pairs) < _FEWEST:
        return None
    table = np.zeros((_LEVELS, _LEVELS))
    np.add.at(table, tuple(np.array(pairs).T - LOWEST), 1)
    by_chance = np.outer(table.sum(axis=1), table.sum(axis=0)) / len(pairs)
    expected = float((disagreement * by_chance).sum())
    return None if expected == 0 else 1 - float((disagreement * table).sum()) / expected


def _exact(pairs: Sequence[Pair]) -> float | None:
    return fmean(one == other for one, other in pairs) if pairs else None


def _correlation(test: Callable[..., Any], ones: Sequence[float], others: Sequence[float]) -> float | None:
    """A correlation; None for fewer than two, or where either is always the same."""
    if len(set(ones)) < _FEWEST or len(set(others)) < _FEWEST:
        return None
    return float(test(ones, others).statistic)


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None
