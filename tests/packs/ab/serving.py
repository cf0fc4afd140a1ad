"""A project whose apps ask for assignments and send events, and what of that is stored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

from tallymark.api.services import Services
from tallymark.control.experiments import Doer
from tallymark.packs.ab.exposures import Exposures
from tallymark.spec.experiment_draft import parse_draft
from tests.packs.world import Application, bearer

#: For the engine, whose clock is its own, nothing there has expired yet.
NOON = datetime(2028, 2, 29, 12, tzinfo=UTC)
NOON_MS = round(NOON.timestamp() * 1000)

EVEN = [{"key": "blue", "weight": 1}, {"key": "green", "weight": 1, "value": {"colour": "green", "size": 2}}]


@dataclass
class Serving:
    """A project with the pack ab."""

    application: Application
    name: str = ""
    keys: Mapping[str, str] = field(default_factory=dict)

    @property
    def here(self) -> Services:
        return self.application.here

    @property
    def id(self) -> int:
        return self.application.project(self.name).id

    def fresh(self, **fields: Any) -> "Serving":
        """Another project; the clock is at noon again, and no exposure waits."""
        self.application.clock.now = NOON
        self.report()
        return Serving(self.application, *self.application.make("ab", **fields))

    def run(self, key: str, variants: Sequence[Mapping[str, Any]] = EVEN, **fields: Any) -> None:
        """Makes an experiment and starts it."""
        draft = parse_draft({"key": key, "variants": variants, **fields})
        self.here.experiments.create(self.id, draft, self.doer)
        self.here.experiments.start(self.id, key, self.doer)
        self.here.experiment_book.forget()

    def change(self, key: str, **fields: Any) -> None:
        """Changes an experiment."""
        self.here.experiments.update(self.id, key, fields, self.doer)
        self.here.experiment_book.forget()

    @property
    def doer(self) -> Doer:
        return Doer("test", self.application.clock.now)

    def post(self, path: str, body: Any, key: str | None = None, **params: Any) -> httpx.Response:
        """Sends a body for the project."""
        headers = bearer(key) if key else {}
        return self.application.client.post(path, json=body, params={"project": self.name, **params}, headers=headers)

    def ask(self, unit: str, experiment: str | None = None, **more: Any) -> dict[str, Any]:
        """What a unit gets."""
        named = {} if experiment is None else {"experimentId": experiment}
        answer = self.post("/ab/v1/assignment", {"unitId": unit, **named, **more})
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        assert told.pop("success") is True
        return told

    def send(self, *events: Mapping[str, Any]) -> None:
        """Sends events that are taken as they are."""
        answer = self.post("/ab/v1/events", {"events": events})
        assert (answer.status_code, answer.json()) == (
            202, {"success": True, "accepted": len(events), "rejected": []}
        )  # fmt: skip

    def report(self) -> int:
        """Reports exposures as the clock does."""
        return Exposures(self.here).report()

    def forget_memory(self) -> None:
        """Makes the server remember no assignment, as after a restart."""
        self.here.assignments._known.clear()

    def stored(self, columns: str = "event, variants", where: str = "1") -> list[tuple[Any, ...]]:
        """Columns of what is stored, in order of time."""
        rows = self.here.engine.query(
            f"SELECT {columns} FROM events FINAL WHERE project = {{project:UInt32}} AND {where} "
            "ORDER BY occurred_at, event, event_id",
            {"project": self.id},
        )
        return [tuple(row) for row in rows]

    def actor(self, unit: str) -> int:
        return self.here.receiver.enricher.actor(self.id, unit)
