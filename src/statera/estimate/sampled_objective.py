"""-2 log-likelihood by importance sampling as a smooth function of the parameters.

With draws held, ``O(u) = -2 sum_i ln[ (1/K) sum_k p(y_i, eta_k; u) / q_i(eta_k) ]`` can be
differentiated; its gradient is the weighted mean of the gradients of the complete data (Fisher's
identity), and its second derivatives are those of Louis (1982, doi
10.1111/j.2517-6161.1982.tb01203.x) at the weighted draws. Nothing is linearised.

Were the draws held where they are, a parameter that the random effects make up for (the mean of
one) would have an information that is a small difference of large sums. So the draws of a subject,
and its proposal with them, move with the fixed effects as its mode does: by ``A (theta -
theta_0)``, A from expected second derivatives. Any A leaves the likelihood what it is; this one
takes most of the noise out of its derivatives. Draws are a Sobol sequence, shifted at random for
every subject (Cranley and Patterson 1976, doi 10.1137/0713071).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtri, ndtri

from statera.estimate.chains import tile
from statera.estimate.effects import Effects
from statera.estimate.importance import ImportanceOptions, ImportanceResult, importance_sampling
from statera.estimate.individual import Individuals
from statera.estimate.laplace import LaplaceOptions
from statera.estimate.outer import Objective
from statera.estimate.problem import Problem
from statera.estimate.proposal import Proposal
from statera.numerics.streams import stream

__all__ = ["SampledObjective", "SampledOptions"]

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

_DEGREES = 5.0
_ALL_DRAWS = 32_768
_LOWEST_PRIOR = 0.1  # what bounds the weights of a subject whose tail the moments do not show


@dataclass(frozen=True)
class SampledOptions:
    """How the likelihood is sampled.

    Attributes
    ----------
    draws
        Of each subject; a power of 2 keeps the balance of the sequence. None for the power of 2
        between 64 and 512 that makes about 30 000 draws in all.
    seed
        Of the shifts.
    rows
        Rows solved in one call: bounds the memory.
    """

    draws: int | None = None
    seed: int = 1
    rows: int = 20_000

    def count(self, n_subjects: int) -> int:
        """Return the draws of each subject."""
        if self.draws is not None:
            return max(2, self.draws)
        return 1 << int(np.clip(np.log2(_ALL_DRAWS / max(n_subjects, 1)), 6.0, 9.0))


class SampledObjective(Objective):
    """-2 log-likelihood by importance sampling with held draws, and its exact gradient.

    Parameters
    ----------
    problem
        With interaction.
    theta, omega
        Where the proposals are made: later calls should stay close.
    found
        Importance sampling there, whose moments are the proposals; made where it is None.
    """

    def __init__(
        self,
        problem: Problem,
        theta: Floats,
        omega: Floats,
        options: SampledOptions | None = None,
        found: ImportanceResult | None = None,
    ) -> None:
        super().__init__(problem, LaplaceOptions())
        self.sampling = options or SampledOptions()
        of = problem.individuals
        if found is None:
            found = importance_sampling(
                problem, theta, omega, ImportanceOptions(seed=self.sampling.seed)
            )
        effects = Effects(problem.omega.expand(omega))
        live = effects.live
        inside = found.eta_variance[:, live[:, None], live]
        good: Mask = np.asarray(
            np.isfinite(inside).all(axis=(1, 2)) & np.isfinite(found.etas).all(axis=1)
        )
        proposal = Proposal(
            np.where(good[:, None], found.etas[:, live], 0.0),
            np.where(good[:, None, None], inside, effects.root @ effects.root.T),
            _DEGREES,
            np.maximum(found.prior_share, _LOWEST_PRIOR),
        )
        self.count = self.sampling.count(of.n_subjects)
        drawn, self.log_q = _draws(proposal, effects, self.count, self.sampling.seed)
        self.drawn = effects.full(drawn)
        self.etas = np.where(good[:, None], found.etas, 0.0)
        self.theta = theta.copy()
        self.moves = _moves(of, theta, effects, self.etas)
        size = max(1, of.y.size)
        self.copies = max(1, min(self.count, self.sampling.rows // size))
        self._tiled: dict[int, Individuals] = {}

    def __call__(self, u: Floats) -> tuple[float, Floats]:
        """Return the objective and its gradient; infinite where a subject cannot be solved."""
        self.evaluations += 1
        problem = self.problem
        theta, _, omega = problem.unpack(u)
        effects = Effects(omega)
        sums = _Sums(problem.individuals)
        with np.errstate(all="ignore"):
            for first in range(0, self.count, self.copies):
                self._add(sums, theta, effects, slice(first, first + self.copies))
        values = sums.objective(self.count)
        if not np.isfinite(values).all():
            return np.inf, np.full(u.size, np.nan)
        p = effects.precision
        second = sums.second / sums.one[:, None, None]
        by_eta = sums.eta + 2.0 * sums.first @ p
        by_theta = sums.theta + np.einsum("iqm,iq->im", self.moves, by_eta)
        by_theta /= sums.one[:, None]
        self.rows = problem.pull(u, by_theta, p - p @ second @ p)
        self.by_subject_values = values
        gradient = self.rows.sum(axis=0) + self._prior_slope(u)
        total = float(values.sum()) + problem.constant + problem.prior(theta)[0]
        return total, gradient

    def _add(self, sums: _Sums, theta: Floats, effects: Effects, part: slice) -> None:
        etas = self.drawn[part] + self.moves @ (theta - self.theta)
        copies, n, q = etas.shape
        if copies not in self._tiled:
            self._tiled[copies] = tile(self.problem.individuals, copies)
        of = self._tiled[copies]
        e = of.evaluate(theta, etas.reshape(copies * n, q), by_parameters=True)
        value = of.total(e.terms.value)
        slopes = of.gradient(e)
        good = np.isfinite(value) & np.isfinite(slopes).all(axis=1) & (e.statuses == 0)
        weight = effects.log_density(etas) - self.log_q[part]
        weight -= 0.5 * np.where(good, value, np.inf).reshape(copies, n)
        slopes = np.where(good[:, None], slopes, 0.0).reshape(copies, n, -1)
        sums.add(weight, slopes, etas)


class _Sums:
    """Weighted sums over draws, without keeping the derivatives of each."""

    def __init__(self, of: Individuals) -> None:
        n, q = of.n_subjects, of.n_etas
        self.reference = np.full(n, -1e300)
        self.one = np.zeros(n)
        self.slopes = np.zeros((n, of.n_theta + q))
        self.first, self.second = np.zeros((n, q)), np.zeros((n, q, q))
        self.n_theta = of.n_theta

    @property
    def theta(self) -> Floats:
        """Derivatives of -2 log-likelihood of the data by fixed effects."""
        return self.slopes[:, : self.n_theta]

    @property
    def eta(self) -> Floats:
        """Derivatives of -2 log-likelihood of the data by random effects."""
        return self.slopes[:, self.n_theta :]

    def add(self, log_weight: Floats, slopes: Floats, etas: Floats) -> None:
        """Add draws: (copies, n), (copies, n, n_theta + n_etas) and (copies, n, n_etas)."""
        top = np.maximum(self.reference, log_weight.max(axis=0))
        shrink = np.exp(self.reference - top)
        w = np.exp(log_weight - top)
        self.one = self.one * shrink + w.sum(axis=0)
        self.slopes = self.slopes * shrink[:, None] + np.einsum("ci,cim->im", w, slopes)
        weighted = w[..., None] * etas
        self.first = self.first * shrink[:, None] + weighted.sum(axis=0)
        pairs = np.einsum("cik,cil->ikl", weighted, etas)
        self.second = self.second * shrink[:, None, None] + pairs
        self.reference = top

    def objective(self, count: int) -> Floats:
        """-2 log of the mean weight; infinite where no draw has any."""
        with np.errstate(divide="ignore"):
            return -2.0 * (self.reference + np.log(self.one / count))


def _moves(of: Individuals, theta: Floats, effects: Effects, etas: Floats) -> Floats:
    """Return how fast each subject's mode follows the fixed effects, (n, n_etas, n_theta)."""
    out = np.zeros((of.n_subjects, of.n_etas, of.n_theta))
    with np.errstate(all="ignore"):
        e = of.evaluate(theta, etas, by_parameters=True)
        f, v = e.terms.curve_f[:, None, None], e.terms.curve_v[:, None, None]
        t = of.n_theta
        cross = (
            f * e.df[:, t:, None] * e.df[:, None, :t] + v * e.dv[:, t:, None] * e.dv[:, None, :t]
        )
        cross = of.total(cross)[:, effects.live]
        half = (of.expected(e, t) + effects.precision)[:, effects.live[:, None], effects.live]
        good = np.isfinite(cross).all(axis=(1, 2)) & np.isfinite(half).all(axis=(1, 2))
    at = np.flatnonzero(good)
    out[np.ix_(at, effects.live)] = -np.linalg.solve(half[at], cross[at])
    return out


def _draws(proposal: Proposal, effects: Effects, count: int, seed: int) -> tuple[Floats, Floats]:
    """Return draws (count, n_subjects, n_live) and their log-densities (count, n_subjects)."""
    from scipy.stats.qmc import Sobol  # noqa: PLC0415  heavy: only here

    n, q = proposal.centre.shape
    power = int(np.ceil(np.log2(count)))
    source = stream(seed, "sampled likelihood")
    points = Sobol(q + 2, scramble=True, rng=source).random_base2(power)[:count]
    u = (points[:, None, :] + source.random((n, q + 2))) % 1.0
    u = np.clip(u, 1e-12, 1.0 - 1e-12)
    normal = ndtri(u[..., :q])
    spread = chdtri(_DEGREES, u[..., q]) / _DEGREES
    w = normal / np.sqrt(spread)[..., None]
    drawn = proposal.centre + np.einsum("ikl,cil->cik", proposal.roots, w)
    drawn = np.where((u[..., q + 1] < proposal.prior)[..., None], normal @ effects.root.T, drawn)
    density = np.logaddexp(
        np.log1p(-proposal.prior) + proposal.log_t(proposal.distance(drawn), proposal.log_det, q),
        np.log(proposal.prior) + effects.log_density(effects.full(drawn)),
    )
    return np.asarray(drawn), np.asarray(density)
