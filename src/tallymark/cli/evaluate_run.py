"""`tallymark evaluate run` and `backfill`: answers judged now, and those of the past after an estimate."""

import sys
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tallymark.cli.connection import Connection, Start
from tallymark.cli.output import AsJson, print_fields, print_json

_OUTCOMES = {"judged": "Judged", "failed": "Failed, tried again later", "dead": "Failed for good",
             "gone": "No longer there", "waiting": "Waiting"}  # fmt: skip
_FOUND = {"evaluator": "Evaluator", "exchanges": "Answers", "requests": "Requests", "tokens": "Tokens, about",
          "usd": "US dollars, about", "basis": "By"}  # fmt: skip


ProjectOption = Annotated[str | None, typer.Option("--project", help="Name of the project; default: the key's own.")]


def run(context: typer.Context, project: ProjectOption = None, as_json: AsJson = False) -> None:
    """Judge what waits, until nothing is left that may be judged now. Exits 1 where something failed for good."""
    with _connect(context) as connection:
        tally = _judge(connection, project)
    _print(tally, as_json)
    if tally["dead"]:
        raise typer.Exit(1)


def backfill(
    context: typer.Context,
    first: Annotated[str, typer.Option("--from", help="First day, YYYY-MM-DD.")],
    last: Annotated[str, typer.Option("--to", help="Last day, YYYY-MM-DD.")],
    evaluator: Annotated[str, typer.Option(help="Key of the evaluator.")] = "quality",
    project: ProjectOption = None,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask, whatever it costs.")] = False,
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Judge now; else the server does, minute by minute.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Have answers of the past judged, of those that the evaluator has not judged at its version.

    Says first how many there are and about what that costs. Exits 1 where something failed for good.
    """
    asked = {"evaluator": evaluator, "from": first, "to": last}
    with _connect(context) as connection:
        found = connection.post("/v1/evaluations/backfill", params=_of(project), json={**asked, "dryRun": True})
        if not as_json:
            print_fields(_FOUND, {**found, **found["estimate"]})
        if found["exchanges"] and not _agreed(yes):
            raise typer.Exit(1)
        queued = connection.post("/v1/evaluations/backfill", params=_of(project), json=asked)["queued"]
        tally = _judge(connection, project) if wait and queued else None
    if as_json:
        print_json({**found, "queued": queued, "tally": tally})
    elif tally is None:
        typer.echo(f"{queued} answers wait for judging." if queued else "None of these is left to be judged.")
    else:
        _print(tally, as_json=False)
    if tally is not None and tally["dead"]:
        raise typer.Exit(1)


def _agreed(yes: bool) -> bool:
    """Whether somebody wants that; where nobody can be asked, only `--yes` says so."""
    if yes:
        return True
    if not sys.stdin.isatty():
        typer.echo("Nobody can be asked here: say --yes to have them judged.", err=True)
        return False
    return typer.confirm("Have them judged?")


def _judge(connection: Connection, project: str | None) -> dict[str, int]:
    """What became of evaluations until none is left that may be judged now; a bar shows how far that is."""
    sums = dict.fromkeys(_OUTCOMES, 0)
    with _bar() as bar:
        task = bar.add_task("", total=None)
        while True:
            ran = connection.post("/v1/evaluations/run", params=_of(project))
            for name in sums:
                sums[name] = ran[name] if name == "waiting" else sums[name] + ran[name]
            done = sums["judged"] + sums["dead"] + sums["gone"]
            bar.update(task, completed=done, total=done + ran["waiting"])
            if not ran["waiting"] or not ran["judged"] + ran["dead"] + ran["gone"]:
                return sums


def _bar() -> Progress:
    """A bar on a terminal, and nothing elsewhere."""
    console = Console(stderr=True)
    columns = (TextColumn("judged"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


def _print(tally: dict[str, int], as_json: bool) -> None:
    if as_json:
        print_json(tally)
    else:
        print_fields(_OUTCOMES, tally)
        if tally["waiting"]:
            typer.echo("tallymark evaluate status says what they wait for.")


def _of(project: str | None) -> dict[str, Any]:
    return {"project": project} if project else {}


def _connect(context: typer.Context) -> Connection:
    start: Start = context.obj
    return start.connect()
