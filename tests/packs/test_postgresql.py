"""The application whose control store is on PostgreSQL: events, keys, answers."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tallymark.engine.base import Engine
from tests.packs.world import ADMIN, Application, application, bearer
from tests.postgres import postgres_server

NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, engine: Engine) -> Iterator[Application]:
    data: Path = tmp_path_factory.mktemp("postgresql")
    with (
        postgres_server() as server,
        server.database() as url,
        application(data, engine, NOON, control=url) as made,
    ):
        server.continue_ids(url, "projects")
        yield made


def test_events_and_questions_are_taken(app: Application) -> None:
    name, _ = app.make("web")
    sent = app.client.post("/web/v1/events", json={"propertyId": name, "eventType": "page_view", "path": "/"})
    assert sent.status_code < 300, sent.text
    app.settle(name)
    asked = app.client.get(f"/v1/query?metrics=page_views&project={name}", headers=bearer(ADMIN))
    assert asked.status_code == 200, asked.text
    assert app.client.get("/ready").json()["checks"]["control"] == "ok"
