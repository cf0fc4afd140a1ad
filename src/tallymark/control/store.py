"""What a database that holds the control store has to be able to do, and whose rows a transaction sees."""

from collections.abc import Collection
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final, Protocol

from sqlalchemy import Connection
from sqlalchemy.orm import Session

EVERYBODY: Final = "*"


@dataclass(frozen=True)
class Scope:
    """Whose rows a transaction sees: a project's, of those that have an owner a user's; None stands for all."""

    project_id: int | None = None
    user: str | None = None

    @property
    def project(self) -> str:
        """The project as policies compare it."""
        return EVERYBODY if self.project_id is None else str(self.project_id)

    @property
    def owner(self) -> str:
        """The user as policies compare them; no user's name is taken for everybody."""
        return EVERYBODY if self.user is None else f"={self.user}"


@dataclass(frozen=True)
class Standing:
    """What kind of database holds the store, and whether it keeps transactions to their scope by itself."""

    kind: str
    scoped: bool
    remark: str


class Store(Protocol):
    """A database, by its dialect: `sqlite.py`, `postgresql.py`. May be used from any thread."""

    def transaction(self, scope: Scope, *, write: bool) -> AbstractContextManager[Session]:
        """A session in a transaction: one state to read, or the only writer, whose changes are kept at its end."""

    def migrating(self) -> AbstractContextManager[Connection]:
        """A transaction that brings the tables up to date, alone."""

    def hasty(self) -> "Store":
        """The same by other connections, whose commits don't wait for the disk."""

    def compact(self, tables: Collection[str]) -> bool:
        """Whether what was deleted of these tables is gone from where it was kept; if not, call it again later."""

    def standing(self) -> Standing:
        """How it keeps rows apart."""

    def close(self) -> None:
        """Ends every connection."""
