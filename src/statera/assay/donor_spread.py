"""How well the spread between donors is known: profiles, tests, and the exact likelihood."""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq, minimize
from scipy.stats import chi2

from statera.assay.donor_search import (
    DonorModel,
    DonorState,
    donor_parameters,
    factor_of,
    response_scale,
)
from statera.assay.logistic import logistic
from statera.numerics.linear_mixed import log_likelihood, solve_mixed

__all__ = ["boundary_p_value", "quadrature_log_likelihood", "spread_interval"]

Floats = NDArray[np.float64]

_REACH = 12.0
"""Natural logarithm of the factor from the estimate at which an end counts as open."""


def boundary_p_value(ratio: float, effects: int = 1) -> float:
    """Return the p value of a likelihood ratio against a variance of zero.

    Half the weight on chi-squared of `effects` - 1 degrees of freedom, half on `effects`: the
    term's variance and, in a block, its covariances. Source: Self and Liang, J Am Stat Assoc 1987
    (doi 10.1080/01621459.1987.10478472).
    """
    if np.isnan(ratio):
        return ratio
    ratio = max(ratio, 0.0)
    fewer = float(chi2.sf(ratio, effects - 1)) if effects > 1 else float(ratio <= 0)
    return 0.5 * fewer + 0.5 * float(chi2.sf(ratio, effects))


def spread_interval(
    model: DonorModel, state: DonorState, term: int, level: float
) -> tuple[float, float]:
    """Return the profile-likelihood interval of a standard deviation between donors.

    All other variances and the residual one are estimated anew, with the curve linearised at the
    estimates. The lower end is 0 where the likelihood does not rule that out.

    Parameters
    ----------
    model, state
    term
        Which of the random effects.
    level
    """
    sums, q = state.sums, model.random.size
    scale, block = response_scale(sums), model.block
    best = float(np.linalg.norm(state.relative[term])) * state.sigma
    wanted = state.log_likelihood - 0.5 * float(chi2.ppf(level, 1))
    scaled = scale[:, None] * state.relative
    start = np.append(np.log(np.maximum(np.diagonal(scaled), 1e-4)), scaled[np.tril_indices(q, -1)])
    start = start if block else start[:q]
    warm = np.append(start, np.log(state.sigma))
    bounds = [(np.log(1e-4), np.log(1e4))] * q + [(-1e4, 1e4)] * (start.size - q) + [(None, None)]

    def highest(ln_sd: float) -> float:
        sd = float(np.exp(ln_sd))

        def minus(t: Floats) -> float:
            sigma = float(np.exp(t[-1]))
            factor = factor_of(t[:-1], scale, block)
            factor[term] *= sd / sigma / float(np.linalg.norm(factor[term]))
            value = -log_likelihood(sums, solve_mixed(sums, factor), model.reml, sigma)
            return value if np.isfinite(value) else 1e10

        found = minimize(minus, warm, method="L-BFGS-B", jac="3-point", bounds=bounds)
        warm[:] = found.x
        return -float(found.fun) - wanted

    centre = float(np.log(best))
    ends = []
    for sign in (-1.0, 1.0):
        inside, step = centre, 0.4
        outside = np.nan
        while step < 2 * _REACH:
            at = centre + sign * min(step, _REACH)
            if highest(at) < 0:
                outside = at
                break
            inside, step = at, step * 1.6
        warm[:] = np.append(start, np.log(state.sigma))
        if np.isnan(outside):
            ends.append(0.0 if sign < 0 else float("inf"))
        else:
            a, b = sorted((inside, outside))
            ends.append(float(np.exp(brentq(highest, a, b, xtol=1e-5))))
        warm[:] = np.append(start, np.log(state.sigma))
    return ends[0], ends[1]


def quadrature_log_likelihood(model: DonorModel, state: DonorState, nodes: int = 7) -> float:
    """Return the log-likelihood by adaptive Gauss-Hermite quadrature at the estimates.

    Nodes lie about each donor's most likely effects, spread by the Gauss-Newton curvature
    (Pinheiro and Bates, J Comput Graph Stat 1995). It does not depend on the linearisation; the
    restricted likelihood has no such form.

    Parameters
    ----------
    model, state
    nodes
        For each random effect.
    """
    sigma, relative, q = state.sigma, state.relative, model.random.size
    curves = model.curves
    rows = np.sum(curves.weight > 0, axis=1)
    logs = 0.5 * np.sum(np.log(np.where(curves.weight > 0, curves.weight, 1.0)), axis=1)
    constant = logs - 0.5 * rows * np.log(2.0 * np.pi * sigma**2)
    inner = state.solution.effects / sigma
    curvature = np.eye(q) + relative.T @ state.sums.zz @ relative
    factor = np.linalg.cholesky(curvature)
    log_det = np.log(np.diagonal(factor, axis1=1, axis2=2)).sum(axis=1)
    spread = np.swapaxes(np.linalg.inv(factor), 1, 2)
    x, w = np.polynomial.hermite.hermgauss(nodes)
    terms = []
    for pick in product(range(nodes), repeat=q):
        z = x[list(pick)]
        v = inner + np.sqrt(2.0) * np.einsum("mij,j->mi", spread, z)
        p = donor_parameters(model, state.beta, sigma * v @ relative.T)
        r = curves.response - logistic(curves.ln_dose, p)
        squares = np.sum(curves.weight * r * r, axis=1)
        value = constant - 0.5 * squares / sigma**2 - 0.5 * np.sum(v * v, axis=1)
        terms.append(value + np.sum(np.log(w[list(pick)])) + float(z @ z))
    total = np.logaddexp.reduce(np.array(terms), axis=0)
    # (2 pi)^(-q/2) of the normal density and 2^(q/2) of the nodes leave pi^(-q/2)
    return float(np.sum(total - log_det - 0.5 * q * np.log(np.pi)))
