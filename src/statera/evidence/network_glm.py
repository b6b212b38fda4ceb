"""Networks of counts with common effects: a study effect and a treatment effect for each arm.

Binomial counts give odds ratios, counts in person-time (Poisson) rate ratios, by maximum
likelihood or, for cells that stay empty, with Firth's penalty.

Methods
-------
Firth, Biometrika 1993;80:27 (doi 10.1093/biomet/80.1.27), for networks Evrenoglou and others 2022
(doi 10.1002/sim.9562); dispersion: Fletcher, Biometrika 2012;99:230.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, gammaln, xlogy

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

__all__ = ["CommonFit", "common_fit", "deviance_of", "glm_network"]

Floats = NDArray[np.float64]
_STEPS = 200


@dataclass(frozen=True)
class CommonFit:
    """Estimates of the study effects (s,), of the treatments but the first (n - 1,), and fit.

    `covariance` is that of the treatments, (n - 1, n - 1); `fitted` the expected events by arm.
    """

    baseline: Floats
    beta: Floats
    covariance: Floats
    loglik: float
    fitted: Floats


def glm_network(
    studies: Sequence[str],
    treatments: Sequence[str],
    events: ArrayLike,
    size: ArrayLike,
    *,
    rates: bool = False,
    options: RareNetworkOptions | None = None,
) -> RareNetwork:
    """Fit common effects of treatments on the log odds, or the log rate, with study effects.

    Parameters
    ----------
    events, size : (arms,)
        Events, and persons, or person-time where `rates` is true.
    options
        With `penalised`, Firth's penalty.

    Without the penalty a network of odds ratios with very many sparse studies is biased away from
    no effect, because each study spends a parameter: `hypergeometric_network` is not. Rates are
    not biased so.

    Raises
    ------
    InputError
        For a network in several parts or, without the penalty, a ratio that is not finite.
    """
    options = options or RareNetworkOptions()
    counts = arm_counts(studies, treatments, events, size, rates=rates)
    if not options.penalised:
        counts = informative_studies(counts)
        check_estimable(counts)
        fit = common_fit(counts)
        return rare_network_result(
            counts,
            RareNetworkMethod.COMMON,
            options,
            (fit.beta, fit.covariance),
            fit.loglik,
            deviance=deviance_of(counts, fit),
        )
    check_estimable(_smoothed(counts))
    fit = common_fit(counts, penalised=True)
    phi = _dispersion(counts, fit)
    wide = max(1.0, phi) if options.overdispersion and np.isfinite(phi) else 1.0
    notes = list(_resting_on_the_penalty(counts))
    if wide > 1.0:
        notes.append(f"Standard errors are widened by the root of the dispersion {phi:.3f}.")
    return rare_network_result(
        counts, RareNetworkMethod.PENALISED, options, (fit.beta, wide * fit.covariance),
        fit.loglik, dispersion=phi, notes=tuple(notes),
    )  # fmt: skip


def _resting_on_the_penalty(counts: ArmCounts) -> tuple[str, ...]:
    """Return a note where the likelihood alone has no finite maximum."""
    try:
        check_estimable(informative_studies(counts))
    except InputError as error:
        return (f"Some estimates rest on the penalty, for {error.what}.",)
    return ()


def _smoothed(counts: ArmCounts) -> ArmCounts:
    """Return counts without empty cells, to test only which treatments studies join."""
    return ArmCounts(
        counts.treatments, counts.studies, counts.study, counts.treatment,
        counts.events + 0.5, counts.size + 1.0, counts.rates,
    )  # fmt: skip


def common_fit(counts: ArmCounts, *, penalised: bool = False) -> CommonFit:
    """Return the maximum of the (penalised) likelihood by Newton's method.

    Raises
    ------
    NumericalError
        Where the search does not come to rest.
    """
    s, n = len(counts.studies), len(counts.treatments)
    design = np.zeros((counts.events.size, s + n - 1))
    row = np.arange(counts.events.size)
    design[row, counts.study] = 1.0
    other = counts.treatment > 0
    design[row[other], s + counts.treatment[other] - 1] = 1.0
    beta = np.concatenate([_crude(counts), np.zeros(n - 1)])
    for _ in range(_STEPS):
        mean, variance = _moments(counts, design @ beta)
        inverse = _inverse(design, variance)
        rest = counts.events - mean
        if penalised:
            hat = variance * np.einsum("ip,pq,iq->i", design, inverse, design)
            rest = rest + hat * (0.5 if counts.rates else 0.5 - mean / counts.size)
        step = inverse @ (design.T @ rest)
        # far from the maximum a whole step can run away
        step = step / max(1.0, float(np.abs(step).max()))
        beta = beta + step
        if float(np.abs(step).max()) < 1e-11:
            mean, variance = _moments(counts, design @ beta)
            inverse = _inverse(design, variance)
            return CommonFit(
                beta[:s], beta[s:], inverse[s:, s:], _loglik(counts, design @ beta), mean
            )
    raise NumericalError(
        "the model of counts does not settle",
        where="network",
        hint="Look for comparisons in which one side has no event, or penalise the likelihood.",
    )


def _inverse(design: Floats, variance: Floats) -> Floats:
    """Return the inverse of the information, (p, p)."""
    return np.asarray(np.linalg.inv(design.T @ (variance[:, None] * design)), dtype=np.float64)


def deviance_of(counts: ArmCounts, fit: CommonFit) -> float:
    """Return twice the log-likelihood that an effect for each arm has more, not below zero."""
    x, n = counts.events, counts.size
    spent = xlogy(x, x / n)
    spent = spent - x if counts.rates else spent + xlogy(n - x, 1 - x / n)
    constant = xlogy(x, n) if counts.rates else gammaln(n + 1) - gammaln(n - x + 1)
    whole = float((spent + constant - gammaln(x + 1)).sum())
    return max(0.0, 2 * (whole - fit.loglik))


def _crude(counts: ArmCounts) -> Floats:
    """Return log odds or log rates of each study, smoothed."""
    sums = np.stack(
        [
            np.bincount(counts.study, weights=part, minlength=len(counts.studies))
            for part in (counts.events, counts.without)
        ]
    )
    return np.asarray(np.log((sums[0] + 0.5) / (sums[1] + 0.5)))


def _moments(counts: ArmCounts, eta: Floats) -> tuple[Floats, Floats]:
    """Return expected events and their variance by arm."""
    if counts.rates:
        mean = counts.size * np.exp(eta)
        return mean, mean
    share = expit(eta)
    return counts.size * share, counts.size * share * (1 - share)


def _loglik(counts: ArmCounts, eta: Floats) -> float:
    """Return the log-likelihood with all constants."""
    x, n = counts.events, counts.size
    if counts.rates:
        return float((x * (eta + np.log(n)) - n * np.exp(eta) - gammaln(x + 1)).sum())
    ways = gammaln(n + 1) - gammaln(x + 1) - gammaln(n - x + 1)
    return float((ways + x * eta - n * np.logaddexp(0.0, eta)).sum())


def _dispersion(counts: ArmCounts, fit: CommonFit) -> float:
    """Return Fletcher's estimate of the dispersion; NaN without degrees of freedom."""
    df = counts.events.size - len(counts.studies) - len(counts.treatments) + 1
    if df <= 0:
        return float("nan")
    mean, size = fit.fitted, counts.size
    if counts.rates:
        variance, slope = mean, np.ones_like(mean)
    else:
        variance, slope = mean * (1 - mean / size), 1 - 2 * mean / size
    pearson = float(((counts.events - mean) ** 2 / variance).sum()) / df
    skew = float((slope * (counts.events - mean) / variance).mean())
    return pearson / (1 + skew)
