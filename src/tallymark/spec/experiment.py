"""Experiments: what is tried on whom, and what is measured of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from tallymark.spec.condition import ALWAYS, Condition, Field
from tallymark.spec.targeting import EVERYBODY, Targeting

#: The event that tells that a unit has met a variant: `experiment` and `variant` are among its properties.
EXPOSURE: Final = "experiment_exposure"
EXPERIMENT: Final = "experiment"
VARIANT: Final = "variant"

Status = Literal["draft", "running", "stopped", "shipped", "archived"]
MetricKind = Literal["conversion", "mean", "ratio", "quantile", "retention"]
Direction = Literal["up", "down"]
Correction = Literal["none", "benjamini-hochberg", "holm"]


@dataclass(frozen=True)
class Variant:
    """A variant: its weight among all of its experiment's, and the value a flag of it has. The first one is control."""

    key: str
    weight: float
    value: Any = None


@dataclass(frozen=True)
class Namespace:
    """A part, from `start` to `end` of 0 to 1, of the units; experiments with disjoint parts exclude each other."""

    name: str
    start: float
    end: float


@dataclass(frozen=True)
class Holdout:
    """A share of the units that meets no experiment which names this holdout."""

    name: str
    share: float


@dataclass(frozen=True)
class Taken:
    """What is taken of a unit's events: the number `of` those that fit, or how many they are."""

    where: Condition = ALWAYS
    of: Field | None = None


@dataclass(frozen=True)
class ExperimentMetric:
    """What is measured of a unit from its first exposure on, for `hours` or as long as the experiment runs.

    `conversion`: whether an event fits. `mean`: the sum of what is taken. `ratio`: that sum over the `lower` one's.
    `quantile`: the `level` of the units' sums. `retention`: whether an event fits on the `day`-th day after the first.
    A metric is a guardrail if it must not get worse.
    """

    name: str
    kind: MetricKind
    taken: Taken
    lower: Taken | None = None
    level: float = 0.5
    day: int = 1
    hours: int | None = None
    direction: Direction = "up"
    guardrail: bool = False


@dataclass(frozen=True)
class Experiment:
    """An experiment of a project.

    `coverage`: the share of the units that take part. `forced`: variants by unit. `killed`: everybody gets control.
    `shipped`: the variant that everybody gets. `correction` is for several metrics; `pre_days` is how many days before
    the first exposure CUPED looks at, 0 for none. `revision` grows with every change.
    """

    id: int
    project_id: int
    key: str
    name: str
    hypothesis: str
    status: Status
    seed: str
    variants: tuple[Variant, ...]
    created_at: datetime
    coverage: float = 1.0
    namespace: Namespace | None = None
    holdout: Holdout | None = None
    targeting: Targeting = EVERYBODY
    forced: Mapping[str, str] | None = None
    killed: bool = False
    shipped: str | None = None
    metrics: tuple[ExperimentMetric, ...] = ()
    alpha: float = 0.05
    correction: Correction = "benjamini-hochberg"
    pre_days: int = 0
    started_at: datetime | None = None
    stopped_at: datetime | None = None
    revision: int = 1

    @property
    def control(self) -> Variant:
        """The variant that the others are compared with."""
        return self.variants[0]
