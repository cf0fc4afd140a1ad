"""The store of exports and its queue: one writer at a time, taken over when it is gone, and what is past its time."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from tallymark.control.database import Database, open_database
from tallymark.control.export_queue import HELD_SECONDS, ExportQueue
from tallymark.control.exports import MOST_OPEN, Export, Exports
from tallymark.control.projects import Projects
from tallymark.errors import TooManyRequests
from tallymark.spec.condition import Op
from tallymark.spec.export import Format, Order, What
from tallymark.spec.project import ProjectDraft
from tallymark.spec.query import Clause, Filter
from tallymark.spec.window import Grain, Window

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)

ORDER = Order(
    What.METRICS, Format.CSV, Window(date(2026, 11, 1), date(2026, 11, 3), "Europe/Berlin", Grain.WEEK),
    ("visitors", "page_views"), "path", Filter(((Clause("country", Op.IS, ("DE", "F|R")),),)),
)  # fmt: skip

Order_ = Callable[..., Export]


@pytest.fixture
def exports(database: Database) -> Exports:
    return Exports(database)


@pytest.fixture
def order(database: Database, exports: Exports) -> Order_:
    """Orders an export of a project, so many seconds after noon."""
    projects = {name: Projects(database).create(ProjectDraft(name)).id for name in ("site", "shop")}

    def add(seconds: int = 0, project: str = "site") -> Export:
        return exports.add(projects[project], ORDER, NOW + timedelta(seconds=seconds))

    return add


def queue(database: Database, holder: str = "here") -> ExportQueue:
    return ExportQueue(database, holder)


def claimed(export: ExportQueue, now: datetime = NOW) -> Export:
    found = export.claim(now)
    assert found is not None
    return found


def now_of(exports: Exports, export: Export) -> Export:
    found = exports.get(export.id)
    assert found is not None
    return found


def test_what_was_ordered_is_kept(order: Order_, exports: Exports) -> None:
    export = order()
    assert export.order == ORDER
    assert (export.status, export.rows, export.bytes, export.error) == ("waiting", 0, None, None)
    assert exports.get(export.id) == export
    assert exports.get("exp_" + "A" * 32) is None


def test_nobody_can_guess_an_id(order: Order_) -> None:
    ids = {order(n).id for n in range(10)}
    assert len(ids) == 10
    assert all(len(id) == 36 and id.startswith("exp_") for id in ids)


def test_the_newest_come_first_and_of_one_project(order: Order_, exports: Exports) -> None:
    made = [order(n) for n in (2, 0, 1)]
    other = order(3, "shop")
    assert exports.newest(made[0].project_id, [What.METRICS], 2) == (made[0], made[2])
    assert exports.of_project(other.project_id) == (other,)


def test_the_newest_of_some_kinds_are_not_hidden_by_others(order: Order_, exports: Exports) -> None:
    numbers = order()
    events = [exports.add(numbers.project_id, replace(ORDER, what=What.EVENTS), NOW + n * HOUR) for n in (1, 2)]
    assert exports.newest(numbers.project_id, [What.METRICS, What.ROLLUPS], 1) == (numbers,)
    assert exports.newest(numbers.project_id, [*What], 1) == (events[1],)
    assert exports.newest(numbers.project_id, [], 1) == ()


def test_no_more_than_twenty_are_open(order: Order_, exports: Exports, database: Database) -> None:
    made = [order(n) for n in range(MOST_OPEN)]
    with pytest.raises(TooManyRequests):
        order()
    order(100, "shop")
    exports.remove(made[0].id)
    order()
    here = queue(database)
    here.fail(claimed(here), "No.", NOW)
    order()
    with pytest.raises(TooManyRequests):
        order()


def test_no_more_than_twenty_even_at_once(order: Order_, control_url: str) -> None:
    project = order().project_id
    stores = [open_database(control_url) for _ in range(4)]

    def fill(store: Database) -> int:
        for n in range(MOST_OPEN):
            try:
                Exports(store).add(project, ORDER, NOW)
            except TooManyRequests:
                return n
        return MOST_OPEN

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(fill, stores)) == MOST_OPEN - 1
    for store in stores:
        store.close()


def test_the_oldest_is_claimed_first_and_each_once(order: Order_, database: Database) -> None:
    made = [order(n) for n in (3, 1, 2)]
    here, there = queue(database), queue(database, "there")
    assert [claimed(q).id for q in (here, there, here)] == [made[1].id, made[2].id, made[0].id]
    assert here.claim(NOW) is None


def test_each_is_claimed_once_even_at_once(order: Order_, control_url: str) -> None:
    made = {order(n).id for n in range(12)}
    stores = [open_database(control_url) for _ in range(4)]

    def take(store: Database) -> list[str]:
        taken = []
        while (export := ExportQueue(store, "here").claim(NOW)) is not None:
            taken.append(export.id)
        return taken

    with ThreadPoolExecutor(4) as pool:
        taken = [id for ids in pool.map(take, stores) for id in ids]
    assert sorted(taken) == sorted(made)
    for store in stores:
        store.close()


def test_progress_and_end(order: Order_, exports: Exports, database: Database) -> None:
    here, export = queue(database), order()
    export = claimed(here)
    assert here.progress(export, 5, 10)
    assert (now_of(exports, export).status, now_of(exports, export).rows, now_of(exports, export).expected) == (
        "running", 5, 10,
    )  # fmt: skip
    assert here.finish(export, 9, 100, "ab" * 32, NOW + HOUR, NOW + 2 * HOUR)
    done = now_of(exports, export)
    assert (done.status, done.rows, done.bytes, done.sha256) == ("done", 9, 100, "ab" * 32)
    assert (done.finished_at, done.expires_at) == (NOW + HOUR, NOW + 2 * HOUR)
    assert not here.progress(export, 9, 9)


def test_a_failure_says_why(order: Order_, exports: Exports, database: Database) -> None:
    here = queue(database)
    order()
    export = claimed(here)
    here.fail(export, "No room.", NOW)
    failed = now_of(exports, export)
    assert (failed.status, failed.error, failed.finished_at) == ("failed", "No room.", NOW)
    assert here.claim(NOW) is None


def test_a_deleted_one_is_not_wanted_any_more(order: Order_, exports: Exports, database: Database) -> None:
    here = queue(database)
    order()
    export = claimed(here)
    exports.remove(export.id)
    assert not here.progress(export, 1, 2)
    assert not here.finish(export, 1, 1, "", NOW, NOW)
    here.fail(export, "No.", NOW)
    here.release(export)
    assert exports.get(export.id) is None


def test_what_is_released_is_claimed_again_with_nothing_lost(
    order: Order_, exports: Exports, database: Database
) -> None:
    here, there = queue(database), queue(database, "there")
    order()
    first = claimed(here)
    here.progress(first, 5, 10)
    here.release(first)
    assert (now_of(exports, first).status, now_of(exports, first).rows) == ("waiting", 0)
    for _ in range(5):
        there.release(claimed(there))
    last = claimed(there)
    assert (last.attempt, last.failures) == (7, 0)


def test_what_failed_waits_until_its_time_and_lets_others_go_first(
    order: Order_, exports: Exports, database: Database
) -> None:
    here, there = queue(database), queue(database, "there")
    first, other = order(0), order(1, "shop")
    later = NOW + timedelta(seconds=2)
    here.postpone(claimed(here), later)
    assert (now_of(exports, first).status, now_of(exports, first).failures) == ("waiting", 1)
    assert claimed(there).id == other.id
    assert there.claim(later - timedelta(seconds=1)) is None
    again = claimed(there, later)
    assert (again.id, again.attempt, again.failures) == (first.id, 2, 1)
    there.release(again)
    assert claimed(here, later).failures == 1


def test_a_writer_that_is_gone_is_replaced_and_comes_too_late(
    order: Order_, exports: Exports, database: Database
) -> None:
    here, there = queue(database), queue(database, "there")
    order()
    first = claimed(here)
    later = NOW + timedelta(seconds=HELD_SECONDS)
    assert there.claim(later - timedelta(seconds=1)) is None
    here.renew([first.id], NOW + timedelta(seconds=1))
    assert there.claim(later) is None
    second = claimed(there, later + timedelta(seconds=1))
    assert (second.id, second.attempt) == (first.id, 2)
    assert not here.progress(first, 1, 2)
    assert not here.finish(first, 1, 1, "", NOW, NOW)
    here.renew([first.id], later + HOUR)
    assert there.finish(second, 2, 1, "", later, later)
    assert now_of(exports, first).rows == 2


def test_a_late_writer_of_the_same_process_is_told_apart(order: Order_, database: Database) -> None:
    here = queue(database)
    order()
    first = claimed(here)
    second = claimed(here, NOW + HOUR)
    assert not here.finish(first, 1, 1, "", NOW, NOW)
    assert here.finish(second, 1, 1, "", NOW, NOW)


def test_what_a_crash_left_is_taken_again_at_once(order: Order_, database: Database) -> None:
    order(0)
    order(1)
    first, other = claimed(queue(database)), claimed(queue(database, "there"))
    again = queue(database)
    assert again.claim(NOW) is None
    again.recover(NOW)
    assert claimed(again).id == first.id
    assert again.claim(NOW) is None
    assert claimed(again, NOW + HOUR).id in (first.id, other.id)


def test_what_ends_its_writers_is_given_up(order: Order_, exports: Exports, database: Database) -> None:
    here, bad = queue(database), order()
    good = order(1)
    for _ in range(3):
        assert claimed(here).id == bad.id
        here.recover(NOW)
    assert claimed(here).id == good.id
    failed = now_of(exports, bad)
    assert (failed.status, failed.error) == ("failed", "The server ended 3 times while it wrote this.")


def finished(order: Order_, database: Database, until: datetime) -> Export:
    order()
    here = queue(database)
    export = claimed(here)
    assert here.finish(export, 1, 1, "", NOW, until)
    return export


def test_files_past_their_time_and_exports_that_are_long_over(
    order: Order_, exports: Exports, database: Database
) -> None:
    soon, late = finished(order, database, NOW + HOUR), finished(order, database, NOW + 3 * HOUR)
    waiting = order()
    assert exports.overdue(NOW) == ()
    assert [export.id for export in exports.overdue(NOW + HOUR)] == [soon.id]
    assert {export.id for export in exports.holding()} == {soon.id, late.id}
    exports.expire([soon])
    assert now_of(exports, soon).status == "expired"
    assert exports.overdue(NOW + HOUR) == ()
    assert {export.id for export in exports.holding()} == {late.id}
    assert exports.count_over(NOW) == 0
    assert exports.count_over(NOW + HOUR) == 1
    exports.prune(NOW + HOUR)
    assert exports.get(soon.id) is None
    assert {e.id for e in exports.of_project(waiting.project_id)} == {late.id, waiting.id}


def test_failed_ones_go_by_when_they_failed(order: Order_, exports: Exports, database: Database) -> None:
    order()
    here = queue(database)
    here.fail(claimed(here), "No.", NOW)
    assert exports.count_over(NOW - HOUR) == 0
    assert exports.count_over(NOW) == 1
