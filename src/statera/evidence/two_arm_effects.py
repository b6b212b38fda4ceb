"""Effects of one arm against another, from counts, events in person-time, or means.

Sources: log ratios Katz 1978 (RR) and Woolf 1955 (OR); Peto: Yusuf and others, Prog Cardiovasc Dis
1985;27:335; arcsine difference: Ruecker and others, Stat Med 2009;28:721; rate ratio and
difference: Rothman and Greenland, Modern Epidemiology; g with its exact factor: Hedges, J Educ Stat
1981;6:107; unequal variances: Bonett, Psychol Methods 2008;13:99; ratio of means: Hedges and
others, Ecology 1999;80:1150, bias correction Lajeunesse, Ecology 2015;96:2056.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from statera.errors import UsageError
from statera.evidence.zero_cells import EffectSizeOptions, Variance, corrected

__all__ = ["hedges_factor", "two_arm_counts", "two_arm_means", "two_arm_rates"]

Floats = NDArray[np.float64]
Found = tuple[Floats, Floats, NDArray[np.str_], NDArray[np.bool_]]
LONGEST = "<U160"


def two_arm_counts(code: str, c: Mapping[str, Floats], options: EffectSizeOptions) -> Found:
    """Return effects, variances, statuses and who was corrected, from two arms of counts.

    Parameters
    ----------
    code
        RR, OR, PETO, RD or AS.
    c
        ``events_1``, ``total_1``, ``events_2``, ``total_2``: each (k,) float64.
    options
        Correction of empty cells and kind of variance.
    """
    a, b = c["events_1"], c["total_1"] - c["events_1"]
    e, d = c["events_2"], c["total_2"] - c["events_2"]
    status = np.full(a.shape, "", dtype=LONGEST)
    impossible = (a < 0) | (b < 0) | (e < 0) | (d < 0)
    status[impossible] = "more events than members, or fewer than none, in an arm"
    status[(c["total_1"] <= 0) | (c["total_2"] <= 0)] = "an arm has no members"
    none = ((a == 0) & (e == 0)) | ((b == 0) & (d == 0))
    if options.drop_double_zero:
        status[none & (status == "")] = "no events, or nothing but events, in both arms"
    if code in ("RR", "OR", "PETO"):
        _nothing_known(status, none)
    (a, b, e, d), added = corrected((a, b, e, d), options, code)
    with np.errstate(divide="ignore", invalid="ignore"):
        y, v = _of_table(code, a, b, e, d, options)
    bad = (status == "") & ~(np.isfinite(y) & np.isfinite(v) & (v > 0.0))
    status[bad & none] = "no events, or nothing but events, in both arms"
    status[bad & ~none] = "an empty cell leaves the effect undefined, and nothing was added"
    return y, v, status, added


def _nothing_known(status: NDArray[np.str_], none: NDArray[np.bool_]) -> None:
    """Mark all rows where no study tells anything: what was added would be all there is."""
    if none.all():
        status[status == ""] = "no study of the table tells anything of a ratio (both arms alike)"


def _of_table(
    code: str, a: Floats, b: Floats, c: Floats, d: Floats, options: EffectSizeOptions
) -> tuple[Floats, Floats]:
    n1, n2 = a + b, c + d
    p1, p2 = a / n1, c / n2
    match code:
        case "RR":
            return np.log(p1) - np.log(p2), 1.0 / a - 1.0 / n1 + 1.0 / c - 1.0 / n2
        case "OR":
            return np.log(a / b) - np.log(c / d), 1.0 / a + 1.0 / b + 1.0 / c + 1.0 / d
        case "RD":
            return p1 - p2, _variance_of_risk(a, n1, options) + _variance_of_risk(c, n2, options)
        case "PETO":
            n = n1 + n2
            expected = (a + c) * n1 / n
            information = (a + c) * (b + d) * (n1 / n) * (n2 / n) / (n - 1.0)
            return (a - expected) / information, 1.0 / information
        case "AS":
            return (
                np.arcsin(np.sqrt(p1)) - np.arcsin(np.sqrt(p2)),
                0.25 / n1 + 0.25 / n2,
            )
    raise UsageError(f"'{code}' is not computed from two arms of counts", where="measure")


def _variance_of_risk(x: Floats, n: Floats, options: EffectSizeOptions) -> Floats:
    p = x / n
    match options.variance:
        case Variance.UNBIASED:
            return np.asarray(p * (1.0 - p) / (n - 1.0))
        case Variance.AVERAGE:
            mean = float(np.nansum(x) / np.nansum(n))
            return np.asarray(mean * (1.0 - mean) / n)
    return np.asarray(p * (1.0 - p) / n)


def two_arm_rates(code: str, c: Mapping[str, Floats], options: EffectSizeOptions) -> Found:
    """Return effects, variances, statuses and who was corrected, from events in person-time.

    `code` is IRR, IRD or IRSD; `c` has ``events_1``, ``time_1``, ``events_2``, ``time_2``.
    """
    x1, t1, x2, t2 = c["events_1"], c["time_1"], c["events_2"], c["time_2"]
    status = np.full(x1.shape, "", dtype=LONGEST)
    status[(x1 < 0) | (x2 < 0)] = "an arm has fewer events than none"
    status[(t1 <= 0) | (t2 <= 0)] = "an arm has no person-time"
    none = (x1 == 0) & (x2 == 0)
    if options.drop_double_zero:
        status[none & (status == "")] = "no events in both arms"
    if code == "IRR":
        _nothing_known(status, none)
    (x1, x2), added = corrected((x1, x2), options, code)
    with np.errstate(divide="ignore", invalid="ignore"):
        r1, r2 = x1 / t1, x2 / t2
        match code:
            case "IRR":
                y, v = np.log(r1) - np.log(r2), 1.0 / x1 + 1.0 / x2
            case "IRD":
                y, v = r1 - r2, r1 / t1 + r2 / t2
            case "IRSD":
                y, v = np.sqrt(r1) - np.sqrt(r2), 0.25 / t1 + 0.25 / t2
            case _:
                raise UsageError(f"'{code}' is not computed from person-time", where="measure")
    bad = (status == "") & ~(np.isfinite(y) & np.isfinite(v) & (v > 0.0))
    status[bad & none] = "no events in both arms"
    status[bad & ~none] = "an arm without events leaves the effect undefined, nothing was added"
    return y, v, status, added


def two_arm_means(code: str, c: Mapping[str, Floats], options: EffectSizeOptions) -> Found:
    """Return effects, variances, statuses and who was corrected (none), from means.

    `code` is MD, SMD, SMDH or ROM; `c` has ``mean_1``, ``sd_1``, ``total_1`` and those of arm 2.
    """
    m1, s1, n1 = c["mean_1"], c["sd_1"], c["total_1"]
    m2, s2, n2 = c["mean_2"], c["sd_2"], c["total_2"]
    status = np.full(m1.shape, "", dtype=LONGEST)
    status[(s1 < 0) | (s2 < 0)] = "a standard deviation is below 0"
    status[(n1 < 2) | (n2 < 2)] = "an arm has fewer than two members"
    if code == "ROM":
        # the ratio of two negative means has a logarithm, but no meaning as a ratio of sizes
        status[(status == "") & ((m1 <= 0) | (m2 <= 0))] = (
            "a mean is not above 0, so a ratio of means has no logarithm"
        )
    with np.errstate(divide="ignore", invalid="ignore"):
        y, v = _of_means(code, m1, s1, n1, m2, s2, n2, options)
    bad = (status == "") & ~(np.isfinite(y) & np.isfinite(v) & (v > 0.0))
    status[bad] = "standard deviations of 0 leave the effect without a variance"
    return y, v, status, np.zeros(y.shape, dtype=bool)


def _of_means(
    code: str, m1: Floats, s1: Floats, n1: Floats, m2: Floats, s2: Floats, n2: Floats,
    options: EffectSizeOptions,
) -> tuple[Floats, Floats]:  # fmt: skip
    df = n1 + n2 - 2.0
    pooled = np.sqrt(((n1 - 1.0) * s1**2 + (n2 - 1.0) * s2**2) / df)
    equal = options.variance is Variance.EQUAL_VARIANCES
    u1, u2 = (pooled, pooled) if equal else (s1, s2)
    match code:
        case "MD":
            return m1 - m2, u1**2 / n1 + u2**2 / n2
        case "ROM":
            first, second = u1**2 / (n1 * m1**2), u2**2 / (n2 * m2**2)
            bias = 0.5 * (first - second) if options.bias_correction else 0.0
            return np.log(m1 / m2) + bias, first + second
        case "SMD":
            factor = hedges_factor(df)
            g = factor * (m1 - m2) / pooled
            spread = 1.0 / n1 + 1.0 / n2
            if options.variance is Variance.UNBIASED:
                return g, spread + (1.0 - (df - 2.0) / (df * factor**2)) * g**2
            size = n1 + n2
            if options.variance is Variance.AVERAGE:
                mean = float(np.nansum(size * g) / np.nansum(size))
                return g, spread + mean**2 / (2.0 * size)
            return g, spread + g**2 / (2.0 * size)
        case "SMDH":
            factor = hedges_factor(df)
            total = s1**2 + s2**2
            g = factor * (m1 - m2) / np.sqrt(total / 2.0)
            shape = (s1**4 / (n1 - 1.0) + s2**4 / (n2 - 1.0)) / (2.0 * total**2)
            spread = (s1**2 / (n1 - 1.0) + s2**2 / (n2 - 1.0)) / (total / 2.0)
            return g, factor**2 * (g**2 * shape + spread)
    raise UsageError(f"'{code}' is not computed from means of two arms", where="measure")


def hedges_factor(df: Floats) -> Floats:
    """Return the exact factor that takes the bias off a standardised difference."""
    return np.asarray(
        np.exp(gammaln(df / 2.0) - 0.5 * np.log(df / 2.0) - gammaln((df - 1.0) / 2.0))
    )
