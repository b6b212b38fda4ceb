"""Linear mixed models with several variance components, one response at a time.

``y = X beta + sum_k Z_k b_k + e``, every ``b_k`` independent normal with its own variance: crossed
and nested random effects. Covariances are dense (n, n), for some hundreds of values.

Methods
-------
Newton steps with the average information, Gilmour and others, Biometrics 1995;51:1440-1450,
doi 10.2307/2533274, with steps halved until the likelihood rises and variances held at zero
where they would fall below.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from statera.errors import InputError, NumericalError
from statera.numerics.mixed_model import (
    CONSTANT,
    OK,
    ZERO_VARIANCE,
    MixedFit,
    design_defect,
    empty_fit,
)

__all__ = ["fit_variance_components"]

Floats = NDArray[np.float64]

_MOST_STEPS = 200
_LN_2PI = float(np.log(2.0 * np.pi))


@dataclass(frozen=True)
class _State:
    """The likelihood and its derivatives at one set of variances."""

    log_likelihood: float
    gradient: Floats
    average: Floats
    inverse: Floats
    covariance: Floats
    projection: Floats


def _state(
    x: Floats, kernels: Sequence[Floats], y: Floats, variances: Floats, reml: bool
) -> _State | None:
    """Return the likelihood at `variances`, or None where the covariance is not positive."""
    n = y.size
    v = sum((s * k for s, k in zip(variances, kernels, strict=True)), np.zeros((n, n)))
    try:
        root = np.linalg.cholesky(v)
    except np.linalg.LinAlgError:
        return None
    inverse = np.linalg.inv(v)
    information = x.T @ inverse @ x
    covariance = np.asarray(np.linalg.inv(information), dtype=np.float64)
    projection = inverse - inverse @ x @ covariance @ x.T @ inverse
    py = projection @ y
    log_det = 2.0 * float(np.log(np.diag(root)).sum())
    count = float(n)
    if reml:
        log_det += float(np.linalg.slogdet(information)[1])
        count -= x.shape[1]
    value = -0.5 * (count * _LN_2PI + log_det + float(y @ py))
    weight = projection if reml else inverse
    moved = [k @ py for k in kernels]
    gradient = np.array(
        [
            0.5 * (py @ m - np.einsum("ij,ji->", weight, k))
            for k, m in zip(kernels, moved, strict=True)
        ]
    )
    stacked = np.array(moved)
    average = 0.5 * stacked @ projection @ stacked.T
    return _State(value, gradient, average, inverse, covariance, projection)


def _climb(
    x: Floats, kernels: Sequence[Floats], y: Floats, start: Floats, reml: bool
) -> tuple[Floats, _State, bool]:
    """Return the variances that maximise the likelihood, and whether they were reached."""
    theta = start
    state = _state(x, kernels, y, theta, reml)
    if state is None:
        raise NumericalError("the covariance is not positive definite at the start")
    for _ in range(_MOST_STEPS):
        free = (theta > 0.0) | (state.gradient > 0.0)
        gradient = np.where(free, state.gradient, 0.0)
        if np.abs(gradient * np.maximum(theta, 1e-6 * theta.max())).max() < 1e-9:
            return theta, state, True
        step = np.zeros_like(theta)
        block = state.average[np.ix_(free, free)]
        step[free] = np.linalg.lstsq(block, gradient[free], rcond=None)[0]
        moved = False
        for halving in range(40):
            trial = np.maximum(theta + step * 0.5**halving, 0.0)
            trial = np.where(trial < 1e-12 * trial.max(), 0.0, trial)
            trial[-1] = max(trial[-1], 1e-10 * theta.max())
            other = _state(x, kernels, y, trial, reml)
            if other is not None and other.log_likelihood > state.log_likelihood:
                theta, state, moved = trial, other, True
                break
        if not moved:
            close = np.abs(gradient * np.maximum(theta, 0.0)).max() < 1e-5
            return theta, state, bool(close)
    return theta, state, False


def fit_variance_components(
    x: Floats, effects: Sequence[Floats], y: Floats, method: str = "REML"
) -> MixedFit:
    """Fit one response with several random effects.

    Parameters
    ----------
    x : (n, p) float64
        Fixed effects.
    effects : sequence of (n, q_k) float64
        Design of every random effect; the residual is added.
    y : (n,) float64
        Response; rows with nan are left out.
    method
        ``REML`` or ``ML``.

    Returns
    -------
    MixedFit
        With one row; variances in the order of `effects`, the residual last.

    Raises
    ------
    InputError
        If the lengths do not agree or the method is not known.
    """
    if method not in ("REML", "ML"):
        raise InputError(f"{method!r} is not a method", hint="Use REML or ML.")
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    if any(z.shape[0] != y.size for z in (x, *effects)):
        raise InputError("the designs and the response differ in length", where="mixed model")
    keep = np.isfinite(y)
    x, y = x[keep], y[keep]
    k = len(effects) + 1
    if defect := design_defect(x):
        return empty_fit(1, x.shape[1], k, method, defect)
    kernels = [z[keep] @ z[keep].T for z in effects] + [np.eye(y.size)]
    residual = y - x @ np.linalg.lstsq(x, y, rcond=None)[0]
    scale = float(residual @ residual) / (y.size - x.shape[1])
    if scale <= 1e-20 * max(1e-280, float(y @ y)):
        return empty_fit(1, x.shape[1], k, method, CONSTANT)
    root = np.sqrt(scale)
    start = np.full(k, 1.0 / k)
    theta, state, reached = _climb(x, kernels, y / root, start, method == "REML")
    if not reached:
        return empty_fit(1, x.shape[1], k, method, "the likelihood was not brought to its maximum")
    fit = _describe(x, kernels, y / root, theta, state, method)
    return _rescale(fit, scale, y.size, x.shape[1])


def _describe(
    x: Floats, kernels: Sequence[Floats], y: Floats, theta: Floats, state: _State, method: str
) -> MixedFit:
    """Return the fit with the matrices its tests need."""
    k, p = theta.size, x.shape[1]
    weight = state.projection if method == "REML" else state.inverse
    vx = state.inverse @ x
    moved = [kernel @ vx for kernel in kernels]
    traced = [weight @ kernel for kernel in kernels]
    py = state.projection @ y
    along = np.array([kernel @ py for kernel in kernels])
    first = np.array([vx.T @ m for m in moved])
    second, expected = np.empty((k, k, p, p)), np.empty((k, k))
    for a in range(k):
        for b in range(k):
            second[a, b] = moved[a].T @ state.inverse @ moved[b]
            expected[a, b] = 0.5 * np.einsum("ij,ji->", traced[a], traced[b])
    observed = along @ state.projection @ along.T - expected
    return MixedFit(
        (state.covariance @ vx.T @ y)[None],
        state.covariance[None],
        theta[None],
        first[None],
        second[None],
        observed[None],
        expected[None],
        np.array([state.log_likelihood]),
        np.array([y.size], dtype=np.int64),
        method,
        (ZERO_VARIANCE if (theta <= 0.0).any() else OK,),
    )


def _rescale(fit: MixedFit, scale: float, n: int, p: int) -> MixedFit:
    """Return the fit of y from that of y over the root of `scale`."""
    shift = 0.5 * (n - (p if fit.method == "REML" else 0)) * np.log(scale)
    return MixedFit(
        fit.beta * np.sqrt(scale),
        fit.covariance * scale,
        fit.variances * scale,
        fit.first / scale**2,
        fit.second / scale**3,
        fit.observed_information / scale**2,
        fit.expected_information / scale**2,
        fit.log_likelihood - shift,
        fit.n,
        fit.method,
        fit.status,
    )
