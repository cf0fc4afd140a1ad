"""P-values of several comparisons, adjusted so that they can be compared with alpha one by one.

Benjamini and Hochberg (1995) keeps the share of false discoveries among all discoveries at alpha; Holm (1979) the
chance of any false one. Scipy and tea-tasting do the sums.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import scipy.stats
from tea_tasting.experiment import ExperimentResult
from tea_tasting.multiplicity import adjust_fwer

from tallymark.spec.experiment import Correction


def adjusted(p_values: Sequence[float | None], correction: Correction) -> list[float | None]:
    """The p-values adjusted for each other, in their order; those that are None stay so and count as no comparison."""
    known = [p for p in p_values if p is not None]
    found = iter(_BY_NAME[correction](known) if known else [])
    return [None if p is None else next(found) for p in p_values]


def _benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    return [float(p) for p in scipy.stats.false_discovery_control(p_values, method="bh")]


def _holm(p_values: Sequence[float]) -> list[float]:
    results = ExperimentResult({str(i): {"pvalue": p} for i, p in enumerate(p_values)})
    (found,) = adjust_fwer(results, arbitrary_dependence=True, method="bonferroni").values()
    return [float(found[str(i)]["pvalue_adj"]) for i in range(len(p_values))]


_BY_NAME: Final[Mapping[Correction, Callable[[Sequence[float]], list[float]]]] = {
    "none": list,
    "benjamini-hochberg": _benjamini_hochberg,
    "holm": _holm,
}
