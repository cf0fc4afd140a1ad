"""A person's deletion leaves no trace in either store: of a server's files, none holds the address."""

import threading
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

from tallymark.control.turns import deriving
from tests.packs.web.site import Site
from tests.packs.web.test_leads import traces
from tests.server import ADMIN, RunningServer

ADA = "Ada.Lovelace@Example.org"


def test_a_persons_deletion_leaves_no_trace_in_either_store(tmp_path: Path) -> None:
    with RunningServer(tmp_path / "data") as server:
        server.project("site", packs=["web"], pii="redact")
        view = {
            "eventType": "page_view", "propertyId": "site", "visitorId": "v1", "url": f"https://a.example/u/{ADA}?m={ADA}",
            "properties": {"contact": ADA, ADA: 1, "text": f"I am {ADA.lower()}."},
        }  # fmt: skip
        assert server.ask("POST", "/web/v1/events", json=view).json()["accepted"] == 1
        lead = {
            "propertyId": "site", "email": ADA, "visitorId": "v1", "form": f"form of {ADA}", "message": f"I am {ADA}",
            "url": f"https://a.example/thanks/{ADA}", "consent": True, "consentPolicy": ADA, "submissionId": ADA,
        }  # fmt: skip
        assert server.ask("POST", "/web/v1/leads/capture", json=lead).status_code == 201
        said = {"propertyId": "site", "email": ADA, "purposes": {"marketing": False}, "source": ADA}
        assert server.ask("POST", "/web/v1/consent", json=said).status_code == 200
        asked = {"project": "site", "metrics": "page_views,new_leads"}
        before = server.ask("GET", "/v1/query", params=asked).json()["metrics"]
        assert [before[name]["value"] for name in ("page_views", "new_leads")] == [1, 1]
        held = server.ask("POST", "/web/v1/people/export", json={"propertyId": "site", "email": ADA}).json()
        assert [event["event"] for event in held["events"]] == ["page_view", "lead_captured"]
        assert held["submissions"][0]["payload"] == {"message": f"I am {ADA}"}

        # What is searched for below is found where it is: in a property that lets it in.
        server.project("open", packs=["web"], pii="allow")
        grace = {"eventType": "page_view", "propertyId": "open", "properties": {"contact": "Grace.Hopper@Example.org"}}
        assert server.ask("POST", "/web/v1/events", json=grace).json()["accepted"] == 1
        assert traces(server.data, "grace.hopper@example.org") or traces(server.data, "Grace.Hopper@Example.org")

        deleted = server.ask("POST", "/web/v1/leads/delete", json={"propertyId": "site", "email": ADA})
        assert deleted.json()["deleted"]["actors"] == 1
        after = server.ask("GET", "/v1/query", params=asked).json()["metrics"]
        assert [after[name]["value"] for name in ("page_views", "new_leads")] == [0, 0]
        assert server.ask("POST", "/web/v1/leads/delete", json={"propertyId": "site", "email": ADA}).status_code == 404
        assert traces(server.data, ADA) == []
        assert server.terminate() == 0
    assert traces(server.data, ADA) == []
    assert traces(server.data, "lovelace") == []
    assert ADA.lower() not in server.log.read_text().lower()
    assert ADMIN  # the key is another one


def test_nobody_is_deleted_while_events_are_made_of_others(site: Site) -> None:
    site.capture(ADA, visitorId="v-1")
    began, over = threading.Event(), threading.Event()

    def derive() -> None:
        with site.here.turns.alone(deriving(site.project.id), 60):
            began.set()
            over.wait(60)

    with ThreadPoolExecutor(2) as threads:
        threads.submit(derive)
        assert began.wait(10)
        deleting = threads.submit(site.admin, "/leads/delete", email=ADA)
        try:
            assert wait([deleting], 1.5).not_done
        finally:
            over.set()
        assert deleting.result(60).json()["deleted"]["leads"] == 1
