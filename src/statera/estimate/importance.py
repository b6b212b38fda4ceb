"""-2 log-likelihood by importance sampling, with its Monte-Carlo error.

``O_i = -2 ln[ (1/K) sum_k p(y_i | eta_k) p(eta_k) / q_i(eta_k) ]`` with eta_k from a proposal q_i:
a multivariate t around the subject's mode with the covariance of the Laplace approximation. Where
few draws carry all of the weight, mean and covariance are taken from the weighted draws and the
proposal is tried again; if that does not help, half of the draws come from the prior, which bounds
the weights by twice the largest likelihood (Hesterberg 1995, doi 10.1080/00401706.1995.10484303).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from statera.estimate.chains import Likelihood, tile
from statera.estimate.effects import Effects
from statera.estimate.individual import Individuals
from statera.estimate.inner import InnerOptions, find_etas, inverse_of
from statera.estimate.mixture import Subpopulations, marginal, members_of
from statera.estimate.problem import Problem
from statera.estimate.proposal import Proposal, Sums
from statera.numerics.streams import stream

__all__ = [
    "FEW_DRAWS_COUNT",
    "NOT_SOLVED",
    "SAMPLED",
    "ImportanceOptions",
    "ImportanceResult",
    "importance_sampling",
]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

SAMPLED, FEW_DRAWS_COUNT, NOT_SOLVED = range(3)
"""Status of a subject: reliable; a few draws carry most of the weight; no draw has any weight."""


@dataclass(frozen=True)
class ImportanceOptions:
    """How many draws, and from where.

    Attributes
    ----------
    samples
        Draws of each subject.
    seed
        Of the random stream.
    degrees
        Degrees of freedom of the t; infinite for a normal.
    pilot, rounds
        Draws of a trial of the proposal, and largest number of trials.
    wanted, again, least
        Effective share of the draws below which a proposal is improved after a trial, below
        which a subject is drawn anew with prior draws mixed in, and below which its value is
        flagged.
    rows
        Rows solved in one call: bounds the memory.
    """

    samples: int = 1000
    seed: int = 1
    degrees: float = 5.0
    pilot: int = 100
    rounds: int = 4
    wanted: float = 0.3
    again: float = 0.2
    least: float = 0.05
    rows: int = 20_000


@dataclass(frozen=True)
class ImportanceResult:
    """-2 log-likelihood with its Monte-Carlo error.

    Attributes
    ----------
    ofv, se
        Sum over subjects (with the constant and the priors of the problem), and its standard
        error from the finite number of draws.
    by_subject, se_by_subject, ess : (n_subjects,) float64
        Values, standard errors and effective sample sizes.
    statuses : (n_subjects,) int64
        SAMPLED, FEW_DRAWS_COUNT or NOT_SOLVED.
    etas : (n_subjects, n_etas) float64
        Conditional means of the random effects.
    eta_variance : (n_subjects, n_etas, n_etas) float64
        Their conditional covariances.
    samples
        Draws of each subject.
    prior_share : (n_subjects,) float64
        Share of draws that came from the prior.
    warnings
        What a reader must know.
    """

    ofv: float
    se: float
    by_subject: Floats
    se_by_subject: Floats
    ess: Floats
    statuses: Ints
    etas: Floats
    eta_variance: Floats
    samples: int
    prior_share: Floats
    warnings: tuple[str, ...]


class _Sampler:
    """Weighs draws of all subjects, several draws a call."""

    def __init__(
        self, of: Individuals, theta: Floats, effects: Effects, options: ImportanceOptions
    ) -> None:
        self.of, self.theta, self.effects = of, theta, effects
        self.copies = max(1, min(options.samples, options.rows // max(1, of.y.size)))
        self.source = stream(options.seed, "importance sampling")
        self._tiled: dict[int, Likelihood] = {}

    def _likelihood(self, copies: int) -> Likelihood:
        if copies not in self._tiled:
            self._tiled[copies] = Likelihood(tile(self.of, copies))
        return self._tiled[copies]

    def run(self, proposal: Proposal, count: int, active: Mask | None = None) -> Sums:
        """Return sums over `count` draws of each subject.

        Parameters
        ----------
        active : (n_subjects,) bool, optional
            Subjects that are solved; the sums of others do not count.
        """
        n, q = proposal.centre.shape
        sums = Sums(np.full(n, -np.inf), q)
        while sums.count < count:
            copies = min(self.copies, count - sums.count)
            draws, density = proposal.draw(self.effects, self.source, copies)
            etas = self.effects.full(draws.reshape(copies * n, q))
            mask = None if active is None else np.tile(active, copies)
            value = self._likelihood(copies).at(self.theta, etas, mask).value.reshape(copies, n)
            joint = self.effects.log_density(self.effects.full(draws)) - 0.5 * value
            sums.add(joint - density, draws)
        return sums


def importance_sampling(
    problem: Problem,
    theta: Floats,
    omega: Floats,
    options: ImportanceOptions | None = None,
    start: Floats | None = None,
) -> ImportanceResult:
    """Return -2 log-likelihood at given parameters.

    Parameters
    ----------
    theta : (n_theta,) float64
    omega : (n_effects, n_effects) float64
        Covariance of the model's random effects, as in `statera.estimate.FitResult`.
    start : (n_subjects, n_etas) float64, optional
        Where the search for the modes begins.
    """
    options = options or ImportanceOptions()
    if problem.subpopulations is not None:
        return _of_mixture(problem, problem.subpopulations, theta, omega, options, start)
    of = problem.individuals
    effects = Effects(problem.omega.expand(omega))
    constant = problem.constant + problem.prior(theta)[0]
    sampler = _Sampler(of, theta, effects, options)
    if effects.live.size == 0:
        return _without_effects(sampler, constant)
    first = np.zeros((of.n_subjects, of.n_etas)) if start is None else start
    proposal = _improved(sampler, _laplace(of, theta, effects, first, options), options)
    sums = sampler.run(proposal, options.samples)
    again = sums.ess < options.again * options.samples
    if again.any():  # a tail that the trials did not meet
        mean, covariance = sums.moments()
        wide = 0.5 * (proposal.covariance + np.where(np.isfinite(covariance), covariance, 0.0))
        centre = np.where(np.isfinite(mean), mean, proposal.centre)
        proposal = proposal.moved(again, centre, wide)
        proposal = replace(proposal, prior=np.where(again, 0.5, proposal.prior))
        sums.replace(again, sampler.run(proposal, options.samples, again))
    return _result(sums, proposal, effects, constant, options)


def _of_mixture(
    problem: Problem,
    of: Subpopulations,
    theta: Floats,
    omega: Floats,
    options: ImportanceOptions,
    start: Floats | None,
) -> ImportanceResult:
    """Return the same for a mixture; random effects are those in the most probable subpopulation.

    Errors are carried on by posterior probabilities: ``SE_i^2 = sum_k w_ik^2 SE_ik^2``.
    """
    if start is not None and start.shape[0] == of.n:
        start = np.tile(start, (of.count, 1))
    found = importance_sampling(members_of(problem), theta, omega, options, start)
    objective, weights = marginal(of.by_subject(found.by_subject), of.probabilities(theta))
    with np.errstate(invalid="ignore"):  # a member that cannot be solved has no weight
        errors = np.where(weights > 0.0, weights * of.by_subject(found.se_by_subject), 0.0)
    spread = np.sqrt((errors**2).sum(axis=1))
    best = np.argmax(np.nan_to_num(weights), axis=1) * of.n + np.arange(of.n)
    constant = problem.constant + problem.prior(theta)[0]
    statuses = np.where(np.isfinite(objective), found.statuses[best], NOT_SOLVED)
    return replace(
        found,
        ofv=float(objective.sum()) + constant,
        se=float(np.sqrt((spread**2).sum())),
        by_subject=objective,
        se_by_subject=spread,
        ess=found.ess[best],
        statuses=statuses,
        etas=found.etas[best],
        eta_variance=found.eta_variance[best],
        prior_share=found.prior_share[best],
        warnings=_warnings(statuses, options),
    )


def _laplace(
    of: Individuals, theta: Floats, effects: Effects, start: Floats, options: ImportanceOptions
) -> Proposal:
    precision = effects.search_precision
    with np.errstate(all="ignore"):
        inner = find_etas(of, theta, precision, start, InnerOptions(tolerance=1e-4, max_steps=30))
        e = of.evaluate(theta, inner.etas, by_parameters=False)
        half = of.expected(e, 0) + effects.precision
    half = half[:, effects.live[:, None], effects.live]
    good = np.isfinite(half).all(axis=(1, 2)) & np.isfinite(inner.objective)
    half = np.where(good[:, None, None], half, effects.inner_precision)
    centre = np.where(good[:, None], inner.etas[:, effects.live], 0.0)
    return Proposal(centre, inverse_of(half), options.degrees, np.zeros(of.n_subjects))


def _improved(sampler: _Sampler, proposal: Proposal, options: ImportanceOptions) -> Proposal:
    """Try the proposal, and move it to the weighted draws where few of them count."""
    q = proposal.centre.shape[1]
    best, best_share = proposal, np.full(proposal.prior.size, -1.0)
    for number in range(options.rounds):
        sums = sampler.run(proposal, options.pilot)
        share = sums.ess / options.pilot
        better = share > best_share
        best = best.moved(better, proposal.centre, proposal.covariance)
        best_share = np.maximum(share, best_share)
        low = best_share < options.wanted
        if not low.any() or number == options.rounds - 1:
            break
        mean, covariance = sums.moments()
        # too few draws count for a covariance: keep the shape and widen it
        enough = (sums.ess > 5.0 * q)[:, None, None]
        wider = np.where(enough, covariance, 2.0 * proposal.covariance)
        usable = low & np.isfinite(mean).all(axis=1) & np.isfinite(wider).all(axis=(1, 2))
        proposal = best.moved(usable, mean, wider)
    return replace(best, prior=np.where(best_share < options.wanted, 0.5, 0.0))


def _result(
    sums: Sums, proposal: Proposal, effects: Effects, constant: float, options: ImportanceOptions
) -> ImportanceResult:
    values, ess = sums.objective, sums.ess
    statuses = np.where(ess < options.least * sums.count, FEW_DRAWS_COUNT, SAMPLED)
    statuses[~np.isfinite(values)] = NOT_SOLVED
    mean, inside = sums.moments()
    covariance = np.zeros((values.size, effects.n, effects.n))
    covariance[:, effects.live[:, None], effects.live] = inside
    return ImportanceResult(
        ofv=float(values.sum()) + constant,
        se=float(np.sqrt(sums.variance.sum())),
        by_subject=values,
        se_by_subject=np.sqrt(sums.variance),
        ess=ess,
        statuses=statuses.astype(np.int64),
        etas=effects.full(mean),
        eta_variance=covariance,
        samples=sums.count,
        prior_share=proposal.prior,
        warnings=_warnings(statuses, options),
    )


def _warnings(statuses: Ints, options: ImportanceOptions) -> tuple[str, ...]:
    found = []
    few, lost = int((statuses == FEW_DRAWS_COUNT).sum()), int((statuses == NOT_SOLVED).sum())
    if few:
        found.append(
            f"importance sampling: less than {100 * options.least:g} % of the draws count in {few} "
            "subjects; their -2 log-likelihood and its error are not reliable: take more samples"
        )
    if lost:
        found.append(
            f"importance sampling: no draw could be solved in {lost} subjects; the objective is "
            "infinite: check their records and the parameters"
        )
    return tuple(found)


def _without_effects(sampler: _Sampler, constant: float) -> ImportanceResult:
    """Return the exact value where nothing is random."""
    n, q = sampler.of.n_subjects, sampler.of.n_etas
    values = sampler.of.values(sampler.theta, np.zeros((n, q)))[0]
    statuses = np.where(np.isfinite(values), SAMPLED, NOT_SOLVED).astype(np.int64)
    return ImportanceResult(
        float(values.sum()) + constant, 0.0, values, np.zeros(n), np.full(n, np.inf), statuses,
        np.zeros((n, q)), np.zeros((n, q, q)), 0, np.zeros(n),
        _warnings(statuses, ImportanceOptions()),
    )  # fmt: skip
