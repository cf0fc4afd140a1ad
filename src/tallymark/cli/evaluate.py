"""`tallymark evaluate`: how far judging is, what no judge could judge, and judging that again."""

from typing import Annotated, Any, Final

import typer

from tallymark.cli.connection import Connection, Start
from tallymark.cli.evaluate_run import ProjectOption, backfill, run
from tallymark.cli.output import AsJson, print_fields, print_json, print_table

app = typer.Typer(name="evaluate", help="See to the judging of answers.", no_args_is_help=True)

_STATUS: Final = {
    "evaluator": "Evaluator", "status": "Status", "waiting": "Waiting", "running": "Running", "done": "Judged",
    "dead": "Dead", "oldestWaiting": "Waits since", "heldUntil": "Left alone until", "pauseReason": "Why",
}  # fmt: skip
_TODAY: Final = {"day": "Day", "requests": "Requests", "tokens": "Tokens", "costUsd": "US dollars"}
_DEAD: Final = {
    "id": "Id", "evaluator": "Evaluator", "exchange": "Exchange", "occurredAt": "Answered", "diedAt": "Given up",
    "tries": "Attempts", "error": "Error", "message": "Message",
}  # fmt: skip

app.command("run", epilog="Example: tallymark evaluate run --project voice")(run)
app.command(
    "backfill", epilog="Example: tallymark evaluate backfill --project voice --from 2026-01-01 --to 2026-01-31"
)(backfill)


@app.command("status", epilog="Example: tallymark evaluate status --project voice")
def status(context: typer.Context, project: ProjectOption = None, as_json: AsJson = False) -> None:
    """Show what waits, runs, is judged and is dead, what today took, and what a day may take."""
    with _connect(context) as connection:
        answer = connection.get("/v1/evaluations/status", params=_of(project))
    if as_json:
        print_json(answer)
        return
    print_table(_STATUS, answer["evaluators"])
    print_fields(_TODAY, _of_budgets(answer))
    if answer["usedUp"]:
        typer.echo("The budget of the day is used up: judging goes on tomorrow, UTC.")


@app.command("dead", epilog="Example: tallymark evaluate dead --project voice")
def dead(
    context: typer.Context,
    project: ProjectOption = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="Most of them.")] = 100,
    as_json: AsJson = False,
) -> None:
    """Show the answers that a judge failed on too often, newest first."""
    with _connect(context) as connection:
        answer = connection.get("/v1/evaluations/dead", params={**_of(project), "limit": limit})
    if as_json:
        print_json(answer)
    elif answer["dead"]:
        print_table(_DEAD, map(_of_attempts, answer["dead"]))
    else:
        typer.echo("There are no dead letters.")


@app.command("retry", epilog="Example: tallymark evaluate retry --project voice --evaluator quality")
def retry(
    context: typer.Context,
    project: ProjectOption = None,
    evaluator: Annotated[str | None, typer.Option(help="Key of an evaluator; default: all of the project.")] = None,
    ids: Annotated[
        list[int] | None, typer.Option("--id", help="Id of a dead letter; may be given again; default: all.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Have dead letters judged again, by the latest version of their evaluators."""
    said = {"evaluator": evaluator, "ids": ids or None}
    body = {field: value for field, value in said.items() if value is not None}
    with _connect(context) as connection:
        answer = connection.post("/v1/evaluations/retry", params=_of(project), json=body)
    if as_json:
        print_json(answer)
    else:
        typer.echo(f"{answer['requeued']} wait to be judged again.")


def _of_budgets(answer: dict[str, Any]) -> dict[str, Any]:
    """What today took, and of how much."""
    spent, budgets = answer["spent"], answer["budgets"]
    return {
        **spent,
        "tokens": _part(spent["tokens"], budgets["dailyTokens"]),
        "costUsd": _part(spent["costUsd"], budgets["dailyUsd"]),
    }


def _part(spent: float, budget: float | None) -> str:
    return f"{spent:,.10g}" if budget is None else f"{spent:,.10g} of {budget:,.10g}"


def _of_attempts(letter: dict[str, Any]) -> dict[str, Any]:
    """A dead letter with what was said last."""
    attempts = letter["attempts"]
    return {**letter, "tries": len(attempts), "message": attempts[-1]["message"] if attempts else ""}


def _of(project: str | None) -> dict[str, Any]:
    return {"project": project} if project else {}


def _connect(context: typer.Context) -> Connection:
    begin: Start = context.obj
    return begin.connect()
