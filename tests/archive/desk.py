"""A project with events as they are stored, and its archives, over a directory or a bucket."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tallymark.archive.archives import Archives, Back, Made
from tallymark.archive.manifest import Manifest
from tallymark.engine.base import Engine
from tallymark.ingest.rows import SCHEMA
from tallymark.spec.month import read_month
from tallymark.spec.project import Project
from tests.packs.world import ADMIN, Application, application, bearer

NOW = datetime(2031, 5, 5, 12, tzinfo=UTC)

#: Ten years on: the engine forgets nothing by itself.
FAR = 4_000_000_000


@dataclass
class Desk:
    """The application with a project of its own; `told` is what was said of how far it is."""

    app: Application
    name: str
    keys: Mapping[str, str] = field(default_factory=dict)
    told: list[tuple[int, int]] = field(default_factory=list)

    @property
    def engine(self) -> Engine:
        return self.app.here.engine

    @property
    def project(self) -> Project:
        return self.app.project(self.name)

    @property
    def archives(self) -> Archives:
        return self.app.here.archives

    @property
    def folder(self) -> Path:
        """Where archives are, if that is a directory."""
        return self.app.here.settings.files_path / "archives"

    def ask(self, method: str, path: str, key: str = ADMIN, **request: Any) -> Any:
        """The answer."""
        return self.app.client.request(method, path, headers=bearer(key), **request)

    def store(self, *events: Mapping[str, Any]) -> None:
        """Puts rows into the table of events; what is left out is nothing, or what the table needs."""
        usual = {"project": self.project.id, "event": "page_view", "props": "{}", "expires_at": FAR, "value": None}
        empty: dict[str, Any] = {name.name: "" if name.type == pa.string() else 0 for name in SCHEMA}
        rows = [{**empty, "variants": [], **usual, **event} for event in events]
        rows = [{**row, "received_at": row["received_at"] or row["occurred_at"]} for row in rows]
        rows = [{**row, "precedence": row["precedence"] or 2**63 - ms(row["received_at"])} for row in rows]
        self.engine.insert("events", pa.Table.from_pylist(rows, SCHEMA))

    def make(self, month: str, incomplete: bool = False, name: str = "") -> Made:
        """Archives a month."""
        project = self.app.project(name or self.name)
        return self.archives.make(project, read_month(month), incomplete, lambda *far: self.told.append(far))

    def restore(self, archive: Manifest, name: str = "", days: int = 30) -> Back:
        """Restores an archive, into another project where one is named."""
        target = self.app.project(name or self.name)
        return self.archives.restore(archive.id, target, timedelta(days=days), lambda *far: self.told.append(far))

    def delete(self, condition: str = "1") -> None:
        """Deletes events from the engine."""
        self.engine.command(
            f"ALTER TABLE events DELETE WHERE project = {self.project.id} AND {condition} SETTINGS mutations_sync = 2"
        )

    def events(self, name: str = "", but: Sequence[str] = ("project", "inserted_at", "expires_at")) -> list[str]:
        """Every event as text, each once, without some columns."""
        project = self.app.project(name or self.name).id
        columns = f"* EXCEPT ({', '.join(but)})"
        rows = self.engine.query(f"SELECT toString(tuple({columns})) FROM events FINAL WHERE project = {project}")
        return sorted(row[0] for row in rows)

    def expiries(self) -> list[int]:
        """When the events expire."""
        rows = self.engine.query(
            f"SELECT toUnixTimestamp(expires_at) AS e FROM events FINAL WHERE project = {self.project.id} ORDER BY e"
        )
        return [row[0] for row in rows]

    def jobs(self, job: str) -> list[tuple[str, str]]:
        """What runs of a job came to, the latest first."""
        return [(run.status, run.detail) for run in self.app.here.job_runs.recent(job, self.project.id)]


@contextmanager
def desk(data: Path, engine: Engine, now: datetime = NOW, zone: str = "UTC", **settings: Any) -> Iterator[Desk]:
    """The application and a project, its clock at an instant."""
    with application(data, engine, now, **settings) as app:
        name, keys = app.make("web", timezone=zone, retention="3650d")
        yield Desk(app, name, keys)


def table_of(files: Path, archive: Manifest) -> pa.Table:
    """The file of an archive, read by the library alone."""
    return pq.read_table(files / archive.file)


def ms(moment: datetime | int) -> int:
    """An instant in epoch milliseconds."""
    return moment if isinstance(moment, int) else round(moment.timestamp() * 1000)


def at(text: str) -> datetime:
    """An instant in UTC, with milliseconds where they are written."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
