"""What a day's numbers are made of: its events, and those before and after it that belong to its sessions.

A session begun on the day may end on the next one, and the day's first event may go on with a session begun the
day before. So a refresh reads the day, up to a day before it and a day after it, but of these only the events of
actors (and session ids) of the day that can touch it.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from tallymark.engine.base import Engine
from tallymark.engine.source import SILENCE_MS, SILENCE_WITH_ID_MS, events_between, instant, milliseconds, utc
from tallymark.spec.window import midnight

_IN_SESSIONS = "bot = '' AND (actor != 0 OR session != 0)"


@dataclass(frozen=True)
class Scope:
    """A project's day as parameters of the SQL here."""

    project: int
    day: date
    timezone: str

    @property
    def start(self) -> datetime:
        """When the day begins."""
        return midnight(self.day, self.timezone)

    @property
    def end(self) -> datetime:
        """When it has ended."""
        return midnight(self.day + timedelta(days=1), self.timezone)

    def params(self) -> dict[str, object]:
        """The bound parameters: the project and instants in epoch milliseconds."""
        start, end = milliseconds(self.start), milliseconds(self.end)
        return {
            "project": self.project,
            "day": self.day,
            "start": start,
            "end": end,
            "before": start - SILENCE_WITH_ID_MS,
            "before_silence": start - SILENCE_MS,
            "last_silence": end - SILENCE_MS,
            "after": milliseconds(midnight(self.day + timedelta(days=2), self.timezone)),
        }


def _keys(where: str) -> str:
    return f"(SELECT actor, session FROM {events_between()} WHERE {_IN_SESSIONS} AND {where})"


def session_events() -> str:
    """The events that decide the day's sessions, as a table expression; the day's bots are left out."""
    before = (
        f"occurred_at < {instant('start')} AND (session != 0 OR occurred_at >= {instant('before_silence')}) "
        f"AND (actor, session) IN {_keys('1')}"
    )
    going_on = f"(session != 0 OR occurred_at >= {instant('last_silence')})"
    after = f"occurred_at >= {instant('end')} AND (actor, session) IN {_keys(going_on)}"
    day = f"occurred_at >= {instant('start')} AND occurred_at < {instant('end')}"
    return (
        f"(SELECT * FROM {events_between('before', 'after')} WHERE {_IN_SESSIONS} "
        f"AND (({day}) OR ({before}) OR ({after})))"
    )


@dataclass(frozen=True)
class Sight:
    """What a day's scope holds right now.

    `fingerprint` changes when any event in the scope comes or goes; `events` are the day's own;
    `expires_from` is when the first of them expires (far away without any); `seen_at` is the engine's clock.
    """

    events: int
    fingerprint: int
    expires_from: datetime
    seen_at: datetime


_FAR = datetime(2100, 1, 1)


def look(engine: Engine, scope: Scope) -> Sight:
    """What the scope holds right now."""
    identity = "cityHash64(event_id, actor, event, occurred_at)"
    (row,) = engine.query(
        f"SELECT d.n, d.h + s.h, d.e, now64(3, 'UTC') FROM "
        f"(SELECT count() AS n, sum({identity}) AS h, min(expires_at) AS e FROM {events_between()}) AS d "
        f"CROSS JOIN (SELECT sum(intDiv({identity}, 2)) AS h FROM {session_events()} "
        f"WHERE occurred_at < {instant('start')} OR occurred_at >= {instant('end')}) AS s",
        scope.params(),
    )
    n, fingerprint, expires, seen = row
    return Sight(n, fingerprint, utc(expires if n else _FAR), utc(seen))
