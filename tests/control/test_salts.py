"""The salts of days: one for all, and gone when forgotten."""

from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import date, timedelta
from multiprocessing import get_context
from pathlib import Path

import pytest

from tallymark.control.database import Database, open_database
from tallymark.control.salts import Salts
from tests.control.dialects import ON_SQLITE

DAY = date(2026, 5, 1)
NEXT = DAY + timedelta(days=1)


def test_a_day_has_one_salt(database: Database) -> None:
    salts = Salts(database)
    first = salts.of(DAY)
    assert len(first) == 32
    assert salts.of(DAY) == Salts(database).of(DAY) == first
    assert salts.of(NEXT) != first


def test_a_known_salt_is_not_looked_up_again(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    salts = Salts(database)
    first = salts.of(DAY)
    monkeypatch.delattr(Database, "write")
    assert salts.of(DAY) == first


def test_a_few_days_are_kept_in_memory(database: Database) -> None:
    salts = Salts(database)
    made = {day: salts.of(day) for day in (DAY + timedelta(days=n) for n in range(6))}
    assert salts._known == dict(list(made.items())[-4:])
    assert {day: salts.of(day) for day in made} == made
    assert len(salts._known) == 4


@ON_SQLITE
def test_a_forgotten_salt_is_in_no_file(database: Database, tmp_path: Path) -> None:
    salts = Salts(database)
    old, kept = salts.of(DAY), salts.of(NEXT)
    assert salts.count(DAY) == salts.forget(DAY) == 0
    assert salts.count(NEXT) == 1
    assert salts.forget(NEXT) == 1
    held = b"".join(path.read_bytes() for path in tmp_path.glob("control.db*"))
    assert old not in held
    assert kept in held


def test_a_forgotten_salt_is_gone(database: Database) -> None:
    salts = Salts(database)
    old, kept = salts.of(DAY), salts.of(NEXT)
    assert salts.forget(NEXT) == 1
    assert salts.of(NEXT) == kept
    assert salts.of(DAY) != old


def test_all_threads_get_the_same(database: Database) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(lambda _: Salts(database).of(DAY), range(16)))) == 1


def salt_of(url: str) -> bytes:
    """The salt that another process gets."""
    database = open_database(url)
    try:
        return Salts(database).of(DAY)
    finally:
        database.close()


def test_all_processes_get_the_same(database: Database, control_url: str) -> None:
    with ProcessPoolExecutor(3, get_context("spawn")) as pool:
        assert set(pool.map(salt_of, [control_url] * 6)) == {Salts(database).of(DAY)}
