"""The store of reviews: one of each exchange by each reviewer, until it is deleted or its exchange is."""

from datetime import UTC, datetime, timedelta

import pytest

from tallymark.control.database import Database
from tallymark.control.projects import Projects
from tallymark.control.reviews import ReviewDraft, Reviews
from tallymark.spec.project import ProjectDraft

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
LARGE = 2**64 - 1


@pytest.fixture
def reviews(database: Database) -> Reviews:
    return Reviews(database)


@pytest.fixture
def shop(database: Database) -> int:
    """The id of a project."""
    return Projects(database).create(ProjectDraft("shop")).id


def draft(exchange: int = 1, reviewer: str = "ana", at: datetime = NOON, score: int = 4) -> ReviewDraft:
    return ReviewDraft(exchange, at, reviewer, {"overall": score, "safety": 5}, ("kind", "größe"), "Well said.")


def test_what_is_said_is_kept(reviews: Reviews, shop: int) -> None:
    made = reviews.put(shop, draft(LARGE), NOON + HOUR)
    assert made.draft == draft(LARGE)
    assert (made.project_id, made.created_at, made.updated_at) == (shop, NOON + HOUR, NOON + HOUR)
    assert reviews.get(shop, LARGE, "ana") == made
    assert reviews.get(shop, LARGE, "ben") is None
    assert reviews.get(shop + 1, LARGE, "ana") is None


def test_a_reviewer_who_says_more_has_said_it_once(reviews: Reviews, shop: int) -> None:
    first = reviews.put(shop, draft(), NOON)
    other = reviews.put(shop, draft(reviewer="ben"), NOON)
    again = reviews.put(shop, ReviewDraft(1, NOON, "ana", {"overall": 1}), NOON + HOUR)
    assert (again.id, again.created_at, again.updated_at) == (first.id, NOON, NOON + HOUR)
    assert (again.draft.scores, again.draft.labels, again.draft.comment) == ({"overall": 1}, (), "")
    assert [review.id for review in reviews.list(shop, NOON, NOON + HOUR)] == [other.id, first.id]


def test_they_are_listed_by_when_the_exchanges_happened(reviews: Reviews, shop: int) -> None:
    for exchange in range(4):
        reviews.put(shop, draft(exchange, at=NOON + exchange * HOUR), NOON)
    reviews.put(shop, draft(9, at=NOON - HOUR), NOON)

    def listed(**more: object) -> list[int]:
        found = reviews.list(shop, NOON, NOON + 3 * HOUR, **more)  # type: ignore[arg-type]
        return [review.draft.exchange for review in found]

    assert listed() == [2, 1, 0]
    assert listed(limit=2) == [2, 1]
    assert listed(exchanges=[0, 2, 3]) == [2, 0]
    assert listed(exchanges=[]) == []
    assert reviews.list(shop + 1, NOON, NOON + HOUR) == ()


def test_what_is_deleted_is_gone(reviews: Reviews, shop: int) -> None:
    made = reviews.put(shop, draft(), NOON)
    reviews.put(shop, draft(reviewer="ben"), NOON)
    assert reviews.remove(shop, 1, "ana") == made
    assert reviews.remove(shop, 1, "ana") is None
    assert reviews.get(shop, 1, "ben") is not None


def test_reviews_go_with_their_exchanges(database: Database, reviews: Reviews, shop: int) -> None:
    elsewhere = Projects(database).create(ProjectDraft("elsewhere")).id
    for project in (shop, elsewhere):
        for exchange in (LARGE, 1, 2):
            reviews.put(project, draft(exchange), NOON)
    assert reviews.forget_exchanges(shop, [LARGE, 2, 5]) == 2
    assert [review.draft.exchange for review in reviews.list(shop, NOON, NOON + HOUR)] == [1]
    assert len(reviews.list(elsewhere, NOON, NOON + HOUR)) == 3
    reviews.forget_project(elsewhere)
    assert reviews.list(elsewhere, NOON, NOON + HOUR) == ()
    assert len(reviews.list(shop, NOON, NOON + HOUR)) == 1
