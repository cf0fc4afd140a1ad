"""Evaluators as JSON: a draft and a change are read, an evaluator is written.

What is written of a draft, read again, is the same draft.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, TypedDict, get_args

from tallymark.errors import BadRequest
from tallymark.spec.evaluator import Evaluator, EvaluatorDraft, EvaluatorStatus, JudgeKind
from tallymark.spec.json_values import items, key, number, one_of, shown, text
from tallymark.spec.project import instant_text

#: Characters of instructions and rubrics, filters, and characters of one.
LONGEST_PROMPT: Final = 20_000
MOST_FILTERS: Final = 20
LONGEST_FILTER: Final = 1_000
#: US dollars for a million tokens.
HIGHEST_PRICE: Final = 10_000
#: Models stand in addresses.
MODEL_PATTERN: Final = r"[A-Za-z0-9](?:[A-Za-z0-9_:@/-]|\.(?!\.)){0,199}"
_MODEL: Final = re.compile(MODEL_PATTERN)
_MODEL_RULE: Final = "1 to 200 letters, digits, '.', '_', '-', ':', '@', '/', the first a letter or a digit"
#: What only a model has.
_OF_A_MODEL: Final = ("model", "prompt", "rubric", "inputPrice", "outputPrice")


class PublicDraft(TypedDict):
    """An evaluator as somebody has defined it."""

    key: str
    judge: JudgeKind
    model: str
    prompt: str
    rubric: str
    sampleRate: float
    filter: list[str]
    inputPrice: float
    outputPrice: float


class PublicEvaluator(PublicDraft):
    """An evaluator as the API shows it. `name` stands with its scores: the key and the version."""

    name: str
    version: int
    status: EvaluatorStatus
    pauseReason: str
    failuresInRow: int
    automatic: bool
    createdAt: str
    updatedAt: str


def parse_draft(body: object) -> EvaluatorDraft:
    """The evaluator that a JSON object asks for. Errors: `BadRequest`."""
    values = _fields(body)
    for field in ("key", "judge"):
        if field not in values:
            raise BadRequest(f"An evaluator needs {field}.", field=field)
    read = {attribute: read(values[field], field) for field, (attribute, read) in _READERS.items() if field in values}
    draft = EvaluatorDraft(**read)
    _check_judge(draft)
    return draft


def changed(draft: EvaluatorDraft, body: object) -> EvaluatorDraft:
    """The draft with what a JSON object changes; another judge takes nothing over of what was said to the model before.

    Errors: `BadRequest`.
    """
    change, known = _fields(body), dict(public_draft(draft))
    if change.get("key", draft.key) != draft.key:
        raise BadRequest("An evaluator keeps its key: its scores carry it.", field="key", allowed=[draft.key])
    if change.get("judge", draft.judge) != draft.judge:
        lost = _OF_A_MODEL if change["judge"] == "rules" else ("model",)
        known = {field: value for field, value in known.items() if field not in lost}
    return parse_draft({**known, **change})


def public_draft(draft: EvaluatorDraft) -> PublicDraft:
    """What is defined of an evaluator, as JSON."""
    return {
        "key": draft.key,
        "judge": draft.judge,
        "model": draft.model,
        "prompt": draft.prompt,
        "rubric": draft.rubric,
        "sampleRate": draft.sample_rate,
        "filter": list(draft.filter),
        "inputPrice": draft.input_price,
        "outputPrice": draft.output_price,
    }


def public(evaluator: Evaluator) -> PublicEvaluator:
    """The evaluator as the API shows it."""
    return {
        **public_draft(evaluator.draft),
        "name": evaluator.name,
        "version": evaluator.version,
        "status": evaluator.status,
        "pauseReason": evaluator.pause_reason,
        "failuresInRow": evaluator.failures_in_row,
        "automatic": evaluator.automatic,
        "createdAt": instant_text(evaluator.created_at),
        "updatedAt": instant_text(evaluator.updated_at),
    }


def changed_fields(before: EvaluatorDraft, after: EvaluatorDraft) -> tuple[str, ...]:
    """The public names of what differs."""
    old, new = dict(public_draft(before)), dict(public_draft(after))
    return tuple(field for field in FIELDS if old[field] != new[field])


def _check_judge(draft: EvaluatorDraft) -> None:
    """Raises `BadRequest` for a model without its name, and for rules with something that only a model has."""
    if draft.judge != "rules":
        if not draft.model:
            raise BadRequest(f"The judge {draft.judge!r} needs a model.", field="model", allowed=[_MODEL_RULE])
        return
    said = dict(public_draft(draft))
    field = next((field for field in _OF_A_MODEL if said[field]), None)
    if field is not None:
        raise BadRequest(f"The judge 'rules' is no model, and has no {field}.", field=field)


def _fields(body: object) -> Mapping[str, Any]:
    if not isinstance(body, Mapping):
        raise BadRequest("An evaluator is a JSON object.", allowed=FIELDS)
    for field in body:
        if field not in FIELDS:
            raise BadRequest(f"An evaluator has no field {shown(field)}.", field=str(field)[:80], allowed=FIELDS)
    return body


def _model(said: object, field: str) -> str:
    if said != "" and (not isinstance(said, str) or not _MODEL.fullmatch(said)):
        raise BadRequest(f"{field} can't be {shown(said)}.", field=field, allowed=[_MODEL_RULE])
    return said


def _filter(said: object, field: str) -> tuple[str, ...]:
    texts = items(said, field, 0, MOST_FILTERS)
    return tuple(text(item, f"{field}.{place}", LONGEST_FILTER) for place, item in enumerate(texts))


def _prompt(said: object, field: str) -> str:
    return text(said, field, LONGEST_PROMPT)


def _price(said: object, field: str) -> float:
    return number(said, field, 0, HIGHEST_PRICE)


#: Public field: the attribute it is kept in, and its reader.
_READERS: Final[Mapping[str, tuple[str, Callable[[object, str], Any]]]] = {
    "key": ("key", key),
    "judge": ("judge", lambda said, field: one_of(said, field, get_args(JudgeKind))),
    "model": ("model", _model),
    "prompt": ("prompt", _prompt),
    "rubric": ("rubric", _prompt),
    "sampleRate": ("sample_rate", lambda said, field: number(said, field, 0, 1)),
    "filter": ("filter", _filter),
    "inputPrice": ("input_price", _price),
    "outputPrice": ("output_price", _price),
}

#: The fields of a definition.
FIELDS: Final = tuple(PublicDraft.__annotations__)
