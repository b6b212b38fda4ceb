"""Markov chains over one patient's random effects, many at once, where weights fail.

Every chain alternates a random walk along the covariance of the population of chains (Metropolis
et al. 1953), a jump along the difference of two other chains (ter Braak 2006,
doi 10.1007/s11222-006-8769-1), which follows curved ridges and passes between modes, and an
independent draw from the mixture (Hastings 1970). Chains begin at resampled weighted draws.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from statera.tdm.draw_likelihood import DrawLikelihood
from statera.tdm.mixture import Mixture, times_root
from statera.tdm.weighted import systematic

__all__ = ["ChainOptions", "Target", "run_chains"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ChainOptions:
    """Chains of one patient.

    Attributes
    ----------
    chains
        Run side by side.
    burn, kept
        Sweeps before draws are kept, and sweeps that are kept.
    """

    chains: int = 400
    burn: int = 60
    kept: int = 50


@dataclass(frozen=True)
class Target:
    """The density that chains sample, over the effects that vary."""

    mixture: Mixture
    likelihood: DrawLikelihood

    def log(self, draws: Floats) -> tuple[Floats, Floats]:
        """Return log-posterior (not normalised) and log-density of the mixture, (n,) each."""
        log_prior = self.mixture.log_prior(draws)
        value = self.likelihood.minus_two_log(self.mixture.prior.full(draws))
        return log_prior - 0.5 * value, self.mixture.log_density(draws, log_prior)


def run_chains(
    target: Target,
    draws: Floats,
    weights: Floats,
    source: np.random.Generator,
    options: ChainOptions,
) -> tuple[Floats, float]:
    """Return draws (chains * kept, n_live) and their effective number.

    Parameters
    ----------
    draws, weights
        Where the chains begin.

    Notes
    -----
    The effective number is the number of chains times the variance of a draw over the variance of
    a chain's mean, of the random effect where that is least; it is at most the number of draws.
    """
    n, q = options.chains, draws.shape[1]
    now = draws[systematic(weights, n, source)].copy()
    density, proposed = target.log(now)
    kept = np.empty((options.kept, n, q))
    size = 2.4 / np.sqrt(q)
    root = _root(now, target)
    for sweep in range(options.burn + options.kept):
        if sweep < options.burn and sweep % 10 == 0:
            root = _root(now, target)
        step = size * times_root(source.standard_normal((n, q)), root)
        rate = _move(target, now, density, proposed, now + step, source, independent=False)
        if sweep < options.burn:
            size *= float(np.exp(rate - 0.25))
        _jump(target, now, density, proposed, source)
        draw = target.mixture.draw(source, n)
        draw = draw[source.permutation(n)]
        _move(target, now, density, proposed, draw, source, independent=True)
        if sweep >= options.burn:
            kept[sweep - options.burn] = now
    means, spread = kept.mean(axis=0), kept.var(axis=(0, 1))
    between = means.var(axis=0, ddof=1)
    effective = n * np.min(spread / np.maximum(between, 1e-300))
    return kept.reshape(-1, q), float(min(effective, kept.shape[0] * n))


def _root(now: Floats, target: Target) -> Floats:
    """Return a root of the covariance of the chains, kept off zero by a little of the prior's."""
    away = now - now.mean(axis=0)
    covariance = np.einsum("ij,ik->jk", away, away) / now.shape[0]
    root = target.mixture.prior.root
    found: Floats = np.linalg.cholesky(covariance + 1e-6 * (root @ root.T)).astype(np.float64)
    return found


def _move(
    target: Target,
    now: Floats,
    density: Floats,
    proposed: Floats,
    trial: Floats,
    source: np.random.Generator,
    *,
    independent: bool,
) -> float:
    """Move chains in place where the trial is accepted; return the share that moved."""
    log, log_proposed = target.log(trial)
    with np.errstate(invalid="ignore"):
        ratio = log - density
        if independent:
            ratio = ratio + proposed - log_proposed
        taken = np.log(source.random(now.shape[0])) < ratio
    now[taken], density[taken], proposed[taken] = trial[taken], log[taken], log_proposed[taken]
    return float(taken.mean())


def _jump(
    target: Target, now: Floats, density: Floats, proposed: Floats, source: np.random.Generator
) -> None:
    """Move one half of the chains along differences of the other half, then the other way."""
    n, q = now.shape
    order = source.permutation(n)
    for mine, others in ((order[: n // 2], order[n // 2 :]), (order[n // 2 :], order[: n // 2])):
        a = others[source.integers(0, others.size, mine.size)]
        b = others[source.integers(0, others.size, mine.size)]
        far = source.random(mine.size) < 0.1  # a whole difference may lead to another mode
        factor = np.where(far, 1.0, 2.38 / np.sqrt(2.0 * q))
        trial = now[mine] + factor[:, None] * (now[a] - now[b])
        trial += 1e-6 * source.standard_normal((mine.size, q))
        part, log, log_q = now[mine].copy(), density[mine].copy(), proposed[mine].copy()
        _move(target, part, log, log_q, trial, source, independent=False)
        now[mine], density[mine], proposed[mine] = part, log, log_q
