"""Days and months as the sdk contract names them: `2026-02-01`, `2026-02`."""

import re
from calendar import monthrange
from datetime import date, datetime
from typing import Final, Literal, get_args

from tallymark.api.question import FIRST_DAY, LAST_DAY, parse_day
from tallymark.errors import BadQuery
from tallymark.spec.window import Window, today

Period = Literal["daily", "monthly"]

_MONTH: Final = re.compile(r"(\d{4})-(\d{2})", re.ASCII)


def period_of(text: str | None) -> Period:
    """What `period` says; by default `daily`. Errors: `BadQuery`."""
    for period in get_args(Period):
        if text in (None, period):
            found: Period = period
            return found
    raise BadQuery(f"There is no period {str(text)[:40]!r}.", field="period", allowed=get_args(Period))


def window_of(period: Period, text: str | None, timezone: str, now: datetime) -> Window:
    """The day or month that `date` names; by default the current one. Errors: `BadQuery`."""
    if period == "monthly":
        return month_of(text, "date", timezone, now)
    day = parse_day(text, "date") if text else today(timezone, now)
    return Window(day, day, timezone)


def month_of(text: str | None, field: str, timezone: str, now: datetime) -> Window:
    """The month that a text names; by default the current one. Errors: `BadQuery`."""
    year, month = _read(text, field) if text else (today(timezone, now).year, today(timezone, now).month)
    return Window(date(year, month, 1), date(year, month, monthrange(year, month)[1]), timezone)


def label(period: Period, window: Window) -> str:
    """How the contract writes a window."""
    return window.first.isoformat() if period == "daily" else f"{window.first:%Y-%m}"


def _read(text: str, field: str) -> tuple[int, int]:
    found = _MONTH.fullmatch(text)
    year, month = (int(found[1]), int(found[2])) if found else (0, 0)
    if not FIRST_DAY.year <= year <= LAST_DAY.year or not 1 <= month <= 12:
        raise BadQuery(
            f"{field} must be a month as YYYY-MM between {FIRST_DAY:%Y-%m} and {LAST_DAY:%Y-%m}, not {text[:40]!r}.",
            field=field,
        )
    return year, month
