"""`tallymark archive`: create, list, show, restore, delete."""

import json
from collections.abc import Iterator
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tallymark.cli.connection import Connection, Start
from tallymark.cli.output import AsJson, print_fields, print_json, print_table

app = typer.Typer(name="archive", help="Put months of raw events away, and bring them back.", no_args_is_help=True)

_COLUMNS: Final = {
    "id": "Id", "owner": "Project", "month": "Month", "timezone": "Zone", "rows": "Events", "size": "MB",
    "complete": "Complete", "madeAt": "Made",
}  # fmt: skip
_FIELDS: Final = {
    "id": "Id", "owner": "Project", "month": "Month", "timezone": "Zone", "complete": "Complete", "rows": "Events",
    "firstDay": "First day", "lastDay": "Last day", "file": "File", "bytes": "Bytes", "sha256": "SHA-256",
    "schemaVersion": "Schema", "names": "Columns", "madeAt": "Made", "madeBy": "Made by",
}  # fmt: skip

Id = Annotated[str, typer.Argument(metavar="ID", help="Id of the archive.")]


@app.command("create", epilog="Example: tallymark archive create --project site --month 2026-02")
def create(
    context: typer.Context,
    project: Annotated[
        str | None, typer.Option("--project", help="Name of the project; default: the key's own.")
    ] = None,
    month: Annotated[str | None, typer.Option(help="Month to archive, YYYY-MM.")] = None,
    all_past: Annotated[bool, typer.Option("--all-past", help="Every past month with events.")] = False,
    incomplete: Annotated[
        bool, typer.Option("--incomplete", help="Also a month that is not over, or has lost events.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Archive a month of raw events, or every past one. Exits 1 where one could not be archived."""
    if (month is None) is not all_past:
        raise typer.BadParameter("say which month, as in --month 2026-02, or --all-past")
    asked = {"project": project, "month": month, "incomplete": str(incomplete).lower()}
    with _connect(context) as connection:
        said = list(_said(connection, "/v1/archives", asked))
    made = [line for line in said if "archive" in line]
    refused = [line["refused"] for line in said if "refused" in line]
    if as_json:
        print_json({"archives": [{**line["archive"], "written": line["written"]} for line in made], "refused": refused})
    elif not said:
        typer.echo("There is no past month with events.")
    else:
        _print_made(made, refused)
    if refused:
        raise typer.Exit(1)


@app.command("list", epilog="Example: tallymark archive list --project site")
def list_(
    context: typer.Context,
    project: Annotated[
        str | None, typer.Option("--project", help="Name of a project; default: the key's own, or all there are.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List archives, those of lost installations included, as they stand where files are kept."""
    with _connect(context) as connection:
        answer = connection.get("/v1/archives", params={"project": project} if project else None)
    if as_json:
        print_json(answer)
    elif answer["archives"]:
        print_table(_COLUMNS, [_shown(archive) for archive in answer["archives"]])
    else:
        typer.echo("There are no archives.")


@app.command("show", epilog="Example: tallymark archive show arc_2026-02_5f0c2a9b71d3e846")
def show(context: typer.Context, archive_id: Id, as_json: AsJson = False) -> None:
    """Show what is in an archive."""
    with _connect(context) as connection:
        archive = connection.get(f"/v1/archives/{archive_id}")
    if as_json:
        print_json(archive)
    else:
        print_fields(_FIELDS, {**_shown(archive), "names": [column["name"] for column in archive["columns"]]})


@app.command("restore", epilog="Example: tallymark archive restore arc_2026-02_5f0c2a9b71d3e846 --keep 30d")
def restore(
    context: typer.Context,
    archive_id: Id,
    project: Annotated[str | None, typer.Option("--project", help="Project to restore into; default: its own.")] = None,
    keep: Annotated[str, typer.Option(help="How long the events stay at least: 12h, 30d.")] = "30d",
    as_json: AsJson = False,
) -> None:
    """Put the events of an archive back, once its file is found to be whole. Repeating it changes nothing."""
    with _connect(context) as connection:
        *_, last = _said(connection, f"/v1/archives/{archive_id}/restore", {"project": project, "keep": keep})
    back = last["restored"]
    if as_json:
        print_json(back)
        return
    there = back["rows"] - back["written"]
    kept = f", {there:,} of them were there" if there else ""
    typer.echo(f"Restored {back['rows']:,} events of {back['month']} into {back['project']}{kept}.")
    typer.echo(f"They stay until {back['keptUntil']} at least.")


@app.command("delete", epilog="Example: tallymark archive delete arc_2026-02_5f0c2a9b71d3e846")
def delete(context: typer.Context, archive_id: Id, as_json: AsJson = False) -> None:
    """Delete an archive with its file. Events that are in the engine stay."""
    with _connect(context) as connection:
        answer = connection.delete(f"/v1/archives/{archive_id}")
    if as_json:
        print_json(answer)
    else:
        typer.echo(f"Deleted archive {answer['deleted']['id']}.")


def _said(connection: Connection, path: str, asked: dict[str, str | None]) -> Iterator[dict[str, Any]]:
    """What a server says of long work but how far it is, which a bar shows. Exits 1 where the work fails."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=None)
        for line in connection.stream("POST", path, params={k: v for k, v in asked.items() if v is not None}):
            said = json.loads(line)
            if "error" in said:
                bar.stop()
                typer.echo(f"error: {said['error']['message']}", err=True)
                raise typer.Exit(1)
            if "progress" in said:
                far = said["progress"]
                bar.update(task, description=far["month"], completed=far["rows"], total=far["of"])
            else:
                yield said


def _print_made(made: list[dict[str, Any]], refused: list[dict[str, Any]]) -> None:
    for line in made:
        archive = line["archive"]
        told = f"{archive['rows']:,} events, {archive['bytes'] / 1e6:.1f} MB"
        same = "" if line["written"] else ", as it was: nothing has changed"
        part = "" if archive["complete"] else ", not the whole month"
        typer.echo(f"{archive['month']}  {archive['id']}  {told}{part}{same}")
    for line in refused:
        typer.echo(f"{line['month']}  {line['message']}", err=True)


def _shown(archive: dict[str, Any]) -> dict[str, Any]:
    complete = "yes" if archive["complete"] else "no"
    return {
        **archive,
        "owner": archive["project"]["name"],
        "complete": complete,
        "size": f"{archive['bytes'] / 1e6:.1f}",
    }


def _connect(context: typer.Context) -> Connection:
    start: Start = context.obj
    return start.connect()
