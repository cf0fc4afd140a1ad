"""Reviews as JSON: what people send is read, without personal data in it, and what is stored is told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypedDict

from tallymark.control.reviews import Review, ReviewDraft
from tallymark.errors import BadRequest
from tallymark.ingest.pii import redacted
from tallymark.ingest.pii_budget import Budget
from tallymark.packs.voice.cases import id_of, identity_of
from tallymark.spec.evaluation import HIGHEST, LONGEST_LABEL, LOWEST, MOST_LABELS, SCORES
from tallymark.spec.json_values import items, mapping, shown, text, whole
from tallymark.spec.project import Project, instant_text

#: Reviews that one request may send, and characters of a reviewer's name and of a comment.
MOST_REVIEWS: Final = 500
LONGEST_REVIEWER: Final = 200
LONGEST_COMMENT: Final = 2_000

_FIELDS: Final = ("exchangeId", "reviewer", "scores", "labels", "comment")


class PublicReview(TypedDict):
    """A review as the API shows it; `at` is when the exchange happened."""

    exchangeId: str
    at: str
    reviewer: str
    scores: dict[str, int]
    labels: list[str]
    comment: str
    createdAt: str
    updatedAt: str


@dataclass(frozen=True)
class Said:
    """What somebody says of an exchange; `field` is where its id stands in the request."""

    field: str
    exchange: int
    reviewer: str
    scores: Mapping[str, int]
    labels: tuple[str, ...]
    comment: str

    def draft(self, at: datetime) -> ReviewDraft:
        """The review of the exchange, which happened then."""
        return ReviewDraft(self.exchange, at, self.reviewer, self.scores, self.labels, self.comment)


def parse(body: object, reviewer: str) -> list[Said]:
    """The reviews of a body, one or a list, by `reviewer` where they don't say by whom. Errors: `BadRequest`."""
    if not isinstance(body, list):
        return [_said(body, "", reviewer)]
    return [_said(one, f"{place}.", reviewer) for place, one in enumerate(items(body, "reviews", 1, MOST_REVIEWS))]


def clean(said: Sequence[Said], project: Project) -> list[Said]:
    """The same with personal data in comments and labels redacted, unless the project allows it.

    Also in a project that rejects it in events: what a person wrote by hand is not thrown away.
    """
    if project.pii == "allow":
        return list(said)
    budget, cleaned = Budget(), []
    for one in said:
        budget.next_event()
        labels, comment = redacted([list(one.labels), one.comment], budget)
        cleaned.append(Said(one.field, one.exchange, one.reviewer, one.scores, tuple(labels), comment))
    return cleaned


def public(review: Review) -> PublicReview:
    """The review as the API shows it."""
    draft = review.draft
    return {
        "exchangeId": identity_of(draft.exchange),
        "at": instant_text(draft.occurred_at),
        "reviewer": draft.reviewer,
        "scores": dict(draft.scores),
        "labels": list(draft.labels),
        "comment": draft.comment,
        "createdAt": instant_text(review.created_at),
        "updatedAt": instant_text(review.updated_at),
    }


def reviewer_of(said: object, field: str) -> str:
    """The name of a reviewer. Errors: `BadRequest`."""
    name = text(said, field, LONGEST_REVIEWER)
    if not name.isprintable() or not name.strip():
        raise BadRequest(f"{field} is a name of printable characters.", field=field)
    return name


def exchange_of(said: object, field: str) -> int:
    """The id of an exchange as answers write it. Errors: `BadRequest`."""
    exchange = id_of(said) if isinstance(said, str) else None
    if exchange is None:
        rule = "1 to 16 hexadecimal digits, as answers have it"
        raise BadRequest(f"{field} can't be {shown(said)}.", field=field, allowed=[rule])
    return exchange


def _said(body: object, place: str, reviewer: str) -> Said:
    if not isinstance(body, Mapping):
        raise BadRequest("A review is a JSON object.", field=place.rstrip(".") or None, allowed=_FIELDS)
    unknown = next((name for name in body if name not in _FIELDS), None)
    if unknown is not None:
        raise BadRequest(f"A review has no field {shown(unknown)}.", field=f"{place}{unknown[:80]}", allowed=_FIELDS)
    if "exchangeId" not in body:
        raise BadRequest("A review says of which exchange it is.", field=f"{place}exchangeId")
    said = Said(
        f"{place}exchangeId",
        exchange_of(body["exchangeId"], f"{place}exchangeId"),
        reviewer_of(body["reviewer"], f"{place}reviewer") if "reviewer" in body else reviewer,
        _scores(body.get("scores", {}), f"{place}scores"),
        _labels(body.get("labels", []), f"{place}labels"),
        text(body.get("comment", ""), f"{place}comment", LONGEST_COMMENT),
    )
    if not (said.scores or said.labels or said.comment):
        raise BadRequest("A review has scores, labels or a comment.", field=f"{place}scores", allowed=SCORES)
    return said


def _scores(said: object, field: str) -> dict[str, int]:
    scores: Mapping[str, Any] = mapping(said, field, SCORES)
    return {name: whole(scores[name], f"{field}.{name}", LOWEST, HIGHEST) for name in SCORES if name in scores}


def _labels(said: object, field: str) -> tuple[str, ...]:
    given = enumerate(items(said, field, 0, MOST_LABELS))
    labels = [text(label, f"{field}.{place}", LONGEST_LABEL) for place, label in given]
    return tuple(dict.fromkeys(label for label in labels if label))
