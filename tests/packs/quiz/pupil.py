"""A project with the pack quiz: what is sent to it, the attempts that are made of it, and time that passes for it.

The time is in 2028: for the engine, whose clock is its own, nothing there has expired yet.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tallymark.api.services import Services
from tallymark.packs.quiz.attempts import Attempts
from tests.packs.world import Application, bearer

#: Noon of a leap day.
NOON = datetime(2028, 2, 29, 12, tzinfo=UTC)

#: How long an attempt stays open that nobody ends.
PATIENCE = timedelta(minutes=1_440)


def part(name: str, at: datetime = NOON, /, user: str = "ann", agent: str = "", **props: Any) -> dict[str, Any]:
    """A part of an attempt as it is imported; what is None is left out."""
    said = {"quizId": "algebra", "attemptId": "a-1", **props}
    whole = {
        "event": name, "timestamp": at.isoformat(), "userId": user, "userAgent": agent,
        "eventId": f"{name}-{at.isoformat()}-{said['attemptId']}-{said.get('questionId', '')}",
        "properties": {name: value for name, value in said.items() if value is not None},
    }  # fmt: skip
    return {name: value for name, value in whole.items() if value}


@dataclass
class Quiz:
    """The project, seen through the front door."""

    application: Application
    name: str = ""
    keys: Mapping[str, str] = field(default_factory=dict)

    @property
    def here(self) -> Services:
        return self.application.here

    @property
    def id(self) -> int:
        return self.application.project(self.name).id

    def fresh(self, **fields: Any) -> "Quiz":
        """Another project; the clock is at noon again."""
        self.application.clock.now = NOON
        return Quiz(self.application, *self.application.make("quiz", **fields))

    def send(self, *events: Mapping[str, Any]) -> None:
        """Imports events, all of which are taken."""
        answer = self.application.client.post("/v1/import", json=list(events), headers=bearer(self.keys["admin"]))
        assert answer.json()["accepted"] == len(events), answer.text

    def make(self, at_once: int = 100_000) -> int:
        """Makes attempts of what was sent, as the clock does; gives how many were written."""
        return Attempts(self.here, PATIENCE, at_once).join(self.application.project(self.name))

    def wait(self, patience: timedelta = PATIENCE) -> None:
        """Lets so much time pass for what was sent, and a second: the engine takes it for inserted so long ago."""
        self.here.keeper.stale(self.application.project(self.name))  # as the clock does, every few seconds
        passed = patience + timedelta(seconds=1)
        self.here.engine.command(
            "ALTER TABLE events UPDATE inserted_at = inserted_at - toIntervalMillisecond({ms:UInt64}) "
            "WHERE project = {project:UInt32} SETTINGS mutations_sync = 2",
            {"project": self.id, "ms": int(passed.total_seconds() * 1_000)},
        )
        if (cursor := self.here.cursors.get(f"attempts:{self.id}")) is not None:
            self.here.cursors.set(f"attempts:{self.id}", cursor - passed)

    def anew(self) -> int:
        """Makes attempts as if none had been looked at; gives how many were written."""
        self.here.cursors.forget(f"attempts:{self.id}")
        return self.make()

    def ask(self, path: str, **params: Any) -> dict[str, Any]:
        """What an admin of it is answered."""
        answer = self.application.client.get(path, params=params, headers=bearer(self.keys["admin"]))
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told

    def stored(self, columns: str, where: str = "1") -> list[tuple[Any, ...]]:
        """Columns of the attempts that count, in order of time."""
        rows: Sequence[Sequence[Any]] = self.here.engine.query(
            f"SELECT {columns} FROM events FINAL WHERE project = {{project:UInt32}} AND event = 'quiz_attempt' "
            f"AND bot = '' AND {where} ORDER BY occurred_at, event_id, actor",
            {"project": self.id},
        )
        return [tuple(row) for row in rows]

    def attempts(self) -> list[dict[str, Any]]:
        """What is said in the attempts that count, in order of time."""
        said = [json.loads(props) for (props,) in self.stored("toJSONString(props)")]
        return [{k: v for k, v in each.items() if k not in ("attemptRevision", "lastPartMs")} for each in said]
