"""The spool: what is put there stays there, whole and in order, until it is taken out."""

from pathlib import Path

import pyarrow as pa

from tallymark.ingest.spool import Spool


def _rows(*numbers: int) -> pa.Table:
    return pa.table({"n": pa.array(numbers, pa.int64())})


def _held(spool: Spool) -> list[tuple[str, str, list[int]]]:
    return [(b.table, b.token, b.read()["n"].to_pylist()) for b in spool.batches()]


def test_batches_come_back_as_they_went_in_oldest_first(spool: Spool) -> None:
    for number in range(12):
        spool.append("events", _rows(number, -number), f"t{number}")
    assert _held(spool) == [("events", f"t{n}", [n, -n]) for n in range(12)]
    assert spool.size()[0] == 12
    assert spool.size()[1] > 0


def test_a_batch_that_is_taken_out_is_gone_and_may_be_taken_again(spool: Spool) -> None:
    spool.append("events", _rows(1), "a")
    spool.append("events", _rows(2), "b")
    first = next(spool.batches())
    first.remove()
    first.remove()
    assert _held(spool) == [("events", "b", [2])]


def test_a_new_start_finds_what_was_left_and_numbers_on(tmp_path: Path) -> None:
    before = Spool(tmp_path)
    before.append("events", _rows(1), "a")
    before.append("events", _rows(2), "b")
    next(before.batches()).remove()
    after = Spool(tmp_path)
    after.append("events", _rows(3), "c")
    assert _held(after) == [("events", "b", [2]), ("events", "c", [3])]


def test_what_was_torn_by_a_crash_is_thrown_away(tmp_path: Path) -> None:
    Spool(tmp_path).append("events", _rows(1), "a")
    whole = next(tmp_path.glob("*.arrow"))
    torn = tmp_path / "000000000002.events.b.tmp"
    torn.write_bytes(whole.read_bytes()[:50])
    assert _held(Spool(tmp_path)) == [("events", "a", [1])]
    assert not torn.exists()


def test_the_schema_s_metadata_survives(spool: Spool) -> None:
    spool.append("events", _rows(1).replace_schema_metadata({b"unpinned": b"[0]"}), "a")
    assert next(spool.batches()).read().schema.metadata == {b"unpinned": b"[0]"}
