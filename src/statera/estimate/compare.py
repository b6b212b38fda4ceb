"""Comparison of fits: likelihood-ratio test and information criteria."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc

from statera.errors import UsageError
from statera.estimate.problem import Problem
from statera.estimate.result import FitResult
from statera.estimate.terms import GAUSS, TRUNCATED
from statera.numerics.expression import free_names
from statera.simulate import full_formula

__all__ = ["InformationCriteria", "RatioTest", "information_criteria", "likelihood_ratio"]

_LN_2PI = float(np.log(2.0 * np.pi))


@dataclass(frozen=True)
class RatioTest:
    """A likelihood-ratio test.

    Attributes
    ----------
    drop
        Objective of the smaller model less that of the larger.
    df
        Difference of the numbers of estimated parameters.
    p_value
        From chi-square with `df` degrees of freedom; NaN where the test does not hold.
    statement
        What the test assumes.
    warnings
        Why it may not hold.
    """

    drop: float
    df: int
    p_value: float
    statement: str
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class InformationCriteria:
    """Criteria of one fit: smaller is better, among fits of the same data by the same method.

    Attributes
    ----------
    minus_2ll
        -2 log-likelihood, ``n ln 2 pi`` of the quantified observations included.
    n_parameters, n_subjects, n_observations
        Counts.
    aic, bic
        ``-2LL + 2 p`` and ``-2LL + p ln(n_observations)``.
    bic_mixed
        With ``ln(n_subjects)`` for parameters of random effects and ``ln(n_observations)`` for
        the others (Delattre, Lavielle and Poursat 2014, doi 10.1214/14-EJS890).
    """

    minus_2ll: float
    n_parameters: int
    n_subjects: int
    n_observations: int
    aic: float
    bic: float
    bic_mixed: float


def likelihood_ratio(smaller: FitResult, larger: FitResult) -> RatioTest:
    """Test whether the larger model describes the data better than chance would let it.

    That the models are nested is the user's claim: it is not checked, only stated.

    Raises
    ------
    UsageError
        If the larger model does not have more parameters, or data or methods differ.
    """
    df = larger.problem.n_free - smaller.problem.n_free
    if df <= 0:
        raise UsageError(
            f"the larger model has {larger.problem.n_free} estimated parameters and the smaller "
            f"one {smaller.problem.n_free}",
            where="larger",
            hint="Give the model with more parameters second; otherwise compare AIC or BIC.",
        )
    one, two = smaller.problem.individuals, larger.problem.individuals
    if one.y.shape != two.y.shape or one.n_subjects != two.n_subjects:
        raise UsageError(
            f"the fits hold different data ({one.y.size} and {two.y.size} observations of "
            f"{one.n_subjects} and {two.n_subjects} subjects)",
            where="larger",
            hint="Fit both models to the same observations.",
        )
    if smaller.method != larger.method:
        raise UsageError(
            f"the objectives of {smaller.method} and {larger.method} cannot be compared",
            where="larger",
            hint="Fit both models by the same method.",
        )
    drop = smaller.ofv - larger.ofv
    warnings = [
        f"the fit of the {which} model has the status '{fit.status}'"
        for which, fit in (("smaller", smaller), ("larger", larger))
        if fit.status != "converged"
    ]
    if drop < 0.0:
        warnings.append(
            f"the larger model has the higher objective (by {-drop:.4g}): it is not at its "
            "minimum, or the models are not nested"
        )
    added = larger.problem.omega.size - smaller.problem.omega.size
    if added > 0:
        warnings.append(
            "the larger model has more entries of Omega: under the smaller one a variance lies at "
            "its boundary, and the p-value is too large"
        )
    counts = [_subpopulations(fit) for fit in (smaller, larger)]
    if counts[0] != counts[1]:
        warnings.append(
            f"the models have {counts[0]} and {counts[1]} subpopulations: under the smaller one "
            "parameters of the larger lie at a boundary or are not determined, and the drop is "
            "not chi-square; simulate from the smaller model and fit both for a p-value"
        )
    if smaller.method == "its":
        warnings.append(
            "ITS ends near the minimum of its objective, not at it: fit both models by focei"
        )
    if smaller.method == "fo":
        warnings.append("FO is known to reject true smaller models too often")
    p = float(chdtrc(df, drop)) if drop >= 0.0 and np.isfinite(drop) else float("nan")
    statement = (
        f"the smaller model is claimed to be the larger one with {df} parameter"
        f"{'s' if df > 1 else ''} held; this is not checked"
    )
    return RatioTest(drop, df, p, statement, tuple(warnings))


def _subpopulations(fit: FitResult) -> int:
    mixture = fit.problem.model.mixture
    return 1 if mixture is None else len(mixture.subpopulations)


def information_criteria(result: FitResult) -> InformationCriteria:
    """Return information criteria of a fit."""
    problem = result.problem
    of = problem.individuals
    quantified = int(np.isin(of.kind, (GAUSS, TRUNCATED)).sum())
    minus = result.ofv + quantified * _LN_2PI
    p, n, m = problem.n_free, int((of.counts > 0).sum()), of.y.size
    random = problem.omega.size + sum(
        1 for i in problem.theta.free if _is_random(problem, list(problem.model.parameters)[i])
    )
    mixed = random * np.log(n) + (p - random) * np.log(m)
    return InformationCriteria(
        minus_2ll=minus,
        n_parameters=p,
        n_subjects=n,
        n_observations=m,
        aic=minus + 2.0 * p,
        bic=minus + p * float(np.log(m)),
        bic_mixed=minus + float(mixed),
    )


def _is_random(problem: Problem, name: str) -> bool:
    """Return True where a fixed effect stands with a random effect in an individual parameter."""
    effects = set(problem.model.random_effects)
    return any(
        name in used and used & effects
        for used in (
            set(free_names(full_formula(problem.model, e.expression)))
            for e in problem.model.individual
        )
    )
