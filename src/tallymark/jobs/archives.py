"""Archiving by the clock: once a day every past month of every project, where it is not archived or has changed."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from tallymark.api.services import Services
from tallymark.errors import Conflict, NotFound, Stopping, TallymarkError, Unavailable
from tallymark.spec.project import Project

#: When in a UTC day it is time: before the purge.
_TIME: Final = timedelta(minutes=5)

#: Events that aren't kept for as long as a month has days are not meant to last.
_LEAST_HOURS: Final = 31 * 24

_JOB: Final = "archives"


@dataclass(frozen=True)
class Archivist:
    """Archives what is past, of projects that keep their events for a month at least."""

    here: Services

    def daily(self) -> None:
        """Does so if nobody has since 00:05 UTC; one process at a time."""
        self.here.turns.recorded(_JOB, self.here.turns.since(_TIME), self._all)

    def _all(self) -> str:
        """What was done; a project that fails stops no other. Errors: that of the last one that failed."""
        failed: TallymarkError | None = None
        made = 0
        for project in self.here.projects.list():
            try:
                made += self._of(project) if project.retention_hours >= _LEAST_HOURS else 0
            except Stopping:
                raise
            except (Conflict, Unavailable) as error:
                failed = error
        if failed is not None:
            raise failed
        return f"{made} archives written"

    def _of(self, project: Project) -> int:
        """How many archives of a project were written. A month whose archive has to stay is passed over."""
        archives, made = self.here.archives, 0
        for month in archives.months(project):
            try:
                archives.check(project, month, incomplete=True)
            except (NotFound, Conflict):
                continue
            made += archives.make(project, month, incomplete=True, tell=lambda _rows, _of: None).written
        return made
