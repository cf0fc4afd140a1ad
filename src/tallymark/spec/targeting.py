"""Whom an experiment is for: rules over the attributes that come with a request."""

from dataclasses import dataclass
from typing import Any, Final, Literal

#: `in_version`… are compared part by part as numbers; `exists` takes no values.
RuleOp = Literal[
    "is", "is_not", "contains", "matches", "above", "below", "exists", "missing",
    "version_at_least", "version_below",
]  # fmt: skip


@dataclass(frozen=True)
class Rule:
    """One comparison of an attribute with values; one of them must fit (`is_not`: none may)."""

    attribute: str
    op: RuleOp
    values: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Targeting:
    """An and of ors of rules; empty, it is everybody."""

    groups: tuple[tuple[Rule, ...], ...] = ()


EVERYBODY: Final = Targeting()
