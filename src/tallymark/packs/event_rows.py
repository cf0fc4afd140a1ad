"""Events as rows: views of raw events with a pack's own columns, which hold what a project keeps."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from tallymark.engine.base import Engine
from tallymark.engine.expression import condition_sql, number_of, text_of
from tallymark.engine.source import span, utc
from tallymark.packs.day_columns import ALWAYS, with_packs
from tallymark.spec.condition import Condition, Prop
from tallymark.spec.project import Project
from tallymark.spec.window import Window

_ONE_PROJECT: Final = "(SELECT {project:UInt32} AS project, {name:String} AS name)"
_ONE_WINDOW: Final = (
    "project = {project:UInt32} AND occurred_at >= fromUnixTimestamp64Milli({start:Int64}, 'UTC') "
    "AND occurred_at < fromUnixTimestamp64Milli({end:Int64}, 'UTC')"
)

#: Columns that every view may have: identity, session and user in hexadecimal, and when it happened.
ID: Final[Mapping[str, str]] = {"id": "lower(hex(event_id))"}
WHO: Final[Mapping[str, str]] = {
    "session_id": "if(session = 0, '', lower(hex(session)))",
    "user_id": "if(actor = 0, '', lower(hex(actor)))",
}
WHEN: Final[Mapping[str, str]] = {"created_at": "occurred_at"}


def texts(**columns: str) -> dict[str, str]:
    """Columns that are the text of a property."""
    return {column: text_of(Prop(prop)) for column, prop in columns.items()}


def numbers(**columns: str) -> dict[str, str]:
    """Columns that are the number of a property, or null."""
    return {column: number_of(Prop(prop)) for column, prop in columns.items()}


def flag(prop: str) -> str:
    """A property as a nullable boolean."""
    text = text_of(Prop(prop))
    return f"multiIf({text} = 'true', true, {text} = 'false', false, NULL)"


@dataclass(frozen=True)
class EventViews:
    """A pack's views by name: of which events each is, and its columns besides `project`, in order."""

    pack: str
    shapes: Mapping[str, tuple[Condition, Mapping[str, str]]]

    @property
    def columns(self) -> dict[str, tuple[str, ...]]:
        """The columns of each view, in order."""
        return {view: ("project", *shape) for view, (_, shape) in self.shapes.items()}

    @property
    def statements(self) -> dict[str, str]:
        """The views as `SELECT` statements, of every project with the pack."""
        return {view: self._select(view, with_packs([self.pack]), ALWAYS) for view in self.shapes}

    def rows(self, engine: Engine, project: Project, view: str, window: Window, limit: int) -> list[dict[str, Any]]:
        """The latest rows of a project in a window as a view has them, newest first."""
        columns = self.columns[view]
        found = engine.query(
            f"SELECT {', '.join(columns)} FROM ({self._select(view, _ONE_PROJECT, _ONE_WINDOW)}) "
            "ORDER BY created_at DESC, id LIMIT {limit:UInt32}",
            {**span(project.id, window.start, window.end), "name": project.name, "limit": limit},
        )
        return [{column: _told(value) for column, value in zip(columns, row, strict=True)} for row in found]

    def _select(self, view: str, projects: str, where: str) -> str:
        condition, shape = self.shapes[view]
        columns = ", ".join(f"{sql} AS {column}" for column, sql in shape.items())
        return (
            f"SELECT p.name AS project, e.* EXCEPT (owner) FROM (SELECT project AS owner, {columns} FROM events FINAL "
            f"WHERE {where} AND {condition_sql(condition)}) AS e INNER JOIN {projects} AS p ON p.project = e.owner"
        )


def _told(value: Any) -> Any:
    """A value as JSON."""
    if isinstance(value, datetime):
        return utc(value).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return value
