"""The whole application with a project that has some traffic, and a clock that goes when it is told."""

import itertools
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from litestar import Litestar
from litestar.testing import TestClient

from tallymark.app import build
from tallymark.config import Settings, load
from tallymark.control.database import open_database
from tallymark.control.models import ProjectRow
from tallymark.engine.base import Engine

ADMIN = "admin-of-every-project"

DAY = timedelta(days=1)
TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)

#: The worker's engine is shared: projects here have ids that no other test's have.
_IDS = itertools.count(60_000_000, 100)

#: How long an export may take, in seconds.
_PATIENCE = 60.0


@dataclass
class Api:
    """The application and its clients; `ahead` is how far its clock is, of the world's or of one that stands still."""

    settings: Settings
    keys: dict[str, str] = field(default_factory=dict)
    client: TestClient[Litestar] = field(init=False)
    ahead: timedelta = timedelta(0)
    stands_at: datetime | None = None

    def now(self) -> float:
        """The application's clock."""
        return ((self.stands_at or datetime.now(UTC)) + self.ahead).timestamp()

    @property
    def folder(self) -> Path:
        """Where files are kept."""
        return self.settings.files_path / "exports"

    @property
    def drafts(self) -> Path:
        """Where files are written."""
        return self.settings.files_path / "drafts"

    def ask(self, method: str, path: str, key: str | None = ADMIN, **request: Any) -> tuple[int, Any]:
        """Status and body of the answer."""
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        answer = self.client.request(method, path, headers=headers, **request)
        return answer.status_code, answer.json()

    def project(self, name: str, **more: Any) -> dict[str, str]:
        """The keys of a new project."""
        status, body = self.ask("POST", "/v1/projects", json={"name": name, "packs": ["web"], **more})
        assert status == 201, body
        keys: dict[str, str] = body["keys"]
        return keys

    def send(self, key: str, events: list[dict[str, Any]]) -> None:
        """Sends events of any age."""
        status, body = self.ask("POST", "/v1/import", key, json=events)
        assert (status, body["rejected"]) == (202, []), body

    def order(self, **order: Any) -> dict[str, Any]:
        """An order that is taken; metrics of the project `site` as CSV unless it says something else."""
        given = {"project": "site", "what": "metrics", "format": "csv", "metrics": ["page_views", "visitors"], **order}
        status, body = self.ask("POST", "/v1/exports", json={k: v for k, v in given.items() if v is not None})
        assert status == 202, body
        made: dict[str, Any] = body
        return made

    def show(self, export: dict[str, Any]) -> dict[str, Any]:
        """How an export stands."""
        status, body = self.ask("GET", f"/v1/exports/{export['id']}")
        assert status == 200, body
        shown: dict[str, Any] = body
        return shown

    def finished(self, export: dict[str, Any]) -> dict[str, Any]:
        """The export once it is neither waiting nor being written."""
        return self.until(export, "done", "failed")

    def until(self, export: dict[str, Any], *statuses: str) -> dict[str, Any]:
        """The export once it has one of these statuses."""
        until = time.monotonic() + _PATIENCE
        while (shown := self.show(export))["status"] not in statuses:
            assert time.monotonic() < until, shown
            time.sleep(0.01)
        return shown

    def done(self, **order: Any) -> dict[str, Any]:
        """An export that was ordered and is done."""
        export = self.finished(self.order(**order))
        assert export["status"] == "done", export
        return export

    def get(self, url: str, method: str = "GET", **headers: str) -> Any:
        """The answer to a link, without a key."""
        parts = urlsplit(url)
        return self.client.request(method, f"{parts.path}?{parts.query}", headers=headers)

    def content(self, export: dict[str, Any]) -> bytes:
        """The file of an export."""
        answer = self.get(export["downloadUrl"])
        assert answer.status_code == 200, answer.text
        content: bytes = answer.content
        return content


def settings_of(directory: Path, **environment: str) -> Settings:
    """Settings for an application over that directory."""
    given = {
        "TALLYMARK_DATA": str(directory), "ADMIN_API_KEY": ADMIN, "TALLYMARK_LINGER_MS": "0",
        "TALLYMARK_REFRESH_SECONDS": "3600", "TALLYMARK_SETTLE_SECONDS": "0", **environment,
    }  # fmt: skip
    return load(given, directory / "no.env")


@contextmanager
def running(api: Api, engine: Engine) -> Iterator[Api]:
    """The application, running."""
    with TestClient(build(api.settings, engine, now=api.now, clocked=False)) as client:
        api.client = client
        yield api


@contextmanager
def export_api(engine: Engine, directory: Path, **environment: str) -> Iterator[Api]:
    """The application, running, with the project `site`, where some visitors came in the last days."""
    api = Api(settings_of(directory, **environment))
    start_ids(api.settings)
    with running(api, engine):
        api.keys = api.project("site")
        api.send(api.keys["admin"], traffic())
        yield api


def traffic() -> list[dict[str, Any]]:
    """Page views of the last days: on the day so many days ago that many and one, of half as many visitors."""
    return [
        {
            "event": "page_view", "visitorId": f"v-{n // 2}", "eventId": f"{ago}-{n}",
            "url": f"https://a.example/{n % 3}",
            "timestamp": (TODAY - ago * DAY + timedelta(hours=12, minutes=n)).isoformat(),
        }
        for ago in range(1, 4) for n in range(ago + 1)
    ]  # fmt: skip


def start_ids(settings: Settings) -> None:
    """Projects get ids that no other test's projects have."""
    database = open_database(settings.control_url)
    now = datetime.now(UTC)
    with database.write() as session:
        session.add(
            ProjectRow(
                id=next(_IDS), name="first", packs=[], timezone="UTC", retention_hours=1, pii="redact", bots="mark",
                created_at=now, deleted_at=now,
            )
        )  # fmt: skip
    database.close()
