"""The state of a SAEM run: chains, averages and parameters, and what one iteration does to them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from statera.estimate.chains import Draw, Likelihood, tile
from statera.estimate.effects import Effects
from statera.estimate.importance import ImportanceOptions
from statera.estimate.information import expected_information
from statera.estimate.inner import InnerOptions, find_etas, inverse_of
from statera.estimate.kernels import Kernels
from statera.estimate.mu import find_mu_reference
from statera.estimate.problem import Problem
from statera.estimate.saem_step import Maximiser, Statistics
from statera.numerics.streams import stream

__all__ = ["LARGEST_DRIFT", "SaemOptions", "SaemRun"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class SaemOptions:
    """How long SAEM runs and how chains move.

    Attributes
    ----------
    seed
        Of the random streams.
    chains
        Chains of each subject; None for as many as make 80 to 480 chains in all (160 where
        the model is integrated), at most 20 a subject: more where the data of a subject say
        little about its random effects.
    burn_in
        Smallest and largest number of iterations before averaging begins: it begins when the
        parameters have stopped drifting.
    smoothing, power
        Iterations of averaging; their weights fall as ``k^-power``. Estimates are means over the
        second half of them (Polyak and Juditsky), which are as exact as with weights ``1/k``, and
        forget the burn-in sooner.
    annealing, keep
        In the first `annealing` iterations a variance keeps at least the share `keep` of its last
        value, so that it cannot collapse before the chains have found their place.
    at_modes, blocks, components
        Moves of each kind in an iteration, where `components` is one walk over all random
        effects; fractions are moves every so many iterations.
    prior
        Iterations that also propose draws from the prior, and their distance afterwards.
    modes
        Iterations between two searches for the modes around which moves are drawn (burn-in).
    importance
        Importance sampling at the end; None for none: the objective is then not a number.
    """

    seed: int = 1
    chains: int | None = None
    burn_in: tuple[int, int] = (100, 2000)
    smoothing: int = 150
    power: float = 0.7
    annealing: int = 40
    keep: float = 0.9
    at_modes: float = 1.0
    blocks: float = 0.5
    components: float = 0.2
    prior: tuple[int, int] = (10, 10)
    modes: int = 25
    importance: ImportanceOptions | None = field(default_factory=ImportanceOptions)


_CHAINS, _MOST_CHAINS, _MOST_INTEGRATED, _MOST_A_SUBJECT = 80.0, 480.0, 160.0, 20
"""Too few chains let Omega wander into singularity where each subject says little."""


@dataclass
class State:
    """Where the algorithm stands."""

    theta: Floats
    omega: Floats
    mean: Floats
    effects: Effects
    draw: Draw


class SaemRun:
    """One run of SAEM."""

    def __init__(self, problem: Problem, options: SaemOptions) -> None:
        self.problem, self.options = problem, options
        of = problem.individuals
        self.n = of.n_subjects
        self.mu = find_mu_reference(problem)
        self.source = stream(options.seed, "saem")
        self.statistics = Statistics()
        self.history: list[tuple[Floats, Floats]] = []
        self.limited = False
        self.stationarity: dict[str, float] = {}
        theta, omega, full = problem.unpack(problem.start)
        effects = Effects(full)
        self.modes = np.zeros((self.n, of.n_etas))
        centre, covariance = self._conditional(theta, effects)
        closed = of.prepared.structure.linear is not None
        most = _MOST_CHAINS if closed else _MOST_INTEGRATED
        self.copies = options.chains or _copies(covariance, effects, most)
        self.likelihood = Likelihood(tile(of, self.copies))
        self.kernels = Kernels(self.likelihood, self.copies, self.source, centre, covariance)
        self.maximiser = Maximiser(problem, self.mu, self.likelihood, self.copies, self.modes)
        mean = self.mu.mean(theta)
        draw = self.likelihood.at(theta, np.tile(self.modes, (self.copies, 1)))
        self.state = State(theta, omega, mean, effects, draw)

    def _conditional(self, theta: Floats, effects: Effects) -> tuple[Floats, Floats]:
        """Find modes; return them and the conditional covariances, of the effects that vary."""
        of = self.problem.individuals
        options = InnerOptions(tolerance=1e-2, max_steps=15)
        with np.errstate(all="ignore"):
            inner = find_etas(of, theta, effects.search_precision, self.modes, options)
            self.modes = np.where(np.isfinite(inner.objective)[:, None], inner.etas, 0.0)
            e = of.evaluate(theta, self.modes, by_parameters=False)
            half = (of.expected(e, 0) + effects.precision)[:, effects.live[:, None], effects.live]
        good: NDArray[np.bool_] = np.asarray(np.isfinite(half).all(axis=(1, 2)))
        half = np.where(good[:, None, None], half, effects.inner_precision)
        return self.modes[:, effects.live], inverse_of(half)

    def move(self, number: int) -> None:
        """Move the chains."""
        s, o, k = self.state, self.options, self.kernels
        if number < o.prior[0] or number % o.prior[1] == 0:
            k.prior(s.theta, s.draw, s.effects)
        for share, move in (
            (o.at_modes, k.at_modes), (o.blocks, k.blocks), (o.components, k.components),
        ):  # fmt: skip
            for _ in range(int((number + 1) * share) - int(number * share)):
                move(s.theta, s.draw, s.effects)

    def step(self, weight: float, keep: float) -> None:
        """Average and maximise; individual values stay, their random effects follow the means."""
        s, m = self.state, self.maximiser
        m.collect(self.statistics, weight, s.theta, s.draw, s.mean)
        theta = m.fixed_effects(self.statistics, weight, s.theta, s.effects, keep)
        mean = self.mu.mean(theta)
        omega, self.limited = m.omega(self.statistics, mean, s.omega, keep)
        moved = s.mean - mean
        etas = s.draw.etas + np.tile(moved, (self.copies, 1))
        self.kernels.centre = self.kernels.centre + moved[:, s.effects.live]
        effects = Effects(self.problem.omega.expand(omega))
        if m.structural:
            draw = self.likelihood.at(theta, etas)
        else:
            draw = Draw(etas, self.likelihood.value(theta, etas, s.draw.x)[0], s.draw.x)
        self.state = State(theta, omega, mean, effects, draw)
        self.history.append((theta, omega))

    def average(self, count: int) -> None:
        """Take the means of the last iterations for estimates."""
        s, mapped = self.state, self.problem.theta
        last = self.history[-count:]
        u = np.mean([mapped.pack(theta) for theta, _ in last], axis=0)
        s.theta = mapped.unpack(u)[0]
        first = last[0][1]  # differences, so that what is fixed stays to the last bit
        s.omega = first + np.mean([omega - first for _, omega in last], axis=0)
        s.mean = self.mu.mean(s.theta)
        s.effects = Effects(self.problem.omega.expand(s.omega))

    def refresh(self) -> None:
        """Search for the modes anew."""
        s = self.state
        self.modes = np.mean(s.draw.etas.reshape(self.copies, self.n, -1), axis=0)
        centre, covariance = self._conditional(s.theta, s.effects)
        self.kernels.centre = centre
        self.kernels.set_covariance(covariance)

    def drifts(self) -> dict[str, float]:
        """Return how far each parameter moved in the last iterations, in units of its noise.

        A move that is small beside the standard error to be expected is none: what the data say
        next to nothing about wanders for ever, and would hold up all else.
        """
        last = self.history[-_WINDOW:]
        rows = np.array([self.problem.pack(theta, omega) for theta, omega in last])
        values = _drift(rows, _SMALL * self._expected_errors(rows[-1])).tolist()
        return dict(zip(self.problem.free_names, values, strict=True))

    def _expected_errors(self, u: Floats) -> Floats:
        """Return standard errors of the free numbers to be expected at the chains' means."""
        theta, _, _ = self.problem.unpack(u)
        etas = self.statistics.phi - self.state.mean
        e = self.problem.individuals.evaluate(theta, etas, by_parameters=True)
        information = 0.5 * expected_information(self.problem, u, e)
        if not np.isfinite(information).all():
            return np.zeros(u.size)
        size = np.sqrt(np.maximum(np.diag(information), 1e-12))
        scaled = information / size[:, None] / size[None, :] + 1e-6 * np.eye(u.size)
        found: Floats = np.sqrt(np.diag(inverse_of(scaled))) / size
        return found


def _copies(covariance: Floats, effects: Effects, most: float) -> int:
    """Return the number of chains of each subject.

    The noise of an iteration grows with the share of Omega that the data leave open.
    """
    prior = np.diag(effects.root @ effects.root.T)
    open_share = np.diagonal(covariance, axis1=1, axis2=2).mean(axis=0) / prior
    rest = 1.0 - min(float(open_share.max()), 0.9)
    wanted = min(_CHAINS / rest**2, most)
    return max(1, min(_MOST_A_SUBJECT, int(np.ceil(wanted / covariance.shape[0]))))


def _drift(window: Floats, small: Floats) -> Floats:
    """Return the difference of the means of two halves over the noise inside the halves.

    Parameters
    ----------
    small : (n,) float64
        What counts as noise in any case.
    """
    first, second = np.array_split(window, 2)
    noise = np.sqrt(0.5 * (first.var(axis=0) + second.var(axis=0)))
    away = np.abs(second.mean(axis=0) - first.mean(axis=0))
    still = away < 1e-6 * (1e-6 + np.abs(window).max(axis=0))
    return np.where(still, 0.0, away / np.maximum(np.maximum(noise, small), 1e-300))


_SMALL = 0.1
"""Share of a standard error that counts as noise: averaging goes on while parameters settle."""
_WINDOW, LARGEST_DRIFT = 60, 1.0
"""A straight trend has a drift of 3.5; independent noise about 0.15, correlated noise up to 1."""
