"""Profile likelihoods: how far one parameter can move while all others follow.

The parameter is moved in steps from the optimum and the others are searched anew from where the
last steps point. Its interval ends where the objective has risen by half the chi-squared quantile
with one degree of freedom (Raue and others 2009, doi 10.1093/bioinformatics/btp358). A profile that
reaches a bound before that has no end there: the data do not limit the parameter on that side.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import chi2

from statera.errors import UnknownNameError
from statera.pathway.multi_start import MultiStartOptions, multi_start
from statera.pathway.target import Evaluation, Target

__all__ = ["EndStatus", "Profile", "ProfileOptions", "profile_likelihood"]

Floats = NDArray[np.float64]

_STEEP = 3.0  # a step that gains this many times the rise aimed at is taken anew, shorter


class EndStatus(StrEnum):
    """What one side of a profile says."""

    FOUND = "found"
    AT_BOUND = "no end before the bound"
    LIMIT = "no end within the number of points"
    FAILED = "the search failed"


@dataclass(frozen=True)
class ProfileOptions:
    """How to trace.

    Attributes
    ----------
    level
        Of the interval.
    points
        Most on each side.
    rise
        Rise of the objective aimed at between neighbouring points, as a part of the threshold.
    search
        How the other parameters are searched; its starts are not used.
    """

    level: float = 0.95
    points: int = 40
    rise: float = 0.15
    search: MultiStartOptions = field(default_factory=lambda: MultiStartOptions(iterations=200))

    @property
    def threshold(self) -> float:
        """Rise of the objective at the ends of the interval."""
        return float(chi2.ppf(self.level, 1) / 2)


@dataclass(frozen=True)
class Profile:
    """The profile of one parameter, on the scale on which it is searched.

    Attributes
    ----------
    values : (n_points,) float64
        Of the parameter, rising.
    rise : (n_points,) float64
        Objective less that at the optimum; below 0 where a better optimum was found.
    points : (n_points, n) float64
        All parameters.
    low, high
        Ends of the interval; infinite where there is none.
    low_status, high_status
        What each end is.
    """

    name: str
    values: Floats
    rise: Floats
    points: Floats
    low: float
    high: float
    low_status: EndStatus
    high_status: EndStatus
    options: ProfileOptions

    @property
    def identified(self) -> bool:
        """Whether the data limit the parameter on both sides."""
        return self.low_status is self.high_status is EndStatus.FOUND

    @property
    def better(self) -> float:
        """How far below the optimum the profile went; 0 where it did not."""
        return float(max(0.0, -self.rise.min()))


def profile_likelihood(
    target: Target,
    optimum: ArrayLike,
    names: tuple[str, ...] | None = None,
    options: ProfileOptions | None = None,
    progress: Callable[[str, int, int], bool] | None = None,
) -> tuple[Profile, ...]:
    """Trace the profiles of some parameters.

    Parameters
    ----------
    target
        The objective.
    optimum : (n,) float64
        Where it is lowest.
    names
        Parameters to trace; all where not given.
    progress
        Called before each with its name, how many are done and how many there are; a value that
        is false ends the work with the profiles traced so far.

    Raises
    ------
    UnknownNameError
        For a name that the objective does not have.
    """
    options = options or ProfileOptions()
    wanted = target.names if names is None else names
    for name in wanted:
        if name not in target.names:
            raise UnknownNameError("parameter", name, target.names)
    best = np.asarray(optimum, dtype=np.float64)
    found = target.evaluate(best, 2)
    profiles = []
    for count, name in enumerate(wanted):
        if progress is not None and not progress(name, count, len(wanted)):
            break
        profiles.append(_trace(target, best, found, target.names.index(name), options))
    return tuple(profiles)


@dataclass(frozen=True)
class _Held:
    """The objective with one parameter held."""

    target: Target
    index: int
    value: float

    def _without(self, values: Any) -> Any:
        return np.delete(np.asarray(values), self.index)

    @property
    def names(self) -> tuple[str, ...]:
        """Parameters but the one that is held."""
        return tuple(n for i, n in enumerate(self.target.names) if i != self.index)

    @property
    def lower(self) -> Floats:
        """Lower bounds."""
        return np.asarray(self._without(self.target.lower))

    @property
    def upper(self) -> Floats:
        """Upper bounds."""
        return np.asarray(self._without(self.target.upper))

    def full(self, theta: Floats) -> Floats:
        """Return all parameters."""
        return np.insert(theta, self.index, self.value)

    def evaluate(self, theta: Floats, order: int) -> Evaluation:
        """Return the objective and its derivatives by the others."""
        found = self.target.evaluate(self.full(theta), order)
        slope = None if found.gradient is None else self._without(found.gradient)
        fisher = None
        if found.fisher is not None:
            fisher = np.delete(np.delete(found.fisher, self.index, 0), self.index, 1)
        return replace(found, gradient=slope, fisher=fisher)


def _trace(
    target: Target, best: Floats, found: Evaluation, index: int, options: ProfileOptions
) -> Profile:
    sides = [_side(target, best, found, index, sign, options) for sign in (-1, 1)]
    (low, low_status, down), (high, high_status, up) = sides
    rows = [*reversed(down), (best, 0.0), *up]
    points = np.array([p for p, _ in rows])
    return Profile(
        target.names[index], points[:, index], np.array([r for _, r in rows]), points,
        low, high, low_status, high_status, options,
    )  # fmt: skip


_Row = tuple[Floats, float]


def _side(
    target: Target, best: Floats, found: Evaluation, index: int, sign: int, options: ProfileOptions
) -> tuple[float, EndStatus, list[_Row]]:
    """Follow one side until the threshold, a bound, or the number of points."""
    lower, upper = np.asarray(target.lower), np.asarray(target.upper)
    end = upper[index] if sign > 0 else lower[index]
    none = math.inf * sign
    if abs(end - best[index]) <= 1e-9 * (upper[index] - lower[index]):
        return none, EndStatus.AT_BOUND, []
    threshold, rows = options.threshold, [(best, 0.0)]
    step = _first_step(found, index, options, upper - lower)
    for _ in range(options.points):
        last = rows[-1][0][index]
        value = last + sign * step
        reached = (end - value) * sign <= 0
        value = end if reached else value
        point, objective = _follow(target, index, value, rows, options)
        if not math.isfinite(objective):
            return none, EndStatus.FAILED, rows[1:]
        rise = objective - found.value
        gained = rise - rows[-1][1]
        if gained > _STEEP * options.rise * threshold and step > 1e-6 * (upper - lower)[index]:
            # too far at once: the profile between two points must be told
            step *= float(np.clip(options.rise * threshold / gained, 0.1, 0.5))
            continue
        rows.append((point, rise))
        if rise >= threshold:
            return _crossing(rows, index, threshold), EndStatus.FOUND, rows[1:]
        if reached:
            return none, EndStatus.AT_BOUND, rows[1:]
        step = _next_step(rows, index, options)
    return none, EndStatus.LIMIT, rows[1:]


def _first_step(found: Evaluation, index: int, options: ProfileOptions, widths: Floats) -> float:
    """Return the step that would raise a parabola by the rise aimed at."""
    width = float(widths[index])
    step = 0.01 * width
    if found.fisher is not None:
        # what the data do not hold is held by the bounds, weakly
        weak = np.diag((4.0 / widths) ** 2)
        try:
            variance = float(np.linalg.inv(found.fisher + weak)[index, index])
        except np.linalg.LinAlgError:
            variance = math.nan
        if variance > 0:
            step = math.sqrt(2 * options.rise * options.threshold * variance)
    return float(np.clip(step, 1e-4 * width, 0.1 * width))


def _next_step(rows: list[_Row], index: int, options: ProfileOptions) -> float:
    """Scale the last step so that the rise comes near the one aimed at."""
    (before, low), (last, high) = rows[-2:]
    gained = max(high - low, 1e-3 * options.threshold)
    factor = options.rise * options.threshold / gained
    return float(abs(last[index] - before[index]) * np.clip(factor, 0.3, 2.0))


def _follow(
    target: Target, index: int, value: float, rows: list[_Row], options: ProfileOptions
) -> _Row:
    """Search the others from where the last two points lead, else from the last one itself."""
    held = _Held(target, index, value)
    last = rows[-1][0]
    if not held.names:
        return np.array([value]), held.evaluate(np.empty(0), 0).value
    begin = [np.delete(last, index)]
    if len(rows) > 1:
        before = rows[-2][0]
        share = (value - last[index]) / (last[index] - before[index])
        ahead = np.clip(last + share * (last - before), target.lower, target.upper)
        begin.insert(0, np.delete(ahead, index))
    search = replace(options.search, starts=1)
    for point in begin:
        found = multi_start(held, search, begin=[point]).best
        if math.isfinite(found.value):
            return held.full(found.end), found.value
    return last, math.inf


def _crossing(rows: list[_Row], index: int, threshold: float) -> float:
    """Return where the rise reaches the threshold, between the last two points.

    The square root of the rise is nearly straight, so it is what is interpolated.
    """
    (a, low), (b, high) = rows[-2:]
    root_low, root_high = math.sqrt(max(low, 0.0)), math.sqrt(max(high, 0.0))
    share = (math.sqrt(threshold) - root_low) / (root_high - root_low)
    return float(a[index] + share * (b[index] - a[index]))
