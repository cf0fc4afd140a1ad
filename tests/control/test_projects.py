"""The store of projects."""

from datetime import UTC, datetime, timedelta

import pytest

from tallymark.access.keys import mint
from tallymark.control.database import Database
from tallymark.control.keys import Keys
from tallymark.control.projects import Projects
from tallymark.errors import Conflict, NotFound
from tallymark.spec.project import ProjectDraft

DRAFT = ProjectDraft("site", ("web",), "Europe/Berlin", 24, "allow", "refuse", 5, public_summary=False)


def test_a_project_is_what_was_asked_for(database: Database) -> None:
    projects = Projects(database)
    made = projects.create(DRAFT)
    assert {name: getattr(made, name) for name in vars(DRAFT)} == vars(DRAFT)
    assert abs(made.created_at - datetime.now(UTC)) < timedelta(minutes=1)
    assert projects.get(made.id) == projects.find("site") == made
    assert projects.get(99) is None
    assert projects.find("Site") is None


def test_projects_are_listed_by_name(database: Database) -> None:
    projects = Projects(database)
    assert projects.list() == ()
    made = [projects.create(ProjectDraft(name)) for name in ("b", "a")]
    assert projects.list() == (made[1], made[0])


def test_a_name_is_given_once(database: Database) -> None:
    projects = Projects(database)
    projects.create(DRAFT)
    other = projects.create(ProjectDraft("other"))
    with pytest.raises(Conflict) as caught:
        projects.create(DRAFT)
    assert caught.value.field == "name"
    with pytest.raises(Conflict):
        projects.update(other.id, {"name": "site"})
    assert [p.name for p in projects.list()] == ["other", "site"]


def test_a_change_leaves_the_rest(database: Database) -> None:
    projects = Projects(database)
    made = projects.create(DRAFT)
    changed = projects.update(made.id, {"quota": None, "packs": (), "name": "shop"})
    assert (changed.quota, changed.packs, changed.name) == (None, (), "shop")
    assert (changed.timezone, changed.retention_hours) == (made.timezone, made.retention_hours)
    assert projects.get(made.id) == changed
    assert projects.update(made.id, {}) == changed


def test_a_deleted_project_is_gone_and_its_name_is_free(database: Database) -> None:
    projects, keys = Projects(database), Keys(database)
    minted = mint("read")
    made = projects.create(DRAFT, [minted.draft])
    assert keys.find(minted.draft.hash) is not None
    assert projects.delete(made.id) == made
    assert projects.get(made.id) is projects.find("site") is None
    assert projects.list() == ()
    assert keys.list() == ()
    assert keys.find(minted.draft.hash) is None
    again = projects.create(DRAFT)
    assert again.id != made.id


def test_what_is_not_there_can_not_be_changed(database: Database) -> None:
    projects = Projects(database)
    deleted = projects.create(DRAFT)
    projects.delete(deleted.id)
    for missing in (deleted.id, 99):
        with pytest.raises(NotFound):
            projects.update(missing, {"quota": 1})
        with pytest.raises(NotFound):
            projects.delete(missing)
