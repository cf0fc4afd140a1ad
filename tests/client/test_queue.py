"""The queue: bounds, order, when batches are due, and that every call is counted once."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallymark.client.lane import LANES
from tallymark.client.options import Options
from tallymark.client.queue import Batch, Put, Queue

EVENTS, WEB, SDK = LANES["events"], LANES["web"], LANES["sdk"]


def options(batch_events: int = 3, batch_bytes: int = 100, queue_events: int = 6, queue_bytes: int = 200) -> Options:
    return Options(
        "http://127.0.0.1", None, None, None, batch_events, batch_bytes, 1.0, queue_events, queue_bytes, 1.0, 4, 1, 0.1,
        1.0, None,
    )  # fmt: skip


@dataclass
class Clock:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Play:
    """A queue, and what is known of it from outside."""

    clock: Clock = field(default_factory=Clock)
    queue: Queue = field(init=False)

    def __post_init__(self) -> None:
        self.queue = Queue(options(), self.clock)

    def batch(self) -> Batch:
        found = self.queue.next()
        assert isinstance(found, Batch)
        return found


def test_nothing_is_due_of_nothing() -> None:
    assert Play().queue.next() is None


def test_a_batch_is_due_when_its_oldest_has_waited() -> None:
    play = Play()
    assert play.queue.put(EVENTS, b"1") is Put.LOOK
    play.clock.now += 0.25
    assert play.queue.put(EVENTS, b"2") is Put.WAITS
    assert play.queue.next() == 0.75
    play.clock.now += 0.75
    assert play.batch() == Batch(EVENTS, [b"1", b"2"], 1)


def test_a_batch_is_due_when_it_is_full() -> None:
    play = Play()
    puts = [play.queue.put(EVENTS, b"%d" % n) for n in range(4)]
    assert puts == [Put.LOOK, Put.WAITS, Put.LOOK, Put.WAITS]
    assert play.batch().payloads == [b"0", b"1", b"2"]
    assert play.queue.next() == 1.0


def test_a_payload_that_goes_alone_is_due_at_once() -> None:
    play = Play()
    play.queue.put(SDK, b"1")
    play.queue.put(SDK, b"2")
    assert play.batch() == Batch(SDK, [b"1"], 1)


def test_the_lane_whose_oldest_has_waited_longest_comes_first() -> None:
    play = Play()
    for lane in (WEB, EVENTS, WEB):
        play.queue.put(lane, b"1")
    play.queue.flush()
    assert play.batch() == Batch(WEB, [b"1", b"1"], 1)
    assert play.batch() == Batch(EVENTS, [b"1"], 2)


def test_what_comes_after_a_flush_waits_for_its_own_time() -> None:
    play = Play()
    play.queue.put(EVENTS, b"1")
    through = play.queue.flush()
    play.queue.put(WEB, b"2")
    batch = play.batch()
    assert batch.lane is EVENTS
    assert not play.queue.settled(through)
    play.queue.settle(batch, accepted=1)
    assert play.queue.land(batch) == 0
    assert play.queue.settled(through)
    assert play.queue.next() == 1.0


def test_of_several_dropped_in_a_row_the_first_is_told() -> None:
    play = Play()
    puts = [play.queue.put(EVENTS, b"1") for _ in range(9)]
    assert puts[6:] == [Put.SPILLED, Put.DROPPED, Put.DROPPED]
    play.batch()
    assert play.queue.put(EVENTS, b"1") is Put.WAITS


Step = st.one_of(
    st.tuples(st.just("put"), st.sampled_from([EVENTS, WEB, SDK]), st.integers(1, 60)),
    st.tuples(st.sampled_from(["take", "settle"]), st.just(EVENTS), st.integers(0, 3)),
    st.tuples(st.sampled_from(["flush", "later", "invalid"]), st.just(EVENTS), st.just(0)),
)


def test_batches_may_land_in_any_order() -> None:
    play = Play()
    for n in range(3):
        play.queue.put(SDK, b"%d" % n)
    through = play.queue.flush()
    batches = [play.batch() for _ in range(3)]
    for batch, settled in zip((batches[2], batches[0], batches[1]), (False, False, True), strict=True):
        play.queue.settle(batch, accepted=1)
        play.queue.land(batch)
        assert play.queue.settled(through) is settled
    assert play.queue.stats().accepted == 3


@given(st.lists(Step, max_size=60), st.booleans())
def test_every_call_is_counted_once_and_bounds_hold(steps: list[tuple[str, object, int]], stops: bool) -> None:
    play, calls, sent = Play(), 0, []
    flying: list[Batch] = []
    for number, (what, lane, size) in enumerate(steps):
        if what == "put":
            calls += 1
            play.queue.put(lane, b"%0*d" % (size + 3, number))  # type: ignore[arg-type]
        elif what == "take" and isinstance(found := play.queue.next(), Batch):
            sent += [(found.lane, int(payload)) for payload in found.payloads]
            assert len(found.payloads) <= (1 if found.lane.alone else 3)
            assert len(found.lane.body(found.payloads)) <= 100
            flying.append(found)
        elif what == "settle" and flying:
            batch = flying.pop(size % len(flying))
            play.queue.settle(batch, accepted=min(size, len(batch.payloads)))
            lost = play.queue.land(batch)
            assert lost == max(0, len(batch.payloads) - size)
        elif what == "flush":
            play.queue.flush()
        elif what == "later":
            play.clock.now += 1
        elif what == "invalid":
            calls += 1
            play.queue.count("invalid")
        stats = play.queue.stats()
        assert stats.calls == calls
        assert stats.queued <= 6 + sum(len(batch.payloads) for batch in flying)
    if stops:
        play.queue.stop()
        assert play.queue.stats().queued <= sum(len(batch.payloads) for batch in flying)
    assert play.queue.stats().calls == calls
    for lane in LANES.values():
        own = [number for of, number in sent if of is lane]
        assert own == sorted(set(own)), "each goes once, in order"
    assert play.queue.stats().sent == len(sent)


@pytest.mark.parametrize("events", [2, 3, 7])
def test_halves_are_the_whole(events: int) -> None:
    payloads = [b"%d" % n for n in range(events)]
    first, second = Batch(EVENTS, payloads, 1).halves()
    assert [*first.payloads, *second.payloads] == payloads
    assert first.payloads
    assert second.payloads
