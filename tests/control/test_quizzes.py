"""Quizzes and whose they are, and refusals that are noted of who looked at others'."""

from datetime import UTC, datetime, timedelta

import pytest

from tallymark.control.audit import Audit
from tallymark.control.database import Database
from tallymark.control.projects import Projects
from tallymark.control.quizzes import MOST_OWNED, Quiz, Quizzes
from tallymark.control.refusals import MOST_OF_ONE, Refusals
from tallymark.errors import Conflict
from tallymark.spec.project import ProjectDraft

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
LATER = NOON + timedelta(microseconds=1)


@pytest.fixture
def projects(database: Database) -> tuple[int, int]:
    made = Projects(database)
    return made.create(ProjectDraft("one", ("quiz",))).id, made.create(ProjectDraft("two", ("quiz",))).id


def test_a_quiz_is_its_projects_and_its_owners(database: Database, projects: tuple[int, int]) -> None:
    one, two = projects
    quizzes = Quizzes(database)
    for project, quiz, owner in ((one, "algebra", "tom"), (one, "botany", "tess"), (two, "algebra", "tom")):
        quizzes.put(project, quiz, quiz.title(), owner, "me", NOON)
    assert quizzes.list(one, "tom") == (Quiz("algebra", "Algebra", "tom", NOON, NOON),)
    assert quizzes.put(one, "algebra", "", "tess", "me", LATER) == Quiz("algebra", "", "tess", NOON, LATER)
    assert [quiz.id for quiz in quizzes.list(one, "tess")] == ["algebra", "botany"]
    assert quizzes.list(one, "tom") == ()
    for name in ("*", "", "=tess", "' OR true --"):
        assert quizzes.list(one, name) == ()
    assert (quizzes.get(two, "botany"), quizzes.remove(two, "botany", "me", NOON)) == (None, None)
    assert quizzes.remove(one, "algebra", "me", NOON) == Quiz("algebra", "", "tess", NOON, LATER)
    quizzes.forget_project(one)
    assert (quizzes.list(one), [quiz.id for quiz in quizzes.list(two)]) == ((), ["algebra"])


def test_quizzes_are_in_one_order_everywhere(database: Database, projects: tuple[int, int]) -> None:
    """That of their characters' numbers, whatever the language that a database is set to."""
    quizzes, ids = Quizzes(database), ["b", "B", "a", "_", "ä", "Z", "a b", "a-b", "ab", "10", "9", "𝄞"]
    for quiz in ids:
        quizzes.put(projects[0], quiz, "", "tom", "me", NOON)
    assert [quiz.id for quiz in quizzes.list(projects[0])] == sorted(ids)


def test_an_owner_has_only_so_many(database: Database, projects: tuple[int, int]) -> None:
    quizzes = Quizzes(database)
    for number in range(MOST_OWNED):
        quizzes.put(projects[0], f"{number}", "", "tom", "me", NOON)
    with pytest.raises(Conflict, match="at most"):
        quizzes.put(projects[0], "more", "", "tom", "me", NOON)
    quizzes.put(projects[0], "7", "Seven", "tom", "me", NOON)
    quizzes.put(projects[1], "more", "", "tom", "me", NOON)


def test_refusals_are_noted_within_bounds(database: Database, projects: tuple[int, int]) -> None:
    refusals = Refusals(database, NOON.timestamp)
    for number in range(MOST_OF_ONE + 20):
        for _ in range(2):
            refusals.note(projects[0], f"quiz/{number}", "user eve")
    refusals.note(projects[1], "quiz/0", "user eve")
    noted = Audit(database).list(projects[0])
    assert (len(noted), {deed.action for deed in noted}, noted[0].at) == (MOST_OF_ONE, {"refused"}, NOON)
    assert sum("more" in deed.detail for deed in noted) == 1
    assert [deed.subject for deed in Audit(database).list(projects[1])] == ["quiz/0"]
