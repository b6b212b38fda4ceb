"""Central differences of order 6, which sensitivities are compared with."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

__all__ = ["difference"]

Floats = NDArray[np.float64]
_STEPS = ((1, 3 / 4), (2, -3 / 20), (3, 1 / 60))


def difference(
    solve: Callable[[Mapping[str, float]], Floats],
    values: Mapping[str, float],
    name: str,
    step: float,
) -> Floats:
    """Return the derivative of what `solve` makes of values by one of them, step ``step`` of it."""
    h = step * abs(values[name])
    total: Floats = np.zeros(())
    for k, weight in _STEPS:
        up = solve({**values, name: values[name] + k * h})
        down = solve({**values, name: values[name] - k * h})
        total = total + weight * (up - down)
    return total / h
