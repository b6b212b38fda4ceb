"""How well predicted probabilities agree with what happened.

Methods
-------
Intercept and slope: Cox, Biometrika 1958;45:562-565, doi 10.1093/biomet/45.3-4.562; the
intercept holds the slope at 1 (calibration in the large). Smooth curve: logistic regression on a
restricted cubic spline of the log odds with three knots, as in the levels of calibration of Van
Calster and others, J Clin Epidemiol 2016;74:167-176, doi 10.1016/j.jclinepi.2015.12.005. Mean and
largest distance from the curve (ICI, Emax): Austin and Steyerberg, Stat Med 2019;38:4051-4065,
doi 10.1002/sim.8281. Several predictions of one subject (repeats, samples) are taken together by
variances clustered by subject (sandwich).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

__all__ = [
    "Calibration",
    "CalibrationBin",
    "LogisticFit",
    "brier_score",
    "calibrate",
    "logistic_fit",
]

Floats = NDArray[np.float64]
_LEAST = 1e-9
_STEPS = 60
_GRID = 61


@dataclass(frozen=True)
class LogisticFit:
    """A logistic regression with variances clustered by subject.

    Attributes
    ----------
    coefficients : (p,) float64
        nan where they have no finite estimate.
    covariance : (p, p) float64
        Sandwich by subjects, times g/(g - 1) for g of them.
    converged
        Whether a maximum was found.
    """

    coefficients: Floats
    covariance: Floats
    converged: bool


@dataclass(frozen=True)
class CalibrationBin:
    """Predictions of about the same size.

    Attributes
    ----------
    predicted, observed
        Means.
    low, high
        Interval of the observed share; nan where it is 0 or 1.
    subjects
        How many subjects have a prediction in it.
    """

    predicted: float
    observed: float
    low: float
    high: float
    subjects: int


@dataclass(frozen=True)
class Calibration:
    """Agreement of predicted and observed; intervals are pointwise.

    Attributes
    ----------
    intercept, slope
        Estimate, low, high; the ideal is 0 and 1. A slope below 1 says that predictions are too
        extreme.
    curve_at, curve, curve_low, curve_high : (q,) float64
        Smooth observed share over predicted probabilities; empty where it cannot be fitted.
    bins : tuple of CalibrationBin
    mean_error, largest_error
        Mean (ICI) and largest (Emax) distance of the curve from the diagonal over the predictions.
    status
        ``ok`` or the reason why there is no slope or curve.
    """

    intercept: tuple[float, float, float]
    slope: tuple[float, float, float]
    curve_at: Floats
    curve: Floats
    curve_low: Floats
    curve_high: Floats
    bins: tuple[CalibrationBin, ...]
    mean_error: float
    largest_error: float
    status: str


def logistic_fit(
    design: Floats,
    outcome: NDArray[np.bool_],
    clusters: Sequence[str],
    offset: Floats | None = None,
) -> LogisticFit:
    """Return a logistic regression by maximum likelihood.

    Parameters
    ----------
    design : (n, p) float64
    outcome : (n,) bool
    clusters : (n,)
        Whose row it is.
    offset : (n,) float64, optional
        Added to the log odds.
    """
    y = outcome.astype(float)
    fixed = np.zeros(y.size) if offset is None else offset
    beta = np.zeros(design.shape[1])
    failed = LogisticFit(np.full(beta.size, np.nan), np.full((beta.size, beta.size), np.nan), False)
    if outcome.all() or not outcome.any():
        return failed
    best = _loss(design, y, beta, fixed)
    for _ in range(_STEPS):
        chance = special.expit(design @ beta + fixed)
        information = design.T @ (design * (chance * (1.0 - chance))[:, None])
        try:
            step = np.linalg.solve(information, design.T @ (y - chance))
        except np.linalg.LinAlgError:
            return failed
        size = 1.0
        while (now := _loss(design, y, beta + size * step, fixed)) > best + 1e-12 and size > 1e-6:
            size /= 2.0
        beta, best = beta + size * step, min(now, best)
        if np.abs(step).max() < 1e-9 * max(1.0, float(np.abs(beta).max())):
            break
    else:
        return failed
    chance = special.expit(design @ beta + fixed)
    weight = chance * (1.0 - chance)
    if weight.max() < 1e-8:  # the classes are separated: the likelihood has no maximum
        return failed
    inverse = np.linalg.inv(design.T @ (design * weight[:, None]))
    _, member = np.unique(np.asarray(clusters), return_inverse=True)
    groups = int(member.max()) + 1
    scores = np.zeros((groups, beta.size))
    np.add.at(scores, member, design * (y - chance)[:, None])
    middle = scores.T @ scores * groups / max(groups - 1, 1)
    return LogisticFit(beta, inverse @ middle @ inverse, True)


def brier_score(
    outcome: NDArray[np.bool_], probabilities: Floats, clusters: Sequence[str], level: float = 0.95
) -> tuple[float, float, float]:
    """Return the mean squared error of probabilities with its interval over subjects.

    Parameters
    ----------
    outcome, probabilities : (n,)
    clusters : (n,)
    """
    error = (probabilities - outcome) ** 2
    mean, spread = clustered_mean(error, clusters)
    half = float(special.ndtri(0.5 + level / 2.0)) * spread
    return mean, max(0.0, mean - half), mean + half


def clustered_mean(values: Floats, clusters: Sequence[str]) -> tuple[float, float]:
    """Return a mean and its standard error with rows of one cluster taken together."""
    _, member = np.unique(np.asarray(clusters), return_inverse=True)
    mean = float(values.mean())
    each = np.bincount(member, weights=values - mean) / values.size
    groups = each.size
    return mean, float(np.sqrt(groups / max(groups - 1, 1) * (each**2).sum()))


def calibrate(
    outcome: NDArray[np.bool_], probabilities: Floats, clusters: Sequence[str], *,
    level: float = 0.95, bins: int = 10,
) -> Calibration:  # fmt: skip
    """Compare probabilities with outcomes.

    Parameters
    ----------
    outcome : (n,) bool
    probabilities : (n,) float64
        Of samples the model did not see; several rows of one subject are allowed.
    clusters : (n,)
        Whose row it is.
    level
        Of the intervals.
    bins
        Groups of predictions of equal number; fewer where ten subjects do not fill them.
    """
    score = special.logit(np.clip(probabilities, _LEAST, 1.0 - _LEAST))
    z = float(special.ndtri(0.5 + level / 2.0))
    one = np.ones((score.size, 1))
    large = logistic_fit(one, outcome, clusters, score)
    line = logistic_fit(np.column_stack([one, score]), outcome, clusters)
    constant = float(np.ptp(score)) < 1e-9
    slope = _with_interval(line, 1, z) if not constant else (np.nan, np.nan, np.nan)
    at, curve, low, high = (np.empty(0),) * 4
    mean_error = largest = float("nan")
    if constant:
        status = "all predictions are equal: no slope and no curve"
    elif not line.converged:
        status = "the predictions separate the classes, or there is one class: no slope"
    else:
        status = "ok"
        found = _spline(score, outcome, clusters, z)
        if found is None:
            status = "too few different predictions for a curve"
        else:
            at, curve, low, high, fitted = found
            distance = np.abs(fitted - probabilities)
            mean_error, largest = float(distance.mean()), float(distance.max())
    return Calibration(
        _with_interval(large, 0, z), slope, at, curve, low, high,
        _bins(outcome, probabilities, clusters, z, bins), mean_error, largest, status,
    )  # fmt: skip


def _loss(design: Floats, y: Floats, beta: Floats, offset: Floats) -> float:
    score = design @ beta + offset
    return float((np.logaddexp(0.0, score) - y * score).sum())


def _with_interval(fit: LogisticFit, place: int, z: float) -> tuple[float, float, float]:
    middle = float(fit.coefficients[place])
    half = z * float(np.sqrt(fit.covariance[place, place]))
    return middle, middle - half, middle + half


def _basis(score: Floats, knots: Floats) -> Floats:
    """Return intercept, line and the one bend of a restricted cubic spline of three knots."""
    a, b, c = knots
    cube = [np.maximum(score - k, 0.0) ** 3 for k in knots]
    bend = cube[0] - cube[1] * (c - a) / (c - b) + cube[2] * (b - a) / (c - b)
    return np.column_stack([np.ones(score.size), score, bend / (c - a) ** 2])


def _quantiles(values: Floats, shares: Floats) -> Floats:
    """Return quantiles that stay where they are when every value stands twice."""
    return np.asarray(np.quantile(values, shares, method="inverted_cdf"), dtype=np.float64)


def _spline(
    score: Floats, outcome: NDArray[np.bool_], clusters: Sequence[str], z: float
) -> tuple[Floats, Floats, Floats, Floats, Floats] | None:
    knots = _quantiles(score, np.array([0.1, 0.5, 0.9]))
    if np.diff(knots).min() < 1e-6:
        return None
    design = _basis(score, knots)
    fit = logistic_fit(design, outcome, clusters)
    if not fit.converged:
        return None
    # the curve is drawn between the outermost hundredths, where there are predictions
    ends = special.expit(_quantiles(score, np.array([0.01, 0.99])))
    at = np.linspace(float(ends[0]), float(ends[1]), _GRID)
    row = _basis(special.logit(at), knots)
    middle = row @ fit.coefficients
    half = z * np.sqrt(np.einsum("ij,jk,ik->i", row, fit.covariance, row))
    ranges = (special.expit(middle), special.expit(middle - half), special.expit(middle + half))
    return at, *ranges, special.expit(design @ fit.coefficients)


def _bins(
    outcome: NDArray[np.bool_], probabilities: Floats, clusters: Sequence[str], z: float, most: int
) -> tuple[CalibrationBin, ...]:
    people = np.asarray(clusters)
    wanted = max(1, min(most, len(set(clusters)) // 10))
    edges = np.unique(_quantiles(probabilities, np.linspace(0.0, 1.0, wanted + 1)[1:-1]))
    place = np.searchsorted(edges, probabilities, side="left")
    found = []
    for number in np.unique(place):
        own = place == number
        share, error = clustered_mean(outcome[own].astype(float), people[own].tolist())
        low = high = float("nan")
        if 0.0 < share < 1.0 and error > 0.0:
            half, middle = z * error / (share * (1.0 - share)), special.logit(share)
            low, high = float(special.expit(middle - half)), float(special.expit(middle + half))
        found.append(
            CalibrationBin(
                float(probabilities[own].mean()), share, low, high, len(set(people[own].tolist()))
            )
        )
    return tuple(found)
