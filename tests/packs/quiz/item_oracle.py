"""Item analysis in plain Python: loops over attempts, and the definitions of `statistics` and `scipy.stats`."""

import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from math import sqrt
from typing import Any

from scipy import stats

from tests.packs.quiz.sitting import Reply, Sitting

Numbers = Sequence[float]


def chosen(sittings: Sequence[Sitting], policy: str) -> list[Sitting]:
    """The attempts that a policy lets count, of each learner."""
    if policy == "all":
        return list(sittings)
    ordered = sorted(sittings, key=lambda each: (each.user or f"nobody {each.id}", each.begun))
    picked = []
    for _, of_learner in groupby(ordered, key=lambda each: each.user or f"nobody {each.id}"):
        own = list(of_learner)
        best = max(own, key=lambda each: -1 if each.percent is None else each.percent)
        picked.append({"first": own[0], "last": own[-1], "best": best}[policy])
    return picked


def last_replies(sitting: Sitting) -> dict[str, Reply]:
    """The last reply to each question."""
    return {reply.question: reply for reply in sitting.replies}


def correlation(one: Numbers, other: Numbers) -> float | None:
    """Pearson's; None where something does not vary."""
    if len(one) < 2 or len(set(one)) == 1 or len(set(other)) == 1:
        return None
    return statistics.correlation(one, other)


def spread(values: Numbers) -> float | None:
    """The standard deviation; None of fewer than two values."""
    return statistics.stdev(values) if len(values) > 1 else None


@dataclass(frozen=True)
class ItemOracle:
    """What there is to know of the attempts that count."""

    sittings: Sequence[Sitting]
    policy: str = "all"

    @cached_property
    def submitted(self) -> list[Sitting]:
        """Those that were submitted."""
        return chosen([each for each in self.sittings if each.state == "submitted"], self.policy)

    @cached_property
    def unsubmitted(self) -> list[Sitting]:
        """Those that were not."""
        return chosen([each for each in self.sittings if each.state in ("open", "abandoned")], self.policy)

    @cached_property
    def sheets(self) -> list[Mapping[str, Reply]]:
        """The last replies of each submitted attempt that has any."""
        return [last_replies(each) for each in self.submitted if each.replies]

    @cached_property
    def max_scores(self) -> dict[str, float]:
        """The highest possible mark of each question."""
        found: dict[str, list[float]] = {}
        for sitting in [*self.submitted, *self.unsubmitted]:
            for reply in last_replies(sitting).values():
                found.setdefault(reply.question, []).extend([] if reply.max_score is None else [reply.max_score])
        return {question: max(scores, default=1) for question, scores in found.items()}

    def item(self, question: str) -> dict[str, Any]:
        """The statistics of a question."""
        sheets = [sheet for sheet in self.sheets if question in sheet]
        replies = [sheet[question] for sheet in sheets]
        marks = [reply.mark for reply in replies]
        rests = self._rests(sheets, question)
        highest = self.max_scores[question]
        times = [reply.time for reply in replies if reply.time is not None and not reply.skipped]
        deviation = spread(marks)
        return {
            "questionId": question,
            "n": len(replies),
            "skips": sum(reply.skipped for reply in replies),
            "maxScore": highest,
            "facility": statistics.fmean(marks) / highest if marks else None,
            "standardDeviation": None if deviation is None else deviation / highest,
            "discriminationIndex": correlation(marks, rests),
            "discriminationEfficiency": self._efficiency(marks, rests),
            "intendedWeight": highest / sum(self.max_scores.values()),
            "effectiveWeight": self._effective_weight(question),
            "medianTimeMs": statistics.median(times) if times else None,
            "p90TimeMs": self._p90(times),
            "dropOff": self._drop_off(question),
        }

    def answers(self, question: str) -> dict[str, dict[str, Any]]:
        """What is known of each answer, the most frequent first."""
        sheets = [sheet for sheet in self.sheets if question in sheet]
        rests = self._rests(sheets, question)
        texts = [None if sheet[question].skipped else sheet[question].answer or "" for sheet in sheets]
        counts = Counter(text for text in texts if text is not None)
        return {
            text: {
                "n": n,
                "share": n / len(texts),
                "pointBiserial": correlation([float(each == text) for each in texts], rests),
            }
            for text, n in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0].encode()))
        }

    def quiz(self) -> dict[str, Any]:
        """The statistics of the quiz."""
        grades = [each.percent for each in self.submitted if each.percent is not None]
        deviation, varies, alpha = spread(grades), len(set(grades)) > 1, self._alpha()
        ratio = None if alpha is None else sqrt(1 - alpha)
        return {
            "n": len(grades),
            "mean": statistics.fmean(grades) if grades else None,
            "median": statistics.median(grades) if grades else None,
            "standardDeviation": deviation,
            "skewness": float(stats.skew(grades, bias=False)) if len(grades) > 2 and varies else None,
            "kurtosis": float(stats.kurtosis(grades, bias=False)) if len(grades) > 3 and varies else None,
            "cronbachAlpha": alpha,
            "errorRatio": ratio,
            "standardError": None if ratio is None or deviation is None else ratio * deviation,
            "retakes": self._retakes(),
            "histogram": [sum(min(9, int(grade // 10)) == tenth for grade in grades) for tenth in range(10)],
        }

    def _rests(self, sheets: Sequence[Mapping[str, Reply]], question: str) -> list[float]:
        return [sum(reply.mark for name, reply in sheet.items() if name != question) for sheet in sheets]

    def _efficiency(self, marks: Numbers, rests: Numbers) -> float | None:
        if correlation(marks, rests) is None:
            return None
        return statistics.covariance(marks, rests) / statistics.covariance(sorted(marks), sorted(rests))

    def _effective_weight(self, question: str) -> float | None:
        covariances = {}
        for each in self.max_scores:
            sheets = [sheet for sheet in self.sheets if each in sheet]
            totals = [sum(reply.mark for reply in sheet.values()) for sheet in sheets]
            if len(sheets) > 1:
                covariances[each] = statistics.covariance([sheet[each].mark for sheet in sheets], totals)
        together = sum(sqrt(value) for value in covariances.values() if value >= 0)
        own = covariances.get(question, -1)
        return float(sqrt(own) / together) if own >= 0 and together else None

    def _p90(self, times: Numbers) -> float | None:
        if len(times) < 2:
            return times[0] if times else None
        return statistics.quantiles(times, n=10, method="inclusive")[8]

    def _drop_off(self, question: str) -> dict[str, Any]:
        ended = sum(bool(each.replies) and each.replies[-1].question == question for each in self.unsubmitted)
        return {"attempts": ended, "share": ended / len(self.unsubmitted) if self.unsubmitted else None}

    def _alpha(self) -> float | None:
        """With a 0 for what an attempt was not shown."""
        questions = {question for sheet in self.sheets for question in sheet}
        matrix = [[sheet[each].mark if each in sheet else 0 for each in sorted(questions)] for sheet in self.sheets]
        totals, k = [sum(row) for row in matrix], len(questions)
        if k < 2 or len(set(totals)) < 2:
            return None
        own = sum(statistics.variance(column) for column in zip(*matrix, strict=True))
        return float(k / (k - 1) * (1 - own / statistics.variance(totals)))

    def _retakes(self) -> dict[str, Any]:
        graded = [
            each for each in self.sittings if each.state == "submitted" and each.user and each.percent is not None
        ]
        of_user: dict[str | None, list[Sitting]] = {}
        for each in sorted(graded, key=lambda sitting: sitting.begun):
            of_user.setdefault(each.user, []).append(each)
        gains = [(own[-1].percent or 0) - (own[0].percent or 0) for own in of_user.values() if len(own) > 1]
        return {"learners": len(gains), "gain": statistics.fmean(gains) if gains else None}
