"""What servers say in headers and statuses."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallymark.packs.voice.judges.faults import fault_of, longest, seconds_of_duration, seconds_of_header
from tallymark.spec.evaluation import Fault

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@given(st.integers(0, 10**6), st.text())
def test_seconds(seconds: int, anything: str) -> None:
    assert seconds_of_header(str(seconds)) == seconds
    assert seconds_of_duration(f"{seconds}s") == seconds
    for read in (seconds_of_header(anything), seconds_of_duration(anything)):
        assert read is None or read >= 0


@given(st.timedeltas(timedelta(days=-9), timedelta(days=9)))
def test_a_time_of_http(ahead: timedelta) -> None:
    until = (NOW + ahead).replace(microsecond=0)
    assert seconds_of_header(format_datetime(until, usegmt=True), NOW) == max(0.0, (until - NOW).total_seconds())


@pytest.mark.parametrize(
    "nothing",
    [None, "", "soon", "-3", "nan", "inf", "1e9", "Sun, 99 Mar 2026 12:00:00 GMT", "٣",
     "Sun, 01 Mar 99999999999999999999 12:00:00 GMT", "Sun, 01 Mar 2026 12:00:00 +99999999999999"],
)  # fmt: skip
def test_a_header_that_says_nothing(nothing: str | None) -> None:
    assert seconds_of_header(nothing, NOW) is None


@pytest.mark.parametrize("nothing", [None, 13, "13", "s", "1.5.2s", "-1s", {"seconds": 3}, "13s "])
def test_a_duration_that_says_nothing(nothing: object) -> None:
    assert seconds_of_duration(nothing) is None


def test_a_time_without_a_zone_is_taken_for_utc() -> None:
    assert seconds_of_header("Sun, 01 Mar 2026 12:00:09 -0000", NOW) == 9.0


def test_the_longest_counts() -> None:
    assert longest() is None
    assert longest(None, 0.0, 2.0, 1.0) == 2.0


@given(st.integers(300, 999))
def test_every_status_is_a_fault(status: int) -> None:
    fault = fault_of(status)
    if status >= 500 or status == 408:
        assert fault is Fault.UNAVAILABLE
    elif status in (401, 403):
        assert fault is Fault.UNAUTHORIZED
    else:
        assert fault is (Fault.RATE_LIMITED if status == 429 else Fault.REJECTED)
