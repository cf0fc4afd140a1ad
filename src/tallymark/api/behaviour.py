"""What the answers about behaviour have in common: whose they are, what is kept of them, and how fresh they are."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Final

from litestar.params import QueryParameter

from tallymark.answer.behaviour.activity import Reading, Standing
from tallymark.answer.compare import Freshness, Told
from tallymark.answer.run import Runs
from tallymark.api.auth import Call, project_for
from tallymark.api.query import freshness
from tallymark.api.question import Parameters
from tallymark.api.segment_filters import asked_in
from tallymark.api.services import Services, services
from tallymark.errors import BadQuery
from tallymark.spec.project import Project
from tallymark.spec.window import Window

First = Annotated[str | None, QueryParameter(name="from", description="First day, YYYY-MM-DD; default 30 days ago.")]
Last = Annotated[str | None, QueryParameter(description="Last day, YYYY-MM-DD; default today.")]
Zone = Annotated[str | None, QueryParameter(description="Zone of the days; default the project's.")]
Filters = Annotated[
    list[str] | None, QueryParameter(name="filter", description="dimension:operator:value|value; all must hold.")
]
Exact = Annotated[str | None, QueryParameter(description="true: from raw events.")]
Explain = Annotated[str | None, QueryParameter(description="true: with the plan.")]

#: The words of OpenAPI's tag.
TAG: Final = "behaviour"

_EPOCH: Final = date(1970, 1, 1)


@dataclass(frozen=True)
class Asker:
    """Who asks about which project, what their request gives, with the filters of segments, and when."""

    here: Services
    project: Project
    given: Parameters
    now: datetime

    async def answered(
        self, question: object, looked_at: Sequence[Window], ask: Callable[[Runs], Told]
    ) -> dict[str, Any]:
        """The body of an answer that comes from events of the windows that are looked at."""
        runs = await asyncio.to_thread(self.here.answers.fresh_runs, self.project)
        body, fresh = await asyncio.gather(
            self.here.answers.kept(question, looked_at, self.project, runs, lambda: ask(runs)),
            asyncio.to_thread(self.freshness, looked_at),
        )
        return {"project": self.project.name, **body, "freshness": fresh.body()}

    def freshness(self, looked_at: Sequence[Window]) -> Freshness:
        """What published rollups cover, and which days from the first to the last that are looked at are sealed."""
        zone = looked_at[0].timezone
        margin = self._margin(zone)
        first = max(min(window.first for window in looked_at), _EPOCH + margin) - margin
        last = max(window.last for window in looked_at) + margin
        return freshness(self.here, self.project, Window(first, last, zone), self.now)

    def standing(self, reading: Reading, window: Window) -> Standing:
        """Which periods of a window can be told in full, as they were read."""
        if reading.rolled_up:
            return Standing(self.now)
        margin = self._margin(window.timezone).days
        sealed = self.freshness([window]).sealed
        return Standing(
            self.now, frozenset(day + timedelta(days=n) for day in sealed for n in range(-margin, margin + 1))
        )

    def _margin(self, zone: str) -> timedelta:
        """How far a day in a zone may reach into the project's days around it."""
        return timedelta(days=int(zone != self.project.timezone))


def asker(request: Call, name: str | None) -> Asker:
    """Who asks about the project of that name.

    Errors: `Unauthorized`, `NotFound`, `Forbidden`; `BadQuery` for a project that is given more than once, or a
    segment that there is not.
    """
    if len(request.query_params.getall("project", [])) > 1:
        raise BadQuery("project is given more than once.", field="project")
    here = services(request.app.state)
    project = project_for(request, name or None, "read")
    return Asker(here, project, asked_in(request, project), datetime.fromtimestamp(here.now(), UTC))
