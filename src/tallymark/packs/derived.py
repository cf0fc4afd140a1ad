"""Events that are made of others, their parts, in whatever order these come, soon after they are there.

By the clock, and for a reader. What comes later changes what was made, and repairs its day.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import ClassVar, Final

import structlog

from tallymark.api.services import Services
from tallymark.control.turns import deriving
from tallymark.engine.source import milliseconds, utc
from tallymark.errors import Conflict, Unavailable
from tallymark.packs import derived_sql as sql
from tallymark.spec.project import Project

_log = structlog.get_logger()

#: Parts that a look takes in at most, about.
AT_ONCE: Final = 100_000

#: The cursor moves so often where nothing comes: that it does is a write to disk.
_MOVES: Final = timedelta(minutes=1)

_LEASE_SECONDS: Final = 60.0
_EVER: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Derivation:
    """What a pack makes of which events. `name` is its cursors', `event` what is made of `parts`.

    Parts of one happen within `reach` of each other. `write` and `void` are statements over what was touched between
    the parameters `start` and `end`; where parts may lie further apart, `around` gives how many such events there are,
    and when the first begins and the last ends.
    """

    pack: str
    name: str
    event: str
    parts: Sequence[str]
    reach: timedelta
    write: str
    void: str
    around: str | None = None


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
class Deriving:
    """Keeps the derived events of projects true: `what` these are. May be called from any thread.

    What waits for more of its parts is looked at again after `patience`; `at_once` are the parts that a look takes in,
    about.
    """

    what: ClassVar[Derivation]

    here: Services
    patience: timedelta
    at_once: int = AT_ONCE
    _seen: dict[int, int] = field(default_factory=dict)

    def keep(self) -> int:
        """How many were written, of every project with the pack; one that fails holds up no other."""
        return sum(self.attempt(project) for project in self.projects())

    def attempt(self, project: Project) -> int:
        """As `join`; what goes wrong with this project alone is logged. Errors: `Conflict`, `Unavailable`."""
        try:
            return self.join(project)
        except (Conflict, Unavailable):
            raise
        except Exception:
            _log.exception(f"{self.what.name} not joined", project=project.id)
            return 0

    def projects(self) -> Sequence[Project]:
        """The projects that have such events."""
        return [project for project in self.here.projects.list() if self.what.pack in project.packs]

    def freshen(self, project: Project) -> None:
        """Joins what was written since the last look, for a reader."""
        if self._seen.get(project.id) != self.here.keeper.version(project):
            self.join(project)

    def join(self, project: Project) -> int:
        """How many of a project were written now; none while another process is at it."""
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
        """Whether there is more to look at, and how many were written."""
        cursor, now = self.here.cursors.get(self._cursor(project)) or _EVER, self._now()
        look = self._bounded(project, cursor, now)
        params = look.params()
        ((touched, first, last),) = self.here.engine.query(sql.touched(self.what.parts), params)
        if touched:
            self._make(params, first, last)
        if touched or look.until > cursor + _MOVES:
            self.here.cursors.set(self._cursor(project), look.until)
        return look.until < now, self._written(project, now) if touched else 0

    def _make(self, params: Mapping[str, object], first: int, last: int) -> None:
        """Writes what is made of what was touched, which happened between two instants, and of what belongs to it."""
        reach = int(self.what.reach.total_seconds() * 1000)
        span, known = {"start": max(first - reach, 0), "end": last + reach}, True
        if self.what.around is not None:
            ((known, begin, end),) = self.here.engine.query(self.what.around, {**params, **span})
            span = {"start": min(first, begin), "end": max(last, end)} if known else {"start": first, "end": last}
        self.here.engine.command(self.what.write, {**params, **span})
        if known:  # what never stood anywhere stands nowhere wrongly
            self.here.engine.command(self.what.void, {**params, **span})

    def _bounded(self, project: Project, cursor: datetime, now: datetime) -> _Look:
        """The next look: what may have become visible late is looked at again."""
        since = max(cursor - timedelta(seconds=self.here.settings.settle_seconds), _EVER)
        until = now
        for start, later in ((cursor, timedelta()), (max(cursor - self.patience, _EVER), self.patience)):
            params = {"project": project.id, "since": milliseconds(start), "n": self.at_once}
            for (at,) in self.here.engine.query(sql.nth_insertion(self.what.parts), params):
                until = min(until, datetime.fromtimestamp(at / 1000, UTC) + later)
        return _Look(project, since, until, self.patience)

    def _written(self, project: Project, since: datetime) -> int:
        params = {"project": project.id, "since": milliseconds(since)}
        ((count,),) = self.here.engine.query(sql.written(self.what.event), params)
        return int(count)

    def _cursor(self, project: Project) -> str:
        return f"{self.what.name}:{project.id}"

    def _now(self) -> datetime:
        ((now,),) = self.here.engine.query("SELECT now64(3, 'UTC')")
        return utc(now)
