"""Consent: logged for an address and for a visitor, told of in events, and never looked up by strangers."""

from typing import Any

import pytest

from tests.packs.web.site import Site

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


def test_who_is_said_with_both_is_logged_as_both_and_told_of_once(site: Site) -> None:
    site.capture(ADA, visitorId="v1")
    site.post("/consent", json={"email": ADA, "visitorId": "v1", "purposes": {"analytics": True}})
    assert [(who, state) for who, _, state, _, _ in logged(site)] == [("address", "granted"), ("visitor", "granted")]
    assert [row["event"] for row in site.rows()] == ["lead_captured", "consent_given"]


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
