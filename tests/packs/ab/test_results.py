"""Results through the front door: an experiment that ran, what it shows, and what it refuses."""

import math
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from tallymark.spec.experiment import EXPOSURE
from tests.packs.ab.serving import NOON, Serving
from tests.packs.world import ADMIN, bearer

VARIANTS = [{"key": "old", "weight": 1}, {"key": "new", "weight": 1}]
METRICS: list[Mapping[str, Any]] = [
    {"name": "bought", "kind": "conversion", "event": "buy"},
    {"name": "revenue", "kind": "mean", "event": "buy", "of": "value"},
    {"name": "basket", "kind": "ratio", "event": "buy", "of": "value", "lower": {"event": "buy"}},
    {"name": "p90", "kind": "quantile", "event": "buy", "of": "value", "level": 0.9},
    {"name": "back", "kind": "retention", "event": "open", "day": 1},
    {"name": "crashes", "kind": "mean", "event": "crash", "direction": "down", "guardrail": True},
]
UNITS = 240


def said(unit: str, name: str, hours: float, **more: Any) -> dict[str, Any]:
    """An event so many hours after noon."""
    return {
        "event": name, "actor": unit, "timestamp": (NOON + timedelta(hours=hours)).isoformat(),
        "eventId": f"{unit} {name} {hours} {more}", **more,
    }  # fmt: skip


def met(unit: str, variant: str, hours: float = 0, experiment: str = "checkout") -> dict[str, Any]:
    return said(unit, EXPOSURE, hours, properties={"experiment": experiment, "variant": variant})


def played(variant: str, buyers: int) -> Iterator[dict[str, Any]]:
    """What the units of a variant did: some buy for amounts that differ, half are back the day after."""
    for i in range(UNITS // 2):
        unit = f"{variant} {i}"
        yield said(unit, "buy", -10, value=float(1 + i % 3))
        yield met(unit, variant, 0.1)
        if i < buyers:
            yield said(unit, "buy", 1, value=float(5 + i % 7))
            yield said(unit, "buy", 30, value=2.0)
        if i % 2:
            yield said(unit, "open", 20)
        if variant == "new" and i % 3 == 0:
            yield said(unit, "crash", 2)


def send(serving: Serving, events: Sequence[Mapping[str, Any]]) -> None:
    """Sends events once the last of them has happened."""
    clock = serving.application.clock
    clock.now = max(clock.now, *(datetime.fromisoformat(each["timestamp"]) for each in events))
    answer = serving.application.client.post("/v1/events", json=events, headers=bearer(serving.keys["ingest"]))
    assert answer.json()["rejected"] == []


def results(serving: Serving, key: str = "checkout", **params: Any) -> dict[str, Any]:
    answer = ask(serving, key, **params)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def ask(serving: Serving, key: str = "checkout", token: str | None = None, **params: Any) -> Any:
    headers = bearer(serving.keys["read"] if token is None else token) if token != "" else {}
    path = f"/ab/v1/experiments/{key}/results"
    return serving.application.client.get(path, params={"project": serving.name, **params}, headers=headers)


def metric(body: Mapping[str, Any], name: str, variant: str = "new") -> dict[str, Any]:
    (found,) = (each for each in body["metrics"] if each["name"] == name)
    (shown,) = (each for each in found["variants"] if each["variant"] == variant)
    told: dict[str, Any] = shown
    return told


@pytest.fixture(scope="module")
def shop(running: Serving) -> Serving:
    """A project with an experiment that ran for three days."""
    serving = running.fresh()
    serving.run("checkout", VARIANTS, metrics=METRICS, preDays=7)
    send(serving, [*played("old", 40), *played("new", 70)])
    serving.application.clock.now = NOON + timedelta(days=3)
    return serving


@pytest.fixture(scope="module")
def found(shop: Serving) -> dict[str, Any]:
    shop.application.clock.now = NOON + timedelta(days=3)
    return results(shop)


def test_an_experiment_tells_who_is_in_it(found: Mapping[str, Any], shop: Serving) -> None:
    assert (found["experiment"], found["project"], found["status"]) == ("checkout", shop.name, "running")
    assert found["exposedUnits"] == {"old": UNITS // 2, "new": UNITS // 2}
    assert found["multipleVariantUnits"] == {"units": 0, "share": 0.0, "warning": False}
    assert found["srm"] == {
        "pValue": 1.0, "alert": False, "observed": {"old": 120, "new": 120}, "expected": {"old": 120.0, "new": 120.0},
        "weightsChanged": False,
    }  # fmt: skip
    assert found["window"] == {
        "from": "2028-02-29T12:00:00.000Z", "to": "2028-03-03T12:00:00.000Z", "timezone": "UTC",
    }  # fmt: skip
    assert found["accuracy"] == "exact"
    assert found["freshness"]["through"] == found["window"]["to"]
    assert found["warnings"] == []


def test_every_metric_has_every_variant(found: Mapping[str, Any]) -> None:
    assert [each["name"] for each in found["metrics"]] == [each["name"] for each in METRICS]
    for each in found["metrics"]:
        assert [(shown["variant"], shown["control"]) for shown in each["variants"]] == [("old", True), ("new", False)]
        assert each["variants"][0]["absolute"] is None


def test_values_are_those_of_the_units(found: Mapping[str, Any]) -> None:
    for variant, buyers in (("old", 40), ("new", 70)):
        totals = [5 + i % 7 + 2 for i in range(buyers)]
        assert metric(found, "bought", variant)["value"] == pytest.approx(buyers / 120)
        assert metric(found, "revenue", variant)["value"] == pytest.approx(sum(totals) / 120)
        assert metric(found, "basket", variant)["value"] == pytest.approx(sum(totals) / (2 * buyers))
        assert metric(found, "p90", variant)["value"] == sorted([0] * (120 - buyers) + totals)[107]
        assert metric(found, "back", variant)["value"] == 0.5


def test_a_variant_is_compared_in_every_way(found: Mapping[str, Any]) -> None:
    bought = metric(found, "bought")
    assert bought["absolute"]["effect"] == pytest.approx(0.25)
    assert 0 < bought["absolute"]["low"] < 0.25 < bought["absolute"]["high"]
    assert bought["relative"]["effect"] == pytest.approx(0.75)
    assert bought["pValue"] < bought["adjustedPValue"] < 0.05
    assert bought["significant"]
    assert bought["sequential"]["low"] < bought["absolute"]["low"]
    assert bought["sequential"]["pValue"] > bought["pValue"]
    assert bought["bayes"]["chanceToWin"] > 0.999
    assert 0 < bought["bayes"]["expectedLoss"] < 1e-4
    assert bought["power"]["unitsNeeded"] > UNITS
    assert bought["power"]["plannedRelativeEffect"] == 0.05
    assert metric(found, "back")["significant"] is False


def test_cuped_looks_at_what_was_there_before(found: Mapping[str, Any]) -> None:
    revenue = metric(found, "revenue")
    assert revenue["cuped"]["varianceReduction"] == pytest.approx(0, abs=0.1)
    assert revenue["cuped"]["absolute"]["effect"] == pytest.approx(revenue["absolute"]["effect"], rel=0.2)
    # Everybody bought before, and nobody crashed.
    assert (
        metric(found, "bought")["cuped"] is metric(found, "crashes")["cuped"] is metric(found, "p90")["cuped"] is None
    )


def test_a_guardrail_that_got_worse_is_harmed(found: Mapping[str, Any]) -> None:
    (crashes,) = (each for each in found["metrics"] if each["name"] == "crashes")
    assert (crashes["guardrail"], crashes["verdict"]) == (True, "harmed")
    shown = crashes["variants"][1]
    assert shown["harm"]["pValue"] == pytest.approx(shown["pValue"] / 2)
    assert (shown["adjustedPValue"], shown["significant"]) == (None, True)
    assert shown["relative"] == {"effect": None, "low": None, "high": None}


def test_the_answer_says_what_its_numbers_are(found: Mapping[str, Any]) -> None:
    conventions = " ".join(found["conventions"])
    assert all(word in conventions for word in ("Welch", "delta method", "logarithm", "sequential", "0.001"))


def test_numbers_don_t_depend_on_which_metrics_are_shown(found: Mapping[str, Any], shop: Serving) -> None:
    some = results(shop, metric="back,bought")
    assert [each["name"] for each in some["metrics"]] == ["bought", "back"]
    assert metric(some, "bought") == metric(found, "bought")


def test_power_is_told_of_the_effect_that_is_planned(found: Mapping[str, Any], shop: Serving) -> None:
    planned = metric(results(shop, effect=0.5), "bought")["power"]
    assert planned["plannedRelativeEffect"] == 0.5
    assert planned["unitsNeeded"] < metric(found, "bought")["power"]["unitsNeeded"]
    assert planned["atPlanned"] > metric(found, "bought")["power"]["atPlanned"]


def test_a_day_ends_what_is_looked_at(shop: Serving) -> None:
    first_day = results(shop, to="2028-02-29")
    assert first_day["window"]["to"] == "2028-03-01T00:00:00.000Z"
    assert metric(first_day, "revenue")["value"] == pytest.approx(sum(5 + i % 7 for i in range(70)) / 120)
    # Nobody's first day has passed.
    assert (metric(first_day, "back")["n"], metric(first_day, "back")["unfinished"]) == (0, 120)
    assert metric(first_day, "back")["value"] is None


def test_an_experiment_that_stopped_ends_there(serving: Serving) -> None:
    serving.run("checkout", VARIANTS, metrics=METRICS)
    send(serving, [met("ann", "new"), said("ann", "buy", 1.99, value=3.0), said("ann", "buy", 2, value=6.0)])
    serving.here.experiments.stop(serving.id, "checkout", serving.doer)
    send(serving, [said("ann", "buy", 3, value=9.0)])
    serving.application.clock.now = NOON + timedelta(days=9)
    found = results(serving)
    assert found["window"]["to"] == "2028-02-29T14:00:00.000Z"
    assert metric(found, "revenue")["value"] == 3


def test_who_met_two_variants_is_left_out_and_warned_of(serving: Serving) -> None:
    serving.run("checkout", VARIANTS, metrics=METRICS)
    units = [met(f"u{i}", ("old", "new")[i % 2]) for i in range(99)]
    send(serving, [*units, met("two", "old"), met("two", "new", 1), said("two", "buy", 2, value=5.0)])
    serving.application.clock.now = NOON + timedelta(hours=4)
    found = results(serving)
    assert found["exposedUnits"] == {"old": 50, "new": 49}
    assert found["multipleVariantUnits"] == {"units": 1, "share": 0.01, "warning": True}
    assert metric(found, "revenue")["value"] == metric(found, "revenue", "old")["value"] == 0
    assert [warning["code"] for warning in found["warnings"]] == ["multiple_variants", "few_units"]


def test_testers_whose_variant_was_chosen_are_no_units(serving: Serving) -> None:
    serving.run("checkout", VARIANTS, metrics=METRICS, forced={"tess": "new"})
    send(serving, [met("tess", "new"), said("tess", "buy", 0.5, value=99.0), met("ann", "new")])
    found = results(serving)
    assert found["exposedUnits"] == {"old": 0, "new": 1}
    assert metric(found, "revenue")["value"] == 0


def test_sizes_that_the_weights_don_t_explain_are_an_alert(serving: Serving) -> None:
    serving.run("checkout", VARIANTS)
    send(serving, [met(f"u{i}", "old" if i % 4 else "new") for i in range(200)])
    serving.application.clock.now = NOON + timedelta(hours=1)
    serving.change("checkout", variants=[{"key": "old", "weight": 2}, {"key": "new", "weight": 1}])
    found = results(serving)
    assert found["srm"]["observed"] == {"old": 150, "new": 50}
    assert found["srm"]["expected"] == pytest.approx({"old": 400 / 3, "new": 200 / 3})
    assert found["srm"]["weightsChanged"]
    codes = [warning["code"] for warning in found["warnings"]]
    assert "weights_changed" in codes
    serving.change("checkout", variants=[{"key": "old", "weight": 1}, {"key": "new", "weight": 1}])
    assert results(serving)["srm"]["alert"]
    assert results(serving)["warnings"][0]["code"] == "sample_ratio_mismatch"
    # It is not for certain that something chooses who is seen.
    assert "weights were changed" in results(serving)["warnings"][0]["message"]
    assert "Simpson" in results(serving)["warnings"][0]["message"]


def test_sizes_that_nobody_s_change_explains_are_chosen(serving: Serving) -> None:
    serving.run("checkout", VARIANTS)
    send(serving, [met(f"u{i}", "old" if i % 4 else "new") for i in range(200)])
    serving.application.clock.now = NOON + timedelta(hours=1)
    assert "something chooses who is seen" in results(serving)["warnings"][0]["message"]


def test_an_experiment_without_units_is_empty_and_not_wrong(serving: Serving) -> None:
    serving.run("checkout", VARIANTS, metrics=METRICS, preDays=3)
    found = results(serving)
    assert found["exposedUnits"] == {"old": 0, "new": 0}
    assert found["srm"]["pValue"] is None
    assert [warning["code"] for warning in found["warnings"]] == ["no_units"]
    for each in found["metrics"]:
        for shown in each["variants"]:
            assert (shown["n"], shown["value"], shown["pValue"]) == (0, None, None)


def test_one_unit_and_no_spread_give_null_and_never_nan(serving: Serving) -> None:
    serving.run("checkout", VARIANTS, metrics=METRICS, preDays=3)
    send(serving, [met("ann", "new"), said("ann", "buy", 1, value=3.0), met("ben", "old"), met("cai", "old")])
    serving.application.clock.now = NOON + timedelta(hours=2)
    answer = ask(serving)
    assert "NaN" not in answer.text
    assert "Infinity" not in answer.text
    assert metric(answer.json(), "bought")["absolute"] == {"effect": 1.0, "low": None, "high": None}


def test_a_draft_says_that_it_has_not_started(shop: Serving) -> None:
    path, body = "/v1/experiments", {"key": "later", "variants": VARIANTS}
    made = shop.application.client.post(path, params={"project": shop.name}, json=body, headers=bearer(ADMIN))
    assert made.status_code == 201, made.text
    assert [warning["code"] for warning in results(shop, "later")["warnings"]] == ["not_started", "no_units"]


def test_events_that_may_be_gone_are_warned_of(serving: Serving) -> None:
    serving.run("checkout", VARIANTS)
    serving.application.clock.now = NOON + timedelta(days=91)
    assert "events_expired" in codes(serving)


def test_events_from_before_the_experiment_may_be_gone_too(serving: Serving) -> None:
    # Events are kept for 90 days.
    serving.run("checkout", VARIANTS, preDays=7)
    serving.application.clock.now = NOON + timedelta(days=82)
    assert "events_expired" not in codes(serving)
    serving.application.clock.now = NOON + timedelta(days=84)
    assert "events_expired" in codes(serving)
    assert "events_expired" not in codes(serving, **{"from": "2028-03-09"})


def test_days_before_the_experiment_was_made_may_be_gone(serving: Serving) -> None:
    serving.run("checkout", VARIANTS)
    assert "events_expired" not in codes(serving, **{"from": "2027-12-02"})
    assert "events_expired" in codes(serving, **{"from": "2027-11-29"})


def test_who_stopped_and_went_on_is_warned_of(serving: Serving) -> None:
    serving.run("checkout", VARIANTS)
    experiments, clock = serving.here.experiments, serving.application.clock
    clock.now = NOON + timedelta(hours=1)
    experiments.stop(serving.id, "checkout", serving.doer)
    assert "interrupted" not in codes(serving)
    clock.now = NOON + timedelta(hours=2)
    experiments.start(serving.id, "checkout", serving.doer)
    assert "interrupted" in codes(serving)
    # Who is first exposed from the next day on has seen nothing of it.
    clock.now = NOON + timedelta(days=3)
    assert "interrupted" not in codes(serving, **{"from": "2028-03-01"})


def test_who_killed_and_went_on_is_warned_of(serving: Serving) -> None:
    serving.run("checkout", VARIANTS)
    for hours, killed in ((1, True), (2, False)):
        assert "interrupted" not in codes(serving)
        serving.application.clock.now = NOON + timedelta(hours=hours)
        serving.change("checkout", killed=killed)
    assert "interrupted" in codes(serving)


OK = [
    {"name": "ok", "kind": "conversion", "event": "ok", "guardrail": True},
    {"name": "oks", "kind": "mean", "event": "ok", "guardrail": True},
    {"name": "alike", "kind": "mean", "event": "nothing"},
]


def test_a_guardrail_that_fails_for_everybody_is_harmed(serving: Serving) -> None:
    serving.run("checkout", VARIANTS, metrics=OK)
    units = [met(f"{variant} {i}", variant) for variant in ("old", "new") for i in range(200)]
    send(serving, [*units, *(said(f"old {i}", "ok", 1) for i in range(200))])
    serving.application.clock.now = NOON + timedelta(hours=2)
    found = results(serving)
    assert [each["verdict"] for each in found["metrics"]] == ["harmed", None, None]
    assert 0 < metric(found, "ok")["harm"]["pValue"] < 1e-100
    assert metric(found, "ok")["absolute"] == {"effect": -1.0, "low": None, "high": None}
    (warning,) = found["warnings"]
    assert warning["code"] == "no_spread"
    assert " oks:" in warning["message"]
    assert "alike" not in warning["message"].split(" in ")[1]


def test_a_quantile_of_equal_values_has_a_p_value_and_no_interval(serving: Serving) -> None:
    median = {"name": "median", "kind": "quantile", "event": "buy", "of": "value", "level": 0.5, "direction": "down"}
    serving.run("checkout", VARIANTS, metrics=[median])
    units = [(f"{variant} {i}", variant, i) for variant in ("old", "new") for i in range(200)]
    events = [met(unit, variant) for unit, variant, _ in units]
    # Half buy nothing; with the new variant more of those that do.
    amounts = [said(u, "buy", 1, value=1.0 + i % (2 if v == "old" else 3)) for u, v, i in units if i >= 80]
    send(serving, [*events, *amounts])
    serving.application.clock.now = NOON + timedelta(hours=2)
    found = metric(results(serving), "median")
    # Of either, 80 have bought nothing and half of 120, or a third, for one: 140 of 200 against 120 at most that.
    at_most = ((80 + 60), (80 + 40))
    share = sum(at_most) / 400
    z = (at_most[1] - at_most[0]) / 200 / math.sqrt(share * (1 - share) * 2 / 200)
    assert found["pValue"] == pytest.approx(math.erfc(-z / math.sqrt(2)))
    assert found["absolute"] == {"effect": 0.0, "low": None, "high": None}
    assert found["standardError"] is found["sequential"]["pValue"] is found["bayes"]["chanceToWin"] is None


def codes(serving: Serving, key: str = "checkout", **params: Any) -> list[str]:
    return [warning["code"] for warning in results(serving, key, **params)["warnings"]]


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"metric": "nothing"}, "metric"),
        ({"effect": "much"}, "effect"),
        ({"effect": "0"}, "effect"),
        ({"effect": "nan"}, "effect"),
        ({"from": "2028-03-02", "to": "2028-03-01"}, "from"),
        ({"to": "soon"}, "to"),
        ({"metrics": "bought"}, "metrics"),
    ],
)
def test_a_question_that_means_nothing_is_refused(shop: Serving, params: Mapping[str, Any], field: str) -> None:
    answer = ask(shop, **params)
    assert (answer.status_code, answer.json()["field"]) == (400, field)


def test_an_unknown_experiment_is_not_found(shop: Serving) -> None:
    answer = ask(shop, "nothing")
    assert (answer.status_code, answer.json()["success"], answer.json()["error"]) == (404, False, "unknown_experiment")


def test_another_project_s_experiment_is_not_found(shop: Serving, serving: Serving) -> None:
    assert ask(serving).status_code == 404


def test_a_key_that_may_not_read_is_refused(shop: Serving, serving: Serving) -> None:
    assert ask(shop, token="").status_code == 401
    assert ask(shop, token="wrong").status_code == 401
    assert ask(shop, token=shop.keys["ingest"]).status_code == 403
    assert ask(shop, token=serving.keys["read"]).status_code == 403


def test_a_server_starts_without_scipy() -> None:
    code = "import sys, tallymark.app; print({'scipy', 'tea_tasting'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
