"""Human review: exchanges to look at, what people said of them, and how far a judge agrees with them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal

from tallymark.api.services import Services
from tallymark.control.reviews import Review
from tallymark.engine.expression import condition_sql, literal, number_of, text_of
from tallymark.engine.source import events_between, span, utc
from tallymark.errors import NotFound
from tallymark.packs.voice import names
from tallymark.packs.voice.cases import LIVE, Exchange, load
from tallymark.packs.voice.judged import Judged, of_evaluator
from tallymark.packs.voice.review_draft import Said, public
from tallymark.spec.condition import Prop, human
from tallymark.spec.evaluation import HIGHEST, LOWEST, SCORES
from tallymark.spec.project import Project, instant_text
from tallymark.spec.query import EVERYTHING, Filter
from tallymark.spec.window import Window

#: `low` begins with what the judge gave the lowest overall scores.
Strategy = Literal["random", "low"]

_DIGITS: Final = 6
_IDENTITY: Final = "lower(hex(event_id))"

#: What a reviewer is shown of an exchange.
_SHOWN: Final = (names.TRANSCRIPT, names.RESPONSE, names.INTENT)
_MORE: Final = (names.LANGUAGE, names.STORE, names.ERROR, names.SUCCESS, names.CONFIDENCE, names.TOTAL)


@dataclass(frozen=True)
class Reviewing:
    """What is done with the reviews of a project."""

    here: Services
    project: Project

    def reviews(self, window: Window, reviewer: str | None) -> list[Review]:
        """Those of the exchanges of a window, by one reviewer or all, the latest exchanges first."""
        found = self.here.reviews.list(self.project.id, window.start, window.end)
        return [review for review in found if reviewer in (None, review.draft.reviewer)]

    def told(self, reviews: Sequence[Review], verdicts: Mapping[int, Any]) -> list[dict[str, Any]]:
        """Reviews as JSON, each with its exchange, as far as there are raw events of it, and the judge's verdict."""
        known = load(
            self.here.engine, self.project.id, [(one.draft.exchange, one.draft.occurred_at) for one in reviews]
        )
        return [
            {
                **public(review),
                **_texts(known.get(review.draft.exchange)),
                "evaluation": verdicts.get(review.draft.exchange),
            }
            for review in reviews
        ]

    def verdicts(self, evaluator: str | None, reviews: Sequence[Review], filter: Filter = EVERYTHING) -> dict[int, Any]:
        """What a version of an evaluator said of reviewed exchanges, by their ids."""
        if evaluator is None:
            return {}
        exchanges = {review.draft.exchange: review.draft.occurred_at for review in reviews}
        return Judged(self.here.engine, self.project).verdicts(evaluator, exchanges, filter)

    def sample(
        self, window: Window, reviewer: str, limit: int, evaluator: str | None, strategy: Strategy, scores: bool
    ) -> list[dict[str, Any]]:  # fmt: skip
        """Exchanges that the reviewer has not reviewed; with verdicts where `scores` are wanted."""
        done = {review.draft.exchange for review in self.reviews(window, reviewer)}
        drawn = self._drawn(window, limit + len(done), evaluator, strategy)
        chosen = [(exchange, at) for exchange, at in drawn if exchange not in done][:limit]
        known = load(self.here.engine, self.project.id, chosen)
        told = {exchange: _shown(known[exchange]) for exchange, _ in chosen if exchange in known}
        if scores and evaluator is not None:
            verdicts = Judged(self.here.engine, self.project).verdicts(evaluator, dict(chosen))
            told = {exchange: {**one, "evaluation": verdicts.get(exchange)} for exchange, one in told.items()}
        return list(told.values())

    def put(self, said: Sequence[Said]) -> list[Review]:
        """The reviews, each in place of what its reviewer said of the exchange before. Errors: `NotFound`."""
        found = self._located([one.exchange for one in said])
        unknown = next((one for one in said if one.exchange not in found), None)
        if unknown is not None:
            raise NotFound("There is no exchange with an answer of this id, or none any more.", field=unknown.field)
        now = datetime.fromtimestamp(self.here.now(), UTC)
        return [self.here.reviews.put(self.project.id, one.draft(found[one.exchange]), now) for one in said]

    def _drawn(
        self, window: Window, limit: int, evaluator: str | None, strategy: Strategy
    ) -> list[tuple[int, datetime]]:  # fmt: skip
        """The first exchanges of a window in an order that is the same for everybody: people meet, and can differ.

        Of an evaluator those that it judged.
        """
        judged = (
            ""
            if evaluator is None
            else f"ANY INNER JOIN (SELECT {text_of(Prop(names.EXCHANGE_ID))} AS identity, "
            f"{number_of(Prop('overall'))} AS overall FROM {events_between()} "
            f"WHERE {condition_sql(of_evaluator(evaluator))}) AS judged USING identity"
        )
        lowest = "overall, " if strategy == "low" and evaluator is not None else ""
        rows = self.here.engine.query(
            f"SELECT event_id, occurred_at FROM (SELECT event_id, occurred_at, {_IDENTITY} AS identity "
            f"FROM {events_between()} WHERE {condition_sql(LIVE & human())}) AS exchanges {judged} "
            f"ORDER BY {lowest}cityHash64(identity), identity LIMIT {{limit:UInt32}}",
            {**span(self.project.id, window.start, window.end), "limit": limit},
        )
        return [(exchange, utc(at)) for exchange, at in rows]

    def _located(self, exchanges: Sequence[int]) -> dict[int, datetime]:
        """When the exchanges with these ids happened, of those with an outcome that are there."""
        rows = self.here.engine.query(
            "SELECT event_id, argMax(occurred_at, precedence) FROM events WHERE project = {project:UInt32} "
            f"AND event = {literal(names.EXCHANGE)} AND event_id IN {{ids:Array(UInt64)}} "
            f"AND {condition_sql(LIVE)} GROUP BY event_id",
            {"project": self.project.id, "ids": sorted(set(exchanges))},
        )
        return {exchange: utc(at) for exchange, at in rows}


def agreement_of(
    evaluator: str | None, reviews: Sequence[Review], verdicts: Mapping[int, Mapping[str, Any]]
) -> dict[str, Any]:
    """How far a version of an evaluator agrees with people, and people among themselves, by score."""
    # It brings in scipy, which takes seconds: no server's start should wait for that.
    from tallymark.packs.voice.agreement import agreement, among_people  # noqa: PLC0415

    by_judge, among = dict[str, Any](), dict[str, Any]()
    for score in SCORES:
        people = _people(reviews, score)
        rated = [
            (given, theirs)
            for exchange, theirs in people.items()
            if (given := _given(verdicts.get(exchange, {}), score)) is not None
        ]
        by_judge[score] = told_fields(agreement(rated))
        among[score] = told_fields(among_people(people.values()))
    return {"evaluator": evaluator, "scores": by_judge, "amongPeople": among}


def _people(reviews: Sequence[Review], score: str) -> dict[int, dict[str, int]]:
    """What people gave exchanges for a score, by exchange and reviewer."""
    people: dict[int, dict[str, int]] = {}
    for draft in (review.draft for review in reviews):
        if score in draft.scores:
            people.setdefault(draft.exchange, {})[draft.reviewer] = draft.scores[score]
    return people


def _given(verdict: Mapping[str, Any], score: str) -> int | None:
    """A score of a verdict; None for what is none, since whoever may send events may send what looks like a verdict."""
    value = verdict.get(score)
    return int(value) if value is not None and value in range(LOWEST, HIGHEST + 1) else None


def told_fields(found: Any) -> dict[str, Any]:
    """The fields of a dataclass as JSON has them, numbers rounded."""
    return {_camel(name): round(value, _DIGITS) if isinstance(value, float) else value
            for name, value in asdict(found).items()}  # fmt: skip


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def _texts(exchange: Exchange | None) -> dict[str, Any]:
    return {name: None if exchange is None else exchange.said.get(name) for name in _SHOWN}


def _shown(exchange: Exchange) -> dict[str, Any]:
    """An exchange as a reviewer sees it, with what a judge is shown besides."""
    more = {name: exchange.said[name] for name in _MORE if name in exchange.said}
    before = {"previousResponse": exchange.previous_response} if exchange.previous_response else {}
    return {"exchangeId": exchange.identity, "at": instant_text(exchange.at), **_texts(exchange), **more, **before}
