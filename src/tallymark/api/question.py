"""Query parameters as a question; every mistake is told with what is allowed.

`filter=dimension:op:value|value` with the operators of `Op`; several `filter` parameters must all hold, clauses
joined by `;` in one parameter may hold instead of each other; `\\` takes the meaning from `:`, `|`, `;` and itself.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

import re2

from tallymark.api.auth import Call
from tallymark.errors import BadQuery
from tallymark.spec.condition import Op
from tallymark.spec.project import time_zones
from tallymark.spec.query import Clause, Filter, Query
from tallymark.spec.window import Grain, Window, today

PARAMETERS = ("project", "metrics", "from", "to", "grain", "by", "filter", "segment", "compareTo", "timezone", "limit",
              "exact", "explain")  # fmt: skip

_MOST_ROWS = 10_000
_LONGEST_DAYS = 3_660
#: What the first and the last day of a window are called unless a contract calls them otherwise.
ENDS = ("from", "to")
#: The days there are.
FIRST_DAY, LAST_DAY = date(1970, 1, 1), date(2099, 12, 31)
_DEFAULT_DAYS = 30
_FLAGS = {"true": True, "1": True, "false": False, "0": False, "": True}

_QUIET = re2.Options()
_QUIET.log_errors = False  # what is asked never comes into a log

Parameters = Mapping[str, Sequence[str]]


def given_in(request: Call) -> Parameters:
    """The query parameters of a request, each with every value that it is given."""
    return {name: request.query_params.getall(name) for name in request.query_params}


def question(given: Parameters, timezone: str, now: datetime) -> Query:
    """The question of a project in `timezone`, asked at `now`. Errors: `BadQuery`."""
    check_names(given, PARAMETERS)
    window = asked_window(given, timezone, now)
    metrics = tuple(name for text in given.get("metrics", ()) for name in _list(text))
    if not metrics:
        raise BadQuery("Say which metrics: metrics=page_views,visitors. GET /v1/metrics lists them.", field="metrics")
    return Query(
        metrics=tuple(dict.fromkeys(metrics)),
        window=window,
        compare=compared(one(given, "compareTo"), window),
        by=one(given, "by") or None,
        filter=filter_of(given.get("filter", ())),
        limit=limit_of(given),
        exact=flag(given, "exact"),
    )


def check_names(given: Parameters, allowed: Sequence[str]) -> None:
    """Raises `BadQuery` for a parameter that is none of those."""
    unknown = sorted(set(given) - set(allowed))
    if unknown:
        raise BadQuery(f"There is no parameter {unknown[0][:80]!r}.", field=unknown[0][:80], allowed=allowed)


def flag(given: Parameters, name: str) -> bool:
    """A parameter that is true, false or absent."""
    text = one(given, name)
    if text is None:
        return False
    if text.lower() not in _FLAGS:
        raise BadQuery(f"{name} can't be {text!r}.", field=name, allowed=["true", "false"])
    return _FLAGS[text.lower()]


def one(given: Parameters, name: str) -> str | None:
    """A parameter that may be given once; None where it is not."""
    values = given.get(name, ())
    if len(values) > 1:
        raise BadQuery(f"{name} is given {len(values)} times; once is allowed.", field=name)
    return values[0] if values else None


def _list(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def asked_window(given: Parameters, timezone: str, now: datetime) -> Window:
    """The days `from` to `to`, in the zone and with the grain that are asked for. Errors: `BadQuery`."""
    zone = zone_of(given, timezone)
    grain = one(given, "grain") or Grain.DAY
    if grain not in list(Grain):
        raise BadQuery(f"There is no grain {grain!r}.", field="grain", allowed=[str(g) for g in Grain])
    return replace(window_of(given, zone, now), grain=Grain(grain))


def zone_of(given: Parameters, timezone: str) -> str:
    """The zone that is asked for, or else that one. Errors: `BadQuery`."""
    zone = one(given, "timezone") or timezone
    if zone not in time_zones():
        raise BadQuery(f"There is no time zone {zone!r}. Examples: UTC, Europe/Berlin, Asia/Kolkata.", field="timezone")
    return zone


def window_of(given: Parameters, timezone: str, now: datetime, ends: tuple[str, str] = ENDS) -> Window:
    """The days `from` to `to`, or as `ends` calls them; by default the last 30. Errors: `BadQuery`."""
    last = _day(given, ends[1]) or today(timezone, now)
    first = _day(given, ends[0]) or max(last - timedelta(days=_DEFAULT_DAYS - 1), FIRST_DAY)
    window = Window(first, last, timezone)
    check_span(window, ends[0], ends)
    return window


def _day(given: Parameters, name: str) -> date | None:
    text = one(given, name)
    if text is None or text == "":
        return None
    return parse_day(text, name)


def parse_day(text: str, name: str) -> date:
    """A day as YYYY-MM-DD between 1970 and 2100."""
    try:
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            raise ValueError
        day = date.fromisoformat(text)
    except ValueError:
        raise BadQuery(f"{name} must be a day as YYYY-MM-DD, not {text[:40]!r}.", field=name) from None
    if not FIRST_DAY <= day <= LAST_DAY:
        raise BadQuery(f"{name} must lie between {FIRST_DAY} and {LAST_DAY}.", field=name)
    return day


def check_span(window: Window, name: str, ends: tuple[str, str] = ENDS) -> None:
    """Raises `BadQuery` for a window that ends before it begins, is too long, or begins before there are days."""
    if window.last < window.first:
        raise BadQuery(f"{ends[0]} ({window.first}) is after {ends[1]} ({window.last}).", field=name)
    if window.first < FIRST_DAY or window.last > LAST_DAY:
        raise BadQuery(f"{window.first} to {window.last} lies beyond {FIRST_DAY} to {LAST_DAY}.", field=name)
    if window.length > _LONGEST_DAYS:
        raise BadQuery(f"The window has {window.length} days; ten years ({_LONGEST_DAYS}) are allowed.", field=name)


def compared(text: str | None, window: Window) -> Window | None:
    """The window that `compareTo` means beside this one; None where it is not given. Errors: `BadQuery`."""
    if not text:
        return None
    found = window.before() if text == "previous" else explicit(text, window)
    if found is None:
        raise BadQuery(f"compareTo can't be {text[:40]!r}.", field="compareTo", allowed=["previous", "FROM..TO"])
    check_span(found, "compareTo")
    return found


def explicit(text: str, window: Window) -> Window | None:
    """The window to compare with that `FROM..TO` means; None where the text is no such thing. Errors: `BadQuery`."""
    first, dots, last = text.partition("..")
    if not dots:
        return None
    return replace(window, first=parse_day(first, "compareTo"), last=parse_day(last, "compareTo"))


def limit_of(given: Parameters, default: int = 100, most: int = _MOST_ROWS) -> int:
    """The `limit` that is asked for. Errors: `BadQuery`."""
    text = one(given, "limit")
    if text is None:
        return default
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text) <= most:
        raise BadQuery(f"limit must be a whole number from 1 to {most}.", field="limit")
    return int(text)


def filter_of(texts: Sequence[str]) -> Filter:
    """The filter that `filter` parameters mean. Errors: `BadQuery`."""
    return Filter(tuple(_group(text) for text in texts if text))


def _group(text: str) -> tuple[Clause, ...]:
    return tuple(_clause(part) for part in _parts(text, ";"))


def _clause(text: str) -> Clause:
    parts = _parts(text, ":", 2)
    if len(parts) != 3:
        raise BadQuery(
            f"A filter is dimension:operator:value, such as country:is:DE|FR, not {text[:80]!r}.",
            field="filter",
            allowed=[str(op) for op in Op],
        )
    dimension, op, values = parts
    if op not in list(Op):
        raise BadQuery(f"There is no operator {op!r}.", field="filter", allowed=[str(op) for op in Op])
    texts = tuple(_unescaped(value) for value in _parts(values, "|"))
    if op in (Op.CONTAINS, Op.MATCHES) and "" in texts:
        raise BadQuery(f"{op} needs a text to look for; {dimension}:is: finds where there is none.", field="filter")
    if op == Op.MATCHES:
        _check_patterns(texts)
    return Clause(dimension, Op(op), texts)


def _parts(text: str, mark: str, most: int = 0) -> list[str]:
    """The parts of a text between marks that no backslash precedes."""
    parts: list[str] = []
    current, escaped = "", False
    for letter in text:
        if letter == mark and not escaped and not (most and len(parts) == most):
            parts.append(current)
            current = ""
        else:
            current += letter
        escaped = letter == "\\" and not escaped
    return [*parts, current]


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text) if "\\" in text else text


def _check_patterns(patterns: Sequence[str]) -> None:
    for pattern in patterns:
        try:
            re2.compile(pattern, _QUIET)
        except re2.error:
            told = f"{pattern[:80]!r} is no regular expression in RE2's syntax; a | in it is written \\|."
            raise BadQuery(told, field="filter") from None
