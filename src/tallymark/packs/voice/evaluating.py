"""What is done every minute: new answers are drawn for judging, and what waits is judged."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from tallymark.api.services import Services
from tallymark.engine.source import utc
from tallymark.errors import Conflict, Unavailable
from tallymark.packs.voice.exchanges import Exchanges
from tallymark.packs.voice.judging import Judging, judges_of
from tallymark.packs.voice.sampling import Sampling
from tallymark.spec.evaluator import Evaluator, JudgeKind
from tallymark.spec.project import Project

_log = structlog.get_logger()

#: A run of every minute ends by itself after this.
_SECONDS: Final = 50.0

_LEASE_SECONDS: Final = 120.0
_EVER: Final = datetime(1970, 1, 1, tzinfo=UTC)

#: What is done with evaluations is remembered so long after it was done.
_KEPT: Final = timedelta(days=30)


@dataclass(frozen=True)
class Evaluating:
    """Keeps answers judged."""

    here: Services
    exchanges: Exchanges
    judging: Judging

    @classmethod
    def of(cls, here: Services) -> "Evaluating":
        """By the settings."""
        return cls(here, Exchanges(here), Judging(here, judges_of(here)))

    def every_minute(self) -> Counter[str]:
        """What became of evaluations."""
        return self.run(_SECONDS)

    def run(self, seconds: float, project: Project | None = None, most: int | None = None) -> Counter[str]:
        """What became of evaluations in that time, after what is new, of one project or all, was drawn.

        A process judges alone; while another thread of it does, this waits for it. Errors: `TooManyRequests` where
        `most` threads judge or wait already.
        """
        everybody = self.exchanges.projects()
        for owner in [project] if project else everybody:
            if not self.here.keeper.stopping:
                self._prepare(owner)
        others = frozenset(other.id for other in everybody if project and other.id != project.id)
        with self.here.turns.alone("judging", _LEASE_SECONDS, most):
            return self.judging.run(seconds, others)

    def _prepare(self, project: Project) -> None:
        """Draws what is new; what goes wrong with this project alone is logged, and holds up no other."""
        self.exchanges.attempt(project)
        try:
            self.draw(project)
        except (Conflict, Unavailable):
            raise
        except Exception:
            _log.exception("answers not drawn", project=project.id)

    def draw(self, project: Project) -> int:
        """How many answers of a project are new in the queue."""
        judge, model = self._default()
        now = self._now()
        self.here.evaluators.ensure_default(project.id, judge, model, now)
        with self.here.turns.alone(_name(project), _LEASE_SECONDS) as mine:
            return self._draw(project, now) if mine else 0

    def _draw(self, project: Project, now: datetime) -> int:
        margin = timedelta(seconds=self.here.settings.settle_seconds)
        cursor, end = self.here.cursors.get(_name(project)) or _EVER, self._engine_now()
        sampling, evaluators = Sampling(self.here.engine, project), self._live(project)
        drawn = 0
        while cursor < end and not self.here.keeper.stopping:
            until = sampling.bounded(cursor, end)
            since = max(cursor - margin, _EVER)
            for evaluator in evaluators:
                cases = sampling.inserted(evaluator, since, until)
                drawn += self.here.evaluations.enqueue(evaluator, cases, now, once=True)
            self.here.cursors.set(_name(project), until)
            cursor = until
        return drawn

    def _live(self, project: Project) -> list[Evaluator]:
        """The evaluators that new answers wait for: also a paused one, which may be resumed."""
        return [found for found in self.here.evaluators.all(project.id) if found.status != "archived"]

    def _engine_now(self) -> datetime:
        ((now,),) = self.here.engine.query("SELECT now64(3, 'UTC')")
        return utc(now)

    def _default(self) -> tuple[JudgeKind, str]:
        """Who judges where nobody has decided, and by which model."""
        settings = self.here.settings
        kind = judges_of(self.here).available()[0]
        return kind, {"gemini": settings.gemini_model, "openai": settings.openai_model, "rules": ""}[kind]

    def prune(self) -> int:
        """How many evaluations are forgotten that were over long ago; their events stay."""
        return self.here.evaluations.prune(self._now() - _KEPT)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self.here.now(), UTC)


def _name(project: Project) -> str:
    """What the cursor of a project is called, and the right to move it."""
    return f"judging:{project.id}"
