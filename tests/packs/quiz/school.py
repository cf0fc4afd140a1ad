"""A project that quizzes send to, seen through the front door.

The time is in 2028: for the engine, whose clock is its own, nothing there has expired yet.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

from tallymark.api.services import Services
from tests.packs.world import Application, bearer

#: Noon of a leap day.
NOON = datetime(2028, 2, 29, 12, tzinfo=UTC)


def event(name: str, quiz: str = "algebra", attempt: str | None = "a-1", /, **fields: Any) -> dict[str, Any]:
    """An event as quizzes send it."""
    named = {} if attempt is None else {"attemptId": attempt}
    return {"event": name, "timestamp": NOON.isoformat(), "quizId": quiz, **named, **fields}


@dataclass
class School:
    """A project with the pack quiz."""

    application: Application
    name: str = ""
    keys: Mapping[str, str] = field(default_factory=dict)

    @property
    def here(self) -> Services:
        return self.application.here

    @property
    def id(self) -> int:
        return self.application.project(self.name).id

    def fresh(self, **fields: Any) -> "School":
        """Another project; the clock is at noon again."""
        self.application.clock.now = NOON
        return School(self.application, *self.application.make("quiz", **fields))

    def request(
        self, method: str, path: str, body: Any = None, key: str | None = None,
        headers: Mapping[str, str] | None = None, **params: Any,
    ) -> httpx.Response:  # fmt: skip
        """A request below `/quiz`, its body as bytes where it is these; what is None is left out."""
        given = {**(headers or {}), **(bearer(key) if key else {})}
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {name: value for name, value in {"project": self.name, **params}.items() if value is not None}
        return self.application.client.request(
            method, f"/quiz{path}", content=content, params=named, headers={"content-type": "application/json", **given}
        )

    def post(self, body: Any, key: str | None = None, **params: Any) -> httpx.Response:
        """Sends events."""
        return self.request("POST", "/events", body, key, **params)

    def send(self, *events: Mapping[str, Any], **envelope: Any) -> None:
        """Sends events that are taken as they are."""
        answer = self.post({"events": events, **envelope})
        assert (answer.status_code, answer.json()) == (
            202, {"success": True, "accepted": len(events), "rejected": []}
        )  # fmt: skip

    def actor(self, user: str) -> int:
        """What stands in events for a user."""
        return self.here.receiver.enricher.actor(self.id, user)

    def stored(self, columns: str = "event, props", where: str = "1") -> list[tuple[Any, ...]]:
        """Columns of what is stored, in order of time."""
        rows: Sequence[Sequence[Any]] = self.here.engine.query(
            f"SELECT {columns} FROM events FINAL WHERE project = {{project:UInt32}} AND {where} "
            "ORDER BY occurred_at, event, event_id",
            {"project": self.id},
        )
        return [tuple(row) for row in rows]

    def said(self, where: str = "1") -> list[dict[str, Any]]:
        """The properties of what is stored, in order of time."""
        return [json.loads(props) for (props,) in self.stored("toJSONString(props)", where)]

    def refused(self) -> dict[str, int]:
        """How many refusals were counted, by reason."""
        self.here.receiver.counts.flush()
        rows = self.here.engine.query(
            "SELECT reason, sum(n) FROM rejections WHERE project = {project:UInt32} GROUP BY reason",
            {"project": self.id},
        )
        return {reason: int(n) for reason, n in rows}
