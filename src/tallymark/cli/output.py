"""What commands print: tables for people, JSON for programs."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

#: How wide tables are where nobody's terminal is: nothing is folded that a program may want to read.
_WIDTH_OF_FILES = 240

#: The option that every command with a result has.
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


def json_text(value: object) -> str:
    """The value as JSON, indented."""
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def print_json(value: object) -> None:
    """Prints it so."""
    sys.stdout.write(json_text(value))


def print_table(columns: Mapping[str, str], rows: Iterable[Mapping[str, Any]]) -> None:
    """A table; `columns` are headings by field."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in columns.values():
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*(_cell(row[field]) for field in columns))
    _console().print(table)


def print_fields(names: Mapping[str, str], value: Mapping[str, Any]) -> None:
    """One thing, a line per field; `names` are what people call the fields."""
    rows = [{"name": name, "value": value[field]} for field, name in names.items()]
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    for row in rows:
        table.add_row(row["name"], _cell(row["value"]))
    _console().print(table)


def _console() -> Console:
    return Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else _WIDTH_OF_FILES)


def _cell(value: Any) -> str:
    if value is None or value == []:
        return "–"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(map(str, value))
    return str(value)
