"""A dashboard's question over ten million events: 20 metrics of 90 days with their series, over HTTP, uncached."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from benchmarks import history
from benchmarks.figures import Bench, BenchmarkError, Figure, median, percentile
from benchmarks.server import Server, serving
from benchmarks.timing import milliseconds

METRICS = (
    "events", "actors", "new_actors", "value", "bot_events", "page_views", "visitors", "new_visitors",
    "returning_visitors", "returning_share", "sessions", "views_per_session", "bounce_rate", "session_duration",
    "views_per_visitor", "bot_views", "ttfb_p75", "lcp_p75", "inp_p75", "cls_p75",
)  # fmt: skip

PAST = history.Past(date(2026, 1, 1), 90, 111_200, 26_500, 220_000)
_QUICK_PAST = history.Past(date(2026, 1, 1), 6, 500, 200, 500)

_ROUNDS = 60
_ROUNDS_FROM_RAW = 3


@dataclass(frozen=True)
class _Asker:
    """Asks a server, every time for something that was never asked before: a limit nobody notices makes it new."""

    server: Server
    past: history.Past

    def ask(self, turn: int, **more: str) -> Any:
        first, last = self.past.first, self.past.last
        params: Mapping[str, Any] = {
            "project": history.PROJECT, "metrics": ",".join(METRICS), "from": str(first), "to": str(last),
            "grain": "day", "limit": str(100 + turn), **more,
        }  # fmt: skip
        return self.server.get("/v1/query", **params)


def run(bench: Bench) -> list[Figure]:
    """The summary's figures."""
    past = _QUICK_PAST if bench.quick else PAST
    rounds, raw_rounds = (3, 1) if bench.quick else (_ROUNDS, _ROUNDS_FROM_RAW)
    with history.opened(bench, past) as built:
        ((rows, a_day),) = built.engine.query(
            "SELECT sum(n), avg(actors) FROM (SELECT count() AS n, uniqExact(actor) AS actors FROM events "
            "GROUP BY toDate(occurred_at))"
        )
    with serving(past.folder(bench)) as server:
        asker = _Asker(server, past)
        _settle(asker)
        bench.say(f"asking for {len(METRICS)} metrics of {past.days} days over {rows:,} events")
        summary = milliseconds(rounds, asker.ask, warm_up=2)
        by_path = milliseconds(rounds // 2, lambda turn: _by_path(asker, turn), warm_up=2)
        middle = past.first + timedelta(days=past.days // 2)
        halves = f"{past.first}..{middle - timedelta(days=1)}"
        compared = milliseconds(
            rounds // 2, lambda turn: asker.ask(turn, **{"from": str(middle), "compareTo": halves}), warm_up=2
        )
        bench.say("asking for the same from raw events")
        raw = milliseconds(raw_rounds, lambda turn: asker.ask(turn, exact="true"), warm_up=2)
        _check_same(asker)
        return [
            Figure("events", rows, "events", note=f"{a_day:,.0f} actors a day, {past.days} days"),
            Figure("summary p50", percentile(summary, 0.5), "ms"),
            Figure("summary p95", percentile(summary, 0.95), "ms", 50, note="20 metrics with daily series"),
            Figure("the same from raw events", median(raw), "ms"),
            Figure("raw / rollups", median(raw) / median(summary), "ratio", 10, "more"),
            Figure("breakdown by path p95", percentile(by_path, 0.95), "ms", note="page views and visitors"),
            Figure("compared halves p95", percentile(compared, 0.95), "ms", note="two windows of 45 days"),
            Figure("memory after it", server.memory_mb(), "MB"),
        ]


def _by_path(asker: _Asker, turn: int) -> Any:
    return asker.ask(turn, metrics="page_views,visitors", by="path")


def _settle(asker: _Asker) -> None:
    """Waits until the server has looked at every day once."""
    time.sleep(1)
    asker.ask(0)
    time.sleep(1)


def _check_same(asker: _Asker) -> None:
    """Rollups and raw events give the same numbers."""
    rolled_up, raw = asker.ask(0)["metrics"], asker.ask(0, exact="true")["metrics"]
    for name in METRICS:
        if rolled_up[name]["value"] != raw[name]["value"] or rolled_up[name]["series"] != raw[name]["series"]:
            raise BenchmarkError(
                f"{name} is {rolled_up[name]['value']} from rollups, {raw[name]['value']} from raw events."
            )
