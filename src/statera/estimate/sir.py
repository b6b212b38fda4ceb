"""Sampling importance resampling: the distribution of the estimates without refits.

Dosne et al. 2016 (doi 10.1007/s10928-016-9487-8) and 2017 (doi 10.1007/s10928-017-9542-0). Vectors
of parameters are drawn from a proposal made of the covariance of the estimates; each is weighted by
its likelihood ``exp(-dOFV / 2)`` over the density of the proposal; vectors are then drawn by these
weights without replacement. Here the proposal is normal in the free numbers of the search, where
every vector is a valid model, and the weight holds the Jacobian of the change of variables, so
that the target is the same as with a proposal in the parameters as reported.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from statera.errors import UsageError
from statera.estimate.covariance import Covariance, CovarianceOptions, covariance
from statera.estimate.natural import natural_slopes, natural_values, objective_at
from statera.estimate.outer import Objective
from statera.estimate.result import FitResult
from statera.estimate.status import Code, Notice, notice
from statera.estimate.wald import Interval, percentile_intervals
from statera.numerics.streams import stream

__all__ = ["Sir", "SirOptions", "SirRound", "importance_resampling"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class SirOptions:
    """How vectors are drawn and weighted.

    Attributes
    ----------
    samples, resamples
        Vectors drawn and kept in each round; the proposal of a round is fitted to what the round
        before kept. One round by default; ``(1000, 1000, 1000, 2000, 2000)`` with ``(200, 400,
        500, 1000, 1000)`` are the five rounds of Dosne 2017.
    inflation
        Factor on the covariance of the first proposal.
    seed
        Same seed, same samples.
    level
        Coverage of the percentile intervals.
    least_share
        Effective sample size over samples below which weights count as degenerate.
    """

    samples: tuple[int, ...] = (1000,)
    resamples: tuple[int, ...] = (500,)
    inflation: float = 1.0
    seed: int = 1
    level: float = 0.95
    least_share: float = 0.05


@dataclass(frozen=True)
class SirRound:
    """One round.

    Attributes
    ----------
    samples
        Vectors drawn; `failed` of them have no finite objective and weight 0.
    effective
        Effective sample size ``1 / sum w^2``.
    largest
        Largest weight.
    """

    samples: int
    failed: int
    effective: float
    largest: float


@dataclass(frozen=True)
class Sir:
    """What was kept.

    Attributes
    ----------
    names
        What was estimated, as `Problem.free_names`.
    estimates : (n,) float64
    resamples : (n_kept, n) float64
        Vectors kept in the last round.
    drop : (n_kept,) float64
        Their objective less that of the fit.
    standard_errors : (n,) float64
        Standard deviation of the vectors kept; NaN where weights are degenerate.
    intervals
        Percentiles of the vectors kept; NaN where weights are degenerate.
    rounds
        One by one.
    notices
        What a reader must know.
    seconds
        CPU time.
    """

    names: tuple[str, ...]
    estimates: Floats
    resamples: Floats
    drop: Floats
    standard_errors: Floats
    intervals: tuple[Interval, ...]
    rounds: tuple[SirRound, ...]
    notices: tuple[Notice, ...]
    seconds: float


def importance_resampling(
    result: FitResult,
    options: SirOptions | None = None,
    *,
    uncertainty: Covariance | None = None,
) -> Sir:
    """Return the distribution of the estimates by sampling importance resampling.

    Parameters
    ----------
    uncertainty
        Covariance of the estimates for the first proposal; where not given, that of the matrix R
        is made, which follows the likelihood more closely than the sandwich does.

    Raises
    ------
    UsageError
        If rounds do not match, or the method has no objective of its own.
    """
    options = options or SirOptions()
    _check(options)
    started = time.process_time()
    problem = result.problem
    uncertainty = uncertainty or covariance(result, CovarianceOptions(matrix="R"))
    estimates = natural_values(problem, result.theta, result.omega)
    nothing = np.full(estimates.size, np.nan)
    notices = [n for n in uncertainty.notices if n.code in _HELD]
    kept = np.flatnonzero(uncertainty.included)
    cut = np.ix_(kept, kept)
    if not uncertainty.usable or kept.size == 0:
        about = [n.code.value for n in uncertainty.notices if n.severe] or ["nothing is included"]
        notices.append(notice(Code.NO_UNCERTAINTY, about, severe=True))
        empty = np.zeros((0, estimates.size))
        return Sir(
            problem.free_names, estimates, empty, np.zeros(0), nothing,
            percentile_intervals(problem.free_names, estimates, empty, options.level, "sir"),
            (), tuple(notices), time.process_time() - started,
        )  # fmt: skip
    work = _Sampler(result, objective_at(result), kept)
    center, spread = result.free[kept], options.inflation * uncertainty.free[cut]
    random = stream(options.seed, "sampling importance resampling")
    rounds: list[SirRound] = []
    u, drop = np.zeros((0, kept.size)), np.zeros(0)
    for samples, resamples in zip(options.samples, options.resamples, strict=True):
        drawn, change, log_weight = work.draw(random, center, spread, samples)
        weight, rounded = _weights(log_weight)
        rounds.append(rounded)
        if change.min(initial=0.0) < -0.1:
            notices.append(notice(Code.LOWER_FOUND, [f"by {-change.min():.3g}"]))
        if not rounded.effective > options.least_share * samples:
            about = [f"effective sample size {rounded.effective:.3g} of {samples}"]
            notices.append(notice(Code.WEIGHTS, about, severe=True))
            u, drop = np.zeros((0, kept.size)), np.zeros(0)
            break
        chosen = _without_replacement(random, weight, resamples)
        u, drop = drawn[chosen], change[chosen]
        center, spread = u.mean(axis=0), np.atleast_2d(np.cov(u.T))
    vectors = work.natural(u)
    enough = vectors.shape[0] > 1
    return Sir(
        names=problem.free_names,
        estimates=estimates,
        resamples=vectors,
        drop=drop,
        standard_errors=np.where(uncertainty.included, vectors.std(axis=0, ddof=1), np.nan)
        if enough
        else nothing,
        intervals=percentile_intervals(
            problem.free_names, estimates, vectors, options.level, "sir"
        ),
        rounds=tuple(rounds),
        notices=tuple(notices),
        seconds=time.process_time() - started,
    )


_HELD = (Code.OMEGA_ZERO, Code.OMEGA_CORRELATION, Code.THETA_BOUND)


def _check(options: SirOptions) -> None:
    if len(options.samples) != len(options.resamples) or not options.samples:
        raise UsageError("give as many numbers of resamples as of samples", where="resamples")
    if any(not 2 <= m <= n for n, m in zip(options.samples, options.resamples, strict=True)):
        raise UsageError(
            "each round needs at least 2 resamples and no more than its samples", where="resamples"
        )
    if not options.inflation > 0.0:
        raise UsageError("the inflation must be above 0", where="inflation")


class _Sampler:
    """Draws vectors of free numbers and weighs them."""

    def __init__(self, result: FitResult, objective: Objective, kept: Ints) -> None:
        self.problem, self.objective, self.kept = result.problem, objective, kept
        self.best = result.free
        self.lowest, _ = objective(self.best)

    def draw(
        self, random: np.random.Generator, center: Floats, spread: Floats, count: int
    ) -> tuple[Floats, Floats, Floats]:
        """Return vectors (count, n), their objectives less that of the fit, and log weights."""
        values, vectors = np.linalg.eigh(spread)
        root = vectors * np.sqrt(np.maximum(values, 1e-12 * values.max()))
        z = random.standard_normal((count, center.size))
        u = center + z @ root.T
        change = np.empty(count)
        jacobian = np.empty(count)
        cut = np.ix_(self.kept, self.kept)
        for i in range(count):
            whole = self._whole(u[i])
            with np.errstate(all="ignore"):
                change[i] = self.objective.value(whole)[0] - self.lowest
                slopes = natural_slopes(self.problem, whole)[cut]
                jacobian[i] = np.linalg.slogdet(slopes)[1]
        log_weight = -0.5 * change + jacobian + 0.5 * (z**2).sum(axis=1)
        lost = ~np.isfinite(log_weight)
        change[lost], log_weight[lost] = np.inf, -np.inf
        return u, change, log_weight

    def natural(self, u: Floats) -> Floats:
        """Return vectors as reported, (count, n_free)."""
        found = np.empty((u.shape[0], self.best.size))
        for i in range(u.shape[0]):
            theta, omega, _ = self.problem.unpack(self._whole(u[i]))
            found[i] = natural_values(self.problem, theta, omega)
        return found

    def _whole(self, part: Floats) -> Floats:
        whole = self.best.copy()
        whole[self.kept] = part
        return whole


def _weights(log_weight: Floats) -> tuple[Floats, SirRound]:
    """Return weights that add up to 1, and what they say about the proposal."""
    lost = int(np.isinf(log_weight).sum())
    if lost == log_weight.size:
        return np.zeros(log_weight.size), SirRound(log_weight.size, lost, 0.0, 1.0)
    weight = np.exp(log_weight - log_weight.max())
    weight /= weight.sum()
    effective = float(1.0 / (weight**2).sum())
    return weight, SirRound(log_weight.size, lost, effective, float(weight.max()))


def _without_replacement(random: np.random.Generator, weight: Floats, count: int) -> Ints:
    """Return indices drawn one after the other by weight, each at most once.

    Adding Gumbel noise to log weights and keeping the largest is the same as drawing one by one.
    """
    with np.errstate(divide="ignore"):
        key = np.log(weight) + random.gumbel(size=weight.size)
    usable = int((weight > 0.0).sum())
    return np.argsort(-key)[: min(count, usable)].astype(np.int64)
