"""A product: a pack's declarations, with what it adds to the server."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from litestar.types import ControllerRouterHandler

from tallymark.api.services import Services
from tallymark.ingest.receive import Enrichment
from tallymark.packs.day_columns import DayColumns
from tallymark.spec.pack import Pack
from tallymark.spec.smoke import Smoke, Trial

#: Something done by the clock: its name, the work, and every how many seconds.
Job = tuple[str, Callable[[], object], float]


def _none(_: Services) -> Sequence[ControllerRouterHandler]:
    return ()


def _idle(_: Services) -> Sequence[Job]:
    return ()


def _nothing(_: Services) -> Sequence[Enrichment]:
    return ()


@dataclass(frozen=True)
class Product:
    """A pack as the server has it: its routes, its jobs, and views in the engine by name as `SELECT` statements.

    `paths` is what OpenAPI says of routes that don't describe themselves. `enrichments` see every event that comes in.
    `days` are its columns of the view that all packs share. `smoke` is its test for `tallymark smoke`.
    """

    pack: Pack
    routes: Callable[[Services], Sequence[ControllerRouterHandler]] = _none
    jobs: Callable[[Services], Sequence[Job]] = _idle
    views: Mapping[str, str] = field(default_factory=dict)
    paths: Mapping[str, Any] = field(default_factory=dict)
    enrichments: Callable[[Services], Sequence[Enrichment]] = _nothing
    days: DayColumns | None = None
    smoke: Callable[[Trial], Smoke] | None = None
