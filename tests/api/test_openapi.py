"""The document and the pages: valid, complete, and loading nothing from elsewhere."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import msgspec
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from tallymark import __version__
from tallymark.api.docs import FIELDS
from tallymark.app import build
from tallymark.config import load
from tallymark.engine.base import Engine
from tallymark.ingest.decode import WireEvent
from tallymark.spec.event import Reason

STATIC = Path(__file__).parent.parent.parent / "src" / "tallymark" / "api" / "static"
PAGES = ("/", "/openapi", "/openapi/swagger")
METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture(scope="module")
def client(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> TestClient[Litestar]:
    """A client of the application; pages and document need nothing that starts with it."""
    data = tmp_path_factory.mktemp("openapi")
    return TestClient(build(load({}, data / ".env", data=data), engine))


@pytest.fixture(scope="module")
def document(client: TestClient[Litestar]) -> dict[str, Any]:
    """The document as it is served."""
    answer = client.get("/openapi/openapi.json")
    assert answer.status_code == 200
    told: dict[str, Any] = answer.json()
    return told


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Method, path and description of every operation."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield method, path, operation


def test_it_says_what_it_is(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1.")
    assert (document["info"]["title"], document["info"]["version"]) == ("Tallymark", __version__)


def test_every_operation_is_whole(document: dict[str, Any]) -> None:
    ids = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(ids) == len(set(ids)) > 10
    tags = {tag["name"] for tag in document["tags"]}
    for method, path, operation in operations(document):
        assert method in METHODS
        assert operation["summary"], path
        assert operation["description"], path
        assert set(operation["tags"]) <= tags, path
        assert any(200 <= int(status) < 300 for status in operation["responses"]), path


def test_parameters_of_paths_are_declared(document: dict[str, Any]) -> None:
    for _, path, operation in operations(document):
        declared = {p["name"] for p in operation.get("parameters", []) if p["in"] == "path"}
        assert declared == set(re.findall(r"\{(\w+)\}", path))


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    references = set(re.findall(r'"\$ref":"(#[^"]+)"', msgspec.json.encode(document).decode()))
    assert references
    for reference in references:
        found = document
        for step in reference.removeprefix("#/").split("/"):
            found = found[step]


def test_every_error_has_the_one_shape(document: dict[str, Any]) -> None:
    for _, path, operation in operations(document):
        for status, response in operation["responses"].items():
            if int(status) >= 400 and path != "/ready":
                schema = response["content"]["application/json"]["schema"]
                assert schema == {"$ref": "#/components/schemas/ErrorBody"}, (path, status)


def test_every_route_is_in_it(client: TestClient[Litestar], document: dict[str, Any]) -> None:
    pages = ("/assets", "/openapi", "/dashboard")
    routes = {re.sub(r"\{(\w+):\w+\}", r"{\1}", route.path) for route in client.app.routes}
    assert {path for path in routes if path != "/" and not path.startswith(pages)} == set(document["paths"])


def test_what_needs_no_key_says_so(client: TestClient[Litestar], document: dict[str, Any]) -> None:
    assert document["security"] == [{"key": []}]
    assert document["components"]["securitySchemes"]["key"]["scheme"] == "bearer"
    open_paths = {path for _, path, operation in operations(document) if operation.get("security") == []}
    assert open_paths == {"/health", "/ready", "/metrics", "/v1/exports/{export_id}/file"}
    assert client.get("/health").status_code == 200


def test_events_are_described_as_they_are_decoded(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    event = schemas["Event"]
    assert tuple(event["properties"]) == tuple(FIELDS) == WireEvent.__struct_encode_fields__
    assert all(field["description"] for field in event["properties"].values())
    assert event["additionalProperties"] is False
    assert schemas["Rejection"]["properties"]["reason"]["enum"] == [str(reason) for reason in Reason]
    for path in ("/v1/events", "/v1/import"):
        content = document["paths"][path]["post"]["requestBody"]["content"]
        assert content["application/json"]["schema"] == {"$ref": "#/components/schemas/EventBody"}
        msgspec.convert(content["application/json"]["example"], WireEvent)
        for line in content["application/x-ndjson"]["example"].splitlines():
            msgspec.json.decode(line, type=WireEvent)


class Links(HTMLParser):
    """What a page loads, and what it runs or paints by itself."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.leads: list[str] = []
        self.inline: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "style" or (tag == "script" and "src" not in given):
            self.inline.append(tag)
        self.inline += [name for name in given if name == "style" or name.startswith("on")]
        if tag in ("script", "link", "img"):
            self.loads.append(given.get("src") or given.get("href") or "")
        elif tag == "a":
            self.leads.append(given.get("href") or "")


@pytest.mark.parametrize("path", PAGES)
def test_a_page_loads_only_what_is_here(client: TestClient[Litestar], path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    links = Links(answer.text)
    assert links.loads
    assert not links.inline
    for link in (*links.loads, *links.leads):
        assert re.match(r"/(?!/)", link), link
    for link in links.loads:
        assert client.get(link).status_code == 200, link


@pytest.mark.parametrize("path", PAGES)
def test_a_page_may_load_nothing_else(client: TestClient[Litestar], path: str) -> None:
    policy = client.get(path).headers["content-security-policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert set(" ".join(rules.values()).split()) == {"'none'", "'self'", "data:"}


def test_scripts_and_styles_say_what_they_are(client: TestClient[Litestar]) -> None:
    kinds = {
        name: client.get(f"/assets/{name}").headers["content-type"]
        for name in ("openapi.js", "openapi.css", "icon.svg")
    }
    assert kinds["openapi.js"].startswith("text/javascript")
    assert kinds["openapi.css"].startswith("text/css")
    assert kinds["icon.svg"].startswith("image/svg+xml")


def test_our_own_files_name_no_other_host() -> None:
    for path in STATIC.glob("*.*"):
        hosts = re.findall(r"(?:https?:)?//([\w.-]+\.\w+)", path.read_text(encoding="utf-8"))
        assert set(hosts) <= {"www.w3.org", "shop.example"}, path


def test_the_vendored_page_comes_with_its_licence() -> None:
    names = {path.name for path in (STATIC / "swagger").iterdir()}
    assert {"LICENSE", "NOTICE", "VERSION", "swagger-ui-bundle.js", "swagger-ui.css"} <= names


@pytest.mark.parametrize(
    "path", ["/assets/nothing", "/assets/../docs.py", "/assets/%2e%2e/docs.py", "/openapi/nothing"]
)
def test_nothing_else_is_served(client: TestClient[Litestar], path: str) -> None:
    assert client.get(path).status_code == 404
