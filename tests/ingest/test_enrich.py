"""Accepted events become rows: hashes for people, parts of addresses, and nothing that tells who it was."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tallymark.ingest.country import CountryTable
from tallymark.ingest.decode import decode
from tallymark.ingest.enrich import Enricher
from tallymark.ingest.gate import admit
from tallymark.ingest.rows import Rows
from tallymark.spec.project import Project
from tests.conftest import ANY_AGE

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
NOW_MS = round(NOW.timestamp() * 1000)

#: Before any event, so that events' days decide when they expire.
EARLY = datetime(2011, 12, 31, tzinfo=UTC)

#: Zones with half and quarter hours, days of 23 to 25 hours, and skipped or repeated midnights.
ZONES = ("UTC", "Europe/Berlin", "Asia/Kolkata", "Asia/Kathmandu", "America/St_Johns", "Australia/Lord_Howe",
         "America/Sao_Paulo", "America/Havana", "Asia/Beirut", "Pacific/Apia", "Pacific/Chatham",
         "Africa/Casablanca")  # fmt: skip

Projects = Callable[..., Project]


def _rows(enricher: Enricher, project: Project, *events: dict[str, Any], ip: str = "") -> Rows:
    body = msgspec.json.encode(events)
    return enricher.rows(admit(decode(body), project, ANY_AGE, NOW_MS, "", body), ip)


def _one(enricher: Enricher, project: Project, ip: str = "", **event: Any) -> dict[str, Any]:
    (row,) = _rows(enricher, project, {"event": "x", **event}, ip=ip).table().to_pylist()
    return dict(row)


def test_a_whole_row(enricher: Enricher, project: Projects) -> None:
    here = project(retention_hours=48)
    row = _one(
        enricher, here, ip="193.99.144.80", timestamp=NOW_MS - 1, visitorId="ann", sessionId="s", value=1.5,
        url="https://www.shop.example/a?utm_medium=cpc&utm_campaign=May&utm_term=shoes&utm_content=b&token=x",
        referrer="https://www.google.com/search?q=shoes", properties={"n": 1},
        userAgent="Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    )  # fmt: skip
    arrived = (1 << 64) - 1 - (NOW_MS << 20)
    assert arrived - (1 << 20) < row.pop("precedence") <= arrived
    hashes = {name: row.pop(name) for name in ("event_id", "actor", "session")}
    assert all(0 < number < 2**64 for number in hashes.values())
    assert row == {
        "project": here.id, "event": "x", "occurred_at": datetime.fromtimestamp((NOW_MS - 1) / 1000, UTC),
        "received_at": NOW, "value": 1.5, "bot": "", "host": "shop.example", "path": "/a",
        "referrer_host": "google.com", "source": "Google", "channel": "paid_search", "medium": "cpc", "campaign": "May",
            "term": "shoes", "content": "b", "origin": 0, "variants": [],
        "country": "DE", "device": "desktop", "browser": "Firefox", "os": "Linux", "props": '{"n":1}',
        "expires_at": round(datetime(2026, 5, 6, tzinfo=UTC).timestamp()),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("zone", "at", "expires"),
    [
        ("UTC", "2026-05-01T11:00:00Z", "2026-05-06T00:00:00Z"),  # with its day
        ("UTC", "2026-04-30T23:59:59.999Z", "2026-05-05T12:00:00Z"),  # came after its day
        ("UTC", "1970-01-01T00:00:00Z", "2026-05-05T12:00:00Z"),
        ("UTC", "2026-05-02T00:00:00Z", "2026-05-07T00:00:00Z"),  # a clock that is ahead
        ("Asia/Kolkata", "2026-05-01T11:00:00Z", "2026-05-05T18:30:00Z"),
        ("Asia/Kolkata", "2026-05-01T18:29:59.999Z", "2026-05-05T18:30:00Z"),
        ("Asia/Kolkata", "2026-05-01T18:30:00Z", "2026-05-06T18:30:00Z"),
        ("Asia/Kathmandu", "2026-05-01T11:00:00Z", "2026-05-05T18:15:00Z"),
        ("America/Los_Angeles", "2026-05-01T06:59:59Z", "2026-05-05T12:00:00Z"),
        ("America/Los_Angeles", "2026-05-01T07:00:00Z", "2026-05-06T07:00:00Z"),
    ],
)
def test_an_event_expires_when_it_and_the_whole_of_its_day_were_kept_long_enough(
    enricher: Enricher, project: Projects, zone: str, at: str, expires: str
) -> None:
    row = _one(enricher, project(retention_hours=48, timezone=zone), timestamp=at)
    assert row["expires_at"] == datetime.fromisoformat(expires).timestamp()


@given(st.datetimes(datetime(2012, 1, 1), datetime(2037, 12, 30), timezones=st.just(UTC)), st.sampled_from(ZONES))
@example(datetime(2026, 3, 29, 0, 59, 59, 999_000, tzinfo=UTC), "Europe/Berlin")
@example(datetime(2026, 10, 24, 22, tzinfo=UTC), "Europe/Berlin")
@example(datetime(2026, 4, 5, 13, 29, tzinfo=UTC), "Australia/Lord_Howe")
@example(datetime(2018, 11, 4, 2, 59, 59, tzinfo=UTC), "America/Sao_Paulo")
@example(datetime(2018, 11, 4, 3, tzinfo=UTC), "America/Sao_Paulo")
@example(datetime(2026, 11, 1, 4, 30, tzinfo=UTC), "America/Havana")
@example(datetime(2022, 10, 29, 20, 30, tzinfo=UTC), "Asia/Beirut")
def test_a_day_ends_where_the_next_one_begins(
    enricher: Enricher, project: Projects, moment: datetime, zone: str
) -> None:
    here = project(timezone=zone, retention_hours=1)
    events = ({"event": "x", "timestamp": moment.isoformat()},)
    body = msgspec.json.encode(events)
    batch = admit(decode(body), here, ANY_AGE, round(EARLY.timestamp() * 1000), "", body)
    (expires,) = enricher.rows(batch, "").expires_at
    assert datetime.fromtimestamp(expires, UTC) == _day_end(moment, ZoneInfo(zone)) + timedelta(hours=1 + 48)


def _day_end(moment: datetime, zone: ZoneInfo) -> datetime:
    """The first of all following minutes that another, later day has."""
    day, minute = moment.astimezone(zone).date(), moment.replace(second=0, microsecond=0)
    while minute.astimezone(zone).date() <= day:
        minute += timedelta(minutes=1)
    return minute


def test_nothing_that_identifies_anyone_is_in_a_row(enricher: Enricher, project: Projects) -> None:
    row = _one(
        enricher, project(), ip="193.99.144.80", userId="anna", sessionId="secret", eventId="secret",
        url="https://u:secret@a.example/mail/anna@example.org?q=secret#secret",
        referrer="https://b.example/secret?secret",
    )  # fmt: skip
    text = str(row)
    assert not any(part in text for part in ("anna", "secret", "193.99"))
    assert row["path"] == "/mail/[email]"


def test_the_same_name_is_the_same_actor_in_one_project_only(enricher: Enricher, project: Projects) -> None:
    here, other = project(), project()
    fields = ("actor", "userId", "visitorId", "anonymousId")
    actors = {_one(enricher, here, **{field: "Ä"})["actor"] for field in fields}
    assert len(actors) == 1
    assert _one(enricher, other, actor="Ä")["actor"] not in actors
    assert _one(Enricher(b"another secret", CountryTable.load()), here, actor="Ä")["actor"] not in actors
    assert _one(enricher, here, actor="", visitorId="")["actor"] == _one(enricher, here)["actor"] == 0


def test_of_several_names_the_most_certain_counts(enricher: Enricher, project: Projects) -> None:
    here = project()
    user = _one(enricher, here, userId="u")["actor"]
    assert _one(enricher, here, userId="u", visitorId="v", anonymousId="a")["actor"] == user
    assert _one(enricher, here, userId="", visitorId="u")["actor"] == user


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ({"eventId": "1"}, {"eventId": "1", "value": 5}, True),
        ({"eventId": "1"}, {"eventId": "2"}, False),
        ({"timestamp": NOW_MS, "value": 1}, {"value": 1, "timestamp": NOW_MS}, True),
        ({"timestamp": NOW_MS, "value": 1}, {"timestamp": NOW_MS, "value": 2}, False),
        ({"timestamp": NOW_MS, "actor": "a"}, {"timestamp": NOW_MS, "actor": "b"}, False),
        ({"timestamp": NOW_MS, "properties": {"a": 1}}, {"timestamp": NOW_MS, "properties": {"a": 2}}, False),
        ({}, {}, False),
    ],
)
def test_which_events_are_one(
    enricher: Enricher, project: Projects, a: dict[str, Any], b: dict[str, Any], same: bool
) -> None:
    here = project()
    assert (_one(enricher, here, **a)["event_id"] == _one(enricher, here, **b)["event_id"]) is same


@pytest.mark.parametrize(
    ("event", "ip", "country"),
    [
        ({}, "193.99.144.80", "DE"),
        ({"ip": "8.8.8.8"}, "193.99.144.80", "US"),
        ({"ip": ""}, "193.99.144.80", ""),
        ({"ip": "nowhere"}, "", ""),
        ({}, "", ""),
    ],
)
def test_an_events_own_address_goes_before_the_requests(
    enricher: Enricher, project: Projects, event: dict[str, Any], ip: str, country: str
) -> None:
    assert _rows(enricher, project(), {"event": "x", **event}, ip=ip).country == [country]


@pytest.mark.parametrize(
    ("event", "source", "channel"),
    [
        ({}, "", ""),
        ({"url": "https://a.example/"}, "(direct)", "direct"),
        ({"url": "https://a.example/", "referrer": "https://www.a.example/b"}, "(internal)", "internal"),
        ({"referrer": "https://b.example/"}, "b.example", "referral"),
    ],
)
def test_where_a_visit_comes_from(
    enricher: Enricher, project: Projects, event: dict[str, Any], source: str, channel: str
) -> None:
    row = _one(enricher, project(), **event)
    assert (row["source"], row["channel"]) == (source, channel)


def test_refused_events_have_no_row_and_the_places_of_unpinned_ones_are_among_the_rows(
    enricher: Enricher, project: Projects
) -> None:
    events = [{"event": "a"}, {"event": ""}, {"event": "b", "eventId": "1"}, {"event": "c"}]
    rows = _rows(enricher, project(), *events)
    assert rows.event == ["a", "b", "c"]
    assert rows.unpinned == [1]
    joined = Rows.joined([rows, rows])
    assert (joined.event, joined.unpinned) == (["a", "b", "c"] * 2, [1, 4])
