"""The guard: who gets in, where to, and what a refusal is called."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tallymark.access.guard import Access, Identity, token_of
from tallymark.access.keys import mint
from tallymark.control.database import open_database
from tallymark.control.keys import Keys, Scope
from tallymark.control.projects import Projects
from tallymark.errors import AdminAuthNotConfigured, Forbidden, TallymarkError, Unauthorized
from tallymark.spec.project import ProjectDraft

_BEYOND_READ: tuple[Scope, ...] = ("ingest", "admin")


@dataclass
class World:
    """A store with one project, `project`, and a key of each scope for it."""

    keys: Keys
    project: int
    secrets: dict[str, str]
    now: float = 0.0

    def access(self, admin: str = "", local: str = "", *read: str) -> Access:
        return Access(self.keys, admin, local, lambda: self.now, read)

    def key_id(self, scope: str) -> int:
        return next(key.id for key in self.keys.list() if key.scope == scope)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    database = open_database(f"sqlite:///{tmp_path / 'control.db'}")
    minted = {key.draft.scope: key for key in (mint("ingest"), mint("read"), mint("admin"))}
    project = Projects(database).create(ProjectDraft("site"), [key.draft for key in minted.values()])
    secrets: dict[str, str] = {scope: key.secret for scope, key in minted.items()}
    yield World(Keys(database), project.id, secrets)
    database.close()


@pytest.mark.parametrize(
    ("key", "good_for"),
    [("ingest", {"ingest"}), ("read", {"read"}), ("admin", {"ingest", "read", "admin"})],
)
def test_a_key_is_good_for_its_scope_in_its_project(world: World, key: Scope, good_for: set[str]) -> None:
    access, secret = world.access("master"), world.secrets[key]
    scopes: tuple[Scope, ...] = ("ingest", "read", "admin")
    for scope in scopes:
        if scope in good_for:
            assert access.require(secret, scope, world.project) == Identity(world.project, key)
        else:
            with pytest.raises(Forbidden, match=f"This key is for {key}"):
                access.require(secret, scope, world.project)
        for elsewhere in (world.project + 1, None):
            with pytest.raises(Forbidden):
                access.require(secret, scope, elsewhere)


@pytest.mark.parametrize("key", ["master", "local", "ключ"])
def test_a_master_key_is_good_everywhere(world: World, key: str) -> None:
    access = world.access(key if key != "local" else "", "local")
    for project in (world.project, 99, None):
        assert access.require(key, "admin", project) == Identity(None, "admin")


@pytest.mark.parametrize("key", ["reader", "dashboard"])
def test_a_read_key_reads_every_project_and_does_nothing_else(world: World, key: str) -> None:
    access = world.access("master", "local", "reader", "", "dashboard")
    for project in (world.project, 99, None):
        assert access.require(key, "read", project) == Identity(None, "read")
        for scope in _BEYOND_READ:
            with pytest.raises(Forbidden, match="This key is for read"):
                access.require(key, scope, project)
    assert access.identify("master") == access.identify("local") == Identity(None, "admin")
    assert access.identify("") is None


def test_a_read_key_without_an_admin_key_makes_nobody_admin(world: World) -> None:
    access = world.access("", "", "reader")
    assert access.require("reader", "read", world.project) == Identity(None, "read")
    with pytest.raises((AdminAuthNotConfigured, Forbidden)):
        access.require("reader", "admin", None)
    with pytest.raises(AdminAuthNotConfigured):
        access.require(None, "admin", None)
    with pytest.raises(Unauthorized):
        world.access("master").require("reader", "read", world.project)


def test_of_equal_keys_of_every_project_the_admin_counts(world: World) -> None:
    assert world.access("same", "", "same").identify("same") == Identity(None, "admin")


@pytest.mark.parametrize(
    ("token", "error"),
    [(None, Unauthorized), ("", Unauthorized), ("tm_read_wrong", Unauthorized), ("mäster", Unauthorized)],
)
def test_no_key_and_a_wrong_key(world: World, token: str | None, error: type[TallymarkError]) -> None:
    with pytest.raises(error):
        world.access("master").require(token, "read", world.project)


def test_without_a_master_key_nobody_is_admin_of_all(world: World) -> None:
    access = world.access()
    for token in (None, "", "wrong"):
        with pytest.raises(AdminAuthNotConfigured):
            access.require(token, "admin", None)
    with pytest.raises(Forbidden):
        access.require(world.secrets["admin"], "admin", None)
    with pytest.raises(Unauthorized):
        access.require("", "read", None)
    assert access.require(world.secrets["admin"], "admin", world.project).scope == "admin"
    assert access.identify("") is None


def test_a_key_is_looked_up_once_in_five_seconds(world: World) -> None:
    access = world.access()
    assert access.identify(world.secrets["read"]) == Identity(world.project, "read")
    world.keys.revoke(world.key_id("read"))
    world.now = 4.9
    assert access.identify(world.secrets["read"]) == Identity(world.project, "read")
    world.now = 5.0
    assert access.identify(world.secrets["read"]) is None


def test_an_unknown_key_is_remembered_as_long(world: World) -> None:
    access, minted = world.access(), mint("read")
    assert access.identify(minted.secret) is None
    world.keys.issue(world.project, minted.draft)
    assert access.identify(minted.secret) is None
    world.now = 5.0
    assert access.identify(minted.secret) == Identity(world.project, "read")


def test_what_is_forgotten_is_looked_up_again(world: World) -> None:
    access = world.access()
    access.identify(world.secrets["read"])
    world.keys.revoke(world.key_id("read"))
    access.forget()
    assert access.identify(world.secrets["read"]) is None


def test_what_is_known_is_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tallymark.access.guard._MOST_CACHED", 10)
    access = world.access()
    for i in range(25):
        access.identify(f"wrong {i}")
        assert len(access._known) <= 10
    assert access.identify(world.secrets["read"]) == Identity(world.project, "read")


@pytest.mark.parametrize(
    ("headers", "token"),
    [
        ([], None),
        ([(b"accept", b"*/*")], None),
        ([(b"authorization", b"Bearer a")], "a"),
        ([(b"authorization", b"bearer  a ")], "a"),
        ([(b"authorization", b"Basic a")], None),
        ([(b"authorization", b"Bearer")], None),
        ([(b"authorization", b"")], None),
        ([(b"x-admin-key", b"b")], "b"),
        ([(b"x-dashboard-token", b"c")], "c"),
        ([(b"x-api-key", b"d")], "d"),
        ([(b"x-api-key", b"d"), (b"x-dashboard-token", b"c"), (b"x-admin-key", b"b")], "b"),
        ([(b"x-api-key", b"d"), (b"authorization", b"Bearer a"), (b"x-admin-key", b"b")], "a"),
        ([(b"authorization", b"Basic a"), (b"x-api-key", b"d")], "d"),
        ([(b"x-admin-key", b" "), (b"x-api-key", b"d")], "d"),
        ([(b"x-api-key", b"\xff")], "ÿ"),
    ],
)
def test_the_token_of_headers(headers: list[tuple[bytes, bytes]], token: str | None) -> None:
    assert token_of(headers) == token
