"""The control store's file: durable, made where it is missing, brought up to date by one at a time."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, inspect, select, text

from tallymark.control.database import Database, migrate, open_database
from tallymark.control.models import Base, MetaRow
from tallymark.errors import BadSetting


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


def test_commits_survive_a_power_cut_and_references_hold(database: Database) -> None:
    assert pragma(database, "journal_mode") == "wal"
    assert pragma(database, "synchronous") == 2
    assert pragma(database, "foreign_keys") == 1
    assert pragma(database, "busy_timeout") == 10_000


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
