"""The gate: for each reason an event that is refused for it, alone."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallymark.ingest.decode import decode
from tallymark.ingest.gate import STEPS, Batch, Limits, admit, kept, rejections
from tallymark.spec.event import Reason
from tallymark.spec.project import Project

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
NOW_MS = round(NOW.timestamp() * 1000)
HOUR_MS = 3_600_000
LIMITS = Limits(past_ms=7 * 24 * HOUR_MS, future_ms=10 * 60_000, max_properties=3, max_event_bytes=200)
BOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
GOOD = {"event": "good"}

Projects = Callable[..., Project]


def _admit(project: Project, *events: dict[str, Any], limits: Limits = LIMITS, user_agent: str = "") -> Batch:
    body = msgspec.json.encode(events)
    return admit(decode(body), project, limits, NOW_MS, user_agent, body)


def _refused(batch: Batch) -> list[tuple[int, Reason]]:
    return [(rejection.index, rejection.reason) for rejection in rejections(batch)]


def _ms(time: datetime) -> int:
    return round(time.timestamp() * 1000)


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ({}, Reason.MISSING_EVENT),
        ({"event": ""}, Reason.MISSING_EVENT),
        ({"event": "x" * 201}, Reason.TOO_LARGE),
        ({"event": "x", "eventId": ""}, Reason.MALFORMED),
        ({"event": "x", "eventId": "i" * 513}, Reason.MALFORMED),
        ({"event": "x", "value": 1.1e15}, Reason.BAD_VALUE),
        ({"event": "x", "timestamp": -1}, Reason.BAD_TIMESTAMP),
        ({"event": "x", "timestamp": "2200-01-01T00:00:00Z"}, Reason.BAD_TIMESTAMP),
        ({"event": "x", "timestamp": NOW_MS, "sentAt": -5}, Reason.BAD_TIMESTAMP),
        ({"event": "x", "timestamp": NOW_MS - 7 * 24 * HOUR_MS - 1}, Reason.TOO_OLD),
        ({"event": "x", "timestamp": NOW_MS + 10 * 60_000 + 1}, Reason.IN_THE_FUTURE),
        ({"event": "x", "properties": {str(i): i for i in range(4)}}, Reason.TOO_MANY_PROPERTIES),
        ({"event": "x", "properties": {"text": "é" * 100}}, Reason.TOO_LARGE),
        ({"event": "x", "userAgent": BOT}, Reason.BOT),
        ({"event": "x", "properties": {"mail": "anna@example.org"}}, Reason.PII),
        ({"event": "mail to anna@example.org"}, Reason.PII),
        ({"event": "x", "channel": "telepathy"}, Reason.MALFORMED),
        ({"event": "goods"}, Reason.UNKNOWN_NAME),
    ],
)
def test_a_bad_event_is_refused_alone_with_its_reason(project: Projects, event: dict[str, Any], reason: Reason) -> None:
    strict = project(bots="refuse", pii="reject", event_names=("good", "x*", "mail*"))
    batch = _admit(strict, GOOD, event, GOOD)
    assert _refused(batch) == [(1, reason)]
    assert kept(batch) == [0, 2]
    (rejection,) = rejections(batch)
    assert rejection.message.endswith(".")
    assert "anna" not in rejection.message


def test_no_name_of_an_event_has_personal_data(project: Projects) -> None:
    named = {"event": "mail to anna@example.org"}
    assert _refused(_admit(project(pii="redact"), GOOD, named)) == [(1, Reason.PII)]
    assert _refused(_admit(project(pii="allow"), named)) == []


def test_every_reason_of_the_gate_has_its_test() -> None:
    """The others are given where a body is decoded, a project looked up, or a quota or names are counted."""
    elsewhere = {
        Reason.UNKNOWN_PROJECT, Reason.QUOTA, Reason.TOO_MANY_NAMES, Reason.LEAD_BAD_EMAIL, Reason.LEAD_MALFORMED,
    }  # fmt: skip
    (cases,) = (m.args[1] for m in test_a_bad_event_is_refused_alone_with_its_reason.pytestmark)
    assert {reason for _, reason in cases} | elsewhere == set(Reason)


@pytest.mark.parametrize(
    "event",
    [
        {"event": "x" * 200},
        {"event": "x", "eventId": "i" * 512},
        {"event": "x", "value": -1e15},
        {"event": "x", "timestamp": NOW_MS - 7 * 24 * HOUR_MS},
        {"event": "x", "timestamp": NOW_MS + 10 * 60_000},
        {"event": "x", "properties": {str(i): i for i in range(3)}},
        {"event": "x", "userAgent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"},
    ],
)
def test_what_just_fits_is_taken(project: Projects, event: dict[str, Any]) -> None:
    assert _refused(_admit(project(bots="refuse", pii="reject"), event)) == []


@pytest.mark.parametrize(
    ("times", "at"),
    [
        ({}, NOW),
        ({"timestamp": (NOW - timedelta(hours=1)).isoformat()}, NOW - timedelta(hours=1)),
        ({"timestamp": "2026-05-01T10:00:00"}, NOW - timedelta(hours=2)),
        ({"timestamp": "2026-05-01T15:30:00+05:30"}, NOW - timedelta(hours=2)),
        ({"timestamp": NOW.timestamp() - 60}, NOW - timedelta(minutes=1)),
        ({"timestamp": NOW_MS - 60_000}, NOW - timedelta(minutes=1)),
        ({"timestamp": NOW_MS - 1_500, "sentAt": NOW_MS - 1_000}, NOW - timedelta(milliseconds=1_500)),
        ({"timestamp": NOW_MS - 9 * HOUR_MS, "sentAt": NOW_MS - 8 * HOUR_MS}, NOW - timedelta(hours=1)),
        ({"timestamp": NOW_MS + 9 * HOUR_MS, "sentAt": NOW_MS + 10 * HOUR_MS}, NOW - timedelta(hours=1)),
        ({"sentAt": NOW_MS - 8 * HOUR_MS}, NOW),
    ],
)
def test_an_event_gets_the_time_it_happened(project: Projects, times: dict[str, Any], at: datetime) -> None:
    batch = _admit(project(), {"event": "x", **times})
    assert batch.at == [_ms(at)]


@pytest.mark.parametrize(
    ("event", "unpinned"),
    [
        ({}, False),
        ({"eventId": "1"}, True),
        ({"eventId": "1", "timestamp": NOW_MS}, False),
        ({"timestamp": NOW_MS, "sentAt": NOW_MS - 60_000}, False),
        ({"timestamp": NOW_MS - HOUR_MS, "sentAt": NOW_MS - 60_001}, True),
    ],
)
def test_a_time_of_ours_is_to_be_pinned_where_the_event_is_known_again(
    project: Projects, event: dict[str, Any], unpinned: bool
) -> None:
    assert _admit(project(), {"event": "x", **event}).unpinned == [unpinned]


@pytest.mark.parametrize("limits", [replace(LIMITS, past_ms=None), LIMITS])
def test_imports_take_any_age(project: Projects, limits: Limits) -> None:
    old, here = {"event": "x", "timestamp": "1970-01-01T00:00:00Z"}, project(retention_hours=1)
    assert _refused(_admit(here, old, limits=limits.of(here, imported=True))) == []


@pytest.mark.parametrize(
    ("accepted_hours", "retention", "hours", "said"),
    [
        (7 * 24, 36, 36, "36h"),
        (7 * 24, 7 * 24, 7 * 24, "7d"),
        (7 * 24, 90 * 24, 7 * 24, "7d"),
        (7 * 24, 1, 1, "1h"),
        (None, 48, None, ""),
    ],
)
def test_what_is_older_than_the_project_keeps_events_is_too_old(
    project: Projects, accepted_hours: int | None, retention: int, hours: int | None, said: str
) -> None:
    here = project(retention_hours=retention)
    past_ms = None if accepted_hours is None else accepted_hours * HOUR_MS
    limits = replace(LIMITS, past_ms=past_ms).of(here, imported=False)
    assert limits.past_ms == (None if hours is None else hours * HOUR_MS)
    assert replace(limits, past_ms=past_ms) == replace(LIMITS, past_ms=past_ms)
    if hours is not None:
        oldest = NOW_MS - hours * HOUR_MS
        events = [{"event": "x", "timestamp": oldest}, {"event": "x", "timestamp": oldest - 1}]
        (rejection,) = rejections(_admit(here, *events, limits=limits))
        assert (rejection.index, rejection.reason) == (1, Reason.TOO_OLD)
        assert rejection.message.startswith(f"`timestamp` is more than {said} ago.")


@pytest.mark.parametrize(
    ("patterns", "name", "taken"),
    [
        (None, "anything", True),
        (("view",), "view", True),
        (("view",), "views", False),
        (("view",), "View", False),
        (("view", "click"), "click", True),
        (("wallet_*",), "wallet_opened", True),
        (("wallet_*",), "wallet_", True),
        (("wallet_*",), "wallet", False),
        (("wallet_*",), "my wallet_opened", False),
        (("wallet_*",), "wallet_a\nb", True),
        (("view",), "view\n", False),
        (("wallet_*", "view"), "view\n", False),
        (("*_opened",), "wallet_opened", True),
        (("*_opened",), "wallet_opened\n", False),
        (("a*b*c",), "abc", True),
        (("a*b*c",), "a-b-b-c", True),
        (("a*b*c",), "acb", False),
        (("*",), "größe 😀\n", True),
        (("größe*",), "größe_x", True),
        (("a.c*",), "abcd", False),
        (("a.c*",), "a.cd", True),
        (("a|b*",), "a", False),
        (("a|b*",), "a|bc", True),
        (("(a)*", "[ab]*", "^a*$", "\\d*"), "a", False),
        (("(a)*", "[ab]*", "^a*$", "\\d*"), "7", False),
        (("(a)*", "[ab]*", "^a*$", "\\d*"), "[ab]", True),
        (("(a)*", "[ab]*", "^a*$", "\\d*"), "^aa$", True),
        (("(a)*", "[ab]*", "^a*$", "\\d*"), "\\d9", True),
        (("a+*", "b?*"), "aa", False),
        (("a+*", "b?*"), "b?", True),
        (tuple(f"p{i}_*" for i in range(1_000)), "p999_x", True),
    ],
)
def test_a_project_takes_events_of_its_names_and_patterns(
    project: Projects, patterns: tuple[str, ...] | None, name: str, taken: bool
) -> None:
    refused = [] if taken else [(0, Reason.UNKNOWN_NAME)]
    assert _refused(_admit(project(event_names=patterns), {"event": name})) == refused


_LETTERS = st.text(st.sampled_from("ab_.*\\[\n(é"), max_size=6)


@given(st.lists(_LETTERS.filter(bool), min_size=1, max_size=4), _LETTERS.filter(str.strip))
def test_only_a_star_stands_for_anything(project: Projects, patterns: list[str], name: str) -> None:
    taken = _refused(_admit(project(event_names=tuple(patterns)), {"event": name})) == []
    assert taken is any(_fits(pattern, name) for pattern in patterns)


def _fits(pattern: str, name: str) -> bool:
    """Whether a name fits, letter by letter."""
    if not pattern or not name:
        return pattern.strip("*") == "" and not name
    if pattern[0] == "*":
        return _fits(pattern[1:], name) or _fits(pattern, name[1:])
    return pattern[0] == name[0] and _fits(pattern[1:], name[1:])


def test_a_refused_name_is_told_with_some_that_fit(project: Projects) -> None:
    few, many = project(event_names=("view", "wallet_*")), project(event_names=tuple(f"n{i}" for i in range(21)))
    (rejection,) = rejections(_admit(few, {"event": "click"}))
    assert rejection.message == "This project takes events named view, wallet_*."
    (rejection,) = rejections(_admit(many, {"event": "click"}))
    assert rejection.message.endswith("n18, n19, ….")


def test_bots_are_marked_unless_the_project_refuses_them(project: Projects) -> None:
    batch = _admit(project(), GOOD, {"event": "x", "userAgent": ""}, user_agent=BOT)
    assert [agent.bot for agent in batch.agents] == ["Googlebot", ""]
    assert _refused(_admit(project(bots="refuse"), GOOD, {"event": "x", "userAgent": ""}, user_agent=BOT)) == [
        (0, Reason.BOT)
    ]


def test_a_program_that_sends_is_no_bot_but_one_that_is_sent_for_is(project: Projects) -> None:
    batch = _admit(
        project(), GOOD, {"event": "x", "userAgent": "python-requests/2.32"}, user_agent="python-requests/2.32"
    )
    assert [agent.bot for agent in batch.agents] == ["", "python-requests"]


def test_personal_data_is_redacted_refused_or_let_through_as_the_project_says(project: Projects) -> None:
    event = {"event": "x", "properties": {"a@b.org": ["to anna@example.org"], "n": 1}}
    assert _admit(project(pii="redact"), event, GOOD).props == [b'{"[email]":["to [email]"],"n":1}', b"{}"]
    assert _refused(_admit(project(pii="reject"), event, GOOD)) == [(0, Reason.PII)]
    assert _admit(project(pii="allow"), event).props == [b'{"a@b.org":["to anna@example.org"],"n":1}']


def test_the_first_reason_is_the_one_that_is_told(project: Projects) -> None:
    assert _refused(_admit(project(), {"event": "", "timestamp": -1, "value": 1e300})) == [(0, Reason.MISSING_EVENT)]
    assert len(STEPS) == len(set(STEPS))


def test_places_are_those_in_the_request(project: Projects) -> None:
    body = b'[{"event":1},{"event":"a"},{"event":""}]'
    decoded = decode(body)
    batch = admit(decoded, project(), LIMITS, NOW_MS, "", body)
    assert [r.index for r in decoded.rejections] == [0]
    assert _refused(batch) == [(2, Reason.MISSING_EVENT)]
