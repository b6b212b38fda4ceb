"""Linear models of values of which some lie below a limit of detection.

A value below its limit adds the probability of being there to the likelihood, in place of a
number put in for it. For log-transformed measurements the errors are normal.

Methods
-------
Tobin, Econometrica 1958;26:24-36, doi 10.2307/1907382, in the parameters ``beta/sigma`` and
``1/sigma``, in which the likelihood is concave (Olsen, Econometrica 1978;46:1211-1215,
doi 10.2307/1911445), so that Newton steps find its only maximum.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from statera.errors import InputError
from statera.numerics.mixed_model import CONSTANT, OK, design_defect

__all__ = ["CensoredFit", "fit_censored"]

Floats = NDArray[np.float64]

_MOST_STEPS = 100
_LN_ROOT_2PI = 0.5 * float(np.log(2.0 * np.pi))


@dataclass(frozen=True)
class CensoredFit:
    """Left-censored normal regressions of m proteins; failed rows are nan.

    Attributes
    ----------
    coefficients, standard_errors, p_values : (m, p) float64
        Errors from the observed information; p-values two-sided by the normal distribution.
    covariance : (m, p, p) float64
    sigma : (m,) float64
        Residual standard deviation by maximum likelihood.
    log_likelihood : (m,) float64
    n, n_censored : (m,) int64
    status : tuple of str
    """

    coefficients: Floats
    standard_errors: Floats
    p_values: Floats
    covariance: Floats
    sigma: Floats
    log_likelihood: Floats
    n: NDArray[np.int64]
    n_censored: NDArray[np.int64]
    status: tuple[str, ...]


def _derivatives(
    x: Floats, y: Floats, below: NDArray[np.bool_], gamma: Floats
) -> tuple[float, Floats, Floats]:
    """Return the log-likelihood in (beta/sigma, 1/sigma), its gradient and its Hessian."""
    theta = gamma[-1]
    # one row per value: d(theta y - x gamma)/d parameters
    slope = np.column_stack([-x, y])
    z = slope @ gamma
    seen = ~below
    value = float(
        seen.sum() * (np.log(theta) - _LN_ROOT_2PI)
        - 0.5 * (z[seen] ** 2).sum()
        + special.log_ndtr(z[below]).sum()
    )
    hazard = np.exp(-0.5 * z[below] ** 2 - _LN_ROOT_2PI - special.log_ndtr(z[below]))
    first = np.where(seen, -z, 0.0)
    first[below] = hazard
    second = np.where(seen, -1.0, 0.0)
    second[below] = -hazard * (z[below] + hazard)
    gradient = slope.T @ first
    hessian = slope.T @ (second[:, None] * slope)
    gradient[-1] += seen.sum() / theta
    hessian[-1, -1] -= seen.sum() / theta**2
    return value, gradient, hessian


def _maximise(
    x: Floats, y: Floats, below: NDArray[np.bool_]
) -> tuple[Floats, float, Floats] | None:
    """Return parameters, log-likelihood and Hessian at the maximum, or None if not reached."""
    beta = np.linalg.lstsq(x, y, rcond=None)[0]
    sigma = float(np.sqrt(np.mean((y - x @ beta) ** 2))) or float(np.std(y))
    gamma = np.append(beta, 1.0) / sigma
    value, gradient, hessian = _derivatives(x, y, below, gamma)
    for _ in range(_MOST_STEPS):
        try:
            step = -np.linalg.solve(hessian, gradient)
        except np.linalg.LinAlgError:
            return None
        decrement = float(gradient @ step)
        if 0.0 <= decrement < 1e-9 and gamma[-1] + step[-1] > 0.0:
            # so near, one whole step squares the error; the value could no longer tell better
            gamma = gamma + step
            value, _, hessian = _derivatives(x, y, below, gamma)
            return gamma, value, hessian
        for halving in range(50):
            trial = gamma + step * 0.5**halving
            if trial[-1] <= 0.0:
                continue
            other = _derivatives(x, y, below, trial)
            if other[0] >= value:
                gamma, (value, gradient, hessian) = trial, other
                break
        else:
            return None
    return None


def fit_censored(values: Floats, limits: Floats, design: Floats) -> CensoredFit:
    """Fit a linear model to every protein, values below their limit being censored there.

    Parameters
    ----------
    values : (m, n) float64
        On a logarithmic scale; nan is missing. A value at or above its limit is taken as it is,
        one below counts as below, whatever number stands for it (``-inf`` too).
    limits : (m,), (n,) for one protein, or (m, n) float64
        Limits of detection on the same scale; nan or ``-inf`` where there is none.
    design : (n, p) float64

    Raises
    ------
    InputError
        If shapes do not agree.
    """
    values = np.atleast_2d(np.asarray(values, dtype=float))
    design = np.asarray(design, dtype=float)
    limits = np.asarray(limits, dtype=float)
    m, (n, p) = values.shape[0], design.shape
    if values.shape[1] != n:
        raise InputError("design and values differ in length", where="censored model")
    if limits.shape == (m,) and (m > 1 or limits.shape != (n,)):
        limits = limits[:, None]
    try:
        limits = np.broadcast_to(limits, values.shape)
    except ValueError as error:
        raise InputError(
            "limits fit neither the proteins nor the values", where="limits"
        ) from error
    nan = np.nan
    fit = CensoredFit(
        np.full((m, p), nan), np.full((m, p), nan), np.full((m, p), nan), np.full((m, p, p), nan),
        np.full(m, nan), np.full(m, nan), np.zeros(m, dtype=np.int64), np.zeros(m, dtype=np.int64),
        (),
    )  # fmt: skip
    status = tuple(_fit_row(values[row], limits[row], design, fit, row) for row in range(m))
    return CensoredFit(**{**fit.__dict__, "status": status})


def _fit_row(values: Floats, limits: Floats, design: Floats, fit: CensoredFit, row: int) -> str:
    """Write one row of `fit` and return its status."""
    keep = ~np.isnan(values) & (values < np.inf)
    x = design[keep]
    below = values[keep] < np.where(np.isnan(limits[keep]), -np.inf, limits[keep])
    y = np.where(below, limits[keep], values[keep])
    fit.n[row], fit.n_censored[row] = y.size, below.sum()
    if y.size and below.all():
        return "all values are below the limit of detection"
    if not np.isfinite(y).all():
        return "a value is infinite and has no limit"
    if defect := design_defect(x):
        return defect
    # without this a coefficient of a group wholly below its limit runs to minus infinity
    if np.linalg.matrix_rank(x[~below]) < x.shape[1]:
        return "a group has all its values below the limit of detection"
    residual = y - x @ np.linalg.lstsq(x, y, rcond=None)[0]
    if float(residual @ residual) <= 1e-24 * max(float(y @ y), 1e-280):
        return CONSTANT
    found = _maximise(x, y, below)
    if found is None:
        return "the likelihood was not brought to its maximum"
    gamma, value, hessian = found
    sigma = 1.0 / gamma[-1]
    beta = gamma[:-1] * sigma
    # beta = gamma / theta, so d beta = (d gamma - beta d theta) sigma
    change = sigma * np.column_stack([np.eye(beta.size), -beta])
    covariance = change @ np.linalg.inv(-hessian) @ change.T
    error = np.sqrt(np.diag(covariance))
    fit.coefficients[row], fit.standard_errors[row] = beta, error
    fit.covariance[row], fit.sigma[row], fit.log_likelihood[row] = covariance, sigma, value
    fit.p_values[row] = 2.0 * special.ndtr(-np.abs(beta / error))
    return OK
