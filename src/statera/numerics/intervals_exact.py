"""Exact and mid-P limits for a binomial proportion and a Poisson mean.

Methods
-------
Binomial, exact: Clopper and Pearson, Biometrika 1934;26:404-413.
Poisson, exact: Garwood, Biometrika 1936;28:437-442.
Mid-P: half of the probability of the observed count is left out of each tail; see Lancaster,
J Am Stat Assoc 1961;56:223-234. Mid-P limits lie inside the exact ones and are less conservative;
they do not guarantee the stated coverage.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from scipy.special import betainc, betaincinv, gammainc, gammaincc, gammaincinv, gammaln, ndtri

from statera.errors import InputError
from statera.numerics.interval import Interval

__all__ = [
    "binomial_exact",
    "binomial_mid_p",
    "check_count",
    "check_level",
    "normal_quantile",
    "poisson_exact",
    "poisson_mid_p",
]


def check_level(level: float) -> float:
    """Return `level`, or raise InputError unless it lies strictly between 0 and 1."""
    if not 0.0 < level < 1.0:
        raise InputError(
            f"a confidence level of {level:g} is not between 0 and 1",
            where="level",
            hint="Give a fraction such as 0.95.",
        )
    return level


def check_count(value: float, what: str = "events") -> int:
    """Return `value` as an int, or raise InputError unless it is a whole number of 0 or more.

    Weighted pseudo-counts are refused here: an exact limit of a count that was never counted would
    claim a precision that the data do not have.
    """
    if not math.isfinite(value) or value < 0 or value != math.floor(value):
        raise InputError(
            f"{value:g} is not a count",
            where=what,
            hint="Give a whole number of 0 or more; weighted counts are not events.",
        )
    return int(value)


def normal_quantile(level: float) -> float:
    """Return z with a central probability of `level` between -z and z (1.959964 for 0.95)."""
    return float(ndtri(0.5 + 0.5 * check_level(level)))


def _check_binomial(events: float, n: float) -> tuple[int, int]:
    x, total = check_count(events), check_count(n, "n")
    if total < 1 or x > total:
        raise InputError(
            f"{x} events in {total} trials is not possible",
            where="events",
            hint="The number of trials must be at least 1 and at least the number of events.",
        )
    return x, total


def binomial_exact(events: float, n: float, level: float = 0.95) -> Interval:
    """Return the Clopper-Pearson interval of a proportion.

    Raises
    ------
    InputError
        If the counts are not whole, or there are more events than trials.
    """
    x, total = _check_binomial(events, n)
    tail = 0.5 * (1.0 - check_level(level))
    low = 0.0 if x == 0 else float(betaincinv(x, total - x + 1, tail))
    high = 1.0 if x == total else float(betaincinv(x + 1, total - x, 1.0 - tail))
    return Interval(low, high)


def binomial_mid_p(events: float, n: float, level: float = 0.95) -> Interval:
    """Return the mid-P interval of a proportion; it lies inside the Clopper-Pearson interval."""
    x, total = _check_binomial(events, n)
    tail = 0.5 * (1.0 - check_level(level))
    exact = binomial_exact(x, total, level)
    log_ways = float(gammaln(total + 1) - gammaln(x + 1) - gammaln(total - x + 1))

    def half_mass(p: float) -> float:
        log_mass = log_ways
        log_mass += x * math.log(p) if x else 0.0
        log_mass += (total - x) * math.log1p(-p) if total > x else 0.0
        return 0.5 * math.exp(log_mass)

    def at_least(p: float) -> float:
        return float(betainc(x, total - x + 1, p)) - half_mass(p) - tail

    def at_most(p: float) -> float:
        return 1.0 - float(betainc(x + 1, total - x, p)) - half_mass(p) - tail

    centre = x / total
    low = 0.0 if x == 0 else _bisect(at_least, exact.low, min(centre, 1.0 - 1e-16))
    high = 1.0 if x == total else _bisect(at_most, max(centre, 1e-300), exact.high)
    return Interval(low, high)


def poisson_exact(events: float, level: float = 0.95) -> Interval:
    """Return Garwood's interval of a Poisson mean, in counts."""
    x = check_count(events)
    tail = 0.5 * (1.0 - check_level(level))
    low = 0.0 if x == 0 else float(gammaincinv(x, tail))
    return Interval(low, float(gammaincinv(x + 1, 1.0 - tail)))


def poisson_mid_p(events: float, level: float = 0.95) -> Interval:
    """Return the mid-P interval of a Poisson mean, in counts; it lies inside Garwood's."""
    x = check_count(events)
    tail = 0.5 * (1.0 - check_level(level))
    exact = poisson_exact(x, level)

    def half_mass(mean: float) -> float:
        return 0.5 * math.exp((x * math.log(mean) if x else 0.0) - mean - float(gammaln(x + 1)))

    def at_least(mean: float) -> float:
        return float(gammainc(x, mean)) - half_mass(mean) - tail

    def at_most(mean: float) -> float:
        return float(gammaincc(x + 1, mean)) - half_mass(mean) - tail

    low = 0.0 if x == 0 else _bisect(at_least, exact.low, float(x))
    return Interval(low, _bisect(at_most, max(float(x), 1e-300), exact.high))


def _bisect(f: Callable[[float], float], low: float, high: float) -> float:
    """Return the root of a monotone `f` between `low` and `high`, to the last bits.

    Bisection, because the bracket is known (the exact limit and the estimate) and the function is
    cheap; 200 halvings end earlier, when the midpoint no longer moves.
    """
    rising = f(high) > f(low)
    for _ in range(200):
        middle = 0.5 * (low + high)
        if middle in (low, high):
            break
        if (f(middle) > 0.0) is rising:
            high = middle
        else:
            low = middle
    return 0.5 * (low + high)
