"""Guessed links: the visitors who came from where a form came from, in the day before it."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tallymark.control.links import UnlinkedLead
from tallymark.control.people import Person
from tallymark.engine.base import Engine, Params, Row
from tallymark.packs.web.jobs import jobs
from tallymark.packs.web.linking import guesses, link
from tallymark.spec.project import Project
from tests.packs.web.site import Site, running

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
    assert link(site.here) == 0
    assert links(site) == {actor(site, "v1"): ("direct", 1.0)}


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
    for n, ip in enumerate([*ips, "2.2.2.4"]):
        lead = person(site, f"p{n}@example.org").lead
        assert lead is not None
        until = lead.last_captured_at.timestamp()
        near = {visitor for own, visitor, when in seen if own == ip and until - 24 * HOUR < when <= until}
        expected = {actor(site, visitor): ("heuristic", round(0.9 / len(near), 9)) for visitor in near}
        assert links(site, f"p{n}@example.org") == expected


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
    leads = site.here.people.unlinked(datetime.now(UTC) - timedelta(hours=25))
    counting = Counting(site.here.engine)
    guesses(counting, site.project.id, leads, datetime.now(UTC))
    assert (len(leads), len(counting.asked)) == (3, 1)


def test_nobody_is_found_without_an_origin(site: Site) -> None:
    now = datetime.now(UTC)
    leads = [UnlinkedLead(1, site.project.id, ("", ""), now), UnlinkedLead(2, site.project.id, ("0" * 16, ""), now)]
    counting = Counting(site.here.engine)
    assert guesses(counting, site.project.id, leads, now) == []
    assert counting.asked == []


def test_the_clock_does_it(site: Site) -> None:
    assert {name: seconds for name, _, seconds in jobs(site.here)} == {"outbox": 60, "link people": 600}
    site.send({"visitorId": "v1"}, headers=from_("1.1.1.1"))
    capture(site, ADA, "1.1.1.1")
    work = {name: work for name, work, _ in jobs(site.here)}
    work["link people"]()
    work["outbox"]()
    assert list(links(site)) == [actor(site, "v1")]
