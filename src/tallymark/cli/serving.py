"""`tallymark serve` and `tallymark demo`: the server."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from tallymark.cli.connection import Start, announce
from tallymark.cli.link import opened_by
from tallymark.config import Settings

if TYPE_CHECKING:
    from litestar import Litestar

app = typer.Typer()

Host = Annotated[str | None, typer.Option(help="Address to listen on.")]
Port = Annotated[int | None, typer.Option(min=1, max=65535, help="Port to listen on.")]


@app.command("serve", epilog="Example: tallymark --data /var/lib/tallymark serve --port 8787")
def serve(context: typer.Context, host: Host = None, port: Port = None) -> None:
    """Run the server until it is told to stop."""
    _serve(_settings(context, host, port), None, _say_url)


@app.command("demo", epilog="Example: tallymark demo --port 9000")
def demo(
    context: typer.Context,
    host: Host = None,
    port: Port = None,
    days: Annotated[int, typer.Option(min=1, max=365, help="Days of made-up data, up to today.")] = 90,
) -> None:
    """Run the server with a demo project per pack and made-up data; later starts keep it."""
    settings = _settings(context, host, port)
    from tallymark.serving import check_port  # noqa: PLC0415  # slow to import, and most commands talk to a server

    check_port(settings)
    from tallymark.app import build  # noqa: PLC0415  # as above

    application = build(settings)
    keys = _prepare(application, days)
    _serve(settings, application, lambda url, application: _say_demo(url, _dashboard(url, application), keys))


def _settings(context: typer.Context, host: str | None, port: int | None) -> Settings:
    start: Start = context.obj
    return Start(start.build, {**start.options, "host": host, "port": port}).settings()


def _serve(settings: Settings, application: Litestar | None, say: Callable[[str, Litestar], None]) -> None:
    from tallymark.app import build  # noqa: PLC0415  # slow to import, and most commands talk to a server
    from tallymark.logs import configure  # noqa: PLC0415  # as above
    from tallymark.serving import check_port, serve  # noqa: PLC0415  # as above

    configure(settings.log_level, settings.log_style)
    _warn_of_missing_keys(settings)
    check_port(settings)
    application = application or build(settings)
    with announce(settings.data, f"http://{settings.host}:{settings.port}"):
        serve(settings, lambda url: say(url, application), application)


def _warn_of_missing_keys(settings: Settings) -> None:
    """In production, says what nobody can do for want of a key."""
    import structlog  # noqa: PLC0415  # as above

    if settings.environment != "production":
        return
    for name, given in (("ADMIN_API_KEY", settings.admin_api_key), ("API_KEY", settings.api_key)):
        if not given:
            structlog.get_logger().warning("no such key", setting=name, means="only keys of projects work")


def _say_url(url: str, application: Litestar) -> None:
    sys.stderr.write(f"Tallymark serves {url} (pid {os.getpid()})\nDashboard, once: {_dashboard(url, application)}\n")


def _dashboard(url: str, application: Litestar) -> str:
    """A link that signs in once."""
    here: Any = application.state.services
    return opened_by(url, here.sign_in.new_code())


def _prepare(application: Litestar, days: int) -> dict[str, dict[str, str]]:
    from tallymark.jobs.demo import Demo  # noqa: PLC0415  # as above

    here: Any = application.state.services
    demo = Demo(here, application.state.packs, days)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        tasks: dict[str, TaskID] = {}

        def report(project: str, what: str, done: int, total: int) -> None:
            name = f"{project}: {what}, days"
            if name not in tasks:
                tasks[name] = progress.add_task(name, total=total)
            progress.update(tasks[name], completed=done)

        return demo.prepare(datetime.now(UTC), report)


def _say_demo(url: str, dashboard: str, keys: dict[str, dict[str, str]]) -> None:
    project, mine = next(iter(keys.items()))
    lines = [
        f"\nTallymark is ready: {url}",
        f"  Dashboard, once {dashboard}",
        f"  API reference   {url}/openapi",
        f"  Health          {url}/health   {url}/ready   {url}/metrics",
        "",
        *(line for name, scopes in keys.items() for line in _key_lines(name, scopes)),
        "Ask for a number:",
        f"  curl -H 'Authorization: Bearer {mine['read']}' \\",
        f"    '{url}/v1/query?project={project}&metrics=visitors,page_views,bounce_rate&compareTo=previous'",
        "Ctrl-C stops it.\n",
    ]
    sys.stderr.write("\n".join(lines))


def _key_lines(name: str, scopes: dict[str, str]) -> list[str]:
    return [f"Project {name}", *(f"  {scope:7} {secret}" for scope, secret in scopes.items()), ""]
