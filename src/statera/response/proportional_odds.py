"""Test of proportional odds: whether one coefficient holds at every cut point.

Brant, Biometrics 1990;46:1171-1178 (doi 10.2307/2532457): logistic fits at each cut point, and a
Wald test that their coefficients agree. A saturating effect enters with its EC50 as fitted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import chi2

from statera.errors import InputError
from statera.response.binary import Binary
from statera.response.effect_forms import EffectForm
from statera.response.fit import ResponseFit
from statera.response.maximise import maximise
from statera.response.ordinal import Ordinal
from statera.response.problem import Problem
from statera.response.separation import separating

__all__ = ["ProportionalOdds", "proportional_odds_test"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ProportionalOdds:
    """Wald test of equal coefficients.

    Attributes
    ----------
    statistic, df, p_value
        Chi-square, all columns together.
    names : (c,)
        Columns.
    coefficients : (cuts, c) float64
        Of the separate fits.
    by_column : (c, 3) float64
        Statistic, degrees of freedom and p-value of each column alone.
    """

    statistic: float
    df: int
    p_value: float
    names: tuple[str, ...]
    coefficients: Floats
    by_column: Floats


def proportional_odds_test(fit: ResponseFit) -> ProportionalOdds:
    """Return Brant's test of a fit with ordered grades.

    Raises
    ------
    InputError
        If the outcome is not ordered, has two grades only, nothing to test, or a cut point whose
        answers are separated.
    """
    outcome, problem = fit.problem.outcome, fit.problem
    if not isinstance(outcome, Ordinal) or len(outcome.levels) < 3:
        raise InputError("proportional odds are tested for three ordered grades or more")
    columns, names = problem.covariates, problem.names
    if problem.form.name != "none":
        _, slope, _ = problem.form.evaluate(
            problem.exposure.mean(axis=1), fit.theta[problem.slice_of_effect()]
        )
        columns, names = np.column_stack([columns, slope[:, 0]]), (*names, "exposure")
    c = columns.shape[1]
    if c == 0 or not fit.usable:
        raise InputError("there is no coefficient to test")
    design = np.column_stack([np.ones(outcome.n), columns])
    cuts = len(outcome.levels) - 1
    chance, coefficients, inverse = [], np.zeros((cuts, c)), []
    for k in range(cuts):
        own = Binary(outcome.grade > k, outcome.people)
        if separating(own, design, ("intercept", *names)):
            raise InputError(f"at '{outcome.levels[k + 1]}' the answers are separated")
        one = Problem(own, np.zeros((outcome.n, 1)), columns, names, EffectForm("none"))
        found = maximise(one.evaluate, np.concatenate([own.start(), np.zeros(c)]))
        p = expit(design @ found.x)
        chance.append(p)
        coefficients[k] = found.x[1:]
        inverse.append(np.linalg.inv(design.T @ ((p * (1.0 - p))[:, None] * design)))
    covariance = np.zeros((cuts * c, cuts * c))
    for k in range(cuts):
        for m in range(k, cuts):
            # a grade above the higher cut is above the lower one as well
            w = chance[m] * (1.0 - chance[k])
            block = inverse[k] @ (design.T @ (w[:, None] * design)) @ inverse[m]
            covariance[k * c : k * c + c, m * c : m * c + c] = block[1:, 1:]
            covariance[m * c : m * c + c, k * c : k * c + c] = block[1:, 1:].T
    alone = [_wald(coefficients[:, [j]], covariance[j::c, j::c]) for j in range(c)]
    statistic, df, p_value = _wald(coefficients, covariance)
    return ProportionalOdds(
        statistic, int(df), p_value, names, coefficients, np.array(alone).reshape(c, 3)
    )


def _wald(coefficients: Floats, covariance: Floats) -> tuple[float, float, float]:
    """Return the test that all rows of coefficients are equal."""
    cuts, c = coefficients.shape
    contrast = np.hstack([np.tile(-np.eye(c), (cuts - 1, 1)), np.eye((cuts - 1) * c)])
    gap = contrast @ coefficients.ravel()
    statistic = float(gap @ np.linalg.solve(contrast @ covariance @ contrast.T, gap))
    df = (cuts - 1) * c
    return statistic, float(df), float(chi2.sf(statistic, df))
