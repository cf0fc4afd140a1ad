"""Windows, days and buckets in zones whose clocks jump."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallymark.spec.window import Grain, Window, bucket_day, midnight, today

ZONES = ["UTC", "Europe/Berlin", "Asia/Kolkata", "Asia/Kathmandu", "America/St_Johns", "Australia/Lord_Howe",
         "America/Sao_Paulo", "Asia/Beirut", "Pacific/Apia", "Pacific/Chatham"]  # fmt: skip

days = st.dates(date(1990, 1, 1), date(2035, 12, 31))


@pytest.mark.parametrize(
    ("day", "zone", "begins", "hours"),
    [
        (date(2026, 3, 29), "Europe/Berlin", "2026-03-28T23:00:00", 23),
        (date(2026, 10, 25), "Europe/Berlin", "2026-10-24T22:00:00", 25),
        (date(2026, 6, 1), "Asia/Kolkata", "2026-05-31T18:30:00", 24),
        (date(2026, 3, 8), "America/St_Johns", "2026-03-08T03:30:00", 23),
        (date(2026, 4, 5), "Australia/Lord_Howe", "2026-04-04T13:00:00", 24.5),
        (date(2026, 10, 4), "Australia/Lord_Howe", "2026-10-03T13:30:00", 23.5),
        (date(2018, 11, 4), "America/Sao_Paulo", "2018-11-04T03:00:00", 23),
        (date(2022, 3, 27), "Asia/Beirut", "2022-03-26T22:00:00", 23),
        (date(2010, 11, 7), "America/St_Johns", "2010-11-07T02:30:00", 25),
        (date(2011, 12, 30), "Pacific/Apia", "2011-12-30T10:00:00", 0),
    ],
)
def test_a_day_lasts_from_its_first_instant_to_that_of_the_next(
    day: date, zone: str, begins: str, hours: float
) -> None:
    start, end = midnight(day, zone), midnight(day + timedelta(days=1), zone)
    assert start == datetime.fromisoformat(begins).replace(tzinfo=UTC)
    assert end - start == timedelta(hours=hours)


@given(days, st.integers(0, 40), st.sampled_from(ZONES), st.sampled_from(list(Grain)))
def test_buckets_follow_each_other_and_add_up_to_the_window(first: date, more: int, zone: str, grain: Grain) -> None:
    window = Window(first, first + timedelta(days=more), zone, grain)
    buckets = window.buckets()
    if window.start == window.end:
        return
    assert buckets[0].start == window.start.timestamp()
    assert buckets[-1].end == window.end.timestamp()
    assert all(a.end == b.start for a, b in pairwise(buckets))
    assert len({bucket.label for bucket in buckets}) == len(buckets)


@given(days, st.sampled_from(ZONES))
def test_the_first_instant_of_a_day_is_on_it_and_the_last_one_before_is_not(day: date, zone: str) -> None:
    start = midnight(day, zone)
    assert today(zone, start) >= day
    assert today(zone, start - timedelta(seconds=1)) < day


@given(days, st.integers(0, 400))
def test_the_window_before_is_as_long_and_ends_the_day_before(first: date, more: int) -> None:
    window = Window(first, first + timedelta(days=more), "Asia/Kolkata", Grain.WEEK)
    before = window.before()
    assert (before.length, before.timezone, before.grain) == (window.length, window.timezone, window.grain)
    assert before.last + timedelta(days=1) == window.first
    assert len(list(window.days())) == window.length


def _labels(first: date, last: date, zone: str, grain: Grain) -> list[str]:
    return [bucket.label for bucket in Window(first, last, zone, grain).buckets()]


def test_weeks_begin_on_mondays_and_are_cut_by_the_window() -> None:
    window = Window(date(2026, 1, 1), date(2026, 1, 13), "UTC", Grain.WEEK)
    assert [b.label for b in window.buckets()] == ["2025-12-29", "2026-01-05", "2026-01-12"]
    assert window.buckets()[0].start == datetime(2026, 1, 1, tzinfo=UTC).timestamp()
    assert bucket_day(date(2026, 1, 4), Grain.WEEK) == date(2025, 12, 29)


def test_months_begin_on_their_first_day() -> None:
    assert _labels(date(2026, 1, 31), date(2026, 3, 1), "UTC", Grain.MONTH) == [
        "2026-01-01",
        "2026-02-01",
        "2026-03-01",
    ]


@pytest.mark.parametrize(
    ("day", "zone", "hours", "some"),
    [
        (date(2026, 3, 29), "Europe/Berlin", 23, ["2026-03-29T01:00:00+01:00", "2026-03-29T03:00:00+02:00"]),
        (date(2026, 10, 25), "Europe/Berlin", 25, ["2026-10-25T02:00:00+02:00", "2026-10-25T02:00:00+01:00"]),
        (date(2026, 6, 1), "Asia/Kolkata", 24, ["2026-06-01T00:00:00+05:30"]),
        (date(2018, 11, 4), "America/Sao_Paulo", 23, ["2018-11-04T01:00:00-02:00"]),
        (date(2026, 4, 5), "Australia/Lord_Howe", 25, ["2026-04-05T00:00:00+11:00", "2026-04-05T23:30:00+10:30"]),
    ],
)
def test_hours_are_counted_from_the_first_instant_of_a_day(day: date, zone: str, hours: int, some: list[str]) -> None:
    labels = _labels(day, day, zone, Grain.HOUR)
    assert len(labels) == hours
    assert set(some) <= set(labels)


def test_the_last_hour_of_a_day_of_half_hours_is_shorter() -> None:
    last = Window(date(2026, 4, 5), date(2026, 4, 5), "Australia/Lord_Howe", Grain.HOUR).buckets()[-1]
    assert last.end - last.start == 1800
