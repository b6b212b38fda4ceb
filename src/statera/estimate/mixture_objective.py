"""The objective of a mixture model by any method, and what it says of each subject's membership."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from statera.errors import InputError, UsageError
from statera.estimate.information import expected_information
from statera.estimate.inner import Inner, inverse_of
from statera.estimate.laplace import Expansion, Slopes
from statera.estimate.membership import Membership
from statera.estimate.mixture import Subpopulations, in_subpopulations, marginal
from statera.estimate.outer import Objective
from statera.estimate.problem import Problem

__all__ = [
    "MixtureExpansion",
    "MixtureObjective",
    "check_distinct",
    "chosen_modes",
    "membership",
    "settled_problem",
]

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

_SAME = 1e-9
"""Difference of objectives below which two subpopulations are the same for a subject."""


@dataclass(frozen=True)
class MixtureExpansion(Expansion):
    """The objective of every subject, and modes as a member of each subpopulation.

    Attributes
    ----------
    objective : (n_subjects,) float64
    inner, half
        Of all members: subject i in subpopulation k, from 0, is number ``k * n_subjects + i``.
    parts : (n_subjects, n_subpopulations) float64
        Objective as a member of each.
    weights : (n_subjects, n_subpopulations) float64
        Posterior probabilities.
    """

    parts: Floats
    weights: Floats


class MixtureObjective(Objective):
    """The objective of a mixture model and its gradient by free numbers.

    Parameters
    ----------
    problem
        Of a model with subpopulations.
    members
        Objective by the method wanted of all members, see `members_of`.
    """

    def __init__(self, problem: Problem, members: Objective) -> None:
        self.subpopulations = _of(problem)
        self.members = members
        super().__init__(problem, members.options)
        self.etas = members.etas

    @property
    def etas(self) -> Floats:
        """Where the search for the modes of all members begins."""
        return self._etas

    @etas.setter
    def etas(self, values: Floats) -> None:
        n, count = self.subpopulations.n, self.subpopulations.count
        self._etas = np.tile(values, (count, 1)) if values.shape[0] == n else values

    def value(self, u: Floats) -> tuple[float, MixtureExpansion]:
        """Return the objective and the expansions of all members."""
        self.evaluations += 1
        theta, _, _ = self.problem.unpack(u)
        self.members.etas, self.members.curvature = self.etas, self.curvature
        _, at = self.members.value(u)
        parts = self.subpopulations.by_subject(at.objective)
        objective, weights = marginal(parts, self.subpopulations.probabilities(theta))
        total = float(objective.sum()) + self.problem.constant + self.problem.prior(theta)[0]
        found = MixtureExpansion(
            objective, at.inner, at.half, at.frozen, parts, weights, inverse=at.inverse
        )
        return total, found

    def by_subject(self, u: Floats, at: Expansion) -> tuple[Floats, Slopes]:
        """Return the gradient of every subject by free numbers, (n_subjects, n_free)."""
        assert isinstance(at, MixtureExpansion)
        members = Expansion(
            at.parts.T.reshape(-1), at.inner, at.half, at.frozen, inverse=at.inverse
        )
        rows, slopes = self.members.by_subject(u, members)
        theta, _, _ = self.problem.unpack(u)
        full = self.problem.omega.n_full
        own = self.subpopulations.slopes(theta)
        none = np.zeros((*own.shape[:2], full, full))
        moved = self.subpopulations.by_subject(rows) - 2.0 * self.problem.pull(u, own, none)
        live = at.weights[:, :, None] > 0.0  # a member that cannot be solved counts nothing
        return np.where(live, at.weights[:, :, None] * moved, 0.0).sum(axis=1), slopes

    def information(self, u: Floats, etas: Floats) -> Floats:
        """Return expected second derivatives by free numbers, as if memberships were known.

        Every member counts by its posterior probability. Not knowing memberships takes away from
        it: steps by it are rather short than long.
        """
        theta, _, _ = self.problem.unpack(u)
        last = self.last[1] if self.last is not None and np.array_equal(self.last[0], u) else None
        at = last if isinstance(last, MixtureExpansion) else self.value(u)[1]
        weights = np.nan_to_num(at.weights)
        people = self.members.problem
        frozen = None
        if not people.individuals.interaction:
            frozen = people.individuals.frozen_variance(theta)
        e = people.individuals.evaluate(theta, etas, by_parameters=True, frozen=frozen)
        found = expected_information(people, u, e, weights.T.reshape(-1))
        full = self.problem.omega.n_full
        own = self.subpopulations.slopes(theta)
        rows = self.problem.pull(u, own, np.zeros((*own.shape[:2], full, full)))
        found += 2.0 * np.einsum("ik,ika,ikb->ab", weights, rows, rows)
        return found + self.prior_information(u)


def check_distinct(objective: MixtureObjective) -> None:
    """Refuse initial values at which all subpopulations are the same.

    The gradient there moves them alike, so that a search could never tell them apart.

    Raises
    ------
    InputError
        If no subject is more probable in one subpopulation than in another.
    """
    with np.errstate(all="ignore"):
        parts = objective.value(objective.problem.start)[1].parts
    solved = np.isfinite(parts).all(axis=1)
    if not solved.any() or not (np.ptp(parts[solved], axis=1) < _SAME).all():
        return
    mixture = objective.subpopulations.mixture
    raise InputError(
        f"the subpopulations {', '.join(mixture.names)} are the same at the initial values",
        where="mixture",
        hint=f"Give parameters that {mixture.variable} chooses between different initial values.",
    )


def _of(problem: Problem) -> Subpopulations:
    if problem.subpopulations is None:
        raise UsageError("the model has no subpopulations", where="mixture")
    return problem.subpopulations


def membership(problem: Problem, theta: Floats, at: Expansion, modes: Expansion) -> Membership:
    """Return to which subpopulation each subject belongs.

    Parameters
    ----------
    at
        What `MixtureObjective.value` returns.
    modes
        Modes of all members: `at` itself, but for FO.
    """
    of = _of(problem)
    assert isinstance(at, MixtureExpansion)
    posterior = at.weights
    known: Mask = np.asarray(np.isfinite(posterior).all(axis=1))
    best = np.argmax(np.where(known[:, None], posterior, 0.0), axis=1)
    half = modes.half
    good: Mask = np.asarray(np.isfinite(half).all(axis=(1, 2)))
    filled = np.where(good[:, None, None], half, np.eye(half.shape[1]))
    spread = np.where(good[:, None, None], inverse_of(filled), np.nan)
    return Membership(
        names=of.mixture.names,
        variable=of.mixture.variable,
        probabilities=of.probabilities(theta),
        posterior=posterior,
        most_probable=(best + 1).astype(np.int64),
        objective=at.parts,
        etas=of.by_subject(modes.inner.etas),
        eta_variance=of.by_subject(spread),
    )


def chosen_modes(problem: Problem, found: Membership, modes: Expansion) -> Expansion:
    """Return the modes of every subject as a member of its most probable subpopulation."""
    of = _of(problem)
    place = (found.most_probable - 1) * of.n + np.arange(of.n)
    inner = modes.inner
    return Expansion(
        found.objective[np.arange(of.n), found.most_probable - 1],
        Inner(inner.etas[place], inner.objective[place], inner.statuses[place], inner.steps),
        modes.half[place],
        None,
    )


def settled_problem(problem: Problem, found: Membership) -> Problem:
    """Return the problem with every subject in its most probable subpopulation.

    Predictions and residuals by it are those of that subpopulation; its objective still is that of
    the mixture.
    """
    numbers = found.most_probable.astype(np.float64)
    return replace(
        problem, individuals=in_subpopulations(problem.individuals, found.variable, numbers)
    )
