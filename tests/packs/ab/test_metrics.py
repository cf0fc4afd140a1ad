"""The ab pack's declarations: what goes with what, and that other packs pay nothing for them."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from tallymark.answer.plan import Origin, plan
from tallymark.errors import BadQuery
from tallymark.rollup import sql
from tallymark.spec.catalog import Catalog
from tallymark.spec.condition import Column, Op
from tallymark.spec.measure import Rows
from tallymark.spec.metric import shared
from tallymark.spec.query import Clause, Filter, Query
from tallymark.spec.window import Window
from tests.conftest import Worlds

WINDOW = Window(date(2026, 1, 1), date(2026, 1, 31))
OF_GERMANY = Filter(((Clause("country", Op.IS, ("DE",)),),))

#: What 0.1.0 called what its rollups hold: another name would make every day of every project stale.
DIGESTS = {
    (): "c31330aa3d29e0a6",
    ("web",): "3533dacf7cc0030f",
    ("sdk",): "17954a33c03f32d1",
    ("sdk", "web"): "2484af1fca348270",
}


@pytest.mark.parametrize("packs", DIGESTS)
def test_other_packs_hold_what_they_held(catalog: Catalog, packs: tuple[str, ...]) -> None:
    only = catalog.only(packs)
    assert only.digest == DIGESTS[packs]
    assert only.measures_on(Rows.EXPOSED) == ()
    statements = [text for several in sql.rollups(only, few=False) for text in several]
    assert not any("variants" in text for text in statements)
    assert any("arrayJoin(variants)" in text for text in sql.rollups(catalog, few=False)[0])


@pytest.mark.parametrize(
    ("query", "origin"),
    [
        (Query(("experiment_events",), WINDOW), Origin.ROLLUPS),
        (Query(("experiment_events", "experiment_units"), WINDOW, by="experiment_variant"), Origin.ROLLUPS),
        (Query(("experiment_value",), WINDOW, by="experiment_variant_event"), Origin.ROLLUPS),
        (Query(("experiment_events",), WINDOW, by="event"), Origin.RAW),
        (Query(("experiment_events",), WINDOW, filter=OF_GERMANY), Origin.RAW),
        (Query(("experiment_units",), WINDOW, by="experiment_variant", filter=OF_GERMANY), Origin.RAW),
        (Query(("exposed_units",), WINDOW, by="exposed_variant"), Origin.ROLLUPS),
    ],
)
def test_where_it_is_answered_from(world: Worlds, catalog: Catalog, query: Query, origin: Origin) -> None:
    (part,) = plan(query, world(packs=("ab",)).project, catalog.only(["ab"]))
    assert (part.origin, bool(part.why)) == (origin, origin is Origin.RAW)


@pytest.mark.parametrize(
    ("metrics", "by"),
    [
        (("events",), "experiment_variant"),
        (("app_sessions",), "experiment_variant"),
        (("experiment_units", "events"), "experiment_variant"),
        (("experiment_units",), "entry_path"),
    ],
)
def test_metrics_of_other_rows_have_no_such_dimension(
    world: Worlds, catalog: Catalog, metrics: tuple[str, ...], by: str
) -> None:
    with pytest.raises(BadQuery, match="has no dimension") as error:
        plan(Query(metrics, WINDOW, by=by), world(packs=("ab", "web")).project, catalog)
    assert (error.value.field, by in (error.value.allowed or ())) == ("by", False)


def test_a_dimension_of_exposed_events_makes_days_stale(catalog: Catalog) -> None:
    (pack,) = [pack for pack in catalog.packs if pack.name == "ab"]
    other = replace(pack, dimensions=(*pack.dimensions, replace(shared("host", "", ""), exposed=Column("host"))))
    assert Catalog.of([other]).digest != Catalog.of([pack]).digest


def test_an_event_counts_once_for_each_experiment(world: Worlds) -> None:
    here, noon = world(packs=("ab",)), datetime(2026, 1, 8, 12, tzinfo=UTC)

    def event(name: str, actor: str, *variants: str, value: float = 1) -> dict[str, object]:
        return {"event": name, "actor": actor, "timestamp": noon.isoformat(), "value": value,
                "properties": {"takesPart": variants}}  # fmt: skip

    here.send(
        [event("a", "ann", "x/1", "y/2"), event("a", "bob", "x/1"), event("b", "bob"), event("b", "", "y/2")], noon
    )
    here.settle()
    names = ("experiment_events", "experiment_units", "experiment_value")
    for exact in (False, True):
        told = here.ask(Query(names, WINDOW, by="experiment_variant_event", exact=exact))
        assert [told["metrics"][name]["value"] for name in names] == [4, 2, 4]
        assert [tuple(row.values()) for row in told["breakdown"]] == [
            ("x/1/a", 2, 2, 2), ("y/2/a", 1, 1, 1), ("y/2/b", 1, 0, 1),
        ]  # fmt: skip
