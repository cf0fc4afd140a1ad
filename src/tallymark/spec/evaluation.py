"""Judging an answer: what a judge is shown, and what it says of it or why it could not."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

#: What an answer is scored by, each a whole number from `LOWEST`, the worst, to `HIGHEST`.
SCORES: Final = ("relevance", "correctness", "helpfulness", "safety", "overall")
LOWEST: Final = 1
HIGHEST: Final = 5

#: Labels and characters that are kept of a verdict.
MOST_LABELS: Final = 8
LONGEST_LABEL: Final = 40
LONGEST_RATIONALE: Final = 600


@dataclass(frozen=True)
class Case:
    """A query and its answer, as far as they are known; personal data in them is redacted already.

    `previous_response` is the answer before in the same session, '' where there is none. `total_ms`: milliseconds.
    """

    transcript: str
    response: str
    intent: str = ""
    language: str = ""
    error: str = ""
    success: bool | None = None
    confidence: float | None = None
    total_ms: float | None = None
    previous_response: str = ""


@dataclass(frozen=True)
class Usage:
    """What a call of a judge took, in tokens."""

    prompt_tokens: int = 0
    completion_tokens: int = 0

    @property
    def tokens(self) -> int:
        """Both together."""
        return self.prompt_tokens + self.completion_tokens


@dataclass(frozen=True)
class Verdict:
    """What a judge says: a score for each of `SCORES`, why, and short labels such as `refusal`."""

    scores: Mapping[str, int]
    rationale: str = ""
    labels: tuple[str, ...] = ()
    usage: Usage = field(default_factory=Usage)


class Fault(StrEnum):
    """Why a judge gave no verdict."""

    TIMEOUT = "timeout"
    RATE_LIMITED = "rate_limited"
    UNAVAILABLE = "unavailable"
    UNAUTHORIZED = "unauthorized"
    REJECTED = "rejected"
    MALFORMED = "malformed"
    TRUNCATED = "truncated"
    REFUSED = "refused"
    FAILED = "failed"

    @property
    def of_the_judge(self) -> bool:
        """Whether it would befall any other case now: the judge is left alone for a while."""
        return self in (Fault.RATE_LIMITED, Fault.UNAVAILABLE, Fault.UNAUTHORIZED)


@dataclass(frozen=True)
class Failed:
    """That a judge gave no verdict. `retry_after`: seconds that it asked to be left alone for.

    `message` never holds a key, nor what the case says.
    """

    fault: Fault
    message: str
    retry_after: float | None = None
    usage: Usage = field(default_factory=Usage)
