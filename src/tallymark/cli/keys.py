"""`tallymark keys`: create, list, revoke."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from tallymark.cli.connection import Connection, Start
from tallymark.cli.output import AsJson, print_fields, print_json, print_table
from tallymark.control.keys import Scope

app = typer.Typer(name="keys", help="Create, list and revoke keys.", no_args_is_help=True)

_FIELDS = {
    "id": "Id",
    "project": "Project",
    "scope": "Scope",
    "label": "Label",
    "prefix": "Begins with",
    "createdAt": "Created",
    "expiresAt": "Expires",
}
_COLUMNS = {**_FIELDS, "revokedAt": "Revoked"}

_SPAN = re.compile(r"([0-9]{1,6})([dh])")


@app.command("create", epilog="Example: tallymark keys create site --scope read --label dashboard --expires 30d")
def create(
    context: typer.Context,
    project: Annotated[str, typer.Argument(help="Name of the project.")],
    scope: Annotated[Scope, typer.Option(help="What the key is good for; admin includes the others.")],
    label: Annotated[str, typer.Option(help="What people call it.")] = "",
    expires: Annotated[
        str | None, typer.Option(help="When it stops working: after 30d or 12h, or at 2030-01-31T12:00:00Z.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Create a key and print it; it is shown this once."""
    body = {"project": project, "scope": scope, "label": label, "expiresAt": _instant(expires)}
    with _connect(context) as connection:
        answer = connection.post("/v1/keys", json=body)
    if as_json:
        print_json(answer)
        return
    print_fields(_FIELDS, answer["key"])
    typer.echo(f"\nKey, shown this once:\n{answer['key']['secret']}")


@app.command("list", epilog="Example: tallymark keys list site")
def list_(
    context: typer.Context,
    project: Annotated[str | None, typer.Argument(help="Name of a project; every one without it.")] = None,
    as_json: AsJson = False,
) -> None:
    """List keys, revoked and expired ones included."""
    params = {} if project is None else {"project": project}
    with _connect(context) as connection:
        answer = connection.get("/v1/keys", params=params)
    if as_json:
        print_json(answer)
    elif answer["keys"]:
        print_table(_COLUMNS, answer["keys"])
    else:
        typer.echo("There are no keys yet: tallymark keys create PROJECT --scope read")


@app.command("revoke", epilog="Example: tallymark keys revoke 3")
def revoke(
    context: typer.Context,
    key: Annotated[int, typer.Argument(min=1, help="Id of the key, as `keys list` shows it.")],
    as_json: AsJson = False,
) -> None:
    """Revoke a key: it stops working at once and for good."""
    with _connect(context) as connection:
        answer = connection.delete(f"/v1/keys/{key}")
    if as_json:
        print_json(answer)
    else:
        typer.echo(f"Revoked key {key} ({answer['key']['prefix']}…) of project {answer['key']['project']}.")


def _instant(text: str | None) -> str | None:
    """A span as the instant it ends at; anything else is the server's to read."""
    found = _SPAN.fullmatch(text or "")
    if found is None:
        return text
    hours = int(found[1]) * (24 if found[2] == "d" else 1)
    try:
        return (datetime.now(UTC) + timedelta(hours=hours)).isoformat(timespec="seconds")
    except OverflowError:
        return text


def _connect(context: typer.Context) -> Connection:
    start: Start = context.obj
    return start.connect()
