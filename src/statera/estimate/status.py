"""Named statuses of a fit and of its uncertainty: what is wrong, and what to do next.

Codes never change; sentences may. A result carries its notices instead of raising, so that one
fit among many can fail on its own row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from statera.estimate.information import expected_information
from statera.estimate.inner import inverse_of, solve_many
from statera.estimate.laplace import flat_modes
from statera.estimate.result import FitResult
from statera.numerics.identifiability import weakness

__all__ = ["HELD", "Code", "Notice", "failed_subjects", "fit_notices", "notice", "omega_boundaries"]

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

NEAR_ZERO = 1e-2
"""Share of a variance that the data speak to, below which the variance counts as 0."""
NEAR_ONE = 1e-3
"""Share of a variance that others do not explain, below which a correlation counts as 1."""
NEAR_BOUND = 1e-3
"""Distance to a bound relative to that of the initial value, below which it counts as reached."""
AT_MODE = 1e-4
"""Decrease of a subject's objective still to be expected, above which its mode is not found."""


class Code(Enum):
    """Names of what can be wrong."""

    NO_PROGRESS = "no_progress"
    ITERATIONS = "iterations_exhausted"
    STOPPED = "stopped"
    NOT_CONVERGED = "not_converged"
    FAILED_SUBJECTS = "failed_individual_problems"
    OMEGA_ZERO = "omega_at_zero"
    OMEGA_CORRELATION = "omega_correlation_at_one"
    THETA_BOUND = "parameter_at_bound"
    GRADIENT = "gradient_not_zero"
    SAEM_AWAY = "saem_away_from_maximum"
    LINEARISED_AWAY = "linearised_maximum_elsewhere"
    NOT_EVALUATED = "objective_not_evaluated"
    NOT_POSITIVE = "r_not_positive_definite"
    UNIDENTIFIABLE = "unidentifiable"
    NO_EFFECT = "no_effect"
    DRIFT = "drift"
    SINGULAR_S = "s_singular"
    FEW_SUBJECTS = "few_subjects"
    ILL_CONDITIONED = "ill_conditioned"
    SUBJECT_CURVATURE = "singular_individual_hessian"
    TWO_MODES = "two_modes"
    LOWER_FOUND = "lower_objective_found"
    PROFILE_OPEN = "profile_open"
    PROFILE_FAILED = "profile_failed"
    WEIGHTS = "degenerate_weights"
    REFITS_FAILED = "refits_failed"
    NO_UNCERTAINTY = "no_uncertainty"


HELD = frozenset(
    {Code.OMEGA_ZERO, Code.OMEGA_CORRELATION, Code.THETA_BOUND, Code.DRIFT, Code.NO_EFFECT}
)
"""What is held at its value and left out of standard errors."""

_TEXTS: dict[Code, tuple[str, str]] = {
    Code.NO_PROGRESS: (
        "the search stopped because no step lowers the objective although its gradient is not 0",
        "Start from other initial values, and check the model for jumps in its parameters.",
    ),
    Code.ITERATIONS: (
        "the search used all of its iterations before it converged",
        "Allow more iterations, or start from the estimates reached.",
    ),
    Code.STOPPED: (
        "the search was stopped before it converged",
        "Start again from the estimates reached.",
    ),
    Code.NOT_CONVERGED: (
        "the search did not converge ({about})",
        "Start from other initial values, or simplify the model.",
    ),
    Code.FAILED_SUBJECTS: (
        "the random effects of these subjects were not found: {about}",
        "Look at their records and doses; try other initial values or tighter solver tolerances.",
    ),
    Code.OMEGA_ZERO: (
        "the data do not speak to these variances, which went to 0 or stayed where they "
        "began: {about}",
        "They are left out of the standard errors and held at their value; remove the random "
        "effects from the model.",
    ),
    Code.OMEGA_CORRELATION: (
        "the random effects of these entries are all but exact combinations of others: {about}",
        "They are left out of the standard errors and held at their value; share one random "
        "effect between the parameters, or drop the covariance.",
    ),
    Code.THETA_BOUND: (
        "these parameters lie at a bound: {about}",
        "They are left out of the standard errors and held at their value; fix them, widen the "
        "bounds, or simplify the model.",
    ),
    Code.GRADIENT: (
        "the estimates are not at a minimum: the objective can still fall by about {about}",
        "Fit again from these estimates with a smaller tolerance.",
    ),
    Code.SAEM_AWAY: (
        "SAEM stopped where -2 log-likelihood can still fall by about {about}, the noise of its "
        "draws",
        "Average over more iterations, or go on from these estimates.",
    ),
    Code.LINEARISED_AWAY: (
        "the linearised likelihood can still fall by about {about} at the estimates of SAEM: its "
        "maximum lies elsewhere, and so may its curvature",
        "Prefer standard errors by the sampled likelihood.",
    ),
    Code.NOT_EVALUATED: (
        "the objective cannot be computed close to the estimates of {about}",
        "Use a bootstrap, or look for the subjects that cannot be solved there.",
    ),
    Code.NOT_POSITIVE: (
        "R, half of the second derivatives of the objective, is not positive definite: the "
        "estimates are not at a minimum along {about}",
        "Fit again from other initial values, simplify the model, or use a bootstrap.",
    ),
    Code.UNIDENTIFIABLE: (
        "the data cannot tell {about} apart: the model is not identifiable as it stands",
        "Fix one of them, or write the model with fewer parameters.",
    ),
    Code.NO_EFFECT: (
        "the objective does not depend on {about}: the data do not determine it",
        "Fix it, or leave it out; until then it has no standard error.",
    ),
    Code.DRIFT: (
        "a parameter runs on without end while the objective all but stays: {about}",
        "It is held at its last value and has no standard error; all others hold for that value. "
        "Fix it there, write the model with the limit that it goes to, give it a prior, or add "
        "data that determine it.",
    ),
    Code.SINGULAR_S: (
        "S, the sum over subjects of products of gradients, is singular along {about}",
        "Use the matrix R, or a bootstrap.",
    ),
    Code.FEW_SUBJECTS: (
        "there are fewer than two subjects to each parameter ({about}): S, and a sandwich made "
        "with it, is poorly determined",
        "Compare with the matrix R, profiles or SIR.",
    ),
    Code.ILL_CONDITIONED: (
        "the correlation matrix of the estimates is ill-conditioned ({about}): some parameters "
        "are nearly exchangeable",
        "Look for correlations of the estimates near 1 and simplify the model.",
    ),
    Code.SUBJECT_CURVATURE: (
        "the second derivatives at the mode are all but singular for these subjects: {about}",
        "Their part of the objective is not reliable by a normal approximation, and with "
        "method laplace such curvatures are kept from vanishing, so that the objective is higher "
        "than a program prints that does not; compare with adaptive quadrature or importance "
        "sampling.",
    ),
    Code.TWO_MODES: (
        "these subjects have two modes that are nearly as likely: {about}",
        "The lower one is used, and a normal approximation leaves the other out; compare with "
        "importance sampling or saem, and look at their records.",
    ),
    Code.LOWER_FOUND: (
        "values with a lower objective than that of the fit were found ({about})",
        "The fit was not at the minimum; fit again from there.",
    ),
    Code.PROFILE_OPEN: (
        "the profile of {about} does not reach its limit: the interval is open on that side",
        "The data do not bound the parameter there; report the interval as open.",
    ),
    Code.PROFILE_FAILED: (
        "the other parameters could not be fitted along the profile of {about}",
        "Use another interval, or other initial values.",
    ),
    Code.WEIGHTS: (
        "few of the samples carry nearly all of the weight ({about})",
        "Use more samples, a larger inflation or iterations; do not use these intervals.",
    ),
    Code.REFITS_FAILED: (
        "some of the refits failed and are left out of the percentiles ({about})",
        "Look at their statuses; many failures make percentiles too narrow.",
    ),
    Code.NO_UNCERTAINTY: (
        "there is no covariance matrix to start from: {about}",
        "Read the statuses of the covariance.",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Notice:
    """One thing that a reader must know.

    Attributes
    ----------
    code
        Its name.
    sentence, advice
        What is wrong; what to do.
    about
        Parameters, subjects or figures that it concerns.
    severe
        True where standard errors are withheld because of it.
    """

    code: Code
    sentence: str
    advice: str
    about: tuple[str, ...] = ()
    severe: bool = False

    def __str__(self) -> str:
        return f"{self.sentence}. {self.advice}"


def notice(
    code: Code, about: Sequence[str] = (), *, severe: bool = False, shown: str = ""
) -> Notice:
    """Return a notice with its sentences filled in; `shown` stands for `about` in them."""
    sentence, advice = _TEXTS[code]
    more = f" and {len(about) - 8} more" if len(about) > 8 else ""
    shown = shown or ", ".join(about[:8]) + more
    return Notice(code, sentence.format(about=shown), advice, tuple(about), severe)


def fit_notices(result: FitResult) -> tuple[Notice, ...]:
    """Return what is wrong with a fit: its search, its subjects, estimates at a boundary."""
    found: list[Notice] = []
    stops = {
        "no progress": Code.NO_PROGRESS,
        "iterations": Code.ITERATIONS,
        "stopped": Code.STOPPED,
    }
    if result.status in stops:
        found.append(notice(stops[result.status], severe=True))
    elif result.status not in ("converged", "drift"):
        found.append(notice(Code.NOT_CONVERGED, [result.status], severe=True))
    lost, flat = failed_subjects(result)
    ids = result.problem.individuals.prepared.events.subject_ids
    if lost.any():
        found.append(
            notice(Code.FAILED_SUBJECTS, [ids[i] for i in np.flatnonzero(lost)], severe=True)
        )
    if flat.any():
        found.append(notice(Code.SUBJECT_CURVATURE, [ids[i] for i in np.flatnonzero(flat)]))
    rivals = [ids[i] for i in result.extra.get("rivals", ())]
    if rivals:
        found.append(notice(Code.TWO_MODES, rivals))
    names = result.problem.free_names
    for code, places in omega_boundaries(result).items():
        found.append(notice(code, [names[k] for k in places]))
    at = theta_boundaries(result)
    if at:
        found.append(notice(Code.THETA_BOUND, [names[k] for k in at]))
    drifts = tuple(result.extra.get("runaways", ()))
    if drifts:
        shown = "; ".join(str(d) for d in drifts)
        found.append(notice(Code.DRIFT, [d.name for d in drifts], shown=shown))
    held = {name for n in found if n.code in HELD for name in n.about}
    return (*found, *_weak_notices(result, held))


def _weak_notices(result: FitResult, held: set[str]) -> list[Notice]:
    """Return what the data do not determine, by the expected second derivatives."""
    problem = result.problem
    kept = [k for k, name in enumerate(problem.free_names) if name not in held]
    of = problem.individuals
    if not kept or not (np.isfinite(result.etas).all() and np.isfinite(result.theta).all()):
        return []
    if problem.subpopulations is not None:
        rows = result.extra.get("gradients")
        if rows is None or rows.shape[0] <= len(kept):  # products of so few are singular anyhow
            return []
        # expected derivatives of a mixture are not known; these are near them at the minimum
        expected = 0.5 * rows[:, kept].T @ rows[:, kept]
    else:
        frozen = None if of.interaction else of.frozen_variance(result.theta)
        e = of.evaluate(result.theta, result.etas, by_parameters=True, frozen=frozen)
        expected = expected_information(problem, result.free, e)[np.ix_(kept, kept)]
    prior = {problem.theta.free.index(i) for i, _, _ in problem.priors if i in problem.theta.free}
    weak = weakness(expected, [problem.free_names[k] for k in kept])
    known = {problem.free_names[k] for k in prior}
    found = []
    idle = [name for name in weak.idle if name not in known]
    if idle:
        found.append(notice(Code.NO_EFFECT, idle))
    if weak.singular and not known & set(weak.about):
        found.append(notice(Code.UNIDENTIFIABLE, weak.about))
    return found


def failed_subjects(result: FitResult) -> tuple[Mask, Mask]:
    """Return the subjects whose mode was not found, and those with a near-singular curvature.

    A mode is found where the decrease that the expected curvature promises is below `AT_MODE`.
    Methods whose random effects are not modes are judged by finiteness alone.
    """
    of = result.problem.individuals
    n, q = result.etas.shape
    lost = ~(np.isfinite(result.by_subject) & np.isfinite(result.etas).all(axis=1))
    flat = np.zeros(n, dtype=bool)
    if q == 0 or lost.all() or result.method not in ("foce", "focei", "laplace", "agq"):
        return lost, flat
    frozen = None if of.interaction else of.frozen_variance(result.theta)
    etas = np.where(lost[:, None], 0.0, result.etas)
    e = of.evaluate(result.theta, etas, by_parameters=False, frozen=frozen)
    omega = result.problem.omega.expand(result.omega)
    precision = inverse_of(omega)
    gradient = of.gradient(e) + 2.0 * etas @ precision
    curve = 2.0 * (of.expected(e, 0) + precision)
    lost |= ~(np.isfinite(gradient).all(axis=1) & np.isfinite(curve).all(axis=(1, 2)))
    kept = np.flatnonzero(~lost)
    step = solve_many(curve[kept], gradient[kept])
    lost[kept] = 0.5 * np.einsum("iq,iq->i", step, gradient[kept]) > AT_MODE
    half = inverse_of(np.where(np.isfinite(result.eta_variance), result.eta_variance, np.eye(q)))
    return lost, flat_modes(half, omega) & ~lost


def omega_boundaries(result: FitResult) -> dict[Code, list[int]]:
    """Return the free numbers of Omega that lie at a boundary, by what is wrong.

    A variance counts as 0 where the modes do not vary and the conditional variances are the
    variance itself: the data do not speak to it. A correlation counts as 1 where the other random
    effects of the block before it explain a variance but for `NEAR_ONE`.
    """
    problem = result.problem
    first = problem.theta.size
    entries = problem.omega.entries()
    own: set[int] = set()
    for i, places in enumerate(problem.omega.places):
        size = result.omega[i, i]
        columns = result.etas[:, places]
        varies = float((columns**2).mean()) if columns.size else 0.0
        left = result.eta_variance[:, places, places]
        left = left[np.isfinite(left)]
        known = 1.0 - float(left.mean()) / size if left.size and size > 0.0 else 0.0
        if size <= 1e-12 or (varies < NEAR_ZERO * size and known < NEAR_ZERO):
            own.add(i)
    zero = [first + k for k, (i, j) in enumerate(entries) if i in own or j in own]
    one: list[int] = []
    for block in problem.omega.free:
        members = list(block.members)
        inside = result.omega[np.ix_(members, members)]
        try:
            lower = np.linalg.cholesky(inside)
            share = np.diag(lower) ** 2 / np.diag(inside)
        except np.linalg.LinAlgError:
            share = np.where(np.arange(len(members)) > 0, 0.0, 1.0)
        for place, part in zip(members, share, strict=True):
            if part < NEAR_ONE and place not in own:
                one.append(first + entries.index((place, place)))
    found = {Code.OMEGA_ZERO: zero, Code.OMEGA_CORRELATION: one}
    return {code: places for code, places in found.items() if places}


def theta_boundaries(result: FitResult) -> list[int]:
    """Return the free numbers of fixed effects that lie at a bound."""
    theta = result.problem.theta
    found = []
    for k, (i, (low, high)) in enumerate(zip(theta.free, theta.bounds, strict=True)):
        start, here = theta.start[i], result.theta[i]
        for bound in (low, high):
            if np.isfinite(bound) and abs(here - bound) < NEAR_BOUND * abs(start - bound):
                found.append(k)
    return found
