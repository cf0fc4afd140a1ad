"""The shape of an experiment's results: what each number is called. What can't be told is null, never NaN."""

from typing import Literal, TypedDict

from tallymark.experiment.guardrail import Verdict
from tallymark.spec.experiment import Correction, Direction, MetricKind, Status


class ToldInterval(TypedDict):
    """An effect with its interval; null what can't be told."""

    effect: float | None
    low: float | None
    high: float | None


class ToldSequential(TypedDict):
    """The always-valid interval of the absolute effect; null with fewer than 100 units in either variant."""

    low: float | None
    high: float | None
    pValue: float | None
    significant: bool | None


class ToldBayes(TypedDict):
    """The chance that the variant is better than control, and what choosing it costs on average."""

    chanceToWin: float | None
    expectedLoss: float | None


class ToldEffect(TypedDict):
    """The smallest effect that is found with that power."""

    absolute: float | None
    relative: float | None


class ToldPower(TypedDict):
    """Power with the present units; `atPlanned` and `unitsNeeded`, of both variants, are of the planned effect."""

    target: float
    minimalDetectableEffect: ToldEffect
    plannedRelativeEffect: float
    atPlanned: float | None
    unitsNeeded: int | None


class ToldCuped(TypedDict):
    """The effect with what was there before the first exposure taken out."""

    absolute: ToldInterval
    relative: ToldInterval
    pValue: float | None
    varianceReduction: float


class ToldHarm(TypedDict):
    """Whether a guardrail got worse: a one-sided test."""

    pValue: float | None
    verdict: Verdict | None


class ToldComparison(TypedDict):
    """How a variant compares with control; of control itself all is null."""

    absolute: ToldInterval | None
    relative: ToldInterval | None
    pValue: float | None
    adjustedPValue: float | None
    significant: bool | None
    sequential: ToldSequential | None
    bayes: ToldBayes | None
    power: ToldPower | None
    cuped: ToldCuped | None
    harm: ToldHarm | None


class ToldVariant(ToldComparison):
    """A metric in a variant."""

    variant: str
    control: bool
    n: int
    unfinished: int
    value: float | None
    standardError: float | None


class ToldMetric(TypedDict):
    """A metric in every variant; `verdict` is of guardrails alone."""

    name: str
    kind: MetricKind
    direction: Direction
    guardrail: bool
    verdict: Verdict | None
    variants: list[ToldVariant]


class ToldSrm(TypedDict):
    """Whether units met the variants as the weights say."""

    pValue: float | None
    alert: bool
    observed: dict[str, int]
    expected: dict[str, float]
    weightsChanged: bool


class ToldSeveral(TypedDict):
    """Units that met several variants: they are left out."""

    units: int
    share: float
    warning: bool


#: What is looked at: units first exposed from `from` on, and what happened before `to`.
ToldWindow = TypedDict("ToldWindow", {"from": str, "to": str, "timezone": str})


class ToldWarning(TypedDict):
    """Something to know before the numbers are believed."""

    code: str
    message: str


class ToldFreshness(TypedDict):
    """Until when events are in the numbers, and when they were counted."""

    through: str
    generatedAt: str


class Results(TypedDict):
    """What an experiment shows."""

    experiment: str
    project: str
    status: Status
    window: ToldWindow
    alpha: float
    correction: Correction
    exposedUnits: dict[str, int]
    multipleVariantUnits: ToldSeveral
    srm: ToldSrm
    metrics: list[ToldMetric]
    conventions: list[str]
    warnings: list[ToldWarning]
    accuracy: Literal["exact"]
    freshness: ToldFreshness
