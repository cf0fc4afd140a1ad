"""`tallymark sync`: the rows of tables elsewhere, through the same pipeline as any other event.

Each run goes on where the last one has come to; a row that is read again changes nothing.
"""

import math
from typing import Annotated

import typer

from tallymark.cli.connection import Connection, Start
from tallymark.cli.intake import DryRun, Intake, Map, ProjectName, Set, pairs
from tallymark.cli.output import AsJson, print_json, print_table
from tallymark.cli.sync_run import Plan, run
from tallymark.ingest.postgres.source import Source
from tallymark.ingest.tables import Columns

app = typer.Typer(name="sync", help="Take the rows of tables elsewhere in, again and again.", no_args_is_help=True)

_COLUMNS = {"name": "Sync", "rows": "Rows", "updatedAt": "Last", "cursor": "Place"}

Dsn = Annotated[
    str | None,
    typer.Option(metavar="URL", help="postgresql://…; better in TALLYMARK_SYNC_DSN, where nobody else reads it."),
]
Scale = Annotated[
    list[str] | None,
    typer.Option("--scale", metavar="COLUMN=FACTOR", help="Multiply a column: seconds=1000; repeatable."),
]
IdColumns = Annotated[
    str, typer.Option(metavar="A,B", help="What makes a row an event of its own; default: its primary key.")
]
Overlap = Annotated[
    str | None,
    typer.Option(metavar="SPAN", help="How far back to read again: 5m; 1d of dates; 1000 of numbers; 0 is none."),
]


@app.command(
    "postgres",
    epilog="Example: tallymark sync postgres --table quiz_results --cursor updated_at --project quiz "
    "--set event=quiz_submitted --map timestamp=created_at --map userId=user_id --map properties.quizId=quiz_id",
)
def postgres(
    context: typer.Context,
    table: Annotated[str, typer.Option(metavar="NAME", help="Table or view to read.")],
    cursor: Annotated[str, typer.Option(metavar="COLUMN", help="Column that grows: a time, a number, a UUIDv7.")],
    project: ProjectName = "",
    dsn: Dsn = None,
    schema: Annotated[str, typer.Option(metavar="NAME", help="Schema of the table.")] = "public",
    map_: Map = None,
    set_: Set = None,
    scale: Scale = None,
    id_columns: IdColumns = "",
    all_columns: Annotated[
        bool, typer.Option("--all-columns", help="Also read columns that are not mapped, as properties.")
    ] = False,
    name: Annotated[str, typer.Option(metavar="NAME", help="Name of the sync; default: SCHEMA.TABLE:EVENT.")] = "",
    overlap: Overlap = None,
    batch: Annotated[int, typer.Option(min=1, max=50_000, help="Rows to read and send at once.")] = 5_000,
    restart: Annotated[bool, typer.Option("--restart", help="Begin with the first row again.")] = False,
    create: Annotated[bool, typer.Option("--create", help="Create the project (pack quiz) if there is none.")] = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Take in the rows of a PostgreSQL table since the last run. It is only read; what isn't mapped isn't."""
    start: Start = context.obj
    intake = Intake(start, project, create, dry_run, as_json, ("quiz",))
    intake.check()
    columns = Columns(pairs("--map", map_ or []), pairs("--set", set_ or []), drop_unmapped=not all_columns)
    ids = tuple(part.strip() for part in id_columns.split(",") if part.strip())
    plan = Plan(schema, table, cursor, columns, _scales(scale or []), ids, overlap, batch)
    address = dsn or start.settings().sync_dsn
    if not address:
        raise typer.BadParameter("say which database, as in --dsn postgresql://… or TALLYMARK_SYNC_DSN")
    with Source(address) as source:
        run(intake, source, plan, name or plan.name(), restart)


@app.command("list", epilog="Example: tallymark sync list --project quiz")
def list_(context: typer.Context, project: ProjectName = "", as_json: AsJson = False) -> None:
    """List the syncs of a project and how far they are."""
    with _connect(context) as connection:
        answer = connection.get("/v1/syncs", params={"project": project} if project else None)
    if as_json:
        print_json(answer)
    elif answer["syncs"]:
        print_table(_COLUMNS, answer["syncs"])
    else:
        typer.echo("There are no syncs.")


def _scales(texts: list[str]) -> dict[str, float]:
    try:
        scales = {name: float(text) for name, text in pairs("--scale", texts).items()}
    except ValueError:
        raise typer.BadParameter("--scale takes numbers, as in --scale seconds=1000") from None
    if not all(map(math.isfinite, scales.values())):
        raise typer.BadParameter("--scale takes finite numbers")
    return scales


def _connect(context: typer.Context) -> Connection:
    start: Start = context.obj
    return start.connect()
