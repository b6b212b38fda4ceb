"""Two searches behind estimates of tau2: where Q has a value, where a likelihood is highest.

Q(t), the weighted sum of squares at ``w = 1 / (v + t)``, falls with t. 1/Q is nearly straight, so
that Newton's method on it needs a few steps; a bracket keeps it safe. The (restricted) likelihood
may have two maxima: its score is looked at on a grid, and every maximum is refined and compared.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from statera.numerics.weighted_fit import Projection, is_constant

__all__ = ["highest_likelihood", "q_equal", "score_at_zero_is_negative"]

Floats = NDArray[np.float64]
GRID = 12
# A step of Newton of this relative size leaves an error of about its square.
QUADRATIC = 1e-9
# Above this many rows the grid costs more than the fit, and the likelihood is far from two maxima.
GRID_UP_TO = 2000
_SHARES = np.linspace(0.0, 1.0, GRID)


def _q_and_slope(y: Floats, v: Floats, x: Floats, t: float, constant: bool) -> tuple[float, float]:
    """Return Q and its derivative by t."""
    w = 1.0 / (v + t)
    if constant:
        r = y - (w @ y) / w.sum()
        u = w * r
        return float(u @ r), -float(u @ u)
    projection = Projection.of(x, w, constant=False)
    residual = projection.residual(projection.root * y)
    return float(residual @ residual), -float(w @ (residual * residual))


def q_equal(y: Floats, v: Floats, x: Floats, wanted: float, least: float = 0.0) -> float:
    """Return the tau2 of at least `least` whose Q is `wanted`; `least` where Q has less there.

    Infinite where `wanted` is 0.
    """
    constant = is_constant(x)
    q, slope = _q_and_slope(y, v, x, least, constant)
    if q <= wanted:
        return least
    if wanted <= 0.0:
        return float("inf")
    t, low, high = least, least, float("inf")
    for _ in range(200):
        # Newton on 1/Q - 1/wanted
        new = t + (q - wanted) * q / (wanted * -slope)
        inside = low < new < high
        if not inside:
            new = 0.5 * (low + high) if np.isfinite(high) else 2.0 * low + float(v.max())
        if abs(new - t) <= (QUADRATIC if inside else 1e-15) * new:
            return new
        t = new
        q, slope = _q_and_slope(y, v, x, t, constant)
        if q > wanted:
            low = max(low, t)
        else:
            high = min(high, t)
        if abs(q - wanted) <= 4e-16 * wanted or high <= low * (1.0 + 1e-15):
            break
    return t


def _score(
    y: Floats, v: Floats, x: Floats, t: float, reml: bool, constant: bool
) -> tuple[float, float, float]:
    """Return score, its derivative and Fisher information."""
    w = 1.0 / (v + t)
    s1 = float(w.sum())
    if constant:
        r = y - (w @ y) / s1
        u = w * r
        squares = float(u @ u)
        cubes = float(w @ (u * u)) - float(w @ u) ** 2 / s1
        s2 = float(w @ w)
        trace_p, trace_pp = s1, s2
        if reml:
            trace_p = s1 - s2 / s1
            trace_pp = s2 - 2.0 * float((w * w) @ w) / s1 + (s2 / s1) ** 2
    else:
        projection = Projection.of(x, w, constant=False)
        residual = projection.residual(projection.root * y)
        u = projection.root * residual
        squares = float(u @ u)
        again = projection.residual(projection.root * u)
        cubes = float(again @ again)
        trace_p, trace_pp = s1, float(w @ w)
        if reml:
            trace_p, trace_pp = projection.trace(w), projection.trace_of_two(w, w)
    return 0.5 * (squares - trace_p), 0.5 * trace_pp - cubes, 0.5 * trace_pp


def _height(y: Floats, v: Floats, x: Floats, t: float, reml: bool) -> float:
    """Return twice the log-likelihood but for constants."""
    projection = Projection.of(x, 1.0 / (v + t))
    residual = projection.residual(projection.root * y)
    found = float(np.log(projection.weights).sum()) - float(residual @ residual)
    return found - projection.log_determinant() if reml else found


def score_at_zero_is_negative(y: Floats, v: Floats, x: Floats, reml: bool) -> bool:
    """Return whether the likelihood falls from tau2 = 0 on."""
    return _score(y, v, x, 0.0, reml, is_constant(x))[0] < 0.0


def _grid_scores(y: Floats, v: Floats, x: Floats, grid: Floats, reml: bool) -> Floats:
    if not is_constant(x):
        return np.array([_score(y, v, x, float(t), reml, False)[0] for t in grid])
    w = 1.0 / (v[None, :] + grid[:, None])
    s1 = w.sum(axis=1)
    u = w * (y[None, :] - ((w @ y) / s1)[:, None])
    trace = s1 - np.einsum("ij,ij->i", w, w) / s1 if reml else s1
    return np.asarray(0.5 * (np.einsum("ij,ij->i", u, u) - trace))


def highest_likelihood(y: Floats, v: Floats, x: Floats, reml: bool) -> float:
    """Return the tau2 of at least 0 with the highest (restricted) likelihood."""
    k, p = x.shape
    constant = is_constant(x)
    plain = y - y.mean() if constant else Projection.of(x, np.ones(k)).residual(y)
    spread = float(plain @ plain) / float(k - p)
    # For t above both, u'u <= RSS / t^2 is below the trace, which is at least (k - p) / (2 t)
    top = max(float(v.max()), 2.0 * spread)
    if k <= GRID_UP_TO:
        least = 1e-4 * min(float(v.min()), top)
        grid = np.zeros(GRID + 1)
        grid[1:] = np.exp(np.log(least) + np.log(top / least) * _SHARES)
    else:
        grid = np.array([0.0, top])
    scores = _grid_scores(y, v, x, grid, reml)
    falls = np.flatnonzero((scores[:-1] > 0.0) & (scores[1:] <= 0.0))
    candidates = [
        _refined(
            y,
            v,
            x,
            float(grid[i]),
            float(grid[i + 1]),
            float(scores[i] / (scores[i] - scores[i + 1])),
            reml,
            constant,
        )
        for i in falls
    ]
    if scores[0] <= 0.0:
        if not candidates:
            return 0.0
        candidates.append(0.0)
    if not candidates:
        return float(top)
    if len(candidates) == 1:
        return candidates[0]
    return max(candidates, key=lambda t: _height(y, v, x, t, reml))


def _refined(
    y: Floats, v: Floats, x: Floats, low: float, high: float, share: float, reml: bool,
    constant: bool,
) -> float:  # fmt: skip
    """Return the maximum between two points, above which the score is negative.

    `share` is how far from the first to the second the search begins.
    """
    t = low + share * (high - low)
    for _ in range(200):
        score, slope, information = _score(y, v, x, t, reml, constant)
        if score > 0.0:
            low = t
        else:
            high = t
        # close to the maximum the observed curvature is better, elsewhere it may have no sign
        new = t - score / slope if slope < 0.0 else t + score / information
        newton = slope < 0.0 and low <= new <= high
        if not low <= new <= high:
            new = 0.5 * (low + high)
        step = abs(new - t)
        if step <= (QUADRATIC if newton else 1e-13) * new or high - low <= 1e-15 * high:
            return new
        t = new
    return t
