"""Several correlated outcomes per study, synthesised together.

y_i = X_i b + u_i + e_i with cov(e_i) = V_i given, and cov(u_i) = G over the outcomes that the
study reports: a study that lacks an outcome uses the matching part of G.

Methods
-------
Berkey and others, Stat Med 1998;17:2537
(doi 10.1002/(SICI)1097-0258(19981130)17:22<2537::AID-SIM953>3.0.CO;2-C); Jackson, Riley and White,
Stat Med 2011;30:2481 (doi 10.1002/sim.4172).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri
from scipy.stats import chi2, norm

from statera.errors import InputError
from statera.evidence.cluster_robust import Block, RobustKind, RobustVariance, robust_variance
from statera.evidence.multilevel import checked_rows
from statera.evidence.profile_interval import profile_interval
from statera.numerics.intervals_exact import check_level
from statera.numerics.small_maximum import maximise

__all__ = [
    "MultivariateResult",
    "MultivariateStatus",
    "Structure",
    "multivariate",
    "tau2_intervals",
]

Floats = NDArray[np.float64]


class Structure(StrEnum):
    """Covariance of the true effects over outcomes."""

    UNSTRUCTURED = "UN"
    COMPOUND_SYMMETRY = "CS"
    DIAGONAL = "DIAG"


class MultivariateStatus(StrEnum):
    """What came of a multivariate synthesis."""

    OK = "ok"
    AT_BOUNDARY = "a variance is zero or a correlation is one in size"
    NOT_CONVERGED = "the search for the variances did not settle"


@dataclass(frozen=True)
class MultivariateResult:
    """Coefficients per outcome and the covariance of true effects.

    Attributes
    ----------
    outcomes : (m,)
        In the order of `tau2`, `correlation` and, without moderators, `beta`.
    beta, se, z, p, low, high : (p,) float64
        Coefficients, Wald tests and intervals.
    covariance : (p, p) float64
        Of the coefficients.
    tau2 : (m,) float64
        Variances between studies.
    correlation : (m, m) float64
        Of the true effects; NaN where a variance is zero.
    log_likelihood
        Restricted under REML.
    q, q_df, q_p
        Heterogeneity around the fit with the sampling covariance alone.
    q_moderators, q_moderators_p
        Wald test that all coefficients are zero.
    structure, method, status
        What was fitted, and how it ended.
    robust
        Cluster-robust tests, studies as clusters; None unless asked for.
    """

    outcomes: tuple[str, ...]
    beta: Floats
    se: Floats
    z: Floats
    p: Floats
    low: Floats
    high: Floats
    covariance: Floats
    tau2: Floats
    correlation: Floats
    log_likelihood: float
    q: float
    q_df: int
    q_p: float
    q_moderators: float
    q_moderators_p: float
    structure: Structure
    method: str
    status: MultivariateStatus
    robust: RobustVariance | None = None


@dataclass(frozen=True)
class _Problem:
    y: Floats
    x: Floats
    blocks: tuple[Block, ...]
    outcome: NDArray[np.int64]

    def sums(self, g: Floats) -> tuple[Floats, Floats, float, float]:
        """Return X'WX, X'Wy, y'Wy and log |covariance| for a covariance G of true effects."""
        p = self.x.shape[1]
        total, log_determinant = np.zeros((p + 1, p + 1)), 0.0
        for rows, v in self.blocks:
            which = self.outcome[rows]
            factor = np.linalg.cholesky(v + g[np.ix_(which, which)])
            both = np.linalg.solve(factor, np.column_stack([self.x[rows], self.y[rows]]))
            total += both.T @ both
            log_determinant += 2 * float(np.log(np.diag(factor)).sum())
        return total[:-1, :-1], total[:-1, -1], float(total[-1, -1]), log_determinant

    def log_likelihood(self, g: Floats, *, reml: bool) -> float:
        """Return the (restricted) log-likelihood at the best coefficients; -inf where G fails."""
        try:
            xwx, xwy, ywy, log_determinant = self.sums(g)
        except np.linalg.LinAlgError:
            return -np.inf
        k, p = self.x.shape
        rss = ywy - float(xwy @ np.linalg.solve(xwx, xwy))
        value = -0.5 * ((k - p if reml else k) * np.log(2 * np.pi) + log_determinant + rss)
        if reml:
            value += 0.5 * float(np.linalg.slogdet(self.x.T @ self.x)[1])
            value -= 0.5 * float(np.linalg.slogdet(xwx)[1])
        return float(value)

    @property
    def spread(self) -> float:
        """A typical standard error."""
        return float(np.sqrt(np.mean([np.trace(b) / len(b) for _, b in self.blocks])))


def multivariate(
    y: ArrayLike,
    v: ArrayLike,
    study: Sequence[object],
    outcome: Sequence[object],
    x: ArrayLike | None = None,
    structure: Structure | str = Structure.UNSTRUCTURED,
    method: str = "REML",
    level: float = 0.95,
    robust: RobustKind | str | None = None,
) -> MultivariateResult:
    """Fit correlated outcomes with a sampling covariance that is given.

    Parameters
    ----------
    y : (k,)
        Effects, one row per study and outcome.
    v : (k, k)
        Sampling covariance; zero between studies.
    study, outcome
        Labels of each row; an outcome occurs at most once in a study.
    x : (k, p), optional
        Design; one mean per outcome (sorted by name) otherwise.
    structure
        UN, CS (one variance, one correlation) or DIAG.
    method
        REML or ML.
    level
        Confidence level.
    robust
        CR0, CR1 or CR2: also cluster-robust tests.

    Raises
    ------
    InputError
        If the covariance is not positive definite within a study or not zero between studies, an
        outcome is repeated in a study, or the design cannot be fitted.
    """
    check_level(level)
    structure = Structure(structure)
    if method not in ("REML", "ML"):
        raise InputError(f"{method} is not a method here", where="method", hint="Use REML or ML.")
    problem, outcomes = _problem(y, v, study, outcome, x)
    m, k, p, reml = len(outcomes), problem.y.size, problem.x.shape[1], method == "REML"

    def likelihood(free: Floats) -> float:
        return problem.log_likelihood(_covariance(free, structure, m), reml=reml)

    spread = problem.spread
    found = maximise(likelihood, _start(structure, m, spread), _scale(structure, m, spread))
    g = _covariance(found.x, structure, m)
    xwx, xwy, _, _ = problem.sums(g)
    covariance = np.asarray(np.linalg.inv(xwx), dtype=float)
    beta = covariance @ xwy
    se = np.sqrt(np.diag(covariance))
    half = float(ndtri(0.5 + level / 2)) * se
    plain, plain_y, plain_yy, _ = problem.sums(np.zeros_like(g))
    q = plain_yy - float(plain_y @ np.linalg.solve(plain, plain_y))
    q_moderators = float(beta @ xwx @ beta)
    sandwich = None if robust is None else _sandwich(problem, g, robust, level)
    tau2, correlation, boundary = _describe(g, spread)
    status = MultivariateStatus.OK if found.converged else MultivariateStatus.NOT_CONVERGED
    return MultivariateResult(
        outcomes,
        beta,
        se,
        beta / se,
        2 * norm.sf(np.abs(beta / se)),
        beta - half,
        beta + half,
        covariance,
        tau2,
        correlation,
        found.value,
        q,
        k - p,
        float(chi2.sf(q, k - p)),
        q_moderators,
        float(chi2.sf(q_moderators, p)),
        structure,
        method,
        MultivariateStatus.AT_BOUNDARY if boundary else status,
        sandwich,
    )


def tau2_intervals(
    result: MultivariateResult,
    y: ArrayLike,
    v: ArrayLike,
    study: Sequence[object],
    outcome: Sequence[object],
    x: ArrayLike | None = None,
    level: float = 0.95,
) -> tuple[tuple[float, float], ...]:
    """Return profile-likelihood intervals of the variances, one an outcome.

    Under compound symmetry there is one variance, and all outcomes have its interval.

    Parameters
    ----------
    result
        Of `multivariate` with the same data; its structure and likelihood are used again.
    y, v, study, outcome, x
        As given to `multivariate`.
    level
        Confidence level.
    """
    check_level(level)
    problem, outcomes = _problem(y, v, study, outcome, x)
    m, structure, reml = len(outcomes), result.structure, result.method == "REML"
    spread = problem.spread
    start, scale = _start(structure, m, spread), _scale(structure, m, spread)

    def interval(which: int) -> tuple[float, float]:
        # the first number of every structure is the SD of the first outcome: put it there
        order = [which, *(i for i in range(m) if i != which)]
        back = np.argsort(order)

        def profile(sd: float) -> float:
            def rest(free: Floats) -> float:
                g = _covariance(np.concatenate([[sd], free]), structure, m)
                return problem.log_likelihood(g[np.ix_(back, back)], reml=reml)

            if start.size == 1:
                return rest(np.empty(0))
            return maximise(rest, start[1:], scale[1:]).value

        sd = float(np.sqrt(result.tau2[which]))
        return profile_interval(profile, sd, result.log_likelihood, level, scale=spread)

    if structure is Structure.COMPOUND_SYMMETRY:
        return (interval(0),) * m
    return tuple(interval(i) for i in range(m))


def _sandwich(problem: _Problem, g: Floats, kind: RobustKind | str, level: float) -> RobustVariance:
    working = [
        (rows, block + g[np.ix_(problem.outcome[rows], problem.outcome[rows])])
        for rows, block in problem.blocks
    ]
    return robust_variance(problem.y, problem.x, working, kind, level)


def _problem(
    y: ArrayLike,
    v: ArrayLike,
    study: Sequence[object],
    outcome: Sequence[object],
    x: ArrayLike | None,
) -> tuple[_Problem, tuple[str, ...]]:
    given = np.asarray(v, dtype=float)
    if given.ndim != 2 or given.shape[0] != given.shape[1]:
        raise InputError("v must be a square table of sampling covariances", where="v")
    names, studies = [str(o) for o in outcome], [str(s) for s in study]
    if len(names) != given.shape[0] or len(studies) != given.shape[0]:
        raise InputError("each row needs a study and an outcome", where="study, outcome")
    outcomes = tuple(sorted(set(names)))
    index = np.array([outcomes.index(name) for name in names])
    means = np.eye(len(outcomes))[index] if x is None else x
    effects, _, design = checked_rows(y, np.diag(given), means)
    blocks, left = [], given.copy()
    for label in dict.fromkeys(studies):
        rows = np.flatnonzero(np.array(studies) == label)
        if len(set(index[rows])) < rows.size:
            raise InputError(
                f"study {label} has an outcome twice", where="outcome", hint="Combine the rows."
            )
        block = given[np.ix_(rows, rows)]
        lowest = float(np.linalg.eigvalsh(block)[0])
        if not np.allclose(block, block.T) or lowest <= 1e-12 * float(np.diag(block).max()):
            raise InputError(
                f"the sampling covariance of study {label} is singular or not symmetric",
                where=f"study {label}",
                hint="A correlation of one means that the outcomes are the same: leave one out.",
            )
        left[np.ix_(rows, rows)] = 0.0
        blocks.append((rows, block))
    if np.any(left != 0.0):
        raise InputError(
            "v has covariances between studies", where="v", hint="Give them one study label."
        )
    return _Problem(effects, design, tuple(blocks), index), outcomes


def _covariance(free: Floats, structure: Structure, m: int) -> Floats:
    """Return G; every choice of free numbers gives a positive semidefinite one."""
    if structure is Structure.DIAGONAL:
        return np.diag(free**2)
    if structure is Structure.COMPOUND_SYMMETRY:
        # The correlation lies between -1/(m - 1) and 1.
        lowest = -1.0 / max(m - 1, 1)
        rho = lowest + (1.0 - lowest) / (1.0 + np.exp(-free[1]))
        return np.asarray(free[0] ** 2 * ((1.0 - rho) * np.eye(m) + rho))
    root = np.zeros((m, m))
    root[np.tril_indices(m)] = free
    return root @ root.T


def _start(structure: Structure, m: int, spread: float) -> Floats:
    if structure is Structure.DIAGONAL:
        return np.full(m, spread)
    if structure is Structure.COMPOUND_SYMMETRY:
        return np.array([spread, np.log(2.0 * max(m - 1, 1))])
    return np.asarray((spread * (0.8 * np.eye(m) + 0.2))[np.tril_indices(m)])


def _scale(structure: Structure, m: int, spread: float) -> Floats:
    if structure is Structure.COMPOUND_SYMMETRY:
        return np.array([spread, 1.0])
    return np.full(m if structure is Structure.DIAGONAL else m * (m + 1) // 2, spread)


def _describe(g: Floats, spread: float) -> tuple[Floats, Floats, bool]:
    tau2 = np.diag(g).copy()
    zero = tau2 < (1e-4 * spread) ** 2
    root = np.sqrt(np.where(zero, np.nan, tau2))
    correlation = g / np.outer(root, root)
    off = correlation[~np.eye(len(g), dtype=bool)]
    return tau2, correlation, bool(zero.any() or np.any(np.abs(off) > 1.0 - 1e-6))
