"""One run of a sync: reads a table from where the last run has come to, sends its rows, says how far it is."""

import re
import time
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import quote

import typer
from rich.progress import MofNCompleteColumn

from tallymark.cli.connection import Connection, Refused
from tallymark.cli.intake import Intake, meter
from tallymark.cli.sync_tally import SyncTally
from tallymark.cli.transfer import Send, Tell, deliver, only_decode, sender
from tallymark.errors import NotFound, Unavailable
from tallymark.ingest.postgres.order import Place, order_of
from tallymark.ingest.postgres.reader import Page, Reader
from tallymark.ingest.postgres.selection import identity_of, select
from tallymark.ingest.postgres.source import Source
from tallymark.ingest.postgres.table import look_up
from tallymark.ingest.tables import Columns
from tallymark.spec.event import Reason


@dataclass(frozen=True)
class Plan:
    """What is read of which table, and how."""

    schema: str
    table: str
    cursor: str
    columns: Columns
    scales: dict[str, float]
    id_columns: tuple[str, ...]
    overlap: str | None
    batch: int

    def __post_init__(self) -> None:
        given = (*self.columns.sources, *self.columns.constants)
        for field, meant in (("event", "--set event=quiz_submitted"), ("timestamp", "--map timestamp=created_at")):
            if field not in given:
                raise typer.BadParameter(f"say what an event's {field} is, as in {meant}")
        if "eventId" in given:
            raise typer.BadParameter("a row's key makes its eventId; --id-columns names other columns")

    def reader(self, source: Source) -> Reader:
        """What reads it. Errors: `BadRequest` for what the table does not have."""
        table = look_up(source, self.schema, self.table)
        order = order_of(table, self.cursor, self.id_columns, self.overlap)
        selection = select(order, self.columns, self.scales)
        return Reader(source, order, identity_of(order, self.id_columns), selection, self.columns, self.batch)

    def name(self) -> str:
        """What the sync is called unless it is said: the table, and the event that its rows are."""
        event = self.columns.constants.get("event")
        return re.sub(r"[^\w.:-]", "_", f"{self.schema}.{self.table}" + (f":{event}" if event else ""))


@dataclass(frozen=True)
class Progress:
    """Where the server keeps how far a sync is."""

    connection: Connection
    project: str
    name: str

    def begin_anew(self) -> None:
        """Forgets how far it is."""
        self._said("DELETE")

    def read(self) -> tuple[str | None, int]:
        """How far it is, None before its first rows; and how many rows it has taken."""
        said = self._said("GET")
        return (None, 0) if said is None else (said["sync"]["cursor"], said["sync"]["rows"])

    def write(self, place: Place, rows: int) -> None:
        """Notes how far it is."""
        body = {"cursor": place.text(), "rows": rows}
        self.connection.put(self._path(), params={"project": self.project}, json=body)

    def _said(self, method: str) -> dict[str, Any] | None:
        response = self.connection.send(method, self._path(), params={"project": self.project})
        if response.status_code == NotFound.status:
            return None
        if not response.is_success:
            raise Refused(response)
        return cast(dict[str, Any], response.json())

    def _path(self) -> str:
        return f"/v1/syncs/{quote(self.name, safe='')}"


def run(intake: Intake, source: Source, plan: Plan, name: str, restart: bool) -> None:
    """Runs it and shows the tally, even of a broken run; exits with 1 if all was refused."""
    reader = plan.reader(source)
    tally = SyncTally(intake.project, intake.dry_run, name=name, left_out=reader.selection.left_out)
    with intake.connected(tally) as connection:
        if connection is None:
            _take(reader, only_decode, tally, None)
            return
        progress = Progress(connection, tally.project, name)
        if restart:
            progress.begin_anew()
        _take(reader, sender(connection, tally.project), tally, progress)


def _take(reader: Reader, send: Send, tally: SyncTally, progress: Progress | None) -> None:
    """Sends the pages; a page that was accepted is behind us, whatever becomes of the next."""
    said, taken = (None, 0) if progress is None else progress.read()
    begun = None if said is None else reader.order.read(said)
    counts = reader.count(begun)
    tally.unplaced, tally.ahead = counts.without, counts.ahead
    started = time.perf_counter()
    with meter(counts.due, MofNCompleteColumn(), tally) as tell:
        for page in reader.pages(begun):
            _send(reader, page, send, tally, tell)
            tally.seconds = time.perf_counter() - started
            if progress is not None and page.place is not None:
                progress.write(page.place, taken + tally.rows)


def _send(reader: Reader, page: Page, send: Send, tally: SyncTally, tell: Tell) -> None:
    """Sends a page. Errors: `Unavailable` where some of it is to be sent again on another day."""
    before, refused = tally.rows + tally.again, tally.refused[Reason.QUOTA]
    for _ in deliver(reader.order.table.title, page.events, send, tally):
        pass
    if tally.refused[Reason.QUOTA] > refused:
        raise Unavailable("The project has had its events for today: the same command goes on here when it takes more.")
    rows = len(page.events) + page.timeless
    tally.rows += page.fresh
    tally.again += rows - page.fresh
    tally.timeless += page.timeless
    tell(before + rows)
