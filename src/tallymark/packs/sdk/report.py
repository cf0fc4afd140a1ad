"""The monthly report: how many apps, how many sessions, how well it went, and the sum of every counter."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TypedDict

from tallymark.export.to_csv import cell
from tallymark.packs.sdk.names import (
    ALL,
    ERROR_PREFIX,
    REGISTRY_CACHE_HIT,
    REGISTRY_FETCH,
    RESTORE_ATTEMPTS,
    SESSIONS_CREATED,
    SESSIONS_RESTORED,
)
from tallymark.packs.sdk.sums import Sum

COLUMNS = ("month", "network", "metric", "value", "unique_apps")

_ATTEMPTS, _SUCCESS = "_attempts", "_success"

#: Rows that are written together.
_CHUNK = 1_000

Number = float | int


class Detail(TypedDict):
    """A counter's sum in a month, of a network."""

    network: str
    metric: str
    value: Number
    uniqueApps: int


#: By name: counts, rates in percent (null without attempts), and the shares of errors.
Summary = dict[str, Number | dict[str, Number] | None]


class Report(TypedDict):
    """The body of the export as JSON."""

    month: str
    network: str
    final: bool
    summary: Summary
    details: list[Detail]


def report(month: str, network: str | None, apps: int, sums: Sequence[Sum], final: bool) -> Report:
    """The report of a month out of the sums by network and name."""
    return {
        "month": month,
        "network": network or ALL,
        "final": final,
        "summary": summary(apps, sums),
        "details": [{"network": s.network, "metric": s.name, "value": s.value, "uniqueApps": s.apps} for s in sums],
    }


def summary(apps: int, sums: Sequence[Sum]) -> Summary:
    """The numbers that a month is known by; rates are percentages with one decimal, as far as counters allow them."""
    counted: dict[str, Number] = {}
    for each in sums:
        counted[each.name] = counted.get(each.name, 0) + each.value
    restored, created = counted.get(SESSIONS_RESTORED, 0), counted.get(SESSIONS_CREATED, 0)
    hits = counted.get(REGISTRY_CACHE_HIT, 0)
    return {
        "monthlyActiveApps": apps,
        "totalSessions": created + restored,
        "sessionsCreated": created,
        "sessionsRestored": restored,
        **_success_rates(counted),
        "restoreSuccessRate": _percent(restored, counted.get(RESTORE_ATTEMPTS, 0)),
        "registryCacheHitRate": _percent(hits, hits + counted.get(REGISTRY_FETCH, 0)),
        **_errors(counted),
    }


def csv_chunks(month: str, sums: Sequence[Sum]) -> Iterator[str]:
    """The details as CSV (RFC 4180), some rows at a time; no cell is a formula for a spreadsheet."""
    yield ",".join(COLUMNS) + "\r\n"
    for first in range(0, len(sums), _CHUNK):
        yield "".join(
            f"{month},{cell(s.network)},{cell(s.name)},{s.value},{s.apps}\r\n" for s in sums[first : first + _CHUNK]
        )


def _success_rates(counted: Mapping[str, Number]) -> Mapping[str, Number | None]:
    """A rate for every counter of attempts, by that of successes: `walletConnectSuccessRate`.

    Names that differ in their punctuation alone are added up.
    """
    attempts: dict[str, Number] = {}
    successes: dict[str, Number] = {}
    for name, n in sorted(counted.items()):
        for end, sums in ((_ATTEMPTS, attempts), (_SUCCESS, successes)):
            if name.endswith(end):
                rate = f"{_camel(name.removesuffix(end))}SuccessRate"
                sums[rate] = sums.get(rate, 0) + n
    return {rate: _percent(successes.get(rate, 0), tried) for rate, tried in attempts.items()}


def _errors(counted: Mapping[str, Number]) -> Summary:
    """How many errors there were, and the share of each kind in percent, by code."""
    named = [(name.removeprefix(ERROR_PREFIX), n) for name, n in counted.items() if name.startswith(ERROR_PREFIX)]
    errors = dict(sorted(named))
    total = sum(errors.values())
    shares = {code: round(100 * n / total, 1) for code, n in errors.items()} if total else {}
    return {"totalErrors": total, "errorDistribution": shares}


def _percent(part: Number, whole: Number) -> Number | None:
    return round(100 * part / whole, 1) if whole else None


def _camel(name: str) -> str:
    first, *rest = re.split(r"[_.:-]+", name)
    return first + "".join(word[:1].upper() + word[1:] for word in rest)
