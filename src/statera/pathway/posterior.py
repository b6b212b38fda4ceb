"""Draws from the posterior of a pathway's parameters, between their bounds.

Chains jump along differences of past states of all chains, and now and then along the line to one
of them (ter Braak and Vrugt 2008, doi 10.1007/s11222-008-9104-9). Jumps follow curved and flat
directions without derivatives, so that three chains suffice for many parameters. The objective is
taken as the negative logarithm of the density: with uniform parameters between the bounds, and
whatever priors it holds itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from statera.errors import InputError, NumericalError
from statera.numerics.chain_diagnostics import ess_bulk, ess_tail, rhat
from statera.parallel import map_ordered
from statera.pathway.target import Target

__all__ = ["HIGHEST_RHAT", "LOWEST_ESS", "PosteriorDraws", "PosteriorOptions", "sample_posterior"]

Floats = NDArray[np.float64]

HIGHEST_RHAT, LOWEST_ESS = 1.01, 100.0
"""R-hat above the first, or fewer effective draws a chain than the second, are said (Vehtari and
others 2021, doi 10.1214/20-BA1221)."""

_SNOOKER = 0.1  # share of jumps along the line to a past state
_LONG = 0.1  # share of jumps of full length, which pass between modes
_NOISE = 1e-6  # of the range, so that all places can be reached
_EVERY = 10  # iterations after which the states join the past


@dataclass(frozen=True)
class PosteriorOptions:
    """How to draw.

    Attributes
    ----------
    chains
        Run side by side; at least 3.
    draws
        Kept of each chain.
    burn
        Iterations before; as many as are kept in all where None.
    thin
        Iterations for one draw that is kept.
    seed
        The same seed gives the same draws, whatever the number of workers.
    workers
        Threads.
    """

    chains: int = 4
    draws: int = 1000
    burn: int | None = None
    thin: int = 10
    seed: int = 1
    workers: int = 1

    def __post_init__(self) -> None:
        if self.chains < 3 or min(self.draws, self.thin) < 1:
            raise InputError("at least three chains, one draw and a thinning of 1 are needed")


@dataclass(frozen=True)
class PosteriorDraws:
    """Draws.

    Attributes
    ----------
    names
        Parameters.
    draws : (n_chains, n_draws, n) float64
        On the scales on which parameters are searched.
    values : (n_chains, n_draws) float64
        The objective.
    acceptance
        Share of jumps that were taken.
    summary
        By parameter: ``mean``, ``sd``, ``q2.5``, ``q50``, ``q97.5``, ``rhat``, ``ess`` and
        ``ess_tail``.
    warnings
        What a reader must know.
    """

    names: tuple[str, ...]
    draws: Floats
    values: Floats
    acceptance: float
    summary: Mapping[str, Mapping[str, float]]
    warnings: tuple[str, ...]

    @property
    def flat(self) -> Floats:
        """All draws, (n_chains n_draws, n)."""
        return self.draws.reshape(-1, self.draws.shape[2])

    @property
    def converged(self) -> bool:
        """Whether chains agree and are long enough."""
        return not self.warnings


def sample_posterior(
    target: Target,
    begin: ArrayLike,
    options: PosteriorOptions | None = None,
    progress: Callable[[int, int], bool] | None = None,
) -> PosteriorDraws:
    """Draw from the density ``exp(-objective)`` between the bounds.

    Parameters
    ----------
    target
        The objective.
    begin : (n,) or (k, n) float64
        Optimum, or ends of several searches. The past begins with draws around them.
    progress
        Called every hundred iterations with their number and that of all; a value that is false
        ends the work, with the draws so far if there are any.

    Raises
    ------
    NumericalError
        If there is no point with a finite objective near `begin`, or the work was ended before a
        draw was kept.
    """
    options = options or PosteriorOptions()
    source = np.random.default_rng(options.seed)
    work = _Chains(target, options, source)
    work.begin(np.atleast_2d(np.asarray(begin, dtype=np.float64)))
    kept = options.draws * options.thin
    burn = kept if options.burn is None else options.burn
    draws, values = [], []
    for k in range(burn + kept):
        if progress is not None and k % 100 == 0 and not progress(k, burn + kept):
            break
        work.step(k)
        if k == burn:
            work.taken = work.tried = 0
        if k >= burn and (k - burn) % options.thin == 0:
            draws.append(work.x.copy())
            values.append(work.value.copy())
    if not draws:
        raise NumericalError("the chains were ended before a draw was kept")
    return _result(target, work, np.stack(draws, 1), np.stack(values, 1))


class _Chains:
    """States of all chains and the past along whose differences they jump."""

    def __init__(
        self, target: Target, options: PosteriorOptions, source: np.random.Generator
    ) -> None:
        self.target, self.options, self.source = target, options, source
        self.lower, self.upper = np.asarray(target.lower), np.asarray(target.upper)
        self.x = np.empty((options.chains, self.lower.size))
        self.value = np.full(options.chains, math.inf)
        self.past = np.empty((0, self.lower.size))
        self.taken = self.tried = 0

    def _objective(self, points: Floats) -> Floats:
        inside = np.all((points >= self.lower) & (points <= self.upper), axis=1)
        rows = np.flatnonzero(inside).tolist()
        found = map_ordered(
            lambda i: self.target.evaluate(points[i], 0).value, rows, self.options.workers
        )
        out = np.full(len(points), math.inf)
        out[rows] = found
        return out

    def begin(self, points: Floats) -> None:
        """Fill the past around the points, by the Fisher matrix where it can be inverted."""
        n, width = self.lower.size, self.upper - self.lower
        roots = [self._root(p, width) for p in points]
        size = max(10 * n, 5 * self.options.chains)
        rows = []
        for k in range(size):
            root = roots[k % len(points)]
            point = points[k % len(points)] + root @ self.source.standard_normal(n)
            rows.append(np.clip(point, self.lower, self.upper))
        self.past = np.array(rows)
        values = self._objective(self.past)
        best = np.argsort(values)[: self.options.chains]
        if not np.isfinite(values[best]).all():
            raise NumericalError(
                "around the given point too few have a finite objective to start chains from"
            )
        self.x, self.value = self.past[best].copy(), values[best]

    def _root(self, point: Floats, width: Floats) -> Floats:
        fisher = self.target.evaluate(point, 2).fisher
        if fisher is None or not np.isfinite(fisher).all():
            return np.diag(0.02 * width)
        # directions that the data do not hold are limited by the bounds
        values, vectors = np.linalg.eigh(fisher + np.diag((4.0 / width) ** 2))
        root: Floats = vectors / np.sqrt(np.maximum(values, 1e-12))
        return root

    def step(self, iteration: int) -> None:
        """Move every chain once."""
        chains, n = self.x.shape
        proposal, log_factor = np.empty_like(self.x), np.zeros(chains)
        for c in range(chains):
            if self.source.random() < _SNOOKER:
                proposal[c], log_factor[c] = self._snooker(self.x[c])
            else:
                proposal[c] = self._along_difference(self.x[c], n)
        value = self._objective(proposal)
        uniform = np.log(self.source.random(chains))
        take = uniform < self.value - value + log_factor
        self.x[take], self.value[take] = proposal[take], value[take]
        self.taken, self.tried = self.taken + int(take.sum()), self.tried + chains
        if iteration % _EVERY == 0:
            self.past = np.concatenate([self.past, self.x])

    def _along_difference(self, x: Floats, n: int) -> Floats:
        a, b = self.source.choice(len(self.past), 2, replace=False)
        step = 1.0 if self.source.random() < _LONG else 2.38 / math.sqrt(2 * n)
        noise = _NOISE * (self.upper - self.lower) * self.source.standard_normal(n)
        moved: Floats = x + step * (self.past[a] - self.past[b]) + noise
        return moved

    def _snooker(self, x: Floats) -> tuple[Floats, float]:
        a, b, c = self.source.choice(len(self.past), 3, replace=False)
        line = x - self.past[c]
        size = float(line @ line)
        if size == 0.0:
            return x, 0.0
        share = float((self.past[a] - self.past[b]) @ line) / size
        moved = x + self.source.uniform(1.2, 2.2) * share * line
        after = float(np.linalg.norm(moved - self.past[c]))
        if after == 0.0:
            return moved, -math.inf
        return moved, (x.size - 1) * (math.log(after) - 0.5 * math.log(size))


def _result(target: Target, work: _Chains, draws: Floats, values: Floats) -> PosteriorDraws:
    summary: dict[str, dict[str, float]] = {}
    for i, name in enumerate(target.names):
        x = draws[:, :, i]
        low, middle, high = np.quantile(x, [0.025, 0.5, 0.975]).tolist()
        summary[name] = {
            "mean": float(x.mean()), "sd": float(x.std(ddof=1)),
            "q2.5": low, "q50": middle, "q97.5": high,
            "rhat": rhat(x), "ess": ess_bulk(x), "ess_tail": ess_tail(x),
        }  # fmt: skip
    return PosteriorDraws(
        target.names, draws, values, work.taken / max(work.tried, 1), summary,
        _warnings(summary, draws.shape[0]),
    )  # fmt: skip


def _warnings(summary: Mapping[str, Mapping[str, float]], chains: int) -> tuple[str, ...]:
    apart = [n for n, s in summary.items() if not s["rhat"] <= HIGHEST_RHAT]
    short = [
        n for n, s in summary.items() if not min(s["ess"], s["ess_tail"]) >= LOWEST_ESS * chains
    ]
    said = []
    if apart:
        said.append(f"chains do not agree (R-hat above {HIGHEST_RHAT:g}): {', '.join(apart)}")
    if short:
        said.append(
            f"fewer than {LOWEST_ESS * chains:g} effective draws: {', '.join(short)}; draw longer"
        )
    return tuple(said)
