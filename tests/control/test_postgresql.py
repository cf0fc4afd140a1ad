"""The control store on PostgreSQL: up to date, kept through restarts of the server, clear about what is wrong."""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import closing
from multiprocessing import get_context
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, inspect, make_url, select, text

from tallymark.control.asyncpg_threads import DRIVER
from tallymark.control.database import Database, migrate, open_database
from tallymark.control.models import Base, MetaRow
from tallymark.control.people_models import SaltRow
from tallymark.control.projects import Projects
from tallymark.errors import BadRequest, BadSetting, Unavailable
from tallymark.spec.project import ProjectDraft
from tests.control import counting
from tests.control.dialects import ON_POSTGRESQL
from tests.postgres import PostgresServer, end, postgres_server


@pytest.fixture(scope="module")
def made(postgres: PostgresServer) -> Iterator[tuple[str, str]]:
    """Two databases: one that the migrations made, one that the models made."""
    with postgres.database("template1") as migrated, postgres.database("template1") as declared:
        migrate(migrated)
        engine = create_engine(driven(declared))
        Base.metadata.create_all(engine)
        end(engine)
        yield migrated, declared


def driven(url: str) -> Any:
    return make_url(url).set(drivername=DRIVER)


def test_the_migrations_lead_to_the_models(made: tuple[str, str]) -> None:
    engine = create_engine(driven(made[0]))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
    end(engine)


def names(url: str) -> dict[str, set[str]]:
    """The names of everything on each table, and what its indexes say."""
    engine = create_engine(driven(url))
    found, result = inspect(engine), {}
    kinds = (found.get_check_constraints, found.get_unique_constraints, found.get_foreign_keys)
    with engine.connect() as connection:
        for table in Base.metadata.tables:
            result[table] = {str(made["name"]) for kind in kinds for made in kind(table)}
            result[table].add(str(found.get_pk_constraint(table)["name"]))
            indexes = text("SELECT indexdef FROM pg_indexes WHERE tablename = :table")
            result[table] |= set(connection.scalars(indexes, {"table": table}))
    end(engine)
    return result


def test_the_migrations_name_what_the_models_name(made: tuple[str, str]) -> None:
    assert names(made[0]) == names(made[1])


def test_every_step_can_be_taken_back(postgres: PostgresServer) -> None:
    with postgres.database() as url:
        engine, config = create_engine(driven(url)), Config()
        config.set_main_option("script_location", "tallymark.control:migrations")
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.downgrade(config, "base")
            assert inspect(connection).get_table_names() == ["alembic_version"]
            functions = "SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
            assert connection.scalar(text(functions)) == 0
        end(engine)
        open_database(url).close()


def test_many_may_start_at_once(postgres: PostgresServer) -> None:
    with postgres.database("template1") as url, ThreadPoolExecutor(4) as pool:
        for database in pool.map(open_database, [url] * 4):
            with closing(database):
                assert Projects(database).list() == ()


def test_a_store_of_a_newer_version_is_refused(postgres: PostgresServer) -> None:
    with postgres.database() as url:
        engine = create_engine(driven(url))
        with engine.begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        end(engine)
        with pytest.raises(BadSetting, match="too old"):
            open_database(url)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://me:secret@127.0.0.1:1/none", r"postgresql://me:\*\*\*@127.0.0.1:1/none can't be used: .*failed"),
        ("postgres://me:secret@nowhere.invalid/none", "can't be used: "),
        ("postgresql://me:secret@127.0.0.1:none/none", "can't be read"),
        ("postgresql://me:secret@127.0.0.1:1/none?sslmode=secret", "can't be used: "),
        ("postgresql://me:secret@127.0.0.1:1/none?nothing=secret", "takes host and sslmode, not"),
    ],
)
def test_a_server_that_is_not_there_is_named_without_the_password(url: str, said: str) -> None:
    with pytest.raises(BadSetting, match=said) as refused:
        open_database(url)
    assert "secret" not in str(refused.value)


def test_what_the_server_refuses_is_said_in_its_words(postgres: PostgresServer) -> None:
    with postgres.database() as url:
        for wrong in (make_url(url).set(username="nobody"), make_url(url).set(database="nothing")):
            with pytest.raises(BadSetting, match=r'"(nobody|nothing)" does not exist'):
                open_database(wrong.render_as_string())


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_both_names_of_the_scheme_and_sslmode_are_taken(postgres: PostgresServer, scheme: str) -> None:
    with postgres.database() as url:
        asked = make_url(url).set(drivername=scheme).update_query_dict({"sslmode": "disable"})
        open_database(asked.render_as_string()).close()


def test_a_server_that_comes_back_is_used_again() -> None:
    with postgres_server() as server, server.database() as url, closing(open_database(url)) as database:
        with database.write() as session:
            session.add(MetaRow(key="n", value="kept"))
        with pytest.raises(Unavailable):
            restart_meanwhile(server, database)
        with database.read() as session:
            assert session.execute(select(MetaRow.key, MetaRow.value)).all() == [("n", "kept")]
        server.halt()
        for _ in range(2):
            with pytest.raises(Unavailable, match="away"):
                Projects(database).list()
        server.start()
        assert Projects(database).list() == ()


def restart_meanwhile(server: PostgresServer, database: Database) -> None:
    with database.write() as session:
        session.add(MetaRow(key="m", value="lost"))
        server.restart()


@ON_POSTGRESQL
def test_a_value_that_can_not_be_kept_is_the_callers_mistake(database: Database) -> None:
    for draft in (ProjectDraft("a\0b"), ProjectDraft("a" * 65)):
        with pytest.raises(BadRequest, match="can't be stored"):
            Projects(database).create(draft)
    with pytest.raises(BadRequest):
        Projects(database).get(1 << 40)
    assert Projects(database).list() == ()


@ON_POSTGRESQL
def test_dead_rows_are_cleared_away(database: Database) -> None:
    dead = "SELECT pg_relation_size('salts') > 0"
    with database.write() as session:
        session.execute(text("INSERT INTO salts SELECT '2026-01-01'::date + n, 'x' FROM generate_series(1, 500) n"))
    with database.write() as session:
        session.execute(text("DELETE FROM salts"))
    with database.read() as session:
        assert session.scalar(text(dead))
        assert not database.compact(SaltRow)
    assert database.compact(SaltRow)
    with database.read() as session:
        assert not session.scalar(text(dead))


@ON_POSTGRESQL
def test_a_lease_is_one_process_alone(database: Database, control_url: str) -> None:
    """Two processes of four threads want the same lease again and again; whoever has it counts alone."""
    with database.write() as session:
        session.add(MetaRow(key="n", value="0"))
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        done = list(pool.map(counting.turns, [control_url] * 2, counting.PROCESSES))
    with database.read() as session:
        assert session.get_one(MetaRow, "n").value == str(sum(done))
    assert min(done) > 0
