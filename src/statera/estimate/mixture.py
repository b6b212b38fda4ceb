"""Mixture models: every subject in every subpopulation, and the objective of all together.

``O_i = -2 ln sum_k p_k exp(-O_ik/2)`` with ``O_ik`` the objective of subject i as a member of
subpopulation k, each by the method asked for at its own mode. The posterior probabilities
``w_ik = p_k exp(-O_ik/2) / sum_l p_l exp(-O_il/2)`` weigh the gradients, so that these stay exact:
``dO_i = sum_k w_ik (dO_ik - 2 d ln p_k)``.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from statera.data import EventTable
from statera.errors import UsageError
from statera.estimate.chains import tile
from statera.estimate.individual import Individuals
from statera.model import Mixture, Model
from statera.numerics.derivative import derivative
from statera.numerics.expression import symbol
from statera.numerics.vectorised import vectorise
from statera.simulate.subjects import model_covariate
from statera.simulate.subpopulations import draw_subpopulations

if TYPE_CHECKING:
    from statera.estimate.problem import Problem

__all__ = [
    "Subpopulations",
    "drawn_subpopulations",
    "in_subpopulations",
    "marginal",
    "members_of",
    "proportions",
    "refuse_mixture",
    "subpopulations_of",
    "unused_columns",
]

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


def in_subpopulations(individuals: Individuals, variable: str, numbers: Floats) -> Individuals:
    """Return the same subjects as members of given subpopulations.

    Parameters
    ----------
    variable
        Name by which formulas see the number of the subpopulation.
    numbers : (n_subjects,) float64
        Counted from 1.
    """
    old = individuals.prepared
    prepared = copy.copy(old)
    held = {**old.segments.covariates, variable: numbers[old.segments.subject]}
    prepared.segments = replace(old.segments, covariates=held)
    prepared.solver = copy.copy(old.solver)  # it remembers which subjects are stiff
    observations = copy.copy(individuals.observations)
    observations.of = prepared
    found = copy.copy(individuals)
    found.prepared, found.observations = prepared, observations
    return found


class Subpopulations:
    """Every subject as a member of every subpopulation.

    Parameters
    ----------
    mixture
        Of the model.
    individuals
        The subjects of the data.

    Attributes
    ----------
    individuals
        Subject i as a member of subpopulation k, from 0, is number ``k * n_subjects + i``.
    n, count
        Numbers of subjects and of subpopulations.
    """

    def __init__(self, mixture: Mixture, individuals: Individuals) -> None:
        self.mixture = mixture
        self.n, self.count = individuals.n_subjects, len(mixture.subpopulations)
        numbers = 1.0 + np.repeat(np.arange(self.count, dtype=np.float64), self.n)
        self.individuals = in_subpopulations(
            tile(individuals, self.count), mixture.variable, numbers
        )
        prepared = individuals.prepared
        model = prepared.model
        base = [*model.parameters, *model.covariates]
        formulas = [s.expression for s in mixture.subpopulations]
        self._theta = tuple(model.parameters)
        self._values = vectorise(formulas, base)
        self._slopes = vectorise(
            [derivative(f, symbol(name)) for f in formulas for name in self._theta], base
        )
        first = prepared.segments.start
        self._covariates = {n: v[first] for n, v in prepared.segments.covariates.items()}

    def _names(self, theta: Floats) -> dict[str, Floats | float]:
        return {**dict(zip(self._theta, map(float, theta), strict=True)), **self._covariates}

    def probabilities(self, theta: Floats) -> Floats:
        """Return the probability of every subpopulation, (n_subjects, n_subpopulations).

        NaN for subjects of whom one lies outside of 0 to 1.
        """
        with np.errstate(all="ignore"):
            p = self._values(self._names(theta), self.n).T
            right: Mask = np.asarray(((p >= 0.0) & (p <= 1.0)).all(axis=1))
        return np.where(right[:, None], p, np.nan)

    def slopes(self, theta: Floats) -> Floats:
        """Return derivatives of the logarithms of the probabilities by fixed effects.

        (n_subjects, n_subpopulations, n_theta) float64; 0 for a probability of 0.
        """
        found = self._slopes(self._names(theta), self.n).T
        found = found.reshape(self.n, self.count, len(self._theta))
        p = self.probabilities(theta)[:, :, None]
        with np.errstate(all="ignore"):
            return np.where(p > 0.0, found / p, 0.0)

    def by_subject(self, values: Floats) -> Floats:
        """Return what is known of each member, by subject and subpopulation, (n, count, ...)."""
        return np.moveaxis(values.reshape(self.count, self.n, *values.shape[1:]), 0, 1)


def marginal(parts: Floats, p: Floats) -> tuple[Floats, Floats]:
    """Return the objective by subject and posterior probabilities of the subpopulations.

    Parameters
    ----------
    parts, p : (n_subjects, n_subpopulations) float64
        Objective of each subject as a member of each; infinite where it cannot be solved.
        Probabilities of the subpopulations.

    Returns
    -------
    (n_subjects,) float64, infinite for a subject that no subpopulation can explain, and
    (n_subjects, n_subpopulations) float64.
    """
    with np.errstate(all="ignore"):
        logs = np.log(p) - 0.5 * parts
        logs = np.where(np.isnan(logs), -np.inf, logs)
        top = logs.max(axis=1, keepdims=True)
        top = np.where(np.isfinite(top), top, 0.0)
        share = np.exp(logs - top)
        total = share.sum(axis=1)
        objective = -2.0 * (top[:, 0] + np.log(total))
        weights = share / total[:, None]
    lost = ~(total > 0.0) | np.isnan(p).any(axis=1)
    return np.where(lost, np.inf, objective), np.where(lost[:, None], np.nan, weights)


def proportions(mixture: Mixture | None) -> frozenset[str]:
    """Return the parameters that are probabilities themselves, and so lie between 0 and 1."""
    if mixture is None:
        return frozenset()
    return frozenset(s.expression.name for s in mixture.subpopulations if s.expression.is_Symbol)


def subpopulations_of(mixture: Mixture | None, individuals: Individuals) -> Subpopulations | None:
    """Return every subject in every subpopulation, None where the model has one population."""
    return None if mixture is None else Subpopulations(mixture, individuals)


def members_of(problem: Problem) -> Problem:
    """Return the problem of all members of all subpopulations, each a subject of its own.

    A problem of one population is returned as it is.
    """
    if problem.subpopulations is None:
        return problem
    return replace(problem, individuals=problem.subpopulations.individuals, subpopulations=None)


def drawn_subpopulations(
    problem: Problem, theta: Floats, seed: int
) -> Callable[[int], Individuals] | None:
    """Return the subjects of each replicate in drawn subpopulations, None without a mixture."""
    of = problem.subpopulations
    if of is None:
        return None
    p, variable, individuals = of.probabilities(theta), of.mixture.variable, problem.individuals

    def replicate(number: int) -> Individuals:
        drawn = draw_subpopulations(p, seed, f"replicate subpopulations {number}")
        return in_subpopulations(individuals, variable, drawn)

    return replicate


def unused_columns(model: Model, events: EventTable) -> list[str]:
    """Return a sentence where the data hold a column of the name of the subpopulation."""
    mixture = model.mixture
    if mixture is None:
        return []
    return [
        f"the column {name} of the data is not used: the subpopulation is estimated"
        for name in events.covariates
        if model_covariate(model, name) == mixture.variable
    ]


def refuse_mixture(problem: Problem, what: str) -> None:
    """Refuse what there is not for mixture models.

    Raises
    ------
    UsageError
        If the model has subpopulations.
    """
    if problem.subpopulations is not None:
        raise UsageError(
            f"{what} is not available for mixture models",
            where="mixture",
            hint="Use fo, foce, focei, laplace or agq, which integrate over the subpopulations.",
        )
