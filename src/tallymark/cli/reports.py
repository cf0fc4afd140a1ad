"""`tallymark export`: a month's report of an SDK's counters."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal

import typer

from tallymark.cli.connection import Start
from tallymark.cli.output import AsJson, json_text

app = typer.Typer()


@app.command("export", epilog="Example: tallymark export --month=2026-02 --format=csv --output report.csv")
def export(
    context: typer.Context,
    month: Annotated[str | None, typer.Option(help="YYYY-MM; default: the last full month.")] = None,
    style: Annotated[
        Literal["json", "csv"], typer.Option("--format", help="Summary and details, or details.")
    ] = "json",
    network: Annotated[str | None, typer.Option(help="One network; default: all.")] = None,
    project: Annotated[str | None, typer.Option(help="Name of a project with the pack sdk.")] = None,
    output: Annotated[Path | None, typer.Option(help="File to write; default: standard output.")] = None,
    endpoint: Annotated[str | None, typer.Option(help="Server to ask, as before the command's name.")] = None,
    api_key: Annotated[str | None, typer.Option(help="Key that may read; default: the setting API_KEY.")] = None,
    as_json: AsJson = False,
) -> None:
    """Print the monthly report of SDK counters: active apps, sessions, success rates, and every counter's sum."""
    if as_json and style == "csv":
        raise typer.BadParameter("--json and --format csv are two things")
    start = _start(context, endpoint, api_key)
    asked = {"month": month or _last_month(), "format": "json" if as_json else style, "network": network,
             "project": project}  # fmt: skip
    with start.connect() as connection:
        report = connection.get("/sdk/api/v1/export", params={name: value for name, value in asked.items() if value})
    text = report if isinstance(report, str) else json_text(report)
    if output is None:
        typer.echo(text, nl=False)
    else:
        output.write_bytes(text.encode())
        typer.echo(f"Wrote {output}.", err=True)


def _start(context: typer.Context, endpoint: str | None, api_key: str | None) -> Start:
    """What commands begin with, with this command's own options over those before its name."""
    start: Start = context.obj
    server = None if endpoint is None else endpoint.rstrip("/").removesuffix("/sdk")  # as SDKs are told
    given = {name: value for name, value in (("endpoint", server), ("key", api_key)) if value}
    own = Start(start.build, {**start.options, **given})
    settings = own.settings()
    if settings.endpoint and not settings.key and settings.api_key:
        return Start(start.build, {**own.options, "key": settings.api_key})
    return own


def _last_month() -> str:
    return f"{datetime.now(UTC).replace(day=1) - timedelta(days=1):%Y-%m}"
