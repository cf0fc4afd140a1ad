"""What becomes of events where a server is slow, away, broken or refuses: each is counted once, and nothing raises."""

import logging
import threading
from typing import Any

import pytest

from tests.client.clients import Driven, Make
from tests.client.stub import PATIENCE, Reply, Stub
from tests.server import free_port

LONG = 10_000.0


def refused(*places: int, reason: str = "bad_value") -> list[dict[str, Any]]:
    """The `rejected` of an answer."""
    return [{"index": place, "reason": reason, "message": "…"} for place in places]


def counts(driven: Driven) -> dict[str, int]:
    """The counts that are not zero, but for those of requests."""
    told = vars(driven.stats)
    return {name: told[name] for name in told if told[name] and name not in ("sent", "retries")}


def test_what_a_passing_failure_held_up_is_sent_again_and_is_the_same(make: Make) -> None:
    failures = [Reply(status) for status in (500, 502, 503, 504, 429)]
    with Stub(*failures) as stub:
        driven = make(stub.url)
        driven.client.track("e")
        assert driven.flush()
    assert len({request.body for request in stub.received}) == 1
    assert len(stub.received) == 6
    assert (driven.stats.accepted, driven.stats.sent, driven.stats.retries) == (1, 1, 5)
    assert driven.problems == []


def test_what_is_not_answered_is_sent_again(make: Make) -> None:
    hangs = threading.Event()
    with Stub(Reply(reset=True), Reply(after=hangs), Reply(reset=True)) as stub:
        driven = make(stub.url, timeout=0.3)
        driven.client.track("e")
        assert driven.flush()
        hangs.set()
    assert len({event["eventId"] for event in stub.events}) == 1
    assert (driven.stats.accepted, driven.stats.retries) == (1, 3)


def test_a_server_that_says_when_is_believed(make: Make) -> None:
    with Stub(Reply(429, headers={"Retry-After": "1"})) as stub:
        driven = make(stub.url)
        driven.client.track("e")
        assert driven.flush()
    first, second = stub.received
    assert second.at - first.at >= 1


def test_after_the_last_try_events_have_failed(make: Make) -> None:
    with Stub(*[Reply(503)] * 3) as stub:
        driven = make(stub.url, retries=2, batch_events=2)
        driven.client.track("a")
        driven.client.track("b")
        assert driven.flush()
        driven.client.track("c")
        assert driven.flush()
    assert len(stub.received) == 4
    assert counts(driven) == {"failed": 2, "accepted": 1}
    (problem,) = driven.problems
    assert (problem.kind, problem.events, problem.path) == ("failed", 2, "/v1/events")
    assert problem.message == "answered 503 after 3 tries"


def test_where_nobody_listens_events_have_failed(make: Make) -> None:
    driven = make(f"http://127.0.0.1:{free_port()}", retries=2)
    driven.client.track("e")
    assert driven.flush()
    assert counts(driven) == {"failed": 1}
    assert driven.problems[0].message == "no answer, ConnectError after 3 tries"


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 405, 409, 422, 501])
def test_what_is_refused_for_good_is_not_sent_again(make: Make, status: int) -> None:
    shape = (
        {"error": {"code": "no_such_luck", "message": "…"}} if status % 2 else {"ok": False, "error": "no_such_luck"}
    )
    with Stub(Reply(status, shape)) as stub:
        driven = make(stub.url)
        driven.client.track("e")
        assert driven.flush()
    assert len(stub.received) == 1
    assert counts(driven) == {"failed": 1}
    assert driven.problems[0].message == f"answered {status} no_such_luck"


def test_events_that_are_refused_alone_are_counted(make: Make) -> None:
    with Stub(Reply(202, {"accepted": 1, "rejected": refused(0, 2)})) as stub:
        driven = make(stub.url, batch_events=3)
        for n in range(3):
            driven.client.track("e", value=n)
        assert driven.flush()
    assert counts(driven) == {"accepted": 1, "rejected": 2}
    (problem,) = driven.problems
    assert (problem.kind, problem.events, problem.message) == ("rejected", 2, "2 refused for bad_value")


def test_a_batch_of_which_all_is_refused_is_counted(make: Make) -> None:
    told = {"ok": False, "error": "pii", "accepted": 0, "rejected": refused(0, 1, reason="pii")}
    with Stub(Reply(400, told)) as stub:
        driven = make(stub.url, batch_events=2)
        driven.client.web_event("a")
        driven.client.web_event("b")
        assert driven.flush()
    assert counts(driven) == {"rejected": 2}


@pytest.mark.parametrize(
    ("reply", "becomes"),
    [
        (Reply(200, {"success": True}), {"accepted": 1}),
        (Reply(200, {"success": True, "rejected": refused(1)}), {"accepted": 1}),
        (Reply(400, {"success": False, "error": "bad_value", "rejected": refused(0, 1)}), {"rejected": 1}),
        (Reply(400, {"success": False, "error": "pii"}), {"failed": 1}),
    ],
)
def test_counters_of_a_payload_are_one_call(make: Make, reply: Reply, becomes: dict[str, int]) -> None:
    with Stub(reply) as stub:
        driven = make(stub.url)
        driven.client.count({"a": 1, "b": -1}, network="devnet")
        assert driven.flush()
    assert counts(driven) == becomes
    assert bool(driven.problems) == (reply.body != {"success": True})


@pytest.mark.parametrize("body", ["", "no json", [1, 2], {"rejected": "x"}, {"rejected": [1, None]}, None])
def test_an_answer_that_says_nothing_is_taken_by_its_status(make: Make, body: Any) -> None:
    with Stub(Reply(202, body)) as stub:
        driven = make(stub.url)
        driven.client.track("e")
        assert driven.flush()
    assert counts(driven) == {"accepted": 1}


@pytest.mark.parametrize("reply", [Reply(413), Reply(400, {"error": {"code": "unreadable_body", "message": "…"}})])
def test_what_spoils_a_batch_is_found_and_fails_alone(make: Make, reply: Reply) -> None:
    """Of eight events the sixth is spoilt: 8, then 4; 4, 2, 1, 1 and 2."""
    good = Reply()
    with Stub(reply, good, reply, reply, good, reply, good) as stub:
        driven = make(stub.url, batch_events=8, batch_seconds=LONG)
        for n in range(8):
            driven.client.track("e", value=n)
        assert driven.flush()
    assert [[event["value"] for event in request.json] for request in stub.received] == [
        list(range(8)), [0, 1, 2, 3], [4, 5, 6, 7], [4, 5], [4], [5], [6, 7]
    ]  # fmt: skip
    assert counts(driven) == {"accepted": 7, "failed": 1}


def test_a_full_queue_drops_the_newest_and_counts_them(make: Make) -> None:
    released = threading.Event()
    with Stub(Reply(after=released)) as stub:
        driven = make(stub.url, queue_events=5, batch_events=1)
        driven.client.track("first")
        stub.wait_for(1)  # on its way, so that it waits no more
        for n in range(8):
            driven.client.track("e", value=n)
        assert counts(driven) == {"queued": 6, "dropped": 3}
        released.set()
        assert driven.flush()
        assert counts(driven) == {"accepted": 6, "dropped": 3}
    assert [event.get("value") for event in stub.events] == [None, 0, 1, 2, 3, 4]
    assert driven.kinds() == ["dropped"], "told once, and not for each"


def test_a_queue_is_full_by_its_bytes_too(make: Make) -> None:
    driven = make("http://127.0.0.1:9", queue_bytes=3_000, batch_seconds=LONG)
    for _ in range(5):
        driven.client.track("e", properties={"text": "x" * 1_000})
    assert counts(driven) == {"queued": 2, "dropped": 3}
    driven.client.track("small")
    assert counts(driven) == {"queued": 3, "dropped": 3}


def test_a_closed_client_drops(make: Make) -> None:
    with Stub() as stub:
        driven = make(stub.url)
        driven.client.track("e")
        assert driven.close()
        driven.client.track("late")
        assert driven.close()
    assert counts(driven) == {"accepted": 1, "dropped": 1}
    assert "closed" in driven.problems[0].message


def test_closing_gives_up_in_time_and_counts_what_is_lost(make: Make) -> None:
    with Stub(Reply(429, headers={"Retry-After": "300"})) as stub:
        driven = make(stub.url, batch_events=1)
        for name in "abc":
            driven.client.track(name)
        stub.wait_for(1)
        assert not driven.close(0.2)
        driven.wait_until_settled()
    assert len(stub.received) == 1, "the server had asked to be left alone"
    assert counts(driven) == {"failed": 3}
    assert sum(problem.events for problem in driven.problems) == 3


def test_closing_does_not_sit_out_a_backoff(make: Make) -> None:
    with Stub(Reply(503)) as stub:
        driven = make(stub.url, backoff=1e9, longest_backoff=1e9)
        driven.client.track("e")
        stub.wait_for(1)
        assert driven.close(PATIENCE)
    assert counts(driven) == {"accepted": 1}


def test_closing_while_a_request_hangs(make: Make) -> None:
    hangs = threading.Event()
    with Stub(Reply(after=hangs)) as stub:
        driven = make(stub.url, batch_events=1, timeout=PATIENCE)
        driven.client.track("a")
        driven.client.track("b")
        stub.wait_for(1)
        assert not driven.close(0.1)
        assert driven.stats.calls == 2
        hangs.set()
        driven.wait_until_settled()
    assert driven.stats.calls == 2


def test_a_callback_that_raises_harms_nobody(make: Make) -> None:
    def raises(problem: object) -> None:
        raise RuntimeError("in the callback")

    with Stub(Reply(400), Reply(202)) as stub:
        driven = make(stub.url, batch_events=1, on_error=raises)
        driven.client.track("e", properties={"x": object()})
        driven.client.track("e")
        driven.client.track("e")
        assert driven.flush()
    assert counts(driven) == {"invalid": 1, "failed": 1, "accepted": 1}


def test_neither_key_nor_values_are_told(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with Stub(Reply(401)) as stub:
        driven = make(stub.url, key="tm_ingest_secret", signing_secret="hush-hush")
        driven.client.track("order-secret", actor="ada-secret", properties={"x": "secret"})
        driven.client.track("order-secret", properties={"secret": object()})
        assert driven.flush()
    ours = [record for record in caplog.records if record.name.startswith("tallymark")]
    assert {record.name for record in ours} == {"tallymark.client"}
    told = " ".join([*(record.getMessage() for record in caplog.records), *map(repr, driven.problems)])
    told += repr(driven.client._options)
    assert "secret" not in told
    assert "hush" not in told


def test_the_log_is_not_flooded(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    driven = make("http://127.0.0.1:9")
    for _ in range(50):
        driven.client.track("e", value=float("inf"))
    assert driven.stats.invalid == len(driven.problems) == 50
    assert len([record for record in caplog.records if record.name == "tallymark.client"]) == 1


def test_one_way_that_fails_does_not_hold_up_the_others(make: Make) -> None:
    with Stub(*[Reply(503, headers={"Retry-After": "300"})] * 3) as stub:
        driven = make(stub.url, connections=4)
        for number in range(3):
            driven.client.count({"a": 1}, network="devnet")
            stub.wait_for(number + 1)
        driven.client.track("e")
        assert stub.wait_for(4)[3].target == "/v1/events"
        assert not driven.flush(0)
        assert driven.stats.queued >= 3


def test_no_more_requests_are_on_their_way_than_connections(make: Make) -> None:
    released = threading.Event()
    with Stub(*[Reply(after=released)] * 9) as stub:
        driven = make(stub.url, connections=3)
        for _ in range(9):
            driven.client.count({"a": 1}, network="devnet")
        stub.wait_for(3)
        assert not driven.flush(0.3)
        assert len(stub.received) == 3
        released.set()
        assert driven.flush()
    assert counts(driven) == {"accepted": 9}
