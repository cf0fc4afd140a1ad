"""Answers are judged once each, whatever a judge does: nothing is lost, and nothing is judged twice."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tallymark.control.evaluation_queue import Claimed, EvaluationQueue, Judgement
from tallymark.control.evaluation_rows import Attempt
from tallymark.engine.base import Engine
from tallymark.packs.voice.cases import load
from tallymark.packs.voice.evaluated import Evaluated, write
from tallymark.packs.voice.evaluating import Evaluating
from tallymark.packs.voice.judging import Judging, judges_of
from tallymark.spec.backoff import MOST_ATTEMPTS
from tallymark.spec.evaluation import SCORES, Verdict
from tallymark.spec.evaluator import MOST_FAILURES_IN_ROW
from tests.packs.voice import llm as models
from tests.packs.voice.assistant import NOON, Assistant, event
from tests.packs.voice.court import LONG, Court
from tests.packs.voice.llm import Reply, running_llm
from tests.packs.world import application
from tests.server import free_port


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory, engine: Engine) -> Iterator[Court]:
    """An application that asks a server which speaks both dialects."""
    with running_llm() as llm:
        judges = {"gemini_url": llm.gemini_url, "gemini_api_key": "g", "openai_url": llm.openai_url,
                  "openai_api_key": "o", "eval_requests_per_minute": 0, "eval_tokens_per_minute": 0}  # fmt: skip
        data = tmp_path_factory.mktemp("judging")
        with application(data, engine, NOON, settle_seconds=0, **judges) as world:
            yield Court(Assistant(world), llm)


@pytest.fixture
def court(bench: Court) -> Court:
    """A project that Gemini judges."""
    return bench.fresh()


#: What a judge does instead of judging, in which dialect, and what is noted of it; '' where nothing failed.
TROUBLES: dict[str, tuple[str, Reply, str]] = {
    "slow": ("gemini", models.after(0.2, models.ok()), ""),
    "500": ("openai", models.status(500), "unavailable"),
    "429 with Retry-After": ("openai", models.rate_limited(retry_after="7"), "rate_limited"),
    "401": ("openai", models.status(401), "unauthorized"),
    "no JSON": ("gemini", models.text("I think it is fine."), "malformed"),
    "truncated": ("gemini", models.truncated(), "truncated"),
    "refusing": ("openai", models.refusal(), "refused"),
    "cut": ("gemini", models.cut(), "malformed"),
    "reset": ("openai", models.reset(), "unavailable"),
}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_whatever_a_judge_does_each_answer_is_judged_once(bench: Court, trouble: str) -> None:
    kind, reply, fault = TROUBLES[trouble]
    court = bench.fresh(kind)
    court.llm.script(reply, reply)
    queries = court.converse(range(3))
    court.run()
    court.finish()
    court.check(queries)
    assert court.failures() == [fault] * 2 * bool(fault)


def test_a_judge_that_hangs_is_waited_for_no_longer_than_is_set(court: Court) -> None:
    court.llm.script(models.hang(), models.trickle())
    queries = court.converse(range(3))
    court.with_settings(eval_timeout_seconds=1).run()
    assert court.failures().count("timeout") >= 2
    court.finish()
    court.check(queries)


def test_a_server_that_is_away_is_left_alone_and_found_again(court: Court) -> None:
    away = court.with_settings(gemini_url=f"http://127.0.0.1:{free_port()}/")
    queries = court.converse(range(3))
    assert +away.run() == {"failed": 3}
    held = court.evaluator.held_until
    assert held is not None
    assert NOON < held <= NOON + timedelta(seconds=60)
    assert away.run().total() == 0
    court.later(seconds=61)
    court.finish()
    assert court.written() == sorted(("quality@1", text) for text in queries)
    assert set(court.failures()) == {"unavailable"}
    assert court.asked() == dict.fromkeys(queries, 1)


def test_one_that_asks_for_patience_is_not_asked_before(court: Court) -> None:
    queries = court.converse(range(12))
    court.llm.otherwise = lambda _: models.rate_limited("30s", retry_after="10")
    court.run()
    asked = sum(court.asked().values())
    assert asked <= 8 < len(queries)
    assert court.evaluator.held_until == NOON + timedelta(seconds=30)
    court.llm.otherwise = lambda _: models.ok()
    court.later(seconds=29)
    assert court.run().total() == 0
    assert sum(court.asked().values()) == asked
    court.later(seconds=2)
    assert court.run()["judged"] == len(queries)
    court.check(queries)
    assert court.failures() == ["rate_limited"] * asked


def test_one_that_asks_for_years_is_asked_the_next_day(court: Court) -> None:
    court.llm.script(models.rate_limited(retry_after="999999999"))
    queries = court.converse([1])
    court.run()
    court.later(days=1, seconds=1)
    court.run()
    court.check(queries)


def test_patience_alone_is_no_failure_in_a_row_and_no_death(court: Court) -> None:
    """And leaves those that fail afterwards all their attempts."""
    queries = court.converse([1])
    court.llm.script(*[models.rate_limited("1s")] * MOST_ATTEMPTS, models.text("?"))
    for _ in range(MOST_ATTEMPTS):
        court.run()
        court.later(hours=2)
    assert (court.evaluator.failures_in_row, court.statuses()) == (0, {"waiting": 1})
    court.finish()
    court.check(queries)
    assert court.failures() == ["malformed", *["rate_limited"] * MOST_ATTEMPTS]


def test_one_answer_that_can_not_be_judged_keeps_no_other_back(court: Court) -> None:
    queries = court.converse(range(5))
    court.llm.otherwise = lambda it: models.text("?") if it.case["transcript"] == queries[2] else models.ok()
    assert +court.run() == {"judged": 4, "failed": 1}
    assert [text for _, text in court.written()] == sorted(set(queries) - {queries[2]})
    assert [each.outcome for each in court.attempts()[queries[2]]] == ["malformed"]


def test_a_dead_letter_is_judged_once_it_is_put_back(court: Court) -> None:
    queries = court.converse(range(2))
    court.llm.otherwise = lambda it: models.truncated() if it.case["transcript"] == queries[0] else models.ok()
    court.finish()
    assert court.statuses() == {"done": 1, "dead": 1}
    (dead,) = court.here.evaluations.dead(court.assistant.id)
    assert (dead.evaluator, dead.error, len(dead.attempts)) == ("quality@1", "truncated", MOST_ATTEMPTS)
    assert court.asked() == {queries[0]: MOST_ATTEMPTS, queries[1]: 1}
    court.later(days=1)
    assert court.run().total() == 0
    court.llm.otherwise = lambda _: models.ok()
    assert court.here.evaluations.requeue(court.assistant.id) == 1
    court.finish()
    court.check(queries)


def test_an_evaluator_that_always_fails_pauses_and_others_go_on(court: Court) -> None:
    court.llm.otherwise = lambda it: (
        models.text("?") if court.assistant.name in str(it.case["transcript"]) else models.ok()
    )
    queries, other = court.converse(range(MOST_FAILURES_IN_ROW + 8)), court.beside("openai")
    theirs = other.converse(range(3))
    other.run()
    court.run()
    assert court.evaluator.status == "paused"
    assert f"{MOST_FAILURES_IN_ROW} times in a row" in court.evaluator.pause_reason
    assert "malformed" in court.evaluator.pause_reason
    asked = sum(court.asked().values())
    assert MOST_FAILURES_IN_ROW <= asked < MOST_FAILURES_IN_ROW + 8
    other.check(theirs)
    court.llm.otherwise = lambda _: models.ok()
    court.later(days=1)
    assert (court.run().total(), sum(court.asked().values())) == (0, asked)
    court.here.evaluators.resume(court.assistant.id, "quality", court.doer)
    court.finish()
    court.check(queries)


@pytest.mark.parametrize(("settings", "calls"), [({"eval_daily_tokens": 500}, 5), ({"eval_daily_usd": 6.0}, 5)])
def test_a_budget_of_the_day_ends_judging_until_the_next(bench: Court, settings: dict[str, float], calls: int) -> None:
    """A call takes 120 tokens and 1.20 dollars; those on their way when it is used up are paid for as well."""
    court = bench.fresh(inputPrice=10_000, outputPrice=10_000).with_settings(**settings)
    queries, began = court.converse(range(18)), time.monotonic()
    court.run()
    asked = sum(court.asked().values())
    assert calls <= asked < calls + 8
    spent = court.here.evaluations.spent(court.assistant.id, NOON.date())
    assert (spent.requests, spent.tokens) == (asked, 120 * asked)
    assert spent.cost == pytest.approx(1.2 * asked)
    assert court.run().total() == 0
    assert time.monotonic() - began < LONG
    court.later(hours=11, minutes=59)
    assert court.run().total() == 0
    court.later(minutes=2)
    court.run()
    again = sum(court.asked().values()) - asked
    assert calls <= again < calls + 8
    replace(court, changed=None).finish()
    court.check(queries)


def test_a_pace_that_leaves_no_room_ends_a_run_early(court: Court) -> None:
    court.converse(range(5))
    began = time.monotonic()
    slow = court.with_settings(eval_requests_per_minute=2)
    assert slow.run(50)["judged"] == 2
    assert time.monotonic() - began < 45
    assert court.statuses() == {"done": 2, "waiting": 3}


def test_projects_take_turns(court: Court) -> None:
    court.converse(range(20))
    small = court.beside()
    theirs = small.converse(range(3))
    Evaluating.of(court.here).draw(court.assistant.application.project(court.assistant.name))
    small.with_settings(eval_batch_size=6).run()
    assert set(theirs) <= set(court.llm.transcripts[:6])


def test_without_a_key_the_rules_judge(tmp_path: Path, engine: Engine) -> None:
    with application(tmp_path, engine, NOON, settle_seconds=0) as world, running_llm() as llm:
        court = Court(Assistant(world).fresh(), llm)
        queries = court.converse(range(2))
        assert +court.run() == {"judged": 2}
        assert court.written() == [("quality@1", text) for text in sorted(queries)]
        (said, _) = court.assistant.said("event = 'voice_evaluated'")
        assert (said["judge"], "By rules" in said["rationale"], said["judgeTokens"]) == ("rules", True, 0)
        assert set(SCORES) <= set(said)


def test_an_evaluation_lies_where_its_exchange_lies(court: Court) -> None:
    court.llm.otherwise = lambda _: models.ok("Well said.", ("off_topic", "refusal"), overall=2)
    court.converse([1], intent="weather", store_id="s-1", language="de", model="m-1")
    court.run()
    columns = "occurred_at, actor, session, country, device, lower(hex(event_id))"
    ((*exchange, identity),) = court.assistant.stored(columns, "event = 'voice_exchange'")
    ((*evaluation, _, value),) = court.assistant.stored(f"{columns}, value", "event = 'voice_evaluated'")
    assert (evaluation, value) == (exchange, 2.0)
    (said,) = court.assistant.said("event = 'voice_evaluated'")
    assert said == {
        "exchangeId": identity, "queryId": "q-1", "storeId": "s-1", "intent": "weather", "language": "de",
        "model": "m-1", "relevance": 4, "correctness": 4, "helpfulness": 4, "safety": 4, "overall": 2,
        "evaluator": "quality@1", "judge": "gemini", "judgeModel": "a-model", "rationale": "Well said.",
        "labels": "off_topic,refusal", "judgeTokens": 120, "judgeCostUsd": 0,
    }  # fmt: skip


def test_a_judge_is_shown_what_was_said_and_the_answer_before(court: Court) -> None:
    court.converse([3, 2, 1], session_id="s", confidence=0.5, total_ms=700, intent="weather")
    for n in range(3):
        asked, who = NOON - timedelta(minutes=9 - n), {"session_id": "s-9", "user_id": "u"}
        court.assistant.send(
            event("query", f"s-{n}", asked, transcript=f"t{n}", response=f"answer {n}", **who),
            event("outcome", f"s-{n}", success=True),
        )
    court.run()
    cases = {str(request.case["transcript"]): request.case for request in court.llm.requests}
    case = cases[f"{court.assistant.name} query 1"]
    assert (case["response"], case["intent"], case["confidence"], case["total_ms"]) == ("Yes.", "weather", 0.5, 700)
    assert [cases[f"t{n}"].get("previous_response", "") for n in range(3)] == ["", "answer 0", "answer 1"]


def test_what_a_judge_repeats_of_people_is_redacted(court: Court) -> None:
    court.llm.otherwise = lambda _: models.ok("Told ada@example.org to call +49 30 901820.", ("ok",))
    court.converse([1])
    court.run()
    ((kept,),) = court.assistant.stored("toJSONString(props)", "event = 'voice_evaluated'")
    assert ("ada@example.org" in kept, "901820" in kept, "Told " in kept) == (False, False, True)


def test_what_waits_moves_to_a_new_version_and_what_was_judged_stays(court: Court) -> None:
    first = court.converse([1])
    court.run()
    second = court.converse([2])
    court.here.evaluators.pause(court.assistant.id, "quality", court.doer)
    assert court.run().total() == 0
    court.here.evaluators.update(court.assistant.id, "quality", {"rubric": "Be strict."}, court.doer)
    court.here.evaluators.resume(court.assistant.id, "quality", court.doer)
    third = court.converse([3])
    court.finish()
    assert court.written() == [("quality@1", first[0]), *(("quality@2", text) for text in sorted(second + third))]
    assert court.asked() == dict.fromkeys(first + second + third, 1)
    assert ["Be strict." in request.instructions for request in court.llm.requests] == [False, True, True]


def test_several_evaluators_judge_by_themselves(court: Court) -> None:
    court.create("other", "openai")
    court.create("weather", "openai", filter=["intent:is:weather"])
    queries, of_weather = court.converse(range(2)), court.converse([7], intent="weather")
    court.finish()
    expected = [(f"{key}@1", text) for key in ("quality", "other") for text in queries + of_weather]
    assert court.written() == sorted([*expected, ("weather@1", of_weather[0])])
    assert sorted(request.dialect for request in court.llm.requests) == ["gemini"] * 3 + ["openai"] * 4


def test_an_exchange_that_is_gone_is_judged_no_more(court: Court) -> None:
    queries = court.converse(range(2))
    project = court.assistant.application.project(court.assistant.name)
    court.assistant.join()
    Evaluating.of(court.here).draw(project)
    court.here.keeper.forget(project, [court.here.receiver.enricher.actor(project.id, "ann")])
    assert court.run() == {"gone": len(queries)}
    assert (court.statuses(), court.written(), court.asked()) == ({"gone": 2}, [], {})


def test_an_exchange_that_moves_after_it_was_judged_is_shown_as_it_is_now(court: Court) -> None:
    """Its query comes late, from the day before: the evaluation stays, and nothing is judged again."""
    assistant = court.assistant
    assistant.send(event("outcome", "q-1", response="Yes.", user_id="bob"))
    assistant.join()
    assistant.wait()
    court.run()
    assistant.send(event("query", "q-1", NOON - timedelta(hours=13), transcript="Is it?", user_id="ann"))
    court.run()
    assert len(court.llm.requests) == 1
    page = assistant.page("quality", assistant.keys["read"])
    assert page["metrics"]["voice_evaluations"]["value"] == 1
    assert [(it["transcript"], it["response"], it["exchangeState"]) for it in page["worst"]] == [
        ("Is it?", "Yes.", "answered")
    ]  # fmt: skip


def test_unanswered_queries_and_bots_are_not_judged(court: Court) -> None:
    from_bots = {"user_agent": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"}
    court.assistant.send(
        {"event_type": "voice_query", "query_id": "a"},
        {"event_type": "voice_outcome", "query_id": "b", "response": "alone"},
        *({"event_type": f"voice_{name}", "query_id": "c", **from_bots} for name in ("query", "outcome")),
    )
    court.assistant.join()
    court.assistant.wait()
    court.run()
    assert [request.case["response"] for request in court.llm.requests] == ["alone"]


def claim(court: Court, number: int) -> list[Claimed]:
    """What a worker takes that is about to end without a word."""
    court.assistant.join()
    Evaluating.of(court.here).draw(court.assistant.application.project(court.assistant.name))
    claimed = court.here.evaluation_queue.claim(court.assistant.application.clock.now, number)
    assert len(claimed) == number
    return claimed


def verdict(court: Court, claimed: Sequence[Claimed]) -> list[Claimed]:
    said = Verdict(dict.fromkeys(SCORES, 3), "Told before the end.")
    now = court.assistant.application.clock.now
    return court.here.evaluation_queue.judged([Judgement(each, said, Attempt(now)) for each in claimed])


@pytest.mark.parametrize("ends", ["after it claimed", "after it judged", "after it wrote"])
def test_what_a_worker_left_is_taken_over(court: Court, ends: str) -> None:
    """Its claims lapse; what it had judged is written, and not judged again."""
    queries = court.converse(range(3))
    claimed = claim(court, 2)
    if ends != "after it claimed":
        kept = verdict(court, claimed)
    if ends == "after it wrote":
        project = court.assistant.application.project(court.assistant.name)
        found = load(court.here.engine, project.id, [(each.exchange, each.occurred_at) for each in kept])
        events = [Evaluated(found[each.exchange], each.evaluator, each.verdict) for each in kept if each.verdict]
        portal = court.assistant.application.client.blocking_portal
        portal.call(write, court.here, project, events)
    assert court.run()["judged"] == 1
    court.later(seconds=121)
    court.finish()
    assert court.written() == sorted(("quality@1", text) for text in queries)
    before = [said["rationale"] for said in court.assistant.said("event = 'voice_evaluated'")].count(
        "Told before the end."
    )
    assert before == (0 if ends == "after it claimed" else 2)
    assert sum(court.asked().values()) == 3 - before
    assert court.failures() == (["failed"] * 2 if ends == "after it claimed" else [])


def test_a_verdict_that_comes_too_late_is_noted_and_not_written(court: Court) -> None:
    queries = court.converse([1])
    claimed = claim(court, 1)
    court.later(seconds=121)
    court.finish()
    assert verdict(court, claimed) == []
    assert court.written() == [("quality@1", queries[0])]
    assert [each.outcome for each in court.attempts()[queries[0]]] == ["failed", "ok", "ok"]


def test_two_workers_at_once_never_judge_the_same(court: Court) -> None:
    queries = court.converse(range(18))
    court.assistant.join()
    Evaluating.of(court.here).draw(court.assistant.application.project(court.assistant.name))
    court.llm.otherwise = lambda _: models.after(0.02, models.ok())
    other = EvaluationQueue(court.here.evaluations._database, "another-process")
    few = court.with_settings(eval_batch_size=4).here
    workers = [Judging(here, judges_of(here)) for here in (few, few, replace(few, evaluation_queue=other))]
    threads = [threading.Thread(target=worker.run, args=(LONG,)) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    court.check(queries)


def test_a_server_that_ends_does_not_wait_for_a_judge(tmp_path: Path, engine: Engine) -> None:
    with running_llm() as llm:
        settings = {"gemini_url": llm.gemini_url, "gemini_api_key": "g", "eval_timeout_seconds": 600}
        with application(tmp_path, engine, NOON, settle_seconds=0, **settings) as world:
            court = Court(Assistant(world).fresh(), llm)
            queries = court.converse(range(3))
            llm.otherwise = lambda _: models.hang()
            running = threading.Thread(target=court.run, args=(600,))
            running.start()
            wait_until(lambda: len(llm.requests) == 3)
            court.here.keeper.stop()
            running.join(30)
            assert not running.is_alive()
            assert court.statuses() == {"waiting": 3}
            assert court.attempts() == dict.fromkeys(queries, ())


def wait_until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_what_comes_back_long_after_it_was_judged_is_not_judged_again(court: Court) -> None:
    queries = court.converse(range(3))
    court.finish()
    court.check(queries)
    court.here.evaluations.prune(court.here.turns.at() + timedelta(days=31))
    court.assistant.here.engine.command(
        "ALTER TABLE events UPDATE inserted_at = now64(3) WHERE project = {project:UInt32} "
        "AND event = 'voice_exchange' "
        "SETTINGS mutations_sync = 2",
        {"project": court.assistant.id},
    )  # as an archive does that is restored
    court.run()
    assert sum(court.asked().values()) == 3
    queries += court.converse([7])
    court.finish()
    assert sum(court.asked().values()) == 4
    assert court.written() == sorted(("quality@1", text) for text in queries)


def test_what_is_deleted_while_it_is_judged_leaves_nothing(court: Court, monkeypatch: pytest.MonkeyPatch) -> None:
    court.converse(range(1))
    ((actor,),) = court.assistant.stored("DISTINCT actor", "event = 'voice_query'")
    project = court.assistant.application.project(court.assistant.name)
    keep = EvaluationQueue.judged

    def judged(queue: EvaluationQueue, judgements: Sequence[Judgement]) -> list[Claimed]:
        kept = keep(queue, judgements)
        court.here.evaluations.forget_exchanges(project.id, [told.claimed.exchange for told in judgements])
        court.here.keeper.forget(project, [actor])
        return kept

    monkeypatch.setattr(EvaluationQueue, "judged", judged)
    court.run()
    assert court.assistant.stored("event", f"actor = {actor}") == []
