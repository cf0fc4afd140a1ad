"""The rows of `evaluators` and their versions as values."""

from functools import lru_cache
from typing import cast

import msgspec

from tallymark.control.evaluation_models import EvaluatorRow
from tallymark.spec.evaluator import Evaluator, EvaluatorDraft, EvaluatorStatus
from tallymark.spec.evaluator_draft import parse_draft, public_draft


def definition_text(draft: EvaluatorDraft) -> str:
    """A definition as it is stored."""
    return msgspec.json.encode(public_draft(draft)).decode()


@lru_cache(maxsize=4_096)  # they are read again and again, and seldom change
def defined(definition: str) -> EvaluatorDraft:
    """The draft that is stored."""
    return parse_draft(msgspec.json.decode(definition))


def evaluator_of(row: EvaluatorRow) -> Evaluator:
    """The evaluator of a row, at its latest version."""
    return evaluator_at(row, row.version, row.definition)


def evaluator_at(row: EvaluatorRow, version: int, definition: str) -> Evaluator:
    """The evaluator of a row as it is defined at a version."""
    return Evaluator(
        id=row.id,
        project_id=row.project_id,
        version=version,
        draft=defined(definition),
        status=cast(EvaluatorStatus, row.status),
        pause_reason=row.pause_reason,
        failures_in_row=row.failures_in_row,
        automatic=row.automatic,
        created_at=row.created_at,
        updated_at=row.updated_at,
        held_until=row.not_before,
    )
