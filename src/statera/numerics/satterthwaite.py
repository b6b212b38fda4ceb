"""Tests of fixed effects with Satterthwaite's degrees of freedom.

Methods
-------
Degrees of freedom of one contrast: Giesbrecht and Burns, Biometrics 1985;41:477-486,
doi 10.2307/2530872. Several contrasts, through the eigenvectors of their covariance: Fai and
Cornelius, J Stat Comput Simul 1996;54:363-378, doi 10.1080/00949659608811740; as laid out by
Kuznetsova and others, J Stat Softw 2017;82(13), doi 10.18637/jss.v082.i13.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from statera.numerics.mixed_model import MixedFit

__all__ = ["FTests", "TTests", "satterthwaite_f", "satterthwaite_t"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class TTests:
    """One contrast in m models; every array is (m,)."""

    estimate: Floats
    standard_error: Floats
    df: Floats
    statistic: Floats
    p_value: Floats


@dataclass(frozen=True)
class FTests:
    """A hypothesis of `numerator_df` contrasts in m models; every array is (m,)."""

    numerator_df: int
    denominator_df: Floats
    statistic: Floats
    p_value: Floats


def variance_covariance(fit: MixedFit) -> Floats:
    """Return the covariance (m, K, K) of the estimated variances.

    A variance at zero does not move, so its row and column are zero: with the group variance at
    zero the degrees of freedom become those of the residual. Where the observed information is
    not positive definite the expected one stands in.
    """
    m, k = fit.variances.shape
    information = fit.observed_information.copy()
    fixed: NDArray[np.bool_] = fit.at_zero
    usable: NDArray[np.bool_] = np.all(np.isfinite(information), axis=(1, 2))
    smallest = np.full(m, np.nan)
    smallest[usable] = np.linalg.eigvalsh(information[usable])[:, 0]
    bad = usable & (smallest <= 0.0) & ~np.any(fixed, axis=1)
    information[bad] = fit.expected_information[bad]
    either = fixed[:, :, None] | fixed[:, None, :]
    information = np.where(either, np.eye(k), information)
    covariance = np.full((m, k, k), np.nan)
    covariance[usable] = np.linalg.pinv(information[usable], hermitian=True)
    return np.where(either & usable[:, None, None], 0.0, covariance)


def _df(fit: MixedFit, vectors: Floats, spread: Floats) -> Floats:
    """Return the degrees of freedom (m, q) of contrasts (m, q, p)."""
    transformed = np.einsum("mij,mqj->mqi", fit.covariance, vectors)
    variance = np.einsum("mqi,mqi->mq", vectors, transformed)
    gradient = np.einsum("mqi,maij,mqj->mqa", transformed, fit.first, transformed, optimize=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(
            2.0 * variance**2 / np.einsum("mqa,mab,mqb->mq", gradient, spread, gradient)
        )


def satterthwaite_t(fit: MixedFit, contrast: Floats) -> TTests:
    """Test ``contrast' beta = 0`` in every model.

    Parameters
    ----------
    fit
        Models by REML or ML.
    contrast : (p,) float64
        Weights of the fixed effects.
    """
    c = np.asarray(contrast, dtype=float)
    estimate = fit.beta @ c
    error = np.sqrt(np.einsum("i,mij,j->m", c, fit.covariance, c))
    vectors = np.broadcast_to(c, (fit.beta.shape[0], 1, c.size))
    df = _df(fit, vectors, variance_covariance(fit))[:, 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        t = estimate / error
    return TTests(estimate, error, df, t, 2.0 * special.stdtr(df, -np.abs(t)))


def satterthwaite_f(fit: MixedFit, contrasts: Floats) -> FTests:
    """Test that all rows of `contrasts` (q, p) are zero, in every model.

    Raises
    ------
    numpy.linalg.LinAlgError
        Never for contrasts of full rank; rows that failed stay nan.
    """
    rows = np.atleast_2d(np.asarray(contrasts, dtype=float))
    m, q = fit.beta.shape[0], rows.shape[0]
    good = np.isfinite(fit.covariance).all(axis=(1, 2))
    roots, axes = np.full((m, q), np.nan), np.full((m, q, q), np.nan)
    roots[good], axes[good] = np.linalg.eigh(rows @ fit.covariance[good] @ rows.T)
    vectors = np.swapaxes(axes, 1, 2) @ rows
    nu = _df(fit, vectors, variance_covariance(fit))
    squares = np.einsum("mqp,mp->mq", vectors, fit.beta) ** 2 / roots
    statistic = squares.sum(axis=1) / q
    if q == 1:
        df = nu[:, 0]
    else:
        with np.errstate(divide="ignore", invalid="ignore"):
            expected = np.where(nu > 2.0, nu / (nu - 2.0), 0.0).sum(axis=1)
            combined = np.where(expected > q, 2.0 * expected / (expected - q), 2.0)
        alike = np.ptp(nu, axis=1) < 1e-8 * nu.max(axis=1)
        df = np.where(good, np.where(alike, nu.mean(axis=1), combined), np.nan)
    return FTests(q, df, statistic, special.fdtrc(q, df, statistic))
