"""An export: which rows of a project, of which days, in which file format."""

from dataclasses import dataclass
from enum import StrEnum

from tallymark.spec.query import EVERYTHING, Filter
from tallymark.spec.window import Window


class Format(StrEnum):
    """The formats of files."""

    CSV = "csv"
    JSON = "json"
    JSONL = "jsonl"
    XLSX = "xlsx"
    PARQUET = "parquet"
    ARROW = "arrow"


class What(StrEnum):
    """What is exported: raw events, published rollups as they are stored, or metrics by bucket."""

    EVENTS = "events"
    ROLLUPS = "rollups"
    METRICS = "metrics"


@dataclass(frozen=True)
class Order:
    """What is asked for. `metrics` and `by` are of metrics, where rows are buckets of the window's grain by key.

    Of rollups `metrics` and `by` restrict what is given, `filter` is of events and metrics.
    """

    what: What
    format: Format
    window: Window
    metrics: tuple[str, ...] = ()
    by: str | None = None
    filter: Filter = EVERYTHING
