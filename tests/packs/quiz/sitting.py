"""Attempts at quizzes as a test writes them down, and the events they are sent as."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

NOON = datetime(2028, 3, 1, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Reply:
    """What somebody said to a question; `score` without `correct`, or the other way round, or neither."""

    question: str
    answer: str | None = None
    correct: bool | None = None
    score: float | None = None
    max_score: float | None = None
    skipped: bool = False
    time: float | None = None
    options: int | None = None

    @property
    def mark(self) -> float:
        """What it gives."""
        if self.skipped:
            return 0
        if self.score is not None:
            return self.score
        return (1 if self.max_score is None else self.max_score) if self.correct else 0

    def properties(self) -> dict[str, Any]:
        """The properties of its event, but for those of its attempt."""
        said = {
            "questionId": self.question, "answer": self.answer, "correct": self.correct, "score": self.score,
            "maxScore": self.max_score, "skipped": self.skipped or None, "timeMs": self.time, "options": self.options,
        }  # fmt: skip
        return {name: value for name, value in said.items() if value is not None}


@dataclass(frozen=True)
class Sitting:
    """An attempt: whose, when it began, how it ended, and what was answered, a minute apart, in order."""

    id: str
    user: str | None
    begun: datetime
    grade: float | None = None
    replies: Sequence[Reply] = field(default_factory=tuple)
    state: str = "submitted"
    quiz: str = "algebra"
    agent: str | None = None

    @property
    def percent(self) -> float | None:
        """Its grade: what its submission says, or what its last answers add up to."""
        if self.state != "submitted" or self.grade is not None:
            return self.grade if self.state == "submitted" else None
        last = {reply.question: reply for reply in self.replies}.values()
        marked = [each for each in last if each.skipped or each.score is not None or each.correct is not None]
        worth = sum(1 if each.max_score is None else each.max_score for each in marked)
        return round(100 * sum(each.mark for each in marked) / worth, 9) if worth else None

    def events(self) -> Iterator[dict[str, Any]]:
        """Its parts: its start, its answers, and its end if it has one."""
        yield self._event("quiz_started", 0, {})
        for minute, reply in enumerate(self.replies, 1):
            yield self._event("question_answered", minute, reply.properties())
        if self.state != "open":
            said = {"score": self.grade} if self.state == "submitted" and self.grade is not None else {}
            yield self._event(f"quiz_{self.state}", len(self.replies) + 1, said)

    def _event(self, name: str, minute: int, said: dict[str, Any]) -> dict[str, Any]:
        event = {
            "event": name,
            "eventId": f"{self.quiz}/{self.id}/{minute}",
            "timestamp": (self.begun + timedelta(minutes=minute)).isoformat(),
            "properties": {"quizId": self.quiz, "attemptId": self.id, **said},
        }
        optional = {"actor": self.user, "userAgent": self.agent}
        return event | {key: value for key, value in optional.items() if value is not None}
