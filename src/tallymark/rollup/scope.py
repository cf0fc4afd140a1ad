"""What days' numbers are made of: their events, and those before and after that belong to their sessions.

A session begun on a day may end on the next one, and a day's first event may go on with a session begun the day
before. So a refresh reads the days, up to a day before them and a day after them, but of these only the events of
actors (and session ids) of the days that can touch them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from tallymark.engine.base import Engine
from tallymark.engine.expression import literal
from tallymark.engine.source import events_between, instant, milliseconds, utc
from tallymark.spec.session import PASSIVE_EVENTS, SILENCE_MS, SILENCE_WITH_ID_MS
from tallymark.spec.window import midnight

IN_SESSIONS = f"bot = '' AND (actor != 0 OR session != 0) AND event NOT IN ({', '.join(map(literal, PASSIVE_EVENTS))})"


#: Nothing is on its way into the engine for longer than this, beyond what is set.
_SLACK_SECONDS = 60

_FAR = datetime(2100, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Scope:
    """A project's days `first` to `last`, both included, as parameters of the SQL here.

    Only what was inserted before `seen_at` is seen, so that all statements over a scope see the same events.
    """

    project: int
    first: date
    last: date
    timezone: str
    seen_at: datetime = _FAR

    @property
    def days(self) -> Sequence[date]:
        """Every day, in order."""
        return [self.first + timedelta(days=offset) for offset in range((self.last - self.first).days + 1)]

    def params(self) -> dict[str, object]:
        """The bound parameters: instants in epoch milliseconds, the days' `starts` in seconds.

        `limits` are the ends of the days after each: no session of the day goes on beyond it.
        """
        midnights = [midnight(self.first + timedelta(days=i), self.timezone) for i in range(len(self.days) + 2)]
        bounds = [milliseconds(moment) for moment in midnights]
        start, end, after = bounds[0], bounds[-2], bounds[-1]
        return {
            "project": self.project,
            "first": self.first,
            "days": self.days,
            "starts": [bound // 1000 for bound in bounds[:-2]],
            "limits": bounds[2:],
            "start": start,
            "end": end,
            "before": start - SILENCE_WITH_ID_MS,
            "before_silence": start - SILENCE_MS,
            "last_silence": end - SILENCE_MS,
            "after": after,
            "seen": milliseconds(self.seen_at),
        }


def day_of(moment: str) -> str:
    """The day of the scope that an instant of it lies in."""
    return f"{{days:Array(Date)}}[{_place_of(f'toInt64(toUnixTimestamp({moment}))')}]"


def limit_of(milliseconds: str) -> str:
    """The end of the day after the one that a time of the scope lies in; both in epoch milliseconds."""
    return f"{{limits:Array(Int64)}}[{_place_of(f'intDiv({milliseconds}, 1000)')}]"


def _place_of(second: str) -> str:
    starts = "{starts:Array(Int64)}"
    return f"indexOf({starts}, roundDown({second}, {starts}))"


def seen_events(start: str = "start", end: str = "end") -> str:
    """The events of the scope, as a table expression."""
    return events_between(start, end, inserted_before="seen")


def _keys(where: str) -> str:
    return f"(SELECT actor, session FROM {seen_events()} WHERE {IN_SESSIONS} AND {where})"


def session_events() -> str:
    """The events that decide the days' sessions, as a table expression; bots are left out."""
    before = (
        f"occurred_at < {instant('start')} AND (session != 0 OR occurred_at >= {instant('before_silence')}) "
        f"AND (actor, session) IN {_keys('1')}"
    )
    going_on = f"(session != 0 OR occurred_at >= {instant('last_silence')})"
    after = f"occurred_at >= {instant('end')} AND (actor, session) IN {_keys(going_on)}"
    within = f"occurred_at >= {instant('start')} AND occurred_at < {instant('end')}"
    return (
        f"(SELECT * FROM {seen_events('before', 'after')} WHERE {IN_SESSIONS} "
        f"AND (({within}) OR ({before}) OR ({after})))"
    )


@dataclass(frozen=True)
class Sight:
    """What a day's scope held at `seen_at`, by the engine's clock.

    `fingerprint` changes when any event in the scope comes or goes; `events` are the day's own;
    `expires_from` is when the first of them expires (far away without any).
    """

    events: int
    fingerprint: int
    expires_from: datetime
    seen_at: datetime


def look(engine: Engine, project: int, day: date, timezone: str, seen_at: datetime) -> Sight:
    """What a day's scope held at an instant."""
    identity = "cityHash64(event_id, actor, event, occurred_at, precedence)"
    (row,) = engine.query(
        "SELECT d.n, d.h + s.h, d.e FROM "
        f"(SELECT count() AS n, sum({identity}) AS h, min(expires_at) AS e FROM {seen_events()}) AS d "
        f"CROSS JOIN (SELECT sum(intDiv({identity}, 2)) AS h FROM {session_events()} "
        f"WHERE occurred_at < {instant('start')} OR occurred_at >= {instant('end')}) AS s",
        Scope(project, day, day, timezone, seen_at).params(),
    )
    n, fingerprint, expires = row
    return Sight(n, fingerprint, utc(expires if n else _FAR), seen_at)


def latecomers(engine: Engine, scope: Scope, settle: int) -> int:
    """How many rows of a scope were inserted lately; while that stays the same, the scope holds the same events.

    A row is inserted a little before it can be seen: one that was on its way at `seen_at` turns up afterwards.
    """
    ((count,),) = engine.query(
        "SELECT count() FROM events WHERE project = {project:UInt32} "
        f"AND occurred_at >= {instant('before')} AND occurred_at < {instant('after')} "
        f"AND inserted_at >= {instant('lately')} AND inserted_at < {instant('seen')}",
        {**scope.params(), "lately": milliseconds(scope.seen_at - timedelta(seconds=settle + _SLACK_SECONDS))},
    )
    return int(count)
