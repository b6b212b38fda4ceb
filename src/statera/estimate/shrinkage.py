"""Shrinkage of random effects and residuals, and the test that random effects average 0.

Shrinkage of a random effect is ``1 - SD(eta) / omega`` (Savic and Karlsson 2009, doi
10.1208/s12248-009-9133-0) or ``1 - var(eta) / omega^2``; from conditional variances it is
``mean(var(eta | y)) / omega^2``. Subjects, and occasions, without observations are left out. The
spread of random effects divides by n - 1, the standard error of their mean by n, and residuals are
taken about 0: so does NONMEM, whose figures for phenobarbital are reproduced.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import ndtr

from statera.estimate.result import FitResult
from statera.estimate.terms import GAUSS

__all__ = ["Shrinkage", "shrinkage"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Shrinkage:
    """Shrinkage in percent; NaN where it does not exist (a variance of 0, one subject).

    Attributes
    ----------
    names
        Random effects in the order of the model.
    sd, variance : (n_effects,) float64, %
        From the spread of the random effects.
    conditional_sd, conditional_variance : (n_effects,) float64, %
        From their conditional variances.
    mean, standard_error, p_value : (n_effects,) float64
        Mean, its standard error and the two-sided p-value by a normal test that it is 0.
    count : (n_effects,) int64
        Subjects, or occasions, that count.
    epsilon_sd, epsilon_variance
        Shrinkage of weighted residuals, by kind of observation, %; without censored values.
    """

    names: tuple[str, ...]
    sd: Floats
    variance: Floats
    conditional_sd: Floats
    conditional_variance: Floats
    mean: Floats
    standard_error: Floats
    p_value: Floats
    count: NDArray[np.int64]
    epsilon_sd: dict[str, float]
    epsilon_variance: dict[str, float]

    def to_polars(self) -> pl.DataFrame:
        """Return a row for each random effect."""
        return pl.DataFrame(
            {
                "effect": list(self.names),
                "n": self.count,
                "mean": self.mean,
                "se": self.standard_error,
                "p_value": self.p_value,
                "shrinkage_sd_percent": self.sd,
                "shrinkage_variance_percent": self.variance,
                "conditional_sd_percent": self.conditional_sd,
                "conditional_variance_percent": self.conditional_variance,
            }
        )


def shrinkage(result: FitResult) -> Shrinkage:
    """Return the shrinkage of a fit."""
    names = tuple(result.problem.model.random_effects)
    present = _present(result)
    table = np.full((7, len(names)), np.nan)
    count = np.zeros(len(names), dtype=np.int64)
    for i, places in enumerate(result.problem.omega.places):
        kept = present if len(places) > 1 else _any(present)
        values = result.etas[:, places][kept]
        left = np.stack([result.eta_variance[:, p, p] for p in places], axis=1)[kept]
        count[i], omega = values.size, result.omega[i, i]
        if values.size < 2 or not omega > 0.0:
            continue
        sd = float(values.std(ddof=1))
        mean, error = float(values.mean()), float(values.std()) / np.sqrt(values.size)
        share = float(left.mean()) / omega
        with np.errstate(all="ignore"):
            p = 2.0 * float(ndtr(-abs(mean / error))) if error > 0.0 else np.nan
        table[:, i] = (
            100.0 * (1.0 - sd / np.sqrt(omega)), 100.0 * (1.0 - sd * sd / omega),
            100.0 * (1.0 - np.sqrt(max(1.0 - share, 0.0))), 100.0 * share, mean, error, p,
        )  # fmt: skip
    eps_sd, eps_variance = _epsilon(result)
    return Shrinkage(
        names=names,
        sd=table[0],
        variance=table[1],
        conditional_sd=table[2],
        conditional_variance=table[3],
        mean=table[4],
        standard_error=table[5],
        p_value=table[6],
        count=count,
        epsilon_sd=eps_sd,
        epsilon_variance=eps_variance,
    )


def _any(present: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which subjects have observations, (n_subjects, 1)."""
    found: NDArray[np.bool_] = present.sum(axis=1, keepdims=True) > 0
    return found


def _present(result: FitResult) -> NDArray[np.bool_]:
    """Return which occasions of which subjects have observations, (n_subjects, n_occasions)."""
    of = result.problem.individuals
    prepared = of.prepared
    occasion = prepared.occasion[prepared.row_system[of.observations.row]]
    out = np.zeros((of.n_subjects, max(1, prepared.columns.n_occasions)), dtype=bool)
    out[of.subject, occasion] = True
    return out


def _epsilon(result: FitResult) -> tuple[dict[str, float], dict[str, float]]:
    of = result.problem.individuals
    frozen = None if of.interaction else of.frozen_variance(result.theta)
    e = of.evaluate(result.theta, result.etas, by_parameters=False, frozen=frozen)
    with np.errstate(all="ignore"):
        weighted = (of.y - e.f) / np.sqrt(e.v)
    sds: dict[str, float] = {}
    variances: dict[str, float] = {}
    for group, place in zip(of.observations.groups, of.observations.places, strict=True):
        kept = place[(of.kind[place] == GAUSS) & np.isfinite(weighted[place])]
        name = getattr(group, "name", f"kind {len(sds) + 1}")
        spread = float(np.sqrt((weighted[kept] ** 2).mean())) if kept.size > 1 else np.nan
        sds[name], variances[name] = 100.0 * (1.0 - spread), 100.0 * (1.0 - spread**2)
    return sds, variances
