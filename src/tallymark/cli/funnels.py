"""`tallymark funnels`: list, set, delete, show, run."""

from typing import Annotated, Any, Final

import typer

from tallymark.cli.connection import Connection, Start
from tallymark.cli.output import AsJson, print_fields, print_json, print_table
from tallymark.cli.segments import SegmentKeys
from tallymark.spec.funnel_draft import read_name
from tallymark.spec.selection import read_text

app = typer.Typer(name="funnels", help="How far actors come, and the funnels there are.", no_args_is_help=True)

_COLUMNS: Final = {
    "name": "Step", "actors": "Actors", "conversion": "Of first", "stepConversion": "Of last", "dropped": "Dropped",
    "medianSeconds": "Median s", "p90Seconds": "90 % s",
}  # fmt: skip
_DECLARED: Final = {"name": "Name", "title": "Title", "path": "Steps", "within": "Within", "by": "Declared by"}

Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the funnel.")]
ProjectOption = Annotated[str | None, typer.Option("--project", help="Name of the project; default: the key's own.")]
Steps = Annotated[
    list[str], typer.Option("--step", help="A step: an event's name, or {name, event, where} as JSON; again for each.")
]
Within = Annotated[str | None, typer.Option(help="From first to last step: 30m, 12h, 7d; default 7d.")]
FirstDay = Annotated[str | None, typer.Option("--from", help="First day; default 30 days ago.")]
LastDay = Annotated[str | None, typer.Option("--to", help="Last day; default today.")]
Zone = Annotated[str | None, typer.Option(help="Zone of the days; default the project's.")]
By = Annotated[str | None, typer.Option(help="Dimension of the first step, or variant.")]
Experiment = Annotated[str | None, typer.Option(help="Key of the experiment of --by variant.")]
Filters = Annotated[list[str] | None, typer.Option("--filter", help="dimension:operator:value|value")]
Limit = Annotated[int | None, typer.Option(help="Most groups.")]


@app.command("list", epilog="Example: tallymark funnels list --project site")
def list_(context: typer.Context, project: ProjectOption = None, as_json: AsJson = False) -> None:
    """List the funnels that a project has, its own and those of its packs."""
    with _connect(context) as connection:
        answer = connection.get("/v1/funnels/declared", params=_given(project=project))
    if as_json:
        print_json(answer)
    elif answer["funnels"]:
        print_table(_DECLARED, [_declared(funnel) for funnel in answer["funnels"]])
    else:
        typer.echo("There are no funnels.")


@app.command(
    "set", epilog="Example: tallymark funnels set signup --project site --step page_view --step form_submit --within 1d"
)
def set_(
    context: typer.Context,
    name: Name,
    step: Steps,
    project: ProjectOption = None,
    title: Annotated[str | None, typer.Option(help="What people call it; default: its name.")] = None,
    within: Within = None,
    as_json: AsJson = False,
) -> None:
    """Declare a funnel of a project, or declare it anew."""
    body = {"steps": [read_text(text, "step") for text in step], **_given(title=title, within=within)}
    with _connect(context) as connection:
        answer = connection.put(f"/v1/funnels/{read_name(name)}", params=_given(project=project), json=body)
    if as_json:
        print_json(answer)
    else:
        print_fields({"name": "Name", "title": "Title", "path": "Steps", "within": "Within"}, _told(answer["funnel"]))


@app.command("delete", epilog="Example: tallymark funnels delete signup --project site")
def delete(context: typer.Context, name: Name, project: ProjectOption = None, as_json: AsJson = False) -> None:
    """Forget a funnel that a project declares."""
    with _connect(context) as connection:
        answer = connection.delete(f"/v1/funnels/{read_name(name)}", params=_given(project=project))
    if as_json:
        print_json(answer)
    else:
        typer.echo(f"Deleted funnel {answer['deleted']['name']}.")


@app.command("show", epilog="Example: tallymark funnels show web_forms --project site --from 2026-11-01 --by country")
def show(
    context: typer.Context,
    name: Name,
    project: ProjectOption = None,
    first: FirstDay = None,
    last: LastDay = None,
    timezone: Zone = None,
    within: Within = None,
    filter_: Filters = None,
    segment: SegmentKeys = None,
    by: By = None,
    experiment: Experiment = None,
    limit: Limit = None,
    as_json: AsJson = False,
) -> None:
    """Ask for a funnel that is declared."""
    asked = {"name": name, "project": project, "from": first, "to": last, "timezone": timezone, "within": within,
             "filter": filter_, "segment": segment, "by": by, "experiment": experiment, "limit": limit}  # fmt: skip
    _ask(context, asked, as_json)


@app.command("run", epilog="Example: tallymark funnels run --project site --step page_view --step form_submit")
def run(
    context: typer.Context,
    step: Steps,
    project: ProjectOption = None,
    first: FirstDay = None,
    last: LastDay = None,
    timezone: Zone = None,
    within: Within = None,
    filter_: Filters = None,
    segment: SegmentKeys = None,
    by: By = None,
    experiment: Experiment = None,
    limit: Limit = None,
    as_json: AsJson = False,
) -> None:
    """Ask for a funnel of any steps."""
    asked = {"step": step, "project": project, "from": first, "to": last, "timezone": timezone, "within": within,
             "filter": filter_, "segment": segment, "by": by, "experiment": experiment, "limit": limit}  # fmt: skip
    _ask(context, asked, as_json)


def _ask(context: typer.Context, asked: dict[str, Any], as_json: bool) -> None:
    with _connect(context) as connection:
        answer = connection.get("/v1/funnels", params=_given(**asked))
    if as_json:
        print_json(answer)
        return
    print_table(_COLUMNS, answer["steps"])
    for group in answer.get("groups", ()):
        typer.echo(f"\n{answer['by']}: {group['key'] or '(none)'}")
        print_table(_COLUMNS, group["steps"])


def _declared(funnel: dict[str, Any]) -> dict[str, Any]:
    return {**_told(funnel), "by": funnel.get("pack", "project")}


def _told(funnel: dict[str, Any]) -> dict[str, Any]:
    return {**funnel, "path": " > ".join(step["name"] for step in funnel["steps"])}


def _given(**parameters: Any) -> dict[str, Any]:
    return {name: value for name, value in parameters.items() if value is not None}


def _connect(context: typer.Context) -> Connection:
    start: Start = context.obj
    return start.connect()
