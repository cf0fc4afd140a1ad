"""`daily_metric_rollups` and `daily_ingest_rollups`: every column is what plain Python makes of the events."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest

from tallymark.engine.base import Engine
from tallymark.engine.expression import literal
from tallymark.engine.views import define, note
from tallymark.ingest.counts import Counts
from tallymark.ingest.decode import Rejection
from tallymark.packs import VIEWS
from tallymark.packs.web.views import COLUMNS, rows
from tallymark.rollup.refresh import Outcome
from tallymark.spec.catalog import Catalog
from tallymark.spec.event import Reason
from tallymark.spec.query import Query
from tallymark.spec.window import Window
from tests.conftest import World, Worlds
from tests.flow.test_oracle import DAYS, PLACES, Traffic
from tests.oracle import Near, Oracle, Session, Span, agrees, day_of, window
from tests.packs.web.property import Properties, Property, days_of, properties, view

METRICS, INGEST = "daily_metric_rollups", "daily_ingest_rollups"

OF_METRICS = {
    "unique_visitors": "visitors",
    "returning_visitors": "returning_visitors",
    "total_page_views": "page_views",
    "total_entrances": "entrances",
    "total_exits": "exits",
    "total_conversions": "conversions",
    "form_starts": "form_starts",
    "form_submits": "form_submits",
    "new_leads": "new_leads",
}

Rows = list[dict[str, Any]]


def play(world: World, zone: str, first: date, seed: int) -> Oracle:
    """Sends the traffic of a seed, refreshing in between; gives the oracle of it."""
    traffic, sent = Traffic(Random(seed), zone, first), []
    arrival = datetime.fromisoformat(f"{first + timedelta(days=9)}T00:00Z")
    for batch in traffic.batches(150):
        arrival += timedelta(hours=1)
        assert world.send(batch, arrival) == []
        sent += [(round(arrival.timestamp() * 1000), event) for event in batch]
        world.settle()
    return Oracle.of(sent, zone)


def read(world: World, name: str) -> Rows:
    """A view's rows of the world's property, as an SQL client gets them."""
    define(world.engine, VIEWS)
    note(world.engine, lambda: [world.project])
    sql = f"SELECT {', '.join(COLUMNS[name])} FROM {name} WHERE property_id = {{name:String}} ORDER BY day"
    found = world.engine.query(sql, {"name": world.project.name})
    return [dict(zip(COLUMNS[name], row, strict=True)) for row in found]


def without_stamps(found: Rows) -> Rows:
    return [{k: v for k, v in row.items() if k not in ("generated_at", "updated_at")} for row in found]


@pytest.mark.parametrize(("seed", "place"), list(enumerate(PLACES[::2])))
def test_every_column(world: Worlds, seed: int, place: tuple[str, date]) -> None:
    zone, first = place
    here = world(timezone=zone)
    oracle = play(here, zone, first, seed)
    refusals = refuse(here, [first, first - timedelta(days=30)])
    metrics, ingest = read(here, METRICS), read(here, INGEST)
    eventful = {day_of(event.at, zone) for event in oracle.events}
    assert eventful <= set(days_of(metrics, "day"))
    assert set(days_of(ingest, "day")) == set(days_of(metrics, "day")) | set(refusals)
    for row in metrics:
        check_metrics(row, oracle, window(row["day"], row["day"], zone))
    for row in ingest:
        check_ingest(row, oracle, window(row["day"], row["day"], zone), refusals.get(row["day"], {}))
    check_same(here, Window(min(refusals), first + timedelta(days=DAYS + 9), zone), {METRICS: metrics, INGEST: ingest})


def refuse(world: World, days: list[date]) -> dict[date, dict[str, int]]:
    """Refuses events and leads on UTC days; gives how many, by reason."""
    counts, told = Counts(world.engine), {"malformed": 2, "lead_bad_email": 1}
    refused = [Rejection(0, Reason(reason), "") for reason, n in told.items() for _ in range(n)]
    for day in days:
        counts.add(world.project.id, round(datetime.fromisoformat(f"{day}T12:00Z").timestamp() * 1000), 0, refused)
    counts.flush()
    return dict.fromkeys(days, told)


def check_metrics(row: Mapping[str, Any], oracle: Oracle, day: Span) -> None:
    wrong = {c: (row[c], oracle.ask(m, day)) for c, m in OF_METRICS.items() if not agrees(row[c], oracle.ask(m, day))}
    assert wrong == {}
    leads = [e for e in day.of(oracle.events) if e.event == "lead_captured" and not e.bot and e.says("newLead")]
    ages = [e.at - oracle.first_seen[e.actor] for e in leads if e.actor]
    assert (row["time_to_first_capture_sum_ms"], row["time_to_first_capture_count"]) == (sum(ages), len(ages))
    views = [e for e in day.of(oracle.events) if e.event == "page_view" and not e.bot and e.channel != "internal"]
    channels = Counter(e.channel or "unknown" for e in views)
    assert json.loads(row["traffic_source_breakdown"]) == channels
    assert json.loads(row["top_landing_paths"]) == landing_paths(oracle, day)
    assert row["created_at"] <= row["generated_at"] == row["updated_at"]


def landing_paths(oracle: Oracle, day: Span) -> list[dict[str, Any]]:
    entered, landed = Counter[str](), Counter[str]()
    for session in day.of(oracle.visits):
        assert isinstance(session, Session)
        entered[session.entry_path] += session.marked("isEntrance")
        landed[session.entry_path] += session.landed
    top = sorted(((path, n) for path, n in entered.items() if n), key=lambda pair: (-pair[1], pair[0].encode()))
    return [{"path": path, "entrances": n, "conversions": landed[path]} for path, n in top[:10]]


def check_ingest(row: Mapping[str, Any], oracle: Oracle, day: Span, refused: Mapping[str, int]) -> None:
    assert row["events_accepted"] == oracle.ask("events_accepted", day)
    assert row["leads_accepted"] == oracle.ask("lead_captures", day)
    assert json.loads(row["error_breakdown"]) == refused
    leads = sum(n for reason, n in refused.items() if reason.startswith("lead_"))
    assert (row["events_rejected"], row["leads_rejected"]) == (sum(refused.values()) - leads, leads)
    p95 = oracle.ask("ttfb_p95", day)
    if isinstance(p95, Near):
        assert abs(row["p95_ttfb_ms"] - p95.value) <= 0.005 * p95.value + 0.5
    else:
        assert row["p95_ttfb_ms"] is None
    assert (row["generated_at"] is None) == (row["events_accepted"] + row["leads_accepted"] == 0)


def check_same(world: World, days: Window, views: Mapping[str, Rows]) -> None:
    """What the API tells of a property is what its views have."""
    for name, found in views.items():
        told = rows(world.engine, world.project, name, days)
        for row, of in zip(told, found, strict=True):
            for column, value in row.items():
                as_told = json.loads(of[column]) if column.endswith(("breakdown", "paths")) else of[column]
                assert column.endswith("_at") or value == (str(as_told) if column in ("id", "day") else as_told)


def test_the_quantile_is_the_summarys(world: Worlds) -> None:
    here, random = world(), Random(7)
    waits = [random.choice((0, 0.5, random.expovariate(0.01), random.expovariate(1e-6))) for _ in range(60)]
    for day, n in enumerate((1, 2, 7, 20, 60), 1):
        sent = [view(f"2026-03-{day:02}", f"v{i}", properties={"ttfbMs": w}) for i, w in enumerate(waits[:n])]
        here.send(sent, datetime.fromisoformat("2026-04-01T00:00Z"))
    here.settle()
    query = Query(("ttfb_p95",), Window(date(2026, 3, 1), date(2026, 3, 5)))
    series = here.ask(query)["metrics"]["ttfb_p95"]["series"]
    assert days_of(read(here, INGEST), "p95_ttfb_ms") == [round(point["value"]) for point in series]


def test_again_is_the_same(world: Worlds) -> None:
    here, (zone, first) = world(timezone="America/St_Johns"), ("America/St_Johns", date(2026, 3, 6))
    play(here, zone, first, 3)
    before = {name: read(here, name) for name in COLUMNS}
    days = days_of(before[METRICS], "day")
    assert set(here.refresh(days).values()) == {Outcome.UNCHANGED}
    assert {name: read(here, name) for name in COLUMNS} == before
    assert set(here.refresh(days, force=True).values()) == {Outcome.PUBLISHED}
    after = {name: read(here, name) for name in COLUMNS}
    for name in COLUMNS:
        assert without_stamps(after[name]) == without_stamps(before[name])
        stamps = zip(days_of(before[name], "generated_at"), days_of(after[name], "generated_at"), strict=True)
        assert all(new > old for old, new in stamps)


def test_only_the_ten_largest_paths_and_no_others(world: Worlds) -> None:
    here = world()
    sent = [
        view("2026-03-01", f"v{path}-{i}", url=f"https://a.example/{path:02}/\\'ß")
        for path in range(12)
        for i in range(1 + (path > 3))
    ]
    here.send(sent, datetime.fromisoformat("2026-03-02T00:00Z"))
    here.settle()
    ((told,),) = [(json.loads(row["top_landing_paths"]),) for row in read(here, METRICS)]
    assert [(path["path"][:3], path["entrances"]) for path in told] == [
        *((f"/{path:02}", 2) for path in range(4, 12)), ("/00", 1), ("/01", 1),
    ]  # fmt: skip


def test_ids_stay_and_are_apart(world: Worlds) -> None:
    here, other = world(), world()
    for each in (here, other):
        each.send([view("2026-03-01"), view("2026-03-02")], datetime.fromisoformat("2026-03-03T00:00Z"))
        each.settle()
    ids = [row["id"] for each in (here, other) for name in COLUMNS for row in read(each, name)]
    assert len(set(ids)) == len(ids) == 8
    assert all(isinstance(id, UUID) and (id.version, id.variant) == (8, "specified in RFC 4122") for id in ids)
    renamed = here.changed(name="renamed")
    assert [row["id"] for row in read(renamed, METRICS)] == ids[:2]
    assert days_of(read(renamed, METRICS), "property_id") == ["renamed", "renamed"]


def test_projects_without_the_pack_are_not_there(world: Worlds) -> None:
    here = world(packs=())
    here.send([view("2026-03-01")], datetime.fromisoformat("2026-03-03T00:00Z"))
    here.settle()
    assert read(here, METRICS) == read(here, INGEST) == []


def test_they_are_made_of_the_declared_measures(catalog: Catalog) -> None:
    of_ingest = ("events_accepted", "lead_captures", "ttfb_p95")
    of_metrics = (*OF_METRICS.values(), "time_to_capture", "arrivals")
    for name, metrics in ((METRICS, of_metrics), (INGEST, of_ingest)):
        assert all(literal(m.key) in VIEWS[name] for metric in metrics for m in catalog.metrics[metric].measures)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, engine: Engine) -> Iterator[Properties]:
    with properties(tmp_path_factory.mktemp("views"), engine) as running:
        yield running


@pytest.fixture
def site(app: Properties) -> Property:
    return app.make(timezone="Asia/Kolkata")


def names(site: Property) -> set[str]:
    return {row[0] for row in site.here.engine.query("SELECT name FROM projects FINAL")}


def test_names_follow_the_projects(app: Properties, site: Property) -> None:
    assert site.name in names(site)
    site.bring(view("2024-03-04"))
    old = site.name
    site.change(name="another-name")
    assert "another-name" in names(site)
    assert old not in names(site)
    sql = f"SELECT property_id, total_page_views FROM {METRICS} WHERE property_id IN ('another-name', {{old:String}})"
    assert list(site.here.engine.query(sql, {"old": old})) == [("another-name", 1)]
    site.client.delete("/v1/projects/another-name", headers={"x-admin-key": "the-admin-key"})
    assert "another-name" not in names(site)
    assert list(site.here.engine.query(sql, {"old": old})) == []


def test_rows_without_sql(site: Property) -> None:
    site.bring(view("2024-03-04", properties={"ttfbMs": 120}), view("2024-03-05"), view("2024-01-05"))
    body = site.get(f"/rollups/{METRICS}").json()
    assert list(body) == ["ok", "rows"]
    assert body["ok"] is True
    assert days_of(body["rows"], "day") == ["2024-03-04", "2024-03-05"]
    assert [list(row) for row in body["rows"]] == [list(COLUMNS[METRICS])] * 2
    assert body["rows"][0]["traffic_source_breakdown"] == {"direct": 1}
    assert body["rows"][0]["top_landing_paths"] == [{"path": "/", "entrances": 1, "conversions": 0}]
    assert body["rows"][0]["property_id"] == site.name
    assert datetime.fromisoformat(body["rows"][0]["generated_at"]).utcoffset() == timedelta(0)
    (told,) = site.get(f"/rollups/{INGEST}", from_="2024-03-04", to="2024-03-04").json()["rows"]
    assert list(told) == list(COLUMNS[INGEST])
    assert (told["events_accepted"], told["p95_ttfb_ms"], told["error_breakdown"]) == (1, 120, {})


@pytest.mark.parametrize(
    ("path", "params", "key", "status", "code"),
    [
        (f"/rollups/{METRICS}", {}, None, 401, "unauthorized"),
        ("/rollups/other", {}, None, 401, "unauthorized"),
        ("/rollups/other", {}, "admin", 404, "not_found"),
        (f"/rollups/{METRICS}", {}, "read", 403, "forbidden"),
        (f"/rollups/{METRICS}", {"compareTo": "previous"}, "admin", 400, "bad_query"),
        (f"/rollups/{METRICS}", {"from_": "2024-03-02", "to": "2024-03-01"}, "admin", 400, "bad_query"),
    ],
)
def test_what_is_refused(
    site: Property, path: str, params: dict[str, str], key: str | None, status: int, code: str
) -> None:
    answer = site.get(path, key and site.keys[key], **params)
    assert (answer.status_code, answer.json()["ok"], answer.json()["error"]) == (status, False, code)
