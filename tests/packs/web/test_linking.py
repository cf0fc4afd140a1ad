"""Guessed links: the visitors who came from where a form came from, in the day before it."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tallymark.control.links import UncertainLead
from tallymark.control.people import Person
from tallymark.engine.base import Engine, Params, Row
from tallymark.packs.web.jobs import jobs
from tallymark.packs.web.linking import found, link
from tallymark.spec.project import Project
from tests.packs.web.site import ADMIN, Site, running

ADA = "ada@example.org"
HOUR = 3_600


@pytest.fixture
def site(tmp_path: Path, engine: Engine, project: Callable[..., Project]) -> Iterator[Site]:
    with running(tmp_path / "data", engine, project, trusted_proxies=1) as made:
        yield made


def from_(ip: str, agent: str = "Mozilla/5.0 Firefox/140.0") -> dict[str, str]:
    return {"x-forwarded-for": ip, "user-agent": agent}


def actor(site: Site, visitor: str) -> str:
    return f"{site.here.receiver.enricher.actor(site.project.id, visitor):016x}"


def capture(site: Site, email: str, ip: str, **fields: Any) -> None:
    answer = site.post("/leads/capture", json={"email": email, **fields}, headers=from_(ip))
    assert answer.status_code == 201


def person(site: Site, email: str = ADA) -> Person:
    found = site.here.people.person(site.project.id, site.here.vault.look_up(site.project.id, email))
    assert found is not None
    return found


def links(site: Site, email: str = ADA) -> dict[str, tuple[str, float]]:
    return {one.actor: (one.kind, round(one.confidence, 9)) for one in person(site, email).links}


@pytest.mark.parametrize(("visitors", "confidence"), [(1, 0.9), (2, 0.45), (3, 0.3)])
def test_the_confidence_is_shared(site: Site, visitors: int, confidence: float) -> None:
    for n in range(visitors):
        site.send({"visitorId": f"v{n}"}, {"visitorId": f"v{n}"}, headers=from_("1.1.1.1"))
    site.send({"visitorId": "elsewhere"}, headers=from_("1.1.1.2"))
    site.send({"visitorId": "another browser"}, headers=from_("1.1.1.1", "Mozilla/5.0 Chrome/140.0"))
    capture(site, ADA, "1.1.1.1")
    assert link(site.here) == visitors
    assert links(site) == {actor(site, f"v{n}"): ("heuristic", confidence) for n in range(visitors)}


def test_only_the_day_before_counts(site: Site) -> None:
    now = site.at().timestamp()
    for visitor, at in (("early", now - 24 * HOUR - 5), ("in time", now - 24 * HOUR + 60), ("late", now + 120)):
        site.send({"visitorId": visitor, "occurredAt": at}, headers=from_("1.1.1.1"))
    capture(site, ADA, "1.1.1.1")
    link(site.here)
    assert list(links(site)) == [actor(site, "in time")]


def test_the_day_before_is_reached_over_midnight(site: Site) -> None:
    midnight = (site.at() + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    site.ahead = (midnight - site.at()).total_seconds() - HOUR
    site.send({"visitorId": "v1"}, headers=from_("1.1.1.1"))
    site.ahead += 2 * HOUR
    capture(site, ADA, "1.1.1.1")
    link(site.here)
    assert list(links(site)) == [actor(site, "v1")]


def test_what_is_known_is_not_guessed(site: Site) -> None:
    site.send({"visitorId": "v1"}, {"visitorId": "v2"}, headers=from_("1.1.1.1"))
    capture(site, ADA, "1.1.1.1", visitorId="v1")
    assert links(site) == {actor(site, "v1"): ("direct", 0.4)}
    assert [link(site.here) for _ in range(2)] == [1, 0]
    assert links(site) == {actor(site, "v1"): ("direct", 1.0)}


@pytest.mark.parametrize(
    ("ip", "hours", "confidence"),
    [("1.1.1.1", -23.9, 1.0), ("1.1.1.1", 0.9, 1.0), ("1.1.1.1", -24.1, 0.4), ("1.1.1.2", -1, 0.4)],
)
def test_a_visitor_that_a_form_names_is_certain_where_they_were_seen(
    site: Site, ip: str, hours: float, confidence: float
) -> None:
    now = site.at().timestamp()
    capture(site, ADA, "1.1.1.1", visitorId="v1")
    if hours > 0:
        site.ahead = hours * HOUR
    site.send({"visitorId": "v1", "occurredAt": now + hours * HOUR}, headers=from_(ip))
    site.send({"visitorId": "another"}, headers=from_("1.1.1.1"))
    link(site.here)
    assert links(site) == {actor(site, "v1"): ("direct", confidence)}


def test_a_stranger_gets_and_deletes_nothing_by_the_id_of_another(site: Site) -> None:
    site.send({"visitorId": "1001", "url": "https://shop.example/secret"}, headers=from_("1.1.1.1"))
    site.post("/consent", json={"visitorId": "1001", "purposes": {"ads": True}}, headers=from_("1.1.1.1"))
    capture(site, "eve@example.org", "6.6.6.6", visitorId="1001")
    held = site.admin("/people/export", email="eve@example.org").json()
    assert [one["event"] for one in held["events"]] == ["lead_captured"]
    assert (held["consents"], "secret" in str(held)) == ([], False)
    deleted = site.admin("/leads/delete", email="eve@example.org").json()["deleted"]
    assert (deleted["actors"], deleted["links"]) == (0, 1)
    assert [row["event"] for row in site.rows()] == ["page_view", "consent_given"]


def test_nobody_is_where_a_page_s_key_says(site: Site) -> None:
    """A key in a page is public: it doesn't make the address that a form tells of the sender's."""
    made = {"project": "site", "scope": "ingest", "label": ""}
    key = site.client.post("/v1/keys", json=made, headers={"x-admin-key": ADMIN}).json()["key"]["secret"]
    site.send({"visitorId": "1001"}, headers=from_("1.1.1.1"))
    claimed = {"ip": "1.1.1.1", "userAgent": from_("")["user-agent"]}
    for n, visitor in enumerate(({}, {"visitorId": "1001"})):
        sent = {"email": f"eve{n}@example.org", **claimed, **visitor}
        headers = {"authorization": f"Bearer {key}", **from_("6.6.6.6")}
        assert site.post("/leads/capture", json=sent, headers=headers).status_code == 201
    link(site.here)
    assert links(site, "eve0@example.org") == {}
    assert links(site, "eve1@example.org") == {actor(site, "1001"): ("direct", 0.4)}


def test_a_visitor_that_a_server_with_an_admin_s_key_names_is_certain(site: Site) -> None:
    site.send({"visitorId": "v1"}, headers=from_("1.1.1.1"))
    capture(site, ADA, "6.6.6.6", visitorId="v1")
    assert links(site) == {actor(site, "v1"): ("direct", 0.4)}
    site.admin("/leads/capture", email=ADA, visitorId="v1", message="by a server")
    assert links(site) == {actor(site, "v1"): ("direct", 1.0)}
    capture(site, ADA, "6.6.6.6", visitorId="v1", message="again")
    assert links(site) == {actor(site, "v1"): ("direct", 1.0)}


def test_people_who_share_a_visitor_keep_what_is_theirs(site: Site) -> None:
    """A kiosk: one browser, two people."""
    site.send({"visitorId": "kiosk"}, headers=from_("1.1.1.1"))
    for email in (ADA, "bob@example.org"):
        capture(site, email, "1.1.1.1", visitorId="kiosk", message=email)
    held = site.admin("/people/export", email=ADA).json()
    assert [one["event"] for one in held["events"]] == ["lead_captured"]
    assert held["sharedVisitors"] == 1
    told = site.admin("/leads/delete", email=ADA).json()
    assert (told["deleted"]["actors"], told["sharedVisitors"]) == (0, 1)
    assert [row["event"] for row in site.rows()] == ["page_view", "lead_captured"]
    # The other one is alone with it now.
    held = site.admin("/people/export", email="bob@example.org").json()
    assert ([one["event"] for one in held["events"]], held["sharedVisitors"]) == (["page_view", "lead_captured"], 0)
    told = site.admin("/leads/delete", email="bob@example.org").json()
    assert (told["deleted"]["actors"], told["sharedVisitors"], site.rows()) == (1, 0, [])


def test_people_who_may_be_one_visitor_share_the_confidence(site: Site) -> None:
    for visitor in ("v1", "v2"):
        site.send({"visitorId": visitor}, headers=from_("1.1.1.1"))
    for email in (ADA, "bob@example.org", "cy@example.org"):
        capture(site, email, "1.1.1.1")
    link(site.here)
    assert links(site) == {actor(site, visitor): ("heuristic", 0.15) for visitor in ("v1", "v2")}
    assert site.admin("/leads/delete", email=ADA).json()["sharedVisitors"] == 0
    assert len(site.rows()) == 4


def test_a_guess_takes_no_visitor_from_whom_a_form_tells_of(site: Site) -> None:
    site.send({"visitorId": "v1"}, headers=from_("1.1.1.1"))
    capture(site, ADA, "1.1.1.1", visitorId="v1")
    link(site.here)
    capture(site, "bob@example.org", "1.1.1.1")
    link(site.here)
    assert site.admin("/people/export", email="bob@example.org").json()["sharedVisitors"] == 1
    told = site.admin("/leads/delete", email=ADA).json()
    assert (told["deleted"]["actors"], told["sharedVisitors"]) == (1, 0)
    assert [row["event"] for row in site.rows()] == ["lead_captured"]


def test_the_form_of_another_is_nobody_else_s(site: Site) -> None:
    """Both are the visitor of the day, of whom only one is guessed to be the lead: the other came before any page."""
    capture(site, "bob@example.org", "1.1.1.1")
    site.ahead = 60
    site.send({}, {"eventType": "signup"}, headers=from_("1.1.1.1"))
    site.ahead = 120
    capture(site, ADA, "1.1.1.1")
    assert len({row["actor"] for row in site.rows()}) == 1
    held = site.admin("/people/export", email=ADA).json()
    assert sorted(one["event"] for one in held["events"]) == ["lead_captured", "page_view", "signup"]
    deleted = site.admin("/leads/delete", email=ADA).json()["deleted"]
    assert (deleted["actors"], [row["event"] for row in site.rows()]) == (1, ["lead_captured"])
    held = site.admin("/people/export", email="bob@example.org").json()
    assert [one["event"] for one in held["events"]] == ["lead_captured"]
    assert site.numbers("new_leads") == {"new_leads": 1}


def test_a_guess_that_is_confirmed_is_one_no_more(site: Site) -> None:
    site.send({"visitorId": "v1"}, headers=from_("1.1.1.1"))
    capture(site, ADA, "1.1.1.1")
    link(site.here)
    capture(site, ADA, "1.1.1.1", visitorId="v1", message="again")
    link(site.here)
    assert links(site) == {actor(site, "v1"): ("direct", 1.0)}


@pytest.mark.parametrize(("visitors", "gone"), [(1, 1), (2, 0)])
def test_who_is_guessed_surely_enough_is_deleted_and_told_of(site: Site, visitors: int, gone: int) -> None:
    """Without the clock's help: deleting and exporting look for links themselves."""
    for n in range(visitors):
        site.send({"visitorId": f"v{n}"}, headers=from_("1.1.1.1"))
    capture(site, ADA, "1.1.1.1")
    held = site.admin("/people/export", email=ADA).json()
    assert [event["event"] for event in held["events"]] == ["page_view"] * gone + ["lead_captured"]
    assert [one["kind"] for one in held["links"]] == ["heuristic"] * visitors
    deleted = site.admin("/leads/delete", email=ADA).json()["deleted"]
    assert (deleted["links"], deleted["actors"]) == (visitors, gone)
    assert len(site.rows()) == visitors - gone


def test_it_is_the_guess_of_a_recount_in_python(site: Site) -> None:
    random, now = Random(7), site.at().timestamp()
    ips = ["2.2.2.1", "2.2.2.2", "2.2.2.3"]
    seen: list[tuple[str, str, float]] = []
    for _ in range(40):
        ip, visitor, at = random.choice(ips), f"v{random.randrange(8)}", now - random.randrange(0, 40 * HOUR)
        seen.append((ip, visitor, at))
        site.send({"visitorId": visitor, "occurredAt": at}, headers=from_(ip))
    for n, ip in enumerate([*ips, "2.2.2.4"]):
        capture(site, f"p{n}@example.org", ip)
    link(site.here)
    expected: list[set[str]] = []
    for n, ip in enumerate([*ips, "2.2.2.4"]):
        lead = person(site, f"p{n}@example.org").lead
        assert lead is not None
        until = lead.last_captured_at.timestamp()
        expected.append({visitor for own, visitor, at in seen if own == ip and until - 24 * HOUR < at <= until})
    for n, near in enumerate(expected):
        leads = {visitor: sum(visitor in others for others in expected) for visitor in near}
        assert links(site, f"p{n}@example.org") == {
            actor(site, visitor): ("heuristic", round(0.9 / (len(near) * leads[visitor]), 9)) for visitor in near
        }


class Counting:
    """An engine that notes what it is asked."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def query(self, sql: str, params: Params | None = None) -> Any:
        self.asked.append(sql)
        rows: list[Row] = list(self._engine.query(sql, params))
        return rows


def test_one_question_for_all_leads_of_a_property(site: Site) -> None:
    for n in range(3):
        capture(site, f"p{n}@example.org", f"1.1.1.{n}")
    leads = site.here.people.uncertain(datetime.now(UTC) - timedelta(hours=25))
    counting = Counting(site.here.engine)
    found(counting, site.project.id, leads, datetime.now(UTC))
    assert (len(leads), len(counting.asked)) == (3, 1)


def test_nobody_is_found_without_an_origin(site: Site) -> None:
    now = datetime.now(UTC)
    leads = [UncertainLead(1, site.project.id, ("", ""), now), UncertainLead(2, site.project.id, ("0" * 16, ""), now)]
    counting = Counting(site.here.engine)
    assert found(counting, site.project.id, leads, now) == []
    assert counting.asked == []


def test_the_clock_does_it(site: Site) -> None:
    assert {name: seconds for name, _, seconds in jobs(site.here)} == {"outbox": 60, "link people": 600}
    site.send({"visitorId": "v1"}, headers=from_("1.1.1.1"))
    capture(site, ADA, "1.1.1.1")
    work = {name: work for name, work, _ in jobs(site.here)}
    work["link people"]()
    work["outbox"]()
    assert list(links(site)) == [actor(site, "v1")]
