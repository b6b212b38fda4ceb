"""When to draw next: which one or two times would narrow a target most.

For every time the outcome of a measurement is simulated many times from the posterior; each
simulated value weighs all draws anew, and the variance of the target that is left is averaged
(preposterior analysis; Raiffa and Schlaifer 1961). With weights W_ki of draw i after outcome k::

    expected variance = mean_k [ sum_i W_ki g_i^2 - (sum_i W_ki g_i)^2 ]

By the law of total variance this is at most the variance now, and how much less is what the
measurement is worth for that target.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from statera.numerics.streams import stream
from statera.simulate import Interpolation
from statera.tdm.averaging import Member
from statera.tdm.draw_likelihood import predictions
from statera.tdm.draw_states import DrawStates
from statera.tdm.future import asked_at, carried_etas, with_doses
from statera.tdm.request import DoseTaken, Metric, Patient

__all__ = ["SamplingAdvice", "SamplingChoice", "advise_sampling", "expected_variance"]

Floats = NDArray[np.float64]

_OUTCOMES = 200
_MOST_PAIRS = 45
_SMALLEST = 1e-100
"""Product of two relative likelihoods below which logarithms are added instead."""


@dataclass(frozen=True)
class SamplingChoice:
    """One or two times of drawing.

    Attributes
    ----------
    times
        h after the next dose.
    sd
        Expected standard deviation of the target after measuring then: the root of the expected
        variance.
    share
        Of the variance now that is expected to be left.
    """

    times: tuple[float, ...]
    sd: float
    share: float


@dataclass(frozen=True)
class SamplingAdvice:
    """What measurements are worth for a target.

    Attributes
    ----------
    metric, unit
        The target's metric under the dose that was assumed.
    sd
        Its standard deviation now.
    singles, pairs
        By share that is left, the least first.
    draws, outcomes
        Draws that are weighed anew, and simulated outcomes of each time.
    """

    metric: Metric
    unit: str
    sd: float
    singles: tuple[SamplingChoice, ...]
    pairs: tuple[SamplingChoice, ...]
    draws: int
    outcomes: int


def advise_sampling(
    member: Member,
    patient: Patient,
    later: Sequence[DoseTaken],
    times: Sequence[float],
    metric: Metric,
    unit: str,
    rows: NDArray[np.int64],
    values: Floats,
    analyte: str = "",
    interpolation: Interpolation = "locf",
) -> SamplingAdvice:
    """Return what a measurement at each time, and at each pair of times, is worth.

    Parameters
    ----------
    member
        The model with the posterior.
    later
        Doses to come; times count from the first of them.
    times : (n_times,)
        h after the next dose.
    rows : (n_rows,) int64
        Draws of the posterior with equal weight, see `Posterior.resampled`.
    values : (n_rows,) float64
        The target's metric for each of them.
    analyte, interpolation
        What is drawn, and how covariates hold.
    """
    post, model = member.posterior, member.problem.model
    begin = later[0].time
    ordered = sorted(set(times))
    planned = with_doses(model, patient, later)
    asked = asked_at(model, planned, [begin + t for t in ordered], analyte, interpolation)
    etas = carried_etas(post, asked, rows)
    states = DrawStates(asked.individuals.prepared)
    x, _ = states(asked.theta, etas)
    f, v = predictions(asked.individuals.observations, states, asked.theta, etas, x)
    g = values
    good = np.isfinite(f).all(axis=0) & np.isfinite(v).all(axis=0) & np.isfinite(g)
    f, v, g = f[:, good], v[:, good], g[good]
    source = stream(post.seed, "outcomes of samples")
    pick = np.arange(min(_OUTCOMES, g.size)) * (g.size // max(1, min(_OUTCOMES, g.size)))
    noise = source.standard_normal((f.shape[0], pick.size))
    logs = _log_likelihoods(f, v, pick, noise)
    now = float(g.var())
    moments = _moments(g)
    ratios = np.exp(logs - logs.max(axis=2, keepdims=True))
    singles = [
        SamplingChoice((t,), *_left(_variance_left(ratios[j], moments), now))
        for j, t in enumerate(ordered)
    ]
    order = np.argsort([s.share for s in singles], kind="stable")
    couples = list(combinations(range(len(ordered)), 2))
    if len(couples) > _MOST_PAIRS:  # those with one of the best single times
        best = set(order[:4].tolist())
        couples = [c for c in couples if best & set(c)]
    pairs = []
    for a, b in couples:
        both = ratios[a] * ratios[b]  # faster than an exponential of the sum, where none vanishes
        if both.max(axis=1).min() > _SMALLEST:
            left = _variance_left(both, moments)
        else:
            left = expected_variance(logs[a] + logs[b], g)
        pairs.append(SamplingChoice((ordered[a], ordered[b]), *_left(left, now)))
    return SamplingAdvice(
        metric, unit, float(np.sqrt(now)), tuple(singles[k] for k in order),
        tuple(sorted(pairs, key=lambda c: c.share)), int(g.size), int(pick.size),
    )  # fmt: skip


def _left(variance: float, now: float) -> tuple[float, float]:
    return float(np.sqrt(variance)), variance / now if now > 0.0 else 1.0


def _log_likelihoods(f: Floats, v: Floats, pick: NDArray[np.int64], noise: Floats) -> Floats:
    """Return ``ln p(y_jk | draw i)``, (n_times, n_outcomes, n_draws), y_jk of draw ``pick[k]``."""
    out = np.empty((f.shape[0], pick.size, f.shape[1]))
    with np.errstate(all="ignore"):
        for j in range(f.shape[0]):
            y = f[j, pick] + np.sqrt(v[j, pick]) * noise[j]
            away = y[:, None] - f[j]
            out[j] = -0.5 * (np.log(v[j]) + away * away / v[j])
    out[~np.isfinite(out)] = -np.inf
    return out


def expected_variance(logs: Floats, g: Floats) -> float:
    """Return the variance of g that is left on average over outcomes.

    Parameters
    ----------
    logs : (n_outcomes, n_draws) float64
        Log-likelihood of each outcome under each draw.
    g : (n_draws,) float64
    """
    return _variance_left(np.exp(logs - logs.max(axis=1, keepdims=True)), _moments(g))


def _moments(g: Floats) -> Floats:
    """Return g and its square, both about its mean, (2, n_draws)."""
    centred = g - g.mean()
    return np.stack([centred, centred * centred])


def _variance_left(w: Floats, moments: Floats) -> float:
    """Return the mean variance of g by the weights of each outcome, (n_outcomes, n_draws)."""
    total = w.sum(axis=1)
    first, second = w @ moments[0], w @ moments[1]
    return float(np.mean(second / total - (first / total) ** 2))
