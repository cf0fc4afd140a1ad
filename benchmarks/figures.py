"""What a benchmark gives: figures, each with its target and whether it is met."""

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal


@dataclass(frozen=True)
class Figure:
    """A measured number. `better` says which side of `target` is good; without a target it is for information."""

    name: str
    value: float
    unit: str
    target: float | None = None
    better: Literal["more", "less"] = "less"
    note: str = ""

    @property
    def hit(self) -> bool | None:
        """Whether the target is met; None without one."""
        if self.target is None:
            return None
        return self.value >= self.target if self.better == "more" else self.value <= self.target

    def body(self) -> dict[str, Any]:
        """As JSON."""
        return {**asdict(self), "value": round(self.value, 6), "hit": self.hit}


@dataclass(frozen=True)
class Bench:
    """How benchmarks are to run: small for a smoke test, where built data is kept, whom to tell what happens."""

    quick: bool
    data: Path
    say: Callable[[str], None]


class BenchmarkError(Exception):
    """A benchmark found wrong numbers, or could not be run: its figures would mean nothing."""


def percentile(values: Sequence[float], level: float) -> float:
    """The smallest value that at least `level` of all do not exceed; NaN without any."""
    if not values:
        return math.nan
    return sorted(values)[max(0, math.ceil(level * len(values)) - 1)]


def median(values: Sequence[float]) -> float:
    """The median; NaN without any."""
    return statistics.median(values) if values else math.nan
