"""A website's property in an application of its own over the worker's engine, and who sends to it."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
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
from tallymark.control.projects import Projects
from tallymark.engine.base import Engine
from tallymark.spec.project import Project, ProjectDraft

ADMIN = "the-admin-key"
NAME = "site"
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"

Rows = list[dict[str, Any]]


@dataclass
class Site:
    """The property `site`. `ahead` is by how many seconds its clock was moved."""

    data: Path
    ahead: float = 0.0
    noon: datetime = field(default_factory=lambda: datetime.now(UTC).replace(hour=12, minute=0, second=0))
    _looks: Iterator[int] = field(default_factory=itertools.count)
    client: TestClient[Litestar] = field(init=False)

    @property
    def here(self) -> Services:
        services: Services = self.client.app.state.services
        return services

    @property
    def project(self) -> Project:
        found = self.here.projects.find(NAME)
        assert found is not None
        return found

    def clock(self) -> float:
        """Noon of the day that it is; a look at it takes a millisecond."""
        return self.noon.timestamp() + self.ahead + next(self._looks) / 1_000

    def at(self) -> datetime:
        return datetime.fromtimestamp(self.clock(), UTC)

    def post(self, path: str, json: Any = None, **request: Any) -> httpx.Response:
        """A request of a browser; JSON is of this property."""
        headers = {"user-agent": CHROME, **request.pop("headers", {})}
        if isinstance(json, dict):
            json = {"propertyId": NAME, **json}
        return self.client.post(f"/web/v1{path}", json=json, headers=headers, follow_redirects=False, **request)

    def admin(self, path: str, **body: Any) -> httpx.Response:
        """A request of an admin."""
        return self.post(path, json=body, headers={"x-admin-key": ADMIN})

    def capture(self, email: str, **fields: Any) -> dict[str, Any]:
        """The answer to a form."""
        answer = self.post("/leads/capture", json={"email": email, **fields})
        assert answer.status_code == 201, answer.text
        told: dict[str, Any] = answer.json()
        return told

    def listed(self, **params: Any) -> dict[str, Any]:
        """The list of leads."""
        given = {"propertyId": NAME, **params}
        answer = self.client.get("/web/v1/leads", params=given, headers={"x-admin-key": ADMIN})
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told

    def send(self, *events: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        """Events of a browser's page."""
        sent = [{"propertyId": NAME, "eventType": "page_view", **event} for event in events]
        answer = self.post("/events", json=sent, headers=headers or {})
        assert (answer.status_code, answer.json()["rejected"]) == (202, []), answer.text

    def rows(self, columns: str = "event, actor", where: str = "1") -> Rows:
        """Rows of the property's events in the engine, by time."""
        names = columns.split(", ")
        sql = f"SELECT {columns} FROM events FINAL WHERE project = {{project:UInt32}} AND {where} ORDER BY occurred_at"
        return [dict(zip(names, row, strict=True)) for row in self.here.engine.query(sql, {"project": self.project.id})]

    def numbers(self, *metrics: str) -> dict[str, Any]:
        """Numbers of the last days, by way of rollups that are refreshed before."""
        today = self.at().date()
        ran = self.client.post("/v1/rollup/run", params={"project": NAME}, headers={"x-admin-key": ADMIN})
        assert ran.status_code == 200, ran.text
        span = {"from": f"{today - timedelta(days=2)}", "to": f"{today}"}
        params = {"project": NAME, "metrics": ",".join(metrics), **span}
        answer = self.client.get("/v1/query", params=params, headers={"x-admin-key": ADMIN})
        assert answer.status_code == 200, answer.text
        return {name: told["value"] for name, told in answer.json()["metrics"].items()}

    def refusals(self) -> dict[str, int]:
        """How many forms and events were refused since the start, by reason."""
        return {str(reason): n for reason, n in self.here.receiver.counts.rejected.items()}


@contextmanager
def running(
    data: Path,
    engine: Engine,
    project: Callable[..., Project],
    admin: str = ADMIN,
    site: Site | None = None,
    **more: Any,
) -> Iterator[Site]:
    """The application, running. `project` gives ids that no other test of this engine has; `more` are settings."""
    settings = load({}, data / ".env", data=data, admin_api_key=admin, refresh_seconds=3_600, **more)
    made = site or Site(data)
    make_property(settings.control_url, project)
    app = build(settings, engine, made.clock, clocked=False)
    with TestClient(app) as client:
        made.client = client
        yield made


def make_property(url: str, project: Callable[..., Project]) -> None:
    """Makes the property, once, under the id that comes after one that is taken for it."""
    database = open_database(url)
    if Projects(database).find(NAME) is None:
        taken = project()
        project()
        gone = datetime(2020, 1, 1, tzinfo=UTC)
        with database.write() as session:
            session.add(
                ProjectRow(
                    id=taken.id, name="gone", packs=[], timezone="UTC", retention_hours=1, pii="redact", bots="mark",
                    created_at=gone, deleted_at=gone,
                )
            )  # fmt: skip
        Projects(database).create(ProjectDraft(NAME, packs=("web",)))
    database.close()
