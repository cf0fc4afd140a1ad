"""A project that a voice assistant sends to: what is sent, what is made of it, and time that passes for it.

The time is in 2028: for the engine, whose clock is its own, nothing there has expired yet.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from tallymark.api.services import Services
from tallymark.packs.voice.exchanges import PATIENCE, Exchanges
from tests.packs.world import Application, bearer

#: Noon of a leap day.
NOON = datetime(2028, 2, 29, 12, tzinfo=UTC)

PATH = "/voice/ingest"


def event(name: str, query_id: str | None = None, at: datetime = NOON, /, **fields: Any) -> dict[str, Any]:
    """A `query` or an `outcome` as assistants send it."""
    named = {} if query_id is None else {"query_id": query_id}
    return {"event_type": f"voice_{name}", "timestamp": at.isoformat(), **named, **fields}


@dataclass
class Assistant:
    """A project with the pack voice, seen through the front door."""

    application: Application
    name: str = ""
    keys: Mapping[str, str] = field(default_factory=dict)

    @property
    def here(self) -> Services:
        return self.application.here

    @property
    def id(self) -> int:
        return self.application.project(self.name).id

    def fresh(self, **fields: Any) -> "Assistant":
        """Another project; the clock is at noon again."""
        self.application.clock.now = NOON
        return Assistant(self.application, *self.application.make("voice", **fields))

    def post(
        self, body: Any, key: str | None = None, headers: Mapping[str, str] | None = None, **params: Any
    ) -> httpx.Response:
        """Sends a body to the project, as bytes where it is these."""
        given = {**(headers or {}), **(bearer(key) if key else {})}
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {name: value for name, value in {"project": self.name, **params}.items() if value is not None}
        return self.application.client.post(PATH, content=content, params=named, headers=given)

    def send(self, *events: Mapping[str, Any], **envelope: Any) -> None:
        """Sends events that are taken as they are."""
        answer = self.post({"events": events, **envelope})
        assert (answer.status_code, answer.json()) == (
            202, {"success": True, "accepted": len(events), "rejected": []}
        )  # fmt: skip

    def join(self) -> int:
        """Joins what was sent, as the clock does; gives how many exchanges were written."""
        return Exchanges(self.here).join(self.application.project(self.name))

    def wait(self, patience: timedelta = PATIENCE) -> None:
        """Lets so much time pass for what was sent, and a second: the engine takes it for inserted so long ago."""
        self.here.keeper.stale(self.application.project(self.name))  # as the clock does, every few seconds
        passed = patience + timedelta(seconds=1)
        self.here.engine.command(
            "ALTER TABLE events UPDATE inserted_at = inserted_at - toIntervalMillisecond({ms:UInt64}) "
            "WHERE project = {project:UInt32} SETTINGS mutations_sync = 2",
            {"project": self.id, "ms": int(passed.total_seconds() * 1_000)},
        )
        for name in (f"exchanges:{self.id}", f"judging:{self.id}"):
            if (cursor := self.here.cursors.get(name)) is not None:
                self.here.cursors.set(name, cursor - passed)

    def get(self, path: str, key: str | None = None, **params: Any) -> httpx.Response:
        """A request below `/voice`; what is None is left out."""
        named = {name: value for name, value in {"project": self.name, **params}.items() if value is not None}
        return self.application.client.get(f"/voice{path}", params=named, headers=bearer(key) if key else {})

    def page(self, name: str, key: str | None = None, **params: Any) -> dict[str, Any]:
        """A page of `/voice/stats`."""
        answer = self.get(f"/stats/{name}", key, **params)
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        assert told["success"] is True
        return told

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
