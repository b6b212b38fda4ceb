"""Whether Markov chains agree, and how many independent draws they are worth.

Rank-normalised split R-hat and effective sample sizes of the bulk and the tails: Vehtari, Gelman,
Simpson, Carpenter and Buerkner 2021 (doi 10.1214/20-BA1221), with the initial monotone sequence of
Geyer 1992 (doi 10.1214/ss/1177011137) to end the sum of autocorrelations.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri
from scipy.stats import rankdata

__all__ = ["ess_bulk", "ess_tail", "rhat"]

Floats = NDArray[np.float64]
_FEWEST = 4  # draws of a half chain below which nothing can be said


def rhat(draws: ArrayLike) -> float:
    """Return the larger R-hat of ranks and of ranks of distances from the median.

    Parameters
    ----------
    draws : (n_chains, n_draws) float64
        NaN where draws are too few, not finite, or all equal.
    """
    x = _halves(draws)
    if x is None:
        return np.nan
    folded = np.abs(x - np.median(x))
    return max(_plain_rhat(_ranked(x)), _plain_rhat(_ranked(folded)))


def ess_bulk(draws: ArrayLike) -> float:
    """Return the effective number of draws for the middle of the distribution."""
    x = _halves(draws)
    return np.nan if x is None else _ess(_ranked(x))


def ess_tail(draws: ArrayLike) -> float:
    """Return the effective number of draws for its 5 and 95 per cent points, the smaller."""
    x = _halves(draws)
    if x is None:
        return np.nan
    whole = np.asarray(draws, dtype=np.float64)
    return min(_ess((x <= np.quantile(whole, q)).astype(np.float64)) for q in (0.05, 0.95))


def _halves(draws: ArrayLike) -> Floats | None:
    """Return every chain as two, (2 n_chains, n_draws // 2); None where nothing can be said."""
    x = np.atleast_2d(np.asarray(draws, dtype=np.float64))
    half = x.shape[1] // 2
    if half < _FEWEST or not np.isfinite(x).all() or np.ptp(x) == 0.0:
        return None
    return np.concatenate([x[:, :half], x[:, -half:]])


def _ranked(x: Floats) -> Floats:
    ranks = rankdata(x).reshape(x.shape)
    scores: Floats = ndtri((ranks - 0.375) / (x.size + 0.25))
    return scores


def _plain_rhat(x: Floats) -> float:
    n = x.shape[1]
    within = x.var(axis=1, ddof=1).mean()
    between = n * x.mean(axis=1).var(ddof=1)
    if within == 0.0:
        return np.inf if between > 0.0 else 1.0
    return float(np.sqrt(((n - 1) / n * within + between / n) / within))


def _ess(x: Floats) -> float:
    chains, n = x.shape
    moved = x - x.mean(axis=1, keepdims=True)
    size = 2 ** int(np.ceil(np.log2(2 * n)))
    spectrum = np.fft.rfft(moved, size, axis=1)
    cov = np.fft.irfft(spectrum * np.conj(spectrum), size, axis=1)[:, :n] / n
    within = (cov[:, 0] * n / (n - 1)).mean()
    total = within * (n - 1) / n + x.mean(axis=1).var(ddof=1)
    if total == 0.0:
        return np.nan
    rho = 1.0 - (within - cov.mean(axis=0)) / total
    rho[0] = 1.0
    # the last lags rest on too few products: the pair before them ends the sequence at the latest
    pairs = rho[: n - n % 2].reshape(-1, 2).sum(axis=1)[: max((n - 3) // 2, 0) + 1]
    below = np.flatnonzero(pairs[1:] <= 0.0)
    last = int(below[0]) + 1 if below.size else pairs.size - 1
    monotone = np.minimum.accumulate(pairs[:last])
    # a positive first half of the pair that ends the sequence still counts
    tau = -1.0 + 2.0 * monotone.sum() + max(float(rho[2 * last]), 0.0)
    return float(chains * n / max(tau, 1.0 / np.log10(chains * n)))
