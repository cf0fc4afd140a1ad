"""Whether a table holds certain rows: a deletion that finds none would still touch every part of the table."""

from tallymark.engine.base import Engine, Params


def holds(engine: Engine, table: str, rows: str, params: Params) -> bool:
    """Whether any row meets the condition; far cheaper than a mutation, which clones parts that it doesn't change."""
    return bool(engine.query(f"SELECT 1 FROM {table} WHERE {rows} LIMIT 1", params))
