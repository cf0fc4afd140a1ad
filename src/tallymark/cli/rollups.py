"""`tallymark rollup`: run, backfill, status, check, table."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any, Final, Literal
from urllib.parse import quote

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tallymark.cli.connection import Connection, Start
from tallymark.cli.output import AsJson, print_json, print_table

app = typer.Typer(name="rollup", help="Refresh, rebuild and check rollups.", no_args_is_help=True)

ProjectOption = Annotated[str | None, typer.Option("--project", help="Name of the project; default: every project.")]

#: Tables, and the packs that have them.
TABLES: Final[Mapping[str, Sequence[str]]] = {
    "daily_metric_rollups": ("web", "ab"),
    "daily_ingest_rollups": ("web",),
    "experiment_metric_rollups": ("ab",),
    "funnel_rollups": ("ab",),
    "rollup_runs": ("ab",),
    "daily_aggregates": ("sdk",),
    "monthly_aggregates": ("sdk",),
    "app_activity": ("sdk",),
    "voice_queries": ("voice",),
    "voice_outcomes": ("voice",),
    "voice_evaluations": ("voice",),
    "quiz_attempts": ("quiz",),
    "quiz_answers": ("quiz",),
}
_ROLLUPS: Final = {
    "web": "/web/v1/rollups", "ab": "/ab/v1/rollups", "sdk": "/sdk/api/v1/rollups", "voice": "/voice/tables",
    "quiz": "/quiz/tables",
}  # fmt: skip
#: What a project is called where it isn't `project`.
_PROJECT_FIELDS: Final = {"web": "propertyId"}
_HIDDEN: Final = {"id", "property_id", "project", "created_at", "updated_at"}

_DAY_COLUMNS = {"project": "Project", "day": "Day", "outcome": "Outcome", "message": ""}
_STATUS_COLUMNS = {
    "project": "Project",
    "rolledUpThrough": "Rolled up through",
    "lagSeconds": "Lag, s",
    "lastRun": "Last run",
    "lastRunSeconds": "Took, s",
    "days": "Days",
    "sealedDays": "Sealed",
    "stale": "Stale days",
    "events": "Events",
}


@app.command("run", epilog="Example: tallymark rollup run --project site --window-days 14")
def run(
    context: typer.Context,
    project: ProjectOption = None,
    window_days: Annotated[
        int | None, typer.Option("--window-days", min=1, help="So many last days; default: every day.")
    ] = None,
    job: Annotated[
        Literal["daily", "experiments", "funnels", "all"], typer.Option(help="What to bring up to date.")
    ] = "all",
    as_json: AsJson = False,
) -> None:
    """Refresh the days whose events or definitions have changed, and the funnels made of them."""
    asked = {**_named(project), "job": job, **({} if window_days is None else {"windowDays": window_days})}
    with _connect(context) as connection:
        answer = connection.post("/v1/rollup/run", params=asked)
    if as_json:
        print_json(answer)
        return
    if answer["days"]:
        print_table(_DAY_COLUMNS, answer["days"])
    else:
        typer.echo("Nothing is stale.")
    made = [run for run in answer["runs"] if run["rows"]]
    if made:
        print_table({"project": "Project", "job": "Job", "rows": "Rows"}, made)


@app.command("backfill", epilog="Example: tallymark rollup backfill --from 2026-11-01 --to 2026-11-20 --project site")
def backfill(
    context: typer.Context,
    first: Annotated[str, typer.Option("--from", help="First day, YYYY-MM-DD.")],
    last: Annotated[str, typer.Option("--to", help="Last day, YYYY-MM-DD.")],
    project: ProjectOption = None,
    as_json: AsJson = False,
) -> None:
    """Compute the days of a window again, whether they changed or not. Numbers stay what they are."""
    with _connect(context) as connection:
        days = _backfill(connection, first, last, project)
    if as_json:
        print_json({"days": days})
        return
    outcomes = Counter(day["outcome"] for day in days)
    typer.echo(", ".join(f"{n} days {outcome}" for outcome, n in sorted(outcomes.items())) or "No days.")
    for day in days:
        if day["outcome"] == "sealed":
            typer.echo(f"  {day['message']}")


def _backfill(connection: Connection, first: str, last: str, project: str | None) -> list[dict[str, Any]]:
    days: list[dict[str, Any]] = []
    columns = (TextColumn("backfill, days"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("days", total=_length(first, last) if project else None)
        params = {"from": first, "to": last, **_named(project)}
        for line in connection.stream("POST", "/v1/rollup/backfill", params=params):
            said = json.loads(line)
            if "error" in said:
                typer.echo(f"error: {said['error']['message']}", err=True)
                raise typer.Exit(1)
            days.append(said)
            progress.advance(task)
    return days


def _length(first: str, last: str) -> int | None:
    try:
        return (date.fromisoformat(last) - date.fromisoformat(first)).days + 1
    except ValueError:
        return None


@app.command("status", epilog="Example: tallymark rollup status --json")
def status(context: typer.Context, project: ProjectOption = None, as_json: AsJson = False) -> None:
    """Show per project the day rolled up through, the lag, the last run and what is stale."""
    with _connect(context) as connection:
        answer = connection.get("/v1/rollup/status", params=_named(project))
    if as_json:
        print_json(answer)
        return
    print_table(_STATUS_COLUMNS, [{**p, "stale": _shortened(p["staleDays"])} for p in answer["projects"]])


def _shortened(days: list[str]) -> str:
    return ", ".join(days[:3]) + (f" and {len(days) - 3} more" if len(days) > 3 else "")


@app.command("check", epilog="Example: tallymark rollup check --project site --from 2026-11-01")
def check(
    context: typer.Context,
    project: ProjectOption = None,
    first: Annotated[str | None, typer.Option("--from", help="First day; default: every day.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="Last day; default: every day.")] = None,
    idempotency: Annotated[
        bool, typer.Option("--idempotency", help="Compute days twice instead, and compare what comes out.")
    ] = False,
    window_days: Annotated[
        int | None, typer.Option("--window-days", min=1, help="With --idempotency: so many last days; default: 14.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compare raw events with rollups; exits 1 with a table where they differ."""
    if idempotency:
        _rehearse(context, project, window_days, as_json)
        return
    params = {**_named(project), **({"from": first} if first else {}), **({"to": last} if last else {})}
    with _connect(context) as connection:
        answer = connection.get("/v1/rollup/check", params=params)
    if as_json:
        print_json(answer)
    elif answer["differences"]:
        print_table({"project": "Project", "day": "Day", "measure": "Measure", "raw": "Raw", "rollups": "Rollups"},
                    answer["differences"])  # fmt: skip
    else:
        waiting = f"; {len(answer['staleDays'])} wait for a refresh" if answer["staleDays"] else ""
        typer.echo(f"{answer['days']} days agree with their raw events{waiting}.")
    if answer["differences"]:
        raise typer.Exit(1)


def _rehearse(context: typer.Context, project: str | None, window_days: int | None, as_json: bool) -> None:
    """Says where computing days again would change anything; exits 1 where it would."""
    params = {**_named(project), **({} if window_days is None else {"windowDays": window_days})}
    with _connect(context) as connection:
        answer = connection.post("/v1/rollup/rehearse", params=params)
    if as_json:
        print_json(answer)
    elif answer["differences"]:
        columns = {"project": "Project", "day": "Day", "measure": "Measure", "dimension": "By", "key": "Key",
                   "before": "Before", "after": "After"}  # fmt: skip
        print_table(columns, answer["differences"])
    else:
        typer.echo(f"{answer['days']} days and {answer['funnelDays']} days of funnels come out the same.")
    if answer["differences"]:
        raise typer.Exit(1)


@app.command("table", epilog="Example: tallymark rollup table daily_metric_rollups --project site --from 2026-11-01")
def table(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help=f"{', '.join(TABLES)}.")],
    project: Annotated[str | None, typer.Option("--project", help="Name of a project with the table's pack.")] = None,
    first: Annotated[str | None, typer.Option("--from", help="First day; default: of 30 days.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="Last day; default: today.")] = None,
    month: Annotated[str | None, typer.Option(help="Month of a table of counters; default: the current one.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show a project's days as the rows of a view in the engine."""
    if name not in TABLES:
        raise typer.BadParameter(f"there is no table {name}; there are {', '.join(TABLES)}")
    asked = {"from": first, "to": last, "month": month}
    with _connect(context) as connection:
        pack = _pack_of(connection, TABLES[name], project)
        params = {_PROJECT_FIELDS.get(pack, "project"): project, **asked}
        answer = connection.get(f"{_ROLLUPS[pack]}/{name}", params={k: v for k, v in params.items() if v})
    if as_json:
        print_json(answer)
    elif answer["rows"]:
        columns = {column: column for column in answer["rows"][0] if column not in _HIDDEN}
        print_table(columns, [{c: _short(v) for c, v in row.items()} for row in answer["rows"]])
    else:
        typer.echo("No days.")


def _pack_of(connection: Connection, packs: Sequence[str], project: str | None) -> str:
    """The pack that a table is asked of: of several the first that the project has."""
    if len(packs) == 1 or project is None:
        return packs[0]
    has = connection.get(f"/v1/projects/{quote(project, safe='')}")["project"]["packs"]
    return next((pack for pack in packs if pack in has), packs[0])


def _short(value: Any) -> Any:
    """A cell of a table: of a list how long it is, of counts by name these."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {n}" for name, n in value.items())
    return f"{len(value)} paths" if isinstance(value, list) else value


def _named(project: str | None) -> dict[str, str]:
    return {"project": project} if project else {}


def _connect(context: typer.Context) -> Connection:
    start: Start = context.obj
    return start.connect()
