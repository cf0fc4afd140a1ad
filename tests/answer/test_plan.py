"""Where metrics are answered from, and why."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from tallymark.answer.plan import Origin, check_window, plan
from tallymark.errors import BadQuery
from tallymark.spec.catalog import Catalog
from tallymark.spec.condition import Op
from tallymark.spec.measure import Rows
from tallymark.spec.project import Project
from tallymark.spec.query import Clause, Filter, Query
from tallymark.spec.window import Grain, Window
from tests.conftest import Worlds

WINDOW = Window(date(2026, 1, 1), date(2026, 1, 31))
ON_PATH = Filter(
    ((Clause("path", Op.IS, ("/",)), Clause("path", Op.CONTAINS, ("a",))), (Clause("path", Op.IS_NOT, ("/b",)),))
)
ON_TWO = Filter(((Clause("path", Op.IS, ("/",)),), (Clause("country", Op.IS, ("DE",)),)))

Projects = Callable[..., Project]


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({}, ""),
        ({"by": "path"}, ""),
        ({"filter": ON_PATH}, ""),
        ({"filter": ON_PATH, "by": "path"}, ""),
        ({"window": replace(WINDOW, grain=Grain.MONTH)}, ""),
        ({"exact": True}, "asked for"),
        ({"window": replace(WINDOW, timezone="Asia/Kolkata")}, "rollups are of days in UTC"),
        ({"window": replace(WINDOW, grain=Grain.HOUR)}, "rollups are of days"),
        ({"filter": ON_TWO}, "rollups hold one dimension at a time"),
        ({"filter": ON_PATH, "by": "country"}, "rollups hold one dimension at a time"),
    ],
)
def test_a_count_is_answered_from_rollups_where_they_hold_it(
    project: Projects, catalog: Catalog, fields: dict[str, Any], why: str
) -> None:
    (part,) = plan(Query(**{"metrics": ("page_views",), "window": WINDOW, **fields}), project(), catalog)
    assert (part.origin, part.why) == (Origin.RAW if why else Origin.ROLLUPS, why)


def test_quantiles_are_rolled_up_for_totals_only(project: Projects, catalog: Catalog) -> None:
    (total,) = plan(Query(("ttfb_p75",), WINDOW), project(), catalog)
    assert total.origin is Origin.ROLLUPS
    (broken_down,) = plan(Query(("ttfb_p75",), WINDOW, by="path"), project(), catalog)
    assert broken_down.origin is Origin.RAW


def test_a_metrics_plan_does_not_depend_on_the_others(project: Projects, catalog: Catalog) -> None:
    names = ("ttfb_p75", "page_views", "sessions", "new_visitors", "visitors")
    parts = plan(Query(names, WINDOW, by="country"), project(), catalog)
    together = {metric.name: (part.origin, part.rows, part.why) for part in parts for metric in part.metrics}
    for name in names:
        (alone,) = plan(Query((name,), WINDOW, by="country"), project(), catalog)
        assert together[name] == (alone.origin, alone.rows, alone.why)
    assert parts[0].metrics[0].name == names[0]


def test_raw_events_and_sessions_are_read_apart(project: Projects, catalog: Catalog) -> None:
    parts = plan(Query(("sessions", "page_views", "bounce_rate"), WINDOW, exact=True), project(), catalog)
    assert [(part.rows, [metric.name for metric in part.metrics]) for part in parts] == [
        (Rows.SESSIONS, ["sessions", "bounce_rate"]),
        (Rows.EVENTS, ["page_views"]),
    ]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        (Query(("nothing",), WINDOW), "metrics"),
        (Query(("page_views",), WINDOW, by="entry_path"), "by"),
        (Query(("page_views", "sessions"), WINDOW, by="path"), "by"),
        (Query(("sessions",), WINDOW, filter=ON_PATH), "filter"),
    ],
)
def test_names_that_do_not_go_together_are_refused(
    project: Projects, catalog: Catalog, query: Query, field: str
) -> None:
    with pytest.raises(BadQuery) as error:
        plan(query, project(), catalog)
    assert error.value.field == field
    assert error.value.allowed


@pytest.mark.parametrize(("grain", "longest"), [(Grain.HOUR, 93), (Grain.DAY, 3_660)])
def test_windows_are_as_long_as_their_grain_allows(grain: Grain, longest: int) -> None:
    first = date(2000, 1, 1)
    fits = Window(first, date.fromordinal(first.toordinal() + longest - 1), "UTC", grain)
    check_window(Query(("events",), fits))
    with pytest.raises(BadQuery, match=f"{longest + 1} days"):
        check_window(Query(("events",), replace(fits, last=date.fromordinal(fits.last.toordinal() + 1))))


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize(
    ("metrics", "keys"),
    [
        (("page_views", "visitors"), ["/one", "/two"]),
        (("visitors", "page_views"), ["/two", "/one"]),
        (("new_visitors", "page_views"), ["/two", "/one"]),
        (("views_per_visitor", "visitors"), ["/one", "/two"]),
    ],
)
def test_the_rows_of_a_breakdown_are_the_largest_by_the_first_metric(
    world: Worlds, metrics: tuple[str, ...], keys: list[str], exact: bool
) -> None:
    here, noon = world(), datetime(2026, 1, 8, 12, tzinfo=UTC)
    view = {"event": "page_view", "timestamp": noon.isoformat()}
    one = [{**view, "visitorId": "ann", "url": "https://a.example/one", "eventId": f"{i}"} for i in range(3)]
    two = [{**view, "visitorId": name, "url": "https://a.example/two"} for name in ("bob", "cem")]
    here.send([*one, *two], noon)
    here.settle()
    told = here.ask(Query(metrics, WINDOW, by="path", exact=exact))
    assert [row["key"] for row in told["breakdown"]] == keys
    assert here.ask(Query(metrics, WINDOW, by="path", exact=exact, limit=1))["breakdown"] == told["breakdown"][:1]
