"""`tallymark query`: a question from the command line."""

from typing import Annotated, Any, Final

import typer

from tallymark.cli.connection import Start
from tallymark.cli.output import AsJson, print_json, print_table
from tallymark.cli.segments import SegmentKeys
from tallymark.cli.sparkline import sparkline

app = typer.Typer()

_TOTALS: Final = {"metric": "Metric", "value": "Value", "previous": "Before", "delta": "Change", "course": "Course"}


@app.command("query", epilog="Example: tallymark query site visitors,page_views --by path --compare-to previous")
def query(
    context: typer.Context,
    project: Annotated[str, typer.Argument(help="Name of the project.")],
    metrics: Annotated[str, typer.Argument(help="Names of metrics, separated by commas.")],
    first: Annotated[str | None, typer.Option("--from", help="First day; default 30 days ago.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="Last day; default today.")] = None,
    grain: Annotated[str | None, typer.Option(help="hour, day, week or month.")] = None,
    by: Annotated[str | None, typer.Option(help="Dimension to break down by.")] = None,
    filter_: Annotated[list[str] | None, typer.Option("--filter", help="dimension:operator:value|value")] = None,
    segment: SegmentKeys = None,
    compare_to: Annotated[str | None, typer.Option(help="previous, or FROM..TO.")] = None,
    timezone: Annotated[str | None, typer.Option(help="Zone of the days; default the project's.")] = None,
    limit: Annotated[int | None, typer.Option(help="Most rows of a breakdown.")] = None,
    as_json: AsJson = False,
) -> None:
    """Ask for numbers: totals with their course, and a breakdown with --by."""
    given = {
        "project": project, "metrics": metrics, "from": first, "to": last, "grain": grain, "by": by, "filter": filter_,
        "segment": segment, "compareTo": compare_to, "timezone": timezone, "limit": limit,
    }  # fmt: skip
    start: Start = context.obj
    with start.connect() as connection:
        answer = connection.get("/v1/query", params={name: value for name, value in given.items() if value})
    if as_json:
        print_json(answer)
        return
    print_table(_TOTALS, _totals(answer))
    if "breakdown" in answer:
        typer.echo()
        names = list(answer["metrics"])
        print_table({"key": answer["by"], **{name: name for name in names}}, answer["breakdown"])


def _totals(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """A row for each metric; changes in percent, as people read them."""
    return [
        {"metric": name, **told, "delta": _percent(told["delta"]), "course": _course(told)}
        for name, told in answer["metrics"].items()
    ]


def _percent(delta: float | None) -> str | None:
    return None if delta is None else f"{delta:+.1%}"


def _course(told: dict[str, Any]) -> str:
    return sparkline([point["value"] for point in told["series"]])
