"""Funnels: steps that actors take in order, within a time."""

from dataclasses import dataclass
from typing import Final

from tallymark.spec.condition import Condition

#: How long a funnel may take unless it says so: seven days.
WITHIN_SECONDS: Final = 7 * 86_400


@dataclass(frozen=True)
class Step:
    """A step: an event that fits."""

    name: str
    where: Condition


@dataclass(frozen=True)
class Funnel:
    """Steps in order; a later one counts where it comes at most `within` seconds after the first."""

    name: str
    title: str
    steps: tuple[Step, ...]
    within: int = WITHIN_SECONDS
