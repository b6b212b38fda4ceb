"""What optimisation, profiles and sampling need of an objective, whatever it is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["Evaluation", "Target", "projected_gradient"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Evaluation:
    """An objective at one point.

    Attributes
    ----------
    value
        Negative log-likelihood or log-posterior density; infinite where the point has none.
    gradient : (n,) float64, optional
    fisher : (n, n) float64, optional
        Expected second derivatives.
    message
        Why the value is infinite.
    """

    value: float
    gradient: Floats | None = None
    fisher: Floats | None = None
    message: str = ""


class Target(Protocol):
    """An objective over parameters on the scales on which they are searched.

    Attributes
    ----------
    names
        Parameters, n of them.
    lower, upper : (n,) float64
        Bounds.
    """

    @property
    def names(self) -> tuple[str, ...]:
        """Parameters."""
        ...

    @property
    def lower(self) -> Floats:
        """Lower bounds."""
        ...

    @property
    def upper(self) -> Floats:
        """Upper bounds."""
        ...

    def evaluate(self, theta: Floats, order: int) -> Evaluation:
        """Return the value, with the gradient for `order` 1, and the Fisher matrix for 2."""
        ...


def projected_gradient(theta: Floats, gradient: Floats, lower: Floats, upper: Floats) -> Floats:
    """Return the gradient without the parts that push against a bound, (n,).

    A parameter within 1e-6 of its range from a bound counts as at it.
    """
    near = 1e-6 * (upper - lower)
    held = ((theta - lower <= near) & (gradient > 0)) | ((upper - theta <= near) & (gradient < 0))
    return np.where(held, 0.0, gradient)
