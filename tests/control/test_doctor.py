"""What `tallymark doctor` finds of the control store."""

from pathlib import Path

import pytest

from tests.cli.tool import Run, runner
from tests.postgres import PostgresServer

#: Bound by no policy, and no maker of roles.
_UNBOUND = "CREATE ROLE unbound LOGIN BYPASSRLS"


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    return runner(tmp_path, capsys, monkeypatch)


def control_of(run: Run) -> tuple[bool, str]:
    """Whether the control store is as it should be, and what is said of it."""
    ran = run("doctor", "--json")
    (finding,) = [check for check in ran.json["checks"] if check["check"] == "Control store"]
    return finding["ok"], finding["found"]


def test_sqlite_keeps_projects_apart_by_questions_alone(run: Run) -> None:
    ok, found = control_of(run)
    assert (ok, found.startswith("SQLite: ")) == (True, True)


def test_a_new_postgresql_keeps_projects_apart(
    run: Run, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with postgres.database("template1") as url:
        monkeypatch.setenv("TALLYMARK_CONTROL", url)
        said = "PostgreSQL: row-level security is in force, as role tallymark_app_postgres"
        assert control_of(run) == (True, said)
        assert run("projects", "create", "site").code == 0
        key = run("keys", "create", "site", "--scope", "read", "--json").json["key"]
        assert run("--key", key["secret"], "projects", "show", "site").code == 0
        assert [each["scope"] for each in run("keys", "list", "--json").json["keys"]][-1] == "read"


def test_one_that_does_not_is_told_of(run: Run, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> None:
    postgres.run(_UNBOUND)
    with postgres.database("template1", "unbound") as url:
        monkeypatch.setenv("TALLYMARK_CONTROL", url)
        ok, found = control_of(run)
        assert (ok, "bypasses row-level security" in found) == (False, True)
        assert run("doctor").code == 1


def test_one_that_is_away_is_told_of_without_its_password(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TALLYMARK_CONTROL", "postgresql://me:sekret@127.0.0.1:1/none")
    ran = run("doctor")
    assert (ran.code, "sekret" in ran.out + ran.err) == (1, False)
    assert control_of(run) == (False, "The control store is away or busy; ask again.")
