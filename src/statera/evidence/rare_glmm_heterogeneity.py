"""Whether studies of rare events share one effect: likelihood ratio and Wald tests.

Both hold the common-effect model against the saturated one, in which every study has an effect of
its own. A study with an empty cell has an infinite effect of its own: its likelihood still has a
limit, so that it counts in the likelihood ratio; its information there is 0, so that it adds
nothing to Wald's statistic. Both are referred to chi-square with (studies - 1) degrees of freedom.

Methods
-------
Stijnen, Hamza and Ozdemir, Stat Med 2010;29:3046 (doi 10.1002/sim.4040). For the mixed models with
random study effects these stay random in the saturated model.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

from statera.evidence.rare_glmm_kernels import BinomialArms, Kernel, PoissonArms, integrate
from statera.numerics.small_maximum import maximise

__all__ = [
    "GlmmHeterogeneity",
    "OwnEffects",
    "heterogeneity_of",
    "own_effects",
    "own_effects_of_arms",
    "own_effects_random",
]

Floats = NDArray[np.float64]
# A log ratio beyond which a study's own effect counts as infinite.
_INFINITE = 15.0
_STEPS = 100


@dataclass(frozen=True)
class GlmmHeterogeneity:
    """Tests of one common effect.

    Attributes
    ----------
    wald, likelihood_ratio
        Statistics.
    df
        Degrees of freedom of both.
    wald_p, likelihood_ratio_p
    infinite
        Studies whose own effect is infinite: they are in the likelihood ratio only.
    """

    wald: float
    likelihood_ratio: float
    df: int
    wald_p: float
    likelihood_ratio_p: float
    infinite: int


@dataclass(frozen=True)
class OwnEffects:
    """The saturated model.

    Attributes
    ----------
    estimate : (k,) float64
        Effect of each study alone; not finite where a cell is empty.
    information : (k, k) float64
        Of these effects, all other parameters at their best.
    log_likelihood
        Of all studies together.
    """

    estimate: Floats
    information: Floats
    log_likelihood: float


def heterogeneity_of(own: OwnEffects, common_log_likelihood: float) -> GlmmHeterogeneity:
    """Return the tests of the common-effect model against the saturated one.

    Parameters
    ----------
    own
        Of the same studies and the same likelihood.
    common_log_likelihood
        At the maximum of the common-effect model.
    """
    finite = np.isfinite(own.estimate) & (np.abs(own.estimate) < _INFINITE)
    y = own.estimate[finite]
    information = own.information[np.ix_(finite, finite)]
    ones = np.ones(y.size)
    wald = 0.0
    if y.size > 1:
        total = float(ones @ information @ ones)
        mean = float(ones @ information @ y) / total
        wald = float((y - mean) @ information @ (y - mean))
    ratio = max(0.0, 2.0 * (own.log_likelihood - common_log_likelihood))
    df = own.estimate.size - 1
    return GlmmHeterogeneity(
        wald, ratio, df, float(chdtrc(df, wald)), float(chdtrc(df, ratio)), int((~finite).sum())
    )


def own_effects(kernel: Kernel, offset: Floats) -> OwnEffects:
    """Return the effects of studies whose likelihood has one linear predictor each.

    Parameters
    ----------
    kernel
        Log likelihood of one predictor a study, concave in it.
    offset : (k, 1) float64
        Predictor without the effect.
    """
    effect = np.zeros(offset.shape[0])
    for _ in range(_STEPS):
        _, first, second = kernel.logs((offset[:, 0] + effect)[:, None, None])
        step = first[:, 0, 0] / np.maximum(-second[:, 0, 0], 1e-12)
        effect = effect + np.clip(step, -1.0, 1.0)
        # an infinite effect moves on for ever, while its likelihood has reached its limit
        moving = np.abs(effect) < 2.0 * _INFINITE
        if float(np.abs(step[moving]).max(initial=0.0)) < 1e-10:
            break
    value, _, second = kernel.logs((offset[:, 0] + effect)[:, None, None])
    return OwnEffects(effect, np.diag(-second[:, 0, 0]), float(value.sum()))


def own_effects_of_arms(events: Floats, sizes: Floats, *, rates: bool) -> OwnEffects:
    """Return the effects of studies of two arms that have a parameter each, in closed form.

    Parameters
    ----------
    events, sizes : (k, 2) float64
        Events and persons (person-times where `rates`).
    rates
        Poisson instead of binomial.
    """
    rest = sizes if rates else sizes - events
    with np.errstate(divide="ignore"):
        predictor = np.log(events) - np.log(rest)
        spread = 1.0 / events + (0.0 if rates else 1.0 / rest)
    # beyond +-40 the likelihood of an empty cell is at its limit to rounding
    shown = np.clip(predictor, -40.0 - np.log(sizes), 40.0 + np.log(sizes))
    kernel: Kernel = (PoissonArms if rates else BinomialArms)(events, sizes)
    value, _, _ = kernel.logs(shown[:, :, None])
    with np.errstate(invalid="ignore"):
        effect = predictor[:, 0] - predictor[:, 1]
    variance = spread.sum(axis=1)
    information = np.where(np.isfinite(variance), 1.0 / variance, 0.0)
    return OwnEffects(effect, np.diag(information), float(value.sum()))


def own_effects_random(kernel: Kernel, first: Floats, start: Floats, nodes: int) -> OwnEffects:
    """Return the effects of studies whose study effects are random.

    Their own effects stand on the first arm, so that the random effect is that of the second; in
    the middle between both, an empty cell would pull the study effects along. An empty cell of the
    second arm leaves a finite effect here.

    Parameters
    ----------
    kernel
        Log likelihood of two arms.
    first : (k,) float64
        Effects to start from; infinite where the first arm has no events, or events only.
    start : (2,) float64
        Mean and standard deviation of the study effects to start from.
    nodes
        Of the quadrature.
    """
    arms, bound = np.array([1.0, 0.0]), 2.0 * _INFINITE
    begin = np.clip(first, -bound, bound)

    def logs(effect: Floats, mean: float, sd: float) -> Floats:
        base = mean + effect[:, None] * arms
        return integrate(kernel, base, np.full((2, 1), sd), nodes).log_marginal

    def best(mean: float, sd: float) -> Floats:
        effect = begin
        for _ in range(_STEPS):
            found = integrate(kernel, mean + effect[:, None] * arms, np.full((2, 1), sd), nodes)
            score = np.einsum("a,kan->kn", arms, found.first)
            slope = (found.weight * score).sum(axis=1)
            bend = np.einsum("a,kan->kn", arms**2, found.second)
            spread = (found.weight * (score - slope[:, None]) ** 2).sum(axis=1)
            curve = np.minimum((found.weight * bend).sum(axis=1) + spread, -1e-8)
            moving = np.abs(effect) < bound
            step = np.where(moving, np.clip(-slope / curve, -1.0, 1.0), 0.0)
            effect = effect + step
            if float(np.abs(step[moving]).max(initial=0.0)) < 1e-8:
                break
        return effect

    def profiled(rest: Floats) -> float:
        return float(logs(best(rest[0], rest[1]), rest[0], rest[1]).sum())

    found = maximise(profiled, start)
    mean, sd = float(found.x[0]), float(found.x[1])
    effect = best(mean, sd)
    return OwnEffects(effect, _information(logs, effect, mean, sd), found.value)


def _information(
    logs: Callable[[Floats, float, float], Floats], effect: Floats, mean: float, sd: float
) -> Floats:
    """Return the information of the effects with mean and SD of the study effects taken out."""
    steps = np.array([1e-3, 1e-3, 1e-3])
    k = effect.size
    hessian = np.empty((3, 3, k))

    def at(moves: tuple[float, float, float]) -> Floats:
        return logs(effect + moves[0], mean + moves[1], sd + moves[2])

    for i in range(3):
        for j in range(i + 1):
            total = np.zeros(k)
            for s in (-1.0, 1.0):
                for t in (-1.0, 1.0):
                    move = np.zeros(3)
                    move[i] += s * steps[i]
                    move[j] += t * steps[j]
                    total += s * t * at((move[0], move[1], move[2]))
            hessian[i, j] = hessian[j, i] = total / (4.0 * steps[i] * steps[j])
    own = -hessian[0, 0]
    cross = -hessian[0, 1:].T
    rest = -hessian[1:, 1:].sum(axis=2)
    finite = np.abs(effect) < _INFINITE
    own, cross = np.where(finite, own, 0.0), np.where(finite[:, None], cross, 0.0)
    return np.asarray(np.diag(own) - cross @ np.linalg.solve(rest, cross.T))
