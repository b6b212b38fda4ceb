"""Proportions: counts behind a printed percentage, and effects between two arms.

Methods
-------
Interval of one proportion: Wilson, J Am Stat Assoc 1927;22:209-212.
Risk difference: Newcombe's hybrid score interval (method 10), Stat Med 1998;17:873-890.
Risk ratio: log interval of Katz and others, Biometrics 1978;34:469-474.
Odds ratio: log interval of Woolf, Ann Hum Genet 1955;19:251-253.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from statera.errors import InputError
from statera.numerics.interval import Interval
from statera.numerics.intervals_exact import check_count, normal_quantile

__all__ = ["Arm", "Effect", "odds_ratio", "risk_difference", "risk_ratio", "wilson"]


@dataclass(frozen=True)
class Arm:
    """Events among the members of one trial arm.

    Raises
    ------
    InputError
        If the counts are not whole or there are more events than members.
    """

    label: str
    events: int
    n: int

    def __post_init__(self) -> None:
        check_count(self.events)
        if check_count(self.n, "n") < 1 or self.events > self.n:
            raise InputError(
                f"{self.events} events among {self.n} is not possible",
                where=self.label or "arm",
                hint="An arm needs at least one member and no more events than members.",
            )

    @property
    def proportion(self) -> float:
        """Share with the event, 0 to 1."""
        return self.events / self.n


@dataclass(frozen=True)
class Effect:
    """An effect of one arm against another.

    Attributes
    ----------
    measure
        ``risk difference``, ``risk ratio`` or ``odds ratio``.
    estimate
        The effect; for a ratio it may be 0, infinite, or nan where it is undefined.
    interval
        Confidence interval; None where the method has none, with the reason in `note`.
    level
        Confidence level.
    method
        Name of the interval's method.
    note
        What a reader must know, such as a correction that was added.
    """

    measure: str
    estimate: float
    interval: Interval | None
    level: float
    method: str
    note: str = ""


def wilson(events: int, n: int, level: float = 0.95) -> Interval:
    """Return Wilson's score interval of a proportion, without continuity correction.

    Raises
    ------
    InputError
        If the counts are not whole or not possible.
    """
    arm = Arm("", events, n)
    z2 = normal_quantile(level) ** 2
    p = arm.proportion
    centre = (events + 0.5 * z2) / (n + z2)
    half = math.sqrt(z2 * (n * p * (1.0 - p) + 0.25 * z2)) / (n + z2)
    # At the ends the limit is exactly 0 or 1; rounding must not move it outside the estimate.
    low = 0.0 if events == 0 else centre - half
    high = 1.0 if events == n else centre + half
    return Interval(min(low, p), max(high, p))


def risk_difference(treated: Arm, control: Arm, level: float = 0.95) -> Effect:
    """Return the difference in proportions, `treated` minus `control`.

    Newcombe's method 10: each side of the interval joins the distances from the two estimates to
    their Wilson limits by the square root of the sum of squares.
    """
    p1, p2 = treated.proportion, control.proportion
    first = wilson(treated.events, treated.n, level)
    second = wilson(control.events, control.n, level)
    difference = p1 - p2
    interval = Interval(
        difference - math.hypot(p1 - first.low, second.high - p2),
        difference + math.hypot(first.high - p1, p2 - second.low),
    )
    return Effect("risk difference", difference, interval, level, "Newcombe hybrid score")


def risk_ratio(
    treated: Arm, control: Arm, level: float = 0.95, *, correct_zeros: bool = False
) -> Effect:
    """Return the ratio of proportions, `treated` over `control`, with Katz's log interval.

    Parameters
    ----------
    treated, control
        The two arms.
    level
        Confidence level.
    correct_zeros
        Where an arm has no events, add 1/2 to every cell. Without it such a ratio has no interval.
    """
    a, n1, c, n2, note = _cells(treated, control, correct_zeros, full_cells=False)
    estimate = _quotient(a / n1, c / n2)
    if a == 0 or c == 0:
        return _undefined("risk ratio", estimate, level, "Katz log")
    error = math.sqrt(1.0 / a - 1.0 / n1 + 1.0 / c - 1.0 / n2)
    interval = _log_interval(estimate, error, level)
    return Effect("risk ratio", estimate, interval, level, "Katz log", note)


def odds_ratio(
    treated: Arm, control: Arm, level: float = 0.95, *, correct_zeros: bool = False
) -> Effect:
    """Return the ratio of odds, `treated` over `control`, with Woolf's log interval.

    `correct_zeros` adds 1/2 to every cell where one is empty; without it an odds ratio with an
    empty cell has no interval.
    """
    a, n1, c, n2, note = _cells(treated, control, correct_zeros, full_cells=True)
    b, d = n1 - a, n2 - c
    estimate = _quotient(a * d, b * c)
    if min(a, b, c, d) == 0:
        return _undefined("odds ratio", estimate, level, "Woolf log")
    error = math.sqrt(1.0 / a + 1.0 / b + 1.0 / c + 1.0 / d)
    return Effect(
        "odds ratio", estimate, _log_interval(estimate, error, level), level, "Woolf log", note
    )


def _cells(
    treated: Arm, control: Arm, correct_zeros: bool, *, full_cells: bool
) -> tuple[float, float, float, float, str]:
    """Return events and sizes of both arms, corrected where that was asked for and is needed."""
    empty = treated.events == 0 or control.events == 0
    if full_cells:
        empty = empty or treated.events == treated.n or control.events == control.n
    if empty and correct_zeros:
        note = "1/2 added to every cell because one of them is empty"
        return treated.events + 0.5, treated.n + 1.0, control.events + 0.5, control.n + 1.0, note
    return float(treated.events), float(treated.n), float(control.events), float(control.n), ""


def _quotient(top: float, bottom: float) -> float:
    if bottom > 0.0:
        return top / bottom
    return math.inf if top > 0.0 else math.nan


def _log_interval(estimate: float, error: float, level: float) -> Interval:
    reach = math.exp(normal_quantile(level) * error)
    return Interval(estimate / reach, estimate * reach)


def _undefined(measure: str, estimate: float, level: float, method: str) -> Effect:
    normal_quantile(level)
    note = "a cell is empty, so the log interval is not defined; no correction was asked for"
    return Effect(measure, estimate, None, level, method, note)
