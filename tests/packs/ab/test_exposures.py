"""Exposures become events once, whoever tells of them; and events bear the variants that their actors had met."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import update

from tallymark.control.experiment_models import AssignmentRow
from tallymark.engine.base import Engine
from tests.packs.ab.serving import EVEN, NOON, Serving
from tests.packs.world import ADMIN, application, bearer

ONLY = [{"key": "off", "weight": 0}, {"key": "on", "weight": 1}]
HOUR = timedelta(hours=1)


def at(hours: float) -> str:
    """So many hours after noon."""
    return (NOON + hours * HOUR).isoformat()


def test_an_exposure_is_one_event_however_often_it_is_told(serving: Serving) -> None:
    serving.run("checkout", ONLY)
    serving.ask("u-1", "checkout")
    serving.application.clock.now += HOUR
    serving.ask("u-1", "checkout")
    assert (serving.report(), serving.report()) == (1, 0)
    serving.send({"eventName": "exposure", "userId": "u-1", "experimentId": "checkout", "variant": "on"})
    assert serving.report() == 0
    columns = "event, actor, occurred_at, variants, toString(props)"
    assert serving.stored(columns) == [
        ("experiment_exposure", serving.actor("u-1"), NOON.replace(tzinfo=None), ["checkout/on"],
         '{"experiment":"checkout","variant":"on"}')
    ]  # fmt: skip


def test_one_that_was_written_but_not_noted_is_written_again_and_counts_once(serving: Serving) -> None:
    serving.run("checkout", ONLY)
    serving.ask("u-1", "checkout")
    serving.report()
    before = serving.stored("event_id, occurred_at, received_at")
    undo_reports(serving)
    serving.application.clock.now += timedelta(days=2)
    assert serving.report() == 1
    assert serving.stored("event_id, occurred_at, received_at") == before


def test_an_exposure_that_a_power_cut_took_back_keeps_its_first_time(serving: Serving) -> None:
    """Its event is on disk while the note of it is gone: it is noted anew, later, and still is one event."""
    serving.run("checkout", ONLY)
    serving.ask("u-1", "checkout")
    serving.report()
    serving.here.assignments.forget(serving.id, [serving.actor("u-1")])
    serving.application.clock.now += timedelta(hours=1)
    serving.ask("u-1", "checkout")
    assert serving.report() == 1
    assert serving.stored("occurred_at") == [(NOON.replace(tzinfo=None),)]


def test_many_are_reported_in_parts(serving: Serving) -> None:
    serving.run("checkout", EVEN)
    units = [f"u-{n}" for n in range(1_100)]
    serving.send(
        *({"eventName": "exposure", "userId": unit, "experimentId": "checkout", "variant": "blue"} for unit in units)
    )
    undo_reports(serving)
    assert serving.report() == 1_100
    assert sorted(serving.stored("actor")) == sorted((serving.actor(unit),) for unit in units)


def test_a_project_may_list_its_names_and_refuse_bots(serving: Serving) -> None:
    picky = serving.fresh(eventNames=["purchase"], maxEventNames=1, pii="reject", bots="refuse", quota=0)
    picky.run("checkout", ONLY)
    picky.ask("u-1", "checkout")
    assert (picky.report(), picky.stored("event")) == (1, [("experiment_exposure",)])


def test_events_bear_what_was_met_by_then(serving: Serving) -> None:
    serving.run("a", ONLY)
    serving.run("b", ONLY)
    serving.application.clock.now += 2 * HOUR
    serving.ask("u-1", "a")
    serving.ask("u-1")  # b is assigned, and not met
    serving.application.clock.now += 2 * HOUR
    serving.ask("u-1", "b")
    serving.application.clock.now += 2 * HOUR
    events = [{"eventName": f"e{hours}", "userId": "u-1", "occurredAt": at(hours)} for hours in (1, 2, 3, 4, 5)]
    serving.send(*events, {"eventName": "e5", "userId": "u-2", "occurredAt": at(5)}, {"eventName": "nobody"})
    met = {"e2": ["a/on"], "e3": ["a/on"], "e4": ["a/on", "b/on"], "e5": ["a/on", "b/on"]}
    assert dict(serving.stored(where=f"actor = {serving.actor('u-1')}")) == {"e1": [], **met}
    assert sorted(serving.stored(where=f"actor != {serving.actor('u-1')}")) == [("e5", []), ("nobody", [])]


def test_an_exposure_in_a_batch_counts_for_what_comes_after_it(serving: Serving) -> None:
    serving.run("a", ONLY)
    exposure = {"eventName": "experiment_exposure", "properties": {"experiment": "a", "variant": "on"}}
    serving.application.clock.now += 4 * HOUR
    serving.send(
        {"eventName": "after", "userId": "u-1", "occurredAt": at(3)},
        {**exposure, "userId": "u-1", "occurredAt": at(2)},
        {"eventName": "before", "userId": "u-1", "occurredAt": at(1)},
    )
    assert serving.stored() == [("before", []), ("experiment_exposure", ["a/on"]), ("after", ["a/on"])]


def test_an_earlier_exposure_that_arrives_late_counts_from_then_on(serving: Serving) -> None:
    serving.run("a", ONLY)
    serving.application.clock.now += 4 * HOUR
    serving.ask("u-1", "a")
    assert serving.report() == 1
    exposure = {"eventName": "exposure", "userId": "u-1", "experimentId": "a", "variant": "on", "occurredAt": at(1)}
    serving.send(exposure, {"eventName": "bought", "userId": "u-1", "occurredAt": at(2)})
    assert [row for row in serving.stored() if row[0] == "bought"] == [("bought", ["a/on"])]
    assert serving.stored("event", "event = 'experiment_exposure'") == [("experiment_exposure",)]


def test_a_unit_in_two_variants_is_seen_in_both(serving: Serving) -> None:
    serving.run("a", ONLY)
    serving.ask("u-1", "a")
    serving.report()
    serving.send({"eventName": "exposure", "userId": "u-1", "experimentId": "a", "variant": "off"})
    serving.send({"eventName": "bought", "userId": "u-1"})
    assert sorted(serving.stored(), key=str) == [
        ("bought", ["a/on"]), ("experiment_exposure", ["a/off"]), ("experiment_exposure", ["a/on"])
    ]  # fmt: skip


def test_what_a_client_says_it_met_is_kept_where_nothing_was_assigned(serving: Serving) -> None:
    serving.run("a", [{"key": "off", "weight": 1}, {"key": "on", "weight": 0}])
    serving.send({"eventName": "exposure", "userId": "u-1", "experimentId": "a", "variant": "on"})
    serving.send({"eventName": "bought", "userId": "u-1"})
    assert (serving.ask("u-1", "a")["variant"], serving.report()) == ("on", 1)
    assert sorted(serving.stored(), key=str) == [("bought", ["a/on"]), ("experiment_exposure", ["a/on"])]


@pytest.mark.parametrize(("experiment", "variant"), [("unknown", "on"), ("a", "unknown")])
def test_an_exposure_to_what_is_unknown_is_an_event_and_nothing_more(
    serving: Serving, experiment: str, variant: str
) -> None:
    serving.run("a", ONLY)
    serving.send({"eventName": "exposure", "userId": "u-1", "experimentId": experiment, "variant": variant})
    serving.send({"eventName": "bought", "userId": "u-1"})
    assert sorted(serving.stored(), key=str) == [
        ("bought", []), ("experiment_exposure", [f"{experiment}/{variant}"])
    ]  # fmt: skip
    assert serving.ask("u-1", "a")["reason"] == "ASSIGNED"


@pytest.mark.parametrize("said", [{}, {"experiment": 7, "variant": "on"}, {"experiment": "a/b", "variant": "on"}])
def test_an_exposure_by_the_common_door_may_say_nothing(serving: Serving, said: dict[str, Any]) -> None:
    event = {"event": "experiment_exposure", "userId": "u-1", "properties": said}
    assert common(serving, [event]).json() == {"accepted": 1, "rejected": []}
    assert serving.stored() == [("experiment_exposure", [])]


def common(serving: Serving, events: list[dict[str, Any]], path: str = "/v1/events") -> httpx.Response:
    """Sends events by an endpoint of every project."""
    key = serving.keys["ingest"] if path == "/v1/events" else serving.keys["admin"]
    return serving.application.client.post(path, json=events, headers=bearer(key))


@pytest.mark.parametrize("path", ["/v1/events", "/v1/import"])
def test_every_door_leads_past_the_variants(serving: Serving, path: str) -> None:
    serving.run("a", ONLY)
    serving.ask("u-1", "a")
    exposure = {"event": "experiment_exposure", "actor": "u-2", "properties": {"experiment": "a", "variant": "on"}}
    bought = [{"event": "bought", "actor": unit} for unit in ("u-1", "u-2", "u-3")]
    assert common(serving, [exposure, *bought], path).json()["accepted"] == 4
    told = {(event, actor): variants for event, actor, variants in serving.stored("event, actor, variants")}
    met = {unit: told["bought", serving.actor(unit)] for unit in ("u-1", "u-2", "u-3")}
    assert met == {"u-1": ["a/on"], "u-2": ["a/on"], "u-3": []}


def test_what_stood_when_an_event_first_came_stays(serving: Serving) -> None:
    serving.run("a", ONLY)
    event = {"eventName": "bought", "userId": "u-1", "eventId": "1", "occurredAt": at(2)}
    serving.application.clock.now += 3 * HOUR
    serving.send(event)
    exposure = {"eventName": "exposure", "userId": "u-1", "experimentId": "a", "variant": "on", "occurredAt": at(1)}
    serving.send(exposure)
    serving.send(event)
    assert serving.stored(where="event = 'bought'") == [("bought", [])]


def test_other_projects_are_left_alone(serving: Serving) -> None:
    name, keys = serving.application.make("web")
    other = Serving(serving.application, name, keys)
    exposure = {"event": "experiment_exposure", "userId": "u", "properties": {"experiment": "a", "variant": "on"}}
    assert common(other, [exposure, exposure]).json()["accepted"] == 2
    assert other.stored("variants") == [([],), ([],)]
    assert other.here.assignments.known(other.id, other.actor("u")) is None


def test_a_person_who_is_deleted_takes_their_assignments_along(serving: Serving) -> None:
    both = serving.fresh(packs=["ab", "web"])
    both.run("a", ONLY)
    for unit in ("v-1", "v-2"):
        both.ask(unit, "a")
    lead = {"email": "ada@example.org", "visitorId": "v-1", "propertyId": both.name}
    assert both.post("/web/v1/leads/capture", lead, key=both.keys["admin"]).status_code == 201
    person = {"email": "ada@example.org", "propertyId": both.name}
    told = both.post("/web/v1/people/export", person, key=ADMIN).json()
    expected = {"experimentId": "a", "variant": "on", "assignedAt": told_at(NOON), "exposedAt": told_at(NOON)}
    assert told["assignments"] == [{"visitor": f"{both.actor('v-1'):016x}", **expected}]
    assert both.post("/web/v1/leads/delete", person, key=ADMIN).json()["ok"] is True
    assert both.report() == 1
    assert [actor for (actor,) in both.stored("actor", "event = 'experiment_exposure'")] == [both.actor("v-2")]
    assert both.here.assignments.of(both.id, [both.actor("v-1")]) == {both.actor("v-1"): {}}


def told_at(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def test_what_a_stopped_server_left_is_reported_by_the_next(tmp_path: Path, engine: Engine) -> None:
    with application(tmp_path, engine, NOON) as found:
        serving = Serving(found).fresh()
        serving.run("checkout", ONLY)
        serving.ask("u-1", "checkout")
    with application(tmp_path, engine, NOON + HOUR) as again:
        after = Serving(again, serving.name, serving.keys)
        assert after.ask("u-1", "checkout")["reason"] == "STICKY"
        assert (after.report(), after.report()) == (1, 0)
        assert after.stored("event, occurred_at") == [("experiment_exposure", NOON.replace(tzinfo=None))]


def undo_reports(serving: Serving) -> None:
    """As if the server had been killed between writing events and noting that."""
    serving.here.assignments.report([]).result()
    theirs = update(AssignmentRow).where(AssignmentRow.project_id == serving.id)
    with serving.here.assignments._database.write() as session:
        session.execute(theirs.values(reported=False))


def test_a_unit_counts_from_its_assignment_though_the_app_tells_of_it_later(serving: Serving) -> None:
    serving.run("a", ONLY)
    serving.ask("u-1", "a")
    serving.application.clock.now += timedelta(seconds=5)
    serving.send({"eventName": "exposure", "userId": "u-1", "experimentId": "a", "variant": "on"})
    serving.report()
    assert serving.stored("event, occurred_at") == [("experiment_exposure", NOON.replace(tzinfo=None))]


def test_a_bot_meets_no_variant(serving: Serving) -> None:
    serving.run("a", EVEN)
    told = {"eventName": "exposure", "userId": "u-1", "experimentId": "a", "variant": "green"}
    bot = {"user-agent": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"}
    path, project = "/ab/v1/events", {"project": serving.name}
    assert serving.application.client.post(path, json=told, params=project, headers=bot).status_code == 202
    assert serving.ask("u-1", "a")["reason"] == "ASSIGNED"
