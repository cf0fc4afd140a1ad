"""How far jobs have come, and signatures that were taken."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select

from tallymark.control.cursors import Cursors
from tallymark.control.database import Database
from tallymark.control.evaluation_models import SeenSignatureRow
from tallymark.control.seen_signatures import SeenSignatures

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def test_a_job_goes_on_from_where_it_was(database: Database) -> None:
    cursors = Cursors(database)
    assert cursors.get("judge/1") is None
    cursors.set("judge/1", NOON)
    cursors.set("judge/2", NOON + MINUTE)
    assert Cursors(database).get("judge/1") == NOON
    cursors.set("judge/1", NOON + 2 * MINUTE)
    assert (cursors.get("judge/1"), cursors.get("judge/2")) == (NOON + 2 * MINUTE, NOON + MINUTE)
    cursors.forget("judge/1")
    assert (cursors.get("judge/1"), cursors.get("judge/2")) == (None, NOON + MINUTE)


def test_a_signature_is_taken_once(database: Database) -> None:
    seen = SeenSignatures(database)
    assert seen.first("a" * 64, NOON + MINUTE, NOON)
    assert not seen.first("a" * 64, NOON + MINUTE, NOON)
    assert seen.first("b" * 64, NOON + MINUTE, NOON)
    assert not SeenSignatures(database).first("b" * 64, NOON + MINUTE, NOON)


def test_one_of_many_at_once_is_the_first(database: Database) -> None:
    seen = SeenSignatures(database)
    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(lambda _: seen.first("a" * 64, NOON + MINUTE, NOON), range(24)))
    assert told.count(True) == 1


def test_old_signatures_are_forgotten(database: Database) -> None:
    seen = SeenSignatures(database)
    for n in range(5):
        assert seen.first(f"{n}", NOON + n * MINUTE, NOON - MINUTE)
    assert seen.first("z", NOON + 9 * MINUTE, NOON + 2 * MINUTE)
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(SeenSignatureRow)) == 3
    assert not seen.first("3", NOON + 9 * MINUTE, NOON + 2 * MINUTE)
