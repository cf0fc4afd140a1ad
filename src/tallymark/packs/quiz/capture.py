"""`POST /quiz/events`: what quizzes tell of attempts."""

import asyncio
from typing import Final

from litestar.handlers import ASGIRouteHandler
from litestar.types import Scope

from tallymark.api.services import Services
from tallymark.packs.loose_capture import Capture, capturing
from tallymark.packs.quiz.contract import CONTRACT, EXCEPTION_HANDLERS
from tallymark.packs.quiz.users import sender_of
from tallymark.packs.quiz.wire import decode
from tallymark.spec.project import Project

PATH: Final = "/quiz/events"


def quiz_events(here: Services) -> ASGIRouteHandler:
    """The endpoint."""

    async def admit(scope: Scope, key: str | None, name: str | None) -> tuple[Project, str | None]:
        return await asyncio.to_thread(sender_of, here, scope, key, name)  # it may fetch keys

    return capturing(PATH, Capture(here, CONTRACT.field, admit, decode), EXCEPTION_HANDLERS)
