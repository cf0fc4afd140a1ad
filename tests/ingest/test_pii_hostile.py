"""What is made to keep a server busy is refused or redacted whole: the work grows as the body does, up to a budget."""

import sys
from collections.abc import Callable
from itertools import count
from types import FrameType
from typing import Any

import pytest

from benchmarks.pii import HOSTILE
from tallymark.ingest.pii import Finding, cleaned, find, first, redacted
from tallymark.ingest.pii_budget import OF_BODY, OF_EVENT, Budget
from tallymark.ingest.pii_keys import LONGEST_NAME
from tallymark.ingest.pii_readings import readings, ways

ENDLESS = 10**12
MANY = "email=a&" * 2_000
NUMBER = 4111111111111111
#: Their matches overlap, and none is confirmed: only a budget keeps them from being looked at again and again.
OVERLAPPING = ["one email that is none", "bearer"]


def _calls(work: Callable[[], object]) -> int:
    """How many functions are called and generators resumed, in Python and in C: the same in every run."""
    seen = count()

    def look(_frame: FrameType, event: str, _argument: object) -> None:
        if event in ("call", "c_call"):
            next(seen)

    before = sys.getprofile()
    sys.setprofile(look)
    try:
        work()
    finally:
        sys.setprofile(before)
    return next(seen)


def _worked(look: Callable[[dict[str, Any], Budget], object], form: str, size: int, budget: Budget) -> tuple[int, int]:
    properties = HOSTILE[form](size)
    return _calls(lambda: look(properties, budget)), budget.used


@pytest.mark.parametrize("form", [form for form in HOSTILE if form not in OVERLAPPING])
@pytest.mark.parametrize("look", [first, redacted])
def test_twice_as_much_is_at_most_twice_the_work(form: str, look: Any) -> None:
    """Without a budget; in functions called, and in what validators are given."""
    _worked(look, form, 500, Budget())
    once, twice = (_worked(look, form, size, Budget(ENDLESS, ENDLESS)) for size in (4_000, 8_000))
    assert all(more <= 2.3 * less + 200 for less, more in zip(once, twice, strict=True)), (once, twice)


@pytest.mark.parametrize("form", OVERLAPPING)
@pytest.mark.parametrize("look", [first, redacted])
def test_where_each_candidate_holds_the_next_the_budget_ends_the_work(form: str, look: Any) -> None:
    _worked(look, form, 500, Budget())
    calls, used = _worked(look, form, 64_000, Budget())
    assert used < 2 * OF_EVENT + 10_000
    assert calls < 50_000


@pytest.mark.parametrize("form", HOSTILE)
@pytest.mark.parametrize("look", [first, redacted])
def test_no_event_uses_up_much_more_than_its_budget(form: str, look: Any) -> None:
    """Texts and names are not of an event's budget: there are as many as it has bytes."""
    _, used = _worked(look, form, 64_000, Budget())
    assert used < 10 * OF_EVENT


def test_beyond_the_budget_an_event_is_personal_data_without_looking() -> None:
    properties = {"a": "hello", "b": f"me@x.org {MANY}", "c": {"d": "fine"}, "e": ["fine", NUMBER, 7, True, None, ""]}
    assert redacted(properties) == {
        "a": "hello", "b": "[email]", "c": {"[email]": "[email]"}, "e": ["[email]", "[email]", 7, True, None, ""],
    }  # fmt: skip
    assert find(properties) == [Finding("b", "email")]
    assert first(properties) == Finding("b", "email")


def test_the_next_event_is_looked_at_again() -> None:
    budget = Budget()
    assert first({"a": MANY}, budget) == Finding("a", "email")
    assert budget.spent
    budget.next_event()
    assert first({"a": "fine"}, budget) is None
    assert redacted({"a": "fine", "b": "me@x.org"}, budget) == {"a": "fine", "b": "[email]"}


def test_a_body_that_is_used_up_is_refused_and_redacted_to_its_end() -> None:
    budget = Budget(of_body=5_000)
    while not budget.spent:
        budget.next_event()
        redacted({"a": "+49 30 901820"}, budget)
    budget.next_event()
    assert first({"a": 1, "b": "fine"}, budget) == Finding("b", "phone")
    assert redacted(["fine", {"b": "fine"}], budget) == ["[phone]", {"[phone]": "[phone]"}]
    assert cleaned(["me@x.org", "fine", ""], budget=budget) == ["[phone]", "[phone]", ""]


def test_a_body_of_honest_events_is_within_its_budget() -> None:
    budget = Budget()
    for number in range(4_000):
        budget.next_event()
        sent = {
            "contact": f"a{number}@x.org",
            "plan": "pro",
            "note": "call 030 901820",
            "ip": "203.0.113.7",
            "n": number,
        }
        assert redacted(sent, budget) == {
            "contact": "[email]", "plan": "pro", "note": "call [phone]", "ip": "[ip]", "n": number,
        }  # fmt: skip
    assert budget.used < OF_BODY / 2


def test_a_long_name_tells_nothing_but_is_looked_at() -> None:
    assert find({"x." * 60 + "email": "a@b"}) == [Finding("x." * 60 + "email", "email")]
    assert find({"x" * LONGEST_NAME + ".email": "a@b"}) == []
    assert find({"x" * 40_000: "a@b", "a": 1}) == []
    long = "x" * 40_000 + " me@x.org"
    assert find({long: 1}) == [Finding("…", "email")]
    assert redacted({long: 1}) == {"x" * 40_000 + " [email]": 1}
    assert find({"phone": {"x" * 40_000: "1234567"}}) == [Finding("phone.…", "phone")]


def test_of_a_long_way_the_ends_are_shown() -> None:
    deep: Any = "me@x.org"
    for step in range(5_000):
        deep = [deep] if step % 2 else {"a": deep}
    assert find({"top": deep}) == [Finding("top[0].a[0]…[0].a[0].a", "email")]
    wide = {"w" * 100: {"me@x.org": {"v" * 100: "me@x.org"}}}
    (name, value) = find(wide)
    assert len(value.field) == 200
    assert "me@x" not in name.field + value.field


def test_what_lies_deep_is_redacted() -> None:
    deep: Any = "me@x.org"
    for _ in range(5_000):
        deep = [deep]
    clean = redacted(deep)
    while isinstance(clean, list):
        (clean,) = clean
    assert clean == "[email]"


def test_first_looks_no_further_than_it_finds() -> None:
    budget = Budget()
    assert first({"a": "me@x.org", "b": ["+49 30 901820"] * 1_000}, budget) == Finding("a", "email")
    assert budget.used < 50


def test_no_reading_is_much_longer_than_what_was_sent() -> None:
    """A character becomes four at most, and a percent sign with two digits one byte."""
    every = "".join(map(chr, [*range(0x20, 0xD800), *range(0xE000, 0x1F000)]))
    for sent in (every, *every[0xFD00:0xFE00], "%25" * 90, "\ufdfa"):
        assert all(len(way) <= 4 * len(sent) for way in ways(sent))
        assert all(len(reading.text) <= 4 * len(sent) for reading in readings(sent))
    assert all(len(ways(character)[-1]) <= 4 for character in every)


def test_a_list_of_addresses_is_looked_at_as_far_as_proxies_go() -> None:
    assert find({"ip": "unknown, " * 19 + "203.0.113.7, x"})
    assert find({"ip": ",".join(["1"] * 5_000)}) == []
