"""`tallymark segments`: list, set, delete; and the option of commands whose questions take segments."""

from typing import Annotated, Final

import typer

from tallymark.cli.connection import Connection, Start
from tallymark.cli.output import AsJson, print_fields, print_json, print_table
from tallymark.spec.json_values import key as checked

app = typer.Typer(name="segments", help="Filters under a name, for every question.", no_args_is_help=True)

_COLUMNS: Final = {"key": "Key", "title": "Title", "filters": "Filters"}

Key = Annotated[str, typer.Argument(metavar="KEY", help="Key of the segment.")]
ProjectOption = Annotated[str | None, typer.Option("--project", help="Name of the project; default: the key's own.")]
#: Beside every `--filter` of a question.
SegmentKeys = Annotated[
    list[str] | None, typer.Option("--segment", help="Key of a segment: its filters must hold besides.")
]


@app.command("list", epilog="Example: tallymark segments list --project site")
def list_(context: typer.Context, project: ProjectOption = None, as_json: AsJson = False) -> None:
    """List the segments of a project."""
    with _connect(context) as connection:
        answer = connection.get("/v1/segments", params=_of(project))
    if as_json:
        print_json(answer)
    elif answer["segments"]:
        print_table(_COLUMNS, answer["segments"])
    else:
        typer.echo("There are no segments.")


@app.command(
    "set",
    epilog="Example: tallymark segments set mobile-de --filter country:is:DE --filter device:is:mobile",
)
def set_(
    context: typer.Context,
    key: Key,
    filter_: Annotated[
        list[str], typer.Option("--filter", help="dimension:operator:value|value; again for each, all must hold.")
    ],
    project: ProjectOption = None,
    title: Annotated[str | None, typer.Option(help="What people call it; default: its key.")] = None,
    as_json: AsJson = False,
) -> None:
    """Keep filters under a key, in place of those that it had."""
    body = {"filters": filter_, **({} if title is None else {"title": title})}
    with _connect(context) as connection:
        answer = connection.put(f"/v1/segments/{checked(key, 'key')}", params=_of(project), json=body)
    if as_json:
        print_json(answer)
    else:
        print_fields(_COLUMNS, answer["segment"])


@app.command("delete", epilog="Example: tallymark segments delete mobile-de --project site")
def delete(context: typer.Context, key: Key, project: ProjectOption = None, as_json: AsJson = False) -> None:
    """Forget a segment; questions that name it are refused from then on."""
    with _connect(context) as connection:
        answer = connection.delete(f"/v1/segments/{checked(key, 'key')}", params=_of(project))
    if as_json:
        print_json(answer)
    else:
        typer.echo(f"Deleted segment {answer['deleted']['key']}.")


def _of(project: str | None) -> dict[str, str]:
    return {} if project is None else {"project": project}


def _connect(context: typer.Context) -> Connection:
    start: Start = context.obj
    return start.connect()
