"""Whoever forgets a `WHERE` sees one project's rows: PostgreSQL itself keeps projects, and owners, apart."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import UTC, datetime

import pytest
from sqlalchemy import event, inspect, text
from sqlalchemy.exc import DBAPIError, InvalidRequestError

from tallymark.access.keys import mint
from tallymark.control.annotations import Annotation, Annotations
from tallymark.control.captures import CaptureDraft
from tallymark.control.consents import ConsentDraft
from tallymark.control.database import Database, open_database
from tallymark.control.evaluators import Evaluators
from tallymark.control.experiments import Doer
from tallymark.control.keys import Keys
from tallymark.control.models import Base
from tallymark.control.people import People
from tallymark.control.postgresql import Postgresql
from tallymark.control.projects import Projects
from tallymark.control.quiz_models import QuizRow
from tallymark.control.quizzes import Quizzes
from tallymark.control.refusals import Refusals
from tallymark.control.segments import Segments
from tallymark.control.statements import Statements
from tallymark.control.store import Standing
from tallymark.control.syncs import Sync, Syncs
from tallymark.spec.evaluator import EvaluatorDraft
from tallymark.spec.project import ProjectDraft
from tallymark.spec.segment import Segment
from tests.postgres import PostgresServer

NOW = datetime(2026, 5, 1, tzinfo=UTC)
MINE, THEIRS = 1, 2
#: As Supabase's `postgres`: no superuser, but one that policies don't bind, and that may make roles.
HOSTED = "CREATE ROLE hosted LOGIN CREATEROLE CREATEDB BYPASSRLS"
PLAIN = "CREATE ROLE plain LOGIN"
#: Bound by nothing, and allowed nothing.
STUCK = "CREATE ROLE stuck LOGIN BYPASSRLS"


@pytest.fixture(scope="module", params=["postgres", "hosted", "plain"])
def filled(request: pytest.FixtureRequest, postgres: PostgresServer) -> Iterator[Database]:
    """Two projects with a row each in many tables, as the login of a superuser, a hosted service, a plain role."""
    user = request.param
    if user != "postgres":
        postgres.run({"hosted": HOSTED, "plain": PLAIN}[user])
    with postgres.database("template1", user) as url, closing(open_database(url)) as database:
        for project_id in (MINE, THEIRS):
            fill(database, project_id)
        yield database


def fill(database: Database, project_id: int) -> None:
    assert Projects(database).create(ProjectDraft(f"p{project_id}")).id == project_id
    Keys(database).issue(project_id, mint("read").draft)
    Evaluators(database).create(project_id, EvaluatorDraft("quality", "rules"), Doer("me", NOW))
    People(database).capture(
        CaptureDraft(
            project_id,
            f"{project_id}" * 64,
            b"sealed",
            "a" * 16,
            ("", ""),
            "form",
            "1",
            None,
            lambda new: "{}",
            (),
            NOW,
        )
    )
    Segments(database).put(project_id, Segment("de", "Germany", ("country:is:DE",)), "me", NOW)
    Annotations(database).add(project_id, Annotation(f"{project_id}", NOW.date(), "note", "me", NOW))
    with database.write(project_id) as session:
        session.add_all(quiz(project_id, owner) for owner in ("ada", "*", ""))


def quiz(project_id: int, owner: str) -> QuizRow:
    return QuizRow(
        project_id=project_id, quiz=f"of {owner}", title="", owner=owner, created_at=NOW, updated_at=NOW
    )  # fmt: skip


TABLES = ["keys", "leads", "form_submissions", "links", "evaluators", "audit", "quizzes", "segments", "annotations"]


@pytest.mark.parametrize("table", TABLES)
def test_a_forgotten_where_shows_one_project(filled: Database, table: str) -> None:
    everything = text(f"SELECT DISTINCT project_id FROM {table}")
    for project_id in (MINE, THEIRS):
        with filled.read(project_id) as session:
            assert session.scalars(everything).all() == [project_id]
        with filled.of(project_id).read() as session:
            assert session.scalars(everything).all() == [project_id]
    with filled.read() as session:
        assert sorted(session.scalars(everything)) == [MINE, THEIRS]
    with filled.read(3) as session:
        assert session.scalars(everything).all() == []


def test_tables_without_a_project_follow_those_they_belong_to(filled: Database) -> None:
    with filled.read(MINE) as session:
        assert session.scalars(text("SELECT id FROM projects")).all() == [MINE]
        versions = "SELECT project_id FROM evaluators JOIN evaluator_versions ON evaluator_id = id"
        assert session.scalars(text(versions)).all() == [MINE]
        assert session.scalar(text("SELECT count(*) FROM evaluator_versions")) == 1


def test_another_projects_rows_are_not_written(filled: Database) -> None:
    with pytest.raises(DBAPIError, match="row-level security"), filled.write(MINE) as session:
        session.add(quiz(THEIRS, "me"))
    with pytest.raises(DBAPIError, match="row-level security"), filled.write(MINE) as session:
        session.execute(text(f"UPDATE quizzes SET project_id = {THEIRS}"))
    with filled.write(MINE) as session:
        session.execute(text("UPDATE keys SET label = 'changed'"))
        session.execute(text("DELETE FROM links"))
    with filled.read() as session:
        assert session.scalars(text("SELECT project_id FROM keys WHERE label = 'changed'")).all() == [MINE]
        assert session.scalars(text("SELECT project_id FROM links")).all() == [THEIRS]
    with filled.write() as session:
        session.execute(text("INSERT INTO links SELECT id + 1, 1, 1, actor, kind, confidence, at FROM links"))


@pytest.mark.parametrize("owner", ["ada", "*", "", "=ada", "eve", "' OR true --"])
def test_a_user_sees_what_is_theirs(filled: Database, owner: str) -> None:
    theirs = filled.of(MINE, owner)
    with theirs.read() as session:
        found = session.execute(text("SELECT project_id, owner FROM quizzes")).all()
    assert found == ([(MINE, owner)] if owner in {"ada", "*", ""} else [])
    with pytest.raises(DBAPIError, match="row-level security"), theirs.write() as session:
        session.add(quiz(MINE, "somebody"))


def test_what_is_a_users_stays_a_users(filled: Database) -> None:
    with filled.of(MINE, "ada").read(THEIRS) as session:
        assert session.execute(text("SELECT project_id, owner FROM quizzes")).all() == [(MINE, "ada")]


@pytest.mark.parametrize("table", ["projects", *TABLES])
def test_who_does_not_say_whose_rows_sees_none(filled: Database, table: str) -> None:
    for setting in ("tallymark.project", "tallymark.user"):
        with filled.read() as session:
            session.execute(text(f"SELECT set_config('{setting}', '', true)"))
            count = session.scalar(text(f"SELECT count(*) FROM {table}"))
        assert count == 0 or (setting == "tallymark.user" and table != "quizzes")


def test_a_scope_ends_with_its_transaction(filled: Database) -> None:
    def seen(number: int) -> bool:
        """Whether a transaction sees what is its own; every eighth fails after it has looked."""
        project_id = number % 3 or None
        try:
            with filled.write(project_id) if number % 5 == 0 else filled.read(project_id) as session:
                found = set(session.scalars(text("SELECT project_id FROM keys")))
                if number % 8 == 0:
                    raise ZeroDivisionError
        except ZeroDivisionError:
            pass
        return found == ({MINE, THEIRS} if project_id is None else {project_id})

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(seen, range(200)))


def test_nothing_can_be_asked_after_the_end_of_a_transaction(filled: Database) -> None:
    with filled.read(MINE) as session:
        session.rollback()
        with pytest.raises(InvalidRequestError):
            session.scalar(text("SELECT count(*) FROM keys"))


def test_nothing_of_a_scope_is_left_on_a_connection(filled: Database) -> None:
    store = filled._store
    assert isinstance(store, Postgresql)
    for _ in range(16):
        with filled.of(MINE, "ada").read() as session:
            assert session.scalar(text("SELECT count(*) FROM keys")) == 1
        with store._engine.connect() as connection:
            assert connection.scalar(text("SELECT current_setting('tallymark.project', true)")) in ("", None)
            assert connection.scalar(text("SELECT current_user = session_user"))
            seen = connection.scalar(text("SELECT count(*) FROM keys"))
            assert seen == 0 or connection.scalar(text("SELECT current_user")) != "plain"


def test_every_table_of_projects_is_forced(filled: Database) -> None:
    forced = """SELECT relname FROM pg_class WHERE relrowsecurity AND relforcerowsecurity
        AND EXISTS (SELECT FROM pg_policy WHERE polrelid = pg_class.oid AND polpermissive)"""
    with filled.read() as session:
        protected = set(session.scalars(text(forced)))
        made = set(inspect(session.connection()).get_table_names())
    whole = {"alembic_version", "leases", "meta", "salts", "cursors", "sessions", "sign_in_codes", "seen_signatures"}
    assert made == protected | whole
    assert {table.name for table in Base.metadata.sorted_tables if "project_id" in table.c} <= protected


def test_stores_of_quizzes_and_people_say_whose_rows_they_want(filled: Database) -> None:
    """None relies on its own `WHERE`: each transaction is the project's, a teacher's list the teacher's."""
    quizzes, statements, syncs = Quizzes(filled), Statements(filled), Syncs(filled)
    said = ConsentDraft(MINE, "v:a", "mail", "granted", "api", "", NOW)
    asked: list[tuple[Callable[[], object], str]] = [
        (lambda: quizzes.list(MINE), "*"),
        (lambda: quizzes.list(MINE, "ada"), "=ada"),
        (lambda: quizzes.put(MINE, "chess", "", "ada", "me", NOW), "*"),
        (lambda: quizzes.get(MINE, "chess"), "*"),
        (lambda: quizzes.remove(MINE, "chess", "me", NOW), "*"),
        (lambda: statements.note(MINE, {"a": "1"}, NOW), "*"),
        (lambda: statements.count(MINE, NOW), "*"),
        (lambda: statements.prune(MINE, NOW), "*"),
        (lambda: syncs.put(MINE, Sync("results", "1", 2**40, NOW)), "*"),
        (lambda: syncs.get(MINE, "results"), "*"),
        (lambda: syncs.of_project(MINE), "*"),
        (lambda: syncs.remove(MINE, "results"), "*"),
        (lambda: Refusals(filled, NOW.timestamp).note(MINE, "quiz/chess", "user eve"), "*"),
        (lambda: People(filled).consent([said], "", "", False), "*"),
    ]
    with scopes(filled) as seen:
        for ask, _ in asked:
            ask()
    assert seen == [(str(MINE), owner) for _, owner in asked]


@contextmanager
def scopes(database: Database) -> Iterator[list[tuple[str, str]]]:
    """Project and user that each transaction begins with, as the server is told of them."""
    store, found = database._store, list[tuple[str, str]]()
    assert isinstance(store, Postgresql)

    def note(_: object, __: object, statement: str, parameters: tuple[str, ...], *___: object) -> None:
        if statement.startswith("SELECT set_config('tallymark.project', $1, true), set_config('tallymark.user', $2"):
            found.append((parameters[0], parameters[1]))

    event.listen(store._engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(store._engine, "before_cursor_execute", note)


def test_the_store_says_that_it_is_in_force(filled: Database) -> None:
    standing = filled.standing()
    assert (standing.kind, standing.scoped) == ("PostgreSQL", True)
    with filled.read() as session:
        user = session.scalar(text("SELECT current_user"))
        assert not session.scalar(text("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"))
    assert user in {"plain", "tallymark_app_hosted", "tallymark_app_postgres"}


def test_a_login_that_nothing_binds_is_told_of(postgres: PostgresServer) -> None:
    postgres.run(STUCK)
    with postgres.database("template1", "stuck") as url, closing(open_database(url)) as database:
        said = "the login bypasses row-level security, and may not make a role that does not"
        assert database.standing() == Standing("PostgreSQL", False, said)
        Projects(database).create(ProjectDraft("site"))
        assert [project.name for project in Projects(database).list()] == ["site"]
