"""An export: which rows of a project, of which days, in which file format."""

from collections.abc import Mapping
from dataclasses import dataclass, field
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

    Of rollups `metrics` and `by` restrict what is given, `filter` is of events and metrics. `table`: of events, those
    that the pack's table of this name shows, with its columns. `scope`: by table of the engine the SQL condition
    outside of which the export shows nothing; whoever takes the order makes it, and nobody who gives one.
    """

    what: What
    format: Format
    window: Window
    metrics: tuple[str, ...] = ()
    by: str | None = None
    filter: Filter = EVERYTHING
    table: str = ""
    scope: Mapping[str, str] = field(default_factory=dict, hash=False)
