"""Maximum of a smooth function of a few parameters, with its curvature by differences.

Made for likelihoods of two to ten parameters whose derivatives are long to write: a quasi-Newton
search, then Newton steps on central differences until they no longer move.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

__all__ = ["SmallMaximum", "maximise"]

Floats = NDArray[np.float64]
_STEP = 1e-3


@dataclass(frozen=True)
class SmallMaximum:
    """Where the function is largest.

    Attributes
    ----------
    x : (p,) float64
        Parameters.
    value
        Function there.
    hessian : (p, p) float64
        Second derivatives there; negative definite at a proper maximum.
    converged
        The last Newton step was shorter than 1e-6 of the scale of the parameters.
    """

    x: Floats
    value: float
    hessian: Floats
    converged: bool


def maximise(
    function: Callable[[Floats], float], start: Floats, scale: Floats | float = 1.0
) -> SmallMaximum:
    """Return the maximum near `start`.

    Parameters
    ----------
    function
        Smooth; -inf where it is not defined.
    start : (p,) float64
        First guess.
    scale : (p,) float64 or number
        Size of a notable change of each parameter.
    """
    size = np.broadcast_to(np.asarray(scale, dtype=float), start.shape)

    def scaled(u: Floats) -> float:
        value = function(u * size)
        return -value if np.isfinite(value) else 1e12

    found = minimize(scaled, start / size, method="BFGS", options={"gtol": 1e-5})
    u = np.asarray(found.x, dtype=float)
    best, converged = scaled(u), False
    for _ in range(6):
        gradient, hessian = _differences(scaled, u)
        try:
            step = -np.linalg.solve(hessian, gradient)
        except np.linalg.LinAlgError:
            break
        if float(np.abs(step).max()) > 0.5:
            break
        value = scaled(u + step)
        # At the top the function is flat to rounding: a step that costs less than that is taken.
        if not value <= best + 1e-10 * (1.0 + abs(best)):
            break
        u, best = u + step, min(value, best)
        if float(np.abs(step).max()) < 1e-6:
            converged = True
            break
    _, hessian = _differences(scaled, u)
    return SmallMaximum(u * size, -scaled(u), -hessian / np.outer(size, size), converged)


def _differences(function: Callable[[Floats], float], u: Floats) -> tuple[Floats, Floats]:
    """Gradient and second derivatives, central differences of fourth order along each axis."""
    p = u.size
    h = _STEP * np.maximum(np.abs(u), 1.0)
    unit = np.diag(h)
    middle = function(u)
    near = np.array([[function(u + s * unit[i]) for s in (-2, -1, 1, 2)] for i in range(p)])
    gradient = (near[:, 0] - 8 * near[:, 1] + 8 * near[:, 2] - near[:, 3]) / (12 * h)
    hessian = np.diag(
        (-near[:, 0] + 16 * near[:, 1] - 30 * middle + 16 * near[:, 2] - near[:, 3]) / (12 * h**2)
    )
    for i in range(p):
        for j in range(i):
            corners = sum(
                s * t * function(u + s * unit[i] + t * unit[j]) for s in (-1, 1) for t in (-1, 1)
            )
            hessian[i, j] = hessian[j, i] = corners / (4 * h[i] * h[j])
    return gradient, hessian
