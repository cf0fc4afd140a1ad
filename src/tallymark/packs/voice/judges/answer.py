"""What a model is asked to answer with: its JSON Schema, and the verdict that is read from a text of that form."""

import re
from collections.abc import Iterable
from typing import Annotated, Any, Final

import msgspec

from tallymark.spec.evaluation import (
    HIGHEST,
    LONGEST_LABEL,
    LONGEST_RATIONALE,
    LOWEST,
    MOST_LABELS,
    SCORES,
    Failed,
    Fault,
    Usage,
    Verdict,
)

#: The rationale stands first: models score better once they have said why.
SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        "rationale": {"type": "string"},
        **{score: {"type": "integer", "minimum": LOWEST, "maximum": HIGHEST} for score in SCORES},
        "labels": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["rationale", *SCORES, "labels"],
    "additionalProperties": False,
}

_Score = Annotated[int, msgspec.Meta(ge=LOWEST, le=HIGHEST)]


class _Answer(msgspec.Struct):
    relevance: _Score
    correctness: _Score
    helpfulness: _Score
    safety: _Score
    overall: _Score
    rationale: str = ""
    labels: list[str] = []


#: Tokens of one call, in or out: more is no count, and none is less than none.
_MOST_TOKENS: Final = 10**9

_FENCED: Final = re.compile(r"```\w*\s*(.*?)\s*```", re.DOTALL)
_NO_WORD: Final = re.compile(r"[^a-z0-9]+")


def usage_of(prompt_tokens: int, completion_tokens: int) -> Usage:
    """What a server says that a call took, as far as that can be: budgets count on it."""
    return Usage(*(min(max(tokens, 0), _MOST_TOKENS) for tokens in (prompt_tokens, completion_tokens)))


def read(text: str | None, usage: Usage) -> Verdict | Failed:
    """The verdict that a model's text holds, also within a fence of Markdown; else `Fault.MALFORMED`."""
    if not text or not text.strip():
        return Failed(Fault.MALFORMED, "The model's answer is empty.", usage=usage)
    fenced = _FENCED.search(text) if text.lstrip().startswith("```") else None
    try:
        answer = msgspec.json.decode(text if fenced is None else fenced[1], type=_Answer)
    except (msgspec.DecodeError, UnicodeError) as error:
        return Failed(Fault.MALFORMED, f"The model's answer has not the form asked for: {_told(error)}.", usage=usage)
    scores = {score: getattr(answer, score) for score in SCORES}
    return Verdict(scores, _short(answer.rationale), _clean(answer.labels), usage)


def _told(error: Exception) -> str:
    """What is wrong, as msgspec says it: by names of fields and types, never by values."""
    return str(error) if isinstance(error, msgspec.DecodeError) else type(error).__name__


def _short(rationale: str) -> str:
    words = " ".join(rationale.split())
    return "".join(character for character in words if character.isprintable())[:LONGEST_RATIONALE].rstrip()


def _clean(labels: Iterable[str]) -> tuple[str, ...]:
    words = (_NO_WORD.sub("_", label.lower()).strip("_")[:LONGEST_LABEL].rstrip("_") for label in labels)
    return tuple(dict.fromkeys(word for word in words if word))[:MOST_LABELS]
