"""The demo: a project for each pack that has demo data, with 90 days of it, through the pipeline of any other event."""

import asyncio
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import count
from pathlib import Path
from typing import Any

from tallymark.access.keys import mint
from tallymark.api.services import Services
from tallymark.control.keys import Scope
from tallymark.ingest.decode import Decoded, WireEvent
from tallymark.ingest.gate import Limits, admit
from tallymark.packs.ab import demo as ab
from tallymark.packs.quiz import demo as quiz
from tallymark.packs.sdk import demo as sdk
from tallymark.packs.voice import demo as voice
from tallymark.packs.web import demo as web
from tallymark.spec.project import Packs, Project, parse_draft

_SCOPES: tuple[Scope, ...] = ("ingest", "read", "admin")

_FILE = "demo.json"

#: Events that are stored together.
_CHUNK = 20_000

DAYS = 90


@dataclass(frozen=True)
class Sample:
    """A pack's demo: the project as its public JSON, its events by day, and what else it has.

    `seed` makes what is there before any event, and is told the last of the days; `finish` what follows from events,
    before they are rolled up.
    """

    project: Mapping[str, object]
    days: Callable[[date, int], Iterator[tuple[date, list[WireEvent]]]]
    seed: Callable[[Services, Project, date], None] = lambda *_: None
    finish: Callable[[Services, Project, datetime], None] | None = None


SAMPLES: tuple[Sample, ...] = (
    Sample(web.PROJECT, web.days),
    Sample(sdk.PROJECT, sdk.days),
    Sample(ab.PROJECT, ab.days, ab.seed_experiments),
    Sample(voice.PROJECT, voice.days, finish=voice.judge),
    Sample(quiz.PROJECT, quiz.days, quiz.seed_hints, quiz.finish),
)

#: Called with a project's name, what is done, how many days are done and how many there are.
Report = Callable[[str, str, int, int], None]


@dataclass(frozen=True)
class Demo:
    """Makes demo projects where they are missing."""

    here: Services
    packs: Packs
    days: int = DAYS
    samples: Sequence[Sample] = SAMPLES

    def prepare(self, now: datetime, report: Report) -> dict[str, dict[str, str]]:
        """The keys of the demo projects by name and scope; what is missing is made, which takes some seconds."""
        keys = _read(self._file)
        for sample in self.samples:
            name = str(sample.project["name"])
            project = self.here.projects.find(name)
            if project is None or name not in keys:
                project = self._create(sample, project, keys)
            if not self.here.keeper.runs(project):
                self._fill(project, sample, now, report)
        return {name: keys[name] for name in (str(sample.project["name"]) for sample in self.samples)}

    def _create(self, sample: Sample, old: Project | None, keys: dict[str, dict[str, str]]) -> Project:
        if old is not None:
            self.here.projects.delete(old.id)
        minted = {scope: mint(scope, "demo") for scope in _SCOPES}
        draft = parse_draft(dict(sample.project), self.packs)
        project = self.here.projects.create(draft, [key.draft for key in minted.values()])
        keys[project.name] = {scope: m.secret for scope, m in minted.items()}
        _write(self._file, keys)
        return project

    @property
    def _file(self) -> Path:
        return self.here.settings.data / _FILE

    def _fill(self, project: Project, sample: Sample, now: datetime, report: Report) -> None:
        if not self.here.experiments.all(project.id):
            sample.seed(self.here, project, now.date())
        waiting: list[WireEvent] = []
        for done, (_, events) in enumerate(sample.days(now.date(), self.days), 1):
            waiting += [event for event in events if _before(event, now)]
            if len(waiting) >= _CHUNK or done == self.days:
                self._store(project, waiting, now)
                waiting = []
            report(project.name, "events", done, self.days)
        if sample.finish is not None:
            report(project.name, "what follows", 0, self.days)
            sample.finish(self.here, project, now)
            report(project.name, "what follows", self.days, self.days)
        rolled_up = count(1)
        self.here.keeper.run(
            project, lambda _: report(project.name, "rollups", min(next(rolled_up), self.days), self.days)
        )
        self.here.funnel_rollups.refresh(project)

    def _store(self, project: Project, events: list[WireEvent], now: datetime) -> None:
        limits = Limits(None, 0, 1_000, 1 << 20)
        batch = admit(Decoded(events, range(len(events))), project, limits, int(now.timestamp() * 1000), "", b"")
        rows = self.here.receiver.enricher.rows(batch, "")
        for enrichment in self.here.receiver.enrichments:
            asyncio.run(enrichment.add(project, rows))
        self.here.store.put(rows)


def _before(event: WireEvent, now: datetime) -> bool:
    return isinstance(event.timestamp, int | float) and event.timestamp <= now.timestamp() * 1000


def _read(path: Path) -> dict[str, dict[str, str]]:
    keys: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return keys


def _write(path: Path, keys: Mapping[str, Mapping[str, str]]) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(keys, file, indent=2)
