"""The control store's file: durable, made where it is missing, brought up to date by one at a time."""

import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, inspect, select, text
from sqlalchemy.exc import NoSuchTableError

from tallymark.control.audit import Audit
from tallymark.control.database import Database, migrate, open_database
from tallymark.control.jobs import JobRuns
from tallymark.control.keys import Keys
from tallymark.control.models import Base, MetaRow
from tallymark.control.people import People
from tallymark.control.projects import Projects
from tallymark.errors import BadSetting
from tests.control.dialects import ON_SQLITE


def pragma(database: Database, name: str) -> object:
    with database.read() as session:
        return session.scalar(text(f"PRAGMA {name}"))


def test_the_migrations_lead_to_the_models(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'control.db'}"
    migrate(url)
    engine = create_engine(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
    engine.dispose()


def names(url: str, table: str) -> set[Any]:
    """The names of everything on a table, and what its indexes say."""
    engine = create_engine(url)
    found = inspect(engine)
    kinds = (found.get_check_constraints, found.get_unique_constraints, found.get_foreign_keys)
    result = {c["name"] for kind in kinds for c in kind(table)} | {found.get_pk_constraint(table)["name"]}
    with engine.connect() as connection:
        indexes = text("SELECT sql FROM sqlite_master WHERE type = 'index' AND tbl_name = :table")
        result |= set(connection.scalars(indexes, {"table": table}))
    engine.dispose()
    return result


def test_the_migrations_name_what_the_models_name(tmp_path: Path) -> None:
    migrated, declared = (f"sqlite:///{tmp_path / name}" for name in ("migrated.db", "declared.db"))
    migrate(migrated)
    engine = create_engine(declared)
    Base.metadata.create_all(engine)
    engine.dispose()
    for table in Base.metadata.tables:
        assert names(migrated, table) == names(declared, table)


@ON_SQLITE
def test_commits_survive_a_power_cut_and_references_hold(database: Database) -> None:
    assert pragma(database, "journal_mode") == "wal"
    assert pragma(database, "synchronous") == 2
    assert pragma(database, "foreign_keys") == 1
    assert pragma(database, "busy_timeout") == 10_000
    assert pragma(database, "secure_delete") == 1


@ON_SQLITE
def test_what_is_deleted_is_in_no_file(database: Database, tmp_path: Path) -> None:
    secret = "not to be found " * 1_000
    with database.write() as session:
        session.add(MetaRow(key="n", value=secret))
    with database.write() as session:
        session.delete(session.get_one(MetaRow, "n"))
    assert database.compact()
    assert (tmp_path / "control.db-wal").stat().st_size == 0
    assert b"not to be found" not in b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert pragma(database, "busy_timeout") == 10_000


@ON_SQLITE
def test_the_log_is_not_emptied_under_a_reader(database: Database) -> None:
    with database.read() as reader:
        assert reader.get(MetaRow, "n") is None
        with database.write() as session:
            session.add(MetaRow(key="n", value="0"))
        assert not database.compact()
    assert database.compact()


def test_the_directory_is_made(tmp_path: Path) -> None:
    path = tmp_path / "some" / "where" / "control.db"
    open_database(f"sqlite:///{path}").close()
    assert path.is_file()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
def test_a_store_needs_a_file(url: str) -> None:
    with pytest.raises(BadSetting, match="needs a file"):
        open_database(url)


def test_opening_again_keeps_what_is_there(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'control.db'}"
    first = open_database(url)
    with first.write() as session:
        session.add(MetaRow(key="a", value="b"))
    first.close()
    second = open_database(url)
    with second.read() as session:
        assert session.scalar(select(MetaRow.value)) == "b"
    second.close()


OLD_STORE = f"""
INSERT INTO projects VALUES (7, 'site', '["web"]', 'UTC', 24, 'reject', 'mark', NULL, '2026-01-01 00:00:00', NULL);
INSERT INTO keys VALUES (3, 7, 'read', 'old', 'tm_read_abcd', '{"a" * 64}', '2026-01-01 00:00:00', NULL);
INSERT INTO job_runs VALUES (1, 'refresh', 7, 'done', '', '2026-01-01 00:00:00', '2026-01-01 00:00:01');
"""


def at(url: str, change: Callable[[Config, str], None], revision: str) -> None:
    """Takes a store to a revision, up or down."""
    engine, config = create_engine(url), Config()
    config.set_main_option("script_location", "tallymark.control:migrations")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        change(config, revision)
    engine.dispose()


def test_a_store_from_before_people_keeps_what_it_has(tmp_path: Path) -> None:
    path = tmp_path / "control.db"
    url = f"sqlite:///{path}"
    at(url, command.upgrade, "0001")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(OLD_STORE)
    database = open_database(url)
    (project,) = Projects(database).list()
    assert (project.id, project.name, project.packs) == (7, "site", ("web",))
    key = Keys(database).find("a" * 64)
    assert key is not None
    assert (key.id, key.project_id, key.label, key.expires_at) == (3, 7, "old", None)
    (run,) = JobRuns(database).recent()
    assert (run.job, run.project_id, run.status) == ("refresh", 7, "done")
    assert People(database).leads(7, 10) == ()
    database.close()


def test_the_step_to_people_can_be_taken_back(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'control.db'}"
    migrate(url)
    at(url, command.downgrade, "0001")
    with pytest.raises(NoSuchTableError):
        names(url, "leads")
    open_database(url).close()
    assert "uq_leads_project_id_email_hash" in names(url, "leads")


def test_a_store_from_before_evaluators_takes_them(tmp_path: Path) -> None:
    path = tmp_path / "control.db"
    url = f"sqlite:///{path}"
    at(url, command.upgrade, "0005")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(
            """
            INSERT INTO projects VALUES
                (7, 'site', '["web"]', 'UTC', 24, 'reject', 'mark', NULL, '2026-01-01 00:00:00', NULL, NULL, NULL, 1);
            INSERT INTO audit VALUES (1, 7, 'experiment/a', 'create', 'me', '{}', '2026-01-01 00:00:00');
            """
        )
    database = open_database(url)
    assert [(project.id, project.name) for project in Projects(database).list()] == [(7, "site")]
    assert [deed.subject for deed in Audit(database).list(7)] == ["experiment/a"]
    assert "uq_evaluators_project_id_key" in str(names(url, "evaluators"))
    database.close()
    at(url, command.downgrade, "0005")
    with pytest.raises(NoSuchTableError):
        names(url, "evaluators")


def test_a_store_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "control.db"
    open_database(f"sqlite:///{path}").close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(BadSetting, match="too old"):
        open_database(f"sqlite:///{path}")


def test_many_may_start_at_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'control.db'}"
    with ThreadPoolExecutor(6) as pool:
        for database in pool.map(open_database, [url] * 6):
            database.close()


def add_one(database: Database) -> None:
    with database.write() as session:
        row = session.get_one(MetaRow, "n")
        row.value = str(int(row.value) + 1)


def test_writers_go_one_after_another(database: Database) -> None:
    with database.write() as session:
        session.add(MetaRow(key="n", value="0"))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add_one, [database] * 40))
    with database.read() as session:
        assert session.get_one(MetaRow, "n").value == "40"


def add_and_fail(database: Database) -> None:
    with database.write() as session:
        session.add(MetaRow(key="n", value="0"))
        session.flush()
        raise ZeroDivisionError


def test_a_failed_write_leaves_nothing(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        add_and_fail(database)
    with database.read() as session:
        assert session.get(MetaRow, "n") is None


def test_a_reader_sees_one_state(database: Database) -> None:
    with database.read() as reader:
        assert reader.scalar(text("SELECT count(*) FROM meta")) == 0
        with database.write() as writer:
            writer.add(MetaRow(key="n", value="0"))
        assert reader.scalar(text("SELECT count(*) FROM meta")) == 0
    with database.read() as reader:
        assert reader.scalar(text("SELECT count(*) FROM meta")) == 1
