"""Consent: logged for an address and for a visitor, told of in events, and never looked up by strangers."""

from typing import Any

import pytest
from sqlalchemy.event import listen

from tests.packs.web.site import ADMIN, Site

ADA = "ada@example.org"


def logged(site: Site, email: str = ADA) -> list[tuple[str, str, str, str, str]]:
    """What the log holds of an address."""
    held = site.admin("/people/export", email=email).json()
    return [(c["subject"], c["purpose"], c["state"], c["source"], c["policy"]) for c in held["consents"]]


def test_what_an_address_allows_is_logged(site: Site) -> None:
    purposes = {"marketing": True, "analytics": "no", "ads": None}
    answer = site.post("/consent", json={"email": ADA, "purposes": purposes, "policyVersion": "2026-01"})
    told = {"ok": True, "consent": {"marketing": "granted", "analytics": "denied"}}
    assert (answer.status_code, answer.json()) == (200, told)
    site.post(
        "/consent", json={"email": ADA.upper(), "purpose": "marketing", "state": "withdrawn", "source": "settings"}
    )
    assert logged(site) == [
        ("address", "marketing", "granted", "web", "2026-01"),
        ("address", "analytics", "denied", "web", "2026-01"),
        ("address", "marketing", "withdrawn", "settings", ""),
    ]
    assert site.rows() == []


def test_a_visitors_consents_are_events(site: Site) -> None:
    page = {"visitorId": "v1", "sessionId": "s1", "url": "https://shop.example/privacy"}
    site.post("/consent", json={**page, "purposes": {"analytics": True, "marketing": False}})
    rows = site.rows("event, actor, host, path, props")
    actor = site.here.receiver.enricher.actor(site.project.id, "v1")
    assert {row["actor"] for row in rows} == {actor}
    assert sorted((row["event"], row["props"]["purpose"]) for row in rows) == [
        ("consent_given", "analytics"), ("consent_withdrawn", "marketing"),
    ]  # fmt: skip
    assert {(row["host"], row["path"]) for row in rows} == {("shop.example", "/privacy")}


def links(site: Site, email: str = ADA) -> list[str]:
    """The visitors that an address is linked to for certain."""
    told = site.admin("/people/export", email=email).json()["links"]
    return [one["visitor"] for one in told if (one["kind"], one["confidence"]) == ("direct", 1.0)]


def hash_of(site: Site, visitor: str) -> str:
    return f"{site.here.receiver.enricher.actor(site.project.id, visitor):016x}"


def test_who_is_said_with_both_is_logged_by_address_and_told_of_as_a_visitor(site: Site) -> None:
    said = {"email": ADA, "visitorId": "v1", "purposes": {"analytics": True, "ads": False}}
    site.post("/consent", json=said)
    assert [(who, state) for who, _, state, _, _ in logged(site)] == [("address", "granted"), ("address", "denied")]
    assert site.here.people.consents(site.project.id, f"v:{hash_of(site, 'v1')}") == ()
    assert sorted(row["event"] for row in site.rows()) == ["consent_given", "consent_withdrawn"]


def test_a_lead_that_consents_with_a_visitor_is_that_visitor(site: Site) -> None:
    said = {"email": ADA, "purposes": {"marketing": True}}
    site.post("/consent", json={**said, "visitorId": "v0"})
    site.capture(ADA)
    assert links(site) == []
    site.post("/consent", json={**said, "visitorId": "v1"}, headers={"x-admin-key": ADMIN})
    site.post("/consent", json={**said, "visitorId": "v2", "purposes": {"analytics": False}})
    assert links(site) == [hash_of(site, "v1")]
    site.admin("/leads/delete", email=ADA)
    actor = int(hash_of(site, "v1"), 16)
    assert site.rows(where=f"actor = {actor}") == []


def test_who_denies_with_an_address_is_not_followed_as_a_visitor_either(site: Site) -> None:
    actor = int(hash_of(site, "v1"), 16)
    for allows in (False, True):
        said = {"email": ADA, "visitorId": "v1", "purposes": {"analytics": allows}}
        site.post("/consent", json=said)
        site.capture(ADA, visitorId="v1", n=allows)
        assert bool(site.rows(where=f"actor = {actor} AND event = 'lead_captured'")) == allows


def test_the_same_again_is_said_once(site: Site) -> None:
    said = {"email": ADA, "visitorId": "v1", "purposes": {"marketing": True, "ads": False}, "policyVersion": "1"}
    first, again = (site.post("/consent", json=said) for _ in range(2))
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    assert len(logged(site)) == len(site.rows()) == 2
    site.ahead = 7_200
    site.post("/consent", json=said)
    assert len(logged(site)) == len(site.rows()) == 2
    site.post("/consent", json={**said, "policyVersion": "2"})
    site.post("/consent", json={**said, "policyVersion": "2", "purposes": {"ads": True, "marketing": True}})
    assert [(purpose, state, policy) for _, purpose, state, _, policy in logged(site)] == [
        ("marketing", "granted", "1"), ("ads", "denied", "1"), ("marketing", "granted", "2"), ("ads", "denied", "2"),
        ("ads", "granted", "2"),
    ]  # fmt: skip


def test_who_comes_back_says_it_anew(site: Site) -> None:
    site.capture(ADA)
    said = {"email": ADA, "purposes": {"marketing": True}}
    site.post("/consent", json=said)
    site.admin("/leads/delete", email=ADA)
    for _ in range(2):
        site.post("/consent", json=said)
    assert [state for _, _, state, _, _ in logged(site)] == ["granted", "erased", "granted"]
    site.capture(ADA)
    assert site.listed()["leads"][0]["consent"] == {"marketing": "granted"}


@pytest.mark.parametrize(
    ("more", "limit"),
    [
        ({"purposes": {f"p{i}": True for i in range(21)}}, "20"),
        ({"purposes": {f"p{i}": True for i in range(1_000)}}, "20"),
        ({"purposes": {"p" * 65: True}}, "64"),
        ({"purposes": {"ads": True}, **{f"f{i}": i for i in range(98)}}, "100"),
        ({"purposes": {"ads": True}, "note": "x" * 16_384}, "16384"),
        ({"purposes": {f"p{i}": True for i in range(5_500)}}, "16384"),
    ],
)
def test_no_more_than_people_say(site: Site, more: dict[str, Any], limit: str) -> None:
    answer = site.post("/consent", json={"email": ADA, **more})
    assert (answer.status_code, limit in answer.json()["message"]) == (400, True), answer.text
    assert site.admin("/people/export", email=ADA).status_code == 404


def test_all_of_a_request_is_one_transaction(site: Site) -> None:
    writing: set[int] = set()
    commits: list[int] = []

    def note(connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("INSERT INTO consent_log"):
            writing.add(id(connection))

    def commit(connection: Any) -> None:
        commits.extend(writing & {id(connection)})
        writing.discard(id(connection))

    with site.here.people._database.read() as session:
        engine = session.get_bind()
    listen(engine, "before_cursor_execute", note)
    listen(engine, "commit", commit)
    purposes = {"p" * (i + 1): True for i in range(19)} | {"p" * 64: False}
    assert site.post("/consent", json={"email": ADA, "purposes": purposes}).status_code == 200
    assert (len(commits), len(logged(site))) == (1, 20)


def test_who_denies_analytics_is_followed_no_longer(site: Site) -> None:
    actor = site.here.receiver.enricher.actor(site.project.id, "v1")
    site.post("/consent", json={"visitorId": "v1", "purposes": {"analytics": False}})
    site.post("/consent", json={"visitorId": "v1", "purposes": {"marketing": True}})
    site.capture(ADA, visitorId="v1")
    assert actor not in {row["actor"] for row in site.rows()}
    site.post("/consent", json={"visitorId": "v1", "purposes": {"analytics": True}})
    site.capture(ADA, visitorId="v1", message="again")
    assert [row["event"] for row in site.rows("event", f"actor = {actor}")] == ["consent_given", "lead_captured"]


def test_it_says_nothing_of_before(site: Site) -> None:
    site.capture(ADA, consent={"marketing": True})
    said = {"purposes": {"marketing": False}}
    known, unknown = (site.post("/consent", json={"email": email, **said}) for email in (ADA, "bob@example.org"))
    assert (known.status_code, known.json()) == (unknown.status_code, unknown.json())


def test_it_lifts_no_unsubscribe(site: Site) -> None:
    site.capture(ADA)
    url = site.admin("/unsubscribe/link", email=ADA).json()["url"]
    site.client.post(url)
    site.post("/consent", json={"email": ADA, "purposes": {"marketing": True}})
    (lead,) = site.listed()["leads"]
    assert lead["unsubscribedAt"] is not None
    site.capture(ADA, consent=True, message="send me mails again")
    (lead,) = site.listed()["leads"]
    assert lead["unsubscribedAt"] is not None
    site.admin("/leads/capture", email=ADA, consent=True, message="she told us to")
    (lead,) = site.listed()["leads"]
    assert (lead["unsubscribedAt"], lead["consent"]) == (None, {"marketing": "granted"})


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"purposes": {"marketing": True}}, "email"),
        ({"email": "", "visitorId": " ", "purposes": {"marketing": True}}, "email"),
        ({"email": "no address", "purposes": {"marketing": True}}, "email"),
        ({"email": ADA}, "purposes"),
        ({"email": ADA, "purposes": {}}, "purposes"),
        ({"email": ADA, "purposes": True}, "purposes"),
        ({"email": ADA, "purposes": {"marketing": None}}, "purposes"),
        ({"email": ADA, "purposes": {"marketing": "perhaps"}}, "purposes"),
        ({"email": ADA, "purposes": {"Ada Lovelace": True}}, "purposes"),
    ],
)
def test_what_is_refused(site: Site, body: dict[str, Any], field: str) -> None:
    answer = site.post("/consent", json=body)
    assert (answer.status_code, answer.json()["ok"], answer.json()["field"]) == (400, False, field)
    assert "no address" not in answer.text
    assert "Lovelace" not in answer.text
    assert site.admin("/people/export", email=ADA).status_code == 404


def test_a_body_that_cannot_be_read(site: Site) -> None:
    answer = site.post("/consent", content=b"{")
    assert (answer.status_code, answer.json()["error"]) == (400, "unreadable_body")
    assert site.refusals() == {}


def test_a_form_may_say_it(site: Site) -> None:
    fields = {"email": ADA, "purpose": "marketing", "state": "yes", "propertyId": "site"}
    assert site.post("/consent", data=fields).json() == {"ok": True, "consent": {"marketing": "granted"}}
