"""The quiz pack's endpoints.

One that is added goes into `_HANDLERS`, with its path below `/quiz`.
"""

from collections.abc import Sequence
from typing import Final

from litestar import Router
from litestar.types import ControllerRouterHandler

from tallymark.api.path_segments import decoded
from tallymark.api.services import Services
from tallymark.packs.quiz.analytics import HANDLERS as ANALYTICS
from tallymark.packs.quiz.attempts import Attempts
from tallymark.packs.quiz.capture import quiz_events
from tallymark.packs.quiz.contract import EXCEPTION_HANDLERS
from tallymark.packs.quiz.item_routes import HANDLERS as ITEMS
from tallymark.packs.quiz.leads import HANDLERS as LEADS
from tallymark.packs.quiz.quiz_routes import HANDLERS as QUIZZES
from tallymark.packs.quiz.reading import HANDLERS as READING
from tallymark.packs.quiz.statement_routes import HANDLERS as STATEMENTS
from tallymark.spec.project import Project

_HANDLERS: Final[Sequence[ControllerRouterHandler]] = (
    *LEADS, *STATEMENTS, *QUIZZES, *ANALYTICS, *ITEMS, *READING,
)  # fmt: skip


def routes(here: Services) -> Sequence[ControllerRouterHandler]:
    """Every route of the pack."""
    attempts = Attempts.of(here)

    def freshen(project: Project) -> None:  # a function, since the framework copies all else
        attempts.freshen(project)

    answers = Router(
        "/quiz", route_handlers=_HANDLERS, exception_handlers=EXCEPTION_HANDLERS, tags=["quiz"],
        middleware=[decoded], opt={"freshen": freshen},
    )  # fmt: skip
    return (quiz_events(here), answers)
