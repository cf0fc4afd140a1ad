"""Inserts that say what becomes of a row that is there already, by dialect."""

from collections.abc import Callable, Mapping
from typing import Final

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from tallymark.control.models import Base

Insert = postgresql.Insert | sqlite.Insert

_INSERTS: Final[Mapping[str, Callable[[type[Base]], Insert]]] = {
    "postgresql": postgresql.insert,
    "sqlite": sqlite.insert,
}


def insert(session: Session, row: type[Base]) -> Insert:
    """An insert into a table, with `on_conflict_do_nothing` and `on_conflict_do_update`."""
    return _INSERTS[session.get_bind().dialect.name](row)
