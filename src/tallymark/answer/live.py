"""Who is there now: what happened in the last minutes, from raw events; known bots are left out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from tallymark.engine.base import Engine
from tallymark.engine.expression import condition_sql
from tallymark.engine.source import events_between, instant, span
from tallymark.spec.condition import human

#: Actors and events are those of so many minutes, the course is of so many.
NOW: Final = 5
COURSE: Final = 30

_LATEST: Final = 10


@dataclass(frozen=True)
class Recent:
    """An event: its name, where, and when."""

    event: str
    path: str
    country: str
    occurred_at: datetime


@dataclass(frozen=True)
class Live:
    """Actors and events of the last `NOW` minutes, the latest, and events of each of `COURSE` minutes, oldest first."""

    actors: int
    events: int
    per_minute: tuple[int, ...]
    latest: tuple[Recent, ...]


def live(engine: Engine, project_id: int, now: datetime) -> Live:
    """What happens in a project now."""
    bound = {
        **span(project_id, now - timedelta(minutes=COURSE), now + timedelta(seconds=1)),
        **{"recent": int((now - timedelta(minutes=NOW)).timestamp() * 1000)},
    }
    rows = f"(SELECT * FROM {events_between()} WHERE {condition_sql(human())})"
    lately = f"occurred_at >= {instant('recent')}"
    ((actors, events),) = engine.query(
        f"SELECT uniqExactIf(actor, {lately} AND actor != 0), countIf({lately}) FROM {rows}", bound
    )
    minute = f"least(intDiv(dateDiff('millisecond', {instant('start')}, occurred_at), 60000), {COURSE - 1})"
    counted = engine.query(f"SELECT {minute} AS minute, count() FROM {rows} GROUP BY minute", bound)
    by_minute = {int(minute): int(n) for minute, n in counted}
    latest = engine.query(
        "SELECT event, path, country, toUnixTimestamp64Milli(occurred_at) "
        f"FROM {rows} ORDER BY occurred_at DESC, event_id LIMIT {_LATEST}",
        bound,
    )
    return Live(
        actors, events, tuple(by_minute.get(minute, 0) for minute in range(COURSE)), tuple(map(_recent, latest))
    )


def _recent(row: Sequence[object]) -> Recent:
    event, path, country, at = row
    return Recent(str(event), str(path), str(country), datetime.fromtimestamp(int(str(at)) / 1000, UTC))
