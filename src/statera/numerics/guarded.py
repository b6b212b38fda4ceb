"""Products of slopes that may not be finite, for generated code."""

from __future__ import annotations

import math

from statera.numerics.compiled import compiled

__all__ = ["bounded", "times"]


@compiled
def times(slope: float, factor: float) -> float:
    """Return a product: a slope that is not finite must not spoil what does not depend on it."""
    return slope * factor if factor != 0.0 else 0.0


@compiled
def bounded(slope: float, factor: float) -> float:
    """Return a product that shapes a step, not what is solved.

    As in a Jacobian, what is not finite is zero.
    """
    return slope * factor if math.isfinite(slope) else 0.0
