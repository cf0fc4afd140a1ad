"""An application of the control API alone: projects and keys over a store of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from litestar import Litestar
from litestar.datastructures import State
from litestar.openapi import OpenAPIConfig
from litestar.testing import TestClient

from tallymark.access.guard import Access
from tallymark.api.errors import EXCEPTION_HANDLERS
from tallymark.api.keys import keys_router
from tallymark.api.projects import projects_router
from tallymark.control.database import Database, open_database
from tallymark.control.keys import Keys
from tallymark.control.projects import Projects
from tallymark.spec.project import Project

ADMIN = "the-admin-key"


def control_app(database: Database, admin: str = ADMIN, **more: Any) -> Litestar:
    """The application over that store; `more` goes into its state."""
    projects, keys = Projects(database), Keys(database)
    services = {
        "access": Access(keys, admin, ""),
        "projects": projects,
        "keys": keys,
        "packs": {"quiz": {}, "web": {}},
    }
    return Litestar(
        [projects_router, keys_router],
        state=State({**services, **more}, deep_copy=False),
        exception_handlers=EXCEPTION_HANDLERS,
        openapi_config=OpenAPIConfig("Control", "1", use_handler_docstrings=True),
        on_shutdown=[database.close],
        logging_config=None,
    )


@dataclass
class Api:
    """A client of it; `told` is what the project listeners heard."""

    client: TestClient[Litestar]
    told: list[tuple[str, Project]] = field(default_factory=list)

    def ask(self, method: str, path: str, key: str | None = ADMIN, **request: Any) -> tuple[int, Any]:
        """Status and body of the answer."""
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        answer = self.client.request(method, path, headers=headers, **request)
        return answer.status_code, answer.json()

    def create(self, name: str, **more: Any) -> dict[str, str]:
        """The keys of a new project."""
        status, body = self.ask("POST", "/v1/projects", json={"name": name, **more})
        assert status == 201, body
        keys: dict[str, str] = body["keys"]
        return keys


@contextmanager
def control_api(directory: Path, admin: str = ADMIN) -> Iterator[Api]:
    """The application, running, with its store in that directory."""
    told: list[tuple[str, Project]] = []
    database = open_database(f"sqlite:///{directory / 'control.db'}")
    app = control_app(database, admin, project_listeners=[lambda change, project: told.append((change, project))])
    try:
        with TestClient(app) as client:
            yield Api(client, told)
    finally:
        database.close()
