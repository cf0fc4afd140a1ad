"""What a judge is: whatever scores a case, or says why it could not."""

from typing import Protocol

from tallymark.spec.evaluation import Case, Failed, Verdict
from tallymark.spec.evaluator import EvaluatorDraft


class Judge(Protocol):
    """Scores cases, several at once if asked to. It asks once and never again; its caller decides what is retried."""

    async def judge(self, case: Case, draft: EvaluatorDraft) -> Verdict | Failed:
        """The verdict by the draft's model and rubric. Raises nothing for what a model or its server does."""
        ...

    async def close(self) -> None:
        """Ends its connections, in the event loop that it was used in."""
        ...
