"""The web pack's endpoints. One that is added goes into `_HANDLERS`, with its path below `/web/v1`."""

from collections.abc import Sequence
from typing import Final

from litestar import Router
from litestar.types import ControllerRouterHandler

from tallymark.api.services import Services
from tallymark.packs.web.capture import web_events
from tallymark.packs.web.consent import consent
from tallymark.packs.web.contract import EXCEPTION_HANDLERS
from tallymark.packs.web.leads import capture, delete_lead, list_leads
from tallymark.packs.web.people import export
from tallymark.packs.web.summary_routes import metrics_summary, table_rows
from tallymark.packs.web.tracker import tracker, tracker_head
from tallymark.packs.web.unsubscribe import ask, make_link, unsubscribe

_HANDLERS: Final[Sequence[ControllerRouterHandler]] = (
    metrics_summary,
    table_rows,
    capture,
    list_leads,
    delete_lead,
    consent,
    ask,
    unsubscribe,
    make_link,
    export,
)


def routes(here: Services) -> Sequence[ControllerRouterHandler]:
    """Every route of the pack."""
    answers = Router("/web/v1", route_handlers=_HANDLERS, exception_handlers=EXCEPTION_HANDLERS, tags=["web"])
    return (web_events(here), tracker, tracker_head, answers)
