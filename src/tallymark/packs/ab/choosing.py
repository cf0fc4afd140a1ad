"""What a unit gets of experiments, decided and kept: assignments at first sight, exposures where it meets a variant."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tallymark.api.intake import Headers
from tallymark.api.services import Services
from tallymark.control.assignment_rows import Held
from tallymark.control.assignments import Wish
from tallymark.experiment.decide import Decision, decide
from tallymark.ingest.user_agent import sender
from tallymark.spec.experiment import Experiment
from tallymark.spec.project import Project

_NOTHING: Final[Mapping[int, Held]] = {}


@dataclass(frozen=True)
class Asker:
    """Whom a request is about: the project's unit, and attributes that are looked at and never kept.

    `exposed` says that the unit meets what it gets.
    """

    project: Project
    unit_id: str
    attributes: Mapping[str, Any]
    exposed: bool


@dataclass(frozen=True)
class Choice:
    """What a unit gets of an experiment; `assigned_at`, in epoch milliseconds, is None where it does not take part."""

    experiment: Experiment
    decision: Decision
    assigned_at: int | None

    @property
    def value(self) -> Any:
        """The variant's value, its key where it has none."""
        return self.decision.variant if self.decision.value is None else self.decision.value


def is_met(headers: Headers) -> bool:
    """Whether who sends a request with these headers can meet a variant: bots get one, and don't count."""
    return not sender(headers.get(b"user-agent", b"").decode("latin-1")).bot


async def choose(here: Services, asker: Asker, experiments: Sequence[Experiment]) -> list[Choice]:
    """What the unit gets of each experiment, once what is new of that is stored.

    What is stored already wins over what was decided without knowing it, so that is decided again.
    Errors: `QueueFull`, `Unavailable`.
    """
    project_id, now_ms = asker.project.id, int(here.now() * 1000)
    unit = here.receiver.enricher.actor(project_id, asker.unit_id)

    async def kept(decisions: Sequence[Decision]) -> Mapping[int, Held]:
        wishes = _wishes(asker, experiments, decisions, now_ms)
        return (await here.assignments.note(project_id, {unit: wishes}))[unit]

    known = here.assignments.known(project_id, unit)
    decisions = [_decide(asker, experiment, known or _NOTHING) for experiment in experiments]
    held = await kept(decisions)
    if held is not known:
        decisions = _again(asker, experiments, decisions, held, now_ms)
        held = await kept(decisions)
    return [_choice(*one, held) for one in zip(experiments, decisions, strict=True)]


def _again(
    asker: Asker, experiments: Sequence[Experiment], before: Sequence[Decision], held: Mapping[int, Held], now_ms: int
) -> list[Decision]:
    """The decisions by what is stored; one that was stored just now stays the new one that it is."""
    return [
        decision if _is_stored(decision, held.get(experiment.id), now_ms) else _decide(asker, experiment, held)
        for experiment, decision in zip(experiments, before, strict=True)
    ]


def _is_stored(decision: Decision, held: Held | None, now_ms: int) -> bool:
    return decision.new and held is not None and held[:2] == (decision.variant, now_ms)


def _decide(asker: Asker, experiment: Experiment, held: Mapping[int, Held]) -> Decision:
    stored = held.get(experiment.id)
    return decide(experiment, asker.unit_id, asker.attributes, None if stored is None else stored.variant)


def _wishes(asker: Asker, experiments: Sequence[Experiment], decisions: Sequence[Decision], now_ms: int) -> list[Wish]:
    """What is to be stored of decisions. Who does not take part is not assigned, and not exposed."""
    return [
        Wish(experiment.id, decision.variant, now_ms, asker.exposed)
        for experiment, decision in zip(experiments, decisions, strict=True)
        if decision.new or (asker.exposed and decision.in_experiment)
    ]


def _choice(experiment: Experiment, decision: Decision, held: Mapping[int, Held]) -> Choice:
    has = held.get(experiment.id) if decision.in_experiment else None
    return Choice(experiment, decision, None if has is None else has.assigned_at)
