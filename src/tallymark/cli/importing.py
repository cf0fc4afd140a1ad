"""`tallymark import`: files of events, through the same pipeline as any other event.

A file that is imported again changes no number: its events have the same ids.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, BinaryIO

import typer
from rich.progress import DownloadColumn

from tallymark.cli.intake import Create, DryRun, Intake, Map, ProjectName, Set, meter, pairs
from tallymark.cli.output import AsJson
from tallymark.cli.transfer import STDIN, Read, check_file, transfer
from tallymark.ingest.log_events import LogEvents
from tallymark.ingest.tables import Columns, Times, read_csv, read_jsonl, read_parquet

app = typer.Typer(
    name="import", help="Import files of events; a file imported again changes nothing.", no_args_is_help=True
)

Files = Annotated[list[str], typer.Argument(metavar="FILE", help="Plain or gzip; - is standard input.")]
Host = Annotated[str, typer.Option(metavar="HOST", help="The site's host: tells its own pages from other sites'.")]
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

    intake: Intake
    files: Sequence[str]

    def run(self, read: Read, log: LogEvents | None = None) -> None:
        """Imports the files and shows the tally, even of a broken import; exits with 1 if all was refused."""
        self.intake.check()
        for path in self.files:
            check_file(path)
        tally = self.intake.tally(log.kinds if log else None)
        with self.intake.taking(tally) as send, meter(_size(self.files), DownloadColumn(), tally) as tell:
            transfer(self.files, read, send, tally, tell)


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
    Job(Intake(context.obj, project, create, dry_run, as_json), files).run(log.read, log)


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
    job = Job(Intake(context.obj, project, create, dry_run, as_json), files)
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
    job = Job(Intake(context.obj, project, create, dry_run, as_json), files)
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
    job = Job(Intake(context.obj, project, create, dry_run, as_json), files)
    job.run(lambda file: read_parquet(_seekable(file), columns))


def _columns(
    maps: list[str] | None, sets: list[str] | None, time_format: str, day_zero: datetime | None, drop: bool
) -> Columns:
    times = Times(time_format, day_zero.date() if day_zero else None)
    return Columns(pairs("--map", maps or []), pairs("--set", sets or []), times, drop)


def _seekable(file: BinaryIO) -> BinaryIO:
    """The file, or all of it in memory where one can't go back in it."""
    return file if file.seekable() else io.BytesIO(file.read())


def _size(files: Sequence[str]) -> int | None:
    """The files' bytes together; None where that is not known before."""
    return None if STDIN in files else sum(Path(path).stat().st_size for path in files)
