"""The store of keys."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from tallymark.access.keys import mint
from tallymark.control.database import Database
from tallymark.control.keys import Keys
from tallymark.control.models import Base
from tallymark.control.projects import Projects
from tallymark.errors import NotFound
from tallymark.spec.project import ProjectDraft


def test_a_key_is_found_by_its_hash(database: Database) -> None:
    keys, project = Keys(database), Projects(database).create(ProjectDraft("site"))
    minted = mint("read", "dashboard")
    key = keys.issue(project.id, minted.draft)
    assert (key.project_id, key.project, key.scope, key.label) == (project.id, "site", "read", "dashboard")
    assert minted.secret.startswith(key.prefix)
    assert key.revoked_at is key.expires_at is None
    assert keys.find(minted.draft.hash) == keys.get(key.id) == key
    assert keys.find("0" * 64) is None


def test_a_revoked_key_is_no_longer_found_but_listed(database: Database) -> None:
    keys, project = Keys(database), Projects(database).create(ProjectDraft("site"))
    minted = mint("read")
    key = keys.issue(project.id, minted.draft)
    revoked = keys.revoke(key.id)
    assert revoked.revoked_at is not None
    assert keys.find(minted.draft.hash) is None
    assert keys.list(project.id) == (revoked,)
    assert keys.revoke(key.id) == revoked


def test_a_key_is_good_until_it_expires(database: Database) -> None:
    keys, project = Keys(database), Projects(database).create(ProjectDraft("site"))
    now = datetime.now(UTC)
    good, over = (replace(mint("read").draft, expires_at=now + timedelta(hours=n)) for n in (1, -1))
    issued, expired = keys.issue(project.id, good), keys.issue(project.id, over)
    assert (issued.expires_at, expired.expires_at) == (good.expires_at, over.expires_at)
    assert keys.find(good.hash) == issued
    assert keys.find(over.hash) is None
    assert keys.get(expired.id) == expired
    assert keys.list(project.id) == (issued, expired)


def test_keys_are_listed_by_project(database: Database) -> None:
    projects, keys = Projects(database), Keys(database)
    a, b = (projects.create(ProjectDraft(name)) for name in "ab")
    of_a, of_b = keys.issue(a.id, mint("read").draft), keys.issue(b.id, mint("ingest").draft)
    assert keys.list(a.id) == (of_a,)
    assert keys.list() == (of_a, of_b)


def test_the_secret_is_nowhere_in_the_store(database: Database) -> None:
    minted = mint("admin", "first")
    Projects(database).create(ProjectDraft("site"), [minted.draft])
    with database.read() as session:
        rows = [session.execute(select(table)).all() for table in Base.metadata.sorted_tables]
    dump = repr(rows)
    assert minted.draft.hash in dump
    assert minted.secret not in dump


def test_what_is_not_there(database: Database) -> None:
    projects, keys = Projects(database), Keys(database)
    gone = projects.create(ProjectDraft("site"))
    projects.delete(gone.id)
    assert keys.get(1) is None
    with pytest.raises(NotFound):
        keys.revoke(1)
    for project_id in (gone.id, 99):
        with pytest.raises(NotFound):
            keys.issue(project_id, mint("read").draft)
