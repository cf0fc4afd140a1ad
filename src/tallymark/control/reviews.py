"""What people say of exchanges: one review of each by each reviewer."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import msgspec
from sqlalchemy import Select, delete, select

from tallymark.control.database import Database
from tallymark.control.evaluation_models import ReviewRow
from tallymark.control.evaluation_rows import parts


@dataclass(frozen=True)
class ReviewDraft:
    """What a reviewer says of an exchange, which happened at `occurred_at`: some or all of `SCORES`, and labels."""

    exchange: int
    occurred_at: datetime
    reviewer: str
    scores: Mapping[str, int] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    comment: str = ""


@dataclass(frozen=True)
class Review:
    """A review, when it was first made and when it last changed."""

    id: int
    project_id: int
    draft: ReviewDraft
    created_at: datetime
    updated_at: datetime


class Reviews:
    """The store of reviews."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, project_id: int, draft: ReviewDraft, now: datetime) -> Review:
        """The review, in place of the one that the reviewer made of the exchange before."""
        with self._database.write(project_id) as session:
            row = session.scalar(_one(project_id, draft.exchange, draft.reviewer))
            if row is None:
                row = ReviewRow(
                    project_id=project_id, exchange=draft.exchange, reviewer=draft.reviewer, created_at=now
                )  # fmt: skip
                session.add(row)
            row.occurred_at, row.updated_at, row.comment = draft.occurred_at, now, draft.comment
            row.scores, row.labels = _text(dict(draft.scores)), _text(draft.labels)
            session.flush()
            return _review(row)

    def get(self, project_id: int, exchange: int, reviewer: str) -> Review | None:
        """What a reviewer said of an exchange."""
        with self._database.read(project_id) as session:
            row = session.scalar(_one(project_id, exchange, reviewer))
            return None if row is None else _review(row)

    def list(
        self, project_id: int, start: datetime, end: datetime, exchanges: Collection[int] | None = None,
        limit: int | None = None,
    ) -> tuple[Review, ...]:  # fmt: skip
        """The reviews of exchanges from `start` to before `end`, or of some of them, the latest exchanges first."""
        row = ReviewRow
        newest = (
            select(row)
            .where(row.project_id == project_id, row.occurred_at >= start, row.occurred_at < end)
            .order_by(row.occurred_at.desc(), row.id.desc())
            .limit(limit)
        )
        if exchanges is not None:
            newest = newest.where(row.exchange.in_(exchanges))
        with self._database.read(project_id) as session:
            return tuple(map(_review, session.scalars(newest)))

    def remove(self, project_id: int, exchange: int, reviewer: str) -> Review | None:
        """The review as it was when it was deleted; None if there was none."""
        with self._database.write(project_id) as session:
            row = session.scalar(_one(project_id, exchange, reviewer))
            if row is None:
                return None
            review = _review(row)
            session.delete(row)
            return review

    def forget_exchanges(self, project_id: int, exchanges: Collection[int]) -> int:
        """How many reviews are deleted with these exchanges."""
        row, gone = ReviewRow, 0
        for part in parts(exchanges):
            theirs = delete(row).where(row.project_id == project_id, row.exchange.in_(part))
            with self._database.write(project_id) as session:
                gone += len(session.execute(theirs.returning(row.id)).all())
        return gone

    def forget_project(self, project_id: int) -> None:
        """Deletes every review of a project."""
        with self._database.write(project_id) as session:
            session.execute(delete(ReviewRow).where(ReviewRow.project_id == project_id))


def _one(project_id: int, exchange: int, reviewer: str) -> Select[ReviewRow]:
    row = ReviewRow
    return select(row).where(row.project_id == project_id, row.exchange == exchange, row.reviewer == reviewer)


def _text(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _review(row: ReviewRow) -> Review:
    scores = msgspec.json.decode(row.scores, type=dict[str, int])
    labels = msgspec.json.decode(row.labels, type=tuple[str, ...])
    draft = ReviewDraft(row.exchange, row.occurred_at, row.reviewer, scores, labels, row.comment)
    return Review(row.id, row.project_id, draft, row.created_at, row.updated_at)
