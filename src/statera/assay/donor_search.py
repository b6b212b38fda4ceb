"""Search for the estimates of curves whose parameters differ between donors.

Alternates a penalised nonlinear least-squares step for means and donors' effects with a linear
mixed model of the curve linearised at these, for the variances (Lindstrom and Bates, Biometrics
1990). At the end the log-likelihood of that linear model is Laplace's with the Gauss-Newton
curvature.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from statera.assay.fit_curves import Curves
from statera.assay.logistic import logistic, logistic_jacobian
from statera.numerics.linear_mixed import (
    CrossProducts,
    MixedSolution,
    cross_products,
    log_likelihood,
    log_likelihood_gradient,
    solve_mixed,
)

__all__ = [
    "DonorModel",
    "DonorState",
    "donor_parameters",
    "factor_of",
    "linearised",
    "response_scale",
    "search",
]

Floats = NDArray[np.float64]
Columns = NDArray[np.int64]

_FLOOR, _CEILING = float(np.log(1e-4)), float(np.log(1e4))
"""Bounds of ln of a standard deviation's effect on the response, in residual SDs."""


@dataclass(frozen=True)
class DonorModel:
    """What is estimated.

    Attributes
    ----------
    curves
        One row a donor.
    base : (5,) float64
        Values of fixed parameters.
    free, random : (p,), (q,) int64
        Columns estimated, and those among them that differ between donors.
    block
        Whether random effects are correlated.
    reml
    """

    curves: Curves
    base: Floats
    free: Columns
    random: Columns
    block: bool
    reml: bool


@dataclass(frozen=True)
class DonorState:
    """Where a search stands.

    Attributes
    ----------
    beta : (p,) float64
        Means.
    effects : (m, q) float64
        Of donors, on the scale of the parameters.
    relative : (q, q) float64
        Cholesky factor of their covariance over sigma.
    sums
        Cross-products of the curve linearised here.
    solution
        Of the linear model.
    log_likelihood
    converged
    """

    beta: Floats
    effects: Floats
    relative: Floats
    sums: CrossProducts
    solution: MixedSolution
    log_likelihood: float
    converged: bool

    @property
    def sigma(self) -> float:
        """Residual standard deviation by maximum likelihood."""
        return float(np.sqrt(self.solution.sum_of_squares / self.sums.n))


def donor_parameters(model: DonorModel, beta: Floats, effects: Floats) -> Floats:
    """Return the parameters of all donors, (m, 5)."""
    p = np.tile(model.base, (effects.shape[0], 1))
    p[:, model.free] = beta
    p[:, model.random] += effects
    return p


def linearised(model: DonorModel, beta: Floats, effects: Floats) -> CrossProducts:
    """Return the cross-products of the curve linearised at means and effects.

    Its response is residual plus the part of the effects, so that its beta is a step from `beta`.
    """
    curves = model.curves
    value, slopes = logistic_jacobian(curves.ln_dose, donor_parameters(model, beta, effects))
    x, z = slopes[..., model.free], slopes[..., model.random]
    rest = curves.response - value + np.einsum("mnq,mq->mn", z, effects)
    return cross_products(x, z, rest, curves.weight)


def factor_of(theta: Floats, scale: Floats, block: bool) -> Floats:
    """Return L (q, q) from ln of its scaled diagonal and, for a block, what is below it."""
    q = scale.size
    factor = np.diag(np.exp(theta[:q]))
    if block and q > 1:
        factor[np.tril_indices(q, -1)] = theta[q:]
    found: Floats = factor / scale[:, None]
    return found


def search(model: DonorModel, beta: Floats, max_rounds: int = 60) -> DonorState:
    """Return the estimates from a start without effects."""
    m, q = model.curves.response.shape[0], model.random.size
    effects = np.zeros((m, q))
    sums = linearised(model, beta, effects)
    count = q + (q * (q - 1) // 2 if model.block else 0)
    theta = np.zeros(count)
    relative = factor_of(theta, response_scale(sums), model.block)
    state = DonorState(beta, effects, relative, sums, solve_mixed(sums, relative), -np.inf, False)
    for _ in range(max_rounds):
        last = state
        state = _penalised(model, state)
        state, theta = _variances(model, state, theta)
        moved = np.abs(state.beta - last.beta) / (np.abs(state.beta) + 1e-3)
        # variances that vanish drift along a flat floor: what the response sees of them counts
        scale = response_scale(state.sums)[:, None]
        spread = np.abs(scale * (state.relative - last.relative)).max(initial=0.0)
        gain = abs(state.log_likelihood - last.log_likelihood)
        if moved.max() < 1e-7 and spread < 1e-5 and gain < 1e-8:
            return replace(_penalised(model, state), converged=True)
    return _penalised(model, state)


def response_scale(sums: CrossProducts) -> Floats:
    """Return the root mean square slope of the response by each random parameter, (q,)."""
    squares = np.diagonal(sums.zz, axis1=1, axis2=2).sum(0)
    found: Floats = np.sqrt(np.maximum(squares, 1e-300) / sums.n)
    return found


def _penalised(model: DonorModel, state: DonorState) -> DonorState:
    """Take Gauss-Newton steps for means and effects with L held, halved where they do not help."""
    curves, relative = model.curves, state.relative
    beta, effects = state.beta, state.effects
    inner = _inner(relative, effects)

    def objective(b: Floats, u: Floats) -> float:
        p = donor_parameters(model, b, u @ relative.T)
        r = curves.response - logistic(curves.ln_dose, p)
        found = float(np.sum(curves.weight * r * r) + np.sum(u * u))
        return found if np.isfinite(found) else np.inf

    effects = inner @ relative.T
    now = objective(beta, inner)
    sums = linearised(model, beta, effects)
    solution = solve_mixed(sums, relative)
    for _ in range(60):
        share, improved = 1.0, False
        for _ in range(25):
            b, u = beta + share * solution.beta, inner + share * (solution.effects - inner)
            new = objective(b, u)
            if new <= now:
                improved = True
                break
            share *= 0.5
        if not improved:
            break
        small = now - new <= 1e-13 * now
        beta, inner, now = b, u, new
        effects = inner @ relative.T
        sums = linearised(model, beta, effects)
        solution = solve_mixed(sums, relative)
        if small:
            break
    value = log_likelihood(sums, solution, model.reml)
    return DonorState(beta, effects, relative, sums, solution, value, state.converged)


def _inner(relative: Floats, effects: Floats) -> Floats:
    """Return effects in units of L."""
    if effects.size == 0:
        return effects
    found: Floats = np.asarray(np.linalg.solve(relative, effects.T).T, dtype=np.float64)
    return found


def _variances(model: DonorModel, state: DonorState, theta: Floats) -> tuple[DonorState, Floats]:
    """Return the state with the likeliest L of the linear model."""
    if theta.size == 0:
        return state, theta
    scale, q = response_scale(state.sums), model.random.size

    below = np.tril_indices(q, -1)

    def minus(t: Floats) -> tuple[float, Floats]:
        factor = factor_of(t, scale, model.block)
        solution = solve_mixed(state.sums, factor)
        slopes = log_likelihood_gradient(state.sums, factor, solution, model.reml)
        by_t = np.diagonal(slopes) * np.diagonal(factor)
        if model.block:
            by_t = np.append(by_t, (slopes / scale[:, None])[below])
        return -log_likelihood(state.sums, solution, model.reml), -by_t

    bounds = [(_FLOOR, _CEILING)] * q + [(-1e4, 1e4)] * (theta.size - q)
    found = minimize(
        minus,
        theta,
        method="L-BFGS-B",
        jac=True,
        bounds=bounds,
        options={"ftol": 1e-14, "gtol": 1e-7, "maxiter": 300},
    )
    best = np.asarray(found.x if found.fun <= minus(theta)[0] else theta)
    return replace(state, relative=factor_of(best, scale, model.block)), best
