"""`POST /web/v1/events` through the real application: bodies, senders, properties, visitors, forms and refusals."""

import gzip
import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from tallymark.app import build
from tallymark.config import load
from tallymark.control.database import open_database
from tallymark.control.models import ProjectRow
from tallymark.engine.base import Engine
from tallymark.errors import QueueFull

ADMIN = "admin-of-every-project"
PATH = "/web/v1/events"
LARGEST_BODY = 100_000

BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Mobile Safari/604.1"
HOME, OTHER_HOME = "93.184.216.34", "93.184.216.35"
SHOP = "https://shop.example"
LISTED = "https://thanks.example"

#: The worker's engine is shared: projects here have ids that no other test's have.
FIRST_ID = itertools.count(41_000_000, 10_000)


@dataclass
class Clock:
    """A clock that is set by hand."""

    now: datetime

    def __call__(self) -> float:
        return self.now.timestamp()


@dataclass
class World:
    """The application, its clock, and an address in a data centre."""

    client: TestClient[Litestar]
    engine: Engine
    clock: Clock
    hosted: str = ""
    _names: Iterator[int] = field(default_factory=itertools.count)

    def project(self, **more: Any) -> "Property":
        """A new project with the pack."""
        body = {"name": f"w{next(self._names)}", "packs": ["web"], **more}
        answer = self.client.post("/v1/projects", json=body, headers=bearer(ADMIN))
        assert answer.status_code == 201, answer.text
        created = answer.json()
        return Property(self, created["project"]["id"], created["project"]["name"], created["keys"])

    def post(self, body: Any, query: dict[str, str] | None = None, **headers: str) -> httpx.Response:
        """Sends bytes as they are, anything else as JSON; header names are written with underscores."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {"User-Agent": BROWSER, "X-Forwarded-For": HOME}
        named |= {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.post(PATH, content=content, params=query, headers=named, follow_redirects=False)


@dataclass
class Property:
    """A property and its keys."""

    world: World
    id: int
    name: str
    keys: dict[str, str]

    def post(self, body: Any, **headers: str) -> httpx.Response:
        return self.world.post(body, {"propertyId": self.name}, **headers)

    def takes(self, n: int, body: Any, **headers: str) -> None:
        """Sends a body of which everything is taken."""
        answer = self.post(body, **headers)
        assert (answer.status_code, answer.json()) == (202, {"ok": True, "accepted": n, "rejected": []})

    def form(self, fields: dict[str, str], **headers: str) -> httpx.Response:
        kind = {"Content_Type": "application/x-www-form-urlencoded"}
        return self.post(urlencode(fields).encode(), **kind, **headers)

    def stored(self, columns: str = "event") -> list[Any]:
        """A column of the property's events, each once."""
        sql = f"SELECT {columns} FROM events FINAL WHERE project = {{project:UInt32}} ORDER BY occurred_at, event"
        return [row[0] for row in self.world.engine.query(sql, {"project": self.id})]

    def props(self) -> list[dict[str, Any]]:
        return [json.loads(text) for text in self.stored("toString(props)")]

    def asks(self, *metrics: str) -> dict[str, float]:
        """Today's numbers."""
        day = f"{self.world.clock.now:%F}"
        answer = self.world.client.get(
            "/v1/query",
            params={"project": self.name, "metrics": ",".join(metrics), "from": day, "to": day},
            headers=bearer(self.keys["read"]),
        )
        assert answer.status_code == 200, answer.text
        return {name: told["value"] for name, told in answer.json()["metrics"].items()}


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def start_ids(control_url: str) -> None:
    """Projects get ids that no other store's have: after that of a deleted one."""
    now = datetime.now(UTC)
    database = open_database(control_url)
    with database.write() as session:
        session.add(
            ProjectRow(
                id=next(FIRST_ID), name="first", packs=[], timezone="UTC", retention_hours=1, pii="redact", bots="mark",
                created_at=now, deleted_at=now,
            )
        )  # fmt: skip
    database.close()


def serve(engine: Engine, data: Path, **more: str) -> Iterator[World]:
    environment = {
        "TALLYMARK_DATA": str(data), "ADMIN_API_KEY": ADMIN, "TALLYMARK_MAX_BODY_BYTES": str(LARGEST_BODY),
        "TALLYMARK_LINGER_MS": "0", "TALLYMARK_REFRESH_SECONDS": "3600", "TALLYMARK_TRUSTED_PROXIES": "1", **more,
    }  # fmt: skip
    settings = load(environment, data / "no.env")
    start_ids(settings.control_url)
    clock = Clock(datetime.now(UTC).replace(hour=12, microsecond=0))
    with TestClient(build(settings, engine, now=clock, clocked=False)) as client:
        world = World(client, engine, clock)
        hosting = client.app.state.services.hosting
        world.hosted = next(ip for n in range(256) if hosting.is_hosting(ip := f"3.{n}.1.1"))
        yield world


@pytest.fixture(scope="module")
def world(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The application over the worker's engine, with a control store of its own."""
    yield from serve(engine, tmp_path_factory.mktemp("capture"))


@pytest.fixture(scope="module")
def keyed(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The same where pages need a key and only some origins may send."""
    allowed = {"TALLYMARK_WEB_CAPTURE": "keyed", "CORS_ALLOWED_ORIGINS": f"{SHOP},{LISTED}"}
    yield from serve(engine, tmp_path_factory.mktemp("keyed"), **allowed)


@pytest.fixture
def shop(world: World) -> Property:
    return world.project()


def error_of(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of an error in the contract's shape."""
    body = answer.json()
    assert body["ok"] is False
    assert {"ok", "error", "message"} <= set(body) <= {"ok", "error", "message", "field", "allowed"}
    return answer.status_code, body["error"]


def test_one_event_an_array_and_an_envelope(shop: Property) -> None:
    shop.takes(1, {"eventType": "one"})
    shop.takes(2, [{"event": "two"}, {"type": "three"}])
    shop.takes(2, {"events": [{"eventType": "four"}, {"event_type": "five", "plan": "pro"}]})
    shop.takes(0, [])
    assert sorted(shop.stored()) == sorted(["one", "two", "three", "four", "five"])


@pytest.mark.parametrize("kind", ["text/plain;charset=UTF-8", "application/json", "application/octet-stream", ""])
def test_json_is_json_whatever_it_is_called(shop: Property, kind: str) -> None:
    shop.takes(1, {"eventType": "x"}, Content_Type=kind)


def test_a_compressed_body(shop: Property) -> None:
    shop.takes(1, gzip.compress(b'{"eventType": "x"}'), Content_Encoding="gzip")


def test_everything_an_event_says(shop: Property) -> None:
    at = shop.world.clock.now - timedelta(hours=1)
    shop.takes(1, {
        "eventType": "pageview", "eventId": "e-1", "occurredAt": at.isoformat(), "visitorId": "v", "sessionId": "s",
        "path": "/pricing", "referrer": "https://news.example/a", "trafficSource": "paid_social", "title": "Prices",
        "deviceType": "tv", "utm": {"source": "nl", "campaign": "spring"}, "engagedTimeMs": 1200, "clsScore": 0.02,
        "isEntrance": True, "value": 2, "plan": "pro", "properties": {"a": 1}, "consent": "granted",
    }, Origin=SHOP)  # fmt: skip
    columns = "host, path, referrer_host, channel, source, campaign, device, value, toUnixTimestamp(occurred_at)"
    (row,) = shop.stored(f"tuple({columns})")
    assert tuple(row) == (
        "shop.example", "/pricing", "news.example", "paid_social", "nl", "spring", "desktop", 2, int(at.timestamp()),
    )  # fmt: skip
    assert shop.stored() == ["page_view"]
    assert shop.props() == [
        {"plan": "pro", "a": 1, "isEntrance": True, "engagedTimeMs": 1200, "clsScore": 0.02, "consent": "granted"}
    ]


def test_the_page_is_the_referer_where_none_is_named(shop: Property) -> None:
    shop.takes(1, {"eventType": "page_view"}, Referer=f"{SHOP}/u/jane@example.com?utm_source=nl")
    assert shop.stored("tuple(host, path, source)") == [("shop.example", "/u/[email]", "nl")]


def test_personal_data_in_forms_is_redacted(shop: Property) -> None:
    assert shop.form({"eventType": "x", "mail": "jane@example.com", "card": "4539 1488 0343 6467"}).status_code == 202
    assert shop.props() == [{"mail": "[email]", "card": "[card]"}]


def test_a_bad_event_is_refused_alone_and_counted(shop: Property) -> None:
    bad = [{"eventType": 5}, {}, {"eventType": "x", "value": "much"}, {"eventType": "x", "consent": "huh"}]
    answer = shop.post([*bad, {"eventType": "good"}])
    assert answer.status_code == 202
    told = answer.json()
    assert (told["ok"], told["accepted"]) == (True, 1)
    reasons = [(r["index"], r["reason"]) for r in told["rejected"]]
    assert reasons == [(0, "malformed"), (1, "missing_event"), (2, "bad_value"), (3, "malformed")]
    assert all(set(r) == {"index", "reason", "message"} for r in told["rejected"])
    shop.world.client.app.state.services.receiver.counts.flush()
    sql = "SELECT reason, sum(n) FROM rejections WHERE project = {project:UInt32} GROUP BY reason"
    counted = {reason: n for reason, n in shop.world.engine.query(sql, {"project": shop.id})}
    assert counted == {"malformed": 2, "missing_event": 1, "bad_value": 1}


def test_where_everything_is_refused_the_answer_is_400(shop: Property) -> None:
    answer = shop.post([{"eventType": "x", "timestamp": "soon"}, {}])
    body = answer.json()
    assert (answer.status_code, body["ok"], body["error"], body["accepted"]) == (400, False, "bad_timestamp", 0)
    assert body["message"] == body["rejected"][0]["message"]
    assert len(body["rejected"]) == 2
    assert shop.stored() == []


@pytest.mark.parametrize(
    ("body", "kind"),
    [(b"no json", "application/json"), (b"", ""), (b"5", ""), (b"\xff", "application/x-www-form-urlencoded"),
     (b"x", "multipart/form-data; boundary=B"), (b"x", "multipart/form-data")],
)  # fmt: skip
def test_a_body_that_cannot_be_read(shop: Property, body: bytes, kind: str) -> None:
    assert error_of(shop.post(body, Content_Type=kind)) == (400, "unreadable_body")


def test_other_errors_have_the_contracts_shape(shop: Property, monkeypatch: pytest.MonkeyPatch) -> None:
    assert error_of(shop.post(b" " * (LARGEST_BODY + 1))) == (413, "body_too_large")
    assert error_of(shop.post(b"x", Content_Encoding="compress")) == (400, "bad_request")
    for method in ("GET", "PUT", "DELETE", "OPTIONS"):
        answer = shop.world.client.request(method, PATH)
        assert error_of(answer) == (405, "method_not_allowed")
        assert answer.headers["allow"] == "POST"

    async def full(*_: Any) -> list[int]:
        raise QueueFull("Too many events wait.")

    monkeypatch.setattr(shop.world.client.app.state.services.writer, "write", full)
    answer = shop.post({"eventType": "x"})
    assert error_of(answer) == (503, "queue_full")
    assert answer.headers["retry-after"] == "1"


def test_properties(world: World, shop: Property) -> None:
    other = world.project()
    default = world.project(name="default")
    world.project(name="unpacked", packs=[])
    both = [{"type": "a"}, {"type": "b", "propertyId": other.name}, {"type": 5, "propertyId": other.name},
            {"type": "c", "property_id": "nowhere"}, {"type": "d", "propertyId": "unpacked"}]  # fmt: skip
    answer = shop.post(both)
    assert answer.status_code == 202
    told = answer.json()
    reasons = [(r["index"], r["reason"]) for r in told["rejected"]]
    assert (told["accepted"], reasons) == (2, [(2, "malformed"), (3, "unknown_project"), (4, "unknown_project")])
    assert (shop.stored(), other.stored()) == (["a"], ["b"])
    assert world.post({"type": "e"}).status_code == 202
    assert default.stored() == ["e"]
    assert error_of(world.post({"type": "x", "propertyId": "nowhere"})) == (404, "not_found")
    assert error_of(world.post({"type": "x"}, {"propertyId": "nowhere"})) == (404, "not_found")
    assert error_of(world.post([], {"propertyId": "nowhere"})) == (404, "not_found")
    answer = world.post([{"type": "x", "propertyId": name} for name in ("nowhere", "unpacked")])
    assert (answer.status_code, answer.json()["error"]) == (400, "unknown_project")


def test_the_key_says_whose_events_they_are(shop: Property, world: World) -> None:
    other, event = world.project(), {"type": "x"}
    assert world.post(event, Authorization=f"Bearer {shop.keys['ingest']}").status_code == 202
    assert world.post(event, {"key": shop.keys["ingest"]}).status_code == 202
    assert world.post(event, x_api_key=shop.keys["admin"]).status_code == 202
    assert len(shop.stored()) == 3
    assert error_of(world.post(event, {"key": shop.keys["read"]})) == (403, "forbidden")
    assert error_of(world.post(event, {"key": "nobodys"})) == (401, "unauthorized")
    assert error_of(world.post(event, {"key": shop.keys["ingest"], "propertyId": other.name})) == (403, "forbidden")
    assert error_of(world.post(event, {"key": shop.keys["ingest"]}, x_api_key="nobodys")) == (401, "unauthorized")
    mixed = world.post([event, event | {"propertyId": other.name}], {"key": shop.keys["ingest"]}).json()
    assert (mixed["accepted"], [(r["index"], r["reason"]) for r in mixed["rejected"]]) == (1, [(1, "unknown_project")])
    assert other.stored() == []


def test_where_capture_is_keyed_a_key_is_needed(keyed: World) -> None:
    shop, event = keyed.project(), {"type": "x"}
    assert error_of(shop.post(event)) == (401, "unauthorized")
    assert error_of(shop.post([])) == (401, "unauthorized")
    assert error_of(shop.form(event)) == (401, "unauthorized")
    assert keyed.post(event, {"key": shop.keys["ingest"]}).status_code == 202
    assert shop.post(event, Authorization=f"Bearer {shop.keys['ingest']}").status_code == 202
    assert len(shop.stored()) == 2


def test_visitors_without_a_cookie(shop: Property, world: World) -> None:
    view = {"type": "page_view"}
    other = world.project()
    for _ in range(2):
        shop.takes(1, view)
        other.takes(1, view)
    assert len({*shop.stored("actor")}) == 1
    assert not {*shop.stored("actor"), *shop.stored("origin")} & {*other.stored("actor"), *other.stored("origin"), 0}
    shop.takes(1, view, X_Forwarded_For=OTHER_HOME)
    shop.takes(1, view, User_Agent=PHONE)
    assert len({*shop.stored("actor")}) == 3
    shop.takes(1, view | {"visitorId": "v"})
    shop.takes(1, view | {"visitorId": "v"}, X_Forwarded_For=OTHER_HOME)
    assert shop.asks("page_views", "visitors") == {"page_views": 6, "visitors": 4}
    today = world.clock.now
    world.clock.now += timedelta(days=1)
    try:
        shop.takes(1, view)
    finally:
        world.clock.now = today
    assert len({*shop.stored("actor")}) == 5


def test_without_consent_nobody_is_followed(shop: Property) -> None:
    for said in ("denied", False, {"analytics": False}):
        shop.takes(1, {"type": "page_view", "visitorId": f"v-{said}", "userId": "u", "sessionId": "s", "consent": said})
    shop.takes(1, {"type": "page_view"})
    assert len({*shop.stored("actor")}) == 1
    assert {*shop.stored("session")} == {0}
    assert [props.get("consent") for props in shop.props()].count("denied") == 3


def test_a_relay_speaks_for_browsers(shop: Property) -> None:
    key = {"Authorization": f"Bearer {shop.keys['ingest']}", "User_Agent": "python-httpx/0.28", "X_Forwarded_For": HOME}
    view = {"type": "page_view"}
    browsers = [view | {"ip": ip, "userAgent": agent} for ip in (HOME, OTHER_HOME) for agent in (BROWSER, PHONE)]
    shop.takes(5, [*browsers, browsers[0]], **key)
    assert len({*shop.stored("actor")}) == 4
    assert sorted(shop.stored("device")) == ["desktop"] * 3 + ["mobile"] * 2
    shop.takes(1, view)
    assert len({*shop.stored("actor")}) == 4, "the first browser, by itself"


def test_a_relay_that_names_nobody_is_nobody(shop: Property) -> None:
    key = {"Authorization": f"Bearer {shop.keys['ingest']}", "User_Agent": "python-httpx/0.28"}
    shop.takes(1, {"type": "page_view", "userAgent": BROWSER}, **key)
    assert (shop.stored("actor"), shop.stored("origin")) == ([0], [0])


@pytest.mark.parametrize("name", ["lead_captured", "consent_given", "consent_withdrawn"])
def test_pages_do_not_tell_of_people(shop: Property, name: str) -> None:
    answer = shop.world.post({"propertyId": shop.name, "type": name, "properties": {"newLead": True}})
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"] == "malformed"
    assert "/web/v1/leads/capture" in answer.json()["message"]
    public = shop.world.post({"propertyId": shop.name, "type": name}, Authorization=f"Bearer {shop.keys['ingest']}")
    assert public.status_code == 400, public.text
    shop.takes(1, {"type": name}, Authorization=f"Bearer {shop.keys['admin']}")


def test_nobody_else_does(shop: Property) -> None:
    said = {"type": "page_view", "ip": OTHER_HOME, "userAgent": PHONE}
    shop.takes(1, said)
    assert shop.world.post(said, {"key": shop.keys["ingest"]}).status_code == 202
    shop.takes(1, {"type": "page_view"})
    assert len({*shop.stored("actor")}) == 1
    assert {*shop.stored("device")} == {"desktop"}


def test_browsers_in_data_centres_are_bots(shop: Property) -> None:
    view = {"type": "page_view"}
    shop.takes(1, view)
    shop.takes(1, view, X_Forwarded_For=shop.world.hosted)
    assert sorted(shop.stored("bot")) == ["", "data centre"]
    relay = {"x_api_key": shop.keys["ingest"], "User_Agent": "node", "X_Forwarded_For": shop.world.hosted}
    shop.takes(1, view | {"userAgent": BROWSER}, **relay)
    shop.takes(1, view | {"userAgent": BROWSER, "ip": shop.world.hosted.rpartition(".")[0] + ".2"}, **relay)
    assert shop.asks("page_views", "bot_views") == {"page_views": 2, "bot_views": 2}


def test_nothing_raw_is_stored(shop: Property) -> None:
    shop.takes(1, {"type": "x", "visitorId": "visitor-7", "userId": "user-7", "sessionId": "session-7"})
    row = json.dumps(shop.stored("toString(tuple(*))"))
    for raw in ("visitor-7", "user-7", "session-7", HOME, "AppleWebKit"):
        assert raw not in row


FORM = {"eventType": "form_submit", "form": "contact", "isConversion": "on"}


def test_a_form_goes_back_to_its_page(shop: Property) -> None:
    answer = shop.form(FORM, Origin=SHOP, Referer=f"{SHOP}/contact?a=b")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{SHOP}/contact?a=b")
    answer = shop.form(FORM | {"redirect": "/thanks"}, Origin=SHOP, Sec_Fetch_Mode="navigate")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{SHOP}/thanks")
    body = b'--B\r\nContent-Disposition: form-data; name="eventType"\r\n\r\nform_submit\r\n--B--\r\n'
    answer = shop.post(body, Content_Type="multipart/form-data; boundary=B", Referer=f"{SHOP}/contact")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{SHOP}/contact")
    assert sorted(shop.stored("path")) == ["", "/contact", "/contact"]
    assert shop.props().count({"form": "contact", "isConversion": True}) == 2


def test_a_form_that_asks_for_a_foreign_page_is_stored_and_stays(shop: Property) -> None:
    answer = shop.form(FORM | {"next": "https://evil.example"}, Origin=SHOP, Referer=f"{SHOP}/contact")
    assert answer.status_code == 202
    redirect = {"error": "redirect_not_allowed", "allowed": [SHOP, "/path"]}
    assert answer.json() == {"ok": True, "accepted": 1, "rejected": [], "redirect": redirect}
    assert "location" not in answer.headers
    assert shop.props() == [{"form": "contact", "isConversion": True}]


def test_listed_pages_may_be_gone_to(keyed: World) -> None:
    shop = keyed.project()
    key = {"x_api_key": shop.keys["ingest"]}
    answer = shop.form(FORM | {"redirectTo": f"{LISTED}/a"}, Origin=SHOP, **key)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{LISTED}/a")
    assert error_of(shop.form(FORM, Origin="https://evil.example", **key)) == (403, "origin_not_allowed")
    assert error_of(shop.form(FORM, Origin="null", **key)) == (403, "origin_not_allowed")


def test_a_form_without_a_page_is_answered(shop: Property) -> None:
    assert shop.form(FORM).json() == {"ok": True, "accepted": 1, "rejected": []}
    assert shop.form(FORM | {"redirect": "/thanks"}, Origin="null").json()["redirect"]["allowed"] == []


def test_a_form_that_a_script_sends_is_answered(shop: Property) -> None:
    for mode in ("cors", "no-cors"):
        answer = shop.form(FORM | {"redirect": "https://evil.example"}, Referer=f"{SHOP}/a", Sec_Fetch_Mode=mode)
        assert (answer.status_code, answer.json()) == (202, {"ok": True, "accepted": 1, "rejected": []})


def test_a_form_that_is_refused_goes_nowhere(shop: Property) -> None:
    answer = shop.form(FORM | {"value": "much"}, Origin=SHOP, Referer=f"{SHOP}/contact")
    assert (answer.status_code, answer.json()["error"]) == (400, "bad_value")
    assert "location" not in answer.headers


def test_a_retry_counts_once(shop: Property) -> None:
    event = {"eventType": "page_view", "id": "e-1", "visitorId": "v"}
    for _ in range(3):
        shop.takes(1, event)
    assert shop.stored() == ["page_view"]
