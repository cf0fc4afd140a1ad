"""`POST /v1/events` through the real application: every form a body may have, and every refusal."""

import gzip
import itertools
import json
import secrets
import sys
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import brotli
import httpx
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from tallymark.app import build
from tallymark.config import load
from tallymark.control.database import open_database
from tallymark.control.models import ProjectRow
from tallymark.engine.base import Engine
from tallymark.spec.event import Reason

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

ADMIN = "admin-of-every-project"
LARGEST_BODY = 200_000

BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"
BOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"

#: The worker's engine is shared: projects here have ids that no other test's have.
FIRST_ID = 1_000_000


@dataclass
class Api:
    """The application and a clock that stands still."""

    client: TestClient[Litestar]
    engine: Engine
    now: datetime
    _names: Iterator[int] = field(default_factory=itertools.count)

    def project(self, **more: Any) -> "Project":
        """A new project."""
        body = {"name": f"p{next(self._names)}", "packs": ["web"], **more}
        answer = self.client.post("/v1/projects", json=body, headers=bearer(ADMIN))
        assert answer.status_code == 201, answer.text
        created = answer.json()
        return Project(self, created["project"]["id"], created["project"]["name"], created["keys"])


@dataclass
class Project:
    """A project and its keys."""

    api: Api
    id: int
    name: str
    keys: dict[str, str]

    def post(self, body: Any = b"", key: str | None = None, **headers: str) -> httpx.Response:
        """Sends bytes as they are, anything else as JSON; header names are written with underscores."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {"User-Agent": BROWSER} | bearer(key or self.keys["ingest"])
        named |= {name.replace("_", "-"): value for name, value in headers.items()}
        return self.api.client.post("/v1/events", content=content, headers=named)

    def send(self, body: Any, **headers: str) -> dict[str, Any]:
        """The receipt of a body that is taken."""
        answer = self.post(body, **headers)
        assert answer.status_code == 202, answer.text
        assert answer.headers["content-type"] == "application/json"
        receipt: dict[str, Any] = answer.json()
        assert set(receipt) == {"accepted", "rejected"}
        return receipt

    def takes(self, n: int, body: Any, **headers: str) -> None:
        """Sends a body of which everything is taken."""
        assert self.send(body, **headers) == {"accepted": n, "rejected": []}

    def refuses(self, reason: Reason, body: Any, **headers: str) -> str:
        """Sends one event that is refused for that reason; gives the message."""
        receipt = self.send(body, **headers)
        assert receipt["accepted"] == 0
        (rejection,) = receipt["rejected"]
        assert set(rejection) == {"index", "reason", "message"}
        assert (rejection["index"], rejection["reason"]) == (0, reason)
        message: str = rejection["message"]
        return message

    def stored(self, columns: str = "event") -> list[Any]:
        """A column of the project's events, each once."""
        sql = f"SELECT {columns} FROM events FINAL WHERE project = {{project:UInt32}} ORDER BY occurred_at, event"
        return [row[0] for row in self.api.engine.query(sql, {"project": self.id})]

    def refused(self) -> dict[tuple[str, str], int]:
        """How many events were refused, by day and reason, as the engine has it."""
        return refusals(self.api, self.id)


def refusals(api: Api, project: int) -> dict[tuple[str, str], int]:
    api.client.app.state.services.receiver.counts.flush()
    sql = "SELECT toString(day), reason, sum(n) FROM rejections WHERE project = {project:UInt32} GROUP BY day, reason"
    return {(day, reason): n for day, reason, n in api.engine.query(sql, {"project": project})}


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


@pytest.fixture(scope="module")
def api(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """The application over the worker's engine, with a control store of its own."""
    data = tmp_path_factory.mktemp("events")
    environment = {
        "TALLYMARK_DATA": str(data), "ADMIN_API_KEY": ADMIN, "TALLYMARK_MAX_BODY_BYTES": str(LARGEST_BODY),
        "TALLYMARK_MAX_EVENT_BYTES": "4096", "TALLYMARK_MAX_PROPERTIES": "20", "TALLYMARK_LINGER_MS": "0",
        "TALLYMARK_REFRESH_SECONDS": "3600",
    }  # fmt: skip
    settings = load(environment, data / "no.env")
    start_ids(settings.control_url)
    now = datetime.now(UTC).replace(hour=12, microsecond=0)
    with TestClient(build(settings, engine, now=now.timestamp, clocked=False)) as client:
        yield Api(client, engine, now)


def start_ids(control_url: str) -> None:
    """Projects get ids after `FIRST_ID`, which is that of a deleted one."""
    now = datetime.now(UTC)
    database = open_database(control_url)
    with database.write() as session:
        session.add(
            ProjectRow(
                id=FIRST_ID, name="first", packs=[], timezone="UTC", retention_hours=1, pii="redact", bots="mark",
                created_at=now, deleted_at=now,
            )
        )  # fmt: skip
    database.close()


@pytest.fixture
def project(api: Api) -> Project:
    return api.project()


def error_of(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of an error in the common shape."""
    body = answer.json()
    assert set(body) == {"error"}
    assert {"code", "message"} <= set(body["error"]) <= {"code", "message", "field", "allowed"}
    return answer.status_code, body["error"]["code"]


def test_one_event_an_array_an_envelope_and_lines(project: Project) -> None:
    project.takes(1, {"event": "one"})
    project.takes(2, [{"event": "two"}, {"event": "three"}])
    project.takes(2, {"events": [{"event": "four"}, {"event": "five"}]})
    lines = b'{"event": "six"}\n\n{"event": "seven"}\r\n'
    project.takes(2, lines, Content_Type="application/x-ndjson")
    project.takes(0, [])
    project.takes(0, {"events": []})
    assert sorted(project.stored()) == sorted(["one", "two", "three", "four", "five", "six", "seven"])


@pytest.mark.parametrize("kind", ["text/plain;charset=UTF-8", "application/json", "application/octet-stream", ""])
def test_json_is_json_whatever_it_is_called(project: Project, kind: str) -> None:
    """`sendBeacon` can only send text/plain."""
    project.takes(1, {"event": "x"}, Content_Type=kind)


COMPRESS: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.compress, "zstd": zstd.compress, "br": brotli.compress}


@pytest.mark.parametrize("encoding", COMPRESS)
def test_compressed_bodies(project: Project, encoding: str) -> None:
    body = COMPRESS[encoding](json.dumps([{"event": f"é{n}"} for n in range(50)]).encode())
    project.takes(50, body, Content_Encoding=encoding)
    project.takes(50, body, Content_Encoding=encoding.upper())
    lines = COMPRESS[encoding](b'{"event": "a"}\n{"event": "b"}\n')
    project.takes(2, lines, Content_Encoding=encoding, Content_Type="application/x-ndjson")


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_bodies_of_several_compressed_parts(project: Project, encoding: str) -> None:
    """What `cat a.gz b.gz` makes: nothing of it is left out."""
    compress = COMPRESS[encoding]
    parts = compress(b'{"event": "a"}\n') + compress(b"") + compress(b'{"event": "b"}\n')
    project.takes(2, parts, Content_Encoding=encoding, Content_Type="application/x-ndjson")
    assert sorted(project.stored()) == ["a", "b"]


@pytest.mark.parametrize("encoding", COMPRESS)
@pytest.mark.parametrize("damage", [lambda b: b[:-6], lambda b: b"no" + b, lambda b: b"", lambda b: b + b"more"])
def test_broken_compression(project: Project, encoding: str, damage: Callable[[bytes], bytes]) -> None:
    body = damage(COMPRESS[encoding](b'{"event": "a"}' * 20))
    assert error_of(project.post(body, Content_Encoding=encoding)) == (400, "unreadable_body")
    assert project.stored() == []


def test_an_unknown_compression_is_told_with_those_there_are(project: Project) -> None:
    answer = project.post(b"x", Content_Encoding="compress")
    assert error_of(answer) == (400, "bad_request")
    assert answer.json()["error"]["allowed"] == ["identity", "gzip", "zstd", "br"]


@pytest.mark.parametrize("encoding", COMPRESS)
def test_a_decompression_bomb_is_too_large(project: Project, encoding: str) -> None:
    bomb = COMPRESS[encoding](b" " * 50_000_000)
    assert len(bomb) < LARGEST_BODY
    assert error_of(project.post(bomb, Content_Encoding=encoding)) == (413, "body_too_large")


def test_bodies_up_to_the_limit_and_beyond(project: Project) -> None:
    event = b'{"event": "x"}'
    project.takes(1, event + b" " * (LARGEST_BODY - len(event)))
    assert error_of(project.post(event + b" " * LARGEST_BODY)) == (413, "body_too_large")
    parts = itertools.repeat(b" " * 1_000, LARGEST_BODY // 1_000 + 1)
    headers = bearer(project.keys["ingest"])
    answer = project.api.client.post("/v1/events", content=parts, headers=headers)
    assert error_of(answer) == (413, "body_too_large")


@pytest.mark.parametrize(
    "body",
    [b"", b"no json", b'{"event": "x"', b'[{"event": "x"},', b"\xff\xfe", b"5", b'"event"', b"null", b'{"events": 5}',
     b'{"events": [{"event": "x"}', b"[5", b'{"events": [5', b'{"event": 5', b"[" * 100_000,
     b'{"event": ' + b"[" * 100_000, b'{"event": "\\ud83d', b'[5, "\\ud83d'],
)  # fmt: skip
def test_a_body_that_cannot_be_parsed(project: Project, body: bytes) -> None:
    assert error_of(project.post(body)) == (400, "unreadable_body")
    assert project.refused() == {}


def test_keys(project: Project, api: Api) -> None:
    body = {"event": "x"}
    answer = api.client.post("/v1/events", json=body)
    assert error_of(answer) == (401, "unauthorized")
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert error_of(project.post(body, key="tm_ingest_no")) == (401, "unauthorized")
    assert error_of(project.post(body, key=project.keys["read"])) == (403, "forbidden")
    assert project.post(body, key=project.keys["admin"]).status_code == 202
    for name in ("x-admin-key", "x-dashboard-token", "x-api-key"):
        headers = {name: project.keys["ingest"]}
        assert api.client.post("/v1/events", json=body, headers=headers).status_code == 202


def test_a_revoked_key_is_no_key(project: Project, api: Api) -> None:
    listed = api.client.get("/v1/keys", params={"project": project.name}, headers=bearer(ADMIN)).json()["keys"]
    (id,) = [key["id"] for key in listed if key["scope"] == "ingest"]
    project.takes(1, {"event": "x"})
    assert api.client.delete(f"/v1/keys/{id}", headers=bearer(ADMIN)).status_code in (200, 204)
    assert error_of(project.post({"event": "x"})) == (401, "unauthorized")


def test_a_key_of_every_project_says_which(project: Project, api: Api) -> None:
    def post(**params: str) -> httpx.Response:
        return api.client.post("/v1/events", params=params, json={"event": "x"}, headers=bearer(ADMIN))

    assert post(project=project.name).json() == {"accepted": 1, "rejected": []}
    answer = post()
    assert error_of(answer) == (400, "bad_request")
    assert answer.json()["error"]["field"] == "project"
    before = refusals(api, 0).get((f"{api.now:%F}", "unknown_project"), 0)
    receipt = post(project="nowhere").json()
    assert receipt["accepted"] == 0
    assert [rejection["reason"] for rejection in receipt["rejected"]] == ["unknown_project"]
    assert refusals(api, 0)[f"{api.now:%F}", "unknown_project"] == before + 1


def test_a_project_key_stays_in_its_project(project: Project, api: Api) -> None:
    other = api.project()
    answer = api.client.post(
        "/v1/events", params={"project": other.name}, json={"event": "x"}, headers=bearer(project.keys["ingest"])
    )
    assert error_of(answer) == (404, "not_found")
    assert other.stored() == []
    assert project.stored() == []


def test_paths_and_methods(project: Project, api: Api) -> None:
    headers = bearer(project.keys["ingest"])
    assert error_of(api.client.post("/v1/event", json={}, headers=headers)) == (404, "not_found")
    for method in ("GET", "PUT", "PATCH", "DELETE", "OPTIONS"):
        answer = api.client.request(method, "/v1/events", headers=headers)
        assert error_of(answer) == (405, "method_not_allowed")
        assert answer.headers["Allow"] == "POST"


def test_browsers_of_other_origins_may_send(project: Project, api: Api) -> None:
    asked = {
        "Origin": "https://shop.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,content-encoding",
    }
    answer = api.client.options("/v1/events", headers=asked)
    assert answer.status_code == 204
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]
    allowed = answer.headers["Access-Control-Allow-Headers"].lower()
    assert {"authorization", "content-type", "content-encoding"} <= {name.strip() for name in allowed.split(",")}

    for body, status in (({"event": "x"}, 202), (b"no json", 400)):
        answer = project.post(body, Origin="https://shop.example")
        assert answer.status_code == status
        assert answer.headers["Access-Control-Allow-Origin"] == "*"


def refused_events(now: datetime) -> list[tuple[Reason, Any]]:
    """An event for every reason that an event by itself can be refused for."""
    return [
        (Reason.MALFORMED, {"event": 5}),
        (Reason.MALFORMED, {"event": "x", "colour": "red"}),
        (Reason.MALFORMED, {"event": "x", "properties": [1]}),
        (Reason.MALFORMED, {"event": "x", "eventId": ""}),
        (Reason.MALFORMED, {"event": "x", "eventId": "i" * 513}),
        (Reason.MALFORMED, 5),
        (Reason.MISSING_EVENT, {}),
        (Reason.MISSING_EVENT, {"event": ""}),
        (Reason.MISSING_EVENT, {"timestamp": now.isoformat()}),
        (Reason.BAD_TIMESTAMP, {"event": "x", "timestamp": "yesterday"}),
        (Reason.BAD_TIMESTAMP, {"event": "x", "timestamp": "2026-02-30T00:00:00Z"}),
        (Reason.BAD_TIMESTAMP, {"event": "x", "timestamp": -5}),
        (Reason.BAD_TIMESTAMP, {"event": "x", "timestamp": 1e300}),
        (Reason.BAD_TIMESTAMP, {"event": "x", "timestamp": now.isoformat(), "sentAt": "soon"}),
        (Reason.TOO_OLD, {"event": "x", "timestamp": (now - timedelta(days=30, seconds=1)).isoformat()}),
        (Reason.TOO_OLD, {"event": "x", "timestamp": 0}),
        (Reason.IN_THE_FUTURE, {"event": "x", "timestamp": (now + timedelta(minutes=61)).isoformat()}),
        (Reason.TOO_LARGE, {"event": "x" * 201}),
        (Reason.TOO_LARGE, {"event": "x", "properties": {"a": "b" * 5_000}}),
        (Reason.TOO_MANY_PROPERTIES, {"event": "x", "properties": {f"p{n}": n for n in range(21)}}),
        (Reason.BAD_VALUE, {"event": "x", "value": "much"}),
        (Reason.BAD_VALUE, {"event": "x", "value": 1e16}),
    ]


def test_a_bad_event_is_refused_alone_and_counted(project: Project, api: Api) -> None:
    bad = refused_events(api.now)
    mixed = [part for _, event in bad for part in ({"event": "good", "eventId": secrets.token_hex(8)}, event)]
    receipt = project.send([*mixed, {"event": "good"}])
    assert receipt["accepted"] == len(bad) + 1
    told = [(rejection["index"], rejection["reason"]) for rejection in receipt["rejected"]]
    assert told == [(2 * place + 1, reason) for place, (reason, _) in enumerate(bad)]
    assert all(rejection["message"].endswith(".") for rejection in receipt["rejected"])
    assert project.stored() == ["good"] * (len(bad) + 1)
    expected: dict[tuple[str, str], int] = {}
    for reason, _ in bad:
        expected[f"{api.now:%F}", reason] = expected.get((f"{api.now:%F}", reason), 0) + 1
    assert project.refused() == expected


@pytest.mark.parametrize("form", ["alone", "envelope", "lines"])
def test_refusals_are_the_same_in_every_form(project: Project, api: Api, form: str) -> None:
    for reason, event in refused_events(api.now):
        if form == "alone" and not isinstance(event, dict):
            continue
        body, headers = {
            "alone": (event, {}),
            "envelope": ({"events": [event]}, {}),
            "lines": (json.dumps(event).encode() + b"\n", {"Content_Type": "application/x-ndjson"}),
        }[form]
        project.refuses(reason, body, **headers)
    assert project.stored() == []


def test_a_line_that_is_no_json_is_refused_alone(project: Project) -> None:
    lines = b'{"event": "a"}\nno json\n{"event": "b"}\n'
    receipt = project.send(lines, Content_Type="application/x-ndjson; charset=utf-8")
    assert receipt["accepted"] == 2
    assert [(r["index"], r["reason"]) for r in receipt["rejected"]] == [(1, "malformed")]


def test_no_message_repeats_what_was_sent(project: Project) -> None:
    secret = "s3cret"
    bodies: list[Any] = [
        {"event": "x", "timestamp": secret},
        {"event": "x", "value": secret},
        {"event": "x", "properties": secret},
        {"event": {"a": secret}},
        {"event": "x", "properties": {"card": f"4539 1488 0343 6467 {secret}"}},
    ]
    strict = project.api.project(pii="reject")
    for body in bodies:
        assert secret not in strict.post(body).text
    assert secret not in strict.post(secret.encode()).text


def test_times(project: Project, api: Api) -> None:
    at = api.now - timedelta(days=1)
    seconds = at.timestamp()
    forms = [at.isoformat(), at.isoformat().replace("+00:00", "Z"), seconds, seconds * 1_000, at.isoformat()[:19]]
    ahead = api.now + timedelta(days=400)
    corrected = {"timestamp": (ahead - timedelta(days=1)).isoformat(), "sentAt": ahead.isoformat()}
    for number, form in enumerate(forms):
        project.takes(1, {"event": "x", "timestamp": form, "eventId": f"{number}"})
    project.takes(1, {"event": "x", "eventId": "c", **corrected})
    project.takes(1, {"sentAt": ahead.isoformat(), "events": [{"event": "x", "timestamp": corrected["timestamp"]}]})
    assert project.stored("toUnixTimestamp(occurred_at)") == [int(seconds)] * (len(forms) + 2)


def test_the_first_and_the_last_time_that_is_taken(project: Project, api: Api) -> None:
    project.takes(1, {"event": "x", "timestamp": (api.now - timedelta(days=30)).isoformat()})
    project.takes(1, {"event": "x", "timestamp": (api.now + timedelta(minutes=60)).isoformat()})


def test_a_retry_counts_once(project: Project, api: Api) -> None:
    at = (api.now - timedelta(hours=1)).isoformat()
    named = {"event": "x", "eventId": "a", "visitorId": "v"}
    timed = {"event": "x", "timestamp": at, "visitorId": "v", "value": 1, "properties": {"plan": "é"}}
    other = timed | {"value": 2}
    for _ in range(3):
        project.takes(3, [named, timed, other])
        project.takes(4, [timed, timed, {"event": "x", "timestamp": at, "eventId": "a", "visitorId": "v"}, named])
    assert len(project.stored()) == 3


def test_without_id_and_time_every_event_is_another(project: Project) -> None:
    for _ in range(2):
        project.takes(2, [{"event": "x", "visitorId": "v"}] * 2)
    assert len(project.stored()) == 4


def test_the_same_id_in_two_projects_is_two_events(project: Project, api: Api) -> None:
    other = api.project()
    for owner in (project, other):
        owner.takes(1, {"event": "x", "eventId": "a", "visitorId": "v"})
    assert (len(project.stored()), len(other.stored())) == (1, 1)
    assert project.stored("actor") != other.stored("actor")


PERSONAL = {"mail": "jane@example.com", "note": {"deep": ["call 4539 1488 0343 6467 now"]}, "plan": "pro"}


def test_personal_data_is_redacted_by_default(project: Project) -> None:
    project.takes(1, {"event": "x", "properties": PERSONAL, "url": "https://shop.example/u/jane@example.com?q=1"})
    (props,) = project.stored("toString(props)")
    assert json.loads(props) == {"mail": "[email]", "note": {"deep": ["call [card] now"]}, "plan": "pro"}
    assert project.stored("path") == ["/u/[email]"]


def test_personal_data_is_refused_where_the_project_says_so(api: Api) -> None:
    project = api.project(pii="reject")
    message = project.refuses(Reason.PII, {"event": "x", "properties": PERSONAL})
    assert "mail" in message
    assert "jane" not in message
    project.takes(1, {"event": "x", "properties": {"plan": "pro"}})
    assert project.refused() == {(f"{api.now:%F}", "pii"): 1}


def test_personal_data_is_kept_where_the_project_says_so(api: Api) -> None:
    project = api.project(pii="allow")
    project.takes(1, {"event": "x", "properties": PERSONAL})
    assert json.loads(project.stored("toString(props)")[0]) == PERSONAL


def test_bots_are_marked_by_default(project: Project) -> None:
    project.takes(1, {"event": "x"}, User_Agent=BOT)
    project.takes(1, {"event": "x", "userAgent": BOT})
    project.takes(1, {"event": "x", "userAgent": BROWSER}, User_Agent=BOT)
    assert sorted(project.stored("bot")) == ["", "Googlebot", "Googlebot"]


def test_bots_are_refused_where_the_project_says_so(api: Api) -> None:
    project = api.project(bots="refuse")
    project.refuses(Reason.BOT, {"event": "x"}, User_Agent=BOT)
    receipt = project.send([{"event": "x"}, {"event": "x", "userAgent": BOT}])
    assert (receipt["accepted"], receipt["rejected"][0]["index"]) == (1, 1)
    project.takes(1, {"event": "x"}, User_Agent="python-requests/2.32")
    assert project.refused() == {(f"{api.now:%F}", "bot"): 2}


def test_a_quota_is_of_events_a_day(api: Api) -> None:
    project = api.project(quota=3)
    project.takes(2, [{"event": "x"}] * 2)
    receipt = project.send([{"event": "x"}, {"event": ""}, {"event": "x"}])
    assert receipt["accepted"] == 1
    assert [(r["index"], r["reason"]) for r in receipt["rejected"]] == [(1, "missing_event"), (2, "quota")]
    project.refuses(Reason.QUOTA, {"event": "x"})
    assert len(project.stored()) == 3
    assert project.refused() == {(f"{api.now:%F}", "quota"): 2, (f"{api.now:%F}", "missing_event"): 1}


def test_a_quota_of_nothing(api: Api) -> None:
    api.project(quota=0).refuses(Reason.QUOTA, {"event": "x"})


def test_what_the_engine_cannot_represent_is_refused_alone(project: Project) -> None:
    """Two properties whose paths are one: the engine's JSON has no room for both."""
    clash = {"event": "bad", "properties": {"a.b": 1, "a": {"b": 2}}}
    receipt = project.send([{"event": "good"}, clash, {"event": "good"}])
    assert receipt["accepted"] + len(receipt["rejected"]) == 3
    assert all((r["index"], r["reason"]) == (1, "malformed") for r in receipt["rejected"])
    assert len(project.stored()) == receipt["accepted"]
    assert project.stored().count("good") == 2


@pytest.mark.parametrize(
    "value",
    ["", "é", "😀", "\x00", "\n\t", "'\"`\\", "a" * 1_000, "日本語", "\u202e", None, True, 0, -0.0, 1e-320, 2**63,
     2**70, 1.5, [], {}, [1, "a", None], [[1], [2]], [{"a": 1}], {"a": {"b": {"c": 1}}}, {"": 1}, {"a b.c/d": 1},
     "\ud800"],
)  # fmt: skip
def test_any_json_is_taken_or_refused_by_itself(project: Project, value: Any) -> None:
    """Whatever a property is, its batch-mates are kept, and what was acknowledged is there."""
    receipt = project.send([{"event": "before"}, {"event": "it", "properties": {"p": value}}, {"event": "after"}])
    assert {rejection["index"] for rejection in receipt["rejected"]} <= {1}
    assert receipt["accepted"] + len(receipt["rejected"]) == 3
    assert len(project.stored()) == receipt["accepted"]
    assert {"before", "after"} <= set(project.stored())


def test_half_an_emoji_does_no_harm(project: Project, api: Api) -> None:
    """What a browser makes of a text that was cut within one; a malformed event beside it is refused alone."""
    cut = {"event": "cut", "properties": {"title": "so nice \ud83d"}}
    project.takes(1, cut)
    project.takes(2, [cut, {"event": "whole", "properties": {"title": "😀"}}])
    receipt = project.send({"sentAt": api.now.isoformat(), "events": [{"event": 5}, cut]})
    assert (receipt["accepted"], [r["index"] for r in receipt["rejected"]]) == (1, [0])
    titles = [json.loads(props)["title"] for props in project.stored("toString(props)")]
    assert sorted(titles) == ["so nice ?"] * 3 + ["😀"]


def test_an_envelope_with_a_time_and_a_bad_event(project: Project, api: Api) -> None:
    receipt = project.send({"sentAt": api.now.isoformat(), "events": [{"event": 5}, {"event": "good"}]})
    assert (receipt["accepted"], [r["index"] for r in receipt["rejected"]]) == (1, [0])


@pytest.mark.parametrize("name", ["é", "😀", "a'b", "page view", "x" * 200, "\x00", "日本語"])
def test_any_text_is_a_name(project: Project, name: str) -> None:
    project.takes(1, {"event": name, "visitorId": name, "sessionId": name, "eventId": name})
    assert project.stored() == [name]


def test_zero_bytes_of_deflate_are_no_encoding(project: Project) -> None:
    assert error_of(project.post(zlib.compress(b"{}"), Content_Encoding="deflate")) == (400, "bad_request")


def test_an_imported_event_may_be_old(project: Project, api: Api) -> None:
    old = {"event": "x", "timestamp": "2015-05-17T10:05:03Z"}
    answer = api.client.post("/v1/import", json=old, headers=bearer(project.keys["admin"]))
    assert (answer.status_code, answer.json()) == (202, {"accepted": 1, "rejected": []})
    answer = api.client.post("/v1/import", json=old, headers=bearer(project.keys["ingest"]))
    assert error_of(answer) == (403, "forbidden")
    answer = api.client.post("/v1/import", params={"project": "nowhere"}, json=old, headers=bearer(ADMIN))
    assert error_of(answer) == (404, "not_found")


def test_nothing_raw_is_stored(project: Project, tmp_path: Path) -> None:
    """No address, no user agent, no identifier of the sender's stands in the engine."""
    event = {"event": "x", "visitorId": "visitor-7", "userId": "user-7", "sessionId": "session-7", "ip": "192.0.2.7"}
    project.takes(1, event, User_Agent=BROWSER)
    row = json.dumps(project.stored("toString(tuple(*))"))
    for raw in ("visitor-7", "user-7", "session-7", "192.0.2.7", "AppleWebKit"):
        assert raw not in row
