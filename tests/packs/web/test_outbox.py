"""The outbox: a form's event is written once, whatever fails in between, at the time the form came in."""

import asyncio
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa
import pytest

from tallymark.control.captures import CaptureDraft, Unrecorded
from tallymark.engine.base import Engine
from tallymark.errors import EngineUnavailable, QueueFull
from tallymark.packs.leads.outbox import Outbox
from tallymark.spec.project import Project
from tests.packs.web.site import ADMIN, NAME, Site, running
from tests.server import RunningServer

ADA = "ada@example.org"


class Fickle:
    """An engine that takes no events while it is `away`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.away = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def insert(self, table: str, rows: pa.Table, token: str | None = None) -> None:
        if self.away and table == "events":
            raise EngineUnavailable("It is away.")
        self._engine.insert(table, rows, token)


@pytest.fixture
def fickle(engine: Engine) -> Fickle:
    return Fickle(engine)


@pytest.fixture
def site(tmp_path: Path, fickle: Fickle, project: Callable[..., Project]) -> Iterator[Site]:
    """A property whose spool is full from the start."""
    with running(tmp_path / "data", fickle, project, spool_bytes=-1) as made:
        yield made


def waiting(site: Site) -> tuple[Unrecorded, ...]:
    return site.here.people.unrecorded(site.at(), 10)


def write(site: Site, one: Unrecorded) -> None:
    """What a request does."""
    work = Outbox(site.here).write(site.project, one.submission_id, one.outbox)
    asyncio.run_coroutine_threadsafe(work, site.here.writer.loop).result()


def fail(site: Site, fickle: Fickle, email: str = ADA, **fields: Any) -> float:
    """A form whose event can't be written; gives when it came."""
    fickle.away = True
    answer = site.post("/leads/capture", json={"email": email, "visitorId": "v1", **fields})
    assert (answer.status_code, answer.json()["error"], answer.headers["retry-after"]) == (503, "queue_full", "1")
    assert site.rows() == []
    at = site.listed()["leads"][0]["lastCapturedAt"]
    back(site, fickle)
    return datetime.fromisoformat(at).timestamp()


def back(site: Site, fickle: Fickle) -> None:
    """The engine is there again, and known to be."""
    fickle.away = False
    site.here.store.replay()


def times(site: Site) -> list[float]:
    return [
        row["toUnixTimestamp64Milli(occurred_at)"] / 1000 for row in site.rows("toUnixTimestamp64Milli(occurred_at)")
    ]


def test_a_retry_completes_it(site: Site, fickle: Fickle) -> None:
    at = fail(site, fickle, submissionId="s-1")
    site.ahead = 30
    told = site.capture(ADA, visitorId="v1", submissionId="s-1")
    assert told["repeated"] is True
    assert times(site) == [at]
    assert waiting(site) == ()
    assert site.capture(ADA, visitorId="v1", submissionId="s-1") == told
    assert times(site) == [at]


def test_the_clock_completes_it_after_a_minute(site: Site, fickle: Fickle) -> None:
    at, box = fail(site, fickle), Outbox(site.here)
    site.ahead = 50
    assert box.write_pending() == 0
    site.ahead = 70
    assert box.write_pending() == 1
    assert times(site) == [at]
    (row,) = site.rows("browser, origin, actor")
    assert row["browser"] == "Chrome"
    assert row["origin"] != 0
    assert row["actor"] == site.here.receiver.enricher.actor(site.project.id, "v1")
    assert (box.write_pending(), waiting(site)) == (0, ())


def test_the_clock_comes_again_while_it_fails(site: Site, fickle: Fickle) -> None:
    fail(site, fickle)
    site.ahead, fickle.away = 70, True
    with pytest.raises(QueueFull):
        Outbox(site.here).write_pending()
    assert len(waiting(site)) == 1


def test_a_crash_between_event_and_note_counts_nothing_twice(site: Site, fickle: Fickle) -> None:
    at = fail(site, fickle)
    (one,) = waiting(site)
    write(site, one)
    # The process died before it noted that; another one finds the event in the outbox as it was.
    for _ in range(2):
        write(site, one)
    assert times(site) == [at]


def test_the_event_of_who_was_erased_meanwhile_is_taken_away(site: Site, fickle: Fickle) -> None:
    fail(site, fickle)
    (one,) = waiting(site)
    assert site.admin("/leads/delete", email=ADA).json()["deleted"]["submissions"] == 1
    write(site, one)
    assert site.rows() == []
    assert waiting(site) == ()


def test_nobody_reads_what_waits(site: Site, fickle: Fickle) -> None:
    fail(site, fickle, url=f"https://shop.example/u/{ADA}", form="signup")
    (one,) = waiting(site)
    for word in (ADA, "shop.example", "signup", "lead_captured", "testclient"):
        assert word not in one.outbox


def test_one_that_cannot_be_opened_holds_up_no_other(site: Site, fickle: Fickle) -> None:
    at = site.at()
    bad = CaptureDraft(
        site.project.id, "0" * 64, b"", "", ("", ""), "", "bad", None, lambda _: "sealed elsewhere", (), at
    )
    site.here.people.capture(bad)
    fickle.away = True
    site.post("/leads/capture", json={"email": ADA})
    back(site, fickle)
    site.ahead = 70
    Outbox(site.here).write_pending()
    assert len(site.rows()) == 1
    assert [one.outbox for one in waiting(site)] == ["sealed elsewhere"]


def test_an_event_that_is_refused_for_good_is_not_tried_again(site: Site, fickle: Fickle) -> None:
    fail(site, fickle)
    site.ahead = 10 * 365 * 86_400
    Outbox(site.here).write_pending()
    assert (site.rows(), waiting(site)) == ([], ())
    assert site.refusals().keys() == {"too_old"}
    assert len(site.listed()["leads"]) == 1


@pytest.mark.parametrize(
    ("project_", "form"),
    [({"quota": 0}, "signup"), ({"pii": "reject"}, "for [email]"), ({"pii": "redact"}, "for [email]"),
     ({"pii": "allow"}, "for bob@example.org")],
)  # fmt: skip
def test_a_form_that_was_taken_is_in_the_numbers(site: Site, project_: dict[str, Any], form: str) -> None:
    site.client.patch(f"/v1/projects/{NAME}", json=project_, headers={"x-admin-key": ADMIN})
    site.capture(ADA, form="signup" if form == "signup" else "for bob@example.org")
    (row,) = site.rows("event, props")
    assert (row["event"], row["props"]["form"]) == ("lead_captured", form)
    assert (site.refusals(), waiting(site)) == ({}, ())
    assert site.numbers("new_leads") == {"new_leads": 1}


def test_what_waits_in_the_spool_is_deleted_too(
    tmp_path: Path, fickle: Fickle, project: Callable[..., Project]
) -> None:
    with running(tmp_path / "data", fickle, project) as site:
        fickle.away = True
        site.send({"visitorId": "v1"})
        site.capture(ADA, visitorId="v1")
        assert site.rows() == []
        assert site.here.store.waiting
        assert site.admin("/leads/delete", email=ADA).json()["error"] == "engine_unavailable"
        assert len(site.listed()["leads"]) == 1
        fickle.away = False
        deleted = site.admin("/leads/delete", email=ADA).json()["deleted"]
        assert (deleted["leads"], deleted["actors"]) == (1, 1)
        assert (site.rows(), site.here.store.waiting) == ([], False)


def test_forms_that_a_crash_broke_off_count_once_when_they_come_again(tmp_path: Path) -> None:
    told: list[str] = []
    with RunningServer(tmp_path / "data") as server:
        server.project(NAME, packs=["web"])

        def send(email: str, client: httpx.Client) -> None:
            answer = client.post("/web/v1/leads/capture", json={"email": email, "propertyId": NAME})
            assert answer.status_code == 201
            told.append(email)

        def sender(thread: int) -> int:
            with server.client() as client:
                for n in range(10_000):
                    try:
                        send(f"p{thread}-{n}@example.org", client)
                    except httpx.TransportError:
                        return n
            raise AssertionError

        with ThreadPoolExecutor(4) as threads:
            reached = threads.map(sender, range(4))
            while len(told) < 40:
                time.sleep(0.01)
            server.kill()
            sent = [f"p{thread}-{n}@example.org" for thread, last in enumerate(reached) for n in range(last + 1)]
        server.start()
        assert set(told) <= set(sent)
        with server.client() as client:
            for email in sent:
                send(email, client)
        listed = server.ask("GET", "/web/v1/leads", params={"propertyId": NAME, "limit": 1}).json()
        assert listed["next"] == len(sent)
        server.ask("POST", "/v1/rollup/run", params={"project": NAME})
        asked = {"project": NAME, "metrics": "new_leads,events"}
        counted = server.ask("GET", "/v1/query", params=asked).json()["metrics"]
        assert [counted[name]["value"] for name in ("new_leads", "events")] == [len(sent)] * 2
