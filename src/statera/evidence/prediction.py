"""Prediction intervals: where the true effect of a new study may lie.

All are approximations, and programs differ in the quantile; so the convention is part of the name:

- ``z``: normal quantile;
- ``t(k-1)``: t with k - p degrees (Partlett and Riley, Stat Med 2017;36:301, with Hartung-Knapp's
  standard error; without it, Veroniki and others, Res Synth Methods 2019;10:23);
- ``t(k-2)``: t with k - p - 1 degrees (Higgins, Thompson and Spiegelhalter, JRSS A 2009;172:137);
- ``as test``: ``z`` beside a Wald test, ``t(k-1)`` beside Hartung and Knapp's, as metafor does.

The interval is ``mean +- quantile * sqrt(tau2 + se^2)``, with the standard error that the test
uses; where tau2 is 0 it holds the error of the mean only.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from scipy.special import stdtrit

from statera.numerics.intervals_exact import normal_quantile

__all__ = ["PredictionConvention", "PredictionInterval", "prediction_interval", "quantile_of"]


class PredictionConvention(StrEnum):
    """Which quantile a prediction interval uses."""

    AS_TEST = "as test"
    NORMAL = "z"
    T_K_MINUS_1 = "t(k-1)"
    T_K_MINUS_2 = "t(k-2)"
    NONE = "none"


@dataclass(frozen=True)
class PredictionInterval:
    """Where the true effect of a new study may lie, on the pooled scale.

    Attributes
    ----------
    low, high
        NaN where the convention leaves no degrees of freedom.
    convention
        ``z``, ``t(k-1)`` or ``t(k-2)``.
    df
        Degrees of freedom; NaN for the normal quantile.
    level
    """

    low: float
    high: float
    convention: PredictionConvention
    df: float
    level: float

    @property
    def name(self) -> str:
        """The convention in words."""
        if self.convention is PredictionConvention.NORMAL:
            return "normal quantile"
        return f"t quantile with {self.df:g} degrees of freedom"


def quantile_of(
    convention: PredictionConvention, level: float, k: int, p: int, uses_t: bool
) -> tuple[PredictionConvention, float, float]:
    """Return the convention meant, its quantile and its degrees of freedom."""
    if convention is PredictionConvention.AS_TEST:
        convention = PredictionConvention.T_K_MINUS_1 if uses_t else PredictionConvention.NORMAL
    if convention is PredictionConvention.NORMAL:
        return convention, normal_quantile(level), math.nan
    df = k - p - (1 if convention is PredictionConvention.T_K_MINUS_2 else 0)
    if df < 1:
        return convention, math.nan, float(df)
    return convention, float(stdtrit(df, 0.5 + level / 2.0)), float(df)


def prediction_interval(
    mean: float, se: float, tau2: float, convention: PredictionConvention | str, *,
    level: float = 0.95, k: int, p: int = 1, uses_t: bool = False,
) -> PredictionInterval:  # fmt: skip
    """Return the interval of a new study's effect.

    Parameters
    ----------
    mean, se, tau2
        Pooled effect, its standard error as the test uses it, and variance between studies.
    convention, level
    k, p
        Studies and coefficients.
    uses_t
        What ``as test`` means.
    """
    meant, quantile, df = quantile_of(PredictionConvention(convention), level, k, p, uses_t)
    reach = quantile * math.sqrt(tau2 + se * se)
    return PredictionInterval(mean - reach, mean + reach, meant, df, level)
