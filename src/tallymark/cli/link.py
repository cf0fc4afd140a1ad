"""`tallymark link`: a way into the dashboard without a key, once."""

import typer

from tallymark.cli.connection import Start, Unreachable, connect_to_server
from tallymark.cli.output import AsJson, print_json

app = typer.Typer()


@app.command("link", epilog="Example: tallymark link")
def link(context: typer.Context, as_json: AsJson = False) -> None:
    """Print a link that opens the dashboard once, within 15 minutes, as an admin of every project."""
    start: Start = context.obj
    connection = connect_to_server(start.settings())
    if connection is None:
        raise Unreachable("No server runs on this data directory: start one with tallymark serve.")
    with connection:
        answer = connection.post("/v1/session/links")
        url = opened_by(connection.url, answer["code"])
    if as_json:
        print_json({**answer, "url": url})
    else:
        typer.echo(url)


def opened_by(url: str, code: str) -> str:
    """The dashboard's address that a code opens."""
    return f"{url}/#code={code}"
