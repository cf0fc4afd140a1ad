"""`tallymark projects`."""

from io import StringIO

import pytest

from tests.cli.tool import Run


def test_create_prints_the_project_and_its_keys(run: Run) -> None:
    ran = run(
        *("projects", "create", "site", "--pack", "web", "--pack", "quiz", "--timezone", "Europe/Berlin"),
        *("--retention", "24h", "--pii", "allow", "--bots", "refuse", "--quota", "9", "--json"),
    )
    assert (ran.code, ran.err) == (0, "")
    project = ran.json["project"]
    assert (project["packs"], project["timezone"], project["retention"]) == (
        ["web", "quiz"],
        "Europe/Berlin",
        "1d",
    )
    assert (project["pii"], project["bots"], project["quota"]) == ("allow", "refuse", 9)
    assert set(ran.json["keys"]) == {"ingest", "read", "admin"}


def test_create_prints_tables_for_people(run: Run) -> None:
    ran = run("projects", "create", "site", "--pack", "web")
    assert ran.code == 0
    for word in ("site", "web", "UTC", "90d", "tm_ingest_", "tm_read_", "tm_admin_", "once"):
        assert word in ran.out


def test_list_and_show(run: Run) -> None:
    assert "There are no projects yet" in run("projects", "list").out
    run("projects", "create", "site", "--pack", "web")
    run("projects", "create", "shop")
    lines = run("projects", "list").out.splitlines()
    assert [line.split()[:3] for line in lines] == [
        ["Id", "Name", "Packs"],
        ["2", "shop", "–"],
        ["1", "site", "web"],
    ]
    assert [p["name"] for p in run("projects", "list", "--json").json["projects"]] == ["shop", "site"]
    assert "redact" in run("projects", "show", "site").out
    assert run("projects", "show", "1", "--json").json["project"]["name"] == "site"


def test_update_changes_what_is_given(run: Run) -> None:
    run("projects", "create", "site", "--pack", "web", "--quota", "5", "--timezone", "Asia/Tokyo")
    changed = run("projects", "update", "site", "--no-quota", "--no-packs", "--name", "shop", "--json").json
    assert changed["project"]["quota"] is None
    assert changed["project"]["packs"] == []
    assert (changed["project"]["name"], changed["project"]["timezone"]) == ("shop", "Asia/Tokyo")
    assert "36h" in run("projects", "update", "shop", "--retention", "36h").out
    assert changed["project"]["publicSummary"] is True
    assert run("projects", "update", "shop", "--private-summary", "--json").json["project"]["publicSummary"] is False
    assert run("projects", "update", "shop").code == 2


def test_delete_asks_unless_told_not_to(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run("projects", "create", "site")
    monkeypatch.setattr("sys.stdin", StringIO("n\n"))
    ran = run("projects", "delete", "site")
    assert ran.code == 1
    assert "Delete project site" in ran.err
    assert run("projects", "show", "site").code == 0
    assert run("projects", "delete", "site", "--yes").out == "Deleted project site.\n"
    assert run("projects", "show", "site").code == 1


def test_a_name_is_not_a_path(run: Run) -> None:
    assert run("projects", "delete", "../keys/1", "--yes").err.startswith("error: There is")
