"""Metrics of experiments as JSON: read, and written so that reading it gives the same metric."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NotRequired, TypedDict, cast, get_args

from tallymark.errors import BadRequest
from tallymark.spec.condition import ALWAYS, Condition
from tallymark.spec.experiment import Direction, ExperimentMetric, MetricKind, Taken
from tallymark.spec.json_values import flag, key, known_only, mapping, number, one_of, whole
from tallymark.spec.selection import field_of, selection, told

MOST_METRICS: Final = 50
#: The longest time after the exposure that a metric may look at: a year.
MOST_HOURS: Final = 366 * 24
MOST_DAY: Final = 365

_KINDS: Final[tuple[MetricKind, ...]] = get_args(MetricKind)
_TAKEN: Final = ("event", "where", "of")
#: The fields of a metric beside those that each has, by its kind.
_OWN: Final[Mapping[MetricKind, tuple[str, ...]]] = {
    "conversion": ("hours",),
    "mean": ("of", "hours"),
    "ratio": ("of", "lower", "hours"),
    "quantile": ("of", "level", "hours"),
    "retention": ("day",),
}
_EACH: Final = ("name", "kind", "event", "where", "direction", "guardrail")


class PublicTaken(TypedDict):
    """Which events are meant, and the number that is taken of each; without one, how many they are."""

    event: NotRequired[list[str]]
    where: NotRequired[dict[str, Any]]
    of: NotRequired[str]


class PublicMetric(PublicTaken):
    """A metric of an experiment, with the fields that its kind has."""

    name: str
    kind: MetricKind
    lower: NotRequired[PublicTaken]
    level: NotRequired[float]
    day: NotRequired[int]
    hours: NotRequired[int | None]
    direction: Direction
    guardrail: bool


def parse_metrics(said: object, field: str) -> tuple[ExperimentMetric, ...]:
    """The metrics that a list of JSON objects asks for. Errors: `BadRequest`."""
    if not isinstance(said, list) or len(said) > MOST_METRICS:
        raise BadRequest(f"{field} is a list of at most {MOST_METRICS} metrics.", field=field)
    metrics = tuple(_metric(item, f"{field}.{index}") for index, item in enumerate(said))
    _check_names([metric.name for metric in metrics], field)
    return metrics


def public_metric(metric: ExperimentMetric) -> PublicMetric:
    """The metric as JSON."""
    said: dict[str, Any] = {"name": metric.name, "kind": metric.kind, **_public_taken(metric.taken)}
    if metric.lower is not None:
        said["lower"] = _public_taken(metric.lower)
    values = {"level": metric.level, "day": metric.day, "hours": metric.hours}
    said |= {name: value for name, value in values.items() if name in _OWN[metric.kind]}
    return cast(PublicMetric, {**said, "direction": metric.direction, "guardrail": metric.guardrail})


def _metric(said: object, field: str) -> ExperimentMetric:
    values = mapping(said, field)
    kind = one_of(values.get("kind"), f"{field}.kind", _KINDS)
    known_only(values, field, (*_EACH, *_OWN[kind]))
    if kind == "ratio" and "lower" not in values:
        raise BadRequest(f"{field} is a ratio: it needs lower, what is divided by.", field=f"{field}.lower")
    return ExperimentMetric(
        name=key(values.get("name"), f"{field}.name"),
        kind=kind,
        taken=_taken(values, field, optional=kind == "retention"),
        lower=_lower(values["lower"], f"{field}.lower") if kind == "ratio" else None,
        level=_level(values.get("level", 0.5), f"{field}.level"),
        day=whole(values.get("day", 1), f"{field}.day", 1, MOST_DAY),
        hours=_hours(values.get("hours"), f"{field}.hours"),
        direction=one_of(values.get("direction", "up"), f"{field}.direction", get_args(Direction)),
        guardrail=flag(values.get("guardrail", False), f"{field}.guardrail"),
    )


def _lower(said: object, field: str) -> Taken:
    return _taken(mapping(said, field, _TAKEN), field, optional=False)


def _taken(values: Mapping[str, Any], field: str, *, optional: bool) -> Taken:
    """What is taken of a unit's events; where it is `optional` which ones, any event is meant."""
    where = selection({name: values[name] for name in ("event", "where") if name in values}, field)
    if where == ALWAYS and not optional:
        raise BadRequest(f"{field} needs the name of an event, or where.", field=f"{field}.event")
    of = values.get("of")
    return Taken(where, None if of is None else field_of(of, f"{field}.of", columns=("value",)))


def _level(said: object, field: str) -> float:
    level = number(said, field, 0, 1)
    if level in (0, 1):
        raise BadRequest(f"{field} lies between 0 and 1.", field=field, allowed=["0.5", "0.95"])
    return level


def _hours(said: object, field: str) -> int | None:
    return None if said is None else whole(said, field, 1, MOST_HOURS)


def _check_names(names: Sequence[str], field: str) -> None:
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise BadRequest(f"There are two metrics {twice!r}.", field=field)


def _public_taken(taken: Taken) -> dict[str, Any]:
    condition: Condition = taken.where
    return {**told(condition), **({} if taken.of is None else {"of": str(taken.of)})}
