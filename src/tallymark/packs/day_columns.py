"""The view `daily_metric_rollups`: a row for each published day of a project, to which packs add columns.

A pack's columns are made of its declared measures. They are 0 for projects without the pack.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tallymark.engine.aggregate import BITMAP
from tallymark.engine.expression import array, literal
from tallymark.spec.measure import Kind, Measure
from tallymark.spec.summary import SCALE

NAME: Final = "daily_metric_rollups"

#: When the day's run read its events, when the first one of the day did, and the former once more.
STAMPS: Final = ("generated_at", "created_at", "updated_at")

#: One project, `name`, and its days `first` to `last`, as parameters.
ONE_PROJECT: Final = "(SELECT {project:UInt32} AS project, {name:String} AS name)"
ONE_WINDOW: Final = "project = {project:UInt32} AND day >= {first:Date} AND day <= {last:Date}"

#: Every day.
ALWAYS: Final = "1"


@dataclass(frozen=True)
class DayColumns:
    """What a pack adds. `aggregates` are over a day's rollups of these measures, by these dimensions and in total.

    `columns`: what each is, in terms of the aggregates, by name and in order.
    """

    pack: str
    measures: frozenset[Measure]
    aggregates: Sequence[str]
    columns: Mapping[str, str]
    dimensions: frozenset[str] = frozenset()


def with_packs(names: Collection[str]) -> str:
    """The projects with any of these packs, as a table of `project` and `name`."""
    return f"(SELECT project, name FROM projects FINAL WHERE hasAny(packs, {array(sorted(names))}))"


def days_of(projects: str, where: str, parts: Sequence[DayColumns]) -> str:
    """The published days of projects as rows: `property_id` and `project`, which are its name, `day`, the columns."""
    columns = ", ".join(f"{sql} AS {name}" for part in parts for name, sql in part.columns.items())
    return (
        f"SELECT {identity(NAME)} AS id, p.name AS property_id, p.name AS project, r.day AS day, {columns}, "
        "r.made AS generated_at, r.created AS created_at, r.made AS updated_at "
        f"FROM {runs(where)} AS r INNER JOIN {projects} AS p ON p.project = r.project "
        f"LEFT JOIN {aggregated(where, parts)} AS d ON d.project = r.project AND d.day = r.day"
    )


def every_day(parts: Sequence[DayColumns]) -> str:
    """The view: the days of every project with a pack that has columns."""
    return days_of(with_packs([part.pack for part in parts]), ALWAYS, parts)


def runs(where: str) -> str:
    """The published days, when their run read its events and when the first one of the day did."""
    made = "fromUnixTimestamp64Milli(toInt64(bitShiftRight(run, 20)), 'UTC')"
    return f"(SELECT project, day, {made} AS made, created_at AS created FROM runs FINAL WHERE {where})"


def aggregated(where: str, parts: Sequence[DayColumns]) -> str:
    """Aggregates of the published days' rollups."""
    keys = ", ".join(sorted({literal(measure.key) for part in parts for measure in part.measures}))
    dims = ", ".join(map(literal, sorted({"", *(dim for part in parts for dim in part.dimensions)})))
    sums = ", ".join(sql for part in parts for sql in part.aggregates)
    return (
        f"(SELECT project, day, {sums} FROM rollups WHERE {where} AND dim IN ({dims}) AND measure IN ({keys}) "
        f"AND (project, day, run) IN (SELECT project, day, run FROM runs FINAL WHERE {where}) GROUP BY project, day)"
    )


def is_of(measure: Measure, dim: str = "") -> str:
    """The condition for rollups of a measure, by a dimension or in total."""
    return f"dim = {literal(dim)} AND measure = {literal(measure.key)}"


def total_of(measure: Measure) -> str:
    """A measure's count, whole sum or number of actors."""
    if measure.kind is Kind.ACTORS:
        return f"groupBitmapMergeIf(actors, {is_of(measure)})"
    if measure.kind is Kind.SUM:
        return f"toUInt64(intDiv(sumIf(total, {is_of(measure)}), {SCALE}))"
    return f"sumIf(n, {is_of(measure)})"


def number_of(measure: Measure) -> str:
    """A sum with its decimals."""
    return f"toFloat64(toString(toDecimal256(sumIf(total, {is_of(measure)}), 9) / {SCALE}))"


def bitmap_of(measure: Measure) -> str:
    """A measure's actors."""
    return f"CAST(groupBitmapMergeStateIf(actors, {is_of(measure)}), '{BITMAP}')"


def identity(view: str) -> str:
    """An identity that a day of a project keeps, also when it is renamed: RFC 9562's version 8, of an MD5."""
    text = f"lower(hex(MD5(concat({literal(view + ' ')}, toString(r.project), ' ', toString(r.day)))))"
    return f"toUUID(concat(substring({text} AS h, 1, 12), '8', substring(h, 14, 3), '8', substring(h, 18)))"
