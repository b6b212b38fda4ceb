"""Special functions of single numbers for compiled code.

Only what formulas may hold: log-gamma with its derivatives, and the normal distribution function
with its logarithm. `statera.numerics.special_arrays` holds the same functions of arrays.
"""

from __future__ import annotations

import math

from statera.numerics.compiled import compiled

__all__ = ["lgamma", "lognormcdf", "normcdf", "polygamma"]

_ROOT_HALF = math.sqrt(0.5)
_LOG_ROOT_2PI = 0.5 * math.log(2.0 * math.pi)
# even Bernoulli numbers B2, B4, ... of the asymptotic series
_BERNOULLI = (
    1.0 / 6.0, -1.0 / 30.0, 1.0 / 42.0, -1.0 / 30.0, 5.0 / 66.0, -691.0 / 2730.0, 7.0 / 6.0,
    -3617.0 / 510.0,
)  # fmt: skip
_FAR = 15.0  # from here on the series above holds to rounding for the orders in use


@compiled
def lgamma(x: float) -> float:
    """Return the logarithm of the absolute value of the gamma function."""
    return math.lgamma(x)


@compiled
def polygamma(order: float, x: float) -> float:
    """Return a derivative of the logarithm of the gamma function at x > 0.

    Order 0 is the digamma function. Recurrence up to an argument where the asymptotic series
    holds (Abramowitz and Stegun 6.4.6 and 6.4.11). NaN at x <= 0.
    """
    if not x > 0.0:
        return math.nan
    n = int(order)
    below = 1.0  # (n - 1)!
    for i in range(2, n):
        below *= i
    total = 0.0
    while x < _FAR + n:
        total += 1.0 / x if n == 0 else below * n / x ** (n + 1)
        x += 1.0
    if n == 0:
        total += 0.5 / x - math.log(x)
    else:
        total += below / x**n + 0.5 * below * n / x ** (n + 1)
    for k in range(8):
        even = 2.0 * (k + 1)
        ratio = 1.0 / even
        for i in range(n):
            ratio *= even + i
        total += _BERNOULLI[k] * ratio / x ** (even + n)
    return total if n % 2 == 1 else -total


@compiled
def normcdf(x: float) -> float:
    """Return the standard normal distribution function."""
    return 0.5 * math.erfc(-x * _ROOT_HALF)


@compiled
def lognormcdf(x: float) -> float:
    """Return the logarithm of the standard normal distribution function.

    Below -30 by the asymptotic series (Abramowitz and Stegun 26.2.12), as the function itself
    underflows.
    """
    if x > 5.0:
        return math.log1p(-0.5 * math.erfc(x * _ROOT_HALF))
    if x > -30.0:
        return math.log(0.5 * math.erfc(-x * _ROOT_HALF))
    w = 1.0 / (x * x)
    series = 1.0 - w * (1.0 - 3.0 * w * (1.0 - 5.0 * w * (1.0 - 7.0 * w)))
    return -0.5 * x * x - _LOG_ROOT_2PI - math.log(-x) + math.log(series)
