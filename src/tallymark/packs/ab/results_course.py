"""What happened to an experiment while it ran, as the audit has it, that its numbers don't show."""

from collections.abc import Mapping, Sequence, Set
from typing import Any, Literal

from tallymark.control.audit import Deed
from tallymark.experiment.span import Span
from tallymark.spec.experiment import Experiment

#: `interrupted`: for a time everybody got control, and then it went on.
Course = Literal["weights_changed", "interrupted"]


def course_of(experiment: Experiment, span: Span, deeds: Sequence[Deed]) -> Set[Course]:
    """What happened since the experiment started."""
    begun = experiment.started_at
    if begun is None:
        return set()
    found: set[Course] = set()
    if any(deed.at > begun and _changed_weights(deed) for deed in deeds):
        found.add("weights_changed")
    if any(deed.at > max(begun, span.start) and _went_on(deed) for deed in deeds):
        found.add("interrupted")
    return found


def _changed_weights(deed: Deed) -> bool:
    change = deed.detail.get("variants")
    return change is not None and _weights(change["from"]) != _weights(change["to"])


def _went_on(deed: Deed) -> bool:
    """Whether it runs again from then on: started once more, or killed no longer."""
    killed = deed.detail.get("killed")
    return deed.action == "start" or (killed is not None and not killed["to"])


def _weights(variants: Sequence[Mapping[str, Any]]) -> Mapping[str, float]:
    return {variant["key"]: variant["weight"] for variant in variants}
