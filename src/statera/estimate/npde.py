"""Normalised prediction distribution errors, with and without decorrelation.

Brendel, Comets et al. 2006 (doi 10.1007/s11095-006-9067-5), Comets, Brendel and Mentre 2008
(doi 10.1016/j.cmpb.2007.12.002). Each observation is placed in the distribution of its own
simulations, without linearisation: NPD is the normal quantile of the share of simulated values
below it, NPDE the same after mean and covariance of the subject's simulated vectors have been taken
out of both. Under the model both follow a standard normal distribution, and the NPDE of a subject
are uncorrelated.

Censored values (Nguyen, Comets and Mentre 2012, doi 10.1007/s10928-012-9264-2): the share is drawn
uniformly between the simulated shares below the ends of the interval in which the value is known to
lie, and the simulated value that belongs to it takes the observation's place.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from statera.errors import UsageError
from statera.estimate.replicates import Replicates, simulate_replicates
from statera.estimate.residuals import Root, whiten
from statera.estimate.result import FitResult
from statera.estimate.rows import Rows, rows_of
from statera.numerics.streams import stream

__all__ = ["Npde", "NpdeOptions", "NpdeTests", "npde", "npde_tests"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class NpdeOptions:
    """How prediction distribution errors are computed.

    Attributes
    ----------
    n
        Replicates; the resolution of a share is 1 / n.
    seed
    root
        Square root of the covariances of decorrelation.
    """

    n: int = 1000
    seed: int = 1
    root: Root = "cholesky"


@dataclass(frozen=True)
class Npde:
    """Prediction distribution errors by observation.

    Attributes
    ----------
    npde, npd : (n_obs,) float64
        With and without decorrelation; NaN for outcomes with a likelihood of their own, and
        where a subject has too many observations for the number of replicates.
    imputed : (n_obs,) bool
        Whether the observation is censored and its value was drawn.
    remarks
        What a reader must know.
    """

    npde: Floats
    npd: Floats
    imputed: NDArray[np.bool_]
    remarks: tuple[str, ...]


@dataclass(frozen=True)
class NpdeTests:
    """Tests of prediction distribution errors against a standard normal distribution.

    Attributes
    ----------
    n, mean, variance
        Number, mean and variance.
    p_mean, p_variance, p_normal
        Wilcoxon signed-rank test of mean 0, chi-square test of variance 1, Shapiro-Wilk test.
    p_global
        Three times the smallest of them, at most 1.
    """

    n: int
    mean: float
    variance: float
    p_mean: float
    p_variance: float
    p_normal: float
    p_global: float


def npde(
    result: FitResult,
    options: NpdeOptions | None = None,
    *,
    replicates: Replicates | None = None,
    rows: Rows | None = None,
) -> Npde:
    """Return prediction distribution errors of a fit.

    Parameters
    ----------
    options
        Number of replicates, seed, and square root.
    replicates
        Simulated data of this fit, where there are some already.

    Raises
    ------
    UsageError
        If there are fewer than 20 replicates.
    """
    chosen = options or NpdeOptions()
    rows = rows or rows_of(result.problem)
    drawn = replicates or simulate_replicates(result, chosen.n, chosen.seed, rows=rows)
    if drawn.count < 20:
        raise UsageError(f"{drawn.count} replicates are too few", where="n", hint="Take 1000.")
    of = result.problem.individuals
    y, limit = of.y.copy(), of.limit
    usable = ~rows.likelihood
    pick = stream(chosen.seed, "censored shares").random(rows.count)
    shares = np.full(rows.count, np.nan)
    for j in np.flatnonzero(usable):
        values = drawn.y[:, j]
        values = values[np.isfinite(values)]
        if values.size < 20:
            continue
        if rows.below[j] or rows.above[j]:
            low = -np.inf if of.lower is None or np.isnan(of.lower[j]) else float(of.lower[j])
            ends = (low, float(limit[j])) if rows.below[j] else (float(limit[j]), np.inf)
            y[j], shares[j] = _imputed(values, ends, float(pick[j]))
        else:
            shares[j] = (values < y[j]).mean() + 0.5 * (values == y[j]).mean()
    with np.errstate(invalid="ignore"):
        npd = ndtri(_inside(shares, drawn.count))
    whole, remarks = _decorrelated(rows, usable, y, drawn.y, chosen.root)
    with np.errstate(invalid="ignore"):
        errors = ndtri(_inside(whole, drawn.count))
    return Npde(errors, npd, rows.below | rows.above, (*drawn.remarks, *remarks))


def _inside(shares: Floats, n: int) -> Floats:
    """Keep shares off 0 and 1 by half of what `n` replicates resolve."""
    return np.clip(shares, 0.5 / n, 1.0 - 0.5 / n)


def _imputed(values: Floats, ends: tuple[float, float], u: float) -> tuple[float, float]:
    """Return a value between two limits and its share."""
    low, high = (values < ends[0]).mean(), (values < ends[1]).mean()
    share = float(low + u * (high - low))
    return float(np.quantile(values, share)), share


def _decorrelated(
    rows: Rows, usable: NDArray[np.bool_], y: Floats, simulated: Floats, root: Root
) -> tuple[Floats, list[str]]:
    shares = np.full(rows.count, np.nan)
    starts = rows.starts
    too_many = 0
    for i in range(len(rows.ids)):
        here = np.arange(starts[i], starts[i + 1])
        here = here[usable[here] & np.isfinite(y[here])]
        if here.size == 0:
            continue
        drawn = simulated[:, here]
        drawn = drawn[np.isfinite(drawn).all(axis=1)]
        if drawn.shape[0] < 2 * here.size + 18:
            too_many += 1
            continue
        mean = drawn.mean(axis=0)
        covariance = np.atleast_2d(np.cov(drawn, rowvar=False))
        both = whiten(np.column_stack([y[here] - mean, (drawn - mean).T]), covariance, root)
        shares[here] = (both[:, 1:] < both[:, :1]).mean(axis=1)
        shares[here[np.isnan(both[:, 0])]] = np.nan
    if too_many:
        counted = f"{too_many} subjects have" if too_many > 1 else "1 subject has"
        return shares, [f"{counted} too many observations for so few replicates"]
    return shares, []


def npde_tests(values: Floats) -> NpdeTests:
    """Return tests of the mean, variance and shape of prediction distribution errors.

    Parameters
    ----------
    values : (n,) float64
        NaN are left out. With fewer than 8 values, and of more than 5000 for the shape, p values
        are NaN.
    """
    from scipy.stats import chi2, shapiro, wilcoxon  # noqa: PLC0415  heavy: only for tests

    x = values[np.isfinite(values)]
    if x.size < 8:
        nan = float("nan")
        return NpdeTests(x.size, float(x.mean()) if x.size else nan, nan, nan, nan, nan, nan)
    variance = float(x.var(ddof=1))
    tail = float(chi2.cdf((x.size - 1) * variance, x.size - 1))
    p_mean = float(wilcoxon(x).pvalue)
    p_variance = 2.0 * min(tail, 1.0 - tail)
    p_normal = float(shapiro(x).pvalue) if x.size <= 5000 else float("nan")
    p_global = min(1.0, 3.0 * float(np.nanmin([p_mean, p_variance, p_normal])))
    return NpdeTests(x.size, float(x.mean()), variance, p_mean, p_variance, p_normal, p_global)
