"""Linear models of many proteins with moderated variances and blocks of correlated samples.

Methods
-------
Moderated t and F, log odds: Smyth, Stat Appl Genet Mol Biol 2004;3:3, doi 10.2202/1544-6115.1027;
the priors of the variances are those of `statera.biomarker.variance_prior`. Correlation within
blocks common to all proteins: Smyth, Michaud and Scott, Bioinformatics 2005;21:2067-2075,
doi 10.1093/bioinformatics/bti270.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from statera.biomarker.multiple_testing import adjust
from statera.biomarker.variance_prior import prior_of_variances, robust_prior
from statera.errors import InputError
from statera.numerics.mixed_model import CONSTANT, OK, design_defect, fit_random_intercept

__all__ = [
    "LinearFit",
    "ModeratedFit",
    "ModeratedTest",
    "block_correlation",
    "fit_linear_models",
    "moderate",
]

Floats = NDArray[np.float64]

_TRIM = 0.15


@dataclass(frozen=True)
class LinearFit:
    """Least squares of m proteins; rows whose `status` names a failure are nan.

    Attributes
    ----------
    coefficients : (m, p) float64
    unscaled : (m, p, p) float64
        Covariance of the coefficients over the residual variance.
    variance : (m,) float64
        Residual variance.
    df : (m,) float64
        Residual degrees of freedom.
    mean : (m,) float64
        Of the values present.
    status : tuple of str
    """

    coefficients: Floats
    unscaled: Floats
    variance: Floats
    df: Floats
    mean: Floats
    status: tuple[str, ...]


def block_correlation(values: Floats, design: Floats, blocks: NDArray[np.intp]) -> float:
    """Return the correlation within blocks that is common to all proteins.

    The correlation of each protein by restricted likelihood (it may be negative), then the mean
    of its inverse hyperbolic tangent with 15 % cut off at either end.

    Parameters
    ----------
    values : (m, n) float64
    design : (n, p) float64
    blocks : (n,) int
        Block (subject) of each sample.

    Raises
    ------
    InputError
        If no protein gives a correlation, as where no block repeats.
    """
    fit = fit_random_intercept(design, np.asarray(blocks), values, negative=True)
    share = fit.variances[:, 0] / fit.variances.sum(axis=1)
    share = share[np.isfinite(share)]
    if not share.size:
        raise InputError(
            "no protein gives a correlation within blocks",
            where="block_correlation",
            hint="Blocks must repeat, and values must vary beside the design.",
        )
    largest = int(np.unique(blocks, return_counts=True)[1].max())
    share = np.clip(share, 1.0 / (1.0 - largest) + 0.01, 0.99)
    scores = np.sort(np.arctanh(share))
    cut = int(_TRIM * scores.size)
    return float(np.tanh(scores[cut : scores.size - cut].mean()))


def fit_linear_models(
    values: Floats,
    design: Floats,
    blocks: NDArray[np.intp] | None = None,
    correlation: float = 0.0,
) -> LinearFit:
    """Fit one linear model to every protein, given a correlation within blocks.

    Parameters
    ----------
    values : (m, n) float64
        nan is missing.
    design : (n, p) float64
    blocks : (n,) int, optional
        Block of each sample.
    correlation
        Within blocks, as of `block_correlation`.

    Raises
    ------
    InputError
        If lengths do not agree or the correlation is not possible for blocks of this size.
    """
    values = np.atleast_2d(np.asarray(values, dtype=float))
    design = np.asarray(design, dtype=float)
    m, (n, p) = values.shape[0], design.shape
    if values.shape[1] != n or (blocks is not None and len(blocks) != n):
        raise InputError("design, blocks and values differ in length", where="linear models")
    covariance = np.eye(n)
    if blocks is not None:
        same = np.asarray(blocks)[:, None] == np.asarray(blocks)
        covariance = np.where(same, correlation, 0.0)
        np.fill_diagonal(covariance, 1.0)
        if not np.linalg.eigvalsh(covariance)[0] > 1e-12:
            raise InputError(
                f"a correlation of {correlation:g} is not possible for blocks of this size",
                where="correlation",
            )
    nan = np.nan
    fit = LinearFit(
        np.full((m, p), nan), np.full((m, p, p), nan), np.full(m, nan), np.full(m, nan),
        np.full(m, nan), (),
    )  # fmt: skip
    status = [""] * m
    present = np.isfinite(values)
    patterns, index = np.unique(present, axis=0, return_inverse=True)
    for number, pattern in enumerate(patterns):
        rows = np.flatnonzero(index.ravel() == number)
        defect = design_defect(design[pattern])
        if not defect:
            root = np.linalg.cholesky(covariance[np.ix_(pattern, pattern)])
            x = np.linalg.solve(root, design[pattern])
            raw = values[np.ix_(rows, pattern)]
            y = np.linalg.solve(root, raw.T).T
            unscaled = np.linalg.inv(x.T @ x)
            fit.coefficients[rows] = y @ x @ unscaled
            fit.unscaled[rows] = unscaled
            fit.df[rows] = pattern.sum() - p
            residual = y - fit.coefficients[rows] @ x.T
            fit.variance[rows] = np.einsum("ij,ij->i", residual, residual) / fit.df[rows]
            fit.mean[rows] = raw.mean(axis=1)
        for row in rows:
            size = float(np.nanmax(np.abs(values[row]))) if present[row].any() else 0.0
            flat = not defect and fit.variance[row] <= 1e-24 * max(size, 1e-140) ** 2
            status[row] = defect or (CONSTANT if flat else OK)
            if flat:
                fit.coefficients[row] = fit.variance[row] = nan
    return LinearFit(**{**fit.__dict__, "status": tuple(status)})


@dataclass(frozen=True)
class ModeratedTest:
    """A coefficient or contrast in m proteins; arrays are (m,).

    Attributes
    ----------
    estimate, standard_error, statistic, p_value, adjusted_p : (m,) float64
        The error is the moderated one; p-values are adjusted after Benjamini and Hochberg.
    log_odds : (m,) float64
        Of a true difference, where a share of 1 % is expected to have one.
    """

    estimate: Floats
    standard_error: Floats
    statistic: Floats
    p_value: Floats
    adjusted_p: Floats
    log_odds: Floats


@dataclass(frozen=True)
class ModeratedFit:
    """Linear models whose residual variances are drawn to a common prior.

    Attributes
    ----------
    fit : LinearFit
    prior_df
        Degrees of freedom of the prior; infinite where variances differ no more than by chance.
    prior_variance
        Of the prior; the median over proteins where it follows their level.
    variance, df : (m,) float64
        Moderated residual variance and total degrees of freedom.
    row_prior_df : (m,) float64
        Degrees of freedom of the prior for each protein; fewer where it varies beyond the prior.
    """

    fit: LinearFit
    prior_df: float
    prior_variance: float
    variance: Floats
    df: Floats
    row_prior_df: Floats

    def test(self, contrast: Floats, share: float = 0.01) -> ModeratedTest:
        """Test ``contrast' coefficients = 0``, `contrast` being (p,), in every protein."""
        c = np.asarray(contrast, dtype=float)
        estimate = self.fit.coefficients @ c
        scale = np.sqrt(np.einsum("i,mij,j->m", c, self.fit.unscaled, c))
        error = scale * np.sqrt(self.variance)
        t = estimate / error
        p = 2.0 * special.stdtr(self.df, -np.abs(t))
        odds = _log_odds(t, scale, self.df, self.row_prior_df, self.prior_variance, share)
        return ModeratedTest(estimate, error, t, p, adjust(p), odds)

    def test_all(self, contrasts: Floats) -> tuple[Floats, Floats]:
        """Return moderated F statistics (m,) and p-values that all `contrasts` (q, p) are 0."""
        rows = np.atleast_2d(np.asarray(contrasts, dtype=float))
        good = np.isfinite(self.variance)
        f = np.full(good.size, np.nan)
        estimate = self.fit.coefficients[good] @ rows.T
        spread = np.linalg.inv(rows @ self.fit.unscaled[good] @ rows.T)
        f[good] = np.einsum("mi,mij,mj->m", estimate, spread, estimate)
        f[good] /= rows.shape[0] * self.variance[good]
        return f, np.asarray(special.fdtrc(rows.shape[0], self.df, f))


def moderate(fit: LinearFit, *, trend: bool = False, robust: bool = False) -> ModeratedFit:
    """Draw the residual variances of all proteins to a common prior.

    Parameters
    ----------
    fit
        Linear models of all proteins.
    trend
        Whether the variance of the prior follows the mean level of the protein.
    robust
        Whether proteins that vary far beyond the prior leave it, and are drawn to it less.

    Raises
    ------
    InputError
        If fewer than two proteins could be fitted.
    """
    good = np.isfinite(fit.variance)
    if good.sum() < 2:
        raise InputError(
            f"{int(good.sum())} proteins could be fitted; a prior needs two or more",
            where="moderate",
            hint="Use an ordinary test for a single protein.",
        )
    level = fit.mean[good] if trend else None
    found = (robust_prior if robust else prior_of_variances)(
        fit.variance[good], fit.df[good], level
    )
    scale, own_df = np.full(good.size, np.nan), np.full(good.size, np.nan)
    scale[good], own_df[good] = found.variance, found.row_df
    with np.errstate(invalid="ignore"):
        drawn = (fit.df * fit.variance + own_df * scale) / (fit.df + own_df)
    variance = np.where(np.isinf(own_df), scale, drawn)
    total = np.minimum(fit.df + own_df, float(fit.df[good].sum()))
    middle = float(np.median(found.variance))
    return ModeratedFit(
        fit, found.df, middle, variance, np.where(good, total, np.nan), own_df
    )  # fmt: skip


def _log_odds(
    t: Floats, scale: Floats, df: Floats, prior_df: Floats, prior: float, share: float
) -> Floats:
    """Return the log odds of a difference, its variance from the largest statistics."""
    odds = np.full(t.shape, np.nan)
    good = np.isfinite(t)
    size, unscaled, total = np.abs(t[good]), scale[good], df[good]
    m = size.size
    wanted = int(np.ceil(share / 2.0 * m))
    if not m or wanted < 1:
        return odds
    p = max(wanted / m, share)
    most = float(total.max())
    # statistics with fewer degrees of freedom are brought to the same scale by their tail
    same = np.where(
        total < most, -special.stdtrit(most, np.maximum(special.stdtr(total, -size), 1e-300)), size
    )
    top = np.argsort(-same, kind="stable")[:wanted]
    tail = 2.0 * special.stdtr(most, -same[top])
    target = ((np.arange(1, wanted + 1) - 0.5) / m - (1.0 - p) * tail) / p
    extra = np.zeros(wanted)
    more = target > tail
    quantile = -special.stdtrit(most, target[more] / 2.0)
    extra[more] = unscaled[top][more] ** 2 * ((same[top][more] / quantile) ** 2 - 1.0)
    limits = np.array([0.1, 4.0]) ** 2 / prior
    spread = float(np.clip(extra, limits[0], limits[1]).mean())
    ratio = 1.0 + spread / unscaled**2
    square = size**2
    kernel = np.where(
        np.isinf(prior_df[good]),
        square * (1.0 - 1.0 / ratio) / 2.0,
        (1.0 + total) / 2.0 * np.log((square + total) / (square / ratio + total)),
    )
    odds[good] = np.log(share / (1.0 - share)) - np.log(ratio) / 2.0 + kernel
    return odds
