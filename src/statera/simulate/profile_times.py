"""Times at which a profile is drawn: few, yet fine after every dose."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from statera.data import Regimen
from statera.errors import InputError

__all__ = ["profile_times"]

Floats = NDArray[np.float64]

_FEWEST = 4  # times a dosing interval; with fewer the peaks would be cut off
_CROWDED = 1.7  # power by which times crowd behind a dose


def profile_times(
    regimen: Regimen, *, start: float = 0.0, end: float | None = None, points: int = 240
) -> Floats:
    """Return times that show a regimen's peaks and troughs.

    Every dosing interval gets the same number of times, closer after the dose than later. Where
    there are too many doses for that, times are evenly spaced.

    Parameters
    ----------
    regimen
        Its doses.
    start, end
        Ends of the range, h; from 0 to the end of the last dosing interval by default.
    points
        About as many times are returned: up to one a dosing interval more.

    Raises
    ------
    InputError
        If the range is empty or `points` is below 2.
    """
    last = regimen.end if end is None else end
    if not (np.isfinite([start, last]).all() and 0.0 <= start < last and points >= 2):
        raise InputError(
            f"a profile from {start:g} to {last:g} h at {points} times is not possible",
            where="times",
            hint="Give an end after the start, both not negative, and at least 2 times.",
        )
    given = [d.time + k * d.interval for d in regimen.doses for k in range(d.additional + 1)]
    inside = [t for t in given if start < t < last]
    ends = np.unique([start, *inside, last])
    each = points // (ends.size - 1)
    if each < _FEWEST:
        return np.linspace(start, last, points)
    shares = (np.arange(each) / each) ** _CROWDED
    grid = ends[:-1, None] + np.diff(ends)[:, None] * shares
    return np.append(grid.ravel(), last)
