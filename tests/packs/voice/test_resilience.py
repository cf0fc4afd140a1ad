"""What one sender or one caller can't do to others: hold up their exchanges, their judging, or everybody's requests."""

import threading
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from typing import Any

import pytest

from tallymark.packs.voice.evaluating import Evaluating
from tallymark.packs.voice.exchanges import Exchanges
from tallymark.spec.project import Project
from tests.packs.voice.assistant import Assistant, event
from tests.packs.world import bearer

#: What an event may say of its own; the engine tells a name and what is nested in it as two of one name.
BOTH = {"x": 1, "x.y": 2}


@pytest.mark.parametrize("outcome", [BOTH, {"x.y": 3}, {"x": {"y": 3}}], ids=["both", "dotted", "nested"])
def test_no_names_of_properties_hold_up_a_project(assistant: Assistant, outcome: dict[str, Any]) -> None:
    assistant.send(event("query", "bad", properties=BOTH), event("outcome", "bad", properties=outcome))
    assistant.send(event("query", "good"), event("outcome", "good", success=True))
    assert assistant.join() == 2
    states = assistant.stored("toString(props.queryId), toString(props.exchangeState)", "event = 'voice_exchange'")
    assert sorted(states) == [("bad", "answered"), ("good", "answered")]
    assert assistant.join() == 0
    assert assistant.page("summary")["metrics"]["voice_exchanges"]["value"] == 2


def test_an_exchange_that_moved_counts_for_nobody_where_it_was(assistant: Assistant) -> None:
    assistant.send(event("outcome", "q", user_id="server", success=True))
    assistant.wait()
    assistant.join()
    assistant.send(event("query", "q", user_id="ann"))
    assistant.join()
    assert assistant.stored("bot", "event = 'voice_exchange' AND bot != ''") == [("(void)",)]
    assistant.application.settle(assistant.name)
    asked = {
        "project": assistant.name,
        "metrics": "events,actors,voice_exchanges",
        "from": "2028-02-28",
        "to": "2028-02-29",
    }
    told = assistant.application.client.get("/v1/query", params=asked, headers=bearer(assistant.keys["read"])).json()
    assert {name: metric["value"] for name, metric in told["metrics"].items()} == {
        "events": 3, "actors": 2, "voice_exchanges": 1
    }  # fmt: skip


class Failing(Exchanges):
    """Can't join one project."""

    bad = ""

    def join(self, project: Project) -> int:
        if project.name == self.bad:
            raise ValueError(project.name)
        return super().join(project)


def test_a_project_that_fails_holds_up_no_other(assistant: Assistant, monkeypatch: pytest.MonkeyPatch) -> None:
    other = assistant.fresh()
    other.send(event("query", "q"), event("outcome", "q", success=True))
    monkeypatch.setattr(Failing, "bad", assistant.name)
    failing = Failing(assistant.here)
    assert failing.keep() == 1
    other.send(event("query", "r"), event("outcome", "r", success=True))
    judging = Evaluating.of(assistant.here)
    assert Evaluating(assistant.here, failing, judging.judging).run(30)["judged"] >= 2


def test_what_comes_while_exchanges_are_joined_is_joined_for_the_next_reader(
    assistant: Assistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    exchanges, project = Exchanges(assistant.here), assistant.application.project(assistant.name)
    assistant.send(event("query", "q"), event("outcome", "q"))
    written = Exchanges._written

    def meanwhile(self: Exchanges, *given: Any) -> int:
        assistant.send(event("query", "r"), event("outcome", "r"))
        return written(self, *given)

    with monkeypatch.context() as patched:
        patched.setattr(Exchanges, "_written", meanwhile)
        exchanges.freshen(project)
    exchanges.freshen(project)
    assert len(assistant.stored("event", "event = 'voice_exchange'")) == 2


def test_a_server_that_stops_joins_no_further(assistant: Assistant, monkeypatch: pytest.MonkeyPatch) -> None:
    exchanges, project = Exchanges(assistant.here, at_once=1), assistant.application.project(assistant.name)
    for number in range(5):
        assistant.send(event("query", f"q-{number}"), event("outcome", f"q-{number}"))
    keeper, steps = type(assistant.here.keeper), list[int]()
    step = Exchanges._step

    def counted(self: Exchanges, project: Project) -> tuple[bool, int]:
        steps.append(1)
        return step(self, project)

    with monkeypatch.context() as patched:
        patched.setattr(Exchanges, "_step", counted)
        patched.setattr(keeper, "stopping", property(lambda _: bool(steps)))
        exchanges.join(project)
    assert len(steps) == 1
    exchanges.freshen(project)
    assert len(assistant.stored("event", "event = 'voice_exchange'")) == 5


def test_callers_who_wait_for_judging_leave_threads_for_others(assistant: Assistant) -> None:
    client, admin, over = assistant.application.client, bearer(assistant.keys["admin"]), threading.Event()
    began = threading.Event()

    def judge() -> None:
        with assistant.here.turns.alone("judging", 120):
            began.set()
            over.wait(60)

    def run(_: int) -> int:
        return client.post("/v1/evaluations/run", headers=admin).status_code

    with ThreadPoolExecutor(13) as threads:
        try:
            threads.submit(judge)
            assert began.wait(10)
            runs = [threads.submit(run, number) for number in range(12)]
            wait(runs, 60, FIRST_COMPLETED)
            read = bearer(assistant.keys["read"])
            shown = threads.submit(client.get, "/v1/evaluators", headers=read)
            assert shown.result(20).status_code == 200
        finally:
            over.set()
        statuses = [one.result(120) for one in runs]
    assert set(statuses) == {200, 429}
