"""What the sdk pack does by the clock: days and months become final, and raw events go once their day is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from tallymark.api.services import Services
from tallymark.errors import Conflict, TallymarkError, Unavailable
from tallymark.packs.product import Job
from tallymark.packs.sdk.contract import CONTRACT
from tallymark.rollup.expire import Leaving
from tallymark.spec.project import Project

#: When in a UTC day it is time: what was on its way at midnight is there by then.
_TIME: Final = timedelta(minutes=1)

DAILY: Final = "sdk_daily"
MONTHLY: Final = "sdk_monthly"

_LOOK_SECONDS: Final = 30


@dataclass(frozen=True)
class Finishing:
    """Finishes yesterday every day, and the month before on the first of each."""

    here: Services

    def daily(self) -> None:
        """Rolls up what is left of yesterday and before; then the raw events of days that take no more events go."""
        self._wait_for_the_spool()
        since = self.here.turns.since(_TIME)
        self.here.turns.recorded(DAILY, since, lambda: self._day(f"{since - timedelta(days=1):%Y-%m-%d}"))

    def monthly(self) -> None:
        """Rolls up what is left of the month before."""
        self._wait_for_the_spool()
        since = self.here.turns.since(_TIME).replace(day=1)
        self.here.turns.recorded(MONTHLY, since, lambda: self._month(f"{since - timedelta(days=1):%Y-%m}"))

    def _wait_for_the_spool(self) -> None:
        if self.here.store.waiting:
            raise Unavailable("Events wait in the spool; days become final once they are in.")

    def _day(self, day: str) -> str:
        gone: list[Leaving] = []

        def finish(project: Project) -> None:
            self.here.keeper.run(project)
            gone.append(self.here.keeper.expire(project))

        projects = self._each(finish)
        events = sum(sum(leaving.events.values()) for leaving in gone)
        return f"{day} of {projects} projects; {events} raw events went"

    def _month(self, month: str) -> str:
        return f"{month} of {self._each(self.here.keeper.run)} projects"

    def _each(self, work: Callable[[Project], object]) -> int:
        """Does it for every project with the pack, and says how many these are; one that fails stops no other.

        Errors: that of the last one that failed.
        """
        failed: TallymarkError | None = None
        projects = [project for project in self.here.projects.list() if CONTRACT.pack in project.packs]
        for project in projects:
            try:
                work(project)
            except (Conflict, Unavailable) as error:
                failed = error
        if failed is not None:
            raise failed
        return len(projects)


def jobs(here: Services) -> Sequence[Job]:
    """Each with every how many seconds."""
    finishing = Finishing(here)
    return [("sdk daily", finishing.daily, _LOOK_SECONDS), ("sdk monthly", finishing.monthly, _LOOK_SECONDS)]
