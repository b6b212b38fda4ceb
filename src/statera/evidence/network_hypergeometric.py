"""Networks of rare events given the events of each study: the noncentral hypergeometric model.

Given the number of events of a study, how they fall on its arms depends on the odds ratios only:
the study effects are gone, and with them their bias. The likelihood of m arms is exact, not an
approximation: independent binomial arms over the chance of their sum, by convolution, at the
study effect under which the sum is the expected one (any other gives the same, less precisely).

Methods
-------
Stijnen, Hamza and Ozdemir, Stat Med 2010;29:3046 (doi 10.1002/sim.4040); multivariate
distribution: McCullagh and Nelder, Generalized Linear Models, 1989, chapter 7.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, gammaln, log_expit, logit

from statera.errors import InputError, NumericalError
from statera.evidence.network_counts import (
    ArmCounts,
    arm_counts,
    check_estimable,
    informative_studies,
)
from statera.evidence.network_rare import (
    RareNetwork,
    RareNetworkMethod,
    RareNetworkOptions,
    rare_network_result,
)

__all__ = ["hypergeometric_network"]

Floats = NDArray[np.float64]
_STEPS = 100
_LEAST = 1e-40  # of the largest probability of an arm, below which a value is not summed


def hypergeometric_network(
    studies: Sequence[str],
    treatments: Sequence[str],
    events: ArrayLike,
    patients: ArrayLike,
    *,
    options: RareNetworkOptions | None = None,
) -> RareNetwork:
    """Fit common log odds ratios by the likelihood given the events of each study.

    Parameters
    ----------
    events, patients : (arms,)
        Counts of each arm; any number of arms a study.

    Raises
    ------
    InputError
        For a network in several parts, or an odds ratio that is not finite.
    NumericalError
        Where the search does not come to rest.
    """
    options = options or RareNetworkOptions()
    counts = informative_studies(arm_counts(studies, treatments, events, patients))
    check_estimable(counts)
    _check_whole(counts)
    n = len(counts.treatments)
    beta = np.zeros(n)
    arms = counts.of_studies()
    ways = [_log_ways(int(size)) for size in counts.size]
    value, score, information = _derivatives(counts, arms, ways, beta)
    for _ in range(_STEPS):
        step = np.zeros(n)
        step[1:] = np.linalg.solve(information[1:, 1:], score[1:])
        step /= max(1.0, float(np.abs(step).max()))
        beta = beta + step
        moved, score, information = _derivatives(counts, arms, ways, beta)
        # the likelihood is concave: a step that lowers it was too long
        while moved < value - 1e-9 * (1.0 + abs(value)):
            step = step / 2
            beta = beta - step
            moved, score, information = _derivatives(counts, arms, ways, beta)
        value = moved
        if float(np.abs(step).max()) < 1e-10:
            covariance = np.asarray(np.linalg.inv(information[1:, 1:]), dtype=np.float64)
            return rare_network_result(
                counts, RareNetworkMethod.CONDITIONAL, options, (beta[1:], covariance), value
            )
    raise NumericalError(
        "the hypergeometric model does not settle",
        where="network",
        hint="Look for comparisons in which one side has almost no event.",
    )


def _check_whole(counts: ArmCounts) -> None:
    broken = (counts.events % 1 != 0) | (counts.size % 1 != 0)
    if broken.any():
        row = int(np.flatnonzero(broken)[0])
        raise InputError(
            f"{counts.events[row]:g} events of {counts.size[row]:g} patients are no whole numbers",
            where=f"study {counts.studies[int(counts.study[row])]}",
            hint="Weighted counts are not counts: use another method.",
        )


def _derivatives(
    counts: ArmCounts, arms: list[NDArray[np.int64]], ways: list[Floats], beta: Floats
) -> tuple[float, Floats, Floats]:
    """Return the log-likelihood, its score and information over all treatments."""
    n = beta.size
    value, score, information = 0.0, np.zeros(n), np.zeros((n, n))
    for rows in arms:
        at = counts.treatment[rows]
        one, mean, spread = _study(
            counts.events[rows], counts.size[rows], [ways[row] for row in rows], beta[at]
        )
        value += one
        score[at] += counts.events[rows] - mean
        information[np.ix_(at, at)] += spread
    return value, score, information


def _log_ways(n: int) -> Floats:
    """Return the logarithms of the binomial coefficients of n."""
    x = np.arange(n + 1.0)
    return np.asarray(gammaln(n + 1.0) - gammaln(x + 1) - gammaln(n - x + 1))


def _study(
    x: Floats, size: Floats, ways: list[Floats], effect: Floats
) -> tuple[float, Floats, Floats]:
    """Return log-likelihood, mean and covariance of the arms given their sum."""
    total = int(x.sum())
    eta = _study_effect(total, size, effect) + effect
    chance, least, own = [], [], 0.0
    for i, known in enumerate(ways):
        log = known + np.arange(known.size) * eta[i] + size[i] * log_expit(-eta[i])
        own += float(log[int(x[i])])
        f = np.exp(log)
        # only values that matter, counted from the least of them: large studies stay quick
        inside = np.flatnonzero(f >= _LEAST * f.max())
        least.append(int(inside[0]))
        chance.append(f[inside[0] : inside[-1] + 1])
    rest = total - sum(least)
    weighted = [f * np.arange(f.size) for f in chance]
    whole = _coefficient(chance, rest)
    m = x.size
    mean, spread = np.zeros(m), np.zeros((m, m))
    for i in range(m):
        with_i = [*chance[:i], weighted[i], *chance[i + 1 :]]
        mean[i] = _coefficient(with_i, rest) / whole
        for j in range(i, m):
            both = list(with_i)
            both[j] = both[j] * np.arange(both[j].size) if i == j else weighted[j]
            spread[i, j] = spread[j, i] = _coefficient(both, rest) / whole
    return own - float(np.log(whole)), mean + np.array(least), spread - np.outer(mean, mean)


def _coefficient(parts: list[Floats], total: int) -> float:
    """Return the weight of the sum `total` of independent arms."""
    first = reduce(np.convolve, parts[:-1])[: total + 1]
    last = parts[-1]
    low = max(0, total - last.size + 1)
    high = min(total, first.size - 1)
    if high < low:
        return 0.0
    return float(first[low : high + 1] @ last[total - high : total - low + 1][::-1])


def _study_effect(total: int, size: Floats, effect: Floats) -> float:
    """Return the log odds of the study at which the expected events are those observed."""
    middle = float(logit(total / size.sum()))
    low, high = middle - float(effect.max()), middle - float(effect.min())
    for _ in range(200):
        found = 0.5 * (low + high)
        if float((size * expit(found + effect)).sum()) < total:
            low = found
        else:
            high = found
        if high - low < 1e-12:
            break
    return 0.5 * (low + high)
