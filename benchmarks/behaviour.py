"""Funnels, retention, lifecycle, stickiness and journeys over a site's past, over HTTP, uncached."""

import time
from dataclasses import dataclass
from datetime import date
from typing import Any

from benchmarks import history
from benchmarks.figures import Bench, BenchmarkError, Figure, median, percentile
from benchmarks.server import Server, serving
from benchmarks.timing import milliseconds

#: Twelve weeks of about two million events.
PAST = history.Past(date(2026, 1, 5), 84, 24_000, 8_000, 120_000)
_QUICK_PAST = history.Past(date(2026, 1, 5), 14, 300, 120, 400)

STEPS = ("page_view", "click", "form_start", "form_submit")

_ROUNDS = 20


@dataclass(frozen=True)
class _Asker:
    """Asks a server, every time for something that was never asked before."""

    server: Server
    past: history.Past

    def ask(self, path: str, **params: Any) -> Any:
        window = {"project": history.PROJECT, "from": str(self.past.first), "to": str(self.past.last)}
        return self.server.get(path, **{**window, **params})

    def funnel(self, turn: int, **params: Any) -> Any:
        """A funnel of four steps; a second more makes it new."""
        return self.ask("/v1/funnels", step=list(STEPS), within=f"{7 * 86_400 + turn}s", **params)

    def retention(self, turn: int, **params: Any) -> Any:
        """Twelve weeks; a limit nobody notices makes it new."""
        return self.ask("/v1/retention", period="week", periods=11, limit=turn + 1, **params)

    def lifecycle(self, turn: int) -> Any:
        """Weeks of one event, under a name that is new each time beside it."""
        return self.ask("/v1/lifecycle", period="week", event=f'{{"event": ["page_view", "none-{turn}"]}}')

    def stickiness(self, turn: int) -> Any:
        """The same."""
        return self.ask("/v1/stickiness", event=f'{{"event": ["page_view", "none-{turn}"]}}')

    def journeys(self, turn: int) -> Any:
        """Ways from the first event on."""
        return self.ask("/v1/journeys", depth=5, limit=turn + 1)


def run(bench: Bench) -> list[Figure]:
    """The figures of behaviour."""
    past, rounds = (_QUICK_PAST, 2) if bench.quick else (PAST, _ROUNDS)
    with history.opened(bench, past) as built:
        ((rows,),) = built.engine.query("SELECT count() FROM events")
    with serving(past.folder(bench)) as server:
        asker = _Asker(server, past)
        time.sleep(1)
        asker.retention(0)
        bench.say(f"asking over {rows:,} events of {past.days} days")
        funnel = milliseconds(rounds, asker.funnel, warm_up=1)
        by_country = milliseconds(rounds, lambda turn: asker.funnel(turn, by="country"), warm_up=1)
        retention = milliseconds(rounds, asker.retention, warm_up=1)
        raw = milliseconds(max(1, rounds // 6), lambda turn: asker.retention(turn, exact="true"), warm_up=1)
        lifecycle = milliseconds(rounds, asker.lifecycle, warm_up=1)
        stickiness = milliseconds(rounds, asker.stickiness, warm_up=1)
        journeys = milliseconds(max(1, rounds // 6), asker.journeys, warm_up=1)
        _check(asker)
        return [
            Figure("events", rows, "events", note=f"{past.days} days"),
            Figure("funnel of four steps p50", percentile(funnel, 0.5), "ms"),
            Figure("funnel of four steps p95", percentile(funnel, 0.95), "ms", 1_000),
            Figure("the same by country p95", percentile(by_country, 0.95), "ms"),
            Figure("retention of 12 weeks p50", percentile(retention, 0.5), "ms"),
            Figure("retention of 12 weeks p95", percentile(retention, 0.95), "ms", 200),
            Figure("the same from raw events", median(raw), "ms"),
            Figure("lifecycle of 12 weeks p95", percentile(lifecycle, 0.95), "ms"),
            Figure("stickiness of 12 weeks p95", percentile(stickiness, 0.95), "ms"),
            Figure("journeys", median(journeys), "ms"),
        ]


def _check(asker: _Asker) -> None:
    """Rollups and raw events give the same cohorts, and each step of the funnel has fewer actors."""
    rolled_up, raw = asker.retention(0)["cohorts"], asker.retention(0, exact="true")["cohorts"]
    if rolled_up != raw:
        raise BenchmarkError(f"Cohorts are {rolled_up} from rollups, {raw} from raw events.")
    reached = [step["actors"] for step in asker.funnel(0)["steps"]]
    if not reached[0] or reached != sorted(reached, reverse=True):
        raise BenchmarkError(f"The steps of the funnel have {reached} actors.")
