"""Projects by id and name from memory, for the path that events take; the control store is asked now and then."""

import time
from collections.abc import Callable

from tallymark.control.projects import Projects
from tallymark.spec.project import Project

_FRESH_SECONDS = 5.0


class Directory:
    """All projects, read again when what is known is five seconds old or was dropped by `forget`."""

    def __init__(self, projects: Projects, clock: Callable[[], float] = time.monotonic) -> None:
        self._projects = projects
        self._clock = clock
        self._until = float("-inf")
        self._by_id: dict[int, Project] = {}
        self._by_name: dict[str, Project] = {}

    def by_id(self, project_id: int) -> Project | None:
        """The project with that id."""
        self._read()
        return self._by_id.get(project_id)

    def by_name(self, name: str) -> Project | None:
        """The project with that name."""
        self._read()
        return self._by_name.get(name)

    def forget(self) -> None:
        """Reads again at the next question."""
        self._until = float("-inf")

    def _read(self) -> None:
        if self._clock() < self._until:
            return
        projects = self._projects.list()
        self._by_id = {project.id: project for project in projects}
        self._by_name = {project.name: project for project in projects}
        self._until = self._clock() + _FRESH_SECONDS
