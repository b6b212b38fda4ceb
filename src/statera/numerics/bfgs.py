"""Minimisation of a smooth function with its gradient, by BFGS with a cautious line search.

Nocedal and Wright 2006, Numerical Optimization (doi 10.1007/978-0-387-40065-5), chapters 3 and 6.
What differs from general libraries: the initial curvature may be given, the function may fail
(infinite or NaN values shorten the step), and every step is reported so that a caller can show it,
keep it or stop.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Minimum", "minimise"]

Floats = NDArray[np.float64]
Function = Callable[[Floats], tuple[float, Floats]]
Report = Callable[[int, Floats, float, Floats], bool]


@dataclass(frozen=True)
class Minimum:
    """Where minimisation ended.

    Attributes
    ----------
    x, gradient : (n,) float64
    value
        Function at x.
    inverse : (n, n) float64
        Approximate inverse of the second derivatives.
    iterations, evaluations
        Counts.
    status
        ``converged``; ``no progress`` where no step lowers the function any more although the
        gradient is not small; ``iterations``; ``stopped`` by the report.
    """

    x: Floats
    value: float
    gradient: Floats
    inverse: Floats
    iterations: int
    evaluations: int
    status: str


def minimise(
    function: Function,
    start: Floats,
    *,
    inverse: Floats | None = None,
    tolerance: float = 1e-4,
    max_iterations: int = 300,
    longest: float = 1.0,
    report: Report | None = None,
    guess: Callable[[Floats], Floats | None] | None = None,
    far: float = 1.0,
    first: tuple[float, Floats] | None = None,
) -> Minimum:
    """Minimise a function.

    Parameters
    ----------
    function
        Value and gradient at x; a value that is not finite means that x cannot be used.
    inverse : (n, n) float64, optional
        First guess of the inverse of the second derivatives.
    tolerance
        Half the expected decrease of the function at which to stop.
    longest
        Largest change of any coordinate in one step.
    report
        Called after every iteration with its number, x, value and gradient; True stops.
    guess
        Returns a fresh guess of the inverse of the second derivatives at a point just evaluated.
        It is used as long as steps lower the function by more than `far`.
    first
        Value and gradient at the start, where they are known.
    """
    x = np.array(start, dtype=np.float64)
    value, gradient = function(x) if first is None else first
    n, evaluations, resets = x.size, 1 if first is None else 0, 0
    h = np.eye(n) * (0.1 / max(1.0, float(np.abs(gradient).max(initial=0.0))))
    if inverse is not None:
        h = inverse.copy()
    state = "iterations"
    iteration = 0
    quiet = 0
    for iteration in range(1, max_iterations + 1):
        step = -h @ gradient
        slope = float(gradient @ step)
        if not slope < 0.0:
            h = np.eye(n) * (0.1 / max(1.0, float(np.abs(gradient).max(initial=0.0))))
            step = -h @ gradient
            slope = float(gradient @ step)
        if -0.5 * slope < tolerance * 1e-3:
            state = "converged"
            break
        if float(np.abs(step).max()) > longest:
            step = _shortened(h, gradient, longest)
            slope = float(gradient @ step)
        scale = min(1.0, longest / max(float(np.abs(step).max()), 1e-300))
        found = _search(function, x, value, gradient, step, slope, scale)
        evaluations += found.evaluations
        if found.x is None:
            if resets < 2:  # the curvature may be wrong: begin again from the slope alone
                resets += 1
                h = np.eye(n) * (0.1 / max(1.0, float(np.abs(gradient).max(initial=0.0))))
                continue
            state = "converged" if -0.5 * slope < tolerance else "no progress"
            break
        moved, change = found.x - x, found.gradient - gradient
        drop = value - found.value
        x, value, gradient = found.x, found.value, found.gradient
        fresh = guess(x) if guess is not None and drop > far else None
        if fresh is not None:
            h = fresh
        else:
            h = _update(h, moved, change, first=iteration == 1 and inverse is None)
        if report is not None and report(iteration, x, value, gradient):
            state = "stopped"
            break
        expected = 0.5 * float(gradient @ h @ gradient)
        quiet = quiet + 1 if drop < tolerance and expected < tolerance else 0
        if quiet >= 2:
            state = "converged"
            break
    return Minimum(x, value, gradient, h, iteration, evaluations, state)


def _shortened(h: Floats, gradient: Floats, longest: float) -> Floats:
    """Return a step with no coordinate above `longest`, by damping (Levenberg).

    Scaling the whole step down would let one badly determined direction stop all others.
    """
    values, vectors = np.linalg.eigh(0.5 * (h + h.T))
    curve = 1.0 / np.maximum(values, 1e-12 * values.max())
    along = vectors.T @ gradient
    damping = 1e-3 * float(curve.min())
    step: Floats = -vectors @ (along / curve)
    for _ in range(60):
        step = -vectors @ (along / (curve + damping))
        if float(np.abs(step).max()) <= longest:
            break
        damping *= 3.0
    return step


@dataclass(frozen=True)
class _Found:
    x: Floats | None
    value: float
    gradient: Floats
    evaluations: int


def _search(
    function: Function,
    x: Floats,
    value: float,
    gradient: Floats,
    step: Floats,
    slope: float,
    scale: float,
) -> _Found:
    """Return a point that lowers the function enough and where the slope has flattened."""
    low, high = 0.0, np.inf
    best: tuple[float, float, Floats] | None = None
    evaluations = 0
    for _ in range(20):
        trial, found_gradient = function(x + scale * step)
        evaluations += 1
        if not (np.isfinite(trial) and np.isfinite(found_gradient).all()):
            high = scale
            scale = 0.2 * scale if low == 0.0 else 0.5 * (low + high)
            continue
        if trial > value + 1e-4 * scale * slope:
            high = scale
            bend = trial - value - scale * slope
            guess = -0.5 * slope * scale * scale / bend if bend > 0 else 0.5 * scale
            scale = min(max(guess, low + 0.1 * (high - low)), low + 0.5 * (high - low))
            if best is None and scale * float(np.abs(step).max()) < 1e-10:
                break
            if best is not None and high - low < 0.05 * high:
                break
            continue
        if best is None or trial < best[1]:
            best = (scale, trial, found_gradient)
        if float(found_gradient @ step) >= 0.9 * slope:
            break
        low = scale
        scale = 2.5 * scale if np.isinf(high) else 0.5 * (low + high)
    if best is None:
        return _Found(None, value, gradient, evaluations)
    return _Found(x + best[0] * step, best[1], best[2], evaluations)


def _update(h: Floats, moved: Floats, change: Floats, *, first: bool) -> Floats:
    curve = float(moved @ change)
    if curve <= 1e-10 * float(np.linalg.norm(moved) * np.linalg.norm(change)):
        return h
    if first:
        h = np.eye(moved.size) * (curve / float(change @ change))
    rho = 1.0 / curve
    left = np.eye(moved.size) - rho * np.outer(moved, change)
    updated: Floats = left @ h @ left.T + rho * np.outer(moved, moved)
    return updated
