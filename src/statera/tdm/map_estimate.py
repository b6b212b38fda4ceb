"""The most likely random effects of one patient (MAP, empirical Bayes estimate)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtr

from statera.estimate.chains import tile
from statera.estimate.inner import ARRIVED, NOT_SOLVED, InnerOptions, find_etas
from statera.estimate.one_search import LONGEST, Found, find_mode
from statera.estimate.one_subject import OneSubject, one_subject
from statera.numerics.streams import stream
from statera.parallel import map_ordered
from statera.tdm.outcome import Outcome
from statera.tdm.patient_problem import PatientProblem

__all__ = ["MapEstimate", "Mode", "map_estimate", "map_many"]

Floats = NDArray[np.float64]

MODE_RANGE = 6.0
"""Difference of J up to which a second minimum is reported: a twentieth of the likelihood."""

_AXIS = 1.5
"""Standard deviations of the prior at which further searches start, along each random effect."""
_DRAWS = 6
"""Further searches from draws of the prior."""
_APART = 1e-2
"""Standard deviations of the prior that tell two minima apart."""
_STEPS_ON_THE_WAY = 15
"""Points between two places at which J is looked at."""
_FAR = 0.99
"""Percentile of the distance from the typical patient beyond which other minima are looked for."""


@dataclass(frozen=True)
class Mode:
    """A local minimum of J.

    Attributes
    ----------
    etas : (n_etas,) float64
    objective
        J.
    """

    etas: Floats
    objective: float


@dataclass(frozen=True)
class MapEstimate:
    """Random effects at the minimum of ``J = sum[ln v + (y - f)^2 / v] + eta' Omega^-1 eta``.

    Attributes
    ----------
    etas : (n_etas,) float64
    objective
        J, with v at these random effects and the prior's weight; log-normal values count on the
        scale of the logarithm.
    hessian : (n_etas, n_etas) float64
        Second derivatives of J / 2, which is -ln of the posterior density.
    covariance : (n_etas, n_etas) float64
        Inverse of the hessian on the random effects that vary; the prior's where the hessian is
        not positive definite.
    positive
        Whether the hessian is positive definite.
    parameters
        Individual parameters at the last record, by name.
    ipred, pred : (n_used,) float64
        Predictions of the samples that count, in the output's unit, at these random effects and
        of the typical patient.
    status
        None where all is well, else MODE_NOT_FOUND, NOT_SOLVED or SEVERAL_MODES.
    modes
        Minima that were found with J within `MODE_RANGE` of the best, the best first.
    kink
        Whether the minimum lies where derivatives jump, such as a lag that ends at a sample; the
        hessian is then that of one side.
    searches
        Starts from which minima were looked for.
    """

    etas: Floats
    objective: float
    hessian: Floats
    covariance: Floats
    positive: bool
    parameters: dict[str, float]
    ipred: Floats
    pred: Floats
    status: Outcome | None
    modes: tuple[Mode, ...]
    kink: bool
    searches: int


def map_estimate(problem: PatientProblem, *, explore: bool | None = None) -> MapEstimate:
    """Return the most likely random effects of a patient.

    The search starts at the typical patient. Others start along each random effect and at draws of
    the prior where several minima are to be expected: a sample lies within a lag or an absorption
    that ends, the first search did not arrive or has no positive curvature, or the patient is far
    from typical.

    Parameters
    ----------
    explore
        Whether to start more searches; None where it seems needed.
    """
    prior = problem.prior
    subject = one_subject(problem.individuals, problem.theta)
    precision = prior.search_precision
    found = find_mode(subject, precision, np.zeros(problem.n_etas))
    pred = problem.natural(found.f_start)
    minima, searches = [found], 1
    if problem.individuals.y.size and (
        explore or (explore is None and _doubtful(problem, found, precision))
    ):
        others, searches = _explored(problem, subject, precision, found)
        lowest = min([found, *others], key=lambda m: m.objective)
        if lowest.kink:  # a search by values may stop early: once more from where it ended
            others.append(find_mode(subject, precision, lowest.etas))
        minima = _distinct(problem, [found, *others])
    best = minima[0]
    hessian = 0.5 * best.curvature + prior.precision
    covariance, positive = _covariance(problem, hessian)
    status = None
    if best.status == NOT_SOLVED:
        status = Outcome.NOT_SOLVED
    elif best.status != ARRIVED or not positive:
        status = Outcome.MODE_NOT_FOUND
    elif len(minima) > 1:
        status = Outcome.SEVERAL_MODES
    parameters = problem.parameters(best.etas[None, :])
    return MapEstimate(
        best.etas, best.objective, hessian, covariance, positive,
        {name: float(value[0]) for name, value in parameters.items()},
        problem.natural(best.f), pred, status,
        tuple(Mode(m.etas, m.objective) for m in minima), best.kink, searches,
    )  # fmt: skip


def map_many(problems: Sequence[PatientProblem], *, workers: int = 1) -> list[MapEstimate]:
    """Return the estimate of each patient; one that cannot be solved has a status that says so."""
    return map_ordered(map_estimate, problems, workers)


def _covariance(problem: PatientProblem, hessian: Floats) -> tuple[Floats, bool]:
    """Return the inverse of the hessian, the prior's where there is none, and whether there is."""
    prior = problem.prior
    inside = hessian if prior.live.size == prior.n else hessian[np.ix_(prior.live, prior.live)]
    found = np.zeros_like(hessian)
    try:
        np.linalg.cholesky(inside)
        inverse, positive = np.linalg.inv(inside), True
    except np.linalg.LinAlgError:
        inverse, positive = np.linalg.inv(prior.inner_precision), False
    found[np.ix_(prior.live, prior.live)] = inverse
    return found, positive


def _doubtful(problem: PatientProblem, found: Found, precision: Floats) -> bool:
    """Return True where there may be other minima."""
    if found.status != ARRIVED:
        return True
    prior = problem.prior
    if chdtr(max(1, prior.live.size), float(prior.square(found.etas))) > _FAR:
        return True
    try:
        np.linalg.cholesky(0.5 * found.curvature + precision)
    except np.linalg.LinAlgError:
        return True
    return _within_input(problem)


def _within_input(problem: PatientProblem) -> bool:
    """Return True where a sample lies near the end of a lag or input whose time is random."""
    prepared = problem.individuals.prepared
    timed = [leaf for which, _, leaf in prepared.places.inputs if which in (1, 2)]
    moving = prepared.formulas.tangents(by_parameters=False).leaves
    timed = [leaf for leaf in timed if leaf in moving]
    if not timed:
        return False
    etas = np.zeros((1, problem.n_etas))
    _, leaves = prepared.leaf_values(problem.theta, etas)
    latest = 3.0 * float(leaves[timed].sum(axis=0).max())
    groups = problem.individuals.observations.groups
    return any(bool((group.extra["TAD"] < latest).any()) for group in groups)


def _explored(
    problem: PatientProblem, subject: OneSubject, precision: Floats, found: Found
) -> tuple[list[Found], int]:
    """Return minima found from other starts, all searched at once and then sharpened."""
    prior = problem.prior
    sizes = np.sqrt(np.diag(problem.omega / problem.prior_weight))
    axes = [
        sign * _AXIS * sizes * (np.arange(prior.n) == k) for k in prior.live for sign in (1, -1)
    ]
    starts = np.concatenate(
        [np.array(axes).reshape(-1, prior.n), prior.draw(stream(1, "starts of MAP"), _DRAWS)]
    )
    with np.errstate(all="ignore"):
        rough = find_etas(
            tile(problem.individuals, starts.shape[0]), problem.theta, precision, starts,
            InnerOptions(tolerance=1e-6, max_steps=40, longest=LONGEST),
        )  # fmt: skip
    kept: list[Floats] = [found.etas]
    others: list[Found] = []
    for k in np.argsort(rough.objective):
        if not rough.objective[k] < found.objective + MODE_RANGE:
            break
        if not all(_apart(problem, rough.etas[k], e) for e in kept):
            continue
        kinks = [m for m in (found, *others) if m.kink]
        if any(_leads_to(subject, precision, rough.etas[k], m) for m in kinks):
            continue
        kept.append(rough.etas[k])
        others.append(find_mode(subject, precision, rough.etas[k]))
    return others, 1 + starts.shape[0]


def _leads_to(subject: OneSubject, precision: Floats, start: Floats, found: Found) -> bool:
    """Return True where J never rises above its value at a start on the way to a minimum.

    The start is then no minimum of its own. In a bend, where a rough search ends anywhere along
    it, that spares a search by values alone, which is slow.
    """

    def j(etas: Floats) -> float:
        return subject.point(etas).value + float(etas @ precision @ etas)

    begin = j(start)
    way = np.linspace(0.0, 1.0, _STEPS_ON_THE_WAY + 2)[1:-1]
    return begin >= found.objective and all(
        j(start + t * (found.etas - start)) <= begin for t in way
    )


def _apart(problem: PatientProblem, one: Floats, two: Floats) -> bool:
    return bool(problem.prior.square(one - two) > _APART**2)


def _distinct(problem: PatientProblem, found: list[Found]) -> list[Found]:
    """Return minima by J, without repetitions; the best one whether or not its search arrived."""
    ordered = sorted(found, key=lambda m: m.objective)
    kept = ordered[:1]
    for m in ordered[1:]:
        near = m.objective <= kept[0].objective + MODE_RANGE
        if near and m.status == ARRIVED and all(_apart(problem, m.etas, k.etas) for k in kept):
            kept.append(m)
    return kept
