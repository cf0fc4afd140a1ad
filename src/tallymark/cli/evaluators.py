"""`tallymark evaluators`: create, list, show, update, pause, resume, archive, audit."""

import json
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from tallymark.cli.connection import Connection, Start
from tallymark.cli.experiment_options import finite, read_definition
from tallymark.cli.output import AsJson, print_fields, print_json, print_table
from tallymark.spec.json_values import key as checked

app = typer.Typer(name="evaluators", help="Say who judges answers, and by what.", no_args_is_help=True)

_FIELDS: Final = {
    "name": "Name", "status": "Status", "pauseReason": "Why", "judge": "Judge", "model": "Model",
    "sampleRate": "Sample rate", "filter": "Filter", "prompt": "Prompt", "rubric": "Rubric",
    "inputPrice": "Input price", "outputPrice": "Output price", "failuresInRow": "Failures in a row",
    "createdAt": "Created", "updatedAt": "Updated",
}  # fmt: skip
_COLUMNS: Final = {
    "name": "Name", "status": "Status", "judge": "Judge", "model": "Model", "sampleRate": "Sample rate",
    "filter": "Filter", "updatedAt": "Updated",
}  # fmt: skip
_COUNTS: Final = {"waiting": "Waiting", "running": "Running", "done": "Judged", "dead": "Dead", "gone": "Gone"}
_VERSIONS: Final = {
    "version": "Version", "createdAt": "When", "by": "Who", "judge": "Judge", "model": "Model",
    "sampleRate": "Sample rate",
}  # fmt: skip
_AUDIT: Final = {"at": "When", "action": "What", "by": "Who", "detail": "Detail"}

Key = Annotated[str, typer.Argument(metavar="KEY", help="Key of the evaluator.")]
ProjectOption = Annotated[str | None, typer.Option("--project", help="Name of the project; default: the key's own.")]
Judge = Annotated[str | None, typer.Option(help="Who judges: rules, gemini or openai.")]
Model = Annotated[str | None, typer.Option(help="Model of a judge that is one.")]
Prompt = Annotated[
    Path | None,
    typer.Option("--prompt", allow_dash=True, help="File with instructions to a model, - for standard input."),
]
Rubric = Annotated[Path | None, typer.Option("--rubric", help="File that says what scores mean.")]
Sample = Annotated[float | None, typer.Option("--sample", callback=finite, help="Share of the answers, 0 to 1.")]
Filters = Annotated[
    list[str] | None, typer.Option("--filter", help="What must hold, as in language:is:de; may be given again.")
]
InputPrice = Annotated[
    float | None, typer.Option(callback=finite, help="US dollars for a million tokens that a model reads.")
]
OutputPrice = Annotated[
    float | None, typer.Option(callback=finite, help="US dollars for a million tokens that a model writes.")
]
Definition = Annotated[
    Path | None, typer.Option("--file", allow_dash=True, help="Definition as JSON, - for standard input.")
]


@app.command(
    "create",
    epilog="Example: tallymark evaluators create tone --project voice --judge gemini --model gemini-flash-latest "
    "--sample 0.25",
)
def create(
    context: typer.Context,
    key: Annotated[
        str | None, typer.Argument(metavar="[KEY]", help="Key of the evaluator; default: the file's.")
    ] = None,
    project: ProjectOption = None,
    judge: Judge = None,
    model: Model = None,
    prompt: Prompt = None,
    rubric: Rubric = None,
    sample: Sample = None,
    filter_: Filters = None,
    input_price: InputPrice = None,
    output_price: OutputPrice = None,
    file: Definition = None,
    as_json: AsJson = False,
) -> None:
    """Create an evaluator, which judges what is answered from now on. Options win over the file."""
    said = _said(judge, model, prompt, rubric, sample, filter_, input_price, output_price)
    body = {**read_definition(file), **({} if key is None else {"key": key}), **said}
    with _connect(context) as connection:
        answer = connection.post("/v1/evaluators", params=_of(project), json=body)
    _print(answer, as_json)


@app.command("list", epilog="Example: tallymark evaluators list --project voice")
def list_(context: typer.Context, project: ProjectOption = None, as_json: AsJson = False) -> None:
    """List the evaluators of a project."""
    with _connect(context) as connection:
        answer = connection.get("/v1/evaluators", params=_of(project))
    if as_json:
        print_json(answer)
    elif answer["evaluators"]:
        print_table(_COLUMNS, answer["evaluators"])
    else:
        typer.echo("There are no evaluators yet: one is made with the first answers, or by tallymark evaluators create")


@app.command("show", epilog="Example: tallymark evaluators show quality --project voice")
def show(context: typer.Context, key: Key, project: ProjectOption = None, as_json: AsJson = False) -> None:
    """Show the definition, the progress and the versions of an evaluator."""
    with _connect(context) as connection:
        answer = connection.get(_path(key), params=_of(project))
    _print(answer, as_json)
    if not as_json:
        print_fields(_COUNTS, answer["counts"])
        print_table(_VERSIONS, answer["versions"])


@app.command("update", epilog="Example: tallymark evaluators update quality --project voice --sample 0.5")
def update(
    context: typer.Context,
    key: Key,
    project: ProjectOption = None,
    judge: Judge = None,
    model: Model = None,
    prompt: Prompt = None,
    rubric: Rubric = None,
    sample: Sample = None,
    filter_: Filters = None,
    input_price: InputPrice = None,
    output_price: OutputPrice = None,
    file: Definition = None,
    as_json: AsJson = False,
) -> None:
    """Change an evaluator, which makes a version: what is not named stays as it is."""
    said = _said(judge, model, prompt, rubric, sample, filter_, input_price, output_price)
    body = {**read_definition(file), **said}
    if not body:
        raise typer.BadParameter("say what to change, for example --sample 0.5")
    with _connect(context) as connection:
        answer = connection.patch(_path(key), params=_of(project), json=body)
    _print(answer, as_json)


@app.command("pause", epilog="Example: tallymark evaluators pause quality --project voice")
def pause(context: typer.Context, key: Key, project: ProjectOption = None, as_json: AsJson = False) -> None:
    """Judge nothing more for now; answers wait meanwhile."""
    _do(context, key, "pause", project, as_json)


@app.command("resume", epilog="Example: tallymark evaluators resume quality --project voice")
def resume(context: typer.Context, key: Key, project: ProjectOption = None, as_json: AsJson = False) -> None:
    """Go on with an evaluator that was paused, or paused itself, or was archived."""
    _do(context, key, "resume", project, as_json)


@app.command("archive", epilog="Example: tallymark evaluators archive tone --project voice")
def archive(context: typer.Context, key: Key, project: ProjectOption = None, as_json: AsJson = False) -> None:
    """Put an evaluator away: its scores stay, and nothing waits for it any more."""
    _do(context, key, "archive", project, as_json)


@app.command("audit", epilog="Example: tallymark evaluators audit quality --project voice")
def audit(context: typer.Context, key: Key, project: ProjectOption = None, as_json: AsJson = False) -> None:
    """Show who did what to an evaluator, newest first."""
    with _connect(context) as connection:
        answer = connection.get(_path(key, "audit"), params=_of(project))
    if as_json:
        print_json(answer)
    else:
        print_table(_AUDIT, [{**deed, "detail": _one_line(deed["detail"])} for deed in answer["audit"]])


def _said(
    judge: str | None, model: str | None, prompt: Path | None, rubric: Path | None, sample: float | None,
    filters: list[str] | None, input_price: float | None, output_price: float | None,
) -> dict[str, Any]:  # fmt: skip
    """What options say of an evaluator."""
    said = {
        "judge": judge, "model": model, "prompt": _text(prompt), "rubric": _text(rubric), "sampleRate": sample,
        "filter": filters or None, "inputPrice": input_price, "outputPrice": output_price,
    }  # fmt: skip
    return {field: value for field, value in said.items() if value is not None}


def _text(file: Path | None) -> str | None:
    """What a file says, or standard input."""
    if file is None:
        return None
    return typer.get_text_stream("stdin").read() if str(file) == "-" else file.read_text(encoding="utf-8")


def _do(context: typer.Context, key: str, action: str, project: str | None, as_json: bool) -> None:
    with _connect(context) as connection:
        answer = connection.post(_path(key, action), params=_of(project))
    _print(answer, as_json)


def _print(answer: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(answer)
        return
    evaluator = answer["evaluator"]
    told = {field: name for field, name in _FIELDS.items() if evaluator[field] or field == "sampleRate"}
    print_fields(told, evaluator)


def _one_line(value: object) -> str:
    """A value as JSON; nothing for nothing."""
    return json.dumps(value, ensure_ascii=False) if value else ""


def _path(key: str, action: str = "") -> str:
    path = f"/v1/evaluators/{checked(key, 'key')}"
    return f"{path}/{action}" if action else path


def _of(project: str | None) -> dict[str, Any]:
    return {"project": project} if project else {}


def _connect(context: typer.Context) -> Connection:
    begin: Start = context.obj
    return begin.connect()
