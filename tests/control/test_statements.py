"""What is remembered of xAPI statements."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from tallymark.control.database import Database
from tallymark.control.projects import Projects
from tallymark.control.statements import Noted, Statements
from tallymark.spec.project import ProjectDraft

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
NOTHING = Noted(frozenset(), frozenset())


@pytest.fixture
def projects(database: Database) -> list[int]:
    """Two of them."""
    made = Projects(database)
    return [made.create(ProjectDraft(name, ("quiz",))).id for name in ("one", "other")]


def test_a_statement_is_new_once(database: Database, projects: list[int]) -> None:
    statements = Statements(database)
    assert statements.note(projects[0], {"a": "1", "b": "2"}, NOON) == Noted(frozenset("ab"), frozenset())
    assert statements.note(projects[0], {"b": "2", "c": "3"}, NOON) == Noted(frozenset("c"), frozenset())
    assert statements.note(projects[0], {}, NOON) == NOTHING
    assert statements.note(projects[1], {"a": "9"}, NOON).new == {"a"}


def test_where_one_contradicts_none_is_noted(database: Database, projects: list[int]) -> None:
    statements = Statements(database)
    statements.note(projects[0], {"a": "1"}, NOON)
    assert statements.note(projects[0], {"a": "2", "b": "2"}, NOON) == Noted(frozenset(), frozenset("a"))
    assert statements.note(projects[0], {"a": "1", "b": "3"}, NOON).new == {"b"}


def test_of_many_at_once_one_is_right(database: Database, projects: list[int]) -> None:
    """Each says another thing of the same statement, and something of its own."""
    statements = Statements(database)
    with ThreadPoolExecutor(8) as pool:
        said = [{"a": str(n % 4), f"own-{n}": "1"} for n in range(24)]
        noted = list(pool.map(lambda digests: statements.note(projects[0], digests, NOON), said))
    (first,) = [n for n, one in enumerate(noted) if "a" in one.new]
    for n, one in enumerate(noted):
        assert one.conflicting == (set() if n % 4 == first % 4 else {"a"})
        assert (f"own-{n}" in one.new) == (n % 4 == first % 4)


def test_they_go_with_their_time_and_with_their_project(database: Database, projects: list[int]) -> None:
    statements = Statements(database)
    many = {f"{n:05}": "1" for n in range(6_000)}
    assert len(statements.note(projects[0], many, NOON).new) == 6_000
    assert statements.note(projects[0], many, NOON + HOUR) == NOTHING
    statements.note(projects[0], {"late": "1"}, NOON + HOUR)
    statements.note(projects[1], {"a": "1"}, NOON)
    assert statements.count(projects[0], NOON + HOUR) == 6_000
    statements.prune(projects[0], NOON + HOUR)
    assert (statements.count(projects[0], NOON + 2 * HOUR), statements.count(projects[1], NOON + HOUR)) == (1, 1)
    statements.forget_project(projects[0])
    assert (statements.count(projects[0], NOON + 2 * HOUR), statements.count(projects[1], NOON + HOUR)) == (0, 1)
