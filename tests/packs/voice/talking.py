"""A project with a voice assistant, whose exchanges are judged and reviewed, all through the front door."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from tallymark.api.services import Services
from tallymark.control.experiments import Doer
from tallymark.packs.voice.cases import load
from tallymark.packs.voice.evaluated import Evaluated, write
from tallymark.packs.voice.evaluating import Evaluating
from tallymark.packs.voice.exchanges import Exchanges
from tallymark.packs.voice.sampling import Sampling
from tallymark.spec.evaluation import Verdict
from tallymark.spec.window import Window
from tests.packs.world import ADMIN, Application, bearer

#: For the engine, whose clock is its own, nothing there has expired yet.
NOON = datetime(2028, 2, 29, 12, tzinfo=UTC)
TODAY = NOON.date()

#: Answers that the rules score differently, best first.
ANSWERS = ("Your order arrives tomorrow morning.", "The weather is fine today.", "Sorry, I don't understand.", "...")
QUERY = "When does my order arrive?"


@dataclass
class Talking:
    """A project with the pack voice."""

    application: Application
    name: str = ""
    keys: Mapping[str, str] = field(default_factory=dict)

    @property
    def here(self) -> Services:
        return self.application.here

    def fresh(self, **fields: Any) -> "Talking":
        """Another project; the clock is at noon again."""
        self.application.clock.now = NOON
        return Talking(self.application, *self.application.make("voice", **fields))

    def ask(self, method: str, path: str, key: str | None = ADMIN, json: Any = None, **params: Any) -> httpx.Response:
        """A request about the project."""
        named = {name: value for name, value in {"project": self.name, **params}.items() if value is not None}
        headers = bearer(key) if key else {}
        return self.application.client.request(method, path, json=json, params=named, headers=headers)

    def told(self, method: str, path: str, json: Any = None, **params: Any) -> dict[str, Any]:
        """What an admin is answered."""
        answer = self.ask(method, path, json=json, **params)
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told

    def say(self, query_id: str, response: str = ANSWERS[0], at: datetime = NOON, **more: Any) -> None:
        """Sends a query and its outcome, a second later."""
        query = {"event_type": "voice_query", "query_id": query_id, "transcript": QUERY, "timestamp": at.isoformat()}
        then = (at + timedelta(seconds=1)).isoformat()
        outcome = {"event_type": "voice_outcome", "query_id": query_id, "response": response, "timestamp": then}
        answer = self.ask("POST", "/voice/ingest", json=[{**query, **more}, {**outcome, **more}])
        assert (answer.status_code, answer.json()["accepted"]) == (202, 2), answer.text

    def talk(self, count: int) -> None:
        """So many exchanges, with one answer after another."""
        for number in range(count):
            self.say(f"q-{number}", ANSWERS[number % len(ANSWERS)], NOON - timedelta(minutes=number))

    def judge(self) -> None:
        """Judges what is new, and what waits, by the rules."""
        Evaluating.of(self.here).run(60, self.application.project(self.name))

    def join(self) -> None:
        """Makes exchanges of what was sent."""
        Exchanges(self.here).join(self.application.project(self.name))

    def judge_by(self, change: Mapping[str, Any], scores: Callable[[str], Mapping[str, int]]) -> str:
        """Makes the next version, whose verdicts are told by the ids of queries; gives its name."""
        project = self.application.project(self.name)
        evaluator = self.here.evaluators.update(project.id, "quality", change, Doer("test", self.application.clock.now))
        cases = Sampling(self.here.engine, project).happened(evaluator, Window(TODAY, TODAY))
        exchanges = load(self.here.engine, project.id, cases).values()
        verdicts = [Evaluated(one, evaluator, Verdict(scores(one.said["queryId"]))) for one in exchanges]
        writing = write(self.here, project, verdicts)
        asyncio.run_coroutine_threadsafe(writing, self.here.writer.loop).result()
        return evaluator.name
