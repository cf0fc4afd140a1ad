"""`tallymark projects`: create, list, show, update, delete."""

from typing import Annotated, Any
from urllib.parse import quote

import typer

from tallymark.cli.connection import Connection, Start
from tallymark.cli.output import AsJson, print_fields, print_json, print_table
from tallymark.spec.project import Bots, Pii

app = typer.Typer(name="projects", help="Create, show, change and delete projects.", no_args_is_help=True)

_FIELDS = {
    "id": "Id",
    "name": "Name",
    "packs": "Packs",
    "timezone": "Time zone",
    "retention": "Retention",
    "pii": "PII",
    "bots": "Bots",
    "quota": "Quota",
    "eventNames": "Event names",
    "maxEventNames": "Most names",
    "publicSummary": "Public summary",
    "createdAt": "Created",
}
_COLUMNS = {field: _FIELDS[field] for field in ("id", "name", "packs", "timezone", "retention", "createdAt")}

Name = Annotated[str, typer.Argument(help="Name of the project.")]
Packs = Annotated[list[str] | None, typer.Option("--pack", help="A pack to enable; may be given again.")]
Timezone = Annotated[str | None, typer.Option(help="Time zone that days are in, as in Europe/Berlin.")]
Retention = Annotated[str | None, typer.Option(help="How long raw events are kept, as in 90d or 24h.")]
PiiOption = Annotated[Pii | None, typer.Option(help="What becomes of personal data in properties.")]
BotsOption = Annotated[Bots | None, typer.Option(help="Whether events of bots are marked or refused.")]
Quota = Annotated[int | None, typer.Option(min=0, help="Most events per UTC day.")]
EventNames = Annotated[
    list[str] | None, typer.Option("--event-name", help="A name that events may have, as in error_*; may be repeated.")
]
MaxEventNames = Annotated[int | None, typer.Option(min=1, help="Most different names of events.")]
PublicSummary = Annotated[
    bool | None,
    typer.Option("--public-summary/--private-summary", help="Whether everybody may read the summary of the pack ab."),
]


@app.command("create", epilog="Example: tallymark projects create site --pack web --timezone Europe/Berlin")
def create(
    context: typer.Context,
    name: Name,
    pack: Packs = None,
    timezone: Timezone = None,
    retention: Retention = None,
    pii: PiiOption = None,
    bots: BotsOption = None,
    quota: Quota = None,
    event_names: EventNames = None,
    max_event_names: MaxEventNames = None,
    public_summary: PublicSummary = None,
    as_json: AsJson = False,
) -> None:
    """Create a project and print its keys, which are shown this once."""
    body = _given(
        name=name, packs=pack or None, timezone=timezone, retention=retention, pii=pii, bots=bots, quota=quota,
        eventNames=event_names or None, maxEventNames=max_event_names, publicSummary=public_summary,
    )  # fmt: skip
    with _connect(context) as connection:
        answer = connection.post("/v1/projects", json=body)
    if as_json:
        print_json(answer)
        return
    print_fields(_FIELDS, answer["project"])
    typer.echo("\nKeys, shown this once:")
    print_fields({"ingest": "ingest", "read": "read", "admin": "admin"}, answer["keys"])


@app.command("list", epilog="Example: tallymark projects list --json")
def list_(context: typer.Context, as_json: AsJson = False) -> None:
    """List the projects."""
    with _connect(context) as connection:
        answer = connection.get("/v1/projects")
    if as_json:
        print_json(answer)
    elif answer["projects"]:
        print_table(_COLUMNS, answer["projects"])
    else:
        typer.echo("There are no projects yet: tallymark projects create NAME")


@app.command("show", epilog="Example: tallymark projects show site")
def show(context: typer.Context, name: Name, as_json: AsJson = False) -> None:
    """Show a project with all its settings."""
    with _connect(context) as connection:
        _show(connection.get(_path(name)), as_json)


@app.command("update", epilog="Example: tallymark projects update site --retention 180d --no-quota")
def update(
    context: typer.Context,
    name: Name,
    rename: Annotated[str | None, typer.Option("--name", help="A new name.")] = None,
    pack: Packs = None,
    no_packs: Annotated[bool, typer.Option("--no-packs", help="Leave only the core's metrics.")] = False,
    timezone: Timezone = None,
    retention: Retention = None,
    pii: PiiOption = None,
    bots: BotsOption = None,
    quota: Quota = None,
    no_quota: Annotated[bool, typer.Option("--no-quota", help="Lift the quota.")] = False,
    event_names: EventNames = None,
    any_event_names: Annotated[bool, typer.Option("--any-event-names", help="Take events of any name.")] = False,
    max_event_names: MaxEventNames = None,
    public_summary: PublicSummary = None,
    as_json: AsJson = False,
) -> None:
    """Change what is given and leave the rest; --pack and --event-name replace their whole lists."""
    body = _given(
        name=rename,
        packs=pack or None,
        timezone=timezone,
        retention=retention,
        pii=pii,
        bots=bots,
        quota=quota,
        eventNames=event_names or None,
        maxEventNames=max_event_names,
        publicSummary=public_summary,
    )
    body |= {"packs": []} if no_packs else {}
    body |= {"quota": None} if no_quota else {}
    body |= {"eventNames": None} if any_event_names else {}
    if not body:
        raise typer.BadParameter("say what to change, for example --retention 180d")
    with _connect(context) as connection:
        _show(connection.patch(_path(name), json=body), as_json)


@app.command("delete", epilog="Example: tallymark projects delete site --yes")
def delete(
    context: typer.Context,
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Delete a project with its events and numbers; its keys stop working."""
    if not yes:
        typer.confirm(f"Delete project {name} with all its events and numbers?", abort=True, err=True)
    with _connect(context) as connection:
        answer = connection.delete(_path(name))
    if as_json:
        print_json(answer)
    else:
        typer.echo(f"Deleted project {answer['deleted']['name']}.")


def _connect(context: typer.Context) -> Connection:
    start: Start = context.obj
    return start.connect()


def _path(name: str) -> str:
    return f"/v1/projects/{quote(name, safe='')}"


def _given(**fields: Any) -> dict[str, Any]:
    return {field: value for field, value in fields.items() if value is not None}


def _show(answer: Any, as_json: bool) -> None:
    if as_json:
        print_json(answer)
    else:
        print_fields(_FIELDS, answer["project"])
