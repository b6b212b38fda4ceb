"""How a run of SAEM went: its lengths, drift, and acceptance, for people to judge it by."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from statera.estimate.result import FitResult

__all__ = ["course_text", "drifts_of", "largest_drift", "ways_of"]

WAYS = {
    "by_mean": "mean of a random effect: least squares on individual values",
    "by_residuals": "size of a residual variance: squared residuals",
    "by_scoring": "scoring steps with exact derivatives",
}
"""How the maximisation estimates a parameter, by the key in `FitResult.extra`."""


def drifts_of(result: FitResult) -> Mapping[str, float]:
    """Return the drift of each estimated parameter at the end of the burn-in; empty if unknown.

    A drift is the difference between the means of both halves of the last iterations over the
    spread within them. The burn-in ends when all are below 1.
    """
    found: Mapping[str, float] = result.extra.get("stationarity", {})
    return found


def largest_drift(result: FitResult) -> tuple[str, float] | None:
    """Return the parameter that drifted most, and its drift."""
    found = drifts_of(result)
    if not found:
        return None
    name = max(found, key=lambda key: found[key])
    return name, found[name]


def ways_of(result: FitResult) -> dict[str, str]:
    """Return how each free fixed effect was estimated."""
    return {name: text for key, text in WAYS.items() for name in result.extra.get(key, ())}


def course_text(result: FitResult) -> str:
    """Return in one line how many chains ran, how long, whether they drifted, what they accepted.

    Parameters
    ----------
    result
        A fit by SAEM.
    """
    extra = result.extra
    burned, steps = int(extra.get("burn_in", 0)), len(result.iterations)
    parts = [f"{extra.get('chains', '?')} a subject"]
    annealed = min(int(extra.get("annealing", 0)), burned)
    parts.append(f"{burned} iterations of burn-in ({annealed} annealed), {steps - burned} averaged")
    worst = largest_drift(result)
    if worst is not None:
        parts.append(f"largest drift at its end {worst[1]:.2f} ({worst[0]}; below 1 is asked)")
    rates: Mapping[str, float] = extra.get("acceptance", {})
    told = [f"{name} {100 * rate:.0f} %" for name, rate in rates.items() if math.isfinite(rate)]
    if told:
        parts.append(f"accepted: {', '.join(told)}")
    return "; ".join(parts)
