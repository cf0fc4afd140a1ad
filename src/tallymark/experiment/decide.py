"""Which variant a unit gets: what is asked in which order, without a store.

1. The status: a draft and an archived experiment give control, so does a stopped one; a shipped one gives its variant
   to everybody.
2. Killed: control for everybody.
3. Forced: the variant that was set for this unit. It never enters the statistics.
4. Targeting: whom the rules don't fit gets control, even if it was assigned before.
5. The holdout, then the namespace: whom they keep away gets control.
6. The stored assignment stays, whatever became of weights and coverage; one to a variant that is gone doesn't count.
7. Coverage and weights: the hash of seed and unit decides, and the assignment is to be stored.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tallymark.experiment.bucketing import bucket_ranges, choose, in_namespace, part_of
from tallymark.spec.experiment import Experiment
from tallymark.spec.targeting import matches


class Reason(StrEnum):
    """Why a unit gets its variant."""

    ASSIGNED = "ASSIGNED"
    STICKY = "STICKY"
    FORCED = "FORCED"
    KILLED = "KILLED"
    STOPPED = "STOPPED"
    SHIPPED = "SHIPPED"
    NOT_RUNNING = "NOT_RUNNING"
    NOT_TARGETED = "NOT_TARGETED"
    HELD_OUT = "HELD_OUT"
    EXCLUDED = "EXCLUDED"
    NOT_COVERED = "NOT_COVERED"


@dataclass(frozen=True)
class Decision:
    """The variant that a unit gets, and its value; whether the unit is `in_experiment`, so that its exposure counts.

    `new` says that the assignment is to be stored.
    """

    variant: str
    value: Any
    in_experiment: bool
    reason: Reason
    new: bool = False


def decide(experiment: Experiment, unit_id: str, attributes: Mapping[str, Any], stored: str | None) -> Decision:
    """What a unit gets; `stored` is the variant that it was assigned before, None without one."""
    settled = _for_everybody(experiment) or _forced(experiment, unit_id)
    if settled is not None:
        return settled
    kept_away = _kept_away(experiment, unit_id, attributes)
    if kept_away is not None:
        return _outside(experiment, kept_away)
    return _sticky(experiment, stored) or _hashed(experiment, unit_id)


def _for_everybody(experiment: Experiment) -> Decision | None:
    """What everybody gets, where the unit makes no difference."""
    if experiment.status in ("draft", "archived"):
        return _outside(experiment, Reason.NOT_RUNNING)
    if experiment.status == "stopped":
        return _outside(experiment, Reason.STOPPED)
    if experiment.status == "shipped":
        return _outside(experiment, Reason.SHIPPED, experiment.shipped)
    return _outside(experiment, Reason.KILLED) if experiment.killed else None


def _forced(experiment: Experiment, unit_id: str) -> Decision | None:
    variant = experiment.forced.get(unit_id) if experiment.forced else None
    return None if variant is None else _outside(experiment, Reason.FORCED, variant)


def _kept_away(experiment: Experiment, unit_id: str, attributes: Mapping[str, Any]) -> Reason | None:
    """Why the unit may not take part; None if it may."""
    if not matches(experiment.targeting, attributes):
        return Reason.NOT_TARGETED
    holdout = experiment.holdout
    if holdout is not None and part_of(f"holdout:{holdout.name}", unit_id) < holdout.share:
        return Reason.HELD_OUT
    if experiment.namespace is not None and not in_namespace(experiment.namespace, unit_id):
        return Reason.EXCLUDED
    return None


def _sticky(experiment: Experiment, stored: str | None) -> Decision | None:
    found = next((variant for variant in experiment.variants if variant.key == stored), None)
    return None if found is None else Decision(found.key, found.value, True, Reason.STICKY)


def _hashed(experiment: Experiment, unit_id: str) -> Decision:
    weights = tuple(variant.weight for variant in experiment.variants)
    index = choose(part_of(experiment.seed, unit_id), bucket_ranges(weights, experiment.coverage))
    if index is None:
        return _outside(experiment, Reason.NOT_COVERED)
    variant = experiment.variants[index]
    return Decision(variant.key, variant.value, True, Reason.ASSIGNED, new=True)


def _outside(experiment: Experiment, reason: Reason, key: str | None = None) -> Decision:
    """A variant, control unless it is said, for a unit that does not take part."""
    wanted = (variant for variant in experiment.variants if variant.key == key)
    variant = next(wanted, experiment.control)
    return Decision(variant.key, variant.value, False, reason)
