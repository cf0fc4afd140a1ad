"""A question about quizzes: who asks, of which days, how they are cut, and which attempts of a learner count."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from litestar.params import PathParameter, QueryParameter

from tallymark.answer.compare import Freshness
from tallymark.api.auth import Call
from tallymark.api.errors import documented
from tallymark.api.query import freshness
from tallymark.api.question import Parameters, check_names, compared, given_in, one, window_of, zone_of
from tallymark.api.services import Services, services
from tallymark.errors import BadQuery
from tallymark.packs.quiz.policy import Policy
from tallymark.packs.quiz.viewer import Viewer
from tallymark.spec.window import Grain, Window

FAILURES: Final = documented(400, 401, 403, 404, 503)

Text = str | None
QuizId = Annotated[str, PathParameter(description="The `quizId` of its events, percent-encoded.")]
UserId = Annotated[str, PathParameter(description="The `userId` of their events, percent-encoded.")]
ProjectName = Annotated[Text, QueryParameter(description="Name of a project with the pack quiz.")]
Start = Annotated[Text, QueryParameter(name="startDate", description="First day; default: of 30 days.")]
End = Annotated[Text, QueryParameter(name="endDate", description="Last day, included; default today.")]
Zone = Annotated[Text, QueryParameter(description="Zone of the days; default the project's.")]
Aggregation = Annotated[Text, QueryParameter(description="Of the series: day, week or month; default day.")]
Attempts = Annotated[
    Text, QueryParameter(description="Of a learner's attempts at a quiz: all, first, last or best; default all.")
]
CompareTo = Annotated[Text, QueryParameter(name="compareTo", description="previous, or FROM..TO.")]

ENDS: Final = ("startDate", "endDate")
DAYS: Final = ("project", *ENDS, "timezone")

_AGGREGATIONS: Final = (Grain.DAY, Grain.WEEK, Grain.MONTH)


@dataclass(frozen=True)
class Asker:
    """Who asks, what their request gives, and when."""

    here: Services
    viewer: Viewer
    given: Parameters
    now: datetime

    @classmethod
    async def of(
        cls, request: Call, names: Sequence[str], quiz: Text = None, user: Text = None, learners: Text = None
    ) -> "Asker":
        """Who asks is looked at first, then whether they may see the quiz, the user, or all learners of a quiz.

        Attempts that are due are made. Errors: `Unauthorized`, `Forbidden`, `NotFound`, `BadQuery`.
        """
        here, given = services(request.app.state), given_in(request)
        viewer = await asyncio.to_thread(_looking, here, request, quiz, user, learners)
        check_names(given, names)
        one(given, "project")
        await asyncio.to_thread(request.route_handler.opt["freshen"], viewer.project)
        return cls(here, viewer, given, datetime.fromtimestamp(here.now(), UTC))

    def window(self) -> Window:
        """The days that are asked for. Errors: `BadQuery`."""
        zone = zone_of(self.given, self.viewer.project.timezone)
        window = window_of(self.given, zone, self.now, ENDS)
        return replace(window, grain=Grain(self._word("aggregation", _AGGREGATIONS, Grain.DAY)))

    def policy(self) -> Policy:
        """Which attempts count. Errors: `BadQuery`."""
        return Policy(self._word("attempts", tuple(Policy), Policy.ALL))

    def compare(self, window: Window) -> Window | None:
        """What a window is compared with. Errors: `BadQuery`."""
        return compared(one(self.given, "compareTo"), window)

    async def freshness(self, window: Window) -> Freshness:
        """What published rollups cover of a window."""
        return await asyncio.to_thread(freshness, self.here, self.viewer.project, window, self.now)

    def _word(self, name: str, words: Sequence[str], default: str) -> str:
        text = one(self.given, name) or default
        if text not in words:
            raise BadQuery(f"{name} can't be {text[:40]!r}.", field=name, allowed=[str(word) for word in words])
        return text


def _looking(here: Services, request: Call, quiz: Text, user: Text, learners: Text) -> Viewer:
    viewer = Viewer.of(here, request.scope, next(iter(request.query_params.getall("project", [])), None))
    if quiz is not None:
        viewer.look_at_quiz(quiz)
    if user is not None:
        viewer.look_at_user(user)
    if learners is not None:
        viewer.look_at_learners(learners)
    return viewer


def window_body(window: Window) -> dict[str, str]:
    """A window as answers tell it."""
    return {
        "startDate": window.first.isoformat(),
        "endDate": window.last.isoformat(),
        "timezone": window.timezone,
    }


def provenance(fresh: Freshness, source: str) -> dict[str, Any]:
    """What an answer's numbers are worth: raw events of sealed days are gone, so that those are missing from it."""
    whole = source == "rollups" or not fresh.sealed
    return {"accuracy": "exact", "source": source, "complete": whole, "freshness": fresh.body()}
