"""Published runs: which run holds a day's numbers, and what it had seen."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from tallymark.engine.base import Engine
from tallymark.engine.source import milliseconds, utc

#: Shelves of open days are numbered by ten minutes since 1970, those of closed days by month, `202611`.
_TEN_MINUTES = 600

#: Every shelf of an open day has a higher number than any month.
FIRST_OPEN_SHELF = 1_000_000


@dataclass(frozen=True)
class Run:
    """A published run of a project's day.

    `watermark`: everything inserted before it is in. `fingerprint`: of the events it read. `expires_from`: when the
    first of the day's raw events expires, after which the day is sealed.
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
    published_at: datetime = datetime(1970, 1, 1, tzinfo=UTC)

    @property
    def provisional(self) -> bool:
        """Whether the day was still open: its rows stand on a shelf that is thrown away."""
        return self.shelf >= FIRST_OPEN_SHELF

    def sealed(self, now: datetime) -> bool:
        """Whether raw events of the day have begun to expire, so that it must not be computed again."""
        return self.events > 0 and self.expires_from <= now


_COLUMNS = ("project", "day", "run", "shelf", "watermark", "events", "fingerprint", "expires_from", "timezone",
            "digest", "seconds", "published_at")  # fmt: skip


def published(
    engine: Engine, project: int | None = None, day: date | None = None, since: datetime | None = None
) -> list[Run]:
    """The published runs, of one project or day or since an instant where given, in order of project and day."""
    where = [
        *(["project = {project:UInt32}"] if project is not None else []),
        *(["day = {day:Date}"] if day is not None else []),
        *(["published_at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')"] if since is not None else []),
    ]
    sql = f"SELECT {', '.join(_COLUMNS)} FROM runs FINAL WHERE {' AND '.join(where) or '1'} ORDER BY project, day"
    after = milliseconds(since) if since is not None else None
    return [_run(row) for row in engine.query(sql, {"project": project, "day": day, "since": after})]


def _run(row: Iterable[Any]) -> Run:
    values = dict(zip(_COLUMNS, row, strict=True))
    values["watermark"] = utc(values["watermark"])
    values["expires_from"] = utc(values["expires_from"])
    values["published_at"] = utc(values["published_at"])
    return Run(**values)


def publish(engine: Engine, run: Run) -> None:
    """Makes a run the day's numbers: one row, so there is no half."""
    engine.command(
        "INSERT INTO runs (project, day, run, shelf, watermark, events, fingerprint, expires_from, timezone, digest, "
        "seconds) SELECT {project:UInt32}, {day:Date}, {run:UInt64}, {shelf:UInt32}, "
        "fromUnixTimestamp64Milli({watermark:Int64}, 'UTC'), {events:UInt64}, {fingerprint:UInt64}, "
        "fromUnixTimestamp({expires_from:Int64}), {timezone:String}, {digest:String}, {seconds:Float64}",
        {
            **{name: getattr(run, name) for name in _COLUMNS if name != "published_at"},
            "watermark": milliseconds(run.watermark),
            "expires_from": int(run.expires_from.timestamp()),
        },
    )


def new_run_id(now: datetime) -> int:
    """An id that no other run has: milliseconds since 1970, then 20 random bits."""
    return int(now.timestamp() * 1000) << 20 | secrets.randbits(20)


def shelf_of(day: date, open_day: bool, now: datetime) -> int:
    """The partition a run's rows stand in."""
    return int(now.timestamp()) // _TEN_MINUTES if open_day else day.year * 100 + day.month
