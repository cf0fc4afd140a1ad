"""Parts of experiments as JSON: variants, the namespace, the holdout, forced variants; read one by one."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypedDict

import msgspec

from tallymark.errors import BadRequest
from tallymark.spec.experiment import Holdout, Namespace, Variant
from tallymark.spec.json_values import is_deeper, items, key, mapping, number, shown

MOST_VARIANTS: Final = 20
MOST_FORCED: Final = 1_000
_LARGEST_WEIGHT: Final = 1e9
_DEEPEST_VALUE: Final = 32
_LARGEST_VALUE: Final = 1 << 14  # bytes as JSON
_LONGEST_UNIT: Final = 512
_LONGEST_NAME: Final = 64


class PublicVariant(TypedDict):
    """A variant: its share is its weight among all weights; `value` is what a flag of it has."""

    key: str
    weight: float
    value: Any


class PublicNamespace(TypedDict):
    """A part, from `start` to `end` of 0 to 1, of the units."""

    name: str
    start: float
    end: float


class PublicHoldout(TypedDict):
    """A share of the units that meets no experiment which names this holdout."""

    name: str
    share: float


def parse_variants(said: object, field: str) -> tuple[Variant, ...]:
    """The variants, of which the first is control. Errors: `BadRequest`."""
    variants = tuple(_variant(item, f"{field}.{index}") for index, item in enumerate(_listed(said, field)))
    _check_keys([variant.key for variant in variants], field)
    if not sum(variant.weight for variant in variants) > 0:
        raise BadRequest("One variant needs a weight above 0.", field=field)
    return variants


def parse_namespace(said: object, field: str) -> Namespace | None:
    """The namespace; None for null. Errors: `BadRequest`."""
    if said is None:
        return None
    values = mapping(said, field, ("name", "start", "end"))
    name = key(values.get("name"), f"{field}.name")
    start = number(values.get("start", 0), f"{field}.start", 0, 1)
    end = number(values.get("end", 1), f"{field}.end", 0, 1)
    if start >= end:
        raise BadRequest(f"{field} ends before it starts.", field=f"{field}.end")
    return Namespace(name, start, end)


def parse_holdout(said: object, field: str) -> Holdout | None:
    """The holdout; None for null. Errors: `BadRequest`."""
    if said is None:
        return None
    values = mapping(said, field, ("name", "share"))
    return Holdout(key(values.get("name"), f"{field}.name"), number(values.get("share"), f"{field}.share", 0, 1))


def parse_forced(said: object, field: str, variants: Sequence[str]) -> Mapping[str, str] | None:
    """Variants by unit; None where there are none. Errors: `BadRequest`, also for a variant that is none of those."""
    forced = {} if said is None else mapping(said, field)
    if len(forced) > MOST_FORCED:
        raise BadRequest(f"{field} holds at most {MOST_FORCED} units.", field=field)
    for unit, variant in forced.items():
        if not 0 < len(unit) <= _LONGEST_UNIT:
            raise BadRequest(f"{field} is by unit: an id has 1 to {_LONGEST_UNIT} characters.", field=field)
        if variant not in variants:
            raise BadRequest(f"There is no variant {shown(variant)}.", field=field, allowed=variants)
    return dict(forced) or None


def _listed(said: object, field: str) -> list[Any]:
    if isinstance(said, list) and len(said) == 1:
        raise BadRequest("A single variant is no experiment: it needs one to compare with.", field=field)
    return items(said, field, 2, MOST_VARIANTS)


def _variant(said: object, field: str) -> Variant:
    values = mapping(said, field, ("key", "weight", "value"))
    name = key(values.get("key"), f"{field}.key")
    weight = number(values.get("weight", 1), f"{field}.weight", 0, _LARGEST_WEIGHT)
    return Variant(name, weight, _value(values.get("value", name), f"{field}.value"))


def _value(said: object, field: str) -> Any:
    """A variant's value, which stands in every answer about it."""
    if is_deeper(said, _DEEPEST_VALUE):
        raise BadRequest(f"{field} is nested more than {_DEEPEST_VALUE} levels deep.", field=field)
    size = len(msgspec.json.encode(said))
    if size > _LARGEST_VALUE:
        raise BadRequest(f"{field} has {size} bytes as JSON; {_LARGEST_VALUE} are allowed.", field=field)
    return said


def _check_keys(keys: Sequence[str], field: str) -> None:
    twice = next((name for name in keys if keys.count(name) > 1), None)
    if twice is not None:
        raise BadRequest(f"There are two variants {twice!r}.", field=field)
