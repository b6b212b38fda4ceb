"""Counts behind printed percentages and rates: what rounding leaves open.

A paper prints "70 %" of 487 and not the count. Every whole number that rounds to the printed value
is possible; effects are computed from the nearest count, and the range that rounding alone leaves
is carried beside the confidence interval, never mixed into it.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from statera.errors import InputError
from statera.evidence.proportions import Arm, Effect, risk_difference
from statera.numerics.interval import Interval
from statera.numerics.intervals_exact import check_count

__all__ = [
    "PrintedCount",
    "PrintedDifference",
    "arm_size",
    "decimals_of",
    "difference_of_printed",
    "events_from_percent",
    "events_from_rate",
    "rounding_interval",
]

# Printed halves are not exact in binary; a count on the edge of the interval is still possible.
_EDGE = 1e-9


@dataclass(frozen=True)
class PrintedCount:
    """The counts that agree with a printed percentage or rate.

    Attributes
    ----------
    label
        Arm or group.
    n
        Members of the arm; None for a rate.
    nearest
        Whole number nearest to the printed value.
    low, high
        Smallest and largest whole number that rounds to the printed value; None where none does.
    """

    label: str
    n: int | None
    nearest: int
    low: int | None
    high: int | None

    @property
    def is_consistent(self) -> bool:
        """True where at least one whole number rounds to the printed value.

        False says that the denominator is another one than `n`, or that the percentage does not
        come from a count (multiple imputation, an adjusted value).
        """
        return self.low is not None

    @property
    def is_exact(self) -> bool:
        """True where exactly one whole number rounds to the printed value."""
        return self.low is not None and self.low == self.high

    def arm(self) -> Arm:
        """Return the arm with the nearest count."""
        if self.n is None:
            raise InputError(
                f"'{self.label}' comes from a rate and has no number of members",
                hint="Use incidence_rate for events in person-years.",
            )
        return Arm(self.label, self.nearest, self.n)


@dataclass(frozen=True)
class PrintedDifference:
    """A risk difference from printed percentages.

    Attributes
    ----------
    effect
        From the nearest counts.
    rounding
        Range of the difference over all counts that agree with the printed percentages.
    note
        Set where a printed percentage agrees with no count.
    """

    effect: Effect
    rounding: Interval
    note: str = ""


def decimals_of(printed: float | str) -> int:
    """Return the decimals a value was printed with; a whole float counts as none.

    ``"40.0"`` has one, ``40.0`` has none, because a float does not keep trailing zeros: give text
    where they matter.

    Raises
    ------
    InputError
        If `printed` is not a number.
    """
    text = repr(float(printed)) if isinstance(printed, int | float) else printed.strip()
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise InputError(f"'{printed}' is not a number", hint="Write it like 38.8.") from error
    if not number.is_finite():
        raise InputError(f"'{printed}' is not a finite number")
    if not isinstance(printed, str):
        number = number.normalize()
    exponent = number.as_tuple().exponent
    return max(0, -int(exponent))


def rounding_interval(printed: float | str, decimals: int | None = None) -> Interval:
    """Return the values that round to `printed`; the ends belong to it (half up or half even)."""
    places = decimals_of(printed) if decimals is None else check_count(decimals, "decimals")
    half = 0.5 * 10.0**-places
    return Interval(float(printed) - half, float(printed) + half)


def arm_size(text: str) -> int | None:
    """Return the size of an arm from a printed ``n``; None where it is not one.

    ``"684 total"`` is the size of the whole trial, so it gives None.
    """
    match = re.fullmatch(r"\s*(\d{1,3}(?:[, ]\d{3})+|\d+)\s*", text)
    return int(re.sub(r"[, ]", "", match.group(1))) if match else None


def events_from_percent(
    percent: float | str, n: int, decimals: int | None = None, label: str = ""
) -> PrintedCount:
    """Return the counts of `n` that agree with a printed percentage.

    Parameters
    ----------
    percent
        As printed, 0 to 100.
    n
        Members of the arm.
    decimals
        Decimals printed; read from `percent` where None.
    label
        Name of the arm.

    Raises
    ------
    InputError
        If the percentage lies outside 0 to 100 or `n` is not a count of at least 1.
    """
    size = check_count(n, "n")
    span = rounding_interval(percent, decimals)
    if size < 1 or not 0.0 <= float(percent) <= 100.0:
        raise InputError(
            f"{percent} % of {size} is not possible",
            where=label or "percent",
            hint="Give a percentage from 0 to 100 and an arm of at least 1.",
        )
    return _counts(label, size, float(percent) / 100.0 * size, span, size / 100.0)


def events_from_rate(
    per_100: float | str, person_years: float, decimals: int | None = None, label: str = ""
) -> PrintedCount:
    """Return the event counts that agree with a printed rate per 100 person-years.

    Raises
    ------
    InputError
        If the rate is negative or the person-years are not positive.
    """
    span = rounding_interval(per_100, decimals)
    if float(per_100) < 0.0 or not 0.0 < person_years < math.inf:
        raise InputError(
            f"{per_100} per 100 in {person_years:g} person-years is not possible",
            where=label or "rate",
            hint="Give a rate of 0 or more and positive person-years.",
        )
    return _counts(label, None, float(per_100) / 100.0 * person_years, span, person_years / 100.0)


def difference_of_printed(
    treated: PrintedCount, control: PrintedCount, level: float = 0.95
) -> PrintedDifference:
    """Return the risk difference of two printed percentages, `treated` minus `control`."""
    first, second = treated.arm(), control.arm()
    effect = risk_difference(first, second, level)
    doubtful = [c.label or "an arm" for c in (treated, control) if not c.is_consistent]
    note = ""
    if doubtful:
        note = (
            f"no whole number gives the printed percentage in {' and '.join(doubtful)}: another "
            "denominator, or an imputed value; the nearest count was used"
        )
    low = _end(treated, low=True) / first.n - _end(control, low=False) / second.n
    high = _end(treated, low=False) / first.n - _end(control, low=True) / second.n
    return PrintedDifference(effect, Interval(low, high), note)


def _end(count: PrintedCount, *, low: bool) -> int:
    end = count.low if low else count.high
    return count.nearest if end is None else end


def _counts(
    label: str, size: int | None, expected: float, span: Interval, scale: float
) -> PrintedCount:
    low = max(0, math.ceil(span.low * scale - _EDGE))
    high = math.floor(span.high * scale + _EDGE)
    nearest = math.floor(expected + 0.5)
    if size is not None:
        high, nearest = min(high, size), min(nearest, size)
    if low > high:
        return PrintedCount(label, size, nearest, None, None)
    return PrintedCount(label, size, min(max(nearest, low), high), low, high)
