"""Whom an experiment is for: rules over the attributes that come with a request."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Literal

import re2

#: Versions are compared part by part as numbers; `exists` and `missing` take no values.
RuleOp = Literal[
    "is", "is_not", "contains", "matches", "above", "below", "exists", "missing",
    "version_at_least", "version_below",
]  # fmt: skip

#: What a rule wants, and whether one value is among that.
Values = tuple[Any, ...]
Fits = Callable[[Any], bool]

#: Items of a list that is an attribute; rules look at each of them.
MOST_ITEMS: Final = 100
#: Characters of a text that `contains`, `matches` and versions look at, from its beginning.
MOST_LOOKED_AT: Final = 2_000

_VERSION = re.compile(r"v?([0-9]{1,18}(?:\.[0-9]{1,18})*)")
_QUIET = re2.Options()
_QUIET.log_errors = False  # an attribute never comes into a log


@dataclass(frozen=True)
class Rule:
    """One comparison of an attribute with values; one of them must fit (`is_not`: none may)."""

    attribute: str
    op: RuleOp
    values: tuple[Any, ...] = ()

    @cached_property
    def compare(self) -> "Fits":
        """Whether an attribute's value fits one of the rule's, made once: for many of these at the cost of few."""
        return _COMPARISONS[self.op](self.values)


@dataclass(frozen=True)
class Targeting:
    """An and of ors of rules; empty, it is everybody."""

    groups: tuple[tuple[Rule, ...], ...] = ()


EVERYBODY: Final = Targeting()


def matches(targeting: Targeting, attributes: Mapping[str, Any]) -> bool:
    """Whether attributes fit: of each group, one rule.

    Numbers compare as numbers and texts as texts, never with each other. An attribute that is missing or null fits
    `missing` and `is_not` alone; one that is a list fits where one of its items does (`is_not`: where none does).
    """
    return all(any(_fits(rule, attributes) for rule in group) for group in targeting.groups)


def version(text: object) -> tuple[int, ...] | None:
    """The numeric parts that a version begins with, `v` aside: 2, 10 of `v2.10-beta`; None for anything else."""
    found = _VERSION.match(text) if isinstance(text, str) else None
    return None if found is None else tuple(int(part) for part in found[1].split("."))


def overlong(attributes: Mapping[str, Any]) -> str | None:
    """The name of a list with more than `MOST_ITEMS` items, `device.os` for one within `device`; None without one."""
    open_ = [("", attributes)]
    while open_:
        within, held = open_.pop()
        for name, value in held.items():
            if isinstance(value, list) and len(value) > MOST_ITEMS:
                return within + name
            if isinstance(value, Mapping):
                open_.append((f"{within}{name}.", value))
    return None


def _fits(rule: Rule, attributes: Mapping[str, Any]) -> bool:
    value = _attribute(attributes, rule.attribute)
    if rule.op in ("missing", "exists"):
        return (value is None) == (rule.op == "missing")
    return any(map(rule.compare, _items(value))) == (rule.op != "is_not")


def _attribute(attributes: Mapping[str, Any], name: str) -> Any:
    """The attribute of that name, or else what is found by the name's parts, as in `device.os`."""
    if name in attributes or "." not in name:
        return attributes.get(name)
    found: Any = attributes
    for part in name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _items(value: Any) -> tuple[Any, ...]:
    if value is None:
        return ()
    return tuple(value) if isinstance(value, list | tuple) else (value,)


def _kind(value: object) -> str:
    """What a value is, as far as values can be compared."""
    if isinstance(value, bool):
        return "flag"
    if isinstance(value, int | float):
        return "number"
    return "text" if isinstance(value, str) else "other"


def _by_kind(values: Iterable[Any], choose: Callable[[Iterable[Any]], Any]) -> Mapping[str, Any]:
    """The one that is chosen of the numbers, and the one of the texts."""
    kinds = {kind: [value for value in values if _kind(value) == kind] for kind in ("number", "text")}
    return {kind: choose(some) for kind, some in kinds.items() if some}


def _is(values: Values) -> Fits:
    wanted = frozenset((_kind(value), value) for value in values)
    return lambda value: (kind := _kind(value)) != "other" and (kind, value) in wanted


def _above(values: Values) -> Fits:
    least = _by_kind(values, min)
    return lambda value: (kind := _kind(value)) in least and bool(value > least[kind])


def _below(values: Values) -> Fits:
    most = _by_kind(values, max)
    return lambda value: (kind := _kind(value)) in most and bool(value < most[kind])


def _contains(values: Values) -> Fits:
    def fits(value: Any) -> bool:
        looked_at = _looked_at(value)
        return looked_at is not None and any(wanted in looked_at for wanted in values)

    return fits


def _matches(values: Values) -> Fits:
    patterns = [re2.compile(pattern, _QUIET) for pattern in values]

    def fits(value: Any) -> bool:
        looked_at = _looked_at(value)
        return looked_at is not None and any(pattern.search(looked_at) is not None for pattern in patterns)

    return fits


def _version_at_least(values: Values) -> Fits:
    least = min(map(_order, values))
    return lambda value: (order := _order(value)) is not None and order >= least


def _version_below(values: Values) -> Fits:
    most = max(map(_order, values))
    return lambda value: (order := _order(value)) is not None and order < most


def _looked_at(value: Any) -> str | None:
    return value[:MOST_LOOKED_AT] if isinstance(value, str) else None


def _order(value: Any) -> Any:
    """A version by which it compares: zeros at its end make no difference."""
    parts = version(_looked_at(value))
    if parts is None:
        return None
    end = next((end for end in range(len(parts), 0, -1) if parts[end - 1]), 0)
    return parts[:end]


_COMPARISONS: Final[Mapping[str, Callable[[Values], Fits]]] = {
    "is": _is,
    "is_not": _is,
    "contains": _contains,
    "matches": _matches,
    "above": _above,
    "below": _below,
    "version_at_least": _version_at_least,
    "version_below": _version_below,
}
