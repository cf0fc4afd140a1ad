"""The documentation is complete, up to date, and true: what it names exists, and what it says to run runs."""

import json
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from scripts.build_docs import PAGES, commands
from tallymark import errors
from tallymark.app import build
from tallymark.cli import main
from tallymark.config import SETTINGS, load
from tallymark.engine.base import Engine
from tallymark.errors import TallymarkError
from tallymark.packs import BUILTIN
from tallymark.spec.catalog import Catalog
from tallymark.spec.event import Reason
from tallymark.spec.project import ProjectDraft
from tests.server import ADMIN, RunningServer

ROOT = Path(__file__).parent.parent.parent
DOCS = ROOT / "docs"
TEXTS = {path: path.read_text(encoding="utf-8") for path in [*ROOT.glob("*.md"), *DOCS.glob("*.md")]}

#: A fenced block that is marked: what is to be done with it, its language, its lines.
_BLOCK = re.compile(r"^<!-- (try|prints)[^>]* -->\n```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)

#: How long a number may take to follow its event, in seconds.
_FOLLOWS = 15.0


def page(name: str) -> str:
    """A page of the documentation."""
    return TEXTS[DOCS / name]


@pytest.mark.parametrize("name", PAGES)
def test_pages_from_the_code_are_up_to_date(name: str) -> None:
    assert page(name) == PAGES[name](), "run: python -m scripts.build_docs"


@pytest.mark.parametrize("name", [setting.name for setting in SETTINGS])
def test_every_setting_is_there(name: str) -> None:
    assert f"| `{name}` |" in page("settings.md")


def test_every_metric_and_dimension_is_there() -> None:
    catalog = Catalog.of(BUILTIN)
    missing = [name for name in (*catalog.metrics, *catalog.dimensions) if f"| `{name}` |" not in page("metrics.md")]
    assert not missing


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_is_there(reason: Reason) -> None:
    assert f"| `{reason}` |" in page("events.md")


def test_every_error_is_there() -> None:
    codes = {error.code for error in _tree(TallymarkError)}
    assert {"bad_query", "queue_full"} <= codes
    assert not [code for code in sorted(codes) if f"`{code}`" not in page("api.md")]


def _tree(error: type[TallymarkError]) -> Iterator[type[TallymarkError]]:
    if error.__module__ == errors.__name__:
        yield error
    for below in error.__subclasses__():
        yield from _tree(below)


def test_every_field_of_an_event_is_there() -> None:
    from tallymark.ingest.decode import WireEvent  # noqa: PLC0415  # its fields alone are of interest

    missing = [name for name in WireEvent.__struct_encode_fields__ if f"`{name}`" not in page("events.md")]
    assert not missing


def test_every_field_of_a_project_is_there() -> None:
    named = (field.removesuffix("_hours") for field in ProjectDraft.__dataclass_fields__)
    fields = [re.sub("_(.)", lambda found: found[1].upper(), name) for name in named]
    assert not [field for field in fields if f"| `{field}` |" not in page("projects-and-keys.md")]


@pytest.mark.parametrize("name", [name for name, _ in commands()])
def test_every_command_is_there_with_an_example(name: str) -> None:
    section = page("cli.md").partition(f"\n## {name}\n")[2].partition("\n## ")[0]
    assert re.search(rf"```bash\ntallymark .*{name.rpartition(' ')[2]}\b.*\n```", section)


@pytest.fixture(scope="module")
def app(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Litestar:
    """The application, not started."""
    data = tmp_path_factory.mktemp("docs")
    return build(load({}, data / ".env", data=data), engine)


def test_every_endpoint_is_there(app: Litestar) -> None:
    missing = [
        f"{method} {path}"
        for path, methods in _routes(app)
        for method in methods
        if f"| `{method} {path}` |" not in page("api.md")
    ]
    assert not missing


def test_every_endpoint_that_is_there_exists(app: Litestar) -> None:
    told = re.findall(r"^\| `([A-Z]+) (/\S*)` \|", page("api.md"), re.MULTILINE)
    known = {(method, path) for path, methods in _routes(app) for method in methods}
    assert len(told) > 10
    assert not [entry for entry in told if entry not in known]


def test_every_number_for_prometheus_is_there(app: Litestar) -> None:
    families = re.findall(r"^# TYPE (\w+) ", TestClient(app).get("/metrics").text, re.MULTILINE)
    assert len(families) > 5
    assert not [name for name in families if f"`{name}" not in page("operations.md")]


def _routes(app: Litestar) -> Iterator[tuple[str, set[str]]]:
    """Paths with their methods; of the pages of `/openapi` those that the table names."""
    for route in app.routes:
        path = re.sub(r"\{(\w+):\w+\}", r"{\1}", route.path)
        methods = {str(method) for method in route.methods} - {"OPTIONS", "HEAD"} or {
            "POST"
        }  # a bare ASGI route says nothing
        if path.startswith("/ofrep/"):
            methods = {"POST"}  # the others are refused in the protocol's words
        if path not in ("/openapi/{path}", "/openapi/swagger"):
            yield path, methods


def test_links_lead_somewhere() -> None:
    broken = [
        f"{path.name}: {link}"
        for path, text in TEXTS.items()
        for link in _LINK.findall(text)
        if not link.startswith(("http://", "https://")) and not _exists(path, link)
    ]
    assert not broken


def _exists(path: Path, link: str) -> bool:
    name, _, anchor = link.partition("#")
    target = (path.parent / name).resolve() if name else path
    if not target.exists():
        return False
    return not anchor or anchor in {_anchor(heading) for heading in _HEADING.findall(target.read_text("utf-8"))}


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_every_page_is_on_the_map() -> None:
    readme = TEXTS[ROOT / "README.md"]
    assert not [path.name for path in DOCS.glob("*.md") if f"docs/{path.name}" not in readme]


@dataclass(frozen=True)
class Example:
    """A command of a page, and the JSON that it prints, if the page says so."""

    page: str
    command: str
    prints: str | None


def examples() -> list[Example]:
    """Every marked command of every page, in order."""
    found: list[Example] = []
    for path, text in TEXTS.items():
        for mark, _, lines in _BLOCK.findall(text):
            if mark == "try":
                found.append(Example(path.name, lines, None))
            else:
                found[-1] = replace(found[-1], prints=lines)
    return found


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningServer, dict[str, str]]]:
    """A server with the project `demo-web` and some traffic, and the environment of the examples."""
    here = tmp_path_factory.mktemp("examples")
    with RunningServer(here / "data", API_KEY="reports", TALLYMARK_VOICE_SIGNING_SECRETS="shared") as server:
        keys, shop = server.project("demo-web", packs=["web"]), server.project("shop-keys", packs=["web"])
        visit = {"event": "page_view", "url": "https://a.example/", "ip": "8.8.8.8"}
        visits = [{**visit, "visitorId": visitor} for visitor in ("v-1", "v-2")]
        assert server.ask("POST", "/v1/events", keys["ingest"], json=visits).json()["accepted"] == 2
        environment = {
            "KEY": keys["admin"],
            "SHOP_INGEST": shop["ingest"],
            "ADMIN_API_KEY": ADMIN,
            "API_KEY": "reports",
            "SIGNING_SECRET": "shared",
            "TALLYMARK_DATA": str(here / "data"),
            "COLUMNS": "120",
        }
        yield server, environment


@pytest.mark.skipif(shutil.which("curl") is None, reason="the examples use curl")
@pytest.mark.parametrize("name", sorted({example.page for example in examples()}))
def test_examples_do_what_the_page_says(
    name: str,
    world: tuple[RunningServer, dict[str, str]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    server, environment = world
    monkeypatch.chdir(server.data.parent)
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    for example in examples():
        if example.page == name:
            _try(example, server, capsys)


def _try(example: Example, server: RunningServer, capsys: pytest.CaptureFixture[str]) -> None:
    """Runs an example until it prints what the page says."""
    until = time.monotonic() + _FOLLOWS
    while True:
        capsys.readouterr()
        for command in _commands(example.command):
            _run(command, server)
        said = capsys.readouterr().out
        problem = _problem(example, said)
        if problem is None:
            return
        assert time.monotonic() < until, f"{example.command}\nsays {said}\n{problem}"
        time.sleep(0.3)


def _commands(block: str) -> list[str]:
    """The commands of a block: its lines, continued ones as one, if there is one of ours among them; else all of it."""
    lines = block.replace("\\\n", " ").splitlines()
    return lines if any(line.startswith("tallymark ") for line in lines) else [block]


def _run(command: str, server: RunningServer) -> None:
    """Runs one command: ours in this process, since starting it takes a second, others in a shell."""
    if command.startswith("tallymark "):
        assert main(shlex.split(command)[1:]) == 0, command
        return
    there = command.replace("http://127.0.0.1:8787", server.url).replace("curl ", "curl -sS ")
    done = subprocess.run(["bash", "-euc", there], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    sys.stdout.write(done.stdout)


def _problem(example: Example, said: str) -> str | None:
    """What is not as the page tells. The README's numbers are told as they are, others are of some day."""
    if example.prints is None:
        return None
    exact = frozenset({"accepted", "value"} if example.page == "README.md" else {"accepted"})
    return _difference(json.loads(example.prints), json.loads(said), "", exact)


def _difference(told: Any, said: Any, path: str, exact: frozenset[str]) -> str | None:
    """Where an answer has other fields, other kinds of values, or another value of a field that is to be exact."""
    if isinstance(told, dict) and isinstance(said, dict):
        if told.keys() != said.keys():
            return f"{path} has {sorted(said)}, not {sorted(told)}"
        parts = [_difference(told[key], said[key], f"{path}.{key}", exact) for key in told]
        return next((part for part in parts if part), None)
    if isinstance(told, list) and isinstance(said, list):
        if bool(told) != bool(said) and not path.endswith("Days"):
            return f"{path} is {said}"
        return _difference(told[0], said[0], f"{path}[0]", exact) if told and said else None
    if path.rpartition(".")[2] in exact:
        return None if told == said else f"{path} is {said!r}, not {told!r}"
    same = type(told) is type(said) or {type(told), type(said)} <= {int, float, type(None)}
    return None if same else f"{path} is {said!r}, not as {told!r}"
