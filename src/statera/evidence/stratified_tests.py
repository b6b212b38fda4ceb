"""Tests of stratified counts: association (Mantel and Haenszel) and equal odds ratios (Tarone).

Mantel and Haenszel, J Natl Cancer Inst 1959;22:719; for person-time Rothman, Greenland and Lash,
Modern Epidemiology, 3rd edition, chapter 15. Equal odds ratios: Breslow and Day, Statistical
Methods in Cancer Research I, 1980, with the correction of Tarone, Biometrika 1985;72:91.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

__all__ = ["StratifiedTest", "association_test", "tarone_test"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class StratifiedTest:
    """A chi-square test.

    Attributes
    ----------
    statistic, df, p
    corrected
        True where 1/2 was taken off the difference of observed and expected events.
    """

    statistic: float
    df: int
    p: float
    corrected: bool = False


def association_test(
    a: Floats, size1: Floats, c: Floats, size2: Floats, *, rates: bool, corrected: bool = True
) -> StratifiedTest | None:
    """Test that no study shows an effect.

    Parameters
    ----------
    a, size1, c, size2 : (k,) float64
        Events and persons (person-times where `rates`) of both arms.
    rates
        Binomial given the total instead of hypergeometric.
    corrected
        Take 1/2 off, for continuity.

    Returns
    -------
    StratifiedTest or None
        None where no study has events that tell the arms apart.
    """
    m, n = a + c, size1 + size2
    expected = m * size1 / n
    variance = m * (size1 / n) * (size2 / n)
    if not rates:
        variance = variance * (n - m) / np.maximum(n - 1.0, 1.0)
    total = float(variance.sum())
    if total <= 0.0:
        return None
    away = abs(float((a - expected).sum()))
    statistic = max(0.0, away - (0.5 if corrected else 0.0)) ** 2 / total
    return StratifiedTest(statistic, 1, float(chdtrc(1, statistic)), corrected)


def tarone_test(
    a: Floats, n1: Floats, c: Floats, n2: Floats, log_odds_ratio: float
) -> StratifiedTest | None:
    """Test that all studies have one odds ratio.

    Parameters
    ----------
    a, n1, c, n2 : (k,) float64
        Events and persons of both arms.
    log_odds_ratio
        Of Mantel and Haenszel.

    Returns
    -------
    StratifiedTest or None
        Studies without events, or with events only, tell nothing; None where fewer than two are
        left or the odds ratio is not finite.
    """
    m = a + c
    used = (m > 0.0) & (m < n1 + n2)
    if used.sum() < 2 or not np.isfinite(log_odds_ratio):
        return None
    a, n1, n2, m = (part[used] for part in (a, n1, n2, m))
    fitted = _fitted(n1, n2, m, float(np.exp(log_odds_ratio)))
    variance = 1.0 / (
        1.0 / fitted + 1.0 / (m - fitted) + 1.0 / (n1 - fitted) + 1.0 / (n2 - m + fitted)
    )
    away = a - fitted
    statistic = float((away**2 / variance).sum() - away.sum() ** 2 / variance.sum())
    df = int(a.size) - 1
    return StratifiedTest(statistic, df, float(chdtrc(df, statistic)))


def _fitted(n1: Floats, n2: Floats, m: Floats, ratio: float) -> Floats:
    """Return events of the first arm that give this odds ratio with the margins of each study."""
    # x (n2 - m + x) = ratio (n1 - x)(m - x), of which one root lies within the margins
    square = 1.0 - ratio
    linear = n2 - m + ratio * (n1 + m)
    constant = -ratio * n1 * m
    root = np.sqrt(np.maximum(linear**2 - 4.0 * square * constant, 0.0))
    # this form of the root needs no division by 1 - ratio
    return np.asarray(-2.0 * constant / (linear + root))
