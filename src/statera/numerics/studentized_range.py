"""The studentised range: tail probabilities and quantiles, for whole arrays of degrees of freedom.

The tail of the range of k normal values is tabulated once for each k, as its logarithm, and then
integrated over the distribution of the standard deviation by the trapezoidal rule in its
logarithm, centred on the largest part of each integrand. Both rules converge exponentially.

Methods
-------
Tukey's honestly significant difference rests on it; the integrals are those of Copenhaver and
Holland, J Stat Comput Simul 1988;30:1-15, doi 10.1080/00949658808811082.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special
from scipy.interpolate import CubicSpline

from statera.errors import InputError

__all__ = ["studentized_range_quantile", "studentized_range_tail"]

Floats = NDArray[np.float64]

_WIDEST = 50.0
"""Range beyond which the tail of normal values is 0 in double precision."""
_BLOCK = 2048
_LARGE_DF = 1e6


@lru_cache(maxsize=32)
def _log_tail_of_range(k: int) -> CubicSpline:
    """Return the logarithm of the probability that k normal values range over more than w."""
    w = np.linspace(0.0, _WIDEST, 5001)
    z = np.arange(-9.0, _WIDEST / 2.0 + 9.0, 0.05)
    density = np.exp(-0.5 * z * z) / np.sqrt(2.0 * np.pi)
    below = special.ndtr(z)
    total = np.empty(w.size)
    for start in range(0, w.size, 500):
        some = slice(start, start + 500)
        outside = np.minimum(special.ndtr(z - w[some, None]) / below, 1.0)
        with np.errstate(divide="ignore"):
            part = -np.expm1((k - 1) * np.log1p(-outside))
        total[some] = (k * density * below ** (k - 1) * part).sum(axis=1) * 0.05
    return CubicSpline(w, np.log(np.minimum(total, 1.0)))


def _tail_of_range(w: Floats, k: int) -> Floats:
    inside = np.exp(_log_tail_of_range(k)(np.minimum(w, _WIDEST)))
    return np.where(w < _WIDEST, np.minimum(inside, 1.0), 0.0)


def studentized_range_tail(q: ArrayLike, k: int, df: ArrayLike) -> Floats:
    """Return the probability that the studentised range of k means exceeds q.

    Parameters
    ----------
    q, df : array_like float64
        Ranges over the standard error, and degrees of freedom (inf for a known one), broadcast.
        nan gives nan.
    k
        Means, 2 or more.

    Raises
    ------
    InputError
        If there are fewer than two means.
    """
    if k < 2:
        raise InputError(f"a range of {k} means", where="k", hint="Give two means or more.")
    both = np.broadcast_arrays(np.asarray(q, dtype=float), np.asarray(df, dtype=float))
    shape = both[0].shape
    ranges, freedom = (np.ravel(x).astype(float) for x in both)
    tail = np.full(ranges.size, np.nan)
    known = np.flatnonzero(np.isfinite(ranges) & (freedom > 0.0))
    for start in range(0, known.size, _BLOCK):
        some = known[start : start + _BLOCK]
        tail[some] = _tail(ranges[some], k, freedom[some])
    return tail.reshape(shape)


def _tail(q: Floats, k: int, df: Floats) -> Floats:
    out = np.ones(q.size)
    normal = df > _LARGE_DF
    out[normal] = _tail_of_range(np.maximum(q[normal], 0.0), k)
    rest = ~normal & (q > 0.0)
    if not rest.any():
        return out
    q, df = q[rest, None], df[rest, None]
    width = 1.0 / np.sqrt(2.0 * df)
    # the logarithm of the standard deviation where the integrand is largest
    centre = 0.5 * np.log(df / (df + 0.5 * q * q))
    reach = 10.0 + 55.0 / np.sqrt(float(df.min()))
    step = np.arange(-reach, 10.0, 0.2)
    u = centre + width * step
    log_density = (
        np.log(2.0)
        + 0.5 * df * np.log(0.5 * df)
        - special.gammaln(0.5 * df)
        + df * u
        - 0.5 * df * np.exp(2.0 * u)
    )
    parts = np.exp(log_density) * _tail_of_range(q * np.exp(u), k)
    out[rest] = np.minimum(parts.sum(axis=1) * 0.2 * width[:, 0], 1.0)
    return out


def studentized_range_quantile(tail: float, k: int, df: ArrayLike) -> Floats:
    """Return the q that the studentised range of k means exceeds with probability `tail`.

    Parameters
    ----------
    tail
        Between 0 and 1.
    k
        Means, 2 or more.
    df : array_like float64
        Degrees of freedom; nan gives nan.

    Raises
    ------
    InputError
        If `tail` is not between 0 and 1 or there are fewer than two means.
    """
    if not 0.0 < tail < 1.0:
        raise InputError(f"a probability of {tail:g} is not between 0 and 1", where="tail")
    freedom = np.asarray(df, dtype=float)
    unique, place = np.unique(np.ravel(freedom), return_inverse=True)
    good = unique > 0.0
    own = unique[good]
    low, high = np.zeros(own.size), np.full(own.size, 4.0)
    for _ in range(200):
        short = studentized_range_tail(high, k, own) > tail
        if not short.any():
            break
        high = np.where(short, 2.0 * high, high)
    goal = np.log(tail)
    at_low = np.zeros(own.size) - goal
    at_high = np.log(studentized_range_tail(high, k, own)) - goal
    # the rule of Illinois: a secant kept inside its bracket
    for _ in range(100):
        middle = (low * at_high - high * at_low) / (at_high - at_low)
        value = np.log(studentized_range_tail(middle, k, own)) - goal
        same = np.sign(value) == np.sign(at_high)
        low, at_low = np.where(same, low, high), np.where(same, 0.5 * at_low, at_high)
        high, at_high = middle, value
        if own.size == 0 or np.abs(value).max() < 1e-12:
            break
    found = np.full(unique.size, np.nan)
    found[good] = high
    return np.asarray(found[place.ravel()].reshape(freedom.shape))
