"""`tallymark experiments`: create, list, show, start, stop, ship, archive, kill, delete, audit."""

import json
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from tallymark.cli.connection import Connection, Start
from tallymark.cli.experiment_options import finite, read_definition, read_metric, read_variant
from tallymark.cli.experiment_results import results
from tallymark.cli.output import AsJson, print_fields, print_json, print_table
from tallymark.spec.json_values import key as checked

app = typer.Typer(name="experiments", help="Define, start, stop and ship experiments.", no_args_is_help=True)
app.command("results", epilog="Example: tallymark experiments results checkout --project shop")(results)

_FIELDS: Final = {
    "key": "Key", "name": "Name", "status": "Status", "shipped": "Shipped", "killed": "Killed",
    "hypothesis": "Hypothesis", "variants": "Variants", "coverage": "Coverage", "seed": "Seed",
    "namespace": "Namespace", "holdout": "Holdout", "targeting": "Targeting", "forced": "Forced", "metrics": "Metrics",
    "alpha": "Alpha", "correction": "Correction", "preDays": "Days before", "createdAt": "Created",
    "startedAt": "Started", "stoppedAt": "Stopped", "revision": "Revision",
}  # fmt: skip
_COLUMNS: Final = {
    "key": "Key", "status": "Status", "variants": "Variants", "coverage": "Coverage", "metrics": "Metrics",
    "startedAt": "Started", "stoppedAt": "Stopped",
}  # fmt: skip
_AUDIT: Final = {"at": "When", "action": "What", "by": "Who", "detail": "Detail"}

Key = Annotated[str, typer.Argument(metavar="KEY", help="Key of the experiment.")]
Coverage = Annotated[float | None, typer.Option(callback=finite, help="Share of the units that takes part, 0 to 1.")]
ProjectOption = Annotated[str | None, typer.Option("--project", help="Name of the project; default: the key's own.")]


@app.command(
    "create",
    epilog="Example: tallymark experiments create checkout --project shop --variant control --variant blue:2 "
    "--metric conversion:purchase",
)
def create(
    context: typer.Context,
    key: Annotated[
        str | None, typer.Argument(metavar="[KEY]", help="Key of the experiment; default: the file's.")
    ] = None,
    project: ProjectOption = None,
    variant: Annotated[
        list[str] | None, typer.Option("--variant", help="KEY or KEY:WEIGHT, control first; may be given again.")
    ] = None,
    metric: Annotated[
        list[str] | None,
        typer.Option("--metric", help="[NAME=]KIND:EVENT[:OF], as in mean:purchase:value; may be given again."),
    ] = None,
    name: Annotated[str | None, typer.Option(help="What people call it.")] = None,
    hypothesis: Annotated[str | None, typer.Option(help="What is expected, and why.")] = None,
    coverage: Coverage = None,
    file: Annotated[
        Path | None, typer.Option("--file", allow_dash=True, help="Definition as JSON, - for standard input.")
    ] = None,
    start: Annotated[bool, typer.Option("--start", help="Start it at once.")] = False,
    as_json: AsJson = False,
) -> None:
    """Create an experiment: a draft, until it is started. Options win over the file."""
    said = {
        "key": key, "name": name, "hypothesis": hypothesis, "coverage": coverage,
        "variants": [*map(read_variant, variant or ())], "metrics": [*map(read_metric, metric or ())],
    }  # fmt: skip
    body = {**read_definition(file), **{field: value for field, value in said.items() if value not in (None, [])}}
    with _connect(context) as connection:
        answer = connection.post("/v1/experiments", params=_of(project), json=body)
        if start:
            path = _path(answer["experiment"]["key"], "start")
            answer = connection.post(path, params=_of(project))
    _print(answer, as_json)


@app.command("list", epilog="Example: tallymark experiments list --project shop")
def list_(context: typer.Context, project: ProjectOption = None, as_json: AsJson = False) -> None:
    """List the experiments of a project."""
    with _connect(context) as connection:
        answer = connection.get("/v1/experiments", params=_of(project))
    if as_json:
        print_json(answer)
    elif answer["experiments"]:
        print_table(_COLUMNS, map(_shown, answer["experiments"]))
    else:
        typer.echo("There are no experiments yet: tallymark experiments create KEY --variant control --variant blue")


@app.command("show", epilog="Example: tallymark experiments show checkout --project shop")
def show(context: typer.Context, key: Key, project: ProjectOption = None, as_json: AsJson = False) -> None:
    """Show the definition and the status of an experiment."""
    with _connect(context) as connection:
        answer = connection.get(_path(key), params=_of(project))
    _print(answer, as_json)


@app.command(
    "update", epilog="Example: tallymark experiments update checkout --project shop --coverage 0.5 --variant blue:3"
)
def update(
    context: typer.Context,
    key: Key,
    project: ProjectOption = None,
    variant: Annotated[
        list[str] | None, typer.Option("--variant", help="KEY:WEIGHT of a variant it has; may be given again.")
    ] = None,
    coverage: Coverage = None,
    file: Annotated[
        Path | None, typer.Option("--file", allow_dash=True, help="Fields to change as JSON, - for standard input.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Change an experiment: what is not named stays as it is."""
    weights = {item["key"]: item for item in map(read_variant, variant or ())}
    with _connect(context) as connection:
        body = read_definition(file) | ({} if coverage is None else {"coverage": coverage})
        if weights:
            known = connection.get(_path(key), params=_of(project))["experiment"]["variants"]
            body["variants"] = [weights.pop(item["key"], {"key": item["key"]}) for item in known] + [*weights.values()]
        if not body:
            raise typer.BadParameter("say what to change, for example --coverage 0.5")
        answer = connection.patch(_path(key), params=_of(project), json=body)
    _print(answer, as_json)


@app.command("start", epilog="Example: tallymark experiments start checkout --project shop")
def start(context: typer.Context, key: Key, project: ProjectOption = None, as_json: AsJson = False) -> None:
    """Start a draft, or a stopped experiment again."""
    _do(context, key, "start", project, as_json)


@app.command("stop", epilog="Example: tallymark experiments stop checkout --project shop")
def stop(context: typer.Context, key: Key, project: ProjectOption = None, as_json: AsJson = False) -> None:
    """Stop an experiment: everybody gets control."""
    _do(context, key, "stop", project, as_json)


@app.command("ship", epilog="Example: tallymark experiments ship checkout --variant blue --project shop")
def ship(
    context: typer.Context,
    key: Key,
    variant: Annotated[str, typer.Option(help="The variant that everybody gets.")],
    project: ProjectOption = None,
    as_json: AsJson = False,
) -> None:
    """End an experiment and give one of its variants to everybody."""
    _do(context, key, "ship", project, as_json, {"variant": variant})


@app.command("archive", epilog="Example: tallymark experiments archive checkout --project shop")
def archive(context: typer.Context, key: Key, project: ProjectOption = None, as_json: AsJson = False) -> None:
    """Put an experiment away for good; its results stay."""
    _do(context, key, "archive", project, as_json)


@app.command("kill", epilog="Example: tallymark experiments kill checkout --project shop")
def kill(
    context: typer.Context,
    key: Key,
    project: ProjectOption = None,
    undo: Annotated[bool, typer.Option("--undo", help="Go on with the experiment.")] = False,
    as_json: AsJson = False,
) -> None:
    """Give control to everybody at once, until it is undone."""
    with _connect(context) as connection:
        answer = connection.patch(_path(key), params=_of(project), json={"killed": not undo})
    _print(answer, as_json)


@app.command("delete", epilog="Example: tallymark experiments delete checkout --project shop")
def delete(context: typer.Context, key: Key, project: ProjectOption = None, as_json: AsJson = False) -> None:
    """Delete an experiment that never started."""
    with _connect(context) as connection:
        answer = connection.delete(_path(key), params=_of(project))
    if as_json:
        print_json(answer)
    else:
        typer.echo(f"Deleted experiment {answer['deleted']['key']}.")


@app.command("audit", epilog="Example: tallymark experiments audit checkout --project shop")
def audit(context: typer.Context, key: Key, project: ProjectOption = None, as_json: AsJson = False) -> None:
    """Show who did what to an experiment, newest first."""
    with _connect(context) as connection:
        answer = connection.get(_path(key, "audit"), params=_of(project))
    if as_json:
        print_json(answer)
    else:
        print_table(_AUDIT, [{**deed, "detail": _one_line(deed["detail"])} for deed in answer["audit"]])


def _do(context: typer.Context, key: str, action: str, project: str | None, as_json: bool, body: object = None) -> None:
    with _connect(context) as connection:
        answer = connection.post(_path(key, action), params=_of(project), json=body)
    _print(answer, as_json)


def _print(answer: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(answer)
        return
    experiment = _shown(answer["experiment"])
    print_fields(
        {field: name for field, name in _FIELDS.items() if experiment[field] not in (None, "", [])}, experiment
    )


def _shown(experiment: dict[str, Any]) -> dict[str, Any]:
    """An experiment as a table tells it."""
    total = sum(variant["weight"] for variant in experiment["variants"])
    return {
        **experiment,
        "variants": [f"{variant['key']} {variant['weight'] / total:.4g}" for variant in experiment["variants"]],
        "metrics": [metric["name"] for metric in experiment["metrics"]],
        "killed": "yes" if experiment["killed"] else None,
        "namespace": _one_line(experiment["namespace"]),
        "holdout": _one_line(experiment["holdout"]),
        "targeting": _one_line(experiment["targeting"]),
        "forced": _one_line(experiment["forced"]),
    }


def _one_line(value: object) -> str:
    """A value as JSON; nothing for nothing."""
    return json.dumps(value, ensure_ascii=False) if value else ""


def _path(key: str, action: str = "") -> str:
    path = f"/v1/experiments/{checked(key, 'key')}"
    return f"{path}/{action}" if action else path


def _of(project: str | None) -> dict[str, Any]:
    return {"project": project} if project else {}


def _connect(context: typer.Context) -> Connection:
    begin: Start = context.obj
    return begin.connect()
