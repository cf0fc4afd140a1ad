"""`tallymark reviews`: sample, add, list, remove, agreement, versions."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from tallymark.cli.connection import Connection, Start
from tallymark.cli.output import AsJson, print_json, print_table
from tallymark.cli.review_tables import (
    AGREEMENT,
    REVIEWS,
    SAMPLE,
    VERSIONS,
    interval,
    judged,
    review_row,
    rounded,
)
from tallymark.spec.evaluation import SCORES
from tallymark.spec.json_values import key as checked

app = typer.Typer(name="reviews", help="Review a voice assistant's answers, and its judge.", no_args_is_help=True)

ProjectOption = Annotated[str | None, typer.Option("--project", help="Name of the project; default: the key's own.")]
First = Annotated[str | None, typer.Option("--from", help="First day of exchanges; default: of 30 days.")]
Last = Annotated[str | None, typer.Option("--to", help="Last day of exchanges; default: today.")]
Evaluator = Annotated[
    str | None, typer.Option(help="Evaluator and version, as quality@2; default: the newest that judged.")
]
Reviewer = Annotated[str | None, typer.Option(help="Who reviews; default: the name of the key.")]
Exchange = Annotated[str, typer.Argument(metavar="EXCHANGE", help="Id of the exchange.")]


@app.command("sample", epilog="Example: tallymark reviews sample --project shop --reviewer ann --limit 5")
def sample(
    context: typer.Context,
    project: ProjectOption = None,
    first: First = None,
    last: Last = None,
    reviewer: Reviewer = None,
    evaluator: Evaluator = None,
    limit: Annotated[int | None, typer.Option(help="Most exchanges; default 20.")] = None,
    lowest: Annotated[bool, typer.Option("--lowest", help="What the judge scored lowest comes first.")] = False,
    scores: Annotated[bool, typer.Option("--scores", help="Show what the judge said.")] = False,
    as_json: AsJson = False,
) -> None:
    """Draw exchanges that the reviewer has not reviewed yet, without what the judge said."""
    asked = {
        **_asked(project, first, last, evaluator), "reviewer": reviewer, "limit": limit,
        "strategy": "low" if lowest else None, "scores": "true" if scores else None,
    }  # fmt: skip
    answer = _get(context, "/v1/reviews/sample", asked)
    if as_json:
        print_json(answer)
    elif answer["exchanges"]:
        columns = {**SAMPLE, "judge": "Judge"} if scores else SAMPLE
        print_table(columns, [{**one, "judge": judged(one.get("evaluation"))} for one in answer["exchanges"]])
    else:
        typer.echo(f"{answer['reviewer']} has reviewed every exchange that there is.")


@app.command(
    "add",
    epilog="Example: tallymark reviews add 8c1f7d2a90b3e455 --project shop --score overall=4 --score safety=5 "
    '--label "too long"',
)
def add(
    context: typer.Context,
    exchange: Annotated[str | None, typer.Argument(metavar="[EXCHANGE]", help="Id of the exchange.")] = None,
    project: ProjectOption = None,
    score: Annotated[
        list[str] | None, typer.Option("--score", help=f"NAME=1 to 5, of {', '.join(SCORES)}; may be given again.")
    ] = None,
    label: Annotated[list[str] | None, typer.Option("--label", help="A short word; may be given again.")] = None,
    comment: Annotated[str | None, typer.Option(help="Anything else.")] = None,
    reviewer: Reviewer = None,
    file: Annotated[
        Path | None, typer.Option("--file", allow_dash=True, help="Reviews as JSON instead, - for standard input.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Review an exchange, in place of what the reviewer said of it before."""
    if (exchange is None) == (file is None):
        raise typer.BadParameter("name an exchange, or give reviews with --file")
    said = {
        "exchangeId": exchange, "scores": dict(map(_score, score or ())), "labels": label, "comment": comment,
        "reviewer": reviewer,
    }  # fmt: skip
    body = _read(file) if file else {field: value for field, value in said.items() if value is not None}
    with _connect(context) as connection:
        answer = connection.post("/v1/reviews", params=_given({"project": project}), json=body)
    if as_json:
        print_json(answer)
    else:
        typer.echo(f"Kept {_count(len(answer['reviews']), 'review')}.")


@app.command("list", epilog="Example: tallymark reviews list --project shop --from 2026-02-01")
def list_(
    context: typer.Context,
    project: ProjectOption = None,
    first: First = None,
    last: Last = None,
    evaluator: Evaluator = None,
    reviewer: Annotated[str | None, typer.Option(help="Of one reviewer; default: of all.")] = None,
    limit: Annotated[int | None, typer.Option(help="Most reviews; default 100.")] = None,
    as_json: AsJson = False,
) -> None:
    """List reviews beside what the judge said."""
    asked = {**_asked(project, first, last, evaluator), "reviewer": reviewer, "limit": limit}
    answer = _get(context, "/v1/reviews", asked)
    if as_json:
        print_json(answer)
    elif answer["reviews"]:
        print_table(REVIEWS, map(review_row, answer["reviews"]))
    else:
        typer.echo("There are no reviews yet: tallymark reviews sample draws exchanges to review.")


@app.command("remove", epilog="Example: tallymark reviews remove 8c1f7d2a90b3e455 --project shop --reviewer ann")
def remove(
    context: typer.Context,
    exchange: Exchange,
    project: ProjectOption = None,
    reviewer: Reviewer = None,
    as_json: AsJson = False,
) -> None:
    """Delete what a reviewer said of an exchange."""
    with _connect(context) as connection:
        path = f"/v1/reviews/{checked(exchange, 'exchange')}"
        answer = connection.delete(path, params=_given({"project": project, "reviewer": reviewer}))
    if as_json:
        print_json(answer)
    else:
        typer.echo(f"Deleted the review of {answer['deleted']['exchangeId']} by {answer['deleted']['reviewer']}.")


@app.command("agreement", epilog="Example: tallymark reviews agreement --project shop --evaluator quality@2")
def agreement(
    context: typer.Context,
    project: ProjectOption = None,
    first: First = None,
    last: Last = None,
    evaluator: Evaluator = None,
    reviewer: Annotated[str | None, typer.Option(help="With one reviewer; default: with all.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show how far the judge agrees with people, and they with one another."""
    asked = {**_asked(project, first, last, evaluator), "reviewer": reviewer, "limit": 1}
    found = _get(context, "/v1/reviews", asked)["agreement"]
    if as_json:
        print_json(found)
        return
    typer.echo(f"{found['evaluator'] or 'Nobody has judged anything'}:")
    among = found["amongPeople"]
    rows = [{**told, "score": score, "among": among[score]["kappa"]} for score, told in found["scores"].items()]
    print_table(AGREEMENT, map(rounded, rows))


@app.command("versions", epilog="Example: tallymark reviews versions quality --project shop --versions 1..2")
def versions(
    context: typer.Context,
    key: Annotated[str, typer.Argument(metavar="KEY", help="Key of the evaluator.")],
    versions: Annotated[str | None, typer.Option(help="EARLIER..LATER; default: the two newest.")] = None,
    project: ProjectOption = None,
    first: First = None,
    last: Last = None,
    as_json: AsJson = False,
) -> None:
    """Compare two versions of an evaluator on what both judged."""
    asked = {**_asked(project, first, last), "versions": versions}
    answer = _get(context, f"/v1/evaluators/{checked(key, 'key')}/compare", asked)
    if as_json:
        print_json(answer)
        return
    changed = ", ".join(answer["changed"]) or "nothing"
    typer.echo(f"{key}, version {answer['before']} to {answer['after']}; changed: {changed}")
    rows = [{**rounded(told), "score": score, "difference": interval(told)} for score, told in answer["scores"].items()]
    print_table(VERSIONS, rows)


def _score(text: str) -> tuple[str, int]:
    """`overall=4`; what is allowed the server knows."""
    name, _, value = text.partition("=")
    if not value.isascii() or not value.isdigit():
        raise typer.BadParameter(f"{text!r} is no score, such as overall=4", param_hint="--score")
    return name, int(value)


def _read(file: Path) -> Any:
    """The JSON in a file, or on standard input. Errors: `BadParameter`."""
    content = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    try:
        return msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise typer.BadParameter(f"{file} is not JSON: {error}", param_hint="--file") from None


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def _asked(project: str | None, first: str | None, last: str | None, evaluator: str | None = None) -> dict[str, Any]:
    return {"project": project, "from": first, "to": last, "evaluator": evaluator}


def _given(asked: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in asked.items() if value is not None}


def _get(context: typer.Context, path: str, asked: Mapping[str, Any]) -> dict[str, Any]:
    with _connect(context) as connection:
        answer: dict[str, Any] = connection.get(path, params=_given(asked))
    return answer


def _connect(context: typer.Context) -> Connection:
    begin: Start = context.obj
    return begin.connect()
