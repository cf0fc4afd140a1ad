"""Exchanges: a query and its outcome joined by id, whatever their order, soon after both are there.

A query without an outcome, or an outcome without a query, becomes an exchange of its own once nothing of it has come
for ten minutes; what comes later joins it all the same, and repairs its day.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from tallymark.api.services import Services
from tallymark.control.turns import deriving
from tallymark.engine.source import milliseconds, utc
from tallymark.errors import Conflict, Unavailable
from tallymark.packs.voice import exchange_sql as sql
from tallymark.packs.voice.contract import CONTRACT
from tallymark.packs.voice.names import OUTCOME, QUERY
from tallymark.spec.project import Project

_log = structlog.get_logger()

#: How long one waits for the other where nothing else is said.
PATIENCE: Final = timedelta(minutes=10)

#: Events that a look takes in at most, about.
_AT_ONCE: Final = 100_000

#: The cursor moves so often where nothing comes: that it does is a write to disk.
_MOVES: Final = timedelta(minutes=1)

_LEASE_SECONDS: Final = 60.0
_EVER: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class _Look:
    """What was inserted after `since` up to `until`, and what was `patience` before."""

    project: Project
    since: datetime
    until: datetime
    patience: timedelta

    def params(self) -> dict[str, object]:
        """The parameters of the statements, without the span of the events."""
        bounds = {
            "since": self.since,
            "until": self.until,
            "ripe_since": max(self.since - self.patience, _EVER),
            "ripe_until": max(self.until - self.patience, _EVER),
        }
        zone = {"project": self.project.id, "timezone": self.project.timezone}
        return {**zone, **{name: milliseconds(moment) for name, moment in bounds.items()}}


@dataclass(frozen=True)
class Exchanges:
    """Keeps the exchanges of projects true. May be called from any thread.

    One without the other waits for it for `patience`; `at_once` are the events that a look takes in, about.
    """

    here: Services
    patience: timedelta = PATIENCE
    at_once: int = _AT_ONCE
    _seen: dict[int, int] = field(default_factory=dict)

    def keep(self) -> int:
        """How many exchanges were written, of every project with the pack; one that fails holds up no other."""
        return sum(self.attempt(project) for project in self.projects())

    def attempt(self, project: Project) -> int:
        """As `join`; what goes wrong with this project alone is logged. Errors: `Conflict`, `Unavailable`."""
        try:
            return self.join(project)
        except (Conflict, Unavailable):
            raise
        except Exception:
            _log.exception("exchanges not joined", project=project.id)
            return 0

    def projects(self) -> Sequence[Project]:
        """The projects that have exchanges."""
        return [project for project in self.here.projects.list() if CONTRACT.pack in project.packs]

    def freshen(self, project: Project) -> None:
        """Joins what was written since the last look, for a reader."""
        if self._seen.get(project.id) != self.here.keeper.version(project):
            self.join(project)

    def join(self, project: Project) -> int:
        """How many exchanges of a project were written now; none while another process is at it."""
        written, done = 0, False
        with self.here.turns.alone(deriving(project.id), _LEASE_SECONDS) as mine:
            version = self.here.keeper.version(project)  # what comes while this is at it is for the next look
            while mine and not done and self._may_go_on(project):
                more, wrote = self._step(project)
                written, done = written + wrote, not more
            if written:
                self.here.keeper.touched([project.id])
            if done:
                self._seen[project.id] = version + bool(written)
        return written

    def _may_go_on(self, project: Project) -> bool:
        """Whether the server stays, and no other process took this over, which a long time at it may have let it."""
        return not self.here.keeper.stopping and self.here.turns.renew(deriving(project.id), _LEASE_SECONDS)

    def _step(self, project: Project) -> tuple[bool, int]:
        """Whether there is more to look at, and how many exchanges were written."""
        cursor, now = self.here.cursors.get(_name(project)) or _EVER, self._now()
        look = self._bounded(project, cursor, now)
        params = look.params()
        ((touched, first, last),) = self.here.engine.query(sql.touched(), params)
        if touched:
            reach = int(sql.REACH.total_seconds() * 1000)
            span = {"start": max(first - reach, 0), "end": last + reach}
            self.here.engine.command(sql.write_exchanges(), {**params, **span})
            self.here.engine.command(sql.void_exchanges(), {**params, **span})
        if touched or look.until > cursor + _MOVES:
            self.here.cursors.set(_name(project), look.until)
        return look.until < now, self._written(project, now) if touched else 0

    def _bounded(self, project: Project, cursor: datetime, now: datetime) -> _Look:
        """The next look: what may have become visible late is looked at again."""
        since = max(cursor - timedelta(seconds=self.here.settings.settle_seconds), _EVER)
        until = now
        for start, later in ((cursor, timedelta()), (max(cursor - self.patience, _EVER), self.patience)):
            params = {"project": project.id, "since": milliseconds(start), "n": self.at_once}
            for (at,) in self.here.engine.query(sql.nth_insertion(QUERY, OUTCOME), params):
                until = min(until, datetime.fromtimestamp(at / 1000, UTC) + later)
        return _Look(project, since, until, self.patience)

    def _written(self, project: Project, since: datetime) -> int:
        ((count,),) = self.here.engine.query(sql.written(), {"project": project.id, "since": milliseconds(since)})
        return int(count)

    def _now(self) -> datetime:
        ((now,),) = self.here.engine.query("SELECT now64(3, 'UTC')")
        return utc(now)


def _name(project: Project) -> str:
    """What the cursor of a project is called."""
    return f"exchanges:{project.id}"
