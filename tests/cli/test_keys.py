"""`tallymark keys`."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.cli.tool import Run


def test_create_prints_the_key_once(run: Run) -> None:
    run("projects", "create", "site")
    ran = run("keys", "create", "site", "--scope", "read", "--label", "dashboard")
    assert ran.code == 0
    secret = ran.out.splitlines()[-1]
    assert secret.startswith("tm_read_")
    listed = run("keys", "list", "site").out
    assert "dashboard" in listed
    assert secret not in listed
    assert run("--key", secret, "projects", "show", "site").code == 0
    assert run("keys", "create", "site", "--scope", "admin", "--json").json["key"]["secret"].startswith("tm_admin_")


def test_revoke(run: Run) -> None:
    run("projects", "create", "site")
    key = run("keys", "create", "site", "--scope", "read", "--json").json["key"]
    ran = run("keys", "revoke", str(key["id"]))
    assert (ran.code, ran.out) == (0, f"Revoked key {key['id']} ({key['prefix']}…) of project site.\n")
    ran = run("--key", key["secret"], "projects", "show", "site")
    assert (ran.code, ran.err) == (1, "error: There is no such key, or it was revoked.\n")
    assert run("keys", "list", "--json").json["keys"][-1]["revokedAt"] is not None
    assert run("keys", "revoke", "99").err == "error: There is no key 99.\n"


@pytest.mark.parametrize(("given", "hours"), [("30d", 720), ("12h", 12)])
def test_a_key_that_expires_after_a_span(run: Run, given: str, hours: int) -> None:
    run("projects", "create", "site")
    key = run("keys", "create", "site", "--scope", "read", "--expires", given, "--json").json["key"]
    left = datetime.fromisoformat(key["expiresAt"]) - datetime.now(UTC)
    assert timedelta(hours=hours) - timedelta(minutes=1) < left <= timedelta(hours=hours)


def test_a_key_that_expires_at_an_instant(run: Run) -> None:
    run("projects", "create", "site")
    ran = run("keys", "create", "site", "--scope", "read", "--expires", "2090-01-31")
    assert ran.code == 0
    assert "2090-01-31T00:00:00.000Z" in ran.out
    assert "2090-01-31T00:00:00.000Z" in run("keys", "list", "site").out
    for wrong in ("2020-01-31", "soon", "0d", "9999999d", ""):
        ran = run("keys", "create", "site", "--scope", "read", "--expires", wrong)
        assert ran.code == 1
        assert ran.err.startswith("error: A key's expiry is an instant to come in ISO 8601")


def test_what_is_not_there(run: Run) -> None:
    assert "There are no keys yet" in run("keys", "list").out
    assert run("keys", "list", "site").code == 1
    assert run("keys", "create", "site", "--scope", "write").code == 2
