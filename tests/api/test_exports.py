"""`/v1/exports` through the real application: ordered, written, downloaded, expired, cancelled, and who may."""

import csv
import hashlib
import io
import json
import shutil
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient

from tallymark.app import build
from tallymark.control.exports import MOST_OPEN
from tallymark.engine.base import Engine
from tallymark.spec.export import Format, What
from tests.api.export_app import ADMIN, DAY, TODAY, Api, export_api, running, settings_of, start_ids
from tests.s3 import S3, running_s3

DAYS = {"from": str((TODAY - 3 * DAY).date()), "to": str((TODAY - DAY).date())}
NOBODY = "exp_" + "A" * 32


@pytest.fixture
def api(engine: Engine, tmp_path: Path) -> Iterator[Api]:
    with export_api(engine, tmp_path) as running:
        yield running


@pytest.fixture(scope="module")
def shared(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """The same for tests that change nothing for others."""
    with export_api(engine, tmp_path_factory.mktemp("shared")) as running:
        yield running


@pytest.fixture
def asleep(engine: Engine, tmp_path: Path) -> Api:
    """An application that takes orders and writes none: it is not started."""
    return not_started(engine, tmp_path)


@pytest.fixture(scope="module")
def refusing(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Api:
    """The same for tests whose orders are refused."""
    return not_started(engine, tmp_path_factory.mktemp("refusing"))


def not_started(engine: Engine, directory: Path) -> Api:
    api = Api(settings_of(directory))
    start_ids(api.settings)
    api.client = TestClient(build(api.settings, engine, now=api.now))
    api.keys = api.project("site")
    return api


def test_from_the_order_to_the_file(api: Api) -> None:
    body = {
        "project": "site", "what": "metrics", "format": "csv", "metrics": ["page_views", "visitors"], "range": DAYS,
        "filters": ["path:is:/0|/1", "country:is_not:FR"],
    }  # fmt: skip
    answer = api.client.post("/v1/exports", headers={"Authorization": f"Bearer {api.keys['read']}"}, json=body)
    ordered = answer.json()
    assert answer.status_code == 202
    assert answer.headers["location"] == f"/v1/exports/{ordered['id']}"
    assert answer.headers["cache-control"] == "no-store"
    assert (ordered["status"], ordered["downloadUrl"], ordered["sha256"]) == ("waiting", None, None)
    assert ordered["progress"] == {"rows": 0, "of": None, "share": None}
    done = api.finished(ordered)
    assert all(done[name] == body[name] for name in ("project", "what", "format", "metrics", "filters"))
    assert done["range"] == {**DAYS, "timezone": "UTC", "grain": "day"}
    assert (done["status"], done["rows"], done["error"]) == ("done", 3, None)
    assert done["progress"] == {"rows": 3, "of": 3, "share": 1.0}
    content = api.content(done)
    assert (done["bytes"], done["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
    # of the day so many days ago: paths /0, /1, /2 in turn, two views of each visitor in turn
    rows = [[str((TODAY - ago * DAY).date()), *map(str, numbers(ago))] for ago in (3, 2, 1)]
    assert list(csv.reader(io.StringIO(content.decode()))) == [["bucket", "page_views", "visitors"], *rows]


def numbers(ago: int) -> tuple[int, int]:
    """Views and visitors of a day, of the paths /0 and /1."""
    seen = [n for n in range(ago + 1) if n % 3 < 2]
    return len(seen), len({n // 2 for n in seen})


@pytest.mark.parametrize("format", Format)
@pytest.mark.parametrize("what", What)
def test_whatever_is_ordered_twice_is_the_same_file(shared: Api, what: What, format: Format) -> None:
    metrics = ["page_views"] if what is What.METRICS else None
    first, second = (shared.done(what=what, format=format, metrics=metrics, range=DAYS) for _ in range(2))
    content = shared.content(first)
    assert first["id"] != second["id"]
    assert content == shared.content(second)
    assert first["sha256"] == second["sha256"] == hashlib.sha256(content).hexdigest()
    assert len(content) == first["bytes"] > 0
    assert first["fileName"] == f"site-{what}-{DAYS['from']}-{DAYS['to']}.{format}"


def test_raw_events_as_they_were_sent(api: Api) -> None:
    export = api.done(what="events", format="jsonl", metrics=None, range=DAYS)
    events = [json.loads(line) for line in api.content(export).splitlines()]
    assert len(events) == export["rows"] == 2 + 3 + 4
    assert sorted(event["path"] for event in events) == sorted(f"/{n % 3}" for ago in (1, 2, 3) for n in range(ago + 1))


def test_days_beside_the_range_and_the_last_thirty_by_default(asleep: Api) -> None:
    flat = asleep.order(**DAYS, timezone="Asia/Kolkata", grain="hour")
    assert flat["range"] == {**DAYS, "timezone": "Asia/Kolkata", "grain": "hour"}
    assert asleep.order(range={**DAYS}, grain="week")["range"]["grain"] == "week"
    asleep.stands_at = TODAY
    assert asleep.order()["range"] == {
        "from": str((TODAY - 29 * DAY).date()), "to": str(TODAY.date()), "timezone": "UTC", "grain": "day",
    }  # fmt: skip


def test_a_key_of_a_project_need_not_name_it(asleep: Api) -> None:
    status, body = asleep.ask("POST", "/v1/exports", asleep.keys["admin"], json={"what": "events", "format": "csv"})
    assert (status, body["project"]) == (202, "site")
    assert asleep.ask("GET", "/v1/exports", asleep.keys["admin"])[1]["exports"] == [body]
    status, body = asleep.ask("POST", "/v1/exports", json={"what": "events", "format": "csv"})
    assert (status, body["error"]["field"]) == (400, "project")


@pytest.mark.parametrize(
    ("wrong", "field", "allowed"),
    [
        ({"what": None}, "what", "events"),
        ({"what": "everything"}, "what", "rollups"),
        ({"what": 1}, "what", None),
        ({"format": None}, "format", "parquet"),
        ({"format": "pdf"}, "format", "xlsx"),
        ({"metrics": None}, "metrics", "visitors"),
        ({"metrics": ["wishes"]}, "metrics", "visitors"),
        ({"metrics": "visitors"}, "metrics", None),
        ({"metrics": [1]}, "metrics", None),
        ({"by": "planet"}, "by", "country"),
        ({"by": 7}, "by", None),
        ({"filters": ["planet:is:Mars"]}, "filters", "country"),
        ({"filters": ["country:like:D"]}, "filters", "is_not"),
        ({"filters": ["country"]}, "filters", "is"),
        ({"filters": [""]}, "filters", None),
        ({"filters": ["path:matches:("]}, "filters", None),
        ({"filters": "country:is:DE"}, "filters", None),
        ({"what": "events"}, "metrics", None),
        ({"what": "events", "metrics": None, "by": "country"}, "by", None),
        ({"what": "events", "metrics": None, "filters": ["planet:is:Mars"]}, "filters", "country"),
        ({"what": "events", "metrics": None, "grain": "day"}, "grain", None),
        ({"range": {"from": "yesterday"}}, "from", None),
        ({"range": {"from": "2026-02-30"}}, "from", None),
        ({"range": {"from": "2026-02-02", "to": "2026-02-01"}}, "from", None),
        ({"range": {"from": "1990-01-01", "to": "2026-02-01"}}, "from", None),
        ({"range": {"grain": "year"}}, "grain", "month"),
        ({"range": {"timezone": "Mars/Olympus"}}, "timezone", None),
        ({"range": {"until": "2026-02-01"}}, "range.until", "timezone"),
        ({"range": {"from": 20260201}}, "from", None),
        ({"range": "2026"}, "range", None),
        ({"range": {"from": "2026-02-01"}, "from": "2026-02-01"}, "from", None),
        ({"since": "2026-02-01"}, "since", "range"),
        ({"project": 7}, "project", None),
    ],
)
def test_every_mistake_is_told_with_what_is_allowed(
    refusing: Api, wrong: dict[str, Any], field: str, allowed: str | None
) -> None:
    order = {"project": "site", "what": "metrics", "format": "csv", "metrics": ["visitors"], **wrong}
    status, body = refusing.ask("POST", "/v1/exports", json={k: v for k, v in order.items() if v is not None})
    assert status == 400, body
    assert (body["error"]["code"], body["error"].get("field")) == ("bad_query", field), body
    assert allowed is None or allowed in body["error"]["allowed"]
    assert refusing.ask("GET", "/v1/exports?project=site")[1] == {"exports": []}


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [(b"{", 400, "unreadable_body"), (b"[]", 400, "bad_query"), (b'{"a":"' + b"x" * 70_000, 413, "body_too_large")],
)
def test_what_is_no_order(refusing: Api, body: bytes, status: int, code: str) -> None:
    said = refusing.ask("POST", "/v1/exports", content=body)
    assert (said[0], said[1]["error"]["code"]) == (status, code)


def test_who_may(api: Api) -> None:
    keys, others = api.keys, api.project("shop")
    numbers = api.done()
    events = api.done(what="events", metrics=None)
    order = {"project": "site", "what": "events", "format": "csv"}

    def status(method: str, path: str, key: str | None, **more: Any) -> int:
        return api.ask(method, path, key, **more)[0]

    assert status("POST", "/v1/exports", None, content=b"{") == 401
    for key, wanted in (
        (None, 401),
        ("guessed", 401),
        (keys["ingest"], 403),
        (keys["read"], 403),
        (others["admin"], 404),
    ):
        assert status("POST", "/v1/exports", key, json=order) == wanted
        for method in ("GET", "DELETE"):
            assert status(method, f"/v1/exports/{events['id']}", key) == wanted
        assert status("GET", "/v1/exports?project=site", key) == (200 if key == keys["read"] else wanted)
    for key in (keys["ingest"], others["read"]):
        assert status("GET", f"/v1/exports/{numbers['id']}", key) == (403 if key == keys["ingest"] else 404)
    assert status("GET", f"/v1/exports/{numbers['id']}", keys["read"]) == 200
    assert status("GET", f"/v1/exports/{NOBODY}", ADMIN) == 404
    listed = api.ask("GET", "/v1/exports", keys["read"])[1]["exports"]
    assert [export["id"] for export in listed] == [numbers["id"]]
    listed = api.ask("GET", "/v1/exports", keys["admin"])[1]["exports"]
    assert [export["id"] for export in listed] == [events["id"], numbers["id"]]
    assert api.ask("GET", "/v1/exports", others["admin"])[1] == {"exports": []}


def test_a_link_needs_no_key_and_says_what_it_leads_to(api: Api) -> None:
    export = api.done(range=DAYS)
    answer = api.get(export["downloadUrl"])
    assert answer.headers["content-type"].startswith("text/csv; charset=utf-8")
    assert answer.headers["content-length"] == str(export["bytes"])
    assert answer.headers["content-disposition"] == (
        f'attachment; filename="site-metrics-{DAYS["from"]}-{DAYS["to"]}.csv"'
    )
    assert answer.headers["etag"] == f'"{export["sha256"]}"'
    assert answer.headers["x-content-type-options"] == "nosniff"
    head = api.get(export["downloadUrl"], "HEAD")
    assert (head.status_code, head.content) == (200, b"")
    same = set(answer.headers) - {"date", "ratelimit"}
    assert {name: head.headers[name] for name in same} == {name: answer.headers[name] for name in same}


def test_scripts_of_other_origins_may_read_what_is_said_of_the_file(engine: Engine, tmp_path: Path) -> None:
    with export_api(engine, tmp_path, CORS_ALLOWED_ORIGINS="https://shop.example") as api:
        answer = api.get(api.done()["downloadUrl"], Origin="https://shop.example", Range="bytes=0-0")
        assert answer.status_code == 206
        readable = answer.headers["access-control-expose-headers"].lower().replace(" ", "").split(",")
        assert {"content-disposition", "content-range", "etag"} <= set(answer.headers)
        limits = {"ratelimit", "ratelimit-policy"}
        assert {"content-disposition", "content-range", "etag", "location", "retry-after"} | limits == set(readable)


def test_exports_of_raw_events_hide_no_others(asleep: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tallymark.api.exports._LISTED", 2)
    numbers = asleep.order()
    events = [asleep.order(what="events", metrics=None) for _ in range(3)]
    assert asleep.ask("GET", "/v1/exports", asleep.keys["read"])[1]["exports"] == [numbers]
    assert asleep.ask("GET", "/v1/exports", asleep.keys["admin"])[1]["exports"] == events[:0:-1]


def test_a_link_that_was_changed_leads_nowhere(api: Api) -> None:
    export, other = api.done(), api.done()
    url = export["downloadUrl"]
    expires = url.partition("expires=")[2].partition("&")[0]
    changed = [
        url.replace(expires, str(int(expires) + 1)),
        url.replace(f"expires={expires}", "expires=99999999999"),
        url.replace(f"expires={expires}", "expires=never"),
        url.replace(f"expires={expires}&", ""),
        url.replace(f"expires={expires}", f"expires=%2B{expires}"),
        url.replace(export["id"], other["id"]),
        url.replace(export["id"], NOBODY),
        url.partition("&signature")[0],
        url[:-1] + ("A" if url[-1] != "A" else "B"),
        url.replace("signature=", "signature=%FF%00"),
    ]
    for broken in changed:
        answer = api.get(broken)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "forbidden"), broken
        assert api.get(broken, "HEAD").status_code == 403
    assert api.get(url).status_code == 200


def test_a_link_lives_as_long_as_its_file(api: Api) -> None:
    export = api.done()
    link = api.show(export)["downloadUrl"]
    api.ahead = timedelta(hours=24, seconds=-10)
    assert api.get(link).status_code == 200
    assert api.show(export)["downloadUrl"] == link
    api.ahead = timedelta(hours=24, seconds=1)
    for method in ("GET", "HEAD"):
        assert api.get(link, method).status_code == 410
    assert api.get(link).json()["error"]["code"] == "gone"
    shown = api.show(export)
    assert (shown["status"], shown["downloadUrl"], shown["sha256"]) == ("expired", None, export["sha256"])


def test_how_long_files_live_can_be_set(engine: Engine, tmp_path: Path) -> None:
    with export_api(engine, tmp_path, TALLYMARK_EXPORT_HOURS="2") as api:
        link = api.done()["downloadUrl"]
        api.ahead = timedelta(hours=1.9)
        assert api.get(link).status_code == 200
        api.ahead = timedelta(hours=2.1)
        assert api.get(link).status_code == 410


def test_a_part_of_a_file(api: Api) -> None:
    export = api.done(what="events", metrics=None)
    content, link = api.content(export), export["downloadUrl"]
    size, tag = len(content), f'"{export["sha256"]}"'
    for asked, first, end in (
        ("bytes=0-0", 0, 1), ("bytes=5-9", 5, 10), ("bytes=5-", 5, size), ("bytes=-7", size - 7, size),
        (f"bytes=5-{size + 100}", 5, size), (f"bytes=-{size + 100}", 0, size),
    ):  # fmt: skip
        answer = api.get(link, Range=asked)
        assert (answer.status_code, answer.content) == (206, content[first:end]), asked
        assert answer.headers["content-range"] == f"bytes {first}-{end - 1}/{size}"
        assert answer.headers["content-length"] == str(end - first)
    for ignored in ("bytes=9-5", "bytes=1-2,4-5", "lines=1-2", "bytes=a-b", "bytes=", "bytes=-"):
        answer = api.get(link, Range=ignored)
        assert (answer.status_code, answer.content) == (200, content), ignored
    for beyond in (f"bytes={size}-", "bytes=-0"):
        answer = api.get(link, Range=beyond)
        assert (answer.status_code, answer.headers["content-range"]) == (416, f"bytes */{size}"), beyond
    assert api.get(link, **{"Range": "bytes=0-0", "If-Range": tag}).status_code == 206
    assert api.get(link, **{"Range": "bytes=0-0", "If-Range": '"another"'}).content == content


def test_a_file_of_nothing(api: Api) -> None:
    export = api.done(what="events", format="jsonl", metrics=None, range={"from": "2020-01-01", "to": "2020-01-01"})
    assert (export["rows"], export["bytes"], export["progress"]["share"]) == (0, 0, 1.0)
    answer = api.get(export["downloadUrl"])
    assert (answer.status_code, answer.content, answer.headers["content-length"]) == (200, b"", "0")
    assert api.get(export["downloadUrl"], Range="bytes=0-").status_code == 416


def test_what_is_deleted_is_gone(api: Api) -> None:
    export = api.done()
    assert [path.name for path in api.folder.iterdir()] == [f"{export['id']}.csv"]
    assert api.ask("DELETE", f"/v1/exports/{export['id']}") == (200, {"deleted": export})
    assert list(api.folder.iterdir()) == []
    assert api.ask("GET", f"/v1/exports/{export['id']}")[0] == 404
    assert api.ask("DELETE", f"/v1/exports/{export['id']}")[0] == 404
    assert api.get(export["downloadUrl"]).status_code == 410


def test_a_file_that_is_lost_is_gone(api: Api) -> None:
    export = api.done()
    (api.folder / f"{export['id']}.csv").unlink()
    for headers in ({}, {"Range": "bytes=0-0"}):
        assert api.get(export["downloadUrl"], **headers).status_code == 410


def test_twenty_at_once_and_no_more(asleep: Api) -> None:
    made = [asleep.order() for _ in range(MOST_OPEN)]
    body = {"project": "site", "what": "metrics", "format": "csv", "metrics": ["visitors"]}
    answer = asleep.client.post("/v1/exports", headers={"Authorization": f"Bearer {ADMIN}"}, json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "too_many_requests")
    assert int(answer.headers["retry-after"]) > 0
    asleep.project("shop")
    asleep.order(project="shop")
    assert asleep.ask("DELETE", f"/v1/exports/{made[0]['id']}")[1]["deleted"]["status"] == "waiting"
    asleep.order()


def test_what_waits_is_written_once_there_is_a_writer(asleep: Api, engine: Engine) -> None:
    made = [asleep.order() for _ in range(3)]
    with running(asleep, engine):
        assert [asleep.finished(export)["status"] for export in made] == ["done"] * 3
        assert not list(asleep.drafts.iterdir())


def crowd(api: Api, n: int) -> None:
    """So many events on one day."""
    at = (TODAY - 2 * DAY).timestamp()
    for start in range(0, n, 10_000):
        api.send(
            api.keys["admin"],
            [
                {"event": "tick", "visitorId": f"v-{i % 999}", "eventId": f"t-{i}", "timestamp": at + i % 80_000,
                 "properties": {"n": i, "text": f"some text {i * 7919 % 10_007}"}}
                for i in range(start, start + 10_000)
            ],
        )  # fmt: skip


def test_what_is_being_written_tells_how_far_and_can_be_cancelled(api: Api) -> None:
    crowd(api, 20_000)
    long, waiting = (api.order(what="events", format="xlsx", metrics=None) for _ in range(2))
    shown = api.until(long, "running")
    assert (shown["downloadUrl"], shown["rows"], shown["bytes"]) == (None, None, None)
    assert api.show(waiting)["status"] == "waiting"
    while (progress := api.show(long)["progress"])["of"] is None:
        time.sleep(0.01)
    assert 0 < progress["rows"] <= progress["of"]
    assert 0 < progress["share"] <= 1
    for export in (waiting, long):
        assert api.ask("DELETE", f"/v1/exports/{export['id']}")[0] == 200
    until = time.monotonic() + 30
    while list(api.drafts.iterdir()) and time.monotonic() < until:
        time.sleep(0.02)
    assert list(api.drafts.iterdir()) == []
    assert not api.folder.exists() or list(api.folder.iterdir()) == []
    assert api.ask("GET", "/v1/exports?project=site")[1] == {"exports": []}
    assert api.done()["status"] == "done"


def test_a_server_that_stops_leaves_it_to_the_next_one(engine: Engine, tmp_path: Path) -> None:
    with export_api(engine, tmp_path) as api:
        crowd(api, 20_000)
        undisturbed = api.done(what="events", format="xlsx", metrics=None)
        export = api.order(what="events", format="xlsx", metrics=None)
        api.until(export, "running")
    assert list(api.drafts.iterdir()) == []
    with running(api, engine):
        done = api.finished(export)
    assert (done["status"], done["sha256"]) == ("done", undisturbed["sha256"])
    assert done["rows"] == 20_000 + 9


def test_with_a_project_its_exports_go(api: Api) -> None:
    export = api.done()
    other = api.project("shop")
    kept = api.done(project="shop", what="events", metrics=None)
    assert api.ask("DELETE", "/v1/projects/site")[0] == 200
    assert [path.name for path in api.folder.iterdir()] == [f"{kept['id']}.csv"]
    assert api.get(export["downloadUrl"]).status_code == 410
    assert api.ask("GET", f"/v1/exports/{export['id']}")[0] == 404
    assert api.ask("GET", "/v1/exports", other["admin"])[1]["exports"][0]["id"] == kept["id"]


def test_a_failure_says_why_and_leaves_nothing(api: Api) -> None:
    shutil.rmtree(api.drafts, ignore_errors=True)
    api.drafts.write_text("in the way")
    export = api.finished(api.order())
    assert (export["status"], export["downloadUrl"], export["rows"]) == ("failed", None, None)
    assert export["error"].startswith("The file could not be written: ")
    assert str(api.drafts) not in export["error"]
    api.drafts.unlink()
    assert api.done()["status"] == "done"


def test_exports_leave_room_on_the_disk(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tallymark.jobs.exports._RESERVE", 1 << 60)
    export = api.finished(api.order())
    assert (export["status"], export["error"].endswith("MB of disk are free.")) == ("failed", True)


def test_behind_a_proxy_links_name_what_is_outside(engine: Engine, tmp_path: Path) -> None:
    with export_api(engine, tmp_path, TALLYMARK_TRUSTED_PROXIES="1") as api:
        export = api.done()
        headers = {
            "Authorization": f"Bearer {ADMIN}", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "tally.example",
        }  # fmt: skip
        shown = api.client.get(f"/v1/exports/{export['id']}", headers=headers).json()
        assert shown["downloadUrl"].startswith(f"https://tally.example/v1/exports/{export['id']}/file?expires=")


def purged(api: Api, **params: str) -> int:
    """How many things the purge's step takes."""
    status, body = api.ask("POST", "/v1/purge", params=params)
    assert status == 200
    (step,) = [step for step in body["steps"] if step["step"] == "exports"]
    assert step["error"] is None
    count: int = step["count"]
    return count


def test_the_purge_takes_files_past_their_time_and_later_the_exports(api: Api) -> None:
    old = api.done()
    api.ahead = timedelta(hours=23)
    new = api.done()
    assert purged(api, dryRun="true") == purged(api) == 0
    api.ahead = timedelta(hours=25)
    assert purged(api, dryRun="true") == 1
    assert len(list(api.folder.iterdir())) == 2
    assert purged(api) == 1
    assert [path.name for path in api.folder.iterdir()] == [f"{new['id']}.csv"]
    assert [api.show(export)["status"] for export in (old, new)] == ["expired", "done"]
    api.ahead = timedelta(days=7, hours=23)
    assert purged(api, dryRun="true") == purged(api) == 1
    assert api.show(old)["status"] == "expired"
    api.ahead = timedelta(days=8, minutes=1)
    assert purged(api, dryRun="true") == purged(api) == 1
    assert api.ask("GET", f"/v1/exports/{old['id']}")[0] == 404
    assert api.get(old["downloadUrl"]).status_code == 410
    assert purged(api) == 0


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    with running_s3(tmp_path_factory.mktemp("s3")) as server:
        yield server


def test_files_in_a_bucket(engine: Engine, tmp_path: Path, s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in s3.credentials.items():
        monkeypatch.setenv(name, value)
    with export_api(engine, tmp_path, TALLYMARK_FILES=s3.url("tally/exports")) as api:
        export = api.done(what="events", metrics=None)
        stored = s3.objects / "tally" / "exports" / f"{export['id']}.csv"
        content = api.content(export)
        assert content == stored.read_bytes()
        assert hashlib.sha256(content).hexdigest() == export["sha256"]
        assert api.get(export["downloadUrl"], Range="bytes=3-9").content == content[3:10]
        assert api.settings.files_path == tmp_path / "files"
        assert not (tmp_path / "files" / "exports").exists()
        deleted = api.done()
        assert api.ask("DELETE", f"/v1/exports/{deleted['id']}")[0] == 200
        assert [path.name for path in stored.parent.iterdir()] == [stored.name]
        api.ahead = timedelta(hours=25)
        assert purged(api) == 1
        assert not stored.exists()
        assert api.get(export["downloadUrl"]).status_code == 410


def test_a_bucket_that_refuses(engine: Engine, tmp_path: Path, s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a-key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "guessed")
    with export_api(engine, tmp_path, TALLYMARK_FILES=s3.url()) as api:
        export = api.finished(api.order())
        assert export["status"] == "failed"
        assert export["error"].startswith("The bucket refuses these credentials: see AWS_ACCESS_KEY_ID")
        assert list(api.drafts.iterdir()) == []
        body = api.ask("POST", "/v1/purge")[1]
        errors = {step["step"]: step["error"] for step in body["steps"]}
        assert errors["exports"] == "The place where files are kept can't be used now."
        assert [step for step, error in errors.items() if error] == ["exports", "archives"]
        assert {"leases", "events", "keys"} <= errors.keys()
