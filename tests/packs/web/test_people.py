"""An access request: everything that is held about a person, and nothing of others."""

from typing import Any

from tests.packs.web.site import Site

ADA, BOB = "Ada@Example.org", "bob@example.org"


def export(site: Site, email: str) -> dict[str, Any]:
    answer = site.admin("/people/export", email=email)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def test_everything_that_is_held(site: Site) -> None:
    site.send(
        {"visitorId": "v1", "url": "https://shop.example/a?utm_campaign=spring", "properties": {"plan": {"x": [1]}}},
        {"visitorId": "v2", "url": "https://shop.example/b"},
    )
    ada = {"visitorId": "v1", "form": "signup", "message": "I am Ada", "age": 36, "consent": {"marketing": True}}
    told = site.capture(ADA, **ada)
    site.capture(ADA, visitorId="v1", form="contact", message="Again")
    site.capture(BOB, visitorId="v2", message="I am Bob")
    site.post("/consent", json={"visitorId": "v1", "purposes": {"ads": False}, "policyVersion": "7"})
    held = export(site, ADA.lower())
    assert held["ok"] is True
    assert held["property"] == "site"
    assert (held["lead"]["email"], held["lead"]["leadId"]) == (ADA, told["leadId"])
    assert [(one["form"], one["payload"], one["newLead"]) for one in held["submissions"]] == [
        ("signup", {"message": "I am Ada", "age": 36}, True), ("contact", {"message": "Again"}, False),
    ]  # fmt: skip
    assert [(one["subject"], one["purpose"], one["state"], one["policy"]) for one in held["consents"]] == [
        ("address", "marketing", "granted", ""), ("visitor", "ads", "denied", "7"),
    ]  # fmt: skip
    assert held["unsubscribe"] is None
    assert [(one["kind"], one["confidence"]) for one in held["links"]] == [("direct", 1.0)]
    names = [event["event"] for event in held["events"]]
    assert names == ["page_view", "lead_captured", "lead_captured", "consent_withdrawn"]
    view = held["events"][0]
    assert (view["host"], view["path"], view["campaign"]) == ("shop.example", "/a", "spring")
    assert view["properties"] == {"plan": {"x": [1]}}
    assert view["actor"] == held["links"][0]["visitor"]
    assert not {"project", "precedence", "insertedAt"} & view.keys()
    assert "Bob" not in str(held)
    assert "/b" not in str(held)


def test_its_events_are_those_that_the_engine_has(site: Site) -> None:
    now = site.at().timestamp()
    site.send(*({"visitorId": f"v{n % 2}", "occurredAt": now - n * 60} for n in range(1, 12)))
    site.capture(ADA, visitorId="v1")
    held = export(site, ADA)
    assert len(held["events"]) == len([n for n in range(1, 12) if n % 2]) + 1
    moments = [event["occurredAt"] for event in held["events"]]
    assert moments == sorted(moments)


def test_an_event_that_was_sent_twice_is_there_once(site: Site) -> None:
    for _ in range(2):
        site.send({"visitorId": "v1", "eventId": "e1", "occurredAt": site.at().timestamp() // 1})
    site.capture(ADA, visitorId="v1")
    assert [event["event"] for event in export(site, ADA)["events"]].count("page_view") == 1


def test_what_is_held_of_who_is_no_lead(site: Site) -> None:
    url = site.admin("/unsubscribe/link", email=BOB).json()["url"]
    site.client.post(url)
    held = export(site, BOB)
    assert (held["lead"], held["submissions"], held["events"]) == (None, [], [])
    assert held["unsubscribe"]["source"] == "link"
    assert [one["state"] for one in held["consents"]] == ["withdrawn"]


def test_nobody(site: Site) -> None:
    answer = site.admin("/people/export", email=BOB)
    assert (answer.status_code, answer.json()["error"]) == (404, "not_found")
    for email in (None, "", 7, "bob"):
        answer = site.admin("/people/export", email=email)
        assert (answer.status_code, answer.json()["field"]) == (400, "email")
    answer = site.post("/people/export", content=b"{", headers={"x-admin-key": "the-admin-key"})
    assert answer.status_code in (400, 404)
