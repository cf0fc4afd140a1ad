"""Published runs: which run holds a day's numbers, and what it had seen."""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa

from tallymark.engine.base import Engine
from tallymark.engine.source import milliseconds, utc

#: Shelves of open days are numbered by ten minutes since 1970, those of closed days by month, `202611`.
_TEN_MINUTES = 600

#: Lower bits of a run's id; the higher ones are milliseconds since 1970.
_RANDOM_BITS = 20

#: Every shelf of an open day has a higher number than any month.
FIRST_OPEN_SHELF = 1_000_000

_EVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Run:
    """A published run of a project's day.

    `watermark`: everything inserted before it is in. `fingerprint`: of the events it read. `expires_from`: when the
    first of the day's raw events expires, after which the day is sealed. `created_at`: when the day was first
    published.
    """

    project: int
    day: date
    run: int
    shelf: int
    watermark: datetime
    events: int
    fingerprint: int
    expires_from: datetime
    timezone: str
    digest: str
    seconds: float
    created_at: datetime = _EVER
    published_at: datetime = _EVER

    @property
    def made_at(self) -> datetime:
        """When its events were read, in whole milliseconds."""
        return made_at(self.run)

    @property
    def provisional(self) -> bool:
        """Whether the day was still open: its rows stand on a shelf that is thrown away."""
        return self.shelf >= FIRST_OPEN_SHELF

    def sealed(self, now: datetime) -> bool:
        """Whether raw events of the day have begun to expire, so that it must not be computed again."""
        return self.events > 0 and self.expires_from <= now


_COLUMNS = ("project", "day", "run", "shelf", "watermark", "events", "fingerprint", "expires_from", "timezone",
            "digest", "seconds", "created_at", "published_at")  # fmt: skip


def published(
    engine: Engine,
    project: int | None = None,
    first: date = date(1970, 1, 1),
    last: date = date(2149, 6, 6),
    since: datetime = _EVER,
) -> list[Run]:
    """The published runs in order of project and day, all or those of a project, of a window, or since an instant."""
    owner = "" if project is None else "project = {project:UInt32} AND "
    sql = (
        f"SELECT {', '.join(_COLUMNS)} FROM runs FINAL WHERE {owner}day >= {{first:Date}} AND day <= {{last:Date}} "
        "AND published_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC') ORDER BY project, day"
    )
    params = {"project": project, "first": first, "last": last, "since": milliseconds(since)}
    return [_run(row) for row in engine.query(sql, params)]


def _run(row: Iterable[Any]) -> Run:
    values = dict(zip(_COLUMNS, row, strict=True))
    values["watermark"] = utc(values["watermark"])
    values["expires_from"] = utc(values["expires_from"])
    values["created_at"] = utc(values["created_at"])
    values["published_at"] = utc(values["published_at"])
    return Run(**values)


def publish(engine: Engine, runs: Sequence[Run]) -> None:
    """Makes runs their days' numbers: one insert, so there is no half."""
    table = pa.table(
        {
            "project": pa.array([run.project for run in runs], pa.uint32()),
            "day": pa.array([run.day for run in runs], pa.date32()),
            "run": pa.array([run.run for run in runs], pa.uint64()),
            "shelf": pa.array([run.shelf for run in runs], pa.uint32()),
            "watermark": pa.array([milliseconds(run.watermark) for run in runs], pa.timestamp("ms", "UTC")),
            "events": pa.array([run.events for run in runs], pa.uint64()),
            "fingerprint": pa.array([run.fingerprint for run in runs], pa.uint64()),
            "expires_from": pa.array([int(run.expires_from.timestamp()) for run in runs], pa.uint32()),
            "timezone": pa.array([run.timezone for run in runs]),
            "digest": pa.array([run.digest for run in runs]),
            "seconds": pa.array([run.seconds for run in runs], pa.float64()),
            "created_at": pa.array([milliseconds(run.created_at) for run in runs], pa.timestamp("ms", "UTC")),
        }
    )
    engine.insert("runs", table)


def new_run_id(now: datetime) -> int:
    """An id that no other run has: milliseconds since 1970, then 20 random bits."""
    return milliseconds(now) << _RANDOM_BITS | secrets.randbits(_RANDOM_BITS)


def made_at(run: int) -> datetime:
    """When a run read its events, in whole milliseconds."""
    return datetime.fromtimestamp((run >> _RANDOM_BITS) / 1000, UTC)


def open_shelf(now: datetime) -> int:
    """The partition that the rows of a run of an open day stand in."""
    return int(now.timestamp()) // _TEN_MINUTES


def month_shelf(day: date) -> int:
    """The partition that the rows of a closed day's run stand in."""
    return day.year * 100 + day.month
