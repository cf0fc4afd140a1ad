"""Properties of one application over the worker's engine, on a day in March 2024, and what its admins ask."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx
from litestar import Litestar
from litestar.testing import TestClient

from tallymark.api.services import Services
from tallymark.engine.base import Engine
from tallymark.spec.project import Project
from tests.packs.world import ADMIN, Application, application, bearer

__all__ = ["ADMIN", "NOON", "TODAY", "Properties", "Property", "bearer", "days_of", "properties", "view"]

TODAY = date(2024, 3, 10)
NOON = datetime(2024, 3, 10, 12, tzinfo=UTC)


@dataclass
class Property:
    """A project with the pack web, and keys of its own."""

    application: Application
    name: str
    keys: Mapping[str, str]

    @property
    def here(self) -> Services:
        return self.application.here

    @property
    def client(self) -> TestClient[Litestar]:
        return self.application.client

    @property
    def project(self) -> Project:
        return self.application.project(self.name)

    def bring(self, *events: Mapping[str, Any]) -> None:
        """Sends events of any age, and computes their days."""
        answer = self.client.post("/v1/import", json=list(events), headers=bearer(self.keys["admin"]))
        assert (answer.status_code, answer.json()["rejected"]) == (202, []), answer.text
        self.settle()

    def settle(self) -> None:
        """Computes days until nothing changes any more."""
        self.application.settle(self.name)

    def change(self, **fields: Any) -> None:
        """Changes the project, and computes again what that makes stale."""
        self.name = self.application.change(self.name, **fields)

    def get(self, path: str, key: str | None = ADMIN, **params: Any) -> httpx.Response:
        """A request of an admin below `/web/v1`; `from_` is `from`, and what is None is left out."""
        named = {n.rstrip("_"): v for n, v in {"propertyId": self.name, **params}.items() if v is not None}
        return self.client.get(f"/web/v1{path}", params=named, headers={"x-admin-key": key} if key else {})


@dataclass
class Properties:
    """The application."""

    application: Application

    @property
    def client(self) -> TestClient[Litestar]:
        return self.application.client

    def make(self, **fields: Any) -> Property:
        """A new property."""
        return Property(self.application, *self.application.make("web", **{"retention": "3650d", **fields}))


@contextmanager
def properties(data: Path, engine: Engine, admin: str = ADMIN, now: datetime = NOON) -> Iterator[Properties]:
    """The application, whose clock stands still."""
    with application(data, engine, now, admin_api_key=admin) as found:
        yield Properties(found)


def view(day: str, visitor: str = "v1", **more: Any) -> dict[str, Any]:
    """A page view at noon, UTC."""
    named = {"event": "page_view", "timestamp": f"{day}T12:00:00Z", "visitorId": visitor, "eventId": f"{day}{visitor}"}
    return {**named, "url": "https://a.example/", **more}


def days_of(told: Sequence[Mapping[str, Any]], name: str) -> list[Any]:
    """A column of rows."""
    return [row[name] for row in told]
