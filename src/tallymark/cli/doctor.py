"""`tallymark doctor`: is everything as it should be on this machine?"""

import os
import platform
import shutil
from collections.abc import Iterator
from importlib.metadata import version

import typer

from tallymark.cache.opening import look
from tallymark.cli.connection import Start, running_server
from tallymark.cli.output import AsJson, print_json, print_table
from tallymark.config import Settings
from tallymark.control.database import standing_of
from tallymark.errors import TallymarkError

app = typer.Typer()

_LEAST_FREE = 1 << 30
_PACKAGES = ("chdb", "clickhouse-connect", "litestar", "granian", "pyarrow", "msgspec", "sqlalchemy")


@app.command("doctor", epilog="Example: tallymark doctor --json")
def doctor(context: typer.Context, as_json: AsJson = False) -> None:
    """Check settings, data directory, disk, stores and rollups; exits 1 where something is wrong."""
    start: Start = context.obj
    settings = start.settings()
    application = list(_application(start, settings))  # first: a control store that is new is made by it
    findings = [*_machine(), *_directory(settings), _control(settings), *application]
    if as_json:
        print_json({"ok": all(f["ok"] for f in findings), "checks": findings})
    else:
        shown = [{**finding, "ok": "ok" if finding["ok"] else "WRONG"} for finding in findings]
        print_table({"ok": "", "check": "Check", "found": "Found"}, shown)
    if not all(finding["ok"] for finding in findings):
        raise typer.Exit(1)


def _finding(check: str, ok: bool, found: object) -> dict[str, object]:
    return {"check": check, "ok": ok, "found": str(found)}


def _machine() -> Iterator[dict[str, object]]:
    yield _finding("Python", True, platform.python_version())
    yield _finding("Cores", True, os.cpu_count())
    yield _finding("Libraries", True, ", ".join(f"{name} {version(name)}" for name in _PACKAGES))


def _directory(settings: Settings) -> Iterator[dict[str, object]]:
    data = settings.data
    existing = next(path for path in (data.absolute(), *data.absolute().parents) if path.exists())
    yield _finding("Data directory", os.access(existing, os.W_OK), data.absolute())
    free = shutil.disk_usage(existing).free
    yield _finding("Free disk", free > _LEAST_FREE, f"{free >> 30} GB")
    admin = "set" if settings.admin_api_key else "not set: only this machine's local key is admin of every project"
    yield _finding("ADMIN_API_KEY", True, admin)
    cache = look(settings.cache)
    yield _finding("Cache", cache == "ok", cache)


def _control(settings: Settings) -> dict[str, object]:
    """The control store; PostgreSQL has to keep projects apart by itself."""
    try:
        standing = standing_of(settings.control_url)
    except TallymarkError as error:
        return _finding("Control store", False, error.message)
    return _finding(
        "Control store", standing.scoped or standing.kind == "SQLite", f"{standing.kind}: {standing.remark}"
    )


def _application(start: Start, settings: Settings) -> Iterator[dict[str, object]]:
    server = settings.endpoint or running_server(settings.data)
    yield _finding("Server", True, server or "none is running; looked at the data directory itself")
    try:
        with start.connect() as connection:
            ready = connection.get("/ready")
            for name, said in ready["checks"].items():
                yield _finding(name.capitalize(), said == "ok", said)
            for project in connection.get("/v1/rollup/status")["projects"]:
                stale = len(project["staleDays"])
                said = f"{project['days']} days, through {project['rolledUpThrough']}, {stale} stale"
                yield _finding(f"Rollups of {project['project']}", True, said)
    except TallymarkError as error:
        yield _finding("Application", False, error.message)
