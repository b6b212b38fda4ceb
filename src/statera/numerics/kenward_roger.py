"""Tests of fixed effects with Kenward and Roger's covariance and degrees of freedom.

Methods
-------
Kenward and Roger, Biometrics 1997;53:983-997, doi 10.2307/2533558, for a covariance that is
linear in its variances, with the expected information of the restricted likelihood; the form of
the two moments follows the text there and its account by Halekoh and Hojsgaard, J Stat Softw
2014;59(9), doi 10.18637/jss.v059.i09.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special

from statera.errors import UsageError
from statera.numerics.mixed_model import MixedFit
from statera.numerics.satterthwaite import FTests, TTests

__all__ = ["adjusted_covariance", "kenward_roger_f", "kenward_roger_t"]

Floats = NDArray[np.float64]


def _spread(fit: MixedFit) -> Floats:
    """Return the covariance (m, K, K) of the variances from the expected information."""
    if fit.method != "REML":
        raise UsageError(
            "Kenward and Roger's test needs a fit by REML",
            where=f"method {fit.method}",
            hint="Fit with method='REML', or use Satterthwaite's degrees of freedom.",
        )
    spread = np.full_like(fit.expected_information, np.nan)
    good = np.isfinite(fit.expected_information).all(axis=(1, 2))
    spread[good] = np.linalg.pinv(fit.expected_information[good], hermitian=True)
    return spread


def adjusted_covariance(fit: MixedFit) -> Floats:
    """Return the covariance (m, p, p) of the fixed effects, adjusted for small samples.

    ``C + 2 C (sum_ab W_ab (Q_ab - P_a C P_b)) C``, W the covariance of the variances.
    """
    spread, c = _spread(fit), fit.covariance
    inner = np.einsum("mab,mabij->mij", spread, fit.second)
    k = fit.variances.shape[1]
    for a in range(k):
        for b in range(k):
            inner = inner - spread[:, a, b, None, None] * (fit.first[:, a] @ c @ fit.first[:, b])
    return np.asarray(c + 2.0 * c @ inner @ c)


def kenward_roger_f(fit: MixedFit, contrasts: Floats) -> FTests:
    """Test that all rows of `contrasts` (q, p) are zero, in every model.

    The statistic holds the scale factor lambda. Rows that failed stay nan.

    Raises
    ------
    UsageError
        If the models were fitted by ML.
    """
    rows = np.atleast_2d(np.asarray(contrasts, dtype=float))
    q = rows.shape[0]
    spread, c = _spread(fit), fit.covariance
    good = np.isfinite(c).all(axis=(1, 2)) & np.isfinite(spread).all(axis=(1, 2))
    m, k = fit.variances.shape
    middle = np.full((m, q, q), np.nan)
    middle[good] = np.linalg.inv(rows @ c[good] @ rows.T)
    theta = rows.T @ middle @ rows
    parts = [theta @ c @ fit.first[:, a] @ c for a in range(k)]
    traces = [np.trace(part, axis1=1, axis2=2) for part in parts]
    a1, a2 = np.zeros(m), np.zeros(m)
    for i in range(k):
        for j in range(k):
            a1 += spread[:, i, j] * traces[i] * traces[j]
            a2 += spread[:, i, j] * np.einsum("mij,mji->m", parts[i], parts[j])
    df, scale = _match(q, a1, a2)
    adjusted = rows @ adjusted_covariance(fit) @ rows.T
    estimate = fit.beta @ rows.T
    wald = np.full(m, np.nan)
    wald[good] = np.einsum(
        "mi,mij,mj->m", estimate[good], np.linalg.inv(adjusted[good]), estimate[good]
    )
    statistic = scale * wald / q
    return FTests(q, df, statistic, special.fdtrc(q, df, statistic))


def _match(q: int, a1: Floats, a2: Floats) -> tuple[Floats, Floats]:
    """Return the degrees of freedom and the scale whose F matches two moments."""
    with np.errstate(divide="ignore", invalid="ignore"):
        b = (a1 + 6.0 * a2) / (2.0 * q)
        g = ((q + 1.0) * a1 - (q + 4.0) * a2) / ((q + 2.0) * a2)
        denominator = 3.0 * q + 2.0 * (1.0 - g)
        c1 = g / denominator
        c2 = (q - g) / denominator
        c3 = (q + 2.0 - g) / denominator
        mean = 1.0 / (1.0 - a2 / q)
        variance = (2.0 / q) * (1.0 + c1 * b) / ((1.0 - c2 * b) ** 2 * (1.0 - c3 * b))
        ratio = variance / (2.0 * mean**2)
        df = 4.0 + (q + 2.0) / (q * ratio - 1.0)
        scale = df / (mean * (df - 2.0))
    return df, scale


def kenward_roger_t(fit: MixedFit, contrast: Floats) -> TTests:
    """Test ``contrast' beta = 0`` with the adjusted standard error, in every model."""
    c = np.asarray(contrast, dtype=float)
    tests = kenward_roger_f(fit, c[None, :])
    estimate = fit.beta @ c
    error = np.sqrt(np.einsum("i,mij,j->m", c, adjusted_covariance(fit), c))
    with np.errstate(divide="ignore", invalid="ignore"):
        t = estimate / error
    df = tests.denominator_df
    return TTests(estimate, error, df, t, 2.0 * special.stdtr(df, -np.abs(t)))
