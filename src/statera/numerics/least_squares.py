"""Nonlinear least squares: Levenberg-Marquardt steps by scaled QR, then Gauss-Newton to rounding.

Moré, Lecture Notes in Mathematics 630 (1978): columns are scaled by the largest norm they had, and
the damped problem is solved as a longer least-squares problem, not by its normal equations. Last
steps take residuals in extended precision, which gives two to three further digits where the
residuals are small differences.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

__all__ = ["LeastSquares", "LeastSquaresStatus", "least_squares"]

Floats = NDArray[np.float64]
Residuals = Callable[[NDArray[np.floating]], NDArray[np.floating]]
Jacobian = Callable[[Floats], Floats]

_SMALL = 1e-13
_POLISH = 80


class LeastSquaresStatus(StrEnum):
    """How a search ended."""

    CONVERGED = "converged"
    TOO_MANY_STEPS = "too many steps"
    NOT_FINITE = "not finite"


@dataclass(frozen=True)
class LeastSquares:
    """Where a search ended.

    Attributes
    ----------
    parameters : (n_parameters,) float64
    rss
        Sum of squared residuals.
    jacobian : (n, n_parameters) float64
        Of the residuals.
    steps
        Jacobians computed.
    status
    """

    parameters: Floats
    rss: float
    jacobian: Floats
    steps: int
    status: LeastSquaresStatus


def least_squares(
    residuals: Residuals, jacobian: Jacobian, start: Floats, max_steps: int = 1000
) -> LeastSquares:
    """Minimise the sum of squared residuals from one start.

    Parameters
    ----------
    residuals
        From parameters to residuals (n,), in the precision of the parameters.
    jacobian
        From parameters to derivatives of the residuals, (n, n_parameters).
    start : (n_parameters,) float64
    max_steps
        Largest number of Jacobians.
    """
    p = np.array(start, dtype=np.float64)
    with np.errstate(all="ignore"):
        r = np.asarray(residuals(p), dtype=np.float64)
        rss = float(r @ r)
        if not np.isfinite(rss):
            return LeastSquares(p, rss, jacobian(p), 0, LeastSquaresStatus.NOT_FINITE)
        p, rss, steps, status = _damped(residuals, jacobian, p, rss, max_steps)
        if status is LeastSquaresStatus.CONVERGED:
            p, rss = _polished(residuals, jacobian, p, rss)
        return LeastSquares(p, rss, jacobian(p), steps, status)


def _damped(
    residuals: Residuals, jacobian: Jacobian, p: Floats, rss: float, max_steps: int
) -> tuple[Floats, float, int, LeastSquaresStatus]:
    scale = np.zeros(p.size)
    damping, growth = 1e-3, 2.0
    for step in range(1, max_steps + 1):
        j = jacobian(p)
        r = np.asarray(residuals(p), dtype=np.float64)
        if not np.isfinite(j).all():
            return p, rss, step, LeastSquaresStatus.NOT_FINITE
        scale = np.maximum(scale, np.linalg.norm(j, axis=0))
        safe = np.where(scale > 0, scale, 1.0)
        a = j / safe
        gradient = a.T @ r
        while True:
            move = _damped_step(a, r, damping)
            tried = p + move / safe
            found = np.asarray(residuals(tried), dtype=np.float64)
            new = float(found @ found)
            foreseen = float(move @ (damping * move - gradient))
            small = np.linalg.norm(move) <= _SMALL * (np.linalg.norm(p * safe) + _SMALL)
            if small or (0 <= foreseen <= _SMALL**2 * rss):
                return p, rss, step, LeastSquaresStatus.CONVERGED
            if np.isfinite(new) and new < rss:
                gain = (rss - new) / foreseen if foreseen > 0 else 0.0
                damping *= max(1.0 / 3.0, 1.0 - (2.0 * gain - 1.0) ** 3)
                growth = 2.0
                close = rss - new <= 1e-15 * rss and foreseen <= 1e-15 * rss
                p, rss = tried, new
                if close:
                    return p, rss, step, LeastSquaresStatus.CONVERGED
                break
            damping *= growth
            growth *= 2.0
            if damping > 1e25:
                return p, rss, step, LeastSquaresStatus.CONVERGED
    return p, rss, max_steps, LeastSquaresStatus.TOO_MANY_STEPS


def _damped_step(a: Floats, r: Floats, damping: float) -> Floats:
    n = a.shape[1]
    longer = np.vstack([a, np.sqrt(damping) * np.eye(n)])
    right = np.concatenate([-r, np.zeros(n)])
    found: Floats = np.linalg.lstsq(longer, right, rcond=None)[0]
    return found


def _polished(
    residuals: Residuals, jacobian: Jacobian, p: Floats, rss: float
) -> tuple[Floats, float]:
    """Return the end of undamped steps, as long as these shrink; the start where they do not."""
    at = p.astype(np.longdouble)
    last = np.inf
    for _ in range(_POLISH):
        j = jacobian(at.astype(np.float64))
        safe = np.linalg.norm(j, axis=0)
        if not np.isfinite(j).all() or (safe == 0).any():
            break
        r = residuals(at)
        q, upper = np.linalg.qr(j / safe)
        right = np.asarray(q.T.astype(np.longdouble) @ r, dtype=np.float64)
        if np.abs(np.diag(upper)).min() < 1e-14:
            break
        move = np.linalg.solve(upper, -right) / safe
        size = float(np.max(np.abs(move) / (np.abs(at.astype(np.float64)) + 1e-300)))
        if not size < 0.98 * last:
            break
        at = at + move
        last = size
    end = at.astype(np.float64)
    r = np.asarray(residuals(at), dtype=np.float64)
    new = float(r @ r)
    return (end, new) if new <= rss * (1.0 + 1e-9) else (p, rss)
