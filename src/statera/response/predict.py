"""Chance of a response, a grade or an event by exposure, with confidence bands.

Bands are those of the delta method on the scale of log odds (binary, ordered), of the logarithm of
the cumulative hazard (times), or of the log hazard ratio (Cox), so that they stay within bounds.
With covariates the chance is averaged over the rows of the data (standardised): it is what the
whole sample would show at that exposure.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

from statera.errors import InputError
from statera.numerics.intervals_exact import normal_quantile
from statera.response.binary import Binary
from statera.response.cox import Cox
from statera.response.fit import ResponseFit
from statera.response.ordinal import Ordinal
from statera.response.problem import Problem
from statera.response.time_to_event import TimeToEvent

__all__ = ["Curve", "chances", "hazard_ratio", "predict", "predict_group"]

Floats = NDArray[np.float64]
_MOST_ROWS = 200_000


@dataclass(frozen=True)
class Curve:
    """Predictions.

    Attributes
    ----------
    exposure : (n,) float64
    estimate, low, high : (n,) float64
    what
        Such as ``chance of response``.
    """

    exposure: Floats
    estimate: Floats
    low: Floats
    high: Floats
    what: str


def chances(
    problem: Problem, theta: Floats, x: Floats, covariates: Floats, at: float | None
) -> tuple[Floats, Floats]:
    """Return chances (n,) and their slopes by the parameters (n, p).

    Parameters
    ----------
    problem
        Of the fit.
    theta : (p,) float64
    x : (n,) float64
        Exposures.
    covariates : (n, c) float64
    at
        Binary: not used. Ordered: position of the lowest grade that counts, from 1. Times: the
        time by which the event has come.
    """
    outcome = problem.outcome
    eta, slope, _ = problem.predictor(theta, x, problem.design_of(covariates))
    baseline = theta[problem.slice_of_effect().stop :]
    grown = np.zeros((x.size, theta.size))
    if isinstance(outcome, TimeToEvent):
        with np.errstate(over="ignore", invalid="ignore"):
            h = outcome.hazard.cumulative(np.full(x.size, float(at or 0.0)), eta, baseline)
            kept = np.exp(-h.value)
            grown[:, : slope.shape[1]] = h.slope[:, :1] * slope
            grown[:, slope.shape[1] :] = h.slope[:, 1:]
            # where nobody is left the chance is 1 whatever the parameters
            return -np.expm1(-h.value), np.where(kept[:, None] > 0, kept[:, None] * grown, 0.0)
    grown[:, : slope.shape[1]] = slope
    if isinstance(outcome, Ordinal):
        cut = int(at or 1) - 1
        eta = eta - baseline[cut]
        grown[:, slope.shape[1] + cut] = -1.0
    chance = expit(eta)
    return chance, (chance * expit(-eta))[:, None] * grown


def predict(
    fit: ResponseFit, exposure: ArrayLike, at: float | None = None, level: float = 0.95
) -> Curve:
    """Return the chance at given exposures, averaged over the covariates of the data.

    Parameters
    ----------
    fit
    exposure : (n,) float64
    at
        Ordered: position of the lowest grade that counts. Times: the time; needed.
    level
        Of the band.

    Raises
    ------
    InputError
        If the fit cannot be used, or `at` is missing or outside its range.
    """
    x = np.asarray(exposure, dtype=np.float64)
    covariates = fit.problem.covariates
    if covariates.shape[1] == 0:
        covariates = covariates[:1]
    step = max(1, -(-covariates.shape[0] * x.size // _MOST_ROWS))
    covariates = covariates[::step]
    k = covariates.shape[0]
    return _averaged(fit, np.repeat(x, k), np.tile(covariates, (x.size, 1)), k, x, at, level)


def predict_group(
    fit: ResponseFit,
    exposure: ArrayLike,
    covariates: ArrayLike | None = None,
    at: float | None = None,
    level: float = 0.95,
) -> Curve:
    """Return the mean chance of a group, such as the subjects of a dose: one estimate.

    Parameters
    ----------
    fit
    exposure : (n,) float64
        Of the members.
    covariates : (n, c) float64, optional
        Of the members, in the order of the fit; the means of the data where not given.
    at, level
        As of `predict`.
    """
    x = np.asarray(exposure, dtype=np.float64)
    own = fit.problem.covariates
    rows = (
        np.broadcast_to(own.mean(axis=0), (x.size, own.shape[1]))
        if covariates is None
        else np.asarray(covariates, dtype=np.float64)
    )
    return _averaged(fit, x, rows, x.size, np.array([np.median(x)]), at, level)


def _averaged(
    fit: ResponseFit, x: Floats, covariates: Floats, k: int, shown: Floats, at: float | None,
    level: float,
) -> Curve:  # fmt: skip
    """Return means of each k rows with their bands."""
    what, to_scale, from_scale, by_chance = _scale(fit, at)
    chance, slope = chances(fit.problem, fit.theta, x, covariates, at)
    mean = chance.reshape(-1, k).mean(axis=1)
    grown = slope.reshape(-1, k, fit.theta.size).mean(axis=1)
    variance = np.einsum("ni,ij,nj->n", grown, fit.covariance, grown)
    with np.errstate(all="ignore"):
        centre = to_scale(mean)
        half = normal_quantile(level) * np.sqrt(np.maximum(variance, 0.0)) * by_chance(mean)
        low, high = from_scale(centre - half), from_scale(centre + half)
    return Curve(shown, mean, low, high, what)


Function = Callable[[Floats], Floats]


def _scale(fit: ResponseFit, at: float | None) -> tuple[str, Function, Function, Function]:
    """Return what is predicted, the scale of its band, back, and the slope of that scale."""
    outcome = fit.problem.outcome
    if not fit.usable:
        raise InputError(f"the fit has no curve ({fit.status})", where="fit")
    if isinstance(outcome, Cox):
        raise InputError(
            "Cox's model has no baseline hazard: it gives hazard ratios only",
            where="fit", hint="Use hazard_ratio, or a parametric hazard for chances.",
        )  # fmt: skip
    if isinstance(outcome, TimeToEvent):
        if at is None or not (np.isfinite(at) and at > 0):
            raise InputError("the chance of an event needs the time until which", where="at")
        return (
            f"chance of the event by {at:g}",
            lambda p: np.log(-np.log1p(-p)),
            lambda u: -np.expm1(-np.exp(u)),
            lambda p: np.abs(1.0 / ((1.0 - p) * np.log1p(-p))),
        )
    what = "chance of response"
    if isinstance(outcome, Ordinal):
        if at is None or not 1 <= at < len(outcome.levels):
            raise InputError(
                f"grades are counted from 1 to {len(outcome.levels) - 1}, the first above the "
                "lowest", where="at",
            )  # fmt: skip
        what = f"chance of {outcome.levels[int(at)]} or more"
    elif not isinstance(outcome, Binary):
        raise InputError("this outcome has no chance to predict", where="fit")
    return (
        what,
        lambda p: np.log(p / (1.0 - p)),
        lambda u: np.asarray(expit(u)),
        lambda p: 1.0 / (p * (1.0 - p)),
    )


def hazard_ratio(
    fit: ResponseFit, exposure: ArrayLike, reference: float = 0.0, level: float = 0.95
) -> Curve:
    """Return hazard ratios (odds ratios of binary and ordered outcomes) against an exposure.

    Parameters
    ----------
    fit
    exposure : (n,) float64
    reference
        Exposure whose ratio is 1.
    level
        Of the band.
    """
    if not fit.usable:
        raise InputError(f"the fit has no curve ({fit.status})", where="fit")
    x = np.asarray(exposure, dtype=np.float64)
    form, here = fit.problem.form, fit.problem.slice_of_effect()
    effect, slope, _ = form.evaluate(np.append(x, reference), fit.theta[here])
    change, grown = effect[:-1] - effect[-1], slope[:-1] - slope[-1]
    own = fit.covariance[here, here]
    variance = np.einsum("ni,ij,nj->n", grown, own, grown)
    half = normal_quantile(level) * np.sqrt(np.maximum(variance, 0.0))
    outcome = fit.problem.outcome
    odds = not isinstance(outcome, Cox | TimeToEvent) or (
        isinstance(outcome, TimeToEvent) and outcome.hazard.name == "log-logistic-odds"
    )
    what = f"{'odds' if odds else 'hazard'} ratio against exposure {reference:g}"
    with np.errstate(over="ignore"):  # an edge may lie beyond what a number holds
        return Curve(x, np.exp(change), np.exp(change - half), np.exp(change + half), what)
