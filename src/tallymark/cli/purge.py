"""`tallymark purge`: delete what is past its time, or count it."""

from typing import Annotated

import typer

from tallymark.cli.connection import Start
from tallymark.cli.output import AsJson, print_json, print_table

app = typer.Typer()


@app.command("purge", epilog="Example: tallymark purge --project site --dry-run")
def purge(
    context: typer.Context,
    project: Annotated[str | None, typer.Option(help="Name of a project: its steps alone; default: all.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count what would go.")] = False,
    as_json: AsJson = False,
) -> None:
    """Delete what is past its time: raw events and what hangs on them, old salts, keys and files. Numbers stay.

    Exits 1 where something is still there that should have gone.
    """
    start: Start = context.obj
    params = {"dryRun": str(dry_run).lower(), **({"project": project} if project else {})}
    with start.connect() as connection:
        answer = connection.post("/v1/purge", params=params)
    shown = [step for step in answer["steps"] if step["count"] or step["note"] or step["error"]]
    if as_json:
        print_json(answer)
    elif shown:
        went = "Would go" if dry_run else "Gone"
        print_table({"step": "Step", "project": "Project", "count": went, "note": "", "error": "Still there"}, shown)
    else:
        typer.echo("Nothing is past its time.")
    if any(step["error"] for step in shown):
        raise typer.Exit(1)
