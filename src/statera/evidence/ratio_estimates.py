"""Published ratio estimates: standard errors, direction and agreement.

Methods
-------
On the log scale a normal-theory interval is symmetric, so the standard error is its width over
2 z (3.92 at 95 %). Agreement of two independent estimates: difference of the logs over the root of
the summed variances (Altman and Bland, BMJ 2003;326:219).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from scipy.special import ndtr

from statera.errors import InputError
from statera.evidence.printed import decimals_of, rounding_interval
from statera.numerics.interval import Interval
from statera.numerics.intervals_exact import check_level, normal_quantile

__all__ = [
    "ASYMMETRY_LIMIT",
    "Agreement",
    "Asymmetry",
    "DirectionCheck",
    "RatioEstimate",
    "agreement",
    "compare_direction",
]

#: Beyond this asymmetry on the log scale an interval is taken to be no normal-theory interval.
ASYMMETRY_LIMIT = 0.05


@dataclass(frozen=True)
class Asymmetry:
    """How far an interval is from being symmetric about its estimate on the log scale.

    Attributes
    ----------
    value
        (upper arm - lower arm) / (upper arm + lower arm); 0 where symmetric, -1 to 1.
    rounding
        Range of `value` that rounding of the three printed numbers leaves.
    """

    value: float
    rounding: Interval

    @property
    def is_flagged(self) -> bool:
        """True where the value as printed exceeds the limit of 0.05 in either direction."""
        return abs(self.value) > ASYMMETRY_LIMIT

    @property
    def is_explained_by_rounding(self) -> bool:
        """True where a symmetric interval could have been printed as these three numbers."""
        return self.rounding.low <= 0.0 <= self.rounding.high


@dataclass(frozen=True)
class RatioEstimate:
    """A ratio with its confidence interval, as published.

    Attributes
    ----------
    label
        Study and outcome.
    measure
        ``HR``, ``IRR``, ``OR`` or ``RR``, as the source names it; never changed here.
    value, low, high
        Estimate and confidence limits, all above 0.
    numerator, comparator
        Which group stands over which.
    level
        Confidence level.
    decimals
        Decimals printed; None where they are read from the numbers.
    overlap_group
        Name shared by estimates that may count the same people; empty where unknown.
    source
        Id of the source.
    inverted_from
        The estimate as printed, where this one is its inverse.

    Raises
    ------
    InputError
        If a number is not positive and finite or the order is not low <= value <= high.
    """

    label: str
    measure: str
    value: float
    low: float
    high: float
    numerator: str = ""
    comparator: str = ""
    level: float = 0.95
    decimals: int | None = None
    overlap_group: str = ""
    source: str = ""
    inverted_from: RatioEstimate | None = None

    def __post_init__(self) -> None:
        check_level(self.level)
        if not 0.0 < self.low <= self.value <= self.high < math.inf:
            raise InputError(
                f"{self.value:g} ({self.low:g} to {self.high:g}) is not a ratio with its interval",
                where=self.label or "ratio",
                hint="Needed: 0 < low <= value <= high, all finite.",
            )

    @property
    def interval(self) -> Interval:
        """The confidence interval."""
        return Interval(self.low, self.high)

    @property
    def log_estimate(self) -> float:
        """Natural logarithm of the estimate."""
        return math.log(self.value)

    @property
    def se(self) -> float:
        """Standard error of the log estimate, from the width of the interval."""
        return math.log(self.high / self.low) / (2.0 * normal_quantile(self.level))

    @property
    def z(self) -> float:
        """Log estimate over its standard error."""
        if self.se == 0.0:
            raise InputError(
                "an interval of no width has no standard error",
                where=self.label or "ratio",
                hint="Give the limits with more decimals.",
            )
        return self.log_estimate / self.se

    @property
    def excludes_one(self) -> bool:
        """True where the interval lies on one side of 1."""
        return self.low > 1.0 or self.high < 1.0

    def asymmetry(self) -> Asymmetry:
        """Return the asymmetry of the interval on the log scale, judged on the printed numbers."""
        if self.inverted_from is not None:
            printed = self.inverted_from.asymmetry()
            return Asymmetry(
                -printed.value, Interval(-printed.rounding.high, -printed.rounding.low)
            )
        value = _asymmetry(self.low, self.value, self.high)
        low, mid, high = (
            rounding_interval(x, self._printed_decimals())
            for x in (self.low, self.value, self.high)
        )
        # Largest when the estimate lies lowest and both limits highest, and the reverse.
        return Asymmetry(
            value,
            Interval(
                min(value, _asymmetry(max(low.low, 1e-12), mid.high, high.low)),
                max(value, _asymmetry(low.high, max(mid.low, 1e-12), high.high)),
            ),
        )

    def _printed_decimals(self) -> int:
        """Return the decimals printed; one number of the three may have lost a trailing zero."""
        if self.decimals is not None:
            return self.decimals
        return max(decimals_of(x) for x in (self.low, self.value, self.high))

    @property
    def has_usable_se(self) -> bool:
        """True where the interval is symmetric, or rounding alone explains that it is not."""
        check = self.asymmetry()
        return not check.is_flagged or check.is_explained_by_rounding

    def inverted(self) -> RatioEstimate:
        """Return the same comparison the other way round: numerator and comparator change place."""
        if self.inverted_from is not None:
            return self.inverted_from
        return replace(
            self,
            value=1.0 / self.value,
            low=1.0 / self.high,
            high=1.0 / self.low,
            numerator=self.comparator,
            comparator=self.numerator,
            inverted_from=self,
        )

    def oriented(self, numerator: str) -> RatioEstimate:
        """Return the comparison with `numerator` on top, inverted where necessary.

        Raises
        ------
        InputError
            If neither group has that name.
        """
        if self.numerator == numerator:
            return self
        if self.comparator == numerator:
            return self.inverted()
        raise InputError(
            f"'{numerator}' is in neither group of '{self.label}'",
            hint=f"The groups are '{self.numerator}' and '{self.comparator}'.",
        )


@dataclass(frozen=True)
class Agreement:
    """Whether two ratio estimates differ by more than their errors allow.

    Attributes
    ----------
    ratio
        First over second.
    interval
        Confidence interval of `ratio`; None where it could not be computed.
    z, p
        Test of equality, two-sided; None where it could not be computed.
    cautions
        What limits the comparison, as sentences.
    """

    first: str
    second: str
    ratio: float
    interval: Interval | None
    z: float | None
    p: float | None
    cautions: tuple[str, ...] = ()


@dataclass(frozen=True)
class DirectionCheck:
    """Whether a crude ratio of two rates and an adjusted estimate point the same way.

    Attributes
    ----------
    verdict
        ``same``, ``opposite`` or ``no direction`` (one of them is 1, or the rounding of the printed
        rates spans 1).
    sentence
        The finding in words.
    """

    crude: float
    adjusted: float
    verdict: str
    sentence: str


def agreement(first: RatioEstimate, second: RatioEstimate, level: float = 0.95) -> Agreement:
    """Compare two ratio estimates on the log scale, as if they were independent.

    Where people may have been counted in both (`overlap_group` equal and not empty), or where the
    measures differ, the comparison is still made and says so; where an interval is not symmetric
    beyond rounding, no test is made, because its standard error is not known.
    """
    cautions = []
    if first.overlap_group and first.overlap_group == second.overlap_group:
        cautions.append(
            f"both may count the same people ({first.overlap_group}), so they are not independent"
        )
    if first.measure != second.measure:
        cautions.append(f"{first.measure} and {second.measure} are different measures")
    ratio = first.value / second.value
    odd = [e.label or e.measure for e in (first, second) if not e.has_usable_se]
    if odd:
        cautions.append(
            f"the interval of {' and '.join(odd)} is not symmetric on the log scale, so it gives "
            "no standard error and no test was made"
        )
        return Agreement(first.label, second.label, ratio, None, None, None, tuple(cautions))
    error = math.hypot(first.se, second.se)
    if error == 0.0:
        cautions.append("both intervals have no width, so no test was made")
        return Agreement(first.label, second.label, ratio, None, None, None, tuple(cautions))
    reach = math.exp(normal_quantile(level) * error)
    z = math.log(ratio) / error
    p = 2.0 * float(ndtr(-abs(z)))
    interval = Interval(ratio / reach, ratio * reach)
    return Agreement(first.label, second.label, ratio, interval, z, p, tuple(cautions))


def compare_direction(
    crude: float, adjusted: RatioEstimate, rounding: Interval | None = None
) -> DirectionCheck:
    """Say whether a crude ratio of two rates lies on the same side of 1 as an adjusted estimate.

    Parameters
    ----------
    crude
        Ratio of the two rates, above 0.
    adjusted
        The published estimate.
    rounding
        Range that the rounding of the printed rates leaves; where it spans 1, the crude ratio has
        no direction.

    Raises
    ------
    InputError
        If `crude` is not positive and finite.
    """
    if not 0.0 < crude < math.inf:
        raise InputError(f"{crude:g} is not a ratio of two rates", where="crude")
    spans_one = rounding is not None and rounding.low <= 1.0 <= rounding.high
    about = f"crude ratio {crude:.2f}, adjusted {adjusted.measure} {adjusted.value:.2f}"
    if spans_one or crude == 1.0 or adjusted.value == 1.0:
        verdict, text = "no direction", f"no direction to compare ({about})"
    elif (crude > 1.0) is (adjusted.value > 1.0):
        verdict, text = "same", f"both on the same side of 1 ({about})"
    else:
        verdict = "opposite"
        text = (
            f"on opposite sides of 1 ({about}): crude rates are not adjusted for who received "
            "which drug, so neither can be derived from the other"
        )
    if not adjusted.excludes_one and verdict != "no direction":
        text += "; the adjusted interval includes 1"
    return DirectionCheck(crude, adjusted.value, verdict, text)


def _asymmetry(low: float, value: float, high: float) -> float:
    upper, lower = math.log(high / value), math.log(value / low)
    width = upper + lower
    return (upper - lower) / width if width > 0.0 else 0.0
