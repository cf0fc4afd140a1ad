"""Events get the variants that their actors had met by then, wherever they come in."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from tallymark.api.services import Services
from tallymark.control.assignment_rows import Held
from tallymark.control.assignments import Holdings, Wish
from tallymark.ingest.receive import Enrichment
from tallymark.ingest.rows import Rows
from tallymark.packs.ab.contract import CONTRACT
from tallymark.packs.ab.exposure import Met, event_id, met_in
from tallymark.spec.experiment import EXPOSURE, Experiment
from tallymark.spec.project import Project

_DAY_MS: Final = 86_400_000

_NOTHING: Final[Mapping[int, Held]] = {}


@dataclass(frozen=True)
class Participation:
    """Fills `variants` of a project's events if it has the pack.

    An exposure that an event tells of is noted as one of the unit's, unless the unit was assigned another variant: then
    the unit was seen in two, which results leave out. Those that a unit has of a variant on a day are one event, the
    earliest; what is told of a time at which the experiment did not run stays an event by itself.
    """

    here: Services

    async def add(self, project: Project, rows: Rows) -> None:
        """See `ingest.receive.Enrichment.add`."""
        if CONTRACT.pack not in project.packs:
            return
        met, experiments = _exposures(rows), self.here.experiment_book.of(project.id)
        if met:
            self._unite(project, experiments, rows, met)
        held = await self._held(project, experiments, rows, met) if experiments else {}
        if held or met:
            by_id = {experiment.id: experiment for experiment in experiments.values()}
            rows.variants = [
                _variants(held.get(actor, _NOTHING), by_id, at, met.get(place))
                for place, (actor, at) in enumerate(zip(rows.actor, rows.occurred_at, strict=True))
            ]

    def _unite(
        self, project: Project, experiments: Mapping[str, Experiment], rows: Rows, met: Mapping[int, Met]
    ) -> None:
        """Makes the exposures of a unit to a variant on a day one event: of equal ones the earliest counts.

        An event that its sender named without a time has its own identity, by which it counts once on any day.
        """
        for place in met.keys() - set(rows.unpinned):
            one, at = met[place], rows.occurred_at[place]
            experiment = experiments.get(one.experiment)
            if experiment is not None and _had(experiment, one.variant, at):
                rows.event_id[place] = event_id(self.here.receiver.enricher, project.id, one)
                rows.precedence[place] = _precedence(at, rows.received_at[place])

    async def _held(
        self, project: Project, experiments: Mapping[str, Experiment], rows: Rows, met: Mapping[int, Met]
    ) -> Holdings:
        """What the actors of the rows have, these exposures noted."""
        wishes: dict[int, list[Wish]] = {actor: [] for actor in rows.actor if actor}
        for place, one in met.items():
            experiment = experiments.get(one.experiment)
            at = rows.occurred_at[place]
            if experiment is not None and _had(experiment, one.variant, at):
                wishes[one.unit].append(Wish(experiment.id, one.variant, at, exposed=True))
        return await self.here.assignments.note(project.id, wishes)


def _precedence(at: int, received_at: int) -> int:
    """Of exposures of a day the earliest counts, of those at one moment the first to arrive, in steps of 16 ms."""
    return (1 << 64) - 1 - ((at % _DAY_MS) << 37) - (received_at >> 4)


def _had(experiment: Experiment, variant: str, at: int) -> bool:
    """Whether a unit can have met this variant at a time, in epoch milliseconds."""
    return _ran(experiment, at) and any(known.key == variant for known in experiment.variants)


def _ran(experiment: Experiment, at: int) -> bool:
    """Whether an experiment ran at a time."""
    began, ended = experiment.started_at, experiment.stopped_at
    return began is not None and _ms(began) <= at and (ended is None or at <= _ms(ended))


def _ms(moment: datetime) -> int:
    """Whole milliseconds: exposures are noted with those."""
    return math.floor(moment.timestamp() * 1000)


def _exposures(rows: Rows) -> dict[int, Met]:
    """The exposures among the rows, by their place; bots meet none."""
    if EXPOSURE not in rows.event:
        return {}
    told = (met_in(*row) for row in zip(rows.event, rows.actor, rows.props, strict=True))
    return {place: met for place, met in enumerate(told) if met is not None and not rows.bot[place]}


def enrichments(here: Services) -> Sequence[Enrichment]:
    """What the pack adds to events."""
    return [Participation(here)]


def _variants(held: Mapping[int, Held], by_id: Mapping[int, Experiment], at: int, own: Met | None) -> Sequence[str]:
    """Those of running experiments that were met by then; of one that the event itself tells of, what it tells."""
    if not held and own is None:
        return ()
    met = {
        by_id[id].key: one.variant
        for id, one in held.items()
        if one.exposed_at is not None and one.exposed_at <= at and id in by_id and _ran(by_id[id], at)
    }
    if own is not None:
        met[own.experiment] = own.variant
    return sorted(f"{experiment}/{variant}" for experiment, variant in met.items())
