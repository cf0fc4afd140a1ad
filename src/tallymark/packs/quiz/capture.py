"""`POST /quiz/events`: what quizzes tell of attempts."""

from typing import Final

from litestar.handlers import ASGIRouteHandler

from tallymark.api.services import Services
from tallymark.packs.loose_capture import Capture, capturing
from tallymark.packs.quiz.contract import CONTRACT, EXCEPTION_HANDLERS
from tallymark.packs.quiz.wire import decode

PATH: Final = "/quiz/events"


def quiz_events(here: Services) -> ASGIRouteHandler:
    """The endpoint."""
    return capturing(PATH, Capture(here, CONTRACT, decode), EXCEPTION_HANDLERS)
