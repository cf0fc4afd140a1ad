"""What is told of a quantile, as SQL over the values of a variant's units in order, and control's."""

from collections.abc import Mapping, Sequence


def by_rank(i: int, level: float) -> Sequence[str]:
    """Columns of the metric `i`, as `units` reads them into `Ranked`.

    How many units count and are unfinished; the quantile, and the order statistics two standard errors of its rank
    around it, with their ranks; how many units have its value; how many have at most the quantile of control and the
    variant together, in the variant and in control.
    """
    n, values, control, pooled = f"n{i}", f"values{i}", f"control_values{i}", f"pooled{i}"
    spread = f"2 * sqrt({level * (1 - level)!r} * {n})"
    low = f"greatest(1, toInt64(round({level!r} * {n} - {spread})))"
    high = f"{n} + 1 - greatest(1, toInt64(round({1 - level!r} * {n} - {spread})))"
    return [
        n, f"unfinished{i}", f"({values}[{_rank(level, n)}] AS value{i})", low, f"{values}[{low}]",
        high, f"{values}[{high}]", f"countEqual({values}, value{i})",
        f"arrayCount(value -> value <= {pooled}, {values})", f"arrayCount(value -> value <= {pooled}, {control})",
    ]  # fmt: skip


def beside_control(quantiles: Mapping[int, float], by_variant: str) -> str:
    """The rows of variants with control's values, and the quantile of both together, for each metric and its level."""
    if not quantiles:
        return by_variant
    control = [f"anyIf(values{i}, variant = 1) OVER () AS control_values{i}" for i in quantiles]
    pooled = [
        f"arraySort(arrayConcat(values{i}, control_values{i}))[{_rank(level, _both(i))}] AS pooled{i}"
        for i, level in quantiles.items()
    ]
    return f"(SELECT *, {', '.join(pooled)} FROM (SELECT *, {', '.join(control)} FROM {by_variant}))"


def _both(i: int) -> str:
    return f"(length(values{i}) + length(control_values{i}))"


def _rank(level: float, n: str) -> str:
    return f"greatest(1, toInt64(ceil({level!r} * {n})))"
