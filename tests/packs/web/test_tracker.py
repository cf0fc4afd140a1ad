"""`GET /web/tracker.js`: the package's script, compressed, cached, for every page."""

import gzip
from pathlib import Path

import brotli
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from tallymark.app import build
from tallymark.config import load
from tallymark.engine.base import Engine
from tallymark.packs.web.tracker import encoding_for, script

PATH = "/web/tracker.js"
SCRIPT = script()
PLAIN = {"Accept-Encoding": "identity"}


@pytest.fixture(scope="module")
def client(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> TestClient[Litestar]:
    data = tmp_path_factory.mktemp("tracker")
    return TestClient(build(load({}, data / ".env", data=data), engine))


def raw(client: TestClient[Litestar], encoding: str, **headers: str) -> tuple[bytes, dict[str, str]]:
    """The body as it is sent."""
    with client.stream("GET", PATH, headers={"Accept-Encoding": encoding, **headers}) as answer:
        assert answer.status_code == 200
        return b"".join(answer.iter_raw()), dict(answer.headers)


def test_it_is_a_script_that_caches_keep_and_every_page_may_load(client: TestClient[Litestar]) -> None:
    body, headers = raw(client, "identity")
    assert body == SCRIPT
    assert "content-encoding" not in headers
    assert headers["content-type"] == "text/javascript; charset=utf-8"
    assert headers["cache-control"] == "public, max-age=3600, stale-while-revalidate=86400"
    assert headers["cross-origin-resource-policy"] == "cross-origin"
    assert headers["access-control-allow-origin"] == "*"
    assert headers["vary"] == "Accept-Encoding"
    assert int(headers["content-length"]) == len(SCRIPT)


def test_compressed_it_is_the_same(client: TestClient[Litestar]) -> None:
    tags = {raw(client, "identity")[1]["etag"]}
    for encoding, inflate in (("gzip", gzip.decompress), ("br", brotli.decompress)):
        body, headers = raw(client, encoding)
        assert (headers["content-encoding"], headers["vary"]) == (encoding, "Accept-Encoding")
        assert inflate(body) == SCRIPT
        assert len(body) == int(headers["content-length"]) < len(SCRIPT) / 2
        tags.add(headers["etag"])
    assert len(tags) == 3


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        ("gzip, deflate, br, zstd", "br"), ("gzip, deflate", "gzip"), ("GZIP", "gzip"), ("", ""), ("identity", ""),
        ("br;q=0, gzip;q=0.5", "gzip"), ("br;q=0,gzip;q=0", ""), ("*", "br"), ("*;q=0", ""), ("br; q=0.1", "br"),
        ("br;q=much", ""), ("deflate, zstd", ""), (",;=q", ""),
    ],
)  # fmt: skip
def test_the_best_encoding_that_is_taken(accepted: str, encoding: str) -> None:
    assert encoding_for(accepted, "") == encoding


def test_an_answer_that_varies_by_origin_alone_is_good_for_everyone(client: TestClient[Litestar]) -> None:
    body, headers = raw(client, "br", Origin="https://shop.example")
    assert body == SCRIPT
    assert headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("encoding", ["identity", "gzip", "br"])
def test_who_has_it_is_told_so(client: TestClient[Litestar], encoding: str) -> None:
    tag = raw(client, encoding)[1]["etag"]
    for told in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        answer = client.get(PATH, headers={"Accept-Encoding": encoding, "If-None-Match": told})
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", tag)
        assert answer.headers["cache-control"].startswith("public")
        assert answer.headers["vary"] == "Accept-Encoding"
    for told in ('"other"', "", tag.strip('"')):
        answer = client.get(PATH, headers={"Accept-Encoding": encoding, "If-None-Match": told})
        assert (answer.status_code, answer.content) == (200, SCRIPT)


def test_its_head(client: TestClient[Litestar]) -> None:
    got, told = client.get(PATH, headers=PLAIN), client.head(PATH, headers=PLAIN)
    assert (told.status_code, told.content) == (200, b"")
    same = ("content-type", "content-length", "etag", "cache-control", "vary")
    assert {name: told.headers[name] for name in same} == {name: got.headers[name] for name in same}
    assert client.head(PATH, headers=PLAIN | {"If-None-Match": got.headers["etag"]}).status_code == 304


def test_the_wheel_holds_it() -> None:
    """The wheel has everything below the package: see `pyproject.toml`."""
    package = Path(__file__).parents[3] / "src" / "tallymark"
    assert (package / "packs" / "web" / "static" / "tracker.js").is_file()
