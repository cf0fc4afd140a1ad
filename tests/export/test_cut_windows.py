"""Metrics of windows that begin and end inside a week or a month: nothing from outside, nothing left out."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from tallymark.spec.condition import Op
from tallymark.spec.export import Format, Order, What
from tallymark.spec.query import EVERYTHING, Clause, Filter, Query
from tallymark.spec.window import Grain, Window
from tests.conftest import World, Worlds
from tests.export.conftest import Exported
from tests.export.reading import read
from tests.oracle import Oracle, Where, agrees, series, text, window

METRICS = ("visitors", "page_views", "new_visitors")
ADDRESSES = ("193.99.144.80", "8.8.8.8", "133.11.0.1")

#: Wednesday to Tuesday; some days lie in the first and last week or month of a window, and not in the window.
DAYS = [date(2026, 10, 28) + timedelta(days=n) for n in (0, 2, 4, 5, 7, 8, 11, 14, 15, 18)]
WEEKS = Window(date(2026, 11, 5), date(2026, 11, 11), grain=Grain.WEEK)
MONTHS = Window(date(2026, 10, 30), date(2026, 11, 11), grain=Grain.MONTH)

GERMAN = Filter(((Clause("country", Op.IS, ("DE",)),),))
NOT_B = Filter((*GERMAN.groups, (Clause("path", Op.IS_NOT, ("/b",)),)))


def anywhere(_: Any) -> bool:
    return True


def german(row: Any) -> bool:
    return text(row, "country") == "DE"


def german_but_b(row: Any) -> bool:
    return german(row) and text(row, "path") != "/b"


FILTERS = [(EVERYTHING, anywhere), (GERMAN, german), (NOT_B, german_but_b)]


@pytest.fixture(scope="module")
def site(world: Worlds) -> tuple[World, Oracle]:
    """A world with visits on some days of four weeks, rolled up, and what its numbers are."""
    here, now = world(), datetime(2026, 11, 20, tzinfo=UTC)
    events = [
        {
            "event": "page_view", "visitorId": f"v{n * (place + 3) % 11}", "eventId": f"e{place}-{n}",
            "url": f"https://shop.example/{'abc'[n % 3]}", "ip": ADDRESSES[n % 11 % 3],
            "timestamp": (datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(hours=n)).isoformat(),
        }
        for place, day in enumerate(DAYS) for n in range(7 + place)
    ]  # fmt: skip
    assert here.send(events, now) == []
    here.settle()
    return here, Oracle.of([(round(now.timestamp() * 1000), event) for event in events], "UTC")


def rows_of(exported: Exported, here: World, asked: Window, by: str | None, filter: Filter) -> Sequence[dict[str, Any]]:
    return read(Format.JSON, exported(here, Order(What.METRICS, Format.JSON, asked, METRICS, by, filter)))


@pytest.mark.parametrize(("filter", "where"), FILTERS, ids=["all", "rolled up", "raw"])
@pytest.mark.parametrize("asked", [WEEKS, MONTHS], ids=["weeks", "months"])
def test_buckets(site: tuple[World, Oracle], exported: Exported, asked: Window, filter: Filter, where: Where) -> None:
    here, oracle = site
    rows = rows_of(exported, here, asked, None, filter)
    told = here.ask(Query(METRICS, asked, filter=filter))["metrics"]
    buckets = series(asked.first, asked.last, "UTC", asked.grain)
    assert [row["bucket"] for row in rows] == [bucket.label for bucket in buckets]
    for name in METRICS:
        assert [row[name] for row in rows] == [point["value"] for point in told[name]["series"]]
        assert all(agrees(row[name], oracle.ask(name, b, where)) for row, b in zip(rows, buckets, strict=True))
    assert all(row["page_views"] > 0 for row in rows)


@pytest.mark.parametrize("by", ["path", "country"])
@pytest.mark.parametrize(("filter", "where"), FILTERS, ids=["all", "rolled up", "raw"])
@pytest.mark.parametrize("asked", [WEEKS, MONTHS], ids=["weeks", "months"])
def test_buckets_and_keys(
    site: tuple[World, Oracle], exported: Exported, asked: Window, filter: Filter, where: Where, by: str
) -> None:
    here, oracle = site
    rows = rows_of(exported, here, asked, by, filter)
    buckets = series(asked.first, asked.last, "UTC", asked.grain)
    keys = oracle.keys("visitors", window(asked.first, asked.last, "UTC"), by, where)
    assert [(row["bucket"], row["key"]) for row in rows] == [(b.label, key) for b in buckets for key in keys]
    firsts = [asked.first, *(date.fromisoformat(b.label) for b in buckets[1:]), asked.last + timedelta(days=1)]
    for bucket, (first, end) in zip(buckets, pairwise(firsts), strict=True):
        part = replace(asked, first=first, last=end - timedelta(days=1))
        told = {row["key"]: row for row in here.ask(Query(METRICS, part, by=by, filter=filter))["breakdown"]}
        for row in (row for row in rows if row["bucket"] == bucket.label):
            for name in METRICS:
                assert agrees(row[name], oracle.by_key(name, bucket, by, row["key"], where)), (row, name)
                assert row[name] == told.get(row["key"], {name: 0})[name]
