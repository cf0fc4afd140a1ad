"""The voice pack's endpoints.

One that is added goes into `_HANDLERS`, with its path below `/voice`; or into `_COMMON`, with its path below `/v1`, if
its errors are those of the common API.
"""

from collections.abc import Sequence
from typing import Final

from litestar import Router
from litestar.types import ControllerRouterHandler

from tallymark.api.services import Services
from tallymark.packs.voice.capture import voice_ingest
from tallymark.packs.voice.contract import EXCEPTION_HANDLERS
from tallymark.packs.voice.evaluation_routes import HANDLERS as EVALUATIONS
from tallymark.packs.voice.exchanges import Exchanges
from tallymark.packs.voice.reading import health, table_rows
from tallymark.packs.voice.review_routes import HANDLERS as REVIEWS
from tallymark.packs.voice.stats_routes import HANDLERS
from tallymark.packs.voice.version_routes import HANDLERS as VERSIONS
from tallymark.spec.project import Project

_HANDLERS: Final[Sequence[ControllerRouterHandler]] = (*HANDLERS, table_rows, health)
_COMMON: Final[Sequence[ControllerRouterHandler]] = (*EVALUATIONS, *REVIEWS, *VERSIONS)


def routes(here: Services) -> Sequence[ControllerRouterHandler]:
    """Every route of the pack."""
    exchanges = Exchanges(here)

    def freshen(project: Project) -> None:  # a function, since the framework copies all else
        exchanges.freshen(project)

    answers = Router(
        "/voice", route_handlers=_HANDLERS, exception_handlers=EXCEPTION_HANDLERS, tags=["voice"],
        opt={"freshen": freshen},
    )  # fmt: skip
    common = Router("/v1", route_handlers=_COMMON, opt={"freshen": freshen})
    return (voice_ingest(here), answers, common)
