"""What an experiment shows: every metric in every variant, compared with control in every way there is.

Statistics take summaries: this joins `units`, which measures in the engine, with the modules that compute on what it
measured. Numbers of a metric never depend on which others are shown: corrections are over all of the experiment's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tallymark.experiment.bayes import Bayes, bayes_of_difference, bayes_of_shares
from tallymark.experiment.corrections import adjusted
from tallymark.experiment.effects import Cuped, Effect, Estimate, cuped, did, effect, estimate, harm
from tallymark.experiment.power import Power, power
from tallymark.experiment.ranks import Ranked, p_values
from tallymark.experiment.sample import SHARES, Sample
from tallymark.experiment.sequential import Sequential, sequential
from tallymark.experiment.srm import Srm, srm
from tallymark.experiment.units import Measured, Units
from tallymark.spec.experiment import Experiment, ExperimentMetric


@dataclass(frozen=True)
class Comparison:
    """How a variant compares with control in a metric; `harm` is the one-sided p-value of having got worse.

    `adjusted` is the p-value corrected for the experiment's other comparisons; guardrails have none, since a
    correction would make harm harder to see.
    """

    effect: Effect
    sequential: Sequential
    bayes: Bayes
    power: Power
    cuped: Cuped | None
    harm: float | None
    adjusted: float | None = None


@dataclass(frozen=True)
class Shown:
    """A metric in a variant; control has no comparison."""

    variant: str
    estimate: Estimate
    unfinished: int
    comparison: Comparison | None


@dataclass(frozen=True)
class MetricReport:
    """A metric in every variant, control first."""

    metric: ExperimentMetric
    shown: Sequence[Shown]


@dataclass(frozen=True)
class Report:
    """Everything that is shown of an experiment."""

    experiment: Experiment
    units: Units
    srm: Srm
    metrics: Sequence[MetricReport]


def report(experiment: Experiment, units: Units, planned: float) -> Report:
    """The report on an experiment's units; `planned` is the effect that power is told of, in parts of control."""
    metrics = [_metric(experiment, metric, units.measured[metric.name], planned) for metric in experiment.metrics]
    return Report(experiment, units, srm(experiment.variants, units.exposed), _corrected(experiment, metrics))


def _metric(
    experiment: Experiment, metric: ExperimentMetric, measured: Mapping[str, Measured], planned: float
) -> MetricReport:
    samples = {variant.key: _sample(metric, measured[variant.key]) for variant in experiment.variants}
    control = experiment.control.key
    shown = [
        Shown(
            key,
            estimate(sample, metric.kind),
            measured[key].unfinished,
            None if key == control else _comparison(experiment, metric, measured, samples, key, planned),
        )
        for key, sample in samples.items()
    ]
    return MetricReport(metric, shown)


def _sample(metric: ExperimentMetric, measured: Measured) -> Sample:
    return measured.of.sample(metric.level) if isinstance(measured.of, Ranked) else measured.of.sample()


def _comparison(
    experiment: Experiment, metric: ExperimentMetric, measured: Mapping[str, Measured], samples: Mapping[str, Sample],
    key: str, planned: float,
) -> Comparison:  # fmt: skip
    kind, alpha = metric.kind, experiment.alpha
    control, treated = samples[experiment.control.key], samples[key]
    one, other = estimate(control, kind), estimate(treated, kind)
    found = _effect(metric, measured[experiment.control.key], measured[key], alpha)
    return Comparison(
        effect=found,
        sequential=sequential(one, other, alpha),
        bayes=_bayes(metric, control, treated),
        power=power(one, other, planned, alpha),
        cuped=cuped(control, treated, kind, alpha) if experiment.pre_days else None,
        harm=harm(found, metric.direction),
    )


def _effect(metric: ExperimentMetric, control: Measured, treated: Measured, alpha: float) -> Effect:
    found = effect(_sample(metric, control), _sample(metric, treated), metric.kind, alpha)
    if isinstance(control.of, Ranked) and isinstance(treated.of, Ranked):
        return replace(found, p_values=p_values(control.of, treated.of))
    return found


def _bayes(metric: ExperimentMetric, control: Sample, treated: Sample) -> Bayes:
    if metric.kind not in SHARES:
        return bayes_of_difference(estimate(control, metric.kind), estimate(treated, metric.kind), metric.direction)
    return bayes_of_shares(did(control), did(treated), metric.direction)


def _corrected(experiment: Experiment, metrics: Sequence[MetricReport]) -> list[MetricReport]:
    """The metrics with p-values that are adjusted for each other."""
    family = [shown.comparison for each in metrics if not each.metric.guardrail for shown in each.shown]
    p_values = [None if comparison is None else comparison.effect.p_value for comparison in family]
    found = iter(adjusted(p_values, experiment.correction))
    return [
        each if each.metric.guardrail else replace(each, shown=[_adjusted(shown, next(found)) for shown in each.shown])
        for each in metrics
    ]


def _adjusted(shown: Shown, p_value: float | None) -> Shown:
    if shown.comparison is None:
        return shown
    return replace(shown, comparison=replace(shown.comparison, adjusted=p_value))
