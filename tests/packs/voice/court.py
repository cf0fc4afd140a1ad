"""A project whose answers a model judges, which a test has fail; and what was asked, noted and written."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from tallymark.api.services import Services
from tallymark.control.evaluation_models import EvaluationRow
from tallymark.control.evaluation_rows import Attempt
from tallymark.control.experiments import Doer
from tallymark.packs.voice.evaluating import Evaluating
from tallymark.spec.evaluator import Evaluator
from tallymark.spec.evaluator_draft import parse_draft
from tests.packs.voice.assistant import NOON, Assistant, event
from tests.packs.voice.llm import Llm

#: A run ends by itself where nothing is left that may be judged; it never takes this long.
LONG = 60.0


@dataclass(frozen=True)
class Court:
    """A project with the evaluator `quality` and the server that it asks."""

    assistant: Assistant
    llm: Llm
    changed: Services | None = None

    @property
    def here(self) -> Services:
        return self.changed or self.assistant.here

    def fresh(self, judge: str = "gemini", **draft: Any) -> "Court":
        """Another project, whose evaluator is version 1; nothing of other projects waits, and nothing was asked yet."""
        for project in self.here.projects.list():
            self.here.evaluators.forget_project(project.id)
        self.llm.forget()
        return self.beside(judge, **draft)

    def beside(self, judge: str = "gemini", **draft: Any) -> "Court":
        """Another project beside those that there are."""
        found = Court(self.assistant.fresh(), self.llm)
        found.create("quality", judge, **draft)
        return found

    def create(self, key: str, judge: str, **draft: Any) -> Evaluator:
        """A further evaluator."""
        model = {} if judge == "rules" else {"model": "a-model"}
        body = parse_draft({"key": key, "judge": judge, **model, **draft})
        return self.here.evaluators.create(self.assistant.id, body, self.doer)

    def with_settings(self, **settings: Any) -> "Court":
        """The same project judged by other settings."""
        here = replace(self.assistant.here, settings=replace(self.assistant.here.settings, **settings))
        return replace(self, changed=here)

    @property
    def doer(self) -> Doer:
        return Doer("test", self.assistant.application.clock.now)

    @property
    def evaluator(self) -> Evaluator:
        """The evaluator as it is now."""
        found = self.here.evaluators.get(self.assistant.id, "quality")
        assert found is not None
        return found

    def converse(self, numbers: Sequence[int], **outcome: Any) -> list[str]:
        """Has the assistant asked; gives the queries."""
        queries = {f"q-{number}": f"{self.assistant.name} query {number}" for number in numbers}
        times = {query_id: NOON - timedelta(minutes=int(query_id[2:])) for query_id in queries}
        self.assistant.send(
            *(event("query", each, at, transcript=queries[each], user_id="ann") for each, at in times.items()),
            *(event("outcome", each, at, response="Yes.", success=True, **outcome) for each, at in times.items()),
        )
        return list(queries.values())

    def run(self, seconds: float = LONG) -> Counter[str]:
        """Judges what is due, as the clock does; gives what became of it."""
        return Evaluating.of(self.here).run(seconds, self.assistant.application.project(self.assistant.name))

    def later(self, **time: float) -> None:
        """Lets time pass for the application."""
        self.assistant.application.clock.now += timedelta(**time)

    def finish(self) -> None:
        """Judges until nothing waits, letting time pass."""
        for _ in range(20):
            self.run()
            if not self.statuses().keys() & {"waiting", "running", "judged"}:
                return
            self.later(hours=2)
        raise AssertionError(self.statuses())

    def rows(self) -> list[EvaluationRow]:
        """What is known of the project's evaluations."""
        mine = select(EvaluationRow).where(EvaluationRow.project_id == self.assistant.id).order_by(EvaluationRow.id)
        with self.here.evaluations._database.read() as session:
            return list(session.scalars(mine).all())

    def statuses(self) -> Counter[str]:
        """How many there are by status."""
        return Counter(row.status for row in self.rows())

    def attempts(self) -> dict[str, Sequence[Attempt]]:
        """Calls of the judge by query; the evaluator's own are told by `quality@1: query` where there are several."""
        texts = dict(self.assistant.stored("event_id, toString(props.transcript)", "event = 'voice_exchange'"))
        return {texts[row.exchange % 2**64]: self.here.evaluations.attempts(row.id) for row in self.rows()}

    def failures(self) -> list[str]:
        """The faults of all failed calls."""
        return sorted(each.outcome for calls in self.attempts().values() for each in calls if each.outcome != "ok")

    def written(self) -> list[tuple[str, str]]:
        """Evaluator and query of each evaluation that counts."""
        evaluated = self.assistant.said("event = 'voice_evaluated'")
        return sorted((said["evaluator"], f"{self.assistant.name} query {said['queryId'][2:]}") for said in evaluated)

    def asked(self) -> Mapping[str, int]:
        """How often the server was asked about each query of the project."""
        mine = [text for text in self.llm.transcripts if text.startswith(f"{self.assistant.name} ")]
        return Counter(mine)

    def check(self, queries: Sequence[str], name: str = "quality@1") -> None:
        """Each query was judged once by that version, and asked about as often as is noted: failures and one success.

        Nothing is lost, and nothing that was judged is judged again.
        """
        assert self.written() == sorted((name, text) for text in queries)
        attempts = self.attempts()
        assert {
            text: [each.outcome for each in calls].count("ok") for text, calls in attempts.items()
        } == dict.fromkeys(queries, 1)
        assert self.asked() == {text: len(calls) for text, calls in attempts.items()}
        assert self.statuses() == {"done": len(queries)}
