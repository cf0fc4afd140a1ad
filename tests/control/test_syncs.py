"""How far syncs are."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tallymark.control.database import Database
from tallymark.control.projects import Projects
from tallymark.control.syncs import MOST_SYNCS, Sync, Syncs
from tallymark.errors import Conflict
from tallymark.spec.project import ProjectDraft

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
RESULTS = Sync("public.results", '{"at":["1"]}', 2**40, NOON)


@pytest.fixture
def projects(database: Database) -> tuple[int, int]:
    made = Projects(database)
    return made.create(ProjectDraft("one", ("quiz",))).id, made.create(ProjectDraft("two", ("quiz",))).id


def test_a_sync_is_kept_of_its_project(database: Database, projects: tuple[int, int]) -> None:
    one, two = projects
    syncs = Syncs(database)
    assert (syncs.get(one, RESULTS.name), syncs.of_project(one)) == (None, ())
    syncs.put(one, RESULTS)
    further = replace(RESULTS, cursor='{"at":["2"]}', rows=2**40 + 1, updated_at=NOON + timedelta(minutes=1))
    syncs.put(one, further)
    leads = replace(RESULTS, name="public.leads")
    syncs.put(one, leads)
    assert syncs.get(one, RESULTS.name) == further
    assert syncs.of_project(one) == (leads, further)
    assert syncs.of_project(two) == ()
    assert syncs.remove(two, RESULTS.name) is None
    assert syncs.remove(one, RESULTS.name) == further
    assert syncs.of_project(one) == (leads,)
    syncs.put(two, RESULTS)
    syncs.forget_project(one)
    assert (syncs.of_project(one), syncs.of_project(two)) == ((), (RESULTS,))


def test_a_project_has_only_so_many(database: Database, projects: tuple[int, int]) -> None:
    syncs = Syncs(database)
    for number in range(MOST_SYNCS):
        syncs.put(projects[0], replace(RESULTS, name=f"{number}"))
    with pytest.raises(Conflict, match="at most 200"):
        syncs.put(projects[0], RESULTS)
    syncs.put(projects[0], replace(RESULTS, name="7", rows=8))
    syncs.put(projects[1], RESULTS)
