"""`tallymark import`: files of events, through the same pipeline as any other event.

A file that is imported again changes no number: its events have the same ids.
"""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, BinaryIO, Final
from urllib.parse import quote

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn

from tallymark.cli.connection import Connection, Refused, Start
from tallymark.cli.output import AsJson, print_json
from tallymark.cli.tally import Tally
from tallymark.cli.transfer import STDIN, Read, Send, Tell, check_file, only_decode, sender, transfer
from tallymark.errors import NotFound
from tallymark.ingest.log_events import LogEvents
from tallymark.ingest.tables import Columns, Times, read_csv, read_jsonl, read_parquet

app = typer.Typer(
    name="import", help="Import files of events; a file imported again changes nothing.", no_args_is_help=True
)

#: Of a project that an import creates.
PACKS: Final = ("web",)

Files = Annotated[list[str], typer.Argument(metavar="FILE", help="Plain or gzip; - is standard input.")]
ProjectName = Annotated[str, typer.Option("--project", "-p", metavar="NAME", help="Where the events go.")]
Create = Annotated[bool, typer.Option("--create", help="Create the project (pack web) if there is none.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Read and count, and send nothing.")]
Host = Annotated[str, typer.Option(metavar="HOST", help="The site's host: tells its own pages from other sites'.")]
Map = Annotated[
    list[str] | None,
    typer.Option("--map", metavar="FIELD=COLUMN", help="Column of a field or of properties.NAME; repeatable."),
]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="FIELD=TEXT", help="The same for every event; repeatable."),
]
TimeFormat = Annotated[
    str,
    typer.Option("--timestamp-format", metavar="FORMAT", help="How times are written: %d/%m/%Y; else ISO or epoch."),
]
DayZero = Annotated[
    datetime | None,
    typer.Option(
        "--day-offset-from",
        formats=["%Y-%m-%d"],
        metavar="DAY",
        help="Times are numbers of days since that day.",
    ),
]
Drop = Annotated[bool, typer.Option("--drop-unmapped", help="Leave other columns out; else they become properties.")]
Delimiter = Annotated[str, typer.Option(metavar="CHARACTER", help="What stands between cells.")]


@dataclass(frozen=True)
class Job:
    """What every import is asked for, whatever the format."""

    start: Start
    files: Sequence[str]
    project: str
    create: bool
    dry_run: bool
    as_json: bool

    def run(self, read: Read, log: LogEvents | None = None) -> None:
        """Imports the files and shows the tally, even of a broken import; exits with 1 if all was refused."""
        if not self.project and not self.dry_run:
            raise typer.BadParameter("say which project, as in --project site")
        for path in self.files:
            check_file(path)
        tally = Tally(self.project, self.dry_run, log.kinds if log else None)
        try:
            with self._target(tally) as send, _meter(self.files, tally) as tell:
                transfer(self.files, read, send, tally, tell)
        except BaseException:
            if tally.read:
                self._show(tally)
            raise
        self._show(tally)
        if tally.refused and not tally.accepted:
            raise typer.Exit(1)

    @contextmanager
    def _target(self, tally: Tally) -> Iterator[Send]:
        """Where chunks go; when the block ends, the numbers are there."""
        if self.dry_run:
            yield only_decode
            return
        with self.start.connect() as connection:
            tally.project, tally.keys = _project(connection, self.project, self.create)
            yield sender(connection, tally.project)
            answer = connection.post("/v1/rollup/run", params={"project": tally.project, "job": "daily"})
            tally.refreshed = answer["refreshed"]

    def _show(self, tally: Tally) -> None:
        if self.as_json:
            print_json(tally.told())
        else:
            tally.show()


@app.command(
    "access-log",
    epilog="Example: tallymark import access-log access.log.gz --project site --host example.org",
)
def access_log(
    context: typer.Context,
    files: Files,
    project: ProjectName = "",
    host: Host = "",
    create: Create = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Import access logs of Apache or nginx, common or combined.

    Pages become page_view; assets, feeds, failures, redirects and other methods become request. Bots are
    recognised and left out of what counts people.
    """
    log = LogEvents(host)
    Job(context.obj, files, project, create, dry_run, as_json).run(log.read, log)


@app.command(
    "jsonl",
    epilog="Example: tallymark import jsonl log.jsonl --project app --map event=type --map timestamp=ts",
)
def jsonl(
    context: typer.Context,
    files: Files,
    project: ProjectName = "",
    map_: Map = None,
    set_: Set = None,
    timestamp_format: TimeFormat = "",
    day_offset_from: DayZero = None,
    drop_unmapped: Drop = False,
    create: Create = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Import JSON, an object a line: events as /v1/events takes them, or anything else by --map and --set."""
    given = map_ or set_ or timestamp_format or day_offset_from or drop_unmapped
    columns = _columns(map_, set_, timestamp_format, day_offset_from, drop_unmapped) if given else None
    job = Job(context.obj, files, project, create, dry_run, as_json)
    job.run(lambda file: read_jsonl(file, columns))


@app.command(
    "csv",
    epilog="Example: tallymark import csv quiz.csv --project quiz --set event=submitted --map value=score",
)
def csv(
    context: typer.Context,
    files: Files,
    project: ProjectName = "",
    map_: Map = None,
    set_: Set = None,
    timestamp_format: TimeFormat = "",
    day_offset_from: DayZero = None,
    drop_unmapped: Drop = False,
    delimiter: Delimiter = ",",
    create: Create = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Import CSV in UTF-8 with a header: a column named as a field is that field, any other a property."""
    columns = _columns(map_, set_, timestamp_format, day_offset_from, drop_unmapped)
    job = Job(context.obj, files, project, create, dry_run, as_json)
    job.run(lambda file: read_csv(file, columns, delimiter))


@app.command("parquet", epilog="Example: tallymark import parquet plays.parquet --project game --set event=play")
def parquet(
    context: typer.Context,
    files: Files,
    project: ProjectName = "",
    map_: Map = None,
    set_: Set = None,
    timestamp_format: TimeFormat = "",
    day_offset_from: DayZero = None,
    drop_unmapped: Drop = False,
    create: Create = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Import Parquet: a column named as a field is that field, any other a property."""
    columns = _columns(map_, set_, timestamp_format, day_offset_from, drop_unmapped)
    job = Job(context.obj, files, project, create, dry_run, as_json)
    job.run(lambda file: read_parquet(_seekable(file), columns))


def _columns(
    maps: list[str] | None, sets: list[str] | None, time_format: str, day_zero: datetime | None, drop: bool
) -> Columns:
    times = Times(time_format, day_zero.date() if day_zero else None)
    return Columns(_pairs("--map", maps or []), _pairs("--set", sets or []), times, drop)


def _pairs(option: str, texts: list[str]) -> dict[str, str]:
    for text in texts:
        if "=" not in text:
            raise typer.BadParameter(f"{option} {text} has no = in it, as in {option} event=signup")
    return {name: value for name, _, value in (text.partition("=") for text in texts)}


def _seekable(file: BinaryIO) -> BinaryIO:
    """The file, or all of it in memory where one can't go back in it."""
    return file if file.seekable() else io.BytesIO(file.read())


def _project(connection: Connection, name: str, create: bool) -> tuple[str, dict[str, str] | None]:
    """The project's name, and its keys if it was created now. Errors: `NotFound`."""
    try:
        return connection.get(f"/v1/projects/{quote(name, safe='')}")["project"]["name"], None
    except Refused as error:
        if error.status != NotFound.status:
            raise
    if not create:
        raise NotFound(f"There is no project {name!r}; --create makes it.", field="project")
    made = connection.post("/v1/projects", json={"name": name, "packs": PACKS})
    return made["project"]["name"], made["keys"]


@contextmanager
def _meter(files: Sequence[str], tally: Tally) -> Iterator[Tell]:
    """A progress bar on standard error, if that is a terminal."""
    size = None if STDIN in files else sum(Path(path).stat().st_size for path in files)
    console = Console(stderr=True)
    columns = (
        BarColumn(),
        DownloadColumn(),
        TextColumn("{task.fields[rate]:,} events/s"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("import", total=size, rate=0)
        yield lambda done: progress.update(task, completed=done, rate=tally.rate())
