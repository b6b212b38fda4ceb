"""Pooled effects of rare events without a correction: Mantel-Haenszel and Peto.

The pooled value uses the counts as they are. Only the values of single studies, and with them the
heterogeneity Q, need 1/2 in the studies with an empty cell; a study without events in both arms
(or with events only) is left out of Q.

Methods
-------
Odds ratio: Robins, Breslow and Greenland, Biometrics 1986;42:311 (doi 10.2307/2531052).
Risk ratio, rate ratio and rate difference: Greenland and Robins, Biometrics 1985;41:55
(doi 10.2307/2530643). Risk difference: Sato, Biometrics 1989;45:1323. Peto: Yusuf and others,
Prog Cardiovasc Dis 1985;27:335 (doi 10.1016/s0033-0620(85)80003-7).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri
from scipy.stats import chi2, norm

from statera.errors import InputError
from statera.evidence.stratified_tests import StratifiedTest, association_test, tarone_test
from statera.numerics.intervals_exact import check_level

__all__ = ["RareEventStatus", "RareEvents", "mantel_haenszel", "peto", "weights"]

Floats = NDArray[np.float64]


class RareEventStatus(StrEnum):
    """What came of a pooled effect of rare events."""

    OK = "ok"
    ONE_STUDY = "one study: there is no heterogeneity to test"
    NO_EVENTS = "no study has events that tell the arms apart"
    ONE_ARM_EMPTY = "all events fell in one arm: the ratio has no finite estimate"


@dataclass(frozen=True)
class RareEvents:
    """A pooled effect without a correction.

    Attributes
    ----------
    measure
        OR, RR, RD, IRR or IRD; OR for Peto.
    method
        Mantel-Haenszel or Peto.
    estimate, se, z, p, interval
        Log scale for ratios; NaN where `status` says why.
    q, q_df, q_p, i2
        Heterogeneity by inverse-variance weights around the estimate; I2 in per cent.
    y, v : (k,) float64
        Effects of single studies (1/2 added where a cell is empty) and their variances; NaN for
        the studies left out of Q.
    status
        Named outcome.
    notes
        What was added or left out, in words.
    association
        Mantel and Haenszel's test (corrected for continuity) of OR, RR, RD and IRR; None elsewhere.
    tarone
        Test of equal odds ratios; None for other measures.
    """

    measure: str
    method: str
    estimate: float
    se: float
    z: float
    p: float
    interval: tuple[float, float]
    q: float
    q_df: int
    q_p: float
    i2: float
    y: Floats
    v: Floats
    status: RareEventStatus
    notes: tuple[str, ...] = ()
    association: StratifiedTest | None = None
    tarone: StratifiedTest | None = None


def mantel_haenszel(
    measure: str,
    events1: ArrayLike,
    size1: ArrayLike,
    events2: ArrayLike,
    size2: ArrayLike,
    level: float = 0.95,
) -> RareEvents:
    """Pool counts of two arms by Mantel and Haenszel's weights.

    Parameters
    ----------
    measure
        OR, RR, RD (sizes are persons) or IRR, IRD (sizes are person-times).
    events1, size1, events2, size2 : (k,)
        Events and size of the first and second arm; an effect is the first against the second.
    level
        Confidence level.

    Raises
    ------
    InputError
        If the measure is not one of the five, or a count is impossible.
    """
    pools: dict[str, Callable[[Floats, Floats, Floats, Floats], tuple[float, float]]] = {
        "OR": _odds_ratio,
        "RR": _risk_ratio,
        "RD": _risk_difference,
        "IRR": _rate_ratio,
        "IRD": _rate_difference,
    }
    if measure not in pools:
        raise InputError(
            f"there is no Mantel-Haenszel pool of {measure}",
            where="measure",
            hint="Use OR, RR, RD, IRR or IRD.",
        )
    a, n1, c, n2 = two_arms(events1, size1, events2, size2, rates=measure.startswith("I"))
    with np.errstate(divide="ignore", invalid="ignore"):
        estimate, variance = pools[measure](a, n1, c, n2)
    y, v, notes = study_effects(measure, a, n1, c, n2)
    found = _result(measure, "Mantel-Haenszel", estimate, variance, y, v, notes, level)
    return replace(
        found,
        association=None
        if measure == "IRD"
        else association_test(a, n1, c, n2, rates=measure == "IRR"),
        tarone=tarone_test(a, n1, c, n2, found.estimate) if measure == "OR" else None,
    )


def peto(
    events1: ArrayLike,
    size1: ArrayLike,
    events2: ArrayLike,
    size2: ArrayLike,
    level: float = 0.95,
) -> RareEvents:
    """Pool odds ratios by Peto's one-step method; biased where arms are very unequal in size.

    Parameters
    ----------
    events1, size1, events2, size2 : (k,)
        Events and persons of each arm.
    level
        Confidence level.
    """
    a, n1, c, n2 = two_arms(events1, size1, events2, size2, rates=False)
    difference, variance = _peto_terms(a, n1, c, n2)
    total = float(variance.sum())
    empty = total <= 0.0
    estimate = np.nan if empty else float(difference.sum() / total)
    # The one-step value of a study with one empty cell is finite: nothing is added anywhere.
    known = variance > 0.0
    y = np.where(known, difference / np.where(known, variance, 1.0), np.nan)
    v = np.where(known, 1.0 / np.where(known, variance, 1.0), np.nan)
    notes = _notes(0, int((~known).sum()))
    return _result("OR", "Peto", estimate, np.nan if empty else 1.0 / total, y, v, notes, level)


def weights(
    measure: str, events1: ArrayLike, size1: ArrayLike, events2: ArrayLike, size2: ArrayLike
) -> Floats:
    """Return the weight of each study in Mantel-Haenszel's pool (PETO: in Peto's), per cent.

    Parameters
    ----------
    measure
        OR, RR, RD, IRR, IRD or PETO.
    events1, size1, events2, size2 : (k,)
        As of `mantel_haenszel`.
    """
    a, n1, c, n2 = two_arms(events1, size1, events2, size2, rates=measure.startswith("I"))
    n = n1 + n2
    match measure:
        case "PETO":
            found = _peto_terms(a, n1, c, n2)[1]
        case "OR":
            found = (n1 - a) * c / n
        case "RR" | "IRR":
            found = c * n1 / n
        case _:
            found = n1 * n2 / n
    total = float(found.sum())
    return np.asarray(100.0 * found / total if total > 0.0 else np.full(a.size, np.nan))


def two_arms(
    events1: ArrayLike, size1: ArrayLike, events2: ArrayLike, size2: ArrayLike, *, rates: bool
) -> tuple[Floats, Floats, Floats, Floats]:
    """Return checked counts as arrays of one length.

    Raises
    ------
    InputError
        If lengths differ, an event count is negative or fractional, a size is not positive, or
        there are more events than persons.
    """
    a, n1, c, n2 = (
        np.atleast_1d(np.asarray(part, dtype=float)) for part in (events1, size1, events2, size2)
    )
    if not a.shape == n1.shape == c.shape == n2.shape or a.ndim != 1 or a.size == 0:
        raise InputError(
            "events and sizes must be lists of one length, with at least one study",
            where="events1, size1, events2, size2",
        )
    for events, size, arm in ((a, n1, "first"), (c, n2, "second")):
        wrong = ~(np.isfinite(events) & (events >= 0.0) & (events == np.floor(events)))
        wrong |= ~(np.isfinite(size) & (size > 0.0))
        if not rates:
            wrong |= events > size
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            raise InputError(
                f"{events[row]:g} events of {size[row]:g} cannot be in the {arm} arm of study "
                f"{row + 1}",
                where=f"study {row + 1}",
                hint="Give whole events from 0 and a positive size, and no more events than "
                "persons.",
            )
    return a, n1, c, n2


def study_effects(
    measure: str, a: Floats, n1: Floats, c: Floats, n2: Floats
) -> tuple[Floats, Floats, tuple[str, ...]]:
    """Return the effects of single studies and variances, NaN where a study tells nothing."""
    if measure.startswith("I"):
        return _rate_effects(measure, a, n1, c, n2)
    (a, b, c, d), left_out, notes = _corrected(a, n1, c, n2)
    m1, m2 = a + b, c + d
    p1, p2 = a / m1, c / m2
    if measure == "OR":
        y, v = np.log(a * d / (b * c)), 1 / a + 1 / b + 1 / c + 1 / d
    elif measure == "RR":
        y, v = np.log(p1 / p2), 1 / a - 1 / m1 + 1 / c - 1 / m2
    else:
        y, v = p1 - p2, p1 * (1 - p1) / m1 + p2 * (1 - p2) / m2
    return np.where(left_out, np.nan, y), np.where(left_out, np.nan, v), notes


def _rate_effects(
    measure: str, a: Floats, t1: Floats, c: Floats, t2: Floats
) -> tuple[Floats, Floats, tuple[str, ...]]:
    left_out = (a + c) == 0.0
    empty = (a == 0.0) | (c == 0.0)
    x1, x2 = a + 0.5 * empty, c + 0.5 * empty
    if measure == "IRR":
        y, v = np.log(x1 / t1) - np.log(x2 / t2), 1 / x1 + 1 / x2
    else:
        y, v = x1 / t1 - x2 / t2, x1 / t1**2 + x2 / t2**2
    notes = _notes(int((empty & ~left_out).sum()), int(left_out.sum()))
    return np.where(left_out, np.nan, y), np.where(left_out, np.nan, v), notes


def _corrected(
    a: Floats, n1: Floats, c: Floats, n2: Floats
) -> tuple[tuple[Floats, Floats, Floats, Floats], NDArray[np.bool_], tuple[str, ...]]:
    b, d = n1 - a, n2 - c
    left_out = ((a + c) == 0.0) | ((b + d) == 0.0)
    empty = (a == 0.0) | (b == 0.0) | (c == 0.0) | (d == 0.0)
    half = 0.5 * empty
    notes = _notes(int((empty & ~left_out).sum()), int(left_out.sum()))
    return (a + half, b + half, c + half, d + half), left_out, notes


def _notes(corrected: int, left_out: int) -> tuple[str, ...]:
    notes = []
    if corrected:
        notes.append(
            f"1/2 was added to the cells of {_studies(corrected)} with an empty cell, for their "
            "own values and Q only; the pooled value uses the counts as they are"
        )
    if left_out:
        notes.append(
            f"not in Q: {_studies(left_out)} without events, or with events only, in both arms"
        )
    return tuple(notes)


def _studies(number: int) -> str:
    return f"{number} {'study' if number == 1 else 'studies'}"


def _odds_ratio(a: Floats, n1: Floats, c: Floats, n2: Floats) -> tuple[float, float]:
    b, d, n = n1 - a, n2 - c, n1 + n2
    p, q = (a + d) / n, (b + c) / n
    r, s = a * d / n, b * c / n
    sum_r, sum_s = r.sum(), s.sum()
    variance = (
        (p * r).sum() / sum_r**2
        + (p * s + q * r).sum() / (sum_r * sum_s)
        + (q * s).sum() / sum_s**2
    ) / 2
    return float(np.log(sum_r / sum_s)), float(variance)


def _risk_ratio(a: Floats, n1: Floats, c: Floats, n2: Floats) -> tuple[float, float]:
    n = n1 + n2
    top, bottom = (a * n2 / n).sum(), (c * n1 / n).sum()
    spread = (n1 * n2 * (a + c) / n**2 - a * c / n).sum()
    return float(np.log(top / bottom)), float(spread / (top * bottom))


def _risk_difference(a: Floats, n1: Floats, c: Floats, n2: Floats) -> tuple[float, float]:
    n = n1 + n2
    weight = (n1 * n2 / n).sum()
    estimate = float((a * n2 / n - c * n1 / n).sum() / weight)
    p = (c * (n1 / n) ** 2 - a * (n2 / n) ** 2 + n1 * n2 * (n2 - n1) / (2 * n**2)).sum()
    q = ((a * (n2 - c) + c * (n1 - a)) / (2 * n)).sum()
    return estimate, float((estimate * p + q) / weight**2)


def _rate_ratio(a: Floats, t1: Floats, c: Floats, t2: Floats) -> tuple[float, float]:
    t = t1 + t2
    top, bottom = (a * t2 / t).sum(), (c * t1 / t).sum()
    spread = (t1 * t2 * (a + c) / t**2).sum()
    return float(np.log(top / bottom)), float(spread / (top * bottom))


def _rate_difference(a: Floats, t1: Floats, c: Floats, t2: Floats) -> tuple[float, float]:
    w = t1 * t2 / (t1 + t2)
    estimate = float((w * (a / t1 - c / t2)).sum() / w.sum())
    return estimate, float((w**2 * (a / t1**2 + c / t2**2)).sum() / w.sum() ** 2)


def _peto_terms(a: Floats, n1: Floats, c: Floats, n2: Floats) -> tuple[Floats, Floats]:
    n, events = n1 + n2, a + c
    expected = events * n1 / n
    variance = events * (n - events) * (n1 / n) * (n2 / n) / np.maximum(n - 1.0, 1.0)
    return a - expected, variance


def _result(
    measure: str,
    method: str,
    estimate: float,
    variance: float,
    y: Floats,
    v: Floats,
    notes: tuple[str, ...],
    level: float,
) -> RareEvents:
    check_level(level)
    status = RareEventStatus.OK
    used = np.isfinite(y) & (np.nan_to_num(v) > 0.0)
    if not (np.isfinite(estimate) and np.isfinite(variance) and variance > 0.0):
        status = RareEventStatus.ONE_ARM_EMPTY if used.any() else RareEventStatus.NO_EVENTS
        estimate = variance = np.nan
    elif y.size == 1:
        status = RareEventStatus.ONE_STUDY
    se = float(np.sqrt(variance))
    z = estimate / se
    half = float(ndtri(0.5 + level / 2)) * se
    df = max(int(used.sum()) - 1, 0)
    q = float(((y[used] - estimate) ** 2 / v[used]).sum()) if df else np.nan
    return RareEvents(
        measure,
        method,
        float(estimate),
        se,
        float(z),
        float(2 * norm.sf(abs(z))),
        (float(estimate - half), float(estimate + half)),
        q,
        df,
        float(chi2.sf(q, df)) if df else np.nan,
        max(0.0, 100 * (q - df) / q) if df and q > 0.0 else np.nan if not df else 0.0,
        y,
        v,
        status,
        notes,
    )
