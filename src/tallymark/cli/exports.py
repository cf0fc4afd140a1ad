"""`tallymark exports`: create, status, list, download, delete."""

import hashlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)

from tallymark.cli.connection import Connection, Start
from tallymark.cli.output import AsJson, print_fields, print_json, print_table
from tallymark.cli.segments import SegmentKeys
from tallymark.errors import Unavailable
from tallymark.spec.export import Format, What
from tallymark.spec.window import Grain

app = typer.Typer(name="exports", help="Export metrics, rollups and raw events to files.", no_args_is_help=True)

#: How much of a file is asked for at a time, in bytes.
_PART: Final = 8 << 20
#: How often a server is asked how far it is, at first and at last, in seconds.
_PAUSES: Final = (0.05, 1.0)

_FIELDS: Final = {
    "id": "Id", "status": "Status", "project": "Project", "what": "What", "format": "Format", "days": "Days",
    "written": "Rows", "bytes": "Bytes", "sha256": "SHA-256", "createdAt": "Created", "expiresAt": "Kept until",
    "downloadUrl": "Link", "file": "File", "error": "Error",
}  # fmt: skip
_COLUMNS: Final = {
    "id": "Id", "status": "Status", "what": "What", "format": "Format", "days": "Days", "written": "Rows",
    "createdAt": "Created", "expiresAt": "Kept until",
}  # fmt: skip

Id = Annotated[str, typer.Argument(metavar="ID", help="Id of the export.")]
ProjectOption = Annotated[str | None, typer.Option("--project", help="Name of the project; default: the key's own.")]


def _writable(path: Path | None) -> Path | None:
    """A path that a file can be written to, as far as can be told before there is one."""
    if path is not None and path.is_dir():
        raise typer.BadParameter(f"{path} is a directory.")
    if path is not None and not os.access(path.absolute().parent, os.W_OK | os.X_OK):
        raise typer.BadParameter(f"Nothing can be written to {path.parent}.")
    return path


@app.command(
    "create",
    epilog="Example: tallymark exports create --project site --what metrics --metrics visitors --by path --out web.csv",
)
def create(
    context: typer.Context,
    what: Annotated[What, typer.Option(help="metrics, rollups or events.")],
    format_: Annotated[Format, typer.Option("--format", help="csv, json, jsonl, xlsx, parquet or arrow.")] = Format.CSV,
    project: ProjectOption = None,
    metrics: Annotated[str | None, typer.Option(help="Names of metrics, separated by commas.")] = None,
    by: Annotated[str | None, typer.Option(help="Dimension to break down by.")] = None,
    filter_: Annotated[list[str] | None, typer.Option("--filter", help="dimension:operator:value|value")] = None,
    segment: SegmentKeys = None,
    first: Annotated[str | None, typer.Option("--from", help="First day; default 30 days ago.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="Last day; default today.")] = None,
    timezone: Annotated[str | None, typer.Option(help="Zone of the days; default the project's.")] = None,
    grain: Annotated[Grain | None, typer.Option(help="Of metrics: hour, day, week or month.")] = None,
    out: Annotated[
        Path | None, typer.Option(callback=_writable, help="File to download it to, once it is done.")
    ] = None,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until it is done.")] = True,
    as_json: AsJson = False,
) -> None:
    """Order an export, and wait until it is done. Exits 1 where it fails."""
    order = {
        "project": project, "what": what, "format": format_, "metrics": _names(metrics), "by": by, "filters": filter_,
        "segments": segment, "from": first, "to": last, "timezone": timezone, "grain": grain,
    }  # fmt: skip
    with _connect(context) as connection:
        export = connection.post("/v1/exports", json={name: value for name, value in order.items() if value})
        if wait or out is not None:
            export = _finished(connection, export)
        if out is not None and export["status"] == "done":
            export["file"] = str(_download(connection, export, out))
    _print(export, as_json)


@app.command("status", epilog="Example: tallymark exports status exp_Zk1TjQ7yB0wq3oEo2m9XcR8vLs5uNhDa")
def status(context: typer.Context, export_id: Id, as_json: AsJson = False) -> None:
    """Show how far an export is, and the link to its file. Exits 1 where it failed."""
    with _connect(context) as connection:
        export = connection.get(f"/v1/exports/{export_id}")
    _print(export, as_json)


@app.command("list", epilog="Example: tallymark exports list --project site")
def list_(context: typer.Context, project: ProjectOption = None, as_json: AsJson = False) -> None:
    """List the newest exports of a project."""
    with _connect(context) as connection:
        answer = connection.get("/v1/exports", params={"project": project} if project else None)
    if as_json:
        print_json(answer)
    elif answer["exports"]:
        print_table(_COLUMNS, [_shown(export) for export in answer["exports"]])
    else:
        typer.echo("There are no exports.")


@app.command(
    "download", epilog="Example: tallymark exports download exp_Zk1TjQ7yB0wq3oEo2m9XcR8vLs5uNhDa --out paths.csv"
)
def download(
    context: typer.Context,
    export_id: Id,
    out: Annotated[
        Path | None, typer.Option(callback=_writable, help="Where to; default: the file's own name, here.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Download the file of an export, once it is done, and compare its SHA-256. Exits 1 where there is none."""
    with _connect(context) as connection:
        export = _finished(connection, connection.get(f"/v1/exports/{export_id}"))
        if export["status"] == "done":
            export["file"] = str(_download(connection, export, out or Path(export["fileName"])))
    _print(export, as_json)


@app.command("delete", epilog="Example: tallymark exports delete exp_Zk1TjQ7yB0wq3oEo2m9XcR8vLs5uNhDa")
def delete(context: typer.Context, export_id: Id, as_json: AsJson = False) -> None:
    """End an export that is not done, or delete the file of one that is."""
    with _connect(context) as connection:
        answer = connection.delete(f"/v1/exports/{export_id}")
    if as_json:
        print_json(answer)
    else:
        typer.echo(f"Deleted export {answer['deleted']['id']}.")


def _finished(connection: Connection, export: dict[str, Any]) -> dict[str, Any]:
    """The export once it is neither waiting nor being written; meanwhile a bar says how far it is."""
    pause, most = _PAUSES
    with _bar("rows", MofNCompleteColumn()) as bar:
        task = bar.add_task("", total=None)
        while export["status"] in ("waiting", "running"):
            time.sleep(pause)
            pause = min(most, pause * 1.5)
            export = connection.get(f"/v1/exports/{export['id']}")
            bar.update(task, completed=export["progress"]["rows"], total=export["progress"]["of"])
    return export


def _download(connection: Connection, export: dict[str, Any], path: Path) -> Path:
    """Where the file is now. It is asked for in parts, so that little of it is in memory. Errors: `Unavailable`."""
    digest, draft = hashlib.sha256(), path.with_name(f".{path.name}.part")
    try:
        with draft.open("wb") as file, _bar("download", DownloadColumn()) as bar:
            task = bar.add_task("", total=export["bytes"])
            for part in _parts(connection, export):
                digest.update(part)
                file.write(part)
                bar.advance(task, len(part))
        if digest.hexdigest() != export["sha256"]:
            raise Unavailable("What was downloaded is not what was written: download it again.")
        return draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _parts(connection: Connection, export: dict[str, Any]) -> Iterator[bytes]:
    link = urlsplit(export["downloadUrl"])
    for first in range(0, export["bytes"], _PART):
        yield connection.part(f"{link.path}?{link.query}", first, min(first + _PART, export["bytes"]))


def _bar(title: str, counted: ProgressColumn) -> Progress:
    """A bar on a terminal, and nothing elsewhere."""
    console = Console(stderr=True)
    columns = (TextColumn(title), BarColumn(), counted, TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


def _print(export: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(export)
    else:
        shown = _shown(export)
        print_fields({field: name for field, name in _FIELDS.items() if shown.get(field) is not None}, shown)
    if export["status"] in ("failed", "expired"):
        raise typer.Exit(1)


def _shown(export: dict[str, Any]) -> dict[str, Any]:
    days, progress = export["range"], export["progress"]
    of = f" of {progress['of']}" if export["status"] == "running" and progress["of"] is not None else ""
    return {**export, "days": f"{days['from']} to {days['to']}", "written": f"{progress['rows']}{of}"}


def _names(text: str | None) -> list[str]:
    return [name.strip() for name in (text or "").split(",") if name.strip()]


def _connect(context: typer.Context) -> Connection:
    start: Start = context.obj
    return start.connect()
