"""Guardrails: metrics that must not get worse."""

from collections.abc import Sequence
from typing import Literal

Verdict = Literal["harmed", "not shown to be harmed"]


def verdict(harms: Sequence[float | None], alpha: float) -> Verdict | None:
    """What one-sided p-values of having got worse say together; None without any.

    Harm is what is looked for, so nothing is taken off for looking several times.
    """
    known = [p_value for p_value in harms if p_value is not None]
    if not known:
        return None
    return "harmed" if min(known) < alpha else "not shown to be harmed"
