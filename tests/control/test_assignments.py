"""Assignments: what was stored first stays, whoever asks, in whatever groups; and what SQLite promises of its log."""

import asyncio
import shutil
import sqlite3
import threading
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from tallymark.control.assignment_rows import Exposure, Held, Key
from tallymark.control.assignments import Assignments, Holdings, Wish, Wishes
from tallymark.control.database import Database
from tallymark.control.experiment_models import AssignmentRow, ExperimentRow
from tallymark.control.models import ProjectRow
from tallymark.errors import NotFound, QueueFull
from tests.control.dialects import ON_POSTGRESQL, ON_SQLITE

_T = TypeVar("_T")

#: Signed in SQL: the least, the largest, and some between.
UNITS = (1, 2**63 - 1, 2**63, 2**64 - 1)
NOW = datetime(2028, 2, 29, 12, tzinfo=UTC)


@pytest.fixture
def filled(database: Database) -> Database:
    """Two projects with two experiments each: 11 and 12, 21 and 22."""
    with database.write() as session:
        for project in (1, 2):
            session.add(
                ProjectRow(
                    id=project, name=f"p{project}", packs=["ab"], timezone="UTC", retention_hours=1, pii="redact",
                    bots="mark", created_at=NOW,
                )
            )  # fmt: skip
            session.flush()
            for number in (1, 2):
                session.add(
                    ExperimentRow(
                        id=10 * project + number, project_id=project, key=f"e{number}", status="running",
                        definition="{}", revision=1, created_at=NOW, updated_at=NOW,
                    )
                )  # fmt: skip
    return database


@pytest.fixture
def assignments(filled: Database) -> Iterator[Assignments]:
    opened = Assignments(filled)
    yield opened
    opened.close()


def run(work: Coroutine[Any, Any, _T]) -> _T:
    return asyncio.run(work)


def note(assignments: Assignments, unit: int, *wishes: Wish, project: int = 1) -> dict[int, Held]:
    """What a unit has after wishes."""
    return dict(run(assignments.note(project, {unit: wishes}))[unit])


@pytest.mark.parametrize("unit", UNITS)
def test_the_first_variant_stays(assignments: Assignments, filled: Database, unit: int) -> None:
    assert note(assignments, unit) == {}
    first = {11: Held("blue", 5_000, None)}
    assert note(assignments, unit, Wish(11, "blue", 5_000, False)) == first
    assert note(assignments, unit, Wish(11, "green", 6_000, False)) == first
    second = Assignments(filled)
    assert note(second, unit, Wish(11, "green", 7_000, False)) == first
    assert second.of(1, [unit]) == assignments.of(1, [unit]) == {unit: first}
    second.close()


def test_what_another_process_stored_first_wins(assignments: Assignments, filled: Database) -> None:
    other = Assignments(filled)
    assert note(assignments, 7) == note(other, 7) == {}
    assert note(other, 7, Wish(11, "green", 5_000, True)) == {11: Held("green", 5_000, 5_000)}
    assert note(assignments, 7, Wish(11, "blue", 6_000, True)) == {11: Held("green", 5_000, 5_000)}
    other.close()


def test_the_first_exposure_counts_whichever_comes_first(assignments: Assignments) -> None:
    note(assignments, 7, Wish(11, "blue", 5_000, False))
    assert note(assignments, 7, Wish(11, "blue", 8_000, True))[11].exposed_at == 8_000
    assert note(assignments, 7, Wish(11, "blue", 9_000, True))[11].exposed_at == 8_000
    assert note(assignments, 7, Wish(11, "blue", 6_000, True))[11] == Held("blue", 5_000, 6_000)


def test_who_met_another_variant_did_not_meet_theirs(assignments: Assignments) -> None:
    note(assignments, 7, Wish(11, "blue", 5_000, False))
    assert note(assignments, 7, Wish(11, "green", 8_000, True))[11] == Held("blue", 5_000, None)
    assert assignments.unreported(10) == []


def test_projects_are_apart(assignments: Assignments) -> None:
    note(assignments, 7, Wish(11, "blue", 5_000, False))
    assert note(assignments, 7, Wish(21, "green", 5_000, False), project=2) == {21: Held("green", 5_000, None)}
    assignments.forget_project(2)
    assert note(assignments, 7, project=2) == {}
    assert note(assignments, 7) == {11: Held("blue", 5_000, None)}


_WISHES = st.builds(Wish, st.sampled_from((11, 12)), st.sampled_from("ab"), st.integers(1_000, 1_005), st.booleans())
_STEPS = st.lists(
    st.one_of(
        st.lists(st.tuples(st.sampled_from(UNITS), st.lists(_WISHES, max_size=3)), min_size=1, max_size=6),
        st.sampled_from(("forget", "restart")),
    ),
    max_size=12,
)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_STEPS)
def test_it_does_as_a_dictionary_would(filled: Database, steps: list[Any]) -> None:
    """Requests that come at once, one after another, are answered as by plain Python, whatever is remembered."""
    assignments, oracle = Assignments(filled, remembered=2), dict[int, dict[int, Held]]()
    for step in steps:
        if step == "forget":
            assert assignments.forget(1, UNITS[:2]) == sum(len(oracle.pop(unit, {})) for unit in UNITS[:2])
        elif step == "restart":
            assignments.close()
            assignments = Assignments(filled, remembered=2)
        else:
            run(at_once(assignments, step))
            for unit, wishes in step:
                told(oracle.setdefault(unit, {}), wishes)
            assert assignments.of(1, UNITS) == {unit: oracle.get(unit, {}) for unit in UNITS}
            assert [dict(note(assignments, unit)) for unit in UNITS] == [oracle.get(unit, {}) for unit in UNITS]
    assignments.forget_project(1)
    assignments.close()


async def at_once(assignments: Assignments, requests: list[tuple[int, list[Wish]]]) -> list[Holdings]:
    return await asyncio.gather(*(assignments.note(1, {unit: wishes}) for unit, wishes in requests))


def told(held: dict[int, Held], wishes: list[Wish]) -> None:
    """The rule, in plain Python."""
    for experiment, variant, at, exposed in wishes:
        has = held.setdefault(experiment, Held(variant, at, None))
        if exposed and has.variant == variant:
            held[experiment] = Held(variant, has.assigned_at, at if has.exposed_at is None else min(has.exposed_at, at))


def test_one_that_can_not_be_stored_fails_alone(assignments: Assignments) -> None:
    async def both() -> list[Any]:
        blue = [Wish(experiment, "blue", 5_000, False) for experiment in (11, 99)]
        asked: tuple[Wishes, ...] = ({1: blue[:1]}, {2: blue[1:]}, {3: []})
        return await asyncio.gather(*(assignments.note(1, each) for each in asked), return_exceptions=True)

    first, second, third = run(both())
    assert (first, third) == ({1: {11: Held("blue", 5_000, None)}}, {3: {}})
    assert isinstance(second, NotFound)


def test_a_full_queue_is_said_and_what_waits_is_answered(assignments: Assignments, filled: Database) -> None:
    async def crowd() -> None:
        with filled.write() as session:
            session.connection()
            # The thread takes up to 1,000 at its first turn, none if that comes last, and is held up with them.
            waiting = [asyncio.create_task(assignments.note(1, {unit: []})) for unit in range(2_400)]
            done, _ = await asyncio.wait(waiting, timeout=0.3)
            refused = [each.exception() for each in done]
            assert 400 <= len(refused) <= 1_400
            assert all(isinstance(error, QueueFull) and error.retry_after == 1 for error in refused)
        assert len(await asyncio.gather(*(each for each in waiting if each not in done))) == 2_400 - len(refused)

    run(crowd())


def test_who_goes_away_while_waiting_harms_nobody(assignments: Assignments, filled: Database) -> None:
    async def leave() -> None:
        with filled.write() as session:
            session.connection()
            first, gone, last = (asyncio.create_task(assignments.note(1, {unit: []})) for unit in (1, 2, 3))
            await asyncio.sleep(0.05)
            gone.cancel()
            await asyncio.sleep(0.05)
        assert [await first, await last] == [{1: {}}, {3: {}}]

    run(leave())


def test_exposures_wait_until_they_are_reported(assignments: Assignments) -> None:
    for unit, at in ((1, 9_000), (2**64 - 1, 8_000)):
        note(assignments, unit, Wish(11, "blue", at, True), Wish(12, "green", at, False))
    late, early = (Exposure(Key(1, unit, 11), "e1", "blue", at) for unit, at in ((1, 9_000), (2**64 - 1, 8_000)))
    assert assignments.unreported(1) == [early]
    assert assignments.unreported(9) == [early, late]
    assignments.report([(early.key, "green"), (late.key, "blue")]).result()
    assert assignments.unreported(9) == [early]
    note(assignments, 1, Wish(11, "blue", 7_000, True))
    assert assignments.unreported(9) == [early]


def test_nobody_is_forgotten_while_exposures_are_reported(assignments: Assignments) -> None:
    note(assignments, 1, Wish(11, "blue", 9_000, True))
    with ThreadPoolExecutor(1) as pool:
        with assignments.reporting():
            forgetting = pool.submit(assignments.forget, 1, [1])
            threading.Event().wait(0.1)
            assert not forgetting.done()
            assert len(assignments.unreported(9)) == 1
        assert forgetting.result() == 1
    assert assignments.unreported(9) == []
    assert note(assignments, 1) == {}


@ON_SQLITE
@pytest.mark.parametrize("synchronous", [("hasty", 1), ("usual", 2)])
def test_only_assignments_do_not_wait_for_the_disk(database: Database, synchronous: tuple[str, int]) -> None:
    which, expected = synchronous
    opened = database.hasty() if which == "hasty" else database
    with opened.write() as session:
        assert session.connection().exec_driver_sql("PRAGMA synchronous").scalar() == expected
        assert session.connection().exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
    if opened is not database:
        opened.close()


@ON_POSTGRESQL
def test_only_the_assignments_of_a_server_do_not_wait_for_its_disk(database: Database) -> None:
    with closing(database.hasty()) as hasty:
        for opened, expected in ((hasty, "off"), (database, "on")):
            with opened.write() as session:
                assert session.scalar(text("SHOW synchronous_commit")) == expected


@ON_SQLITE
def test_what_is_left_of_a_torn_log_is_all_that_was_before(filled: Database, tmp_path: Path) -> None:
    """A changed definition that survives a power cut has all assignments from before it behind it.

    The log is cut, and a page of it spoiled, wherever that may happen: what SQLite reads is always what was committed
    up to some moment, never a later commit without an earlier one.
    """
    hasty = filled.hasty()
    for number in range(6):
        with hasty.write() as session:
            assigned = {"experiment_id": 11, "variant": "blue", "assigned_at": 1, "reported": False}
            session.add(AssignmentRow(project_id=1, unit=number, **assigned))
        with filled.write() as session:
            experiment = session.get(ExperimentRow, 11)
            assert experiment is not None
            experiment.revision = number + 2
    hasty.close()
    assert torn_at(tmp_path, 0, spoil=False) == (6, 6)
    seen = {torn_at(tmp_path, page, spoil) for page in range(1, 60, 2) for spoil in (False, True)}
    assert {assigned - revisions for assigned, revisions in seen} == {0, 1}
    assert {revisions for _, revisions in seen} == set(range(6))


def torn_at(folder: Path, page: int, spoil: bool) -> tuple[int, int]:
    """How many assignments and revisions are left where the log ends, or is spoiled, so many pages before its end."""
    copy = folder / "copy.db"
    shutil.copy(folder / "control.db", copy)
    log = bytearray((folder / "control.db-wal").read_bytes())
    place = max(0, len(log) - page * (4_096 + 24) - (100 if page else 0))
    if spoil:
        log[place] ^= 0xFF
    (folder / "copy.db-wal").write_bytes(log if spoil else log[:place])
    (folder / "copy.db-shm").unlink(missing_ok=True)
    connection = sqlite3.connect(copy)
    try:
        (assigned,) = connection.execute("SELECT count(*) FROM assignments").fetchone()
        rows = connection.execute("SELECT revision FROM experiments WHERE id = 11").fetchall()
    except sqlite3.OperationalError:
        return 0, 0
    finally:
        connection.close()
    return assigned, rows[0][0] - 1 if rows else 0
