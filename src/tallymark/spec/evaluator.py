"""Evaluators: who judges a project's answers, which of them, and by what rubric. A change makes a new version."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

JudgeKind = Literal["rules", "gemini", "openai"]
EvaluatorStatus = Literal["active", "paused", "archived"]

#: The evaluator that a project has without anybody's doing.
DEFAULT_EVALUATOR: Final = "quality"

#: An evaluator that fails so often in a row pauses itself.
MOST_FAILURES_IN_ROW: Final = 20


@dataclass(frozen=True)
class EvaluatorDraft:
    """What somebody decides of an evaluator.

    `model` is '' for the rules. `prompt` are instructions to a model and `rubric` says what scores mean; '' is the
    judge's own. `sample_rate` is the share of answers that are judged, drawn by a hash of the answer and `key`, so that
    every version judges the same ones; `filter` are texts as in `filter=` of a query, all of which must hold.
    Prices are US dollars for a million tokens.
    """

    key: str
    judge: JudgeKind
    model: str = ""
    prompt: str = ""
    rubric: str = ""
    sample_rate: float = 1.0
    filter: tuple[str, ...] = ()
    input_price: float = 0.0
    output_price: float = 0.0


@dataclass(frozen=True)
class Evaluator:
    """An evaluator at its latest version, or at one of the earlier ones.

    `automatic`: nobody has changed it, so it follows the settings. `failures_in_row`: calls of its judge that failed
    since the last that did not; until `held_until`, the judge is left alone.
    """

    id: int
    project_id: int
    version: int
    draft: EvaluatorDraft
    status: EvaluatorStatus
    pause_reason: str
    failures_in_row: int
    automatic: bool
    created_at: datetime
    updated_at: datetime
    held_until: datetime | None = None

    @property
    def name(self) -> str:
        """The key and the version, as they stand with scores: `quality@2`."""
        return f"{self.draft.key}@{self.version}"

    def cost(self, prompt_tokens: int, completion_tokens: int) -> float:
        """What so many tokens cost, in US dollars."""
        return (prompt_tokens * self.draft.input_price + completion_tokens * self.draft.output_price) / 1e6
