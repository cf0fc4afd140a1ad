"""What a table is, as the database's own catalogue says it: columns, their types, the primary key."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tallymark.errors import BadRequest
from tallymark.ingest.postgres.source import Source

_TABLE: Final = """
SELECT c.oid, quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS quoted
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
"""

_TABLES: Final = """
SELECT n.nspname AS schema, c.relname AS name
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
ORDER BY 1, 2 LIMIT 10000
"""

_COLUMNS: Final = """
SELECT a.attname AS name, 't.' || quote_ident(a.attname) AS sql, format_type(a.atttypid, a.atttypmod) AS type,
    format_type(coalesce(nullif(t.typbasetype, 0), t.oid), NULL) AS base,
    array_position(i.indkey::int2[], a.attnum) AS place
FROM pg_attribute a
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_index i ON i.indrelid = a.attrelid AND i.indisprimary
WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum
"""


@dataclass(frozen=True)
class Column:
    """A column: its name, how SQL writes it of a table `t`, its type, and what that is made of where it is a domain."""

    name: str
    sql: str
    type: str
    base: str


@dataclass(frozen=True)
class Table:
    """A table or a view. `key` are the columns of its primary key, in its order; a view has none."""

    schema: str
    name: str
    quoted: str
    columns: tuple[Column, ...]
    key: tuple[Column, ...]

    @property
    def title(self) -> str:
        """Its name with its schema's."""
        return f"{self.schema}.{self.name}"

    def column(self, name: str) -> Column:
        """The column of that name. Errors: `BadRequest`, with names that are near."""
        names = [column.name for column in self.columns]
        if name not in names:
            raise BadRequest(f"{self.title} has no column {name!r}.{_near(name, names)}", field=name, allowed=names)
        return self.columns[names.index(name)]


def look_up(source: Source, schema: str, name: str) -> Table:
    """The table of that name. Errors: `BadRequest` where there is none, with names that are near."""
    found = source.rows(_TABLE, schema, name)
    if not found:
        raise BadRequest(f"There is no table {schema}.{name}.{_near_tables(source, schema, name)}", field=name)
    rows = source.rows(_COLUMNS, found[0]["oid"])
    columns = tuple(Column(row["name"], row["sql"], row["type"], row["base"]) for row in rows)
    places = [row["place"] for row in rows]
    in_key = sorted((place, at) for at, place in enumerate(places) if place is not None)
    return Table(schema, name, found[0]["quoted"], columns, tuple(columns[at] for _, at in in_key))


def _near_tables(source: Source, schema: str, name: str) -> str:
    """Tables of nearly that name, or of that name in other schemas."""
    known = [(row["schema"], row["name"]) for row in source.rows(_TABLES)]
    near = difflib.get_close_matches(name, {there for _, there in known}, 3, 0.7)
    titles = sorted((where != schema, f"{where}.{there}") for where, there in known if there in near)[:3]
    return f" There is {', '.join(title for _, title in titles)}." if titles else ""


def _near(name: str, names: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, names, 3)
    return f" Did you mean {' or '.join(near)}?" if near else ""
