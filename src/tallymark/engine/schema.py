"""Migrations of the engine: numbered SQL files, each run once, in order."""

import re
from functools import cache
from importlib import resources

from tallymark.engine.base import Engine

_MADE = re.compile(r"^CREATE TABLE IF NOT EXISTS (\w+)", re.MULTILINE)
_COMMENT = re.compile(r"--[^\n]*")


def migrate(engine: Engine) -> list[str]:
    """Brings the engine's tables up to date; gives the names of the migrations that were run."""
    engine.command(
        "CREATE TABLE IF NOT EXISTS migrations (name String, applied_at DateTime DEFAULT now()) "
        "ENGINE = MergeTree ORDER BY name SETTINGS fsync_after_insert = 1"
    )
    done = {row[0] for row in engine.query("SELECT name FROM migrations")}
    pending = [(name, text) for name, text in migrations() if name not in done]
    for name, text in pending:
        for statement in statements(text):
            engine.command(statement)
        engine.command("INSERT INTO migrations (name) SELECT {name:String}", {"name": name})
    return [name for name, _ in pending]


def migrations() -> list[tuple[str, str]]:
    """Every migration, `(name, SQL)`, in order."""
    folder = resources.files("tallymark.engine").joinpath("migrations")
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".sql")), key=lambda f: f.name)
    return [(f.name.removesuffix(".sql"), f.read_text(encoding="utf-8")) for f in files]


@cache
def tables() -> tuple[str, ...]:
    """Every table that migrations make, and the one of migrations."""
    return ("migrations", *(name for _, text in migrations() for name in _MADE.findall(text)))


def statements(text: str) -> list[str]:
    """The statements of a migration, without comments."""
    return [part.strip() for part in _COMMENT.sub("", text).split(";") if part.strip()]
