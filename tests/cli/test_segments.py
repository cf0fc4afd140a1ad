"""`tallymark segments` and `annotations`, and `--segment` of every command that asks, against a server."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tallymark.cli import main
from tests.cli.tool import Ran, Run
from tests.server import ADMIN, RunningServer


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server with a project `site`: one person does the same on each of two hosts."""
    with RunningServer(tmp_path_factory.mktemp("segments") / "data") as server:
        at = datetime.now(UTC).isoformat()
        events = [
            {"event": event, "userId": host, "url": f"https://{host}.example/", "timestamp": at}
            for host in "ab" for event in ("page_view", "click")
        ]  # fmt: skip
        server.project("site", packs=["web"])
        sent = server.ask("POST", "/v1/import", params={"project": "site"}, json=events)
        assert sent.json()["accepted"] == len(events)
        yield server


@pytest.fixture
def run(server: RunningServer, tmp_path: Path, capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch) -> Run:  # fmt: skip
    """Runs commands against the server, whose project has a segment `a` of half of its events."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: str) -> Ran:
        capsys.readouterr()
        code = main(("--endpoint", server.url, "--key", ADMIN, *arguments))
        return Ran(code, *capsys.readouterr())

    assert run("segments", "set", "a", "--project", "site", "--filter", "host:is:a.example").code == 0
    return run


def test_segments_and_notes(run: Run) -> None:
    more = ("--filter", "host:is:b.example", "--filter", "path:is:/", "--title", "B's home")
    assert run("segments", "set", "b", "--project", "site", *more, "--json").json["created"] is True
    listed = run("segments", "list", "--project", "site").out.splitlines()
    assert [line.split() for line in listed[1:]] == [
        ["a", "a", "host:is:a.example"], ["b", "B's", "home", "host:is:b.example,", "path:is:/"],
    ]  # fmt: skip
    assert run("segments", "delete", "b", "--project", "site").out == "Deleted segment b.\n"
    gone = run("query", "site", "page_views", "--segment", "b")
    assert (gone.code, gone.err) == (1, "error: There is no segment 'b'. Allowed: a.\n")
    bad = run("segments", "set", "a/b", "--project", "site", "--filter", "host:is:x")
    assert (bad.code, bad.err.startswith("error: key can't be 'a/b'.")) == (1, True)

    note = run("annotations", "add", "New pricing", "--day", "2026-11-21", "--project", "site", "--json").json
    window = ("--from", "2026-11-01", "--to", "2026-11-30")
    assert "New pricing" in run("annotations", "list", "--project", "site", *window).out
    deleted = run("annotations", "delete", note["annotation"]["id"], "--project", "site")
    assert deleted.out == "Deleted the note on 2026-11-21: New pricing\n"
    assert run("annotations", "list", "--project", "site", *window).out == "There are no annotations.\n"


def test_every_question_takes_segments(run: Run) -> None:
    steps = ("--step", "page_view", "--step", "click")
    assert run("funnels", "set", "clicks", "--project", "site", *steps).code == 0
    for question in (
        ("query", "site", "events,actors"), ("retention", "site", "--period", "day"), ("lifecycle", "site"),
        ("stickiness", "site"), ("journeys", "site"), ("funnels", "show", "clicks", "--project", "site"),
        ("funnels", "run", "--project", "site", *steps),
    ):  # fmt: skip
        of_segment, of_filter, of_all = (
            {name: value for name, value in run(*question, *more, "--json").json.items() if name != "freshness"}
            for more in (("--segment", "a"), ("--filter", "host:is:a.example"), ())
        )
        assert of_segment == of_filter != of_all, question
    order = (
        "exports",
        "create",
        "--project",
        "site",
        "--what",
        "metrics",
        "--metrics",
        "events",
        "--no-wait",
        "--json",
    )
    assert run(*order, "--segment", "a").json["filters"] == ["host:is:a.example"]
