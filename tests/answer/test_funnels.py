"""Funnels agree with an oracle in plain Python, whatever happens at the same instant or at the very end."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tallymark.answer.behaviour.daily_funnel import daily_funnel, daily_params
from tallymark.answer.behaviour.funnel import FunnelAnswer, Reached, actors_who_left, answer_funnel
from tallymark.errors import BadQuery
from tallymark.packs import BUILTIN
from tallymark.spec.behaviour import FunnelQuery
from tallymark.spec.catalog import Catalog
from tallymark.spec.condition import Op
from tallymark.spec.funnel import Funnel
from tallymark.spec.funnel_draft import read_steps
from tallymark.spec.query import Clause, Filter
from tallymark.spec.window import Window, midnight
from tests import behaviour_oracle as oracle
from tests.behaviour_oracle import Act
from tests.conftest import World, Worlds

DAY = date(2026, 3, 3)
START = int(midnight(DAY, "UTC").timestamp()) * 1000
NOW = datetime(2026, 3, 20, tzinfo=UTC)
ONE_DAY = Window(DAY, DAY)

#: What a step may be, as it is asked for and in Python.
STEPS: dict[str, tuple[Any, Callable[[Act], bool]]] = {
    "a": ("a", lambda act: act.event == "a"),
    "b": ("b", lambda act: act.event == "b"),
    "c": ("c", lambda act: act.event == "c"),
    "a or b": ({"event": ["a", "b"]}, lambda act: act.event in ("a", "b")),
    "gold a": (
        {"event": "a", "where": {"props.plan": "gold"}}, lambda act: act.event == "a" and act.props["plan"] == "gold"
    ),
    "on a path": ({"where": {"path": {"op": "contains", "values": ["/X"]}}}, lambda act: "/x" in act.path.lower()),
}  # fmt: skip


def known(world: World, acts: Sequence[Act]) -> list[Act]:
    """Sends events; gives them with the ids that they have now."""
    assert world.send([act.wire(i) for i, act in enumerate(acts)], NOW) == []
    rows = world.engine.query(
        "SELECT toUInt32(toString(props.n)), event_id FROM events WHERE project = {project:UInt32}",
        {"project": world.project.id},
    )
    ids: dict[int, int] = {number: id for number, id in rows}
    return [replace(act, id=ids[i]) for i, act in enumerate(acts)]


def funnel(*steps: str, within: int) -> Funnel:
    return Funnel("f", "F", read_steps([STEPS[step][0] for step in steps], "steps"), within)


def ask(world: World, query: FunnelQuery) -> FunnelAnswer:
    return answer_funnel(world.engine, query, world.project, world.catalog)


def told(reached: Reached) -> oracle.Funnel:
    return oracle.Funnel(reached.actors, tuple((took.median, took.p90) for took in reached.taking))


def expected(acts: Sequence[Act], steps: Sequence[str], within: int, passes: Callable[[Act], bool]) -> list[list[Act]]:
    fits = [STEPS[step][1] for step in steps]
    inside = lambda act: START <= act.at < START + oracle.DAY_MS and passes(act)  # noqa: E731  # a sentence
    return [way for mine in oracle.people(acts).values() if (way := oracle.walk(mine, fits, inside, within * 1000))]


WITHIN = 10
#: Instants that meet: equal ones, neighbours, and those exactly as far apart as a funnel may take, or a bit further.
INSTANTS = sorted({base + step for base in (0, oracle.DAY_MS - 1) for step in (0, 1, 2, 9_999, 10_000, 10_001, 5_000)})

happenings = st.builds(
    Act,
    actor=st.sampled_from(("ann", "bob", "зоя", "dan", "")),
    event=st.sampled_from(("a", "a", "b", "c", "d")),
    at=st.sampled_from(INSTANTS).map(lambda ms: START + ms),
    country=st.sampled_from(("DE", "US", "")),
    path=st.sampled_from(("/", "/x/1", "/X")),
    bot=st.sampled_from((False, False, False, True)),
    props=st.sampled_from(({"plan": "gold"}, {"plan": "free"})),
)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    acts=st.lists(happenings, min_size=1, max_size=40),
    steps=st.lists(st.sampled_from(sorted(STEPS)), min_size=2, max_size=5),
    country=st.sampled_from((None, "DE")),
)
def test_funnels_agree_with_the_oracle(world: Worlds, acts: list[Act], steps: list[str], country: str | None) -> None:
    here = world()
    sent = known(here, acts)
    filter = Filter(((Clause("country", Op.IS, (country,)),),)) if country else Filter()
    query = FunnelQuery(funnel(*steps, within=WITHIN), ONE_DAY, filter, by="path", limit=100)
    ways = expected(sent, steps, WITHIN, lambda act: country in (None, act.country))
    answer = ask(here, query)
    assert told(answer.overall) == oracle.funnel(ways, len(steps))
    for key in {way[0].path for way in ways} | {group.key for group in answer.groups}:
        (group,) = (group for group in answer.groups if group.key == key)
        assert told(group) == oracle.funnel([way for way in ways if way[0].path == key], len(steps))


def acts_of(actor: str, *happened: tuple[str, int]) -> list[Act]:
    """What an actor did: events and seconds since the day began."""
    return [Act(actor, event, START + seconds * 1000, props={"plan": ""}) for event, seconds in happened]


@pytest.mark.parametrize(
    ("happened", "reached"),
    [
        ([("a", 0), ("b", 10)], 2),  # exactly in time
        ([("a", 0), ("b", 11)], 1),
        ([("a", 0), ("b", 0)], 2),  # the same instant: in the order of the steps
        ([("b", 0), ("a", 0)], 2),
        ([("b", 0), ("a", 1)], 1),
        ([("a", 0), ("a", 9), ("b", 12)], 1),  # an actor enters once, with the first event
        ([("a", 0), ("c", 1), ("b", 2)], 2),  # what is no step doesn't matter
        ([("a", 86_399), ("b", 86_405)], 2),  # a later step may be beyond the window
        ([("a", -1), ("b", 1)], 0),
        ([("a", -1), ("a", 1), ("b", 11)], 2),
        ([("a", 86_400), ("b", 86_401)], 0),
    ],
)
def test_what_counts_as_a_step(world: Worlds, happened: list[tuple[str, int]], reached: int) -> None:
    here = world()
    known(here, acts_of("ann", *happened))
    answer = ask(here, FunnelQuery(funnel("a", "b", within=WITHIN), ONE_DAY))
    assert answer.overall.actors == tuple(int(reached > step) for step in range(2))


def test_a_step_that_is_there_twice_needs_two_events(world: Worlds) -> None:
    here = world()
    known(
        here, [*acts_of("once", ("a", 0)), *acts_of("twice", ("a", 0), ("a", 0)), *acts_of("late", ("a", 0), ("a", 5))]
    )
    answer = ask(here, FunnelQuery(funnel("a", "a", within=WITHIN), ONE_DAY))
    assert answer.overall.actors == (3, 2)
    assert answer.overall.taking[0].median == 2.5


def test_small_groups_are_added_up(world: Worlds) -> None:
    here = world()
    acts = [replace(act, path=f"/{place}") for place in range(6) for i in range(place + 1)
            for act in acts_of(f"{place}-{i}", ("a", 0), ("b", 1 + i))]  # fmt: skip
    known(here, acts)
    answer = ask(here, FunnelQuery(funnel("a", "b", within=WITHIN), ONE_DAY, by="path", limit=2))
    assert [(group.key, group.actors) for group in answer.groups] == [
        ("/5", (6, 6)), ("/4", (5, 5)), ("(other)", (10, 10)),
    ]  # fmt: skip
    assert answer.groups[-1].taking[0].median == 2.0


def test_those_who_left_come_in_pages(world: Worlds) -> None:
    here = world()
    acts = [act for i in range(7) for act in acts_of(f"u{i}", ("a", 0), *([("b", 1)] if i % 2 else []))]
    known(here, acts)
    query = FunnelQuery(funnel("a", "b", within=WITHIN), ONE_DAY, limit=3)
    first = actors_who_left(here.engine, query, here.project, here.catalog, 1, "")
    second = actors_who_left(here.engine, query, here.project, here.catalog, 1, first[-1])
    hashes = here.engine.query(
        "SELECT lower(hex(actor)) FROM events WHERE project = {project:UInt32} GROUP BY actor HAVING count() = 1",
        {"project": here.project.id},
    )
    assert [*first, *second] == sorted(row[0].rjust(16, "0") for row in hashes)
    assert (len(first), len(second)) == (3, 1)


def exposure(actor: str, variant: str, seconds: int, experiment: str = "it's") -> Act:
    props = {"experiment": experiment, "variant": variant, "plan": ""}
    return Act(actor, "experiment_exposure", START + seconds * 1000, props=props)


def test_variants_are_of_the_first_exposure(world: Worlds) -> None:
    here = world()
    acts = [
        *acts_of("green", ("a", 0), ("b", 3)), exposure("green", "green", 0), exposure("green", "green", 2),
        *acts_of("both", ("a", 1), ("b", 3)), exposure("both", "green", 0), exposure("both", "blue", 20),
        *acts_of("early", ("a", 0), ("a", 7), ("b", 8)), exposure("early", "blue", 5),
        *acts_of("before", ("a", 0)), exposure("before", "blue", 5),
        *acts_of("elsewhere", ("a", 1)), exposure("elsewhere", "blue", 0, "other"),
        *acts_of("long ago", ("a", 1)), exposure("long ago", "blue", -40 * 86_400),
        *acts_of("nobody", ("a", 1)),
    ]  # fmt: skip
    known(here, acts)
    answer = ask(here, FunnelQuery(funnel("a", "b", within=20), ONE_DAY, experiment="it's"))
    assert {group.key: group.actors for group in answer.groups} == {"green": (1, 1), "blue": (2, 1)}
    assert [group.key for group in answer.groups] == ["blue", "green"]
    assert answer.overall.actors == (3, 2)
    assert answer.of_several == 1


def test_an_exposure_after_the_funnel_changes_nothing(world: Worlds) -> None:
    here = world()
    known(here, [*acts_of("ann", ("a", 1)), exposure("ann", "green", 0), exposure("ann", "blue", 2 * 86_400)])
    answer = ask(here, FunnelQuery(funnel("a", "b", within=WITHIN), ONE_DAY, experiment="it's"))
    assert [(group.key, group.actors) for group in answer.groups] == [("green", (1, 0))]
    assert answer.of_several == 0


def test_a_funnel_nobody_enters(world: Worlds) -> None:
    here = world()
    answer = ask(here, FunnelQuery(funnel("a", "b", within=WITHIN), ONE_DAY, by="country"))
    assert (answer.overall.actors, answer.groups) == ((0, 0), ())
    assert answer.overall.taking[0].median is None


def test_dimensions_that_events_have(world: Worlds) -> None:
    here = world()
    for query in (
        FunnelQuery(funnel("a", "b", within=1), ONE_DAY, by="nothing"),
        FunnelQuery(funnel("a", "b", within=1), ONE_DAY, Filter(((Clause("entry_path", Op.IS, ("/",)),),))),
    ):
        with pytest.raises(BadQuery) as raised:
            ask(here, query)
        assert raised.value.field == ("by" if query.by else "filter")
        assert "country" in (raised.value.allowed or [])


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Asia/Kolkata"])
def test_days_of_entry_agree_with_the_oracle(world: Worlds, zone: str) -> None:
    """Over the change of the clock in Berlin; an actor enters every day that they begin on."""
    here, random = world(timezone=zone), Random(zone)
    first, last, within = date(2026, 3, 28), date(2026, 3, 30), 40_000
    begin = int(midnight(first, zone).timestamp()) * 1000
    acts = [
        Act(f"u{random.randrange(12)}", random.choice(("a", "b", "c")), begin + random.randrange(-20, 90) * 3_600_000)
        for _ in range(120)
    ]
    acts += [
        Act(f"u{i}", "experiment_exposure", begin + random.randrange(60) * 3_600_000,
            props={"experiment": "x", "variant": random.choice("vw")})
        for i in range(12) for _ in range(random.choice((1, 1, 2)))
    ]  # fmt: skip
    sent = known(here, [replace(act, props={"plan": "", **act.props}) for act in acts])
    asked = funnel("a", "b", "c", within=within)
    params = daily_params(here.project, first, last, within)
    everybody = here.engine.query(daily_funnel(asked), params)
    by_variant = here.engine.query(daily_funnel(asked, "x"), params)
    until = int(midnight(last + timedelta(days=1), zone).timestamp()) * 1000 + within * 1000
    assert [tuple(row) for row in everybody] == by_day(sent, first, last, zone, within, lambda _: ("", 0))
    assert [tuple(row) for row in by_variant] == by_day(
        sent, first, last, zone, within, lambda mine: variant(mine, until)
    )
    assert by_variant


def variant(mine: Sequence[Act], until: int) -> tuple[str, int] | None:
    """The one variant that an actor met, and when first."""
    met = [act for act in mine if act.event == "experiment_exposure" and act.at < until]
    names = {act.props["variant"] for act in met}
    return (names.pop(), min(act.at for act in met)) if len(names) == 1 else None


def by_day(
    acts: Sequence[Act], first: date, last: date, zone: str, within: int,
    group: Callable[[Sequence[Act]], tuple[str, int] | None],
) -> list[tuple[Any, ...]]:  # fmt: skip
    """Rows of a day, a variant and a step."""
    fits = [STEPS[step][1] for step in "abc"]
    ways: dict[tuple[date, str], list[list[Act]]] = {}
    for mine in oracle.people(acts).values():
        if (met := group(mine)) is None:
            continue
        after = [act for act in mine if act.at >= met[1]]
        for offset in range((last - first).days + 1):
            day = first + timedelta(days=offset)
            way = oracle.walk(after, fits, lambda act, day=day: oracle.day_of(act.at, zone) == day, within * 1000)  # type: ignore[misc]  # bound now
            if way:
                ways.setdefault((day, met[0]), []).append(way)
    return [
        (day, key, step + 1, "abc"[step], sum(len(way) > step for way in taken))
        for (day, key), taken in sorted(ways.items())
        for step in range(3)
    ]


def test_funnels_of_packs_can_be_asked_for(catalog: Catalog) -> None:
    names = [funnel.name for pack in BUILTIN for funnel in pack.funnels]
    assert {"web_forms", "web_leads", "core_journey"} <= set(names)
    assert len(names) == len(set(names))
    for pack in BUILTIN:
        for declared in pack.funnels:
            assert len({step.name for step in declared.steps}) == len(declared.steps) >= 2
