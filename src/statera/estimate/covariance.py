"""The covariance matrix of the estimates: R, S and the sandwich of both.

``R`` is half of the second derivatives of the objective and ``S`` a quarter of the sum over
subjects of the outer products of their gradients, both by the parameters as they are reported;
under a correct model both estimate the information. ``R^-1 S R^-1`` stays valid where it is not
quite correct (White 1982, doi 10.2307/1912526), and is the default as in NONMEM.

Second derivatives are central differences of the exact gradient along the free numbers; the chain
rule turns both sides of each difference into derivatives by the reported parameters first, so
that nothing is lost where the gradient is not exactly 0.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from statera.estimate.inner import inverse_of
from statera.estimate.natural import natural_slopes, natural_values, objective_at
from statera.estimate.outer import Objective
from statera.estimate.result import FitResult
from statera.estimate.saem_likelihood import SaemLikelihood, likelihood_name, saem_likelihood
from statera.estimate.status import HELD, Code, Notice, fit_notices, notice
from statera.numerics.identifiability import SINGULAR, weakness

__all__ = ["Covariance", "CovarianceOptions", "MatrixKind", "covariance"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
MatrixKind = Literal["sandwich", "R", "S"]

ILL_CONDITIONED = 1e3
"""Condition number of the correlation matrix of the estimates above which a notice is given."""
SAEM_AWAY, SAEM_LOST = 0.25, 2.0
"""Decrease of -2 log-likelihood still to be expected after SAEM that is said, and that withholds
standard errors. Estimates half a standard error away along one direction lose 0.25."""


@dataclass(frozen=True)
class CovarianceOptions:
    """How the covariance matrix is made.

    Attributes
    ----------
    matrix
        ``sandwich`` (R^-1 S R^-1), ``R`` (R^-1) or ``S`` (S^-1).
    step
        Length of the differences, in standard errors of one parameter with the others known.
    gradient_tolerance
        Decrease of the objective still to be expected above which the estimates are not a minimum.
    likelihood
        After SAEM, which has no objective with a gradient: ``sampled`` (by importance sampling)
        or ``linearised`` (that of FOCEI), see `statera.estimate.saem_likelihood`.
    """

    matrix: MatrixKind = "sandwich"
    step: float = 0.05
    gradient_tolerance: float = 1e-2
    likelihood: SaemLikelihood = "sampled"


@dataclass(frozen=True)
class Covariance:
    """Uncertainty of what was estimated; NaN where a figure would not be reliable.

    Attributes
    ----------
    names
        What was estimated, as `Problem.free_names`.
    estimates, standard_errors : (n,) float64
    matrix : (n, n) float64
        Covariance of the estimates; rows of what is left out are NaN.
    free : (n, n) float64
        The same for the free numbers of the search.
    r, s : (n, n) float64
        R and S by the parameters as reported; NaN where left out.
    kind
        Which matrix was used.
    included : (n,) bool
        False for what is held at its value because it lies at a boundary.
    eigenvalues : (n_included,) float64
        Of the correlation matrix of the estimates, ascending.
    condition
        Largest over smallest eigenvalue.
    remaining
        Decrease of the objective that a Newton step still promises.
    notices
        What is wrong and what to do; one that is severe withholds all standard errors.
    evaluations
        Calls of the objective and its gradient.
    seconds
        CPU time.
    likelihood
        The likelihood that was differentiated, in words; '' for the objective of the fit.
    """

    names: tuple[str, ...]
    estimates: Floats
    standard_errors: Floats
    matrix: Floats
    free: Floats
    r: Floats
    s: Floats
    kind: MatrixKind
    included: NDArray[np.bool_]
    eigenvalues: Floats
    condition: float
    remaining: float
    notices: tuple[Notice, ...]
    evaluations: int
    seconds: float
    likelihood: str = ""

    @property
    def description(self) -> str:
        """What the standard errors are, in words."""
        formula = {"sandwich": "R^-1 S R^-1", "R": "R^-1", "S": "S^-1"}[self.kind]
        return f"{formula} of {self.likelihood}" if self.likelihood else formula

    @property
    def usable(self) -> bool:
        """True where there are standard errors."""
        return not any(n.severe for n in self.notices)

    @property
    def rse(self) -> Floats:
        """Relative standard errors in percent, (n,)."""
        with np.errstate(all="ignore"):
            found: Floats = 100.0 * self.standard_errors / np.abs(self.estimates)
        return np.where(np.isfinite(found), found, np.nan)

    @property
    def correlation(self) -> Floats:
        """Correlation of the estimates, (n, n)."""
        size = self.standard_errors
        with np.errstate(all="ignore"):
            found: Floats = self.matrix / size[:, None] / size[None, :]
        return found

    def to_polars(self) -> pl.DataFrame:
        """Return a table: name, estimate, standard error, relative standard error."""
        return pl.DataFrame(
            {
                "name": list(self.names),
                "estimate": self.estimates,
                "se": self.standard_errors,
                "rse_percent": self.rse,
                "included": self.included,
            }
        )


def covariance(result: FitResult, options: CovarianceOptions | None = None) -> Covariance:
    """Return the covariance matrix of the estimates of a fit.

    Nothing is raised where it cannot be had: standard errors are NaN and `notices` say why.
    """
    options = options or CovarianceOptions()
    started = time.process_time()
    if result.method == "saem":
        objective = saem_likelihood(result, options.likelihood)
    else:
        objective = objective_at(result)
    u = result.free
    notices = list(fit_notices(result))
    names = result.problem.free_names
    out = set()
    for n in notices:
        if n.code in HELD:
            out |= set(n.about)
    kept = np.array([k for k, name in enumerate(names) if name not in out], dtype=np.int64)
    found = _differences(objective, u, kept, options.step)
    notices += found.notices
    away = _away(result, options)
    matrix, free, remaining = _invert(found, options, [names[k] for k in kept], notices, away)
    severe = any(n.severe for n in notices)
    if severe:
        matrix, free = np.full_like(matrix, np.nan), np.full_like(free, np.nan)
    errors = np.sqrt(np.diag(matrix))
    eigenvalues, condition = np.full(kept.size, np.nan), np.nan
    if not severe and kept.size:
        eigenvalues = np.linalg.eigvalsh(matrix / errors[:, None] / errors[None, :])
        condition = float(eigenvalues[-1] / eigenvalues[0])
        if not 0.0 < condition <= ILL_CONDITIONED:
            notices.append(notice(Code.ILL_CONDITIONED, [f"condition number {condition:.3g}"]))
    wide = _widen(u.size, kept)
    all_errors = np.full(u.size, np.nan)
    all_errors[kept] = errors
    return Covariance(
        names=names,
        estimates=natural_values(result.problem, result.theta, result.omega),
        standard_errors=all_errors,
        matrix=wide(matrix),
        free=wide(free),
        r=wide(found.r),
        s=wide(found.s),
        kind=options.matrix,
        included=np.isin(np.arange(u.size), kept),
        eigenvalues=eigenvalues,
        condition=condition,
        remaining=remaining,
        notices=tuple(notices),
        evaluations=objective.evaluations,
        seconds=time.process_time() - started,
        likelihood=likelihood_name(result, options.likelihood),
    )


def _away(result: FitResult, options: CovarianceOptions) -> tuple[float, float]:
    """Return the decrease still to be expected that is said, and that withholds everything.

    SAEM stops within the noise of its draws of the maximum, and never at that of a linearised
    likelihood.
    """
    if result.method != "saem":
        return np.inf, options.gradient_tolerance
    return SAEM_AWAY, SAEM_LOST if options.likelihood == "sampled" else np.inf


class _widen:  # noqa: N801 - used as a function
    """Put a matrix of what is included into one of everything."""

    def __init__(self, size: int, kept: Ints) -> None:
        self.size, self.kept = size, kept

    def __call__(self, matrix: Floats) -> Floats:
        out = np.full((self.size, self.size), np.nan)
        out[np.ix_(self.kept, self.kept)] = matrix
        return out


@dataclass(frozen=True)
class _Differences:
    """R and S of what is included, with the gradient and the slopes of the parameters."""

    r: Floats
    s: Floats
    gradient: Floats
    slopes: Floats
    n_subjects: int
    notices: list[Notice]


def _differences(objective: Objective, u: Floats, kept: Ints, step: float) -> _Differences:
    problem = objective.problem
    cut = np.ix_(kept, kept)
    value, gradient_u = objective(u)
    slopes = natural_slopes(problem, u)[cut]
    back = inverse_of(slopes)
    rows = objective.rows[:, kept] @ back
    s = 0.25 * rows.T @ rows
    r = np.full_like(s, np.nan)
    gradient = gradient_u[kept] @ back
    of = problem.individuals
    n_subjects = int((of.counts > 0).sum())
    if not (np.isfinite(value) and np.isfinite(gradient).all()):
        bad = [notice(Code.NOT_EVALUATED, ["the model"], severe=True)]
        return _Differences(r, s, gradient, slopes, n_subjects, bad)
    etas, curvature = objective.etas, objective.curvature
    widths = np.sqrt(np.maximum(np.diag(0.25 * objective.rows.T @ objective.rows), 1e-300))
    lost: list[str] = []
    for column, k in enumerate(kept):
        h = float(np.clip(step / widths[k], 1e-4, 0.2))
        ends = []
        objective.etas, objective.curvature = etas, curvature
        for sign in (1.0, -1.0):
            moved = u.copy()
            moved[k] += sign * h
            found = objective(moved)[1][kept]
            ends.append(found @ inverse_of(natural_slopes(problem, moved)[cut]))
            if np.isfinite(found).all():  # modes move about as far the other way
                objective.etas = 2.0 * etas - objective.etas
            objective.curvature = curvature
        r[:, column] = 0.5 * (ends[0] - ends[1]) / (2.0 * h)
        if not np.isfinite(r[:, column]).all():
            lost.append(problem.free_names[k])
    objective.etas, objective.curvature = etas, curvature
    r = r @ back
    notices = [notice(Code.NOT_EVALUATED, lost, severe=True)] if lost else []
    return _Differences(0.5 * (r + r.T), s, gradient, slopes, n_subjects, notices)


def _invert(
    found: _Differences,
    options: CovarianceOptions,
    names: list[str],
    notices: list[Notice],
    away: tuple[float, float],
) -> tuple[Floats, Floats, float]:
    """Return covariances of the parameters and of the free numbers, and what is left to gain."""
    n = len(names)
    nothing = np.full((n, n), np.nan)
    if n == 0 or found.notices:
        return nothing, nothing, np.nan
    r_inverse = _inverse(found.r)
    remaining = np.nan
    if r_inverse is None:
        notices.append(_weak(found.r, names, is_r=True, severe=options.matrix != "S"))
    else:
        remaining = float(0.25 * found.gradient @ r_inverse @ found.gradient)
        if not remaining <= away[1]:
            notices.append(notice(Code.GRADIENT, [f"{remaining:.2g}"], severe=True))
        elif remaining > away[0]:
            sampled = options.likelihood == "sampled"
            code = Code.SAEM_AWAY if sampled else Code.LINEARISED_AWAY
            notices.append(notice(code, [f"{remaining:.2g}"]))
    s_inverse = _inverse(found.s)
    if options.matrix != "R":
        if s_inverse is None:
            notices.append(_weak(found.s, names, is_r=False, severe=True))
        elif found.n_subjects < 2 * n:
            notices.append(
                notice(Code.FEW_SUBJECTS, [f"{found.n_subjects} subjects, {n} parameters"])
            )
    if any(x.severe for x in notices):
        if any(x.severe and x.code is Code.UNIDENTIFIABLE for x in notices):  # said once
            notices[:] = [x for x in notices if x.severe or x.code is not Code.UNIDENTIFIABLE]
        return nothing, nothing, remaining
    matrix = nothing
    if options.matrix == "S" and s_inverse is not None:
        matrix = s_inverse
    elif r_inverse is not None:
        matrix = r_inverse if options.matrix == "R" else r_inverse @ found.s @ r_inverse
    back = inverse_of(found.slopes)
    return matrix, back @ matrix @ back.T, remaining


def _inverse(matrix: Floats) -> Floats | None:
    """Return the inverse; None where the matrix is not positive definite or singular."""
    size = np.diag(matrix)
    if not (np.isfinite(matrix).all() and (size > 0.0).all()):
        return None
    root = np.sqrt(size)
    scaled = matrix / root[:, None] / root[None, :]
    values, vectors = np.linalg.eigh(scaled)
    if values[0] < SINGULAR:
        return None
    found: Floats = (vectors / values) @ vectors.T / root[:, None] / root[None, :]
    return found


def _weak(matrix: Floats, names: list[str], *, is_r: bool, severe: bool) -> Notice:
    """Return what is wrong with a matrix, and the parameters along which it is."""
    weak = weakness(matrix, names)
    about = weak.idle or weak.about
    if not is_r:
        return notice(Code.SINGULAR_S, about, severe=severe)
    code = Code.NOT_POSITIVE if weak.lowest < -SINGULAR else Code.UNIDENTIFIABLE
    return notice(code, about, severe=severe)
