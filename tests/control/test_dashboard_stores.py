"""Segments, notes on days and saved views: each is its project's, and so many fit."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from tallymark.control import annotations, saved_views, segments
from tallymark.control.annotations import Annotation, Annotations
from tallymark.control.audit import Audit
from tallymark.control.database import Database
from tallymark.control.projects import Projects
from tallymark.control.saved_views import SavedView, SavedViews
from tallymark.control.segments import Segments
from tallymark.errors import Conflict
from tallymark.spec.project import ProjectDraft
from tallymark.spec.segment import Segment

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
TODAY, TOMORROW = date(2026, 11, 21), date(2026, 11, 22)
GERMANY = Segment("de", "Germany", ("country:is:DE", "path:is:/a\\|b"))
NOTE = Annotation("1", TODAY, "New pricing", "ann", NOON)
VIEW = SavedView("1", "Germany", "f=country%3Ais%3ADE", NOON)


@pytest.fixture
def projects(database: Database) -> tuple[int, int]:
    made = Projects(database)
    return made.create(ProjectDraft("one")).id, made.create(ProjectDraft("two")).id


def deeds(database: Database, project: int) -> list[tuple[str, str]]:
    """What was done to what, oldest first."""
    return [(deed.subject, deed.action) for deed in reversed(Audit(database).list(project))]


def test_segments(database: Database, projects: tuple[int, int]) -> None:
    (one, two), store = projects, Segments(database)
    assert [store.put(one, GERMANY, "ann", NOON), store.put(one, GERMANY, "ann", NOON)] == [True, False]
    assert store.put(two, replace(GERMANY, title="theirs"), "ann", NOON)
    for key in ("b", "B", "a_b", "a-b", "ab", "10", "9"):
        store.put(one, replace(GERMANY, key=key), "ann", NOON)
    assert [found.key for found in store.of_project(one)] == sorted(["de", "b", "B", "a_b", "a-b", "ab", "10", "9"])
    assert store.remove(one, "de", "ann", NOON) == GERMANY
    assert (store.remove(one, "de", "ann", NOON), len(store.of_project(two))) == (None, 1)
    assert deeds(database, two) == [("segment/de", "set")]
    store.forget_project(one)
    assert (store.of_project(one), store.of_project(two)[0].title) == ((), "theirs")


def test_notes(database: Database, projects: tuple[int, int]) -> None:
    (one, two), store = projects, Annotations(database)
    store.add(one, NOTE)
    moved = replace(NOTE, day=TOMORROW)
    assert store.change(one, "1", "bob", NOON, day=TOMORROW) == moved
    assert store.change(one, "1", "bob", NOON) == moved
    assert store.change(two, "1", "bob", NOON, text="theirs") is None
    assert (store.between(one, TODAY, TODAY), store.between(one, TODAY, TOMORROW)) == ((), (moved,))
    assert (store.remove(two, "1", "bob", NOON), store.between(two, TODAY, TOMORROW)) == (None, ())
    assert store.remove(one, "1", "bob", NOON) == moved
    assert deeds(database, one) == [
        ("annotation/1", "created"),
        ("annotation/1", "changed"),
        ("annotation/1", "deleted"),
    ]
    assert deeds(database, two) == []


def test_views(database: Database, projects: tuple[int, int]) -> None:
    (one, two), store = projects, SavedViews(database)
    store.add(one, VIEW, "ann")
    changed = replace(VIEW, title="Deutschland")
    assert store.change(one, "1", "bob", NOON, title="Deutschland") == changed
    assert store.change(one, "1", "bob", NOON) == changed
    assert store.change(two, "1", "bob", NOON, view="theirs") is None
    assert (store.of_project(one), store.of_project(two)) == ((changed,), ())
    assert (store.remove(two, "1", "bob", NOON), store.remove(one, "1", "bob", NOON)) == (None, changed)
    assert deeds(database, one) == [("view/1", "created"), ("view/1", "changed"), ("view/1", "deleted")]


def test_a_project_has_only_so_many(
    database: Database, projects: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    for module, name in ((segments, "MOST_SEGMENTS"), (annotations, "MOST_ANNOTATIONS"), (saved_views, "MOST_VIEWS")):
        monkeypatch.setattr(module, name, 1)
    adds: tuple[Callable[[int, str], object], ...] = (
        lambda project, key: Segments(database).put(project, replace(GERMANY, key=key), "ann", NOON),
        lambda project, key: Annotations(database).add(project, replace(NOTE, id=key)),
        lambda project, key: SavedViews(database).add(project, replace(VIEW, id=key), "ann"),
    )
    for add in adds:
        add(projects[0], "1")
        with pytest.raises(Conflict, match="at most 1"):
            add(projects[0], "2")
        add(projects[1], "2")
    assert Segments(database).put(projects[0], replace(GERMANY, key="1"), "ann", NOON) is False
