"""An application over the worker's engine, whose clock the test moves, and projects in it."""

import itertools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

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

#: The worker's engine is shared: projects here have ids that no other test's have.
_FIRST_ID = itertools.count(5_000_000, 1_000)


@dataclass
class Clock:
    """What time it is for the application; the engine has a clock of its own."""

    now: datetime

    def __call__(self) -> float:
        return self.now.timestamp()


@dataclass
class Application:
    """The application, seen through its front door."""

    client: TestClient[Litestar]
    clock: Clock
    _names: Iterator[int] = field(default_factory=itertools.count)

    @property
    def here(self) -> Services:
        """What its handlers use."""
        services: Services = self.client.app.state.services
        return services

    def make(self, pack: str, /, **fields: Any) -> tuple[str, Mapping[str, str]]:
        """A new project with a pack; its name and its keys."""
        body = {"name": f"{pack}-{next(self._names)}", "packs": [pack], **fields}
        answer = self.client.post("/v1/projects", json=body, headers=bearer(ADMIN))
        assert answer.status_code == 201, answer.text
        return answer.json()["project"]["name"], answer.json()["keys"]

    def change(self, name: str, /, **fields: Any) -> str:
        """Changes a project, and computes again what that makes stale; gives its name."""
        answer = self.client.patch(f"/v1/projects/{name}", json=fields, headers=bearer(ADMIN))
        assert answer.status_code == 200, answer.text
        changed: str = answer.json()["project"]["name"]
        self.settle(changed)
        return changed

    def project(self, name: str) -> Project:
        """The project with that name."""
        found = self.here.projects.find(name)
        assert found is not None
        return found

    def settle(self, name: str) -> None:
        """Computes days until nothing changes any more: one may show that others have to be computed again."""
        project = self.project(name)
        while any(day.outcome is Outcome.PUBLISHED for day in self.here.keeper.run(project)):
            pass


@contextmanager
def application(data: Path, engine: Engine, now: datetime, **settings: Any) -> Iterator[Application]:
    """The application, whose clock stands still until it is moved."""
    loaded = load({}, data / ".env", data=data, **{"admin_api_key": ADMIN, "refresh_seconds": 3_600, **settings})
    _begin_ids(loaded.control_url)
    clock = Clock(now)
    app = build(loaded, engine, clock, clocked=False)
    app.state.services.keeper.patience = (
        60.0  # nothing is left to the clock: there is none, and machines are slow at times
    )
    with TestClient(app) as client:
        yield Application(client, clock)


def _begin_ids(control_url: str) -> None:
    """Makes the next project's id one that no other test's has."""
    database, long_ago = open_database(control_url), datetime(2000, 1, 1, tzinfo=UTC)
    with database.write() as session:
        session.add(
            ProjectRow(
                id=next(_FIRST_ID), name="gone", packs=[], timezone="UTC", retention_hours=1, pii="redact", bots="mark",
                created_at=long_ago, deleted_at=long_ago,
            )
        )  # fmt: skip
    database.close()


def bearer(key: str) -> dict[str, str]:
    """The header that carries a key."""
    return {"Authorization": f"Bearer {key}"}
