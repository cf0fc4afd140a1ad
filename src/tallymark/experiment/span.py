"""What of an experiment is looked at: from when on units count, and until when events do."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from tallymark.spec.experiment import Experiment
from tallymark.spec.window import midnight


@dataclass(frozen=True)
class Span:
    """Units first exposed from `start` on, and events before `end`.

    Exposures count from `since` on, which is not later than `start`: a unit that was exposed before `start` is not
    first exposed in the span.
    """

    since: datetime
    start: datetime
    end: datetime


def span_of(experiment: Experiment, timezone: str, first: date | None, last: date | None, now: datetime) -> Span:
    """The days `first` to `last`, as far as the experiment ran and they have passed.

    Without `first`: since it started, or was made if it never did. An experiment that has stopped ends there.
    """
    begun = experiment.started_at or experiment.created_at
    start = begun if first is None else midnight(first, timezone)
    asked = datetime.max.replace(tzinfo=UTC) if last is None else midnight(last + timedelta(days=1), timezone)
    end = min(now, asked, experiment.stopped_at or now)
    return Span(min(begun, start), start, max(start, end))
