"""Having answers of the past judged: how many there are, about what that costs, and putting them into the queue."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal, TypedDict

from tallymark.api.services import Services
from tallymark.packs.voice.sampling import Drawn, Sampling
from tallymark.spec.evaluation import Usage
from tallymark.spec.evaluator import Evaluator
from tallymark.spec.project import Project
from tallymark.spec.window import Window

#: Where nothing is known of a model's calls: characters of a token, tokens of a prompt besides the texts, of a verdict.
_CHARACTERS: Final = 4
_PROMPT_TOKENS: Final = 700
_VERDICT_TOKENS: Final = 150


class Estimate(TypedDict):
    """What judging takes, about. `basis`: calls that were made, the length of texts, or that rules cost nothing.

    `usd` is null where the evaluator has no prices.
    """

    requests: int
    tokens: int
    usd: float | None
    basis: Literal["past calls", "length of texts", "rules"]


@dataclass(frozen=True)
class Backfill:
    """The answers of a window that an evaluator would judge, and has not judged at its version."""

    here: Services
    project: Project
    evaluator: Evaluator
    window: Window

    def drawn(self) -> list[Drawn]:
        """These answers."""
        return Sampling(self.here.engine, self.project).happened(self.evaluator, self.window)

    def estimate(self, exchanges: int) -> Estimate:
        """What judging so many of them takes."""
        if self.evaluator.draft.judge == "rules":
            return {"requests": 0, "tokens": 0, "usd": 0.0, "basis": "rules"}
        usual = self.here.evaluations.usual(self.evaluator.id)
        usage = usual or self._by_length(exchanges)
        prompt, completion = usage.prompt_tokens * exchanges, usage.completion_tokens * exchanges
        draft = self.evaluator.draft
        priced = draft.input_price > 0 or draft.output_price > 0
        return {
            "requests": exchanges,
            "tokens": prompt + completion,
            "usd": round(self.evaluator.cost(prompt, completion), 4) if priced else None,
            "basis": "past calls" if usual else "length of texts",
        }

    def enqueue(self, drawn: list[Drawn]) -> int:
        """How many of them wait now that did not before."""
        now = datetime.fromtimestamp(self.here.now(), UTC)
        return self.here.evaluations.enqueue(self.evaluator, drawn, now)

    def _by_length(self, exchanges: int) -> Usage:
        """The tokens of a call by the length of what it is about."""
        texts = Sampling(self.here.engine, self.project).characters(self.evaluator, self.window)
        own = len(self.evaluator.draft.prompt) + len(self.evaluator.draft.rubric)
        each = (texts / exchanges if exchanges else 0) + own
        return Usage(_PROMPT_TOKENS + round(each / _CHARACTERS), _VERDICT_TOKENS)
