"""`tallymark annotations`: list, add, delete."""

from typing import Annotated, Any, Final

import typer

from tallymark.cli.connection import Connection, Start
from tallymark.cli.output import AsJson, print_fields, print_json, print_table

app = typer.Typer(name="annotations", help="Notes on days, which charts show.", no_args_is_help=True)

_COLUMNS: Final = {"id": "Id", "day": "Day", "text": "Text", "by": "By"}

ProjectOption = Annotated[str | None, typer.Option("--project", help="Name of the project; default: the key's own.")]


@app.command("list", epilog="Example: tallymark annotations list --project site --from 2026-11-01")
def list_(
    context: typer.Context,
    project: ProjectOption = None,
    first: Annotated[str | None, typer.Option("--from", help="First day; default 30 days ago.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="Last day; default today.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the notes on the days of a window."""
    with _connect(context) as connection:
        answer = connection.get("/v1/annotations", params=_given(project=project, **{"from": first, "to": last}))
    if as_json:
        print_json(answer)
    elif answer["annotations"]:
        print_table(_COLUMNS, answer["annotations"])
    else:
        typer.echo("There are no annotations.")


@app.command("add", epilog='Example: tallymark annotations add "New pricing" --project site --day 2026-11-21')
def add(
    context: typer.Context,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What happened.")],
    day: Annotated[str, typer.Option(help="The day, YYYY-MM-DD.")],
    project: ProjectOption = None,
    as_json: AsJson = False,
) -> None:
    """Note what happened on a day."""
    with _connect(context) as connection:
        answer = connection.post("/v1/annotations", params=_given(project=project), json={"day": day, "text": text})
    if as_json:
        print_json(answer)
    else:
        print_fields(_COLUMNS, answer["annotation"])


@app.command("delete", epilog="Example: tallymark annotations delete 8f14e45fceea167a --project site")
def delete(
    context: typer.Context,
    annotation_id: Annotated[str, typer.Argument(metavar="ID", help="Id of the note.")],
    project: ProjectOption = None,
    as_json: AsJson = False,
) -> None:
    """Delete a note."""
    with _connect(context) as connection:
        answer = connection.delete(f"/v1/annotations/{annotation_id}", params=_given(project=project))
    if as_json:
        print_json(answer)
    else:
        typer.echo(f"Deleted the note on {answer['annotation']['day']}: {answer['annotation']['text']}")


def _given(**parameters: Any) -> dict[str, Any]:
    return {name: value for name, value in parameters.items() if value is not None}


def _connect(context: typer.Context) -> Connection:
    start: Start = context.obj
    return start.connect()
