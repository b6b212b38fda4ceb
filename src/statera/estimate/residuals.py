"""Predictions and residuals of a fit.

With r = y - f the weighted residuals of a subject are ``V^(-1/2) (y - E)``, where mean E and
covariance V are those of the model linearised in the random effects:

- WRES at random effects 0 (first order): ``E = f(0)``, ``V = G Omega G' + diag v(0)``;
- CWRES at the subject's random effects e (Hooker, Staatz and Karlsson 2007,
  doi 10.1007/s11095-007-9361-x): ``E = f(e) - G e``, ``V = G Omega G' + diag v``, with v at e where
  the fit had interaction and at 0 where it had not.

G holds the exact derivatives of f by the random effects at the point of linearisation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from statera.estimate.result import FitResult
from statera.estimate.rows import Rows, rows_of

__all__ = ["Residuals", "Root", "residuals_of", "whiten"]

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

Root = Literal["symmetric", "cholesky"]
"""Which square root of the covariance: the symmetric one depends on no order of the observations;
Cholesky takes out of each value what the earlier ones say."""


@dataclass(frozen=True)
class Residuals:
    """Predictions and residuals by observation, ``(n_obs,)`` float64 each.

    Attributes
    ----------
    pred, ipred
        Predictions at random effects 0 and at those of the subject, in the unit of the data.
    res, ires
        DV minus these.
    wres, cwres, iwres
        Weighted residuals on the scale of the residual error (ln DV where that is log-normal);
        iwres is ``(y - f) / sd`` at the subject's random effects.

    Residuals are NaN where the observation is censored or an outcome with a likelihood of its
    own; of the latter predictions are NaN too.
    """

    pred: Floats
    ipred: Floats
    res: Floats
    ires: Floats
    wres: Floats
    cwres: Floats
    iwres: Floats


def residuals_of(
    result: FitResult, root: Root = "symmetric", rows: Rows | None = None
) -> Residuals:
    """Return predictions and residuals at the estimates.

    Censored observations take no part in the residuals of the others of their subject. The values
    that remain are those above the limit, so that near it their mean is not zero.

    Parameters
    ----------
    root
        Square root of the covariances.
    """
    problem = result.problem
    of = problem.individuals
    rows = rows or rows_of(problem)
    omega = problem.omega.expand(result.omega)
    zero = np.zeros_like(result.etas)
    typical = of.evaluate(result.theta, zero, by_parameters=False)
    own = of.evaluate(result.theta, result.etas, by_parameters=False)
    used = rows.quantified
    v = own.v if of.interaction else typical.v
    shift = np.einsum("jk,jk->j", own.df, result.etas[rows.subject])
    wres = _weighted(rows, used, of.y - typical.f, typical.df, typical.v, omega, root)
    cwres = _weighted(rows, used, of.y - own.f + shift, own.df, v, omega, root)
    with np.errstate(all="ignore"):
        iwres = (of.y - own.f) / np.sqrt(own.v)
    pred = np.where(rows.likelihood, np.nan, rows.natural(typical.f))
    ipred = np.where(rows.likelihood, np.nan, rows.natural(own.f))
    return Residuals(
        pred=pred,
        ipred=ipred,
        res=np.where(used, rows.dv - pred, np.nan),
        ires=np.where(used, rows.dv - ipred, np.nan),
        wres=wres,
        cwres=cwres,
        iwres=np.where(used, iwres, np.nan),
    )


def _weighted(
    rows: Rows, used: Mask, centred: Floats, slopes: Floats, v: Floats, omega: Floats, root: Root
) -> Floats:
    """Return ``V^(-1/2) (y - E)`` subject by subject; NaN where V is not positive definite."""
    found = np.full(centred.size, np.nan)
    starts = rows.starts
    for i in range(len(rows.ids)):
        here = np.arange(starts[i], starts[i + 1])
        here = here[used[here]]
        if here.size == 0:
            continue
        g = slopes[here]
        found[here] = whiten(centred[here], g @ omega @ g.T + np.diag(v[here]), root)
    return found


def whiten(values: Floats, covariance: Floats, root: Root) -> Floats:
    """Return ``covariance^(-1/2) values``; NaN where the covariance is not positive definite.

    Parameters
    ----------
    values : (n,) or (n, m) float64
    covariance : (n, n) float64
    """
    if not np.isfinite(covariance).all():
        return np.full_like(values, np.nan)
    if root == "cholesky":
        try:
            lower = np.linalg.cholesky(covariance)
        except np.linalg.LinAlgError:
            return np.full_like(values, np.nan)
        return np.asarray(np.linalg.solve(lower, values), dtype=np.float64)
    values_, vectors = np.linalg.eigh(covariance)
    if values_[0] <= 0.0:
        return np.full_like(values, np.nan)
    return np.asarray((vectors / np.sqrt(values_)) @ (vectors.T @ values), dtype=np.float64)
