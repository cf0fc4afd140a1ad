"""The results of an experiment as JSON, with the sentences that say what the numbers are."""

from collections.abc import Set
from datetime import datetime
from typing import Final

from tallymark.experiment.effects import Cuped, Interval
from tallymark.experiment.guardrail import verdict
from tallymark.experiment.power import TARGET, Power
from tallymark.experiment.report import Comparison, MetricReport, Report, Shown
from tallymark.experiment.sequential import Sequential
from tallymark.experiment.span import Span
from tallymark.packs.ab.results_course import Course
from tallymark.packs.ab.results_shape import (
    Results,
    ToldComparison,
    ToldCuped,
    ToldHarm,
    ToldInterval,
    ToldMetric,
    ToldPower,
    ToldSequential,
    ToldSeveral,
    ToldSrm,
    ToldVariant,
)
from tallymark.packs.ab.results_warnings import warnings_of
from tallymark.spec.experiment import ExperimentMetric
from tallymark.spec.project import Project, instant_text

#: From this share on, units that met several variants are warned of.
SEVERAL_FROM: Final = 0.01

CONVENTIONS: Final = (
    "A unit is an actor with an exposure. What is measured of it counts from its first exposure on and is one value "
    "per unit, over its whole history in the window; an exposed unit with nothing measured counts as 0.",
    "Units that met several variants are left out of every number.",
    "n are the units that count; unfinished ones have not been there as long as the metric looks at a unit: retention "
    "leaves them out of n, other metrics count them with what they have.",
    "pValue is of Welch's t-test of the absolute difference, two-sided; a ratio's variance is by the delta method. The "
    "interval of the absolute effect belongs to it. Where every unit of a variant did and none of the other, nothing "
    "varies: pValue is of Fisher's exact test, and there is no interval.",
    "A quantile's pValue is of a score test of the shares of units at or below the quantile of both variants together, "
    "or Fisher's exact one with few units; it holds with equal values, too. The interval, sequential and bayes are by "
    "order statistics with a normal distribution and may disagree with it near the edge. They are null where more "
    "units have the very value of the quantile than its rank is unsure by, sqrt(n q (1 - q)).",
    "The interval of the relative effect is of the logarithm of the ratio, by the delta method; near the edge of "
    "significance it may disagree with pValue. It is null where control is not above zero.",
    "adjustedPValue is corrected over all metrics that are no guardrails, and over all variants; significant compares "
    "it with alpha. Guardrails are not corrected: significant compares their own pValue, and harm is one-sided.",
    "Intervals and p-values are good for one look that was planned; the sequential ones for any number of looks. "
    "Sequential ones are not corrected for several metrics.",
    "chanceToWin and expectedLoss are Bayesian: beta distributions from a uniform prior for conversion and retention, "
    "a normal distribution of the effect from a flat prior for the rest. The loss is in the metric's unit.",
    "minimalDetectableEffect is found with a power of 80 % with the present units; atPlanned and unitsNeeded are of "
    "plannedRelativeEffect (the parameter effect), whatever effect was found.",
    "srm compares exposed units with the present weights by a chi-square test; below 0.001 no number can be trusted.",
)

_NOT_COMPARED: Final[ToldComparison] = {
    "absolute": None, "relative": None, "pValue": None, "adjustedPValue": None, "significant": None,
    "sequential": None, "bayes": None, "power": None, "cuped": None, "harm": None,
}  # fmt: skip


def told(
    report: Report, project: Project, span: Span, planned: float, shown: frozenset[str] | None, course: Set[Course],
    now: datetime,
) -> Results:  # fmt: skip
    """The report as JSON; of metrics those that are `shown`, None for all. `course`: what happened while it ran."""
    experiment = report.experiment
    several = _several(report)
    metrics = [m for m in report.metrics if shown is None or m.metric.name in shown]
    return {
        "experiment": experiment.key,
        "project": project.name,
        "status": experiment.status,
        "window": {"from": instant_text(span.start), "to": instant_text(span.end), "timezone": project.timezone},
        "alpha": experiment.alpha,
        "correction": experiment.correction,
        "exposedUnits": dict(report.units.exposed),
        "multipleVariantUnits": several,
        "srm": _srm(report, "weights_changed" in course),
        "metrics": [_metric(report, metric, planned) for metric in metrics],
        "conventions": list(CONVENTIONS),
        "warnings": warnings_of(report, project, span, several, course, now),
        "accuracy": "exact",
        "freshness": {"through": instant_text(span.end), "generatedAt": instant_text(now)},
    }


def _several(report: Report) -> ToldSeveral:
    units = report.units.several
    everybody = units + sum(report.units.exposed.values())
    share = units / everybody if everybody else 0.0
    return {"units": units, "share": share, "warning": share >= SEVERAL_FROM}


def _srm(report: Report, weights_changed: bool) -> ToldSrm:
    check = report.srm
    return {
        "pValue": check.p_value,
        "alert": check.alert,
        "observed": dict(check.observed),
        "expected": dict(check.expected),
        "weightsChanged": weights_changed,
    }


def _metric(report: Report, each: MetricReport, planned: float) -> ToldMetric:
    metric, alpha = each.metric, report.experiment.alpha
    harms = [shown.comparison.harm for shown in each.shown if shown.comparison is not None]
    return {
        "name": metric.name,
        "kind": metric.kind,
        "direction": metric.direction,
        "guardrail": metric.guardrail,
        "verdict": verdict(harms, alpha) if metric.guardrail else None,
        "variants": [_variant(metric, shown, alpha, planned) for shown in each.shown],
    }


def _variant(metric: ExperimentMetric, shown: Shown, alpha: float, planned: float) -> ToldVariant:
    found = shown.comparison
    return {
        "variant": shown.variant,
        "control": found is None,
        "n": shown.estimate.n,
        "unfinished": shown.unfinished,
        "value": shown.estimate.value,
        "standardError": shown.estimate.standard_error,
        **(_NOT_COMPARED if found is None else _comparison(metric, found, alpha, planned)),
    }


def _comparison(metric: ExperimentMetric, found: Comparison, alpha: float, planned: float) -> ToldComparison:
    decisive = found.effect.p_value if metric.guardrail else found.adjusted
    harm: ToldHarm = {"pValue": found.harm, "verdict": verdict([found.harm], alpha)}
    return {
        "absolute": _interval(found.effect.absolute),
        "relative": _interval(found.effect.relative),
        "pValue": found.effect.p_value,
        "adjustedPValue": found.adjusted,
        "significant": _below(decisive, alpha),
        "sequential": _sequential(found.sequential, alpha),
        "bayes": {"chanceToWin": found.bayes.chance_to_win, "expectedLoss": found.bayes.expected_loss},
        "power": _power(found.power, planned),
        "cuped": None if found.cuped is None else _cuped(found.cuped),
        "harm": harm if metric.guardrail else None,
    }


def _interval(interval: Interval) -> ToldInterval:
    return {"effect": interval.effect, "low": interval.low, "high": interval.high}


def _sequential(found: Sequential, alpha: float) -> ToldSequential:
    return {
        "low": found.low,
        "high": found.high,
        "pValue": found.p_value,
        "significant": _below(found.p_value, alpha),
    }


def _power(found: Power, planned: float) -> ToldPower:
    return {
        "target": TARGET,
        "minimalDetectableEffect": {"absolute": found.minimal_effect, "relative": found.minimal_relative_effect},
        "plannedRelativeEffect": planned,
        "atPlanned": found.at_planned,
        "unitsNeeded": found.units_needed,
    }


def _cuped(found: Cuped) -> ToldCuped:
    return {
        "absolute": _interval(found.effect.absolute),
        "relative": _interval(found.effect.relative),
        "pValue": found.effect.p_value,
        "varianceReduction": found.variance_reduction,
    }


def _below(p_value: float | None, alpha: float) -> bool | None:
    return None if p_value is None else p_value < alpha
