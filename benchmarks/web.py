"""The web pack's summary over ten million events, with its comparison, over HTTP: new to the server, and hot."""

import time
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from benchmarks import history
from benchmarks.figures import Bench, BenchmarkError, Figure, percentile
from benchmarks.server import Server, serving
from benchmarks.timing import milliseconds

PAST = history.Past(date(2026, 1, 1), 120, 83_400, 20_000, 220_000)
_QUICK_PAST = history.Past(date(2026, 1, 1), 6, 500, 200, 500)

_ROUNDS = 30


@dataclass(frozen=True)
class _Asker:
    """Asks a server for summaries of windows that end on the last days of a past."""

    server: Server
    past: history.Past

    def ask(self, days: int, back: int = 0, compare: str = "") -> Any:
        """The summary of so many days, up to so many before the last one."""
        last = self.past.last - timedelta(days=back)
        first = last - timedelta(days=days - 1)
        params = {"propertyId": history.PROJECT, "from": str(first), "to": str(last)}
        return self.server.get("/web/v1/metrics/summary", **params, **({"compareTo": compare} if compare else {}))


def run(bench: Bench) -> list[Figure]:
    """The figures of the web summary."""
    past, rounds = (_QUICK_PAST, 3) if bench.quick else (PAST, _ROUNDS)
    long, short = (6, 2) if bench.quick else (90, 30)
    with history.opened(bench, past) as built:
        ((rows,),) = built.engine.query("SELECT count() FROM events")
    with serving(past.folder(bench)) as server:
        asker = _Asker(server, past)
        time.sleep(1)
        _check(asker.ask(long), long)
        bench.say(f"asking for summaries over {rows:,} events")
        new_long = milliseconds(rounds, lambda turn: asker.ask(long, turn + 1))
        new_short = milliseconds(rounds, lambda turn: asker.ask(short, turn + 1))
        compared = milliseconds(rounds, lambda turn: asker.ask(short, turn + 1, "previous"))
        hot = milliseconds(rounds, lambda _: asker.ask(long))
        return [
            Figure("events", rows, "events", note=f"{past.days} days, {past.actors_a_day:,} actors a day"),
            Figure(f"summary of {long} days p50", percentile(new_long, 0.5), "ms"),
            Figure(f"summary of {long} days p95", percentile(new_long, 0.95), "ms", note="new windows"),
            Figure(f"summary of {short} days p50", percentile(new_short, 0.5), "ms"),
            Figure(f"summary of {short} days p95", percentile(new_short, 0.95), "ms", note="new windows"),
            Figure(f"summary of {short} days compared p95", percentile(compared, 0.95), "ms", note="two windows"),
            Figure("hot window p95", percentile(hot, 0.95), "ms", note=f"{long} days, from the cache"),
            Figure("memory after it", server.memory_mb(), "MB"),
        ]


def _check(summary: Any, days: int) -> None:
    """Figures of an empty answer would mean nothing."""
    metrics = summary["metrics"]
    if (
        len(summary["trend"]) != days
        or not metrics["totalPageViews"]["value"]
        or not metrics["leadCaptureRate"]["value"]
    ):
        raise BenchmarkError(f"The summary is not what was written: {summary}")
