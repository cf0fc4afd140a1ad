"""Conditions over an event's or a session's fields: values that compose with `&`, `|` and `~`.

A condition knows neither SQL nor rows; `engine.expression` turns it into SQL, tests read it in Python.
"""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True)
class Column:
    """A column of the rows at hand: `path`, `country`, `duration`, …"""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Prop:
    """A property the sender gave, by its path: `ttfbMs`, `cart.total`."""

    path: str

    def __str__(self) -> str:
        return f"props.{self.path}"


@dataclass(frozen=True)
class Joined:
    """Several fields as one text, with a `/` between them: what numbers are broken down by together."""

    fields: tuple[Column | Prop, ...]

    def __str__(self) -> str:
        return "/".join(map(str, self.fields))


Field = Column | Prop | Joined


class Op(StrEnum):
    """How a field is compared; each takes one or several values, of which one must fit (`is_not`: none may)."""

    IS = "is"
    IS_NOT = "is_not"
    CONTAINS = "contains"
    MATCHES = "matches"


@dataclass(frozen=True)
class _Base:
    def __and__(self, other: "Condition") -> "All":
        return All((*_parts(self, All), *_parts(other, All)))  # type: ignore[arg-type]  # self is one of the union

    def __or__(self, other: "Condition") -> "Any":
        return Any((*_parts(self, Any), *_parts(other, Any)))  # type: ignore[arg-type]  # self is one of the union

    def __invert__(self) -> "Not":
        return Not(self)  # type: ignore[arg-type]  # self is one of the union


@dataclass(frozen=True)
class Comparison(_Base):
    """One comparison of a field with values; text compares as text."""

    field: Field
    op: Op
    values: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.field} {self.op} {' | '.join(map(repr, self.values))}"


@dataclass(frozen=True)
class Above(_Base):
    """The field is a number above the limit, or, if `inclusive`, at it."""

    field: Field
    limit: float = 0
    inclusive: bool = False

    def __str__(self) -> str:
        return f"{self.field} {self.sign} {self.limit:.12g}"

    @property
    def sign(self) -> str:
        """How it is written."""
        return ">=" if self.inclusive else ">"


@dataclass(frozen=True)
class All(_Base):
    """Every part holds; true without parts."""

    parts: tuple["Condition", ...] = ()

    def __str__(self) -> str:
        return " and ".join(f"({part})" if isinstance(part, Any) else str(part) for part in self.parts)


@dataclass(frozen=True)
class Any(_Base):
    """At least one part holds; false without parts."""

    parts: tuple["Condition", ...] = ()

    def __str__(self) -> str:
        return " or ".join(f"({part})" if isinstance(part, All) else str(part) for part in self.parts)


@dataclass(frozen=True)
class Not(_Base):
    """The part does not hold."""

    part: "Condition"

    def __str__(self) -> str:
        return f"not ({self.part})"


Condition = Comparison | Above | All | Any | Not

ALWAYS = All()


def _parts(condition: "Condition | _Base", kind: type) -> tuple["Condition | _Base", ...]:
    """The parts of a condition that is already of this kind, so that chains stay flat."""
    return tuple(condition.parts) if isinstance(condition, kind) else (condition,)  # type: ignore[attr-defined]


def event(*names: str) -> Comparison:
    """The event has one of these names."""
    return Comparison(Column("event"), Op.IS, names)


def human() -> Comparison:
    """The event was not sent by a known bot."""
    return Comparison(Column("bot"), Op.IS, ("",))


def flag(name: str) -> Comparison:
    """The property is true."""
    return Comparison(Prop(name), Op.IS, ("true",))


def measured(name: str) -> Above:
    """The property is a number of zero or more."""
    return Above(Prop(name), 0, inclusive=True)


def column(name: str, *values: str) -> Comparison:
    """The column has one of these values."""
    return Comparison(Column(name), Op.IS, values)
