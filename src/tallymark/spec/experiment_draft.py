"""Experiments as JSON: a draft and a change are read, an experiment is written.

What is written of a draft, read again, is the same draft.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypedDict, cast, get_args

from tallymark.errors import BadRequest
from tallymark.spec.experiment import Correction, Experiment, ExperimentMetric, Holdout, Namespace, Status, Variant
from tallymark.spec.experiment_metrics import PublicMetric, parse_metrics, public_metric
from tallymark.spec.experiment_parts import (
    PublicHoldout,
    PublicNamespace,
    PublicVariant,
    parse_forced,
    parse_holdout,
    parse_namespace,
    parse_variants,
)
from tallymark.spec.json_values import flag, key, number, one_of, shown, text, whole
from tallymark.spec.project import instant_text
from tallymark.spec.targeting import EVERYBODY, Targeting
from tallymark.spec.targeting_rules import PublicRule, parse_targeting, public_targeting

#: Days before the first exposure that CUPED may look at.
MOST_PRE_DAYS: Final = 90
_LONGEST_NAME: Final = 200
_LONGEST_HYPOTHESIS: Final = 2_000


@dataclass(frozen=True)
class ExperimentDraft:
    """What somebody decides of an experiment; the fields are those of `Experiment`."""

    key: str
    name: str
    hypothesis: str
    seed: str
    variants: tuple[Variant, ...]
    coverage: float = 1.0
    namespace: Namespace | None = None
    holdout: Holdout | None = None
    targeting: Targeting = EVERYBODY
    forced: Mapping[str, str] | None = None
    killed: bool = False
    metrics: tuple[ExperimentMetric, ...] = ()
    alpha: float = 0.05
    correction: Correction = "benjamini-hochberg"
    pre_days: int = 0


class PublicDraft(TypedDict):
    """An experiment as somebody has defined it."""

    key: str
    name: str
    hypothesis: str
    seed: str
    variants: list[PublicVariant]
    coverage: float
    namespace: PublicNamespace | None
    holdout: PublicHoldout | None
    targeting: list[list[PublicRule]]
    forced: dict[str, str]
    killed: bool
    metrics: list[PublicMetric]
    alpha: float
    correction: Correction
    preDays: int


class PublicExperiment(PublicDraft):
    """An experiment as the API shows it. `shipped` is the variant that everybody gets."""

    status: Status
    shipped: str | None
    createdAt: str
    startedAt: str | None
    stoppedAt: str | None
    revision: int


def parse_draft(body: object) -> ExperimentDraft:
    """The experiment that a JSON object asks for. Errors: `BadRequest`."""
    values = _fields(body)
    for field in ("key", "variants"):
        if field not in values:
            raise BadRequest(f"An experiment needs {field}.", field=field)
    values = {"name": values["key"], "hypothesis": "", "seed": values["key"], **values}
    read = {attribute: read(values[field], field) for field, (attribute, read) in _READERS.items() if field in values}
    keys = [variant.key for variant in read["variants"]]
    return ExperimentDraft(**read, forced=parse_forced(values.get("forced"), "forced", keys))


def changed(draft: ExperimentDraft, body: object) -> ExperimentDraft:
    """The draft with what a JSON object changes; a variant in it keeps the weight and the value that it leaves out.

    Errors: `BadRequest`.
    """
    change = dict(_fields(body))
    if isinstance(change.get("variants"), list):
        change["variants"] = _merged(draft.variants, change["variants"])
    return parse_draft({**public_draft(draft), **change})


def public_draft(draft: ExperimentDraft | Experiment) -> PublicDraft:
    """What is defined of an experiment, as JSON."""
    namespace, holdout = draft.namespace, draft.holdout
    return {
        "key": draft.key,
        "name": draft.name,
        "hypothesis": draft.hypothesis,
        "seed": draft.seed,
        "variants": [{"key": v.key, "weight": v.weight, "value": v.value} for v in draft.variants],
        "coverage": draft.coverage,
        "namespace": None if namespace is None else cast(PublicNamespace, dict(vars(namespace))),
        "holdout": None if holdout is None else cast(PublicHoldout, dict(vars(holdout))),
        "targeting": public_targeting(draft.targeting),
        "forced": dict(draft.forced or {}),
        "killed": draft.killed,
        "metrics": [public_metric(metric) for metric in draft.metrics],
        "alpha": draft.alpha,
        "correction": draft.correction,
        "preDays": draft.pre_days,
    }


def public(experiment: Experiment) -> PublicExperiment:
    """The experiment as the API shows it."""
    started, stopped = experiment.started_at, experiment.stopped_at
    return {
        **public_draft(experiment),
        "status": experiment.status,
        "shipped": experiment.shipped,
        "createdAt": instant_text(experiment.created_at),
        "startedAt": None if started is None else instant_text(started),
        "stoppedAt": None if stopped is None else instant_text(stopped),
        "revision": experiment.revision,
    }


def _fields(body: object) -> Mapping[str, Any]:
    if not isinstance(body, Mapping):
        raise BadRequest("An experiment is a JSON object.", allowed=FIELDS)
    for field in body:
        if field not in FIELDS:
            raise BadRequest(f"An experiment has no field {shown(field)}.", field=str(field)[:80], allowed=FIELDS)
    return body


def _merged(variants: Sequence[Variant], said: list[Any]) -> list[Any]:
    """What is said of variants, each with what is known of it and not said."""
    known = {variant.key: {"weight": variant.weight, "value": variant.value} for variant in variants}
    return [
        {**known.get(item["key"], {}), **item} if isinstance(item, Mapping) and isinstance(item.get("key"), str)
        else item
        for item in said
    ]  # fmt: skip


def _seed(said: object, field: str) -> str:
    seed = text(said, field, _LONGEST_NAME)
    if not seed:
        raise BadRequest("The seed is not empty.", field=field)
    return seed


def _alpha(said: object, field: str) -> float:
    return number(said, field, 0.0001, 0.5)


#: Public field: the attribute it is kept in, and its reader. Forced variants are read when the variants are known.
_READERS: Final[Mapping[str, tuple[str, Callable[[object, str], Any]]]] = {
    "key": ("key", key),
    "name": ("name", lambda said, field: text(said, field, _LONGEST_NAME)),
    "hypothesis": ("hypothesis", lambda said, field: text(said, field, _LONGEST_HYPOTHESIS)),
    "seed": ("seed", _seed),
    "variants": ("variants", parse_variants),
    "coverage": ("coverage", lambda said, field: number(said, field, 0, 1)),
    "namespace": ("namespace", parse_namespace),
    "holdout": ("holdout", parse_holdout),
    "targeting": ("targeting", parse_targeting),
    "killed": ("killed", flag),
    "metrics": ("metrics", parse_metrics),
    "alpha": ("alpha", _alpha),
    "correction": ("correction", lambda said, field: one_of(said, field, get_args(Correction))),
    "preDays": ("pre_days", lambda said, field: whole(said, field, 0, MOST_PRE_DAYS)),
}

#: The fields of a definition.
FIELDS: Final = tuple(PublicDraft.__annotations__)
