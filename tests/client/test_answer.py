"""What an answer says: how long to wait, and what was refused; whatever a server may write there."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallymark.client.answer import Answer
from tallymark.client.delivery import Delivery
from tallymark.client.lane import LANES
from tallymark.client.problem import Problem
from tallymark.client.queue import Batch, Queue
from tests.client.test_queue import options

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ("", 0), ("3", 3), ("0", 0), ("-5", 0), ("2.5", 2.5), ("soon", 0), ("nan", 0), ("inf", 0), ("86400", 300),
        (format_datetime(NOW + timedelta(seconds=7), usegmt=True), 7),
        (format_datetime(NOW - timedelta(seconds=7), usegmt=True), 0),
        ("Sat, 21 Nov 2026 12:00:04 -0000", 4), ("Sat, 21 Nov 99999999999999999999 12:00:04 GMT", 0),
        ("Sat, 21 Nov 2026 12:00:04 +99999999999999", 0),
    ],
)  # fmt: skip
def test_a_wait_is_a_number_or_a_date(told: str, seconds: float) -> None:
    assert Answer(503, retry_after=told).wait(NOW) == seconds


@given(st.binary(max_size=30) | json_values.map(lambda said: json.dumps(said).encode()))
def test_no_body_is_too_strange(body: bytes) -> None:
    answer = Answer(400, body)
    assert isinstance(answer.code, str)
    assert isinstance(answer.rejections, list)


@given(json_values, json_values)
def test_no_answer_is_too_strange(error: object, rejected: object) -> None:
    answer = Answer(202, json.dumps({"error": error, "rejected": rejected}).encode())
    assert len(answer.code) <= 64
    assert len(answer.rejections) <= (len(rejected) if isinstance(rejected, list) else 0)


def taken(queue: Queue) -> Batch:
    """A batch of one event, taken from a queue."""
    queue.put(LANES["sdk"], b"1")
    batch = queue.next()
    assert isinstance(batch, Batch)
    return batch


@given(st.integers(1, 40), st.sampled_from([0, 429, 500, 503]))
def test_pauses_grow_up_to_their_longest(tries: int, status: int) -> None:
    told: list[Problem] = []
    made = options()
    queue = Queue(made)
    object.__setattr__(made, "retries", tries)
    delivery = Delivery(taken(queue), made, queue, told.append)
    for turn in range(tries):
        assert delivery.request() is not None
        pause = delivery.take(Answer(status))
        assert pause is not None
        assert 0 <= pause.seconds <= min(1.0, 0.1 * 2**turn)
        assert not pause.asked
    assert delivery.take(Answer(status)) is None
    assert delivery.request() is None
    assert [problem.kind for problem in told] == ["failed"]
    assert queue.stats().retries == tries


def test_a_server_that_says_when_is_not_asked_before() -> None:
    made = options()
    queue = Queue(made)
    delivery = Delivery(taken(queue), made, queue, print)
    pause = delivery.take(Answer(503, retry_after="9"))
    assert pause is not None
    assert pause.asked
    assert pause.seconds >= 9
