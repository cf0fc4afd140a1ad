"""A question: which metrics, of which window, compared with which, broken down and filtered how."""

from dataclasses import dataclass

from tallymark.spec.condition import Op
from tallymark.spec.window import Window


@dataclass(frozen=True)
class Clause:
    """One comparison of a dimension with values; `is_not` holds where none of them fits."""

    dimension: str
    op: Op
    values: tuple[str, ...]


@dataclass(frozen=True)
class Filter:
    """An and of ors of comparisons; empty, it lets everything pass."""

    groups: tuple[tuple[Clause, ...], ...] = ()

    @property
    def clauses(self) -> tuple[Clause, ...]:
        """Every comparison in it."""
        return tuple(clause for group in self.groups for clause in group)


EVERYTHING = Filter()


@dataclass(frozen=True)
class Query:
    """A question about one project."""

    metrics: tuple[str, ...]
    window: Window
    compare: Window | None = None
    by: str | None = None
    filter: Filter = EVERYTHING
    limit: int = 100
    exact: bool = False
