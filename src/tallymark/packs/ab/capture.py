"""`POST /ab/v1/events`: batches of events from apps."""

from typing import Final

from litestar.handlers import ASGIRouteHandler
from litestar.types import Scope

from tallymark.api.services import Services
from tallymark.packs.ab.contract import CONTRACT, EXCEPTION_HANDLERS
from tallymark.packs.ab.wire import decode
from tallymark.packs.loose_capture import Capture, capturing
from tallymark.spec.project import Project

PATH: Final = "/ab/v1/events"


def ab_events(here: Services) -> ASGIRouteHandler:
    """The endpoint."""

    async def admit(scope: Scope, key: str | None, name: str | None) -> tuple[Project, str | None]:
        return CONTRACT.sent_to(here, scope, key, name), None

    return capturing(PATH, Capture(here, CONTRACT.field, admit, decode), EXCEPTION_HANDLERS)
