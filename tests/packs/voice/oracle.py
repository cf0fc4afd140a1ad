"""What the voice pack's numbers must be: plain Python over what assistants sent, written from the rules.

- An event counts once: of those with the same name, user and `event_id` (without one, `query_id`; without both, the
  same content) the first to arrive is the one.
- A query and an outcome with the same `query_id` are an exchange, whichever comes first; of several queries, or
  outcomes, the earliest. It lies where its query lies, or else its outcome; what both say is the outcome's.
- One without the other is an exchange of its own once it is ten minutes old.
- An exchange is its query's user's, or its outcome's where the query names none. Bots are nobody: it is a bot's where
  its query is, or else its outcome.
"""

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from functools import partial
from operator import attrgetter
from typing import Any

from tests.oracle import Expected, Near, Span

Wire = Mapping[str, Any]

#: What a property is called in answers, by what it is called where it is sent.
PROPERTIES = {
    "query_id": "queryId", "store_id": "storeId", "transcript": "transcript", "intent": "intent",
    "confidence": "confidence", "response": "response", "success": "success", "fallback": "fallback",
    "error": "error", "language": "language", "model": "model", "word_error_rate": "wordErrorRate",
    "recognition_ms": "recognitionMs", "understanding_ms": "understandingMs", "response_ms": "responseMs",
    "total_ms": "totalMs", "prompt_tokens": "promptTokens", "completion_tokens": "completionTokens",
    "tokens": "tokens", "cost_usd": "costUsd",
}  # fmt: skip

#: Dimensions, and the property of each.
DIMENSIONS = {
    "intent": "intent", "store": "storeId", "model": "model", "language": "language", "voice_error": "error",
    "confidence_band": "confidenceBand", "evaluator": "evaluator", "exchange_state": "exchangeState",
}  # fmt: skip

_NOTHING_UNDERSTOOD = ("unknown", "none", "fallback", "Default Fallback Intent")

#: A user agent of a bot.
BOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


@dataclass(frozen=True)
class Row:
    """A query, an outcome, an exchange or an evaluation that counts."""

    name: str
    at: int
    actor: str
    bot: bool
    said: Mapping[str, Any]

    def text(self, dimension: str) -> str:
        """What it has of a dimension."""
        value = self.said.get(DIMENSIONS[dimension], "")
        return str(value).lower() if isinstance(value, bool) else str(value)


Where = Callable[[Row], bool]


def received(sent: Iterable[Wire]) -> list[Row]:
    """The queries and outcomes that count, of those that were sent, in order of arrival."""
    first: dict[object, Row] = {}
    for wire in sent:
        actor, named = wire.get("user_id", ""), wire.get("event_id") or wire.get("query_id")
        content = json.dumps({name: value for name, value in wire.items() if name != "user_agent"}, sort_keys=True)
        identity = (wire["event_type"], actor, named) if named else (actor, content)
        first.setdefault(identity, _row(wire))
    return list(first.values())


def _row(wire: Wire) -> Row:
    said = {called: wire[name] for name, called in PROPERTIES.items() if wire.get(name) is not None}
    if said.get("intent") in _NOTHING_UNDERSTOOD:
        said["fallback"] = True
    tokens = [said[name] for name in ("promptTokens", "completionTokens") if name in said]
    if tokens:
        said.setdefault("tokens", sum(tokens))
    if "confidence" in said:
        said["confidenceBand"] = band(said["confidence"])
    bot = wire.get("user_agent", "") == BOT
    return Row(wire["event_type"], milliseconds(wire["timestamp"]), wire.get("user_id", ""), bot, said)


def milliseconds(time: str) -> int:
    """An instant in epoch milliseconds."""
    return (datetime.fromisoformat(time) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def band(confidence: float) -> str:
    """The tenth that a confidence lies in; 1 belongs to the last."""
    tenths = min(math.floor(Fraction(str(confidence)) * 10), 9)
    return f"{tenths / 10}-{(tenths + 1) / 10}"


def exchanges(rows: Sequence[Row], old: bool = True) -> list[Row]:
    """The exchanges of queries and outcomes; of those without the other only where all is ten minutes old."""
    together: dict[object, list[Row]] = {}
    for place, row in enumerate(rows):
        together.setdefault(row.said.get("queryId", place), []).append(row)
    found = [_exchange(sorted(group, key=attrgetter("at"))) for group in together.values()]
    return [row for row in found if old or row.said["exchangeState"] == "answered"]


def _exchange(group: Sequence[Row]) -> Row:
    query, outcome = (
        next((row for row in group if row.name == f"voice_{name}"), None) for name in ("query", "outcome")
    )
    lies = query or outcome
    assert lies is not None
    state = "unanswered" if outcome is None else "unasked" if query is None else "answered"
    said = {**(query.said if query else {}), **(outcome.said if outcome else {}), "exchangeState": state}
    actor = lies.actor or (outcome.actor if outcome else "")
    return replace(lies, name="voice_exchange", actor=actor, said=said)


def evaluation(exchange: Row, evaluator: str, scores: Mapping[str, int], tokens: int, cost: float) -> Row:
    """What a judge said of an exchange: it lies where the exchange lies."""
    kept = {name: exchange.said[name] for name in ("storeId", "intent", "language", "model") if name in exchange.said}
    said = {**kept, **scores, "evaluator": evaluator, "judgeTokens": tokens, "judgeCostUsd": cost}
    return replace(exchange, name="voice_evaluated", said=said)


@dataclass(frozen=True)
class Oracle:
    """Queries, outcomes, exchanges and evaluations of a project."""

    rows: Sequence[Row]

    @classmethod
    def of(cls, sent: Iterable[Wire], old: bool = True, evaluations: Sequence[Row] = ()) -> "Oracle":
        """The oracle of what was sent, all of it ten minutes old or nothing."""
        counted = received(sent)
        return cls([*counted, *exchanges(counted, old), *evaluations])

    def ask(self, metric: str, span: Span, where: Where = lambda _: True) -> Expected:
        """A metric over a span."""
        return METRICS[metric]([row for row in self.within(span) if not row.bot and where(row)])

    def within(self, span: Span) -> list[Row]:
        """Everything in a span."""
        return [row for row in self.rows if span.start <= row.at < span.end]

    def keys(self, metric: str, span: Span, by: str, where: Where = lambda _: True) -> list[str]:
        """The keys of a breakdown by a count, largest first, then by the bytes of the text.

        Keys of a sum are told by how many add to it.
        """
        rows = self._people(span, where)
        added_to = {"voice_tokens": lambda rows: sum("tokens" in row.said for row in _exchange_rows(rows))}
        size = added_to.get(metric) or METRICS[metric]
        sizes = {key: size([row for row in rows if row.text(by) == key]) for key in {row.text(by) for row in rows}}
        known = [(key, size) for key, size in sizes.items() if isinstance(size, int) and size > 0]
        return [key for key, _ in sorted(known, key=lambda pair: (-pair[1], pair[0].encode()))]

    def by_key(self, metric: str, span: Span, by: str, key: str, where: Where = lambda _: True) -> Expected:
        """A row of a breakdown."""
        return self.ask(metric, span, _both(where, by, key))

    def bands(self, span: Span, where: Where = lambda _: True) -> dict[str, tuple[int, Fraction, Fraction]]:
        """Outcomes, mean confidence and success of each band of confidence, from the lowest."""
        known = [row for row in _said_rows(self._people(span, where)) if "confidence" in row.said]
        found: dict[str, list[Row]] = {}
        for row in sorted(known, key=lambda row: str(row.said["confidenceBand"])):
            found.setdefault(row.said["confidenceBand"], []).append(row)
        return {
            name: (len(rows), _share(rows, "confidence"), Fraction(sum(row.said["success"] for row in rows), len(rows)))
            for name, rows in found.items()
        }

    def calibration_error(self, span: Span, where: Where = lambda _: True) -> Fraction | None:
        """The mean gap between confidence and success over bands, weighted by their outcomes."""
        found = self.bands(span, where).values()
        return _over(sum((n * abs(confidence - success) for n, confidence, success in found), Fraction(0)),
                     sum(n for n, _, _ in found))  # fmt: skip

    def _people(self, span: Span, where: Where) -> list[Row]:
        return [row for row in self.within(span) if not row.bot and where(row)]


def _both(where: Where, by: str, key: str) -> Where:
    return lambda row: where(row) and row.text(by) == key


def _named(rows: Sequence[Row], *names: str) -> list[Row]:
    return [row for row in rows if row.name in names]


def _exchange_rows(rows: Sequence[Row], *states: str) -> list[Row]:
    return [row for row in _named(rows, "voice_exchange") if not states or row.said["exchangeState"] in states]


def _results(rows: Sequence[Row]) -> list[Row]:
    """Exchanges with an outcome."""
    return _exchange_rows(rows, "answered", "unasked")


def _said_rows(rows: Sequence[Row]) -> list[Row]:
    """Those whose outcome says whether it succeeded."""
    return [row for row in _results(rows) if "success" in row.said]


def _errors(rows: Sequence[Row]) -> list[Row]:
    return [row for row in _results(rows) if row.said.get("error")]


def _judged(rows: Sequence[Row]) -> list[Row]:
    return _named(rows, "voice_evaluated")


def _over(upper: int | Fraction, lower: int) -> Fraction | None:
    return Fraction(upper) / lower if lower else None


def _numbers(rows: Iterable[Row], prop: str) -> list[Fraction]:
    return [Fraction(str(row.said[prop])) for row in rows if prop in row.said]


def _sum(rows: Iterable[Row], prop: str) -> Fraction:
    return sum(_numbers(rows, prop), Fraction(0))


def _mean(rows: Iterable[Row], prop: str) -> Fraction | None:
    numbers = _numbers(rows, prop)
    return _over(sum(numbers, Fraction(0)), len(numbers))


def _share(rows: Sequence[Row], prop: str) -> Fraction:
    return _sum(rows, prop) / len(rows)


def _quantile(rows: Sequence[Row], prop: str, percent: int) -> Near | None:
    """The nearest rank: the smallest number that at least so many of a hundred do not exceed."""
    ordered = sorted(_numbers(_exchange_rows(rows), prop))
    return Near(float(ordered[math.ceil(Fraction(percent, 100) * len(ordered)) - 1])) if ordered else None


def _poor(rows: Sequence[Row]) -> Fraction | None:
    return _over(sum(row.said["overall"] <= 2 for row in _judged(rows)), len(_judged(rows)))


_LATENCIES = {"recognition": "recognitionMs", "understanding": "understandingMs", "response": "responseMs",
              "total": "totalMs"}  # fmt: skip

METRICS: dict[str, Callable[[Sequence[Row]], Expected]] = {
    "voice_queries": lambda rows: len(_named(rows, "voice_query")),
    "voice_outcomes": lambda rows: len(_named(rows, "voice_outcome")),
    "voice_users": lambda rows: len({row.actor for row in _named(rows, "voice_query", "voice_outcome") if row.actor}),
    "voice_exchanges": lambda rows: len(_exchange_rows(rows)),
    "voice_success_rate": lambda rows: _over(
        sum(row.said["success"] for row in _said_rows(rows)), len(_said_rows(rows))
    ),
    "voice_results": lambda rows: len(_said_rows(rows)),
    "voice_fallback_rate": lambda rows: _over(
        sum(row.said.get("fallback", False) for row in _results(rows)), len(_results(rows))
    ),
    "voice_error_rate": lambda rows: _over(len(_errors(rows)), len(_results(rows))),
    "voice_errors": lambda rows: len(_errors(rows)),
    "voice_abandonment_rate": lambda rows: _over(
        len(_exchange_rows(rows, "unanswered")), len(_exchange_rows(rows, "unanswered", "answered"))
    ),
    "voice_unanswered": lambda rows: len(_exchange_rows(rows, "unanswered")),
    "voice_unasked": lambda rows: len(_exchange_rows(rows, "unasked")),
    "voice_confidence": lambda rows: _mean(_exchange_rows(rows), "confidence"),
    "voice_calibrated_confidence": lambda rows: _mean(_said_rows(rows), "confidence"),
    "voice_word_error_rate": lambda rows: _mean(_exchange_rows(rows), "wordErrorRate"),
    "voice_tokens": lambda rows: _sum(_exchange_rows(rows), "tokens"),
    "voice_prompt_tokens": lambda rows: _sum(_exchange_rows(rows), "promptTokens"),
    "voice_completion_tokens": lambda rows: _sum(_exchange_rows(rows), "completionTokens"),
    "voice_cost": lambda rows: _sum(_exchange_rows(rows), "costUsd"),
    "voice_cost_per_exchange": lambda rows: _mean(_exchange_rows(rows), "costUsd"),
    "voice_tokens_per_exchange": lambda rows: _mean(_exchange_rows(rows), "tokens"),
    "voice_evaluations": lambda rows: len(_judged(rows)),
    "voice_quality": lambda rows: _mean(_judged(rows), "overall"),
    "voice_relevance": lambda rows: _mean(_judged(rows), "relevance"),
    "voice_correctness": lambda rows: _mean(_judged(rows), "correctness"),
    "voice_helpfulness": lambda rows: _mean(_judged(rows), "helpfulness"),
    "voice_safety": lambda rows: _mean(_judged(rows), "safety"),
    "voice_poor_share": _poor,
    "voice_judge_tokens": lambda rows: _sum(_judged(rows), "judgeTokens"),
    "voice_judge_cost": lambda rows: _sum(_judged(rows), "judgeCostUsd"),
    **{
        f"voice_{stage}_p{percent}": partial(_quantile, prop=prop, percent=percent)
        for stage, prop in _LATENCIES.items()
        for percent in (50, 90, 95, 99)
    },
}
