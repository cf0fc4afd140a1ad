"""The server is killed again and again, in the middle of whatever it does: nothing is lost, doubled or half there.

Eight kills of one data directory, at other random moments in each run, while

- senders post batches, and send again what was not acknowledged;
- an operator has days computed again;
- a reader asks for the numbers of a day that is over, which senders add to. It must only ever see numbers that were
  true after some whole batch, all of one moment, and never an older moment than before.
"""

import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from tests.server import RunningServer

KILLS = 8
SENDERS = 3
BATCH = 20
DAYS = 4

TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
#: The day that the reader watches.
CLOSED = TODAY - timedelta(days=2)

#: Of a batch for the watched day: so many actors, each with two views of the batch's own host.
ACTORS = 7
METRICS = ("events", "actors", "value", "page_views", "visitors", "sessions")


@dataclass
class Play:
    """A server that is killed while threads go on; `over` tells them that no kill comes any more."""

    server: RunningServer
    many: dict[str, str]
    watched: dict[str, str]
    over: threading.Event = field(default_factory=threading.Event)
    sent: list[int] = field(default_factory=list)
    batches: int = 0
    reads: int = 0
    states: set[int] = field(default_factory=set)

    def send(self, client: httpx.Client, events: list[dict[str, Any]]) -> None:
        """Returns when the events are acknowledged, however often they must be sent."""
        until = time.monotonic() + 120
        while time.monotonic() < until:
            try:
                answer = client.post("/v1/events", json={"events": events})
            except httpx.TransportError:
                time.sleep(0.02)
                continue
            assert (answer.status_code, answer.json()) == (202, {"accepted": len(events), "rejected": []})
            return
        raise AssertionError("A batch was not taken for two minutes.")

    def send_many(self, sender: int) -> None:
        """Batches for several days, today among them; each event has an actor and an `eventId` of its own."""
        with self.server.client(self.many["ingest"]) as client:
            for batch in range(1_000_000):
                numbers = [(batch * BATCH + place) * SENDERS + sender + 1 for place in range(BATCH)]
                self.send(client, [numbered(number) for number in numbers])
                self.sent += numbers
                if self.over.is_set():
                    return

    def send_watched(self, pause: random.Random) -> None:
        """Batches for the watched day, one after another."""
        with self.server.client(self.watched["ingest"]) as client:
            while not self.over.is_set():
                self.send(client, watched_batch(self.batches))
                self.batches += 1
                time.sleep(pause.uniform(0, 0.3))

    def compute_again(self, choice: random.Random) -> None:
        """Backfills and refreshes, without a rest."""
        window = {"from": f"{TODAY - timedelta(days=DAYS):%F}", "to": f"{TODAY:%F}"}
        with self.server.client() as client:
            while not self.over.is_set():
                path, params = choice.choice([("backfill", window), ("run", {})])
                try:
                    answer = client.post(f"/v1/rollup/{path}", params=params)
                except httpx.TransportError:
                    time.sleep(0.02)
                else:
                    assert answer.status_code == 200, answer.text

    def read(self) -> None:
        """Asks for the watched day's numbers; each answer must be one whole state, no older than the last."""
        latest = 0
        with self.server.client(self.watched["read"]) as client:
            while not self.over.is_set():
                try:
                    state = self.state(client)
                except httpx.TransportError:
                    time.sleep(0.02)
                else:
                    assert latest <= state <= self.batches + 1
                    latest = state
                    self.reads += 1
                    self.states.add(state)

    def state(self, client: httpx.Client) -> int:
        """How many whole batches the watched day's published numbers have in them."""
        body = ask(client, "watched", METRICS, CLOSED, CLOSED, by="host", limit="10000")
        assert {part["from"] for part in body["plan"]} == {"rollups"}
        events, *others = numbers_of(body)
        batches, rest = divmod(int(events), 2 * ACTORS)
        assert rest == 0
        actors = batches * ACTORS
        value = sum(range(1, batches + 1)) * 2 * ACTORS
        assert others == [actors, value, events, actors, actors]
        assert hosts_of(body) == {host(batch): [2 * ACTORS, ACTORS] for batch in range(batches)}
        return batches


def numbered(number: int) -> dict[str, Any]:
    """An event that is known by its number; numbers go round the days."""
    at = TODAY - timedelta(days=number % DAYS, seconds=-(number % 3_600 if number % DAYS else 0))
    return {
        "event": "page_view",
        "eventId": f"n{number}",
        "visitorId": f"v{number}",
        "timestamp": at.isoformat(),
        "value": number,
        "url": f"https://shop.example/p{number % 50}",
    }


def watched_batch(batch: int) -> list[dict[str, Any]]:
    """The events of a batch for the watched day."""
    return [
        {
            "event": "page_view",
            "eventId": f"b{batch}-{actor}-{view}",
            "visitorId": f"b{batch}-{actor}",
            "timestamp": (CLOSED + timedelta(hours=batch % 23, minutes=actor * 5 + view)).isoformat(),
            "value": batch + 1,
            "url": f"https://{host(batch)}/",
        }
        for actor in range(ACTORS)
        for view in range(2)
    ]


def host(batch: int) -> str:
    """The host that only this batch's pages are on."""
    return f"b{batch}.shop.example"


def hosts_of(body: dict[str, Any]) -> dict[str, list[float]]:
    """Page views and sessions of an answer by host."""
    return {row["key"]: [row["page_views"], row["sessions"]] for row in body["breakdown"]}


def ask(
    client: httpx.Client, project: str, metrics: tuple[str, ...], first: datetime, last: datetime, **more: str
) -> dict[str, Any]:
    """The answer to a question."""
    params = {"project": project, "metrics": ",".join(metrics), "from": f"{first:%F}", "to": f"{last:%F}"}
    answer = client.get("/v1/query", params={**params, "explain": "true", **more})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def numbers_of(body: dict[str, Any]) -> list[float]:
    """The totals of an answer, in the order they were asked for."""
    return [metric["value"] or 0 for metric in body["metrics"].values()]


def kill_again_and_again(play: Play, chance: random.Random) -> None:
    """Kills at random moments: some soon, some once a batch was taken and read, some while the server still starts."""
    for kill in range(KILLS):
        reads, batches, until = play.reads, play.batches, time.monotonic() + 20
        while kill % 2 and (play.reads == reads or play.batches == batches) and time.monotonic() < until:
            time.sleep(0.01)
        time.sleep(chance.uniform(0.05, 1.0 if kill % 2 else 1.5))
        play.server.kill()
        if kill % 4 == 3:
            play.server.launch()
            time.sleep(chance.uniform(0.2, 2.5))
            play.server.kill()
        play.server.start()


def running(play: Play, chance: random.Random) -> list[Callable[[], None]]:
    """What goes on while the server is killed."""
    pause, choice = random.Random(chance.random()), random.Random(chance.random())
    return [
        *(lambda sender=sender: play.send_many(sender) for sender in range(SENDERS)),
        lambda: play.send_watched(pause),
        lambda: play.compute_again(choice),
        play.read,
    ]


def test_nothing_is_lost_doubled_or_half_there(tmp_path: Path) -> None:
    seed = random.SystemRandom().getrandbits(32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    server = RunningServer(tmp_path / "data", TALLYMARK_REFRESH_SECONDS="1", TALLYMARK_SETTLE_SECONDS="5")
    with server, ThreadPoolExecutor(SENDERS + 3) as threads:
        play = Play(server, server.project("many", packs=["web"]), server.project("watched", packs=["web"]))
        work: list[Future[None]] = [threads.submit(each) for each in running(play, chance)]
        try:
            kill_again_and_again(play, chance)
        finally:
            play.over.set()
        for each in work:
            each.result()
        check_everything(play)


def check_everything(play: Play) -> None:
    """Every event counts once, in raw events and in rollups, and the two agree."""
    numbers = set(play.sent)
    assert len(numbers) == len(play.sent)
    with play.server.client() as client:
        assert client.post("/v1/rollup/run").status_code == 200
        first, last = TODAY - timedelta(days=DAYS), TODAY
        expected = [len(numbers), len(numbers), sum(numbers), len(numbers), len(numbers), len(numbers)]
        for exact in ("false", "true"):
            body = ask(client, "many", METRICS, first, last, exact=exact)
            assert {part["from"] for part in body["plan"]} == {"raw" if exact == "true" else "rollups"}
            assert numbers_of(body) == expected
        assert play.state(client) == play.batches
        compared = client.get("/v1/rollup/check").json()
        assert compared["differences"] == []
        assert compared["days"] >= DAYS
        assert "tallymark_spool_batches 0.0" in client.get("/metrics").text
    assert play.reads > KILLS // 2
    assert len(play.states) > 2
