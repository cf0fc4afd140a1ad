"""The course of a number in one line of a terminal."""

from collections.abc import Sequence

_BARS = "▁▂▃▄▅▆▇█"
_GAP = " "

#: Longer courses are told by the means of neighbours.
_WIDEST = 60


def sparkline(values: Sequence[float | None]) -> str:
    """A bar for each value, from the lowest of them and 0 to the highest; a gap where there is none."""
    parts = [_mean(part) for part in _parts(values)]
    known = [value for value in parts if value is not None]
    if not known:
        return ""
    least, most = min(0.0, *known), max(known)
    return "".join(_GAP if value is None else _BARS[_step(value, least, most)] for value in parts)


def _step(value: float, least: float, most: float) -> int:
    return round((value - least) / (most - least) * (len(_BARS) - 1)) if most > least else 0


def _parts(values: Sequence[float | None]) -> list[Sequence[float | None]]:
    size = -(-len(values) // _WIDEST) or 1
    return [values[place : place + size] for place in range(0, len(values), size)]


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
