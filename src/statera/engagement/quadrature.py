"""Time averages of inhibition between sampled concentrations.

Between two samples the concentration is taken to rise linearly and to fall log-linearly, the
linear-up log-down rule of noncompartmental analysis; a fall to nothing, which has no logarithm, is
linear. For that curve the average inhibition is
exact in closed form on every falling piece and, for a Hill coefficient of 1, on every rising one;
rising pieces with another coefficient use Gauss-Legendre panels broken about the IC50. What error
remains is that of the sampling.

Derivation. With C = exp(s), s linear in time from s0 to s1, the average of expit(h (s - ln K)) is
[softplus(h (s0 - ln K)) - softplus(h (s1 - ln K))] / (h (s0 - s1)). With C linear from a to b and
h = 1 the average of C / (C + K) is 1 - K ln((b + K) / (a + K)) / (b - a).
"""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from statera.engagement.inhibition import hill_inhibition

__all__ = ["mean_inhibition", "share_above"]

Array = NDArray[np.float64]

# Below this relative change a piece is flat: the value at its middle is exact to its square.
_FLAT = 1e-6
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(12)
# Panel ends in units of the IC50: the Hill curve bends between an eighth of it and eight times it;
# farther out it is a power of the concentration, which panels of a factor of eight follow.
_BREAKS = np.sort(np.concatenate([8.0 ** np.arange(-4.0, 8.0), [0.5, 2.0]]))


def mean_inhibition(times: Array, concentration: Array, ic50: float, hill: float) -> Array:
    """Return the time average of inhibition over the profile.

    Parameters
    ----------
    times
        (n,) strictly increasing, h.
    concentration
        (..., n) non-negative, in the unit of `ic50`.
    ic50, hill
        Of the Hill curve; an IC50 of 0 or infinity gives the limits.

    Returns
    -------
    (...) float64, fraction 0 to 1.
    """
    first, second = concentration[..., :-1], concentration[..., 1:]
    if ic50 == 0.0:
        pieces = np.where((first > 0.0) | (second > 0.0), 1.0, 0.0)
    elif np.isinf(ic50):
        pieces = np.zeros_like(first)
    else:
        pieces = _piece_means(first, second, ic50, hill)
    lengths = np.diff(times)
    mean = np.asarray(pieces @ lengths, dtype=np.float64) / float(times[-1] - times[0])
    return np.clip(mean, 0.0, 1.0)


def share_above(times: Array, concentration: Array, threshold: float) -> Array:
    """Return the share of time that the concentration lies above `threshold`.

    Crossings are interpolated on the same curve: linearly where it rises, log-linearly where it
    falls. A threshold of 0 gives the share of time with any drug, one of infinity gives 0.
    """
    first, second = concentration[..., :-1], concentration[..., 1:]
    if np.isinf(threshold):
        return np.zeros(concentration.shape[:-1])
    if threshold == 0.0:
        pieces = np.where((first > 0.0) | (second > 0.0), 1.0, 0.0)
    else:
        pieces = np.where((first > threshold) & (second > threshold), 1.0, 0.0)
        rising = (first <= threshold) & (second > threshold)
        falling = (first > threshold) & (second <= threshold)
        pieces[rising] = (second[rising] - threshold) / (second[rising] - first[rising])
        pieces[falling] = _falling_share(first[falling], second[falling], threshold)
    lengths = np.diff(times)
    share = np.asarray(pieces @ lengths, dtype=np.float64) / float(times[-1] - times[0])
    return np.clip(share, 0.0, 1.0)


def _falling_share(first: Array, second: Array, threshold: float) -> Array:
    # A fall to 0 has no logarithm; it is taken as linear.
    share = (first - threshold) / (first - second)
    positive = second > 0.0
    top = np.log(first[positive])
    share[positive] = (top - np.log(threshold)) / (top - np.log(second[positive]))
    return share


def _piece_means(first: Array, second: Array, ic50: float, hill: float) -> Array:
    middle = 0.5 * (first + second)
    pieces = hill_inhibition(middle, ic50, hill)
    change = np.abs(first - second)
    steep = change > _FLAT * middle
    falling = steep & (second < first) & (second > 0.0)
    linear = steep & ~falling
    pieces[falling] = _falling_means(first[falling], second[falling], ic50, hill)
    low = np.minimum(first[linear], second[linear])
    high = np.maximum(first[linear], second[linear])
    pieces[linear] = _linear_means(low, high, ic50, hill)
    return pieces


def _falling_means(first: Array, second: Array, ic50: float, hill: float) -> Array:
    top = hill * (np.log(first) - np.log(ic50))
    bottom = hill * (np.log(second) - np.log(ic50))
    rise = np.logaddexp(0.0, top) - np.logaddexp(0.0, bottom)
    return np.asarray(rise / (top - bottom), dtype=np.float64)


def _linear_means(low: Array, high: Array, ic50: float, hill: float) -> Array:
    if hill == 1.0:
        # log1p keeps the difference of the two logarithms exact where the piece is short.
        step = (high - low) / (low + ic50)
        mean = 1.0 - ic50 * np.log1p(step) / (high - low)
        return np.asarray(np.clip(mean, 0.0, 1.0), dtype=np.float64)
    edges = np.clip(_BREAKS[:, None] * ic50, low, high)
    edges = np.concatenate([low[None, :], edges, high[None, :]])
    total = _panel(edges[0], edges[1], ic50, hill, 4)
    for left, right in itertools.pairwise(edges[1:]):
        if np.any(right > left):
            total += _panel(left, right, ic50, hill, 1)
    return np.asarray(total / (high - low), dtype=np.float64)


def _panel(left: Array, right: Array, ic50: float, hill: float, power: int) -> Array:
    """Return the integral of inhibition over concentration by Gauss-Legendre quadrature.

    The nodes are graded as s^power towards `left`: at 0 the curve starts as a fractional power,
    which the fourth power of s makes smooth.
    """
    total = np.zeros_like(left)
    for node, weight in zip(_NODES, _WEIGHTS, strict=True):
        s = 0.5 * (1.0 + node)
        at = left + (right - left) * s**power
        total += 0.5 * weight * power * s ** (power - 1) * hill_inhibition(at, ic50, hill)
    return np.asarray(total * (right - left), dtype=np.float64)
