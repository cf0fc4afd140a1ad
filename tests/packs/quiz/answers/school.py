"""A project whose learners take quizzes, and what has to be said of their attempts, in plain Python.

Nothing of the package's arithmetic is imported. The time is in 2028: for the engine, whose clock is its own, nothing
there has expired yet.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import httpx

from tallymark.api.services import Services
from tests.packs.world import Application, bearer

#: Noon of a leap day.
NOON = datetime(2028, 2, 29, 12, tzinfo=UTC)
ZONE = "Europe/Berlin"

#: Over a new year that begins on a Saturday: its first days belong to the last ISO week of the old one.
FIRST, LAST = date(2027, 12, 30), date(2028, 1, 4)

ALGEBRA, QUOTED, LATIN = "algebra", "o'hara \"x\" \\'; DROP", "latin"
USERS = ("ann", "bob", "cy", "dee", "eve")


@dataclass(frozen=True)
class Attempt:
    """An attempt as it is sent."""

    quiz: str
    id: str
    user: str
    at: datetime
    state: str
    grade: float | None
    seconds: float | None

    def wire(self) -> dict[str, Any]:
        """As `/v1/import` takes it."""
        numbers = {"grade": self.grade, "score": self.grade, "maxScore": 100, "seconds": self.seconds, "questions": 3}
        said = {name: value for name, value in numbers.items() if value is not None}
        who = {"userId": self.user} if self.user else {}
        return {
            "event": "quiz_attempt", "eventId": self.id, "timestamp": self.at.isoformat(timespec="milliseconds"), **who,
            "properties": {"quizId": self.quiz, "attemptId": self.id, "attemptState": self.state, **said},
        }  # fmt: skip

    @property
    def learner(self) -> str:
        """Whose attempts it is compared with."""
        return self.user or f"nobody {self.id}"


def term(seed: int, size: int) -> list[Attempt]:
    """Attempts of some weeks, some with the same grade, no two at the same time."""
    draw = Random(seed)
    span = int(timedelta(days=(LAST - FIRST).days + 4).total_seconds() * 1000)
    begin = datetime(FIRST.year, FIRST.month, FIRST.day, tzinfo=UTC) - timedelta(days=2)
    made = []
    for n, moment in enumerate(draw.sample(range(span), size)):
        state = draw.choice(("submitted", "submitted", "submitted", "abandoned", "open"))
        graded = state == "submitted" and draw.random() < 0.9
        made.append(
            Attempt(
                draw.choice((ALGEBRA, ALGEBRA, QUOTED, LATIN)), f"a{seed}-{n}", draw.choice((*USERS, "")),
                begin + timedelta(milliseconds=moment), state,
                draw.choice((0, 33.3, 50, 66.7, 87.5, 100)) if graded else None,
                draw.choice((12, 30.25, 301.123)) if state == "submitted" else None,
            )
        )  # fmt: skip
    return made


def within(attempts: Iterable[Attempt], first: date, last: date, zone: str = ZONE) -> list[Attempt]:
    """Those that began on these days, in order."""
    days = ((one.at.astimezone(ZoneInfo(zone)).date(), one) for one in attempts)
    return sorted((one for day, one in days if first <= day <= last), key=lambda one: one.at)


def counting(attempts: Sequence[Attempt], policy: str) -> list[Attempt]:
    """Those that count of attempts in order."""
    groups: dict[tuple[str, str], list[Attempt]] = defaultdict(list)
    for one in attempts:
        groups[one.quiz, one.learner].append(one)
    return sorted((one for those in groups.values() for one in _chosen(those, policy)), key=lambda one: one.at)


def _chosen(those: Sequence[Attempt], policy: str) -> Sequence[Attempt]:
    """Those that count of one learner's attempts at one quiz."""
    best = max(those, key=lambda one: (-1.0 if one.grade is None else one.grade, -_ms(one.at)))
    return {"all": those, "first": those[:1], "last": those[-1:], "best": [best]}[policy]


def numbers(attempts: Sequence[Attempt]) -> dict[str, Any]:
    """The fields of an answer about these attempts."""
    done = [one for one in attempts if one.state == "submitted"]
    return {
        "totalAttempts": len(attempts),
        "completionRate": _share(len(done), len(attempts)),
        "averageScore": mean(one.grade for one in done),
        "timeSpent": mean(one.seconds for one in done),
        "learners": len({one.user for one in attempts if one.user}),
        "submitted": len(done),
        "abandoned": sum(one.state == "abandoned" for one in attempts),
    }


def mean(values: Iterable[float | None]) -> float | None:
    """The mean of those that are there, to six digits."""
    known = [Fraction(str(value)) for value in values if value is not None]
    return round(float(sum(known) / len(known)), 6) if known else None


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 6) if whole else None


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def buckets(first: date, last: date, aggregation: str) -> list[tuple[date, list[date]]]:
    """The label and the days of each bucket."""
    found: dict[date, list[date]] = defaultdict(list)
    for n in range((last - first).days + 1):
        day = first + timedelta(days=n)
        labels = {"day": day, "week": day - timedelta(days=day.isocalendar().weekday - 1), "month": day.replace(day=1)}
        found[labels[aggregation]].append(day)
    return sorted(found.items())


@dataclass
class School:
    """A project with the pack quiz, seen through the front door."""

    application: Application
    name: str = ""
    keys: Mapping[str, str] = field(default_factory=dict)
    attempts: list[Attempt] = field(default_factory=list)

    @property
    def here(self) -> Services:
        return self.application.here

    def fresh(self, **fields: Any) -> "School":
        """Another project; the clock is at noon again."""
        self.application.clock.now = NOON
        return School(self.application, *self.application.make("quiz", **fields))

    def send(self, events: Sequence[Mapping[str, Any]]) -> None:
        """Sends events of any age."""
        answer = self.application.client.post(
            "/v1/import", json=events, params={"project": self.name}, headers=bearer(self.keys["admin"])
        )
        assert answer.json() == {"accepted": len(events), "rejected": []}, answer.text

    def take(self, attempts: Sequence[Attempt]) -> None:
        """Sends attempts."""
        self.send([one.wire() for one in attempts])
        self.attempts += attempts

    def ask(self, path: str, key: str | None = None, **params: Any) -> httpx.Response:
        """A request below `/quiz/api/v1/analytics`."""
        token = self.keys["read"] if key is None else key
        return self.application.client.get(
            f"/quiz/api/v1/analytics/{path}", params={"project": self.name, **params},
            headers=bearer(token) if token else {},
        )  # fmt: skip

    def told(self, path: str, **params: Any) -> dict[str, Any]:
        """The body of an answer."""
        answer = self.ask(path, **params)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        assert (body["success"], body["project"]) == (True, self.name)
        return body

    def own(self, quiz: str, owner: str) -> None:
        """Says that a user teaches a quiz."""
        project = self.application.project(self.name)
        self.here.quizzes.put(project.id, quiz, "", owner, "a test", NOON)

    def hash(self, user: str) -> str:
        """How answers name a user."""
        return f"{self.here.receiver.enricher.actor(self.application.project(self.name).id, user):016x}"
