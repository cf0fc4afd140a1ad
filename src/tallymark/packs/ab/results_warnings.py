"""What must be known of an experiment's results before they are believed."""

from collections.abc import Iterator, Set
from datetime import datetime, timedelta
from typing import Final

from tallymark.experiment.report import MetricReport, Report
from tallymark.experiment.sequential import FEWEST_UNITS
from tallymark.experiment.span import Span
from tallymark.packs.ab.results_course import Course
from tallymark.packs.ab.results_shape import ToldSeveral, ToldWarning
from tallymark.spec.project import Project, retention_text

_CHOSEN: Final = (
    "Units did not meet the variants as the weights say: something chooses who is seen. Find out what before any other "
    "number is believed."
)
_MIXED: Final = (
    "Units did not meet the variants as the present weights say, and the weights were changed: that may be all there "
    "is to it. Effects over the whole time may be biased where units of different times differ (Simpson's paradox): "
    "look at the days since the change alone, with `from`."
)


def warnings_of(
    report: Report, project: Project, span: Span, several: ToldSeveral, course: Set[Course], now: datetime
) -> list[ToldWarning]:
    """Every warning that applies, the worst first."""
    experiment, exposed = report.experiment, report.units.exposed
    kept_from = now - timedelta(hours=project.retention_hours)
    first_needed = min(span.since, span.start - timedelta(days=experiment.pre_days))
    weights_changed, spreadless = "weights_changed" in course, ", ".join(_without_spread(report))
    said = (
        (
            report.srm.alert,
            "sample_ratio_mismatch",
            _MIXED if weights_changed else _CHOSEN,
        ),
        (
            several["warning"],
            "multiple_variants",
            f"{several['units']} units ({several['share']:.1%}) met several variants and are left out.",
        ),
        (
            weights_changed,
            "weights_changed",
            "Weights were changed while the experiment ran: the check of the ratio compares with the present ones, and "
            "effects over the whole time may be biased (Simpson's paradox).",
        ),
        (
            "interrupted" in course,
            "interrupted",
            "The experiment was stopped or killed for a time and went on: what units did in between, when everybody "
            "got control, counts for their variants.",
        ),
        (
            first_needed < kept_from,
            "events_expired",
            f"Raw events are kept for {retention_text(project.retention_hours)}: some that count may be gone.",
        ),
        (
            bool(spreadless),
            "no_spread",
            f"Units of a variant are all alike in {spreadless}: variants differ, and no test can say how surely.",
        ),
        (experiment.status == "draft", "not_started", "The experiment has not been started."),
        (experiment.killed, "killed", "The experiment is killed: everybody gets control."),
        (not sum(exposed.values()), "no_units", "No unit was exposed in this window."),
        (
            sum(exposed.values()) > 0 and min(exposed.values()) < FEWEST_UNITS,
            "few_units",
            f"A variant has fewer than {FEWEST_UNITS} units: intervals are for large samples, and sequential ones are "
            "not told.",
        ),
    )
    return [{"code": code, "message": message} for applies, code, message in said if applies]


def _without_spread(report: Report) -> Iterator[str]:
    """The names of metrics whose variants differ without any spread that a test could compare that with."""
    return (each.metric.name for each in report.metrics if _differs_without_spread(each))


def _differs_without_spread(each: MetricReport) -> bool:
    control = next(shown.estimate for shown in each.shown if shown.comparison is None)
    return any(
        shown.comparison is not None
        and shown.comparison.effect.p_value is None
        and control.variance == shown.estimate.variance == 0
        and control.value != shown.estimate.value
        for shown in each.shown
    )
