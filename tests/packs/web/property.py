"""Properties of one application over the worker's engine, on a day in March 2024, and what its admins ask."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx
from litestar import Litestar
from litestar.testing import TestClient

from tallymark.api.services import Services
from tallymark.app import build
from tallymark.config import load
from tallymark.control.database import open_database
from tallymark.control.models import ProjectRow
from tallymark.engine.base import Engine
from tallymark.rollup.refresh import Outcome
from tallymark.spec.project import Project

ADMIN = "the-admin-key"
TODAY = date(2024, 3, 10)
NOON = datetime(2024, 3, 10, 12, tzinfo=UTC)

#: The worker's engine is shared: projects here have ids that no other test's have.
_FIRST_ID = itertools.count(5_000_000, 1_000)


@dataclass
class Property:
    """A project with the pack web, and keys of its own."""

    client: TestClient[Litestar]
    name: str
    keys: Mapping[str, str]

    @property
    def here(self) -> Services:
        services: Services = self.client.app.state.services
        return services

    @property
    def project(self) -> Project:
        found = self.here.projects.find(self.name)
        assert found is not None
        return found

    def bring(self, *events: Mapping[str, Any]) -> None:
        """Sends events of any age, and computes their days."""
        answer = self.client.post("/v1/import", json=list(events), headers=bearer(self.keys["admin"]))
        assert (answer.status_code, answer.json()["rejected"]) == (202, []), answer.text
        self.settle()

    def settle(self) -> None:
        """Computes days until nothing changes any more: one may show that others have to be computed again."""
        project = self.project
        while any(day.outcome is Outcome.PUBLISHED for day in self.here.keeper.run(project)):
            pass

    def change(self, **fields: Any) -> None:
        """Changes the project, and computes again what that makes stale."""
        answer = self.client.patch(f"/v1/projects/{self.name}", json=fields, headers=bearer(ADMIN))
        assert answer.status_code == 200, answer.text
        self.name = answer.json()["project"]["name"]
        self.settle()

    def get(self, path: str, key: str | None = ADMIN, **params: Any) -> httpx.Response:
        """A request of an admin below `/web/v1`; `from_` is `from`, and what is None is left out."""
        named = {n.rstrip("_"): v for n, v in {"propertyId": self.name, **params}.items() if v is not None}
        return self.client.get(f"/web/v1{path}", params=named, headers={"x-admin-key": key} if key else {})


@dataclass
class Properties:
    """The application."""

    client: TestClient[Litestar]
    _names: Iterator[int] = field(default_factory=itertools.count)

    def make(self, **fields: Any) -> Property:
        """A new property."""
        body = {"name": f"site-{next(self._names)}", "packs": ["web"], "retention": "3650d", **fields}
        answer = self.client.post("/v1/projects", json=body, headers=bearer(ADMIN))
        assert answer.status_code == 201, answer.text
        return Property(self.client, answer.json()["project"]["name"], answer.json()["keys"])


@contextmanager
def properties(data: Path, engine: Engine, admin: str = ADMIN, now: datetime = NOON) -> Iterator[Properties]:
    """The application, whose clock stands still."""
    settings = load({}, data / ".env", data=data, admin_api_key=admin, refresh_seconds=3_600)
    database = open_database(settings.control_url)
    with database.write() as session:
        session.add(
            ProjectRow(
                id=next(_FIRST_ID), name="gone", packs=[], timezone="UTC", retention_hours=1, pii="redact", bots="mark",
                created_at=now, deleted_at=now,
            )
        )  # fmt: skip
    database.close()
    with TestClient(build(settings, engine, now.timestamp)) as client:
        yield Properties(client)


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def view(day: str, visitor: str = "v1", **more: Any) -> dict[str, Any]:
    """A page view at noon, UTC."""
    named = {"event": "page_view", "timestamp": f"{day}T12:00:00Z", "visitorId": visitor, "eventId": f"{day}{visitor}"}
    return {**named, "url": "https://a.example/", **more}


def days_of(told: Sequence[Mapping[str, Any]], name: str) -> list[Any]:
    """A column of rows."""
    return [row[name] for row in told]
