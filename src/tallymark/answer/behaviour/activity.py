"""Which events make an actor active, and where that is read from: rollups' bitmaps, or raw events."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cached_property
from typing import Final

from tallymark.answer.cells import dimension_condition
from tallymark.answer.from_rollups import PUBLISHED, overflows, rows_of
from tallymark.answer.plan import Origin
from tallymark.engine.base import Engine, Params
from tallymark.engine.expression import condition_sql
from tallymark.engine.source import events_between
from tallymark.errors import BadQuery
from tallymark.spec.catalog import Catalog
from tallymark.spec.condition import ALWAYS, Column, Comparison, Condition, Op, human
from tallymark.spec.measure import FIRSTS, Rows, actors
from tallymark.spec.periods import Periods
from tallymark.spec.project import Project
from tallymark.spec.query import EVERYTHING, Clause, Filter
from tallymark.spec.window import Window

#: What rollups hold of active actors, in total and by every dimension: everybody but known bots.
_PEOPLE: Final = actors(human())

#: The place, counted from 1, of the period that a day or an instant lies in.
PLACE_OF_DAY: Final = "indexOf({numbers:Array(Int64)}, roundDown(toInt64(toUInt16(day)), {numbers:Array(Int64)}))"


def place_of(moment: str) -> str:
    """The place, counted from 1, of the period that an instant lies in; none of them may begin after it."""
    return f"indexOf({{starts:Array(Int64)}}, roundDown({_second(moment)}, {{starts:Array(Int64)}}))"


def day_of(moment: str) -> str:
    """The first second of the day that an instant of the periods lies in."""
    return f"roundDown({_second(moment)}, {{day_starts:Array(Int64)}})"


def _second(moment: str) -> str:
    return f"toInt64(toUnixTimestamp({moment}))"


@dataclass(frozen=True)
class Activity:
    """Events of people that fit `event`, if it is given, and pass the filter."""

    event: Condition | None = None
    filter: Filter = EVERYTHING

    @cached_property
    def why_raw(self) -> str:
        """Why rollups can't tell who is active; '' where they can."""
        if self.event is not None and self._names is None:
            return "rollups hold events by name"
        return "rollups hold one dimension at a time" if len(self.dims) > 1 else ""

    @property
    def dims(self) -> set[str]:
        """The dimensions whose keys decide."""
        return {clause.dimension for clause in self._keys.clauses}

    def rolled_up(self) -> str:
        """The condition for rows of rollups whose bitmaps hold the actors."""
        return rows_of([_PEOPLE], next(iter(self.dims), ""), self._keys)

    def events(self, catalog: Catalog, start: str = "start", end: str = "end") -> str:
        """The events in a span, as a table expression."""
        return f"(SELECT * FROM {events_between(start, end)} WHERE {self._condition(catalog)})"

    def _condition(self, catalog: Catalog) -> str:
        wanted = human() & (self.event or ALWAYS) & dimension_condition(self.filter, catalog.dimensions, Rows.EVENTS)
        return f"{condition_sql(wanted)} AND actor != 0"

    @property
    def _names(self) -> tuple[str, ...] | None:
        """The names that the event must have, if that is all that is said of it."""
        said = self.event
        return (
            said.values if isinstance(said, Comparison) and said.field == Column("event") and said.op is Op.IS else None
        )

    @property
    def _keys(self) -> Filter:
        named = ((Clause("event", Op.IS, self._names),),) if self._names is not None else ()
        return replace(self.filter, groups=(*self.filter.groups, *named))


def rolled_up_by(dim: str, filter: Filter) -> str:
    """The condition for rows of rollups whose bitmaps hold active actors by the keys of a dimension."""
    return rows_of([_PEOPLE], dim, filter)


def rolled_up_firsts() -> str:
    """The condition for rows of rollups whose bitmaps hold the actors first seen on the day."""
    return rows_of([FIRSTS], "")


def published(condition: str) -> str:
    """Rows of rollups of the periods' days, each with its `place`."""
    return f"(SELECT *, {PLACE_OF_DAY} AS place FROM rollups WHERE {PUBLISHED} AND ({condition}))"


@dataclass(frozen=True)
class Reading:
    """What an answer is read from, and why not from rollups."""

    origin: Origin
    why: str = ""

    @property
    def rolled_up(self) -> bool:
        """Whether it is of published rollups alone."""
        return self.origin is Origin.ROLLUPS

    def body(self) -> dict[str, str | None]:
        """As JSON."""
        return {"from": str(self.origin), "why": self.why or None}


@dataclass(frozen=True)
class Standing:
    """When an answer is told, and the days whose raw events it needed and which have lost any."""

    now: datetime
    lost: frozenset[date] = frozenset()

    def whole(self, periods: Periods, place: int) -> bool:
        """Whether a period is over, and everything that it is told from was there."""
        return periods.over(place, self.now) and not self.lost.intersection(periods.days(place))


def reading(
    engine: Engine, project: Project, window: Window, params: Params, dims: set[str], whys: list[str], exact: bool
) -> Reading:
    """Where a question is read from: rollups, unless there is a reason why they can't tell."""
    reasons = ["asked for"] if exact else []
    if window.timezone != project.timezone:
        reasons.append(f"rollups are of days in {project.timezone}")
    reasons += [why for why in whys if why]
    if not reasons and any(_overflowed(engine, dim, params) for dim in sorted(dims)):
        reasons.append("rollups keep the largest keys of a day")
    return Reading(Origin.RAW, reasons[0]) if reasons else Reading(Origin.ROLLUPS)


def _overflowed(engine: Engine, dim: str, params: Params) -> bool:
    ((rows,),) = engine.query(overflows(dim), params)
    return bool(rows)


def check_dimensions(catalog: Catalog, filter: Filter, by: str | None = None) -> None:
    """Raises `BadQuery` for a dimension that events don't have."""
    allowed = sorted(dimension.name for dimension in catalog.dimensions_on(Rows.EVENTS))
    asked = [(clause.dimension, "filter") for clause in filter.clauses] + ([(by, "by")] if by is not None else [])
    for name, field in asked:
        if name not in allowed:
            raise BadQuery(f"Events have no dimension {name[:80]!r}.", field=field, allowed=allowed)


def period_params(project: Project, periods: Periods, runs: list[int]) -> Params:
    """The parameters of statements over periods."""
    window = periods.window
    return {
        "project": project.id, "first": window.first, "last": window.last, "runs": runs,
        "start": periods.starts[0] * 1000, "end": int(window.end.timestamp() * 1000),
        "numbers": periods.numbers, "starts": periods.starts,
    }  # fmt: skip
