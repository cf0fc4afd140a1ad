"""The event that tells that a unit has met a variant: what it says, and its identity."""

from typing import Any, Final, NamedTuple

import msgspec

from tallymark.ingest.enrich import Enricher
from tallymark.spec.experiment import EXPERIMENT, EXPOSURE, VARIANT

#: As long as keys of experiments and variants may be.
_LONGEST: Final = 64

_decode = msgspec.json.decode


class Met(NamedTuple):
    """That a unit met a variant of the experiment with the key `experiment`."""

    unit: int
    experiment: str
    variant: str

    @property
    def properties(self) -> dict[str, Any]:
        """The properties of its event."""
        return {EXPERIMENT: self.experiment, VARIANT: self.variant}

    @property
    def identity(self) -> str:
        """The `eventId` of its event: it counts once a day, whoever tells of it."""
        return f"exposure\n{self.experiment}\n{self.variant}\n{self.unit:016x}"


def met_in(event: str, unit: int, props: bytes) -> Met | None:
    """What an event with these properties tells, if it is an exposure of anybody."""
    if event != EXPOSURE or not unit:
        return None
    said = _decode(props)
    experiment, variant = said.get(EXPERIMENT), said.get(VARIANT)
    return Met(unit, experiment, variant) if _is_key(experiment) and _is_key(variant) else None


def event_id(enricher: Enricher, project_id: int, met: Met) -> int:
    """What stands in events for its identity."""
    return enricher.event(project_id, met.identity)


def _is_key(text: Any) -> bool:
    return isinstance(text, str) and 0 < len(text) <= _LONGEST and "/" not in text and text.isprintable()
