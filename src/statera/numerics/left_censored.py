"""Mean and standard deviation of normal values of which some are known only to lie below a limit.

Method
------
Maximum likelihood in mean / sd and 1 / sd, in which the log-likelihood is concave (Olsen,
Econometrica 1978;46:1211-1215, doi:10.2307/1911445), by Newton steps, all columns at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr

__all__ = ["CensoredNormal", "left_censored_normal"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_STEPS, _SMALL = 100, 1e-20


@dataclass(frozen=True)
class CensoredNormal:
    """Estimates of m columns.

    Attributes
    ----------
    mean, sd
        (m,) NaN where there is no estimate.
    se_mean
        (m,) standard error of the mean by the observed information.
    status
        (m,) ``ok``, ``fewer than two distinct values``, ``limit missing`` or ``not converged``.
    """

    mean: Floats
    sd: Floats
    se_mean: Floats
    status: tuple[str, ...]


def left_censored_normal(values: Floats, limits: Floats, censored: Bools) -> CensoredNormal:
    """Return maximum likelihood estimates for each column.

    Parameters
    ----------
    values
        (n, m); NaN is missing and leaves, unless `censored`.
    limits
        (n, m); read where `censored`.
    censored
        (n, m) the value lies below its limit.
    """
    seen = ~np.isnan(values) & ~censored
    low = np.where(seen, values, np.inf).min(axis=0, initial=np.inf)
    high = np.where(seen, values, -np.inf).max(axis=0, initial=-np.inf)
    status = np.full(values.shape[1], "ok", dtype="<U32")
    status[~(high > low)] = "fewer than two distinct values"
    status[(censored & np.isnan(limits)).any(axis=0)] = "limit missing"
    usable = status == "ok"
    mean, sd, se = np.full((3, values.shape[1]), np.nan)
    if usable.any():
        x = np.where(seen, values, np.where(censored, limits, 0.0))[:, usable]
        found = _fit(x, seen[:, usable], censored[:, usable])
        good = found[3]
        mean[usable], sd[usable], se[usable] = (np.where(good, f, np.nan) for f in found[:3])
        status[np.flatnonzero(usable)[~good]] = "not converged"
    return CensoredNormal(mean, sd, se, tuple(status.tolist()))


def _fit(x: Floats, seen: Bools, cut: Bools) -> tuple[Floats, Floats, Floats, Bools]:
    """Return mean, sd, standard error and whether the steps ended, from centred, scaled values."""
    k = seen.sum(axis=0)
    centre = np.where(seen, x, 0.0).sum(axis=0) / k
    spread = np.sqrt(np.where(seen, (x - centre) ** 2, 0.0).sum(axis=0) / k)
    z = (x - centre) / spread
    ratio, inverse = np.zeros(k.size), np.ones(k.size)
    now = _likelihood(z, seen, cut, ratio, inverse)
    done = np.zeros(k.size, dtype=bool)
    for _ in range(_STEPS):
        gradient, information = _derivatives(z, seen, cut, ratio, inverse)
        a, b, c = information
        determinant = a * c - b * b
        step_ratio = (c * gradient[0] - b * gradient[1]) / determinant
        step_inverse = (a * gradient[1] - b * gradient[0]) / determinant
        done = gradient[0] * step_ratio + gradient[1] * step_inverse < _SMALL
        if done.all():
            break
        size = np.where(done, 0.0, 1.0)
        for _ in range(40):
            new = ratio + size * step_ratio, inverse + size * step_inverse
            then = _likelihood(z, seen, cut, *new)
            worse = ~(then >= now - 1e-12 * np.abs(now))
            if not worse.any():
                break
            size = np.where(worse, size / 2.0, size)
        ratio, inverse = new
        now = then
    _, (a, b, c) = _derivatives(z, seen, cut, ratio, inverse)
    # Delta method: mean = ratio / inverse.
    d_ratio, d_inverse = 1.0 / inverse, -ratio / inverse**2
    variance = (c * d_ratio**2 - 2.0 * b * d_ratio * d_inverse + a * d_inverse**2) / (a * c - b * b)
    mean = centre + spread * ratio / inverse
    done |= gradient[0] * step_ratio + gradient[1] * step_inverse < 1e-12
    return mean, spread / inverse, spread * np.sqrt(variance), done


def _likelihood(z: Floats, seen: Bools, cut: Bools, ratio: Floats, inverse: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        t = inverse * z - ratio
        each = np.where(seen, np.log(np.where(inverse > 0, inverse, np.nan)) - 0.5 * t * t, 0.0)
        return np.asarray((each + np.where(cut, log_ndtr(t), 0.0)).sum(axis=0))


def _derivatives(
    z: Floats, seen: Bools, cut: Bools, ratio: Floats, inverse: Floats
) -> tuple[tuple[Floats, Floats], tuple[Floats, Floats, Floats]]:
    """Return the gradient and the negative second derivatives (ratio, mixed, inverse)."""
    t = inverse * z - ratio
    k = seen.sum(axis=0)
    # Density over distribution, by logarithms so that far tails do not divide by zero.
    hazard = np.where(cut, np.exp(-0.5 * t * t - 0.5 * np.log(2.0 * np.pi) - log_ndtr(t)), 0.0)
    weight = hazard * (hazard + t)
    y = np.where(seen, z, 0.0)
    u = np.where(seen, t, 0.0)
    gradient = (
        np.asarray(u.sum(axis=0) - hazard.sum(axis=0)),
        np.asarray(k / inverse - (u * y).sum(axis=0) + (hazard * z).sum(axis=0)),
    )
    information = (
        np.asarray(k + weight.sum(axis=0)),
        np.asarray(-y.sum(axis=0) - (weight * z).sum(axis=0)),
        np.asarray(k / inverse**2 + (y * y).sum(axis=0) + (weight * z * z).sum(axis=0)),
    )
    return gradient, information
