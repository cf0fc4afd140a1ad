"""Targeting as JSON: groups of rules, of each of which one must hold; read and written."""

from typing import Any, Final, TypedDict, get_args

import re2

from tallymark.errors import BadRequest
from tallymark.spec.json_values import items, mapping, one_of, shown, text
from tallymark.spec.targeting import Rule, RuleOp, Targeting, version

_MOST_RULES: Final = 100
_MOST_VALUES: Final = 1_000
_MOST_SOUGHT: Final = 100  # each of them in each text
_LONGEST: Final = 500
_QUIET = re2.Options()
_QUIET.log_errors = False


class PublicRule(TypedDict):
    """One comparison of an attribute with values, of which one must fit (`is_not`: none may)."""

    attribute: str
    op: RuleOp
    values: list[Any]


def parse_targeting(said: object, field: str) -> Targeting:
    """What a list means: of each item, a rule or a list of rules, one rule must hold. Errors: `BadRequest`."""
    groups = []
    for index, item in enumerate(items(said, field, 0, _MOST_RULES)):
        where = f"{field}.{index}"
        alternatives = items(item, where, 1, _MOST_RULES) if isinstance(item, list) else [item]
        groups.append(tuple(_rule(rule, where) for rule in alternatives))
    return Targeting(tuple(groups))


def public_targeting(targeting: Targeting) -> list[list[PublicRule]]:
    """The targeting as JSON: a list of groups, of each of which one rule must hold."""
    return [
        [{"attribute": rule.attribute, "op": rule.op, "values": list(rule.values)} for rule in group]
        for group in targeting.groups
    ]


def _rule(said: object, field: str) -> Rule:
    values = mapping(said, field, ("attribute", "op", "values"))
    attribute = text(values.get("attribute"), f"{field}.attribute", 200)
    if not attribute:
        raise BadRequest(f"{field} needs the name of an attribute.", field=f"{field}.attribute")
    op = one_of(values.get("op", "is"), f"{field}.op", get_args(RuleOp))
    return Rule(attribute, op, _values(values.get("values", []), op, f"{field}.values"))


def _values(said: object, op: RuleOp, field: str) -> tuple[Any, ...]:
    if op in ("exists", "missing"):
        if said != []:
            raise BadRequest(f"{op} takes no values.", field=field)
        return ()
    most = _MOST_SOUGHT if op in ("contains", "matches") else _MOST_VALUES
    values = items(said if isinstance(said, list) else [said], field, 1, most)
    for value in values:
        _check(value, op, field)
    return tuple(values)


def _check(value: object, op: RuleOp, field: str) -> None:
    """Raises `BadRequest` for a value that nothing could fit."""
    kinds: tuple[type, ...] = (str,)
    if op in ("is", "is_not", "above", "below"):
        kinds = (str, int, float)
    flag = isinstance(value, bool) and op not in ("is", "is_not")
    if not isinstance(value, kinds) or flag or len(str(value)) > _LONGEST:
        raise BadRequest(f"{op} can't be asked of {shown(value)}.", field=field, allowed=_ALLOWED.get(op, _TEXT))
    if op in ("version_at_least", "version_below") and version(value) is None:
        raise BadRequest(f"{shown(value)} is no version.", field=field, allowed=["2.10.0"])
    if op == "matches":
        _check_pattern(str(value), field)


def _check_pattern(pattern: str, field: str) -> None:
    try:
        re2.compile(pattern, _QUIET)
    except re2.error:
        message = f"{shown(pattern)} is no regular expression in RE2's syntax."
        raise BadRequest(message, field=field) from None


_TEXT: Final = ("a text",)
_ALLOWED: Final = {
    "is": ("a text", "a number", "true", "false"),
    "is_not": ("a text", "a number", "true", "false"),
    "above": ("a number", "a text"),
    "below": ("a number", "a text"),
}
