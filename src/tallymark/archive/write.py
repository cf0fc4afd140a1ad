"""Writing an archive: what there is to archive, whether that may be, and the file of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import BinaryIO, Final, cast

import pyarrow as pa
import pyarrow.compute as pc

from tallymark.archive.columns import COLUMNS, HEAD
from tallymark.archive.manifest import Manifest, Owner, archive_id, heads
from tallymark.archive.shelf import file_name
from tallymark.archive.work import Work
from tallymark.engine.base import Engine
from tallymark.engine.source import instant, span, utc
from tallymark.errors import Conflict, NotFound
from tallymark.export.events import stored
from tallymark.export.sink import Hashing
from tallymark.export.to_arrow import write_parquet
from tallymark.rollup.run import published
from tallymark.spec.month import Month
from tallymark.spec.project import Project
from tallymark.spec.window import today

_SEEN: Final = (
    "SELECT count(), sum(cityHash64(event_id, actor, event, occurred_at, precedence)) FROM events FINAL "
    f"WHERE project = {{project:UInt32}} AND occurred_at >= {instant('start')} AND occurred_at < {instant('end')}"
)


@dataclass(frozen=True)
class Seen:
    """The events of a month as they are now. `sealed`: the first of its days whose events have begun to go."""

    rows: int
    fingerprint: str
    over: bool
    sealed: date | None

    @property
    def complete(self) -> bool:
        """Whether these are all that there ever were and will be, but for what comes late."""
        return self.over and self.sealed is None


@dataclass(frozen=True)
class Written:
    """A file: how many rows, how long, its hash, and when the first and the last of its events happened."""

    rows: int
    size: int
    sha256: str
    first: datetime
    last: datetime


def look(engine: Engine, project: Project, month: Month, now: datetime) -> Seen:
    """What there is to archive. Errors: `NotFound` where that is nothing."""
    window = month.window(project.timezone)
    ((rows, fingerprint),) = engine.query(_SEEN, span(project.id, window.start, window.end))
    if not rows:
        raise NotFound(f"There are no events of {month} in {project.name}.", field="month")
    ((at,),) = engine.query("SELECT now64(3, 'UTC')")
    runs = published(engine, project.id, window.first, window.last)
    sealed = next((run.day for run in runs if run.sealed(utc(at))), None)
    return Seen(rows, f"{fingerprint:016x}", month.over(project.timezone, now), sealed)


def unchanged(archive: Manifest, seen: Seen, project: Project) -> bool:
    """Whether an archive holds what there is. Errors: `Conflict` where it may hold more, so that it must stay."""
    if archive.timezone != project.timezone:
        raise _stays(archive, f"it is of days in {archive.timezone}")
    same = (archive.rows, archive.fingerprint) == (seen.rows, seen.fingerprint)
    if same and (archive.complete or not seen.complete):
        return True
    if seen.rows < archive.rows or (archive.complete and not seen.complete):
        raise _stays(archive, "some of its events have gone since")
    return False


def check(seen: Seen, project: Project, month: Month) -> None:
    """Raises `Conflict` where some of a month's events are not there: any more, or yet."""
    if not seen.over:
        told = f"{month} is not over in {project.timezone}: incomplete=true archives what there is."
        raise Conflict(told, field="month")
    if seen.sealed is not None:
        told = f"Events of {seen.sealed} have begun to go: incomplete=true archives what is left of {month}."
        raise Conflict(told, field="month")


def _stays(archive: Manifest, why: str) -> Conflict:
    told = f"The archive of {archive.month} stays as it is, since {why}: delete it before another one is made."
    return Conflict(told, field="month")


def write(engine: Engine, project: Project, month: Month, seen: Seen, now: datetime, work: Work) -> Manifest:
    """Writes the file of an archive to `draft` of the work; gives its manifest. Errors: `Conflict`, as of exports."""
    content = stored(engine, project, month.window(project.timezone), COLUMNS)
    done = write_file(content.pages, content.expected, work)
    if done is None:
        raise Conflict(f"Events of {month} were deleted while they were archived: archive them again.")
    archive = archive_id(project, month)
    return Manifest(
        id=archive, project=Owner.of(project), month=str(month), timezone=project.timezone, complete=seen.complete,
        rows=done.rows, first_day=today(project.timezone, done.first), last_day=today(project.timezone, done.last),
        file=file_name(archive, done.sha256), bytes=done.size, sha256=done.sha256, fingerprint=seen.fingerprint,
        columns=heads(HEAD), made_at=now,
    )  # fmt: skip


def draft(work: Work) -> Path:
    """Where a file is written before it is put where archives are kept."""
    return work.folder / "draft"


def write_file(pages: Iterator[pa.Table], expected: int, work: Work) -> Written | None:
    """Writes pages as the draft; None without any row."""
    seen: list[tuple[datetime, datetime]] = []
    rows = 0

    def counted() -> Iterator[pa.Table]:
        nonlocal rows
        for page in pages:
            yield page
            rows += page.num_rows
            ends = pc.min_max(page["occurred_at"]).as_py()
            seen.append((ends["min"], ends["max"]))
            work.report(rows, max(rows, expected))

    with draft(work).open("wb") as file:
        sink = Hashing(file)
        write_parquet(HEAD, counted(), cast(BinaryIO, sink), work.folder)
    if not rows:
        return None
    return Written(rows, sink.size, sink.sha256, min(first for first, _ in seen), max(last for _, last in seen))
