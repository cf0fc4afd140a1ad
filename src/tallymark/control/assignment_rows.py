"""The rows of `assignments`, read and written within a transaction. Units are unsigned here and signed in the table."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice
from typing import Final, NamedTuple, TypeVar, cast

from sqlalchemy import Table, bindparam, delete, insert, select, text, update
from sqlalchemy.orm import Session

from tallymark.control.experiment_models import AssignmentRow, ExperimentRow

_T = TypeVar("_T")


class Held(NamedTuple):
    """The variant that a unit has, since when, and when it first met it; instants are epoch milliseconds."""

    variant: str
    assigned_at: int
    exposed_at: int | None


class Key(NamedTuple):
    """Whose assignment to what."""

    project_id: int
    unit: int
    experiment_id: int


class Exposure(NamedTuple):
    """That a unit has met a variant of the experiment with the key `experiment`."""

    key: Key
    experiment: str
    variant: str
    at_ms: int


_TABLE: Final = cast(Table, AssignmentRow.__table__)
_ROWS: Final = _TABLE.c
_MOST_VALUES: Final = 10_000

_OF_UNITS: Final = select(_ROWS.unit, _ROWS.experiment_id, _ROWS.variant, _ROWS.assigned_at, _ROWS.exposed_at).where(
    _ROWS.project_id == bindparam("project"), _ROWS.unit.in_(bindparam("units", expanding=True))
)

_ONE: Final = (
    (_ROWS.project_id == bindparam("project"))
    & (_ROWS.unit == bindparam("signed"))
    & (_ROWS.experiment_id == bindparam("experiment"))
)
_EXPOSE: Final = update(_TABLE).where(_ONE).values(exposed_at=bindparam("at"))
_REPORT: Final = update(_TABLE).where(_ONE & (_ROWS.variant == bindparam("met"))).values(reported=True)

#: The condition is the partial index's, word for word.
_UNREPORTED: Final = (
    select(_ROWS.project_id, _ROWS.unit, _ROWS.experiment_id, ExperimentRow.key, _ROWS.variant, _ROWS.exposed_at)
    .join_from(_TABLE, ExperimentRow, _ROWS.experiment_id == ExperimentRow.id)
    .where(text("assignments.exposed_at IS NOT NULL AND NOT assignments.reported"))
    .order_by(_ROWS.exposed_at)
)


def held_of(session: Session, project_id: int, units: Collection[int]) -> dict[int, dict[int, Held]]:
    """What each of these units has, by experiment; every unit is there."""
    found: dict[int, dict[int, Held]] = {unit: {} for unit in units}
    for some in _parts(map(_signed, units)):
        for signed, experiment, *held in session.execute(_OF_UNITS, {"project": project_id, "units": some}):
            found[_unsigned(signed)][experiment] = Held(*held)
    return found


def add(session: Session, rows: Iterable[tuple[Key, Held]]) -> None:
    """Stores assignments that are not there yet."""
    values = [
        {
            "project_id": key.project_id, "unit": _signed(key.unit), "experiment_id": key.experiment_id,
            **held._asdict(), "reported": False,
        }
        for key, held in rows
    ]  # fmt: skip
    if values:
        session.connection().execute(insert(_TABLE), values)


def expose(session: Session, rows: Iterable[tuple[Key, int]]) -> None:
    """Sets when units first met their variants."""
    values = [{**_bound(key), "at": at} for key, at in rows]
    if values:
        session.connection().execute(_EXPOSE, values)


def report(session: Session, exposures: Iterable[tuple[Key, str]]) -> None:
    """Notes that the events of exposures are in the engine; of one to another variant than is stored, nothing."""
    values = [{**_bound(key), "met": variant} for key, variant in exposures]
    if values:
        session.connection().execute(_REPORT, values)


def unreported(session: Session, limit: int) -> list[Exposure]:
    """Exposures whose events are not known to be in the engine, oldest first."""
    return [
        Exposure(Key(project, _unsigned(signed), experiment), key, variant, at)
        for project, signed, experiment, key, variant, at in session.execute(_UNREPORTED.limit(limit))
    ]


def remove(session: Session, project_id: int, units: Collection[int]) -> int:
    """Deletes the assignments of units; gives how many."""
    gone = 0
    for some in _parts(map(_signed, units)):
        theirs = delete(_TABLE).where(_ROWS.project_id == project_id, _ROWS.unit.in_(some))
        gone += len(session.execute(theirs.returning(_ROWS.unit)).all())
    return gone


def remove_project(session: Session, project_id: int) -> None:
    """Deletes all assignments of a project."""
    session.execute(delete(_TABLE).where(_ROWS.project_id == project_id))


def by_project(keys: Iterable[tuple[int, int]]) -> dict[int, set[int]]:
    """Units by their project."""
    units: defaultdict[int, set[int]] = defaultdict(set)
    for project_id, unit in keys:
        units[project_id].add(unit)
    return units


def _bound(key: Key) -> dict[str, int]:
    return {"project": key.project_id, "signed": _signed(key.unit), "experiment": key.experiment_id}


def _signed(unit: int) -> int:
    return unit - (1 << 64) if unit >> 63 else unit


def _unsigned(signed: int) -> int:
    return signed + (1 << 64) if signed < 0 else signed


def _parts(values: Iterable[_T]) -> Iterator[Sequence[_T]]:
    """The values in parts that fit one statement."""
    rest = iter(values)
    while part := list(islice(rest, _MOST_VALUES)):
        yield part
