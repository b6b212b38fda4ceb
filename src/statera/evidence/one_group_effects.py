"""A proportion, an incidence rate or a mean of one group, on the scale it is pooled on.

Sources: Freeman and Tukey, Ann Math Stat 1950;21:607 (double arcsine and double square root);
Barendregt and others, J Epidemiol Community Health 2013;67:974 (scales of proportions).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from statera.errors import UsageError
from statera.evidence.two_arm_effects import LONGEST, Found
from statera.evidence.zero_cells import EffectSizeOptions, Variance, corrected

__all__ = ["one_mean", "one_proportion", "one_rate"]

Floats = NDArray[np.float64]


def one_proportion(code: str, c: Mapping[str, Floats], options: EffectSizeOptions) -> Found:
    """Return values, variances, statuses and who was corrected, of ``events`` among ``total``.

    `code` is PR, PLN, PLO, PAS or PFT.
    """
    x, rest = c["events"], c["total"] - c["events"]
    status = np.full(x.shape, "", dtype=LONGEST)
    status[(x < 0) | (rest < 0)] = "more events than members, or fewer than none"
    status[c["total"] <= 0] = "the group has no members"
    (x, rest), added = corrected((x, rest), options, code)
    n = x + rest
    with np.errstate(divide="ignore", invalid="ignore"):
        y, v = _of_proportion(code, x, n, options)
    bad = (status == "") & ~(np.isfinite(y) & np.isfinite(v) & (v > 0.0))
    status[bad] = "no events, or nothing but events, and nothing was added"
    return y, v, status, added


def _of_proportion(
    code: str, x: Floats, n: Floats, options: EffectSizeOptions
) -> tuple[Floats, Floats]:
    p = x / n
    average = options.variance is Variance.AVERAGE
    # the average replaces the proportion of the study in its variance only
    q = np.full(p.shape, np.nansum(x) / np.nansum(n)) if average else p
    match code:
        case "PR":
            unbiased = options.variance is Variance.UNBIASED
            return p, q * (1.0 - q) / (n - 1.0 if unbiased else n)
        case "PLN":
            return np.log(p), 1.0 / (q * n) - 1.0 / n
        case "PLO":
            return np.log(x / (n - x)), 1.0 / (q * n) + 1.0 / ((1.0 - q) * n)
        case "PAS":
            return np.arcsin(np.sqrt(p)), 0.25 / n
        case "PFT":
            low, high = np.sqrt(x / (n + 1.0)), np.sqrt((x + 1.0) / (n + 1.0))
            return 0.5 * (np.arcsin(low) + np.arcsin(high)), 1.0 / (4.0 * n + 2.0)
    raise UsageError(f"'{code}' is not computed from one proportion", where="measure")


def one_rate(code: str, c: Mapping[str, Floats], options: EffectSizeOptions) -> Found:
    """Return values, variances, statuses and who was corrected, of ``events`` in ``time``.

    `code` is IR, IRLN, IRS or IRFT.
    """
    x, t = c["events"], c["time"]
    status = np.full(x.shape, "", dtype=LONGEST)
    status[x < 0] = "fewer events than none"
    status[t <= 0] = "the group has no person-time"
    (x,), added = corrected((x,), options, code)
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = x / t
        match code:
            case "IR":
                y, v = rate, rate / t
            case "IRLN":
                y, v = np.log(rate), 1.0 / x
            case "IRS":
                y, v = np.sqrt(rate), 0.25 / t
            case "IRFT":
                y, v = 0.5 * (np.sqrt(rate) + np.sqrt((x + 1.0) / t)), 0.25 / t
            case _:
                raise UsageError(f"'{code}' is not computed from one rate", where="measure")
    bad = (status == "") & ~(np.isfinite(y) & np.isfinite(v) & (v > 0.0))
    status[bad] = "no events, and nothing was added"
    return y, v, status, added


def one_mean(code: str, c: Mapping[str, Floats], options: EffectSizeOptions) -> Found:
    """Return values, variances, statuses and who was corrected (none), of one mean.

    `code` is MN or MNLN; `c` has ``mean``, ``sd``, ``total``.
    """
    del options
    m, s, n = c["mean"], c["sd"], c["total"]
    status = np.full(m.shape, "", dtype=LONGEST)
    status[s < 0] = "a standard deviation is below 0"
    status[n < 1] = "the group has no members"
    if code == "MNLN":
        status[(status == "") & (m <= 0)] = "a mean that is not above 0 has no logarithm"
    with np.errstate(divide="ignore", invalid="ignore"):
        match code:
            case "MN":
                y, v = m, s**2 / n
            case "MNLN":
                y, v = np.log(m), s**2 / (n * m**2)
            case _:
                raise UsageError(f"'{code}' is not computed from one mean", where="measure")
    bad = (status == "") & ~(np.isfinite(y) & np.isfinite(v) & (v > 0.0))
    status[bad] = "a standard deviation of 0 leaves no variance"
    return y, v, status, np.zeros(y.shape, dtype=bool)
