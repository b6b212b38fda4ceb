"""Maximum of a log-likelihood by damped Newton steps with its own second derivatives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Evaluation", "Maximum", "maximise"]

Floats = NDArray[np.float64]

_STEPS = 200
_ENOUGH = 1e-16


@dataclass(frozen=True)
class Evaluation:
    """Value, slopes (p,) and second derivatives (p, p) of a function at a point."""

    value: float
    gradient: Floats
    hessian: Floats


@dataclass(frozen=True)
class Maximum:
    """Where the search ended.

    Attributes
    ----------
    x : (p,) float64
    at
        The function there.
    status
        ``converged``; ``flat`` where the function rises no more although it has no proper
        maximum there; ``iterations`` where it was still rising.
    """

    x: Floats
    at: Evaluation
    status: str


def maximise(
    function: Callable[[Floats], Evaluation],
    start: Floats,
    free: NDArray[np.bool_] | None = None,
) -> Maximum:
    """Return the maximum near `start`.

    The step solves (A + d diag A) s = g, with A the negative second derivatives and d raised until
    the matrix is positive definite and the function rises (Levenberg and Marquardt): it does not
    depend on the units of the parameters.

    Parameters
    ----------
    function
        Value, gradient and second derivatives; a value that is not finite cannot be used.
    start : (p,) float64
    free : (p,) bool, optional
        Which parameters move; the others stay.
    """
    move = np.flatnonzero(np.ones(start.size, dtype=bool) if free is None else free)
    x, here = start.copy(), function(start)
    usable = np.isfinite(here.value) and np.isfinite(here.hessian).all()
    if move.size == 0 or not usable:
        return Maximum(x, here, "converged" if usable else "flat")
    damping = 0.0
    for _ in range(_STEPS):
        gradient = here.gradient[move]
        matrix = -here.hessian[np.ix_(move, move)]
        scale = np.sqrt(np.maximum(np.abs(np.diag(matrix)), 1e-12 * np.abs(matrix).max() + 1e-300))
        scaled = matrix / np.outer(scale, scale)
        plain = _solved(scaled, gradient / scale)
        if plain is not None and float(plain @ (gradient / scale)) < _ENOUGH:
            return Maximum(x, here, "converged")
        step, damping = _step(scaled, gradient / scale, damping)
        step = step / scale
        gain = float(gradient @ step)
        found = _line(function, x, here, move, step, gain)
        if found is None:
            if damping > 1e8 or gain < 1e-14:
                proper = plain is not None and gain < 1e-6
                return Maximum(x, here, "converged" if proper else "flat")
            damping = max(10.0 * damping, 1e-3)
            continue
        rise = found[1].value - here.value
        (x, here), damping = found, damping / 10.0 if damping > 1e-6 else 0.0
        if rise < 1e-12 * (1.0 + abs(here.value)) and damping > 0.0:
            return Maximum(x, here, "flat")
    return Maximum(x, here, "iterations")


def _solved(matrix: Floats, gradient: Floats) -> Floats | None:
    """Return the step, or None where the matrix is not positive definite."""
    try:
        root = np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError:
        return None
    return np.asarray(np.linalg.solve(root.T, np.linalg.solve(root, gradient)))


def _step(scaled: Floats, gradient: Floats, damping: float) -> tuple[Floats, float]:
    for _ in range(60):
        step = _solved(scaled + damping * np.eye(gradient.size), gradient)
        if step is not None:
            return step, damping
        damping = max(10.0 * damping, 1e-3)
    return gradient, damping


def _line(
    function: Callable[[Floats], Evaluation], x: Floats, here: Evaluation,
    move: NDArray[np.int64], step: Floats, gain: float,
) -> tuple[Floats, Evaluation] | None:  # fmt: skip
    """Return the first of ever shorter steps that raises the function, or None."""
    size = 1.0
    for _ in range(25):
        moved = x.copy()
        moved[move] += size * step
        with np.errstate(all="ignore"):
            there = function(moved)
        usable = np.isfinite(there.value) and np.isfinite(there.hessian).all()
        if usable and there.value > here.value + 1e-4 * size * gain * 0.5:
            return moved, there
        if usable and gain < 1e-8 and abs(there.value - here.value) < 1e-9 * (1 + abs(here.value)):
            return moved, there
        size *= 0.4
    return None
