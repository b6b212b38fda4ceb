"""Mean of estimates that differ by more than their errors, by random effects.

Hartung and Knapp: Stat Med 2001; Sidik and Jonkman: Stat Med 2002. Their variance replaces the one
that takes tau2 for known; it may be smaller, which the variant with ``at_least_wald`` rules out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import norm
from scipy.stats import t as student

from statera.errors import UsageError
from statera.numerics.tau_squared import (
    TauSquared,
    TauSquaredMethod,
    checked,
    tau_squared,
    weighted_fit,
)

__all__ = ["RandomEffectsMean", "random_effects_mean"]


@dataclass(frozen=True)
class RandomEffectsMean:
    """A mean over rows.

    Attributes
    ----------
    estimate, se
        With its standard error: Hartung and Knapp's, or that of known tau2.
    df
        Of the t quantile; infinite for the normal one.
    interval
        Of the mean.
    prediction
        Of the true value of a new row: ``estimate +- t sqrt(tau2 + se^2)``.
    scale
        Hartung and Knapp's factor of the variance, before any limit.
    tau2
    """

    estimate: float
    se: float
    df: float
    interval: tuple[float, float]
    prediction: tuple[float, float]
    scale: float
    tau2: TauSquared


def random_effects_mean(
    estimates: ArrayLike,
    variances: ArrayLike,
    method: TauSquaredMethod | str = TauSquaredMethod.REML,
    level: float = 0.95,
    hartung_knapp: bool = True,
    at_least_wald: bool = False,
) -> RandomEffectsMean:
    """Pool estimates.

    Parameters
    ----------
    estimates, variances : (k,) float64
    method
        Of tau2.
    level
    hartung_knapp
        Variance of Hartung and Knapp with t(k - 1); otherwise the normal interval.
    at_least_wald
        Lets that variance not fall below the one of known tau2.

    Raises
    ------
    InputError
        As `tau_squared`.
    UsageError
        If the method pools with weights of its own (GENQ): these are not the weights used here.
    """
    if method in (TauSquaredMethod.GENERALISED_Q, TauSquaredMethod.GENERALISED_Q_MEDIAN):
        raise UsageError(
            "generalised Q pools with the weights it was given, not with 1 / (v + tau2)",
            hint="Use statera.evidence.pairwise.",
        )
    y, v, x = checked(estimates, variances, None)
    tau2 = tau_squared(y, v, method, level=level)
    fit = weighted_fit(y, v, x, tau2.value)
    scale = fit.q / tau2.df
    variance = float(fit.covariance[0, 0])
    df = float("inf")
    quantile = float(norm.ppf(0.5 + level / 2.0))
    if hartung_knapp:
        variance *= max(scale, 1.0) if at_least_wald else scale
        df = float(tau2.df)
        quantile = float(student.ppf(0.5 + level / 2.0, tau2.df))
    mean, se = float(fit.beta[0]), float(np.sqrt(variance))
    wide = float(np.sqrt(tau2.value + variance))
    return RandomEffectsMean(
        mean,
        se,
        df,
        (mean - quantile * se, mean + quantile * se),
        (mean - quantile * wide, mean + quantile * wide),
        scale,
        tau2,
    )
