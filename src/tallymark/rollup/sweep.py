"""Sweeping: rows of superseded runs go, once no reader can hold them."""

from datetime import datetime

from tallymark.engine.base import Engine
from tallymark.engine.source import milliseconds
from tallymark.rollup.run import FIRST_OPEN_SHELF

_TABLES = ("rollups", "sessions")

#: Rows of runs made less than this long ago stay: the run may be about to be published, or be read right now.
_KEPT_SECONDS = 3_600

_PUBLISHED = "SELECT run FROM runs FINAL"


def sweep(engine: Engine, now: datetime) -> int:
    """Removes rows of superseded runs; gives the number of partitions thrown away or cleaned."""
    oldest_kept = (milliseconds(now) - _KEPT_SECONDS * 1000) << 20
    swept = 0
    for table in _TABLES:
        for shelf, live in _old_shelves(engine, table, oldest_kept):
            _clean(engine, table, shelf, live, oldest_kept)
            swept += 1
    return swept


def _old_shelves(engine: Engine, table: str, oldest_kept: int) -> list[tuple[int, bool]]:
    """Shelves that hold superseded rows, and whether anything on them must stay."""
    rows = engine.query(
        f"SELECT shelf, max(run IN ({_PUBLISHED}) OR run >= {{kept:UInt64}}), "
        f"min(run IN ({_PUBLISHED}) OR run >= {{kept:UInt64}}) AS clean FROM {table} GROUP BY shelf HAVING clean = 0",
        {"kept": oldest_kept},
    )
    return [(shelf, bool(live)) for shelf, live, _ in rows]


def _clean(engine: Engine, table: str, shelf: int, live: bool, oldest_kept: int) -> None:
    if not live:
        engine.command(f"ALTER TABLE {table} DROP PARTITION {int(shelf)}")
    elif shelf < FIRST_OPEN_SHELF:
        engine.command(
            f"DELETE FROM {table} WHERE shelf = {int(shelf)} AND run < {{kept:UInt64}} AND run NOT IN ({_PUBLISHED})",
            {"kept": oldest_kept},
        )
