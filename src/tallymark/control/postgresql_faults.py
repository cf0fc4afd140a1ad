"""What PostgreSQL's errors mean to callers: away for now, a setting that can't be used, a value it can't keep."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from tallymark.errors import BadRequest, BadSetting, Unavailable

#: Classes of SQLSTATE: the connection failed, the login or database is not taken (any more), the transaction was taken
#: back for another one, something is used up, a lock or the server is not to be had, the system failed.
_AWAY: Final = ("08", "28", "3D", "40", "53", "55", "57", "58", "25006")
_DATA: Final = "22"
_NOT_ALLOWED: Final = "42501"


@contextmanager
def at_work() -> Iterator[None]:
    """Raises `Unavailable` where the server is away or too busy, `BadRequest` for a value that it can't keep."""
    try:
        yield
    except NoConnectionFree as error:
        raise Unavailable("The control store is busy; ask again.") from error
    except DBAPIError as error:
        if _away(error):
            raise Unavailable("The control store is away or busy; ask again.") from error
        if _bad_value(error):
            raise BadRequest("A value is too large, too long or has characters that can't be stored.") from error
        raise


@contextmanager
def at_start(url: URL) -> Iterator[None]:
    """Raises `BadSetting` where the server is away or refuses, with what it says."""
    try:
        yield
    except DBAPIError as error:
        if not (_away(error) or isinstance(error, InterfaceError) or _state(error) == _NOT_ALLOWED):
            raise
        where = url.set(query={}).render_as_string(hide_password=True)
        raise BadSetting(f"The control store {where} can't be used: {_said(error)}") from None


def _away(error: DBAPIError) -> bool:
    return error.connection_invalidated or isinstance(error, OperationalError) or _state(error).startswith(_AWAY)


def _bad_value(error: DBAPIError) -> bool:
    return _state(error).startswith(_DATA) or isinstance(getattr(error.orig, "__cause__", None), ValueError)


def _state(error: DBAPIError) -> str:
    return str(getattr(error.orig, "sqlstate", None) or "")


def _said(error: DBAPIError) -> str:
    """The server's own words, which name no password."""
    return str(getattr(error.orig, "__cause__", None) or error.orig).splitlines()[0]
