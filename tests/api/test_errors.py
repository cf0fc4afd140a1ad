"""Every error has one shape, whoever raised it, and tells nothing it should not."""

from http import HTTPStatus
from typing import Any

import pytest
import structlog
from litestar import Litestar, get, post
from litestar.exceptions import HTTPException, ServiceUnavailableException, TooManyRequestsException
from litestar.params import FromPath, FromQuery, JSONBody
from litestar.testing import TestClient

from tallymark import errors
from tallymark.api.errors import EXCEPTION_HANDLERS
from tallymark.errors import BadQuery, QueueFull, TallymarkError, Unauthorized

RAISED: dict[str, Exception] = {
    "query": BadQuery("There is no metric 'x'.", field="metrics", allowed=["events"]),
    "full": QueueFull("Too many events wait."),
    "key": Unauthorized("A key is needed."),
    "bug": RuntimeError("the password is swordfish"),
    "engine": TallymarkError("SELECT secret FROM events"),
    "later": TooManyRequestsException(headers={"retry-after": "7"}),
    "away": ServiceUnavailableException(detail="swordfish"),
    "odd": HTTPException(status_code=418, detail="A teapot."),
}


@get("/raise/{name:str}", sync_to_thread=False)
def fail(name: FromPath[str]) -> None:
    raise RAISED[name]


@get("/number", sync_to_thread=False)
def number(n: FromQuery[int]) -> int:
    return n


@post("/body", sync_to_thread=False)
def take(data: JSONBody[dict[str, int]]) -> None:
    return None


def ask(method: str, path: str, **request: Any) -> tuple[int, Any, dict[str, str]]:
    app = Litestar([fail, number, take], exception_handlers=EXCEPTION_HANDLERS, request_max_body_size=100)
    with TestClient(app, raise_server_exceptions=False) as client:
        answer = client.request(method, path, **request)
        assert answer.headers["content-type"].startswith("application/json")
        return answer.status_code, answer.json(), dict(answer.headers)


def test_an_error_of_ours_is_answered_as_it_says() -> None:
    status, body, _ = ask("GET", "/raise/query")
    assert status == 400
    assert body == {
        "error": {
            "code": "bad_query",
            "message": "There is no metric 'x'.",
            "field": "metrics",
            "allowed": ["events"],
        }
    }


def test_who_should_come_again_is_told_when() -> None:
    status, body, headers = ask("GET", "/raise/full")
    assert (status, body["error"]["code"], headers["retry-after"]) == (503, "queue_full", "1")


def test_who_needs_a_key_is_told_how_to_send_it() -> None:
    status, _, headers = ask("GET", "/raise/key")
    assert (status, headers["www-authenticate"]) == (401, "Bearer")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "not_found"),
        ("DELETE", "/number", 405, "method_not_allowed"),
        ("GET", "/raise/odd", 418, "im_a_teapot"),
        ("GET", "/raise/later", 429, "too_many_requests"),
        ("GET", "/number", 400, "bad_request"),
        ("GET", "/number?n=x", 400, "bad_request"),
    ],
)
def test_the_frameworks_errors_have_the_same_shape(method: str, path: str, status: int, code: str) -> None:
    answered, body, _ = ask(method, path)
    assert (answered, body["error"]["code"]) == (status, code)
    assert body["error"]["message"]


def test_the_frameworks_headers_stay() -> None:
    assert "GET" in ask("DELETE", "/number")[2]["allow"]
    assert ask("GET", "/raise/later")[2]["retry-after"] == "7"


def test_a_bad_parameter_is_named() -> None:
    assert ask("GET", "/number?n=x")[1]["error"]["field"] == "n"
    assert "n" in ask("GET", "/number")[1]["error"]["message"]


def test_bodies() -> None:
    assert ask("POST", "/body", content=b"{")[1]["error"]["code"] == "bad_request"
    status, body, _ = ask("POST", "/body", content=b'{"a": %s1}' % (b" " * 200))
    assert (status, body["error"]["code"]) == (413, "body_too_large")


@pytest.mark.parametrize("name", ["bug", "engine", "away"])
def test_a_bug_is_logged_and_tells_nothing(name: str) -> None:
    with structlog.testing.capture_logs() as logs:
        status, body, _ = ask("GET", f"/raise/{name}")
    assert status == 500
    assert body == {"error": {"code": "internal_error", "message": "Something went wrong here; it is logged."}}
    (line,) = logs
    assert (line["event"], line["method"], line["path"]) == ("request_failed", "GET", f"/raise/{name}")
    assert line["exc_info"] is RAISED[name]


def test_every_error_of_the_tree_has_a_status_that_exists() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, TallymarkError)]
    assert len(kinds) > 10
    for kind in kinds:
        assert HTTPStatus(kind.status)
