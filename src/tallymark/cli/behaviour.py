"""`tallymark retention`, `lifecycle`, `stickiness`, `journeys`: who comes back, and which way actors take."""

from collections.abc import Iterator
from typing import Annotated, Any, Final

import typer

from tallymark.cli.connection import Start
from tallymark.cli.output import AsJson, print_json, print_table
from tallymark.cli.segments import SegmentKeys

app = typer.Typer()

Project = Annotated[str, typer.Argument(help="Name of the project.")]
FirstDay = Annotated[str | None, typer.Option("--from", help="First day; default 30 days ago.")]
LastDay = Annotated[str | None, typer.Option("--to", help="Last day; default today.")]
Zone = Annotated[str | None, typer.Option(help="Zone of the days; default the project's.")]
Period = Annotated[str | None, typer.Option(help="day, week or month.")]
Event = Annotated[str | None, typer.Option(help="The event that counts; default: any.")]
Filters = Annotated[list[str] | None, typer.Option("--filter", help="dimension:operator:value|value")]

_LIFECYCLE: Final = {
    "t": "Period", "actors": "Actors", "new": "New", "returning": "Returning", "resurrecting": "Resurrecting",
    "dormant": "Dormant",
}  # fmt: skip
_DAYS: Final = {"days": "Days", "actors": "Actors", "share": "Share"}
_RECENT: Final = {
    "day": "Day", "dau": "DAU", "wau": "WAU", "mau": "MAU", "dauWau": "DAU / WAU", "dauMau": "DAU / MAU",
    "wauMau": "WAU / MAU",
}  # fmt: skip
_PATHS: Final = {"way": "Way", "actors": "Actors", "sessions": "Sessions", "share": "Share"}


@app.command("retention", epilog="Example: tallymark retention site --period week --periods 8 --from 2026-09-01")
def retention(
    context: typer.Context,
    project: Project,
    first: FirstDay = None,
    last: LastDay = None,
    timezone: Zone = None,
    period: Period = None,
    periods: Annotated[int | None, typer.Option(help="Periods after a cohort's own.")] = None,
    cohort: Annotated[str | None, typer.Option(help="first, or the event that actors begin with.")] = None,
    returning: Annotated[str | None, typer.Option(help="any, or the event that counts.")] = None,
    filter_: Filters = None,
    segment: SegmentKeys = None,
    by: Annotated[str | None, typer.Option(help="Dimension of the day that actors begin on.")] = None,
    limit: Annotated[int | None, typer.Option(help="Most groups.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show cohorts, and the share of each that came back in later periods."""
    asked = {"project": project, "from": first, "to": last, "timezone": timezone, "period": period, "periods": periods,
             "cohort": cohort, "returning": returning, "filter": filter_, "segment": segment, "by": by,
             "limit": limit}  # fmt: skip
    answer = _ask(context, "/v1/retention", asked, as_json)
    if answer is None:
        return
    later = {str(after): str(after) for after in range(answer["periods"] + 1)}
    for table in answer.get("groups", [answer]):
        if "key" in table:
            typer.echo(f"\n{answer['by']}: {table['key'] or '(none)'}")
        print_table({"t": "Cohort", "actors": "Actors", **later}, list(_cohorts(table)))


@app.command("lifecycle", epilog="Example: tallymark lifecycle site --period week --from 2026-09-01")
def lifecycle(
    context: typer.Context,
    project: Project,
    first: FirstDay = None,
    last: LastDay = None,
    timezone: Zone = None,
    period: Period = None,
    event: Event = None,
    filter_: Filters = None,
    segment: SegmentKeys = None,
    as_json: AsJson = False,
) -> None:
    """Show new, returning, resurrecting and dormant actors of each period."""
    asked = {"project": project, "from": first, "to": last, "timezone": timezone, "period": period, "event": event,
             "filter": filter_, "segment": segment}  # fmt: skip
    answer = _ask(context, "/v1/lifecycle", asked, as_json)
    if answer is not None:
        print_table(_LIFECYCLE, answer["series"])


@app.command("stickiness", epilog="Example: tallymark stickiness site --within month")
def stickiness(
    context: typer.Context,
    project: Project,
    first: FirstDay = None,
    last: LastDay = None,
    timezone: Zone = None,
    within: Annotated[str | None, typer.Option(help="week or month.")] = None,
    event: Event = None,
    filter_: Filters = None,
    segment: SegmentKeys = None,
    as_json: AsJson = False,
) -> None:
    """Show on how many days of a week or month actors are active."""
    asked = {"project": project, "from": first, "to": last, "timezone": timezone, "within": within, "event": event,
             "filter": filter_, "segment": segment}  # fmt: skip
    answer = _ask(context, "/v1/stickiness", asked, as_json)
    if answer is not None:
        print_table(_DAYS, answer["overall"])
        typer.echo()
        print_table(_RECENT, [answer["recent"]])


@app.command("journeys", epilog="Example: tallymark journeys site --start page_view --depth 4")
def journeys(
    context: typer.Context,
    project: Project,
    first: FirstDay = None,
    last: LastDay = None,
    timezone: Zone = None,
    node: Annotated[str | None, typer.Option(help="event, or path: of views.")] = None,
    begin: Annotated[str | None, typer.Option("--start", help="Where they begin.")] = None,
    end: Annotated[str | None, typer.Option(help="Where they end instead.")] = None,
    depth: Annotated[int | None, typer.Option(help="Most stations, 2 to 10.")] = None,
    filter_: Filters = None,
    segment: SegmentKeys = None,
    limit: Annotated[int | None, typer.Option(help="Most ways.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show the ways that most actors take through their sessions."""
    asked = {"project": project, "from": first, "to": last, "timezone": timezone, "node": node, "start": begin,
             "end": end, "depth": depth, "filter": filter_, "segment": segment, "limit": limit}  # fmt: skip
    answer = _ask(context, "/v1/journeys", asked, as_json)
    if answer is not None:
        print_table(_PATHS, [{**path, "way": " > ".join(path["path"])} for path in answer["paths"]])


def _ask(context: typer.Context, path: str, asked: dict[str, Any], as_json: bool) -> dict[str, Any] | None:
    """The answer; None where it is printed as JSON already."""
    start: Start = context.obj
    with start.connect() as connection:
        answer = connection.get(path, params={name: value for name, value in asked.items() if value is not None})
    if not as_json:
        found: dict[str, Any] = answer
        return found
    print_json(answer)
    return None


def _cohorts(table: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The rows of a table of cohorts: shares by how many periods after."""
    for cohort in table["cohorts"]:
        shares = {str(later["period"]): later["share"] for later in cohort["periods"]}
        yield {"t": cohort["t"], "actors": cohort["actors"], **shares}
