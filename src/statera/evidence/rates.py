"""Incidence rates and the crude ratio of two of them.

A crude rate ratio takes no account of who was treated with what, of time, or of competing risks.
It is another quantity than a hazard ratio, so it has its own type and is never converted to one.

Methods
-------
Rate: Garwood's exact limits of a Poisson mean over person-years.
Ratio: given the total number of events, those of the first group are binomial; exact
(Clopper-Pearson) or mid-P limits of that share give those of the ratio. See Przyborowski and
Wilenski, Biometrika 1940;31:313-323, and Rothman, Greenland and Lash, Modern Epidemiology, 3rd
edition, chapter 14.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from statera.errors import InputError
from statera.evidence.printed import rounding_interval
from statera.numerics.interval import Interval
from statera.numerics.intervals_exact import (
    binomial_exact,
    binomial_mid_p,
    check_count,
    check_level,
    poisson_exact,
)

__all__ = [
    "CrudeRateRatio",
    "IncidenceRate",
    "PrintedRateRatio",
    "crude_rate_ratio",
    "incidence_rate",
    "ratio_of_printed_rates",
]


@dataclass(frozen=True)
class IncidenceRate:
    """Events per 100 person-years with Garwood's interval.

    Attributes
    ----------
    label
        Group and outcome.
    events
        Number of events.
    person_years
        Time at risk, years.
    per_100
        Events per 100 person-years.
    interval
        Exact confidence interval of `per_100`.
    level
        Confidence level.
    """

    label: str
    events: int
    person_years: float
    per_100: float
    interval: Interval
    level: float


@dataclass(frozen=True)
class CrudeRateRatio:
    """Ratio of two incidence rates: unadjusted, and not a hazard ratio.

    Attributes
    ----------
    numerator, comparator
        Labels of the two groups.
    estimate
        Ratio of the rates; infinite where only the comparator has no events, nan where neither
        group has any.
    exact
        Conditional exact interval; [0, inf] where there are no events at all.
    mid_p
        Conditional mid-P interval: shorter, coverage not guaranteed.
    level
        Confidence level.
    """

    numerator: str
    comparator: str
    estimate: float
    exact: Interval
    mid_p: Interval
    level: float

    @property
    def is_defined(self) -> bool:
        """True where at least one group has events, so that the ratio is not nan."""
        return not math.isnan(self.estimate)


@dataclass(frozen=True)
class PrintedRateRatio:
    """Ratio of two printed rates whose person-years are not given: no confidence interval.

    Attributes
    ----------
    estimate
        Ratio of the printed rates.
    rounding
        Range that rounding of the two printed rates leaves; not a confidence interval.
    """

    numerator: str
    comparator: str
    estimate: float
    rounding: Interval


def incidence_rate(
    events: int, person_years: float, level: float = 0.95, label: str = ""
) -> IncidenceRate:
    """Return the rate per 100 person-years with its exact interval.

    Raises
    ------
    InputError
        If the events are not a count or the person-years are not positive.
    """
    count = check_count(events)
    if not 0.0 < person_years < math.inf:
        raise InputError(
            f"{person_years:g} person-years is not a time at risk",
            where=label or "person_years",
            hint="Give positive person-years.",
        )
    limits = poisson_exact(count, level)
    scale = 100.0 / person_years
    interval = Interval(limits.low * scale, limits.high * scale)
    return IncidenceRate(label, count, person_years, count * scale, interval, level)


def crude_rate_ratio(
    numerator: IncidenceRate, comparator: IncidenceRate, level: float = 0.95
) -> CrudeRateRatio:
    """Return the ratio of two rates with conditional exact and mid-P intervals.

    With no events in the comparator the estimate and the upper limit are infinite; with none in
    the numerator the lower limit is 0; with none at all nothing is known and both intervals are
    [0, inf].
    """
    check_level(level)
    total = numerator.events + comparator.events
    if total == 0:
        everything = Interval(0.0, math.inf)
        exact = mid_p = everything
        estimate = math.nan
    else:
        time_ratio = comparator.person_years / numerator.person_years
        exact = _from_share(binomial_exact(numerator.events, total, level), time_ratio)
        mid_p = _from_share(binomial_mid_p(numerator.events, total, level), time_ratio)
        estimate = (
            numerator.events / comparator.events * time_ratio if comparator.events else math.inf
        )
    return CrudeRateRatio(numerator.label, comparator.label, estimate, exact, mid_p, level)


def ratio_of_printed_rates(
    numerator: float | str,
    comparator: float | str,
    *,
    decimals: int | None = None,
    labels: tuple[str, str] = ("", ""),
) -> PrintedRateRatio:
    """Return the ratio of two printed rates and the range that their rounding leaves.

    Raises
    ------
    InputError
        If the numerator is negative or the comparator is not positive.
    """
    if float(numerator) < 0.0 or float(comparator) <= 0.0:
        raise InputError(
            f"no ratio of the rates {numerator} and {comparator}",
            hint="Rates must not be negative, and the comparator must be above 0.",
        )
    top, bottom = rounding_interval(numerator, decimals), rounding_interval(comparator, decimals)
    high = top.high / bottom.low if bottom.low > 0.0 else math.inf
    return PrintedRateRatio(
        labels[0],
        labels[1],
        float(numerator) / float(comparator),
        Interval(max(0.0, top.low) / bottom.high, high),
    )


def _from_share(share: Interval, time_ratio: float) -> Interval:
    """Turn limits of the numerator's share of all events into limits of the rate ratio."""

    def ratio(p: float) -> float:
        return p / (1.0 - p) * time_ratio if p < 1.0 else math.inf

    return Interval(ratio(share.low), ratio(share.high))
