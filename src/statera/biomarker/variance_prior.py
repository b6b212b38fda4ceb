"""The common prior of residual variances: plain, following the level, and robust.

Variances s2 of df degrees of freedom are taken as ``s0 F(df, df0)``; the scale s0 and the degrees
of freedom df0 of the prior are estimated from moments of their logarithms.

Methods
-------
Plain: Smyth, Stat Appl Genet Mol Biol 2004;3:3, doi 10.2202/1544-6115.1027. The trend is a natural
cubic spline of the level (or, robust, a locally weighted line). Robust: Phipson, Lee, Majewski,
Alexander and Smyth, Ann Appl Stat 2016;10:946-963, doi 10.1214/16-AOAS920: moments of winsorised
logarithms, and for each variance the probability that it is no outlier, by which the degrees of
freedom of its prior fall to those under which the largest variance would be a median one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special, stats

from statera.errors import InputError
from statera.numerics.lowess_of_points import lowess_of_points

__all__ = ["VariancePrior", "prior_of_variances", "robust_prior"]

Floats = NDArray[np.float64]

_TAILS = (0.05, 0.10)
"""Shares of the logarithms that are drawn in, at the lower and at the upper end."""
_TINY = 1e-5
"""Share of the median variance below which a variance is lifted, as a zero has no logarithm."""
_TINY_ROBUST = 1e-12
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(128)


@dataclass(frozen=True)
class VariancePrior:
    """The prior of m variances.

    Attributes
    ----------
    df
        Degrees of freedom; infinite where variances differ no more than by chance.
    variance : (m,) float64
        Scale, by protein where it follows the level.
    row_df : (m,) float64
        Degrees of freedom by protein; below `df` for outliers of the robust prior.
    """

    df: float
    variance: Floats
    row_df: Floats


def _inverse_trigamma(x: float) -> float:
    """Return y > 0 with trigamma(y) = x, by Newton steps on 1/trigamma."""
    if x > 1e7:
        return float(1.0 / np.sqrt(x))
    if x < 1e-6:
        return 1.0 / x
    y = 0.5 + 1.0 / x
    for _ in range(100):
        value = float(special.polygamma(1, y))
        step = value * (1.0 - value / x) / float(special.polygamma(2, y))
        y += step
        if -step / y < 1e-12:
            break
    return y


def natural_spline(x: Floats, columns: int) -> Floats:
    """Return a basis (m, columns) of natural cubic splines, the constant among them.

    Knots stand at the ends and at equal shares of the points between.
    """
    span = float(np.ptp(x)) or 1.0
    scaled = (x - x.min()) / span
    basis = [np.ones(x.size), scaled]
    knots = np.quantile(scaled, np.linspace(0.0, 1.0, columns))

    def piece(k: int) -> Floats:
        cubes = np.maximum(scaled - knots[k], 0.0) ** 3 - np.maximum(scaled - knots[-1], 0.0) ** 3
        return np.asarray(cubes / (knots[-1] - knots[k]))

    basis += [piece(k) - piece(columns - 2) for k in range(columns - 2)]
    return np.column_stack(basis[:columns])


def prior_of_variances(variance: Floats, df: Floats, level: Floats | None = None) -> VariancePrior:
    """Return the prior from the moments of the logarithms.

    Parameters
    ----------
    variance, df : (m,) float64
        Residual variances and their degrees of freedom.
    level : (m,) float64, optional
        Mean level of each protein, which the scale of the prior follows.

    Raises
    ------
    InputError
        If more than half of the variances are zero.
    """
    middle = float(np.median(variance))
    if middle <= 0.0:
        raise InputError("more than half of the residual variances are zero", where="moderate")
    half = df / 2.0
    lifted = np.maximum(variance, _TINY * middle)
    e = np.log(lifted) - special.digamma(half) + np.log(half)
    columns = 1 if level is None else min(4, e.size - 1, np.unique(level).size)
    if level is None or columns < 2:
        mean = np.full(e.size, e.mean())
        spread = float(e.var(ddof=1))
    else:
        basis, _ = np.linalg.qr(natural_spline(level, columns))
        mean = basis @ (basis.T @ e)
        spread = float(((e - mean) ** 2).sum() / (e.size - columns))
    spread -= float(special.polygamma(1, half).mean())
    if spread <= 0.0:
        # without more variation than chance the pooled variance is the maximum likelihood
        scale = np.exp(mean) if columns > 1 else np.full(e.size, lifted.mean())
        prior_df = float("inf")
    else:
        prior_half = _inverse_trigamma(spread)
        prior_df = 2.0 * prior_half
        scale = np.exp(mean + float(special.digamma(prior_half)) - np.log(prior_half))
    return VariancePrior(prior_df, scale, np.full(e.size, prior_df))


def _winsorised_moments(df: float, prior_df: float) -> tuple[float, float]:
    """Return mean and variance of winsorised logarithms of F(df, prior_df)."""
    law = stats.chi2(df, scale=1.0 / df) if np.isinf(prior_df) else stats.f(df, prior_df)
    low, high = (float(x) for x in law.ppf([_TAILS[0], 1.0 - _TAILS[1]]))
    # the share f/(1+f) maps the law on a finite range
    a, b = low / (1.0 + low), high / (1.0 + high)
    nodes = a + (b - a) * 0.5 * (_NODES + 1.0)
    f = nodes / (1.0 - nodes)
    weights = 0.5 * (b - a) * _WEIGHTS * law.pdf(f) / (1.0 - nodes) ** 2
    z, ends = np.log(f), np.log([low, high])
    mean = float(weights @ z + np.dot(_TAILS, ends))
    return mean, float(weights @ (z - mean) ** 2 + np.dot(_TAILS, (ends - mean) ** 2))


def _to_common_df(variance: Floats, df: Floats, plain: VariancePrior) -> tuple[Floats, float]:
    """Return variances as if all had the most degrees of freedom, equal in their tail."""
    most = float(df.max())
    fewer = df < most - 1e-14
    if not fewer.any():
        return variance, most
    scale, own = plain.variance[fewer], df[fewer]
    f = variance[fewer] / scale
    finite = np.isfinite(plain.df)
    before = stats.f(own, plain.df) if finite else stats.chi2(own, scale=1.0 / own)
    after = stats.f(most, plain.df) if finite else stats.chi2(most, scale=1.0 / most)
    upper = before.sf(f) < before.cdf(f)
    moved = variance.copy()
    moved[fewer] = scale * np.where(upper, after.isf(before.sf(f)), after.ppf(before.cdf(f)))
    return moved, most


def robust_prior(variance: Floats, df: Floats, level: Floats | None = None) -> VariancePrior:
    """Return the prior from winsorised logarithms, outliers drawn to it less.

    The parameters are those of `prior_of_variances`.

    Raises
    ------
    InputError
        If more than half of the variances are zero.
    """
    m = variance.size
    plain = prior_of_variances(variance, df, level)
    if m < 3 or all(tail < 1.0 / m for tail in _TAILS):
        return plain
    lifted = np.maximum(variance, _TINY_ROBUST * float(np.median(variance)))
    lifted, own_df = _to_common_df(lifted, df, plain)
    z = np.log(lifted)
    if level is None:
        trend = np.full(m, float(stats.trim_mean(z, _TAILS[1])))
    else:
        trend = lowess_of_points(level, z, share=0.4)
    rest = z - trend
    ends = np.quantile(rest, [_TAILS[0], 1.0 - _TAILS[1]])
    drawn = np.clip(rest, ends[0], ends[1])
    spread = float(drawn.var(ddof=1))
    mean, chance = _winsorised_moments(own_df, float("inf"))
    if spread <= chance:
        scale = np.exp(trend + drawn.mean() - mean)
        return VariancePrior(float("inf"), scale, _rows_beyond_chance(lifted / scale, own_df))
    if np.isinf(plain.df):
        return plain

    def gap(share: float) -> float:
        return float(np.log(spread / _winsorised_moments(own_df, share / (1.0 - share))[1]))

    least = plain.df / (1.0 + plain.df)
    prior_df = plain.df
    if gap(least) < 0.0:
        found = optimize.brentq(gap, least, 1.0 - 1e-10, xtol=1e-13)
        prior_df = float(found / (1.0 - found))
    mean, _ = _winsorised_moments(own_df, prior_df)
    scale = np.exp(trend + drawn.mean() - mean)
    return VariancePrior(prior_df, scale, _rows_of_outliers(lifted / scale, own_df, prior_df))


def _rows_beyond_chance(f: Floats, df: float) -> Floats:
    """Return the degrees of freedom by row where the prior is a single variance."""
    m = f.size
    tail = stats.chi2.sf(f * df, df)
    empirical = (m - stats.rankdata(f) + 0.5) / m
    inlier = np.minimum(tail / empirical, 1.0)
    rows = np.full(m, np.inf)
    rows[inlier < 1.0] = inlier[inlier < 1.0] * m * df
    order = np.argsort(tail, kind="stable")
    rows[order] = np.maximum.accumulate(rows[order])
    return rows


def _rows_of_outliers(f: Floats, df: float, prior_df: float) -> Floats:
    """Return the degrees of freedom by row: fewer for variances unlikely under the prior."""
    m = f.size
    log_tail = stats.f.logsf(f, df, prior_df)
    log_inlier = np.minimum(log_tail - np.log((m - stats.rankdata(f) + 0.5) / m), 0.0)
    if not (log_inlier < 0.0).any():
        return np.full(m, prior_df)
    inlier, outlier = np.exp(log_inlier), -np.expm1(log_inlier)
    least = float(log_tail.min())
    if np.isneginf(least):
        rows = inlier * prior_df
    else:
        # the largest variance as a median of its own law; the log tail is nearly linear in df
        fewest = np.log(0.5) / least * prior_df
        fewest *= np.log(0.5) / float(stats.f.logsf(f.max(), df, fewest))
        rows = inlier * prior_df + outlier * fewest
    order = np.argsort(log_tail, kind="stable")
    ordered = rows[order]
    means = np.cumsum(ordered) / np.arange(1, m + 1)
    first = int(means.argmin())
    ordered[: first + 1] = means[first]
    rows[order] = np.maximum.accumulate(ordered)
    return np.asarray(rows)
