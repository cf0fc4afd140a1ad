"""Calibration: whether answers of a confidence succeed as often as it says.

The expected calibration error is the mean gap between both over bands of confidence, weighted by how many outcomes
each has (Naeini, Cooper, Hauskrecht 2015, with ten bands).
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypedDict

#: The metrics that rows by band need.
METRICS: Final = ("voice_results", "voice_calibrated_confidence", "voice_success_rate")

_DIGITS: Final = 6


class Band(TypedDict):
    """Outcomes of a band of confidence; `gap` is confidence less success: above 0 it is too confident."""

    band: str
    outcomes: int
    confidence: float
    success: float
    gap: float


class Calibration(TypedDict):
    """Bands from the lowest, and the expected calibration error, null without any outcome."""

    bands: list[Band]
    expectedCalibrationError: float | None


def calibration(rows: Sequence[Mapping[str, Any]]) -> Calibration:
    """The calibration of rows by band of confidence; those without a confidence, or a success, are left out."""
    bands = [
        _band(row["key"], *(row[name] for name in METRICS))
        for row in sorted(rows, key=lambda row: str(row["key"]))
        if row["key"] and all(row[name] is not None for name in METRICS)
    ]
    outcomes = sum(band["outcomes"] for band in bands)
    error = sum(abs(band["gap"]) * band["outcomes"] for band in bands) / outcomes if outcomes else None
    return {"bands": bands, "expectedCalibrationError": None if error is None else round(error, _DIGITS)}


def _band(key: str, outcomes: int, confidence: float, success: float) -> Band:
    gap = round(confidence - success, _DIGITS)
    return {"band": key, "outcomes": outcomes, "confidence": confidence, "success": success, "gap": gap}
