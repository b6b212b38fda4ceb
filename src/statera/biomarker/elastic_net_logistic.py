"""Logistic regression with an elastic-net penalty, for a whole path of penalties at once.

The objective is ``-(1/n) log likelihood + penalty (l1 |b|_1 + (1 - l1) |b|^2 / 2)`` with an
intercept that is not penalised (Zou and Hastie, J R Stat Soc B 2005;67:301-320,
doi 10.1111/j.1467-9868.2005.00503.x). It is solved by reweighted least squares along a decreasing
path with warm starts (Friedman, Hastie and Tibshirani, J Stat Softw 2010;33(1),
doi 10.18637/jss.v033.i01): each least-squares problem is handed to scikit-learn's coordinate
descent, over the predictors in use and those whose gradient breaks the optimality condition.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from statera.biomarker.require_sklearn import require_sklearn, without_checks
from statera.biomarker.score_model import LinearScore, probability

__all__ = ["ElasticNetPath", "fit_elastic_net_path"]

Floats = NDArray[np.float64]

_REWEIGHTS = 50
_ROUNDS = 50
_TOLERANCE = 1e-9
_LEAST_WEIGHT = 1e-5
_SATURATED = 0.99


@dataclass(frozen=True)
class ElasticNetPath:
    """Solutions along the path, the largest penalty first.

    Attributes
    ----------
    fractions : (s,) float64
        Penalties as shares of the least one that leaves no predictor in.
    largest
        That penalty.
    intercepts : (s,) float64
    coefficients : (s, k) float64
        Where the model came to fit the training samples almost wholly, the rest of the path
        repeats the last solution.
    converged
        Whether every solution met the tolerance.
    """

    fractions: Floats
    largest: float
    intercepts: Floats
    coefficients: Floats
    converged: bool

    def log_odds(self, x: Floats) -> Floats:
        """Return log odds (n, s) of predictors (n, k)."""
        return np.asarray(self.intercepts + x @ self.coefficients.T)

    def at(self, place: int) -> LinearScore:
        """Return one solution."""
        return LinearScore(float(self.intercepts[place]), self.coefficients[place])


def fit_elastic_net_path(
    x: Floats, outcome: NDArray[np.bool_], l1_ratio: float, fractions: Floats
) -> ElasticNetPath:
    """Return the solutions of a path.

    Parameters
    ----------
    x : (n, k) float64
        Standardised predictors.
    outcome : (n,) bool
        Both classes.
    l1_ratio
        Above 0, at most 1 (lasso).
    fractions : (s,) float64
        Decreasing, at most 1.

    Raises
    ------
    UsageError
        If scikit-learn is absent.
    """
    enet_path: Any = require_sklearn("sklearn.linear_model").enet_path
    y = outcome.astype(float)
    n, k = x.shape
    rate = float(y.mean())
    intercept, beta = float(np.log(rate / (1.0 - rate))), np.zeros(k)
    largest = float(np.abs(x.T @ (y - rate)).max(initial=0.0)) / n / l1_ratio
    intercepts, path = np.empty(fractions.size), np.empty((fractions.size, k))
    null, converged = _deviance(np.full(n, intercept), y), True
    score = np.full(n, intercept)
    with without_checks():
        for place, fraction in enumerate(fractions):
            penalty = fraction * largest
            if penalty > 0.0:
                intercept, beta, score, met = _solve(
                    enet_path, x, y, l1_ratio, penalty, intercept, beta, score
                )
                converged &= met
            intercepts[place], path[place] = intercept, beta
            if _deviance(score, y) < (1.0 - _SATURATED) * null:
                intercepts[place:], path[place:] = intercept, beta
                break
    return ElasticNetPath(fractions, largest, intercepts, path, converged)


def _solve(
    enet_path: Any, x: Floats, y: Floats, l1: float, penalty: float, intercept: float,
    beta: Floats, score: Floats,
) -> tuple[float, Floats, Floats, bool]:  # fmt: skip
    """Return the solution at one penalty with its log odds, started at the one before."""
    beta, met = beta.copy(), True
    working = beta != 0.0
    for _ in range(_ROUNDS):
        if working.any():
            part = np.asfortranarray(x[:, working])
            intercept, own, met = _reweighted(
                enet_path, part, y, l1, penalty, intercept, beta[working]
            )
            beta[working], score = own, intercept + part @ own
        # the one pass over all predictors
        gradient = (y - probability(score)) @ x / y.size
        broken = ~working & (np.abs(gradient) > penalty * l1 * (1.0 + 1e-6))
        if not broken.any():
            return intercept, beta, score, met
        working |= broken
    return intercept, beta, score, False


def _reweighted(
    enet_path: Any, x: Floats, y: Floats, l1: float, penalty: float, intercept: float, beta: Floats
) -> tuple[float, Floats, bool]:
    """Solve over the predictors given by reweighted least squares."""
    n = y.size
    for _ in range(_REWEIGHTS):
        score = intercept + x @ beta
        chance = probability(score)
        weight = np.maximum(chance * (1.0 - chance), _LEAST_WEIGHT)
        target = score + (y - chance) / weight
        share = weight / weight.sum()
        mean_x, mean_y = share @ x, float(share @ target)
        root = np.sqrt(weight)
        # sums of squares stay those of n samples, so that the penalty keeps its meaning
        scaled = np.asfortranarray((x - mean_x) * root[:, None])
        new = enet_path(
            scaled, (target - mean_y) * root, l1_ratio=l1, alphas=[penalty],
            coef_init=beta.copy(), precompute=False, check_input=False, copy_X=False,
            tol=1e-9, max_iter=5000,
        )[1][:, 0]  # fmt: skip
        step = float(np.abs(new - beta).max(initial=0.0))
        moved = float((weight * (x @ (new - beta)) ** 2).sum()) / n
        intercept, beta = mean_y - float(mean_x @ new), np.array(new)
        if moved < _TOLERANCE or step < _TOLERANCE:
            return intercept, beta, True
    return intercept, beta, False


def _deviance(score: Floats, y: Floats) -> float:
    return float(2.0 * (np.logaddexp(0.0, score) - y * score).sum())
