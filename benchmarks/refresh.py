"""Refreshing a day against the best query that could be written by hand for the same numbers and breakdowns."""

import time
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from benchmarks import history
from benchmarks.figures import Bench, BenchmarkError, Figure, median
from tallymark.answer.run import Answerer
from tallymark.answer.state import value_of
from tallymark.engine.source import milliseconds
from tallymark.spec.query import Query
from tallymark.spec.window import Window

PAST = history.Past(date(2026, 3, 1), 3, 333_000, 79_500, 400_000)
_QUICK_PAST = history.Past(date(2026, 3, 1), 3, 500, 200, 500)

_ROUNDS = 15


def run(bench: Bench) -> list[Figure]:
    """The refresh's figures."""
    past, rounds = (_QUICK_PAST, 2) if bench.quick else (PAST, _ROUNDS)
    day = past.first + timedelta(days=1)
    with history.opened(bench, past) as built:
        params = _params(built, day)
        bench.say(f"refreshing {day}, {past.events_a_day:,} events, and asking by hand, in turns")
        _check_same(built, day, params)
        refreshing, asking = [], []
        for _ in range(rounds):
            refreshing.append(_took(lambda: list(built.keeper.backfill(built.project, day, day))))
            asking.append(_took(lambda: [built.engine.query(_spent(sql), params) for sql in _BY_HAND]))
        ((rows,),) = built.engine.query(
            "SELECT count() FROM rollups WHERE day = {day:Date} AND run IN (SELECT run FROM runs FINAL)", params
        )
    return [
        Figure("refresh of a day", median(refreshing), "ms", note=f"{past.events_a_day:,} events into {rows:,} states"),
        Figure("by hand", median(asking), "ms", note="grouping sets, sessions by windows, exact actors"),
        Figure("refresh / by hand", median(refreshing) / median(asking), "ratio", 3),
    ]


def _took(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1_000


def _params(built: history.Opened, day: date) -> dict[str, Any]:
    window = Window(day, day)
    return {
        "project": built.project.id,
        "day": day,
        "start": milliseconds(window.start),
        "end": milliseconds(window.end),
    }


def _spent(sql: str) -> str:
    """A query whose every row and column is computed, but not sent."""
    return f"SELECT sum(cityHash64(*)) FROM ({sql})"


def _check_same(built: history.Opened, day: date, params: dict[str, Any]) -> None:
    """Both give the same, or comparing them would mean nothing."""
    names = ("events", "actors", "page_views", "visitors", "sessions", "bounce_rate")
    answer = Answerer(built.engine, built.catalog).answer(Query(names, Window(day, day)), built.project)
    ours = [value_of(built.catalog.metric(name), answer.cells[name].total) for name in names]
    ((events, actors, views, visitors),) = built.engine.query(
        f"SELECT events, actors, views, visitors FROM ({_EVENTS}) ORDER BY g DESC LIMIT 1", params
    )
    ((sessions, bounces),) = built.engine.query(
        f"SELECT sessions, bounces FROM ({_SESSIONS}) ORDER BY g DESC LIMIT 1", params
    )
    theirs = [events, actors, views, visitors, sessions, round(bounces / sessions, 6)]
    if ours != theirs:
        raise BenchmarkError(f"{names} are {ours} from the refresh and {theirs} by hand.")


_MEASURED = ("ttfbMs", "fcpMs", "lcpMs", "inpMs", "clsScore", "engagedTimeMs", "scrollDepthPercent")

_PROPS = ", ".join([
    *(f"toFloat64OrNull(toString(props.{name})) AS {name}" for name in _MEASURED),
    "toString(props.kind) AS kind", "toString(props.form) AS form", "toString(props.outboundHost) AS outbound",
    "toString(props.file) AS file", "toString(props.isConversion) = 'true' AND bot = '' AS converts",
])  # fmt: skip

_DAY = f"""(SELECT *, {_PROPS} FROM events FINAL WHERE project = {{project:UInt32}}
    AND occurred_at >= fromUnixTimestamp64Milli({{start:Int64}}, 'UTC')
    AND occurred_at < fromUnixTimestamp64Milli({{end:Int64}}, 'UTC'))"""

#: What a session's events may be: the day's, and those of the evening before and the morning after.
_AROUND = """(SELECT * FROM events FINAL WHERE project = {project:UInt32} AND bot = '' AND actor != 0
    AND occurred_at >= fromUnixTimestamp64Milli({start:Int64} - 1800000, 'UTC')
    AND occurred_at < fromUnixTimestamp64Milli({end:Int64} + 43200000, 'UTC'))"""

_EVENT_SETS = ("event", "country", "device", "browser", "os", "bot", "host", "path", "source", "channel", "medium",
               "campaign", "term", "content", "referrer_host", "kind", "form", "outbound", "file")  # fmt: skip

_SESSION_SETS = ("entry", "exit", "country", "device", "browser", "os", "host", "source", "channel", "medium",
                 "campaign", "term", "content", "referrer_host")  # fmt: skip


def _sets(names: tuple[str, ...]) -> str:
    return f"GROUP BY GROUPING SETS ((), {', '.join(f'({name})' for name in names)})"


_COUNTED = ("form_start", "form_submit", "lead_captured", "consent_given", "consent_withdrawn", "click",
            "outbound_click", "file_download")  # fmt: skip

_LIMITS = {"ttfbMs": (800, 1_800), "fcpMs": (1_800, 3_000), "lcpMs": (2_500, 4_000), "inpMs": (200, 500),
           "clsScore": (0.1, 0.25)}  # fmt: skip

_EVENTS = f"""
SELECT grouping({", ".join(_EVENT_SETS)}) AS g, {", ".join(_EVENT_SETS)},
    countIf(bot = '') AS events, uniqExactIf(actor, bot = '' AND actor != 0) AS actors, sumIf(value, bot = '') AS value,
    countIf(bot != '') AS bots, countIf(event = 'page_view' AND bot = '') AS views,
    uniqExactIf(actor, event = 'page_view' AND bot = '' AND actor != 0) AS visitors,
    countIf(event = 'page_view' AND bot != '') AS bot_views, countIf(event = 'request') AS requests,
    countIf(event = 'page_view' AND bot = '' AND channel != 'internal') AS arrivals, countIf(converts) AS conversions,
    {", ".join(f"countIf(event = '{name}' AND bot = '') AS {name}s" for name in _COUNTED)},
    sumIf(engagedTimeMs, bot = '') AS engaged, sumIf(scrollDepthPercent, bot = '') AS scrolled,
    {
    ", ".join(
        f"countIf({prop} > {limit} AND bot = '') AS {prop}{i}"
        for prop, limits in _LIMITS.items()
        for i, limit in enumerate((-1, *limits))
    )
}
FROM {_DAY} {_sets(_EVENT_SETS)}"""

_VITAL = "quantilesTDigestIf(0.75, 0.95)(ifNull({0}, 0), isNotNull({0}))"

_VITALS = f"""
SELECT {", ".join(map(_VITAL.format, ("ttfbMs", "fcpMs", "lcpMs", "inpMs", "clsScore")))}
FROM {_DAY} WHERE bot = ''"""

_FIRST_OF_VISIT = ("country", "device", "browser", "os", "host", "source", "channel", "medium", "campaign", "term",
                   "content", "referrer_host")  # fmt: skip

_SESSIONS = f"""
SELECT grouping({", ".join(_SESSION_SETS)}) AS g, {", ".join(_SESSION_SETS)},
    countIf(views > 0) AS sessions, countIf(views > 0 AND loud = 1) AS bounces,
    countIf(views > 0 AND converts) AS converted,
    sumIf(views, views > 0) AS viewed, sumIf(seconds, views > 0) AS duration
FROM (
    SELECT (max(at) - min(at)) / 1000 AS seconds, countIf(event != 'engagement') AS loud,
        countIf(event = 'page_view') AS views,
        max(toString(props.isConversion) = 'true') AS converts,
        argMinIf(path, at, event = 'page_view') AS entry, argMaxIf(path, at, event = 'page_view') AS exit,
        {", ".join(f"argMin({name}, at) AS {name}" for name in _FIRST_OF_VISIT)}
    FROM (
        SELECT *, sum(at - before > 1800000) OVER (PARTITION BY actor ORDER BY at) AS visit
        FROM (
            SELECT *, toUnixTimestamp64Milli(occurred_at) AS at,
                lagInFrame(at, 1, at) OVER (PARTITION BY actor ORDER BY at
                    ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS before
            FROM {_AROUND}
        )
    )
    GROUP BY actor, visit HAVING min(at) >= {{start:Int64}} AND min(at) < {{end:Int64}}
) {_sets(_SESSION_SETS)}"""

_NEWCOMERS = """
SELECT count() FROM (SELECT actor, min(first_seen) AS first FROM actors WHERE project = {project:UInt32} GROUP BY actor
    HAVING first >= fromUnixTimestamp64Milli({start:Int64}, 'UTC')
    AND first < fromUnixTimestamp64Milli({end:Int64}, 'UTC'))"""

_BY_HAND = (_EVENTS, _VITALS, _SESSIONS, _NEWCOMERS)
