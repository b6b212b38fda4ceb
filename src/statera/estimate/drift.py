"""Parameters that run on without end while the objective all but stays.

Where the limit of a logarithm or a logit fits best, a search follows it for ever: each step gains
less than the one before. Such a parameter moves on in one direction, the objective falls by next to
nothing, and the data say less and less about it: its expected curvature fades. A parameter on its
way to a distant but finite estimate keeps its curvature, and far beyond it the objective is higher.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from statera.estimate.meaning import meanings
from statera.estimate.problem import Problem

__all__ = ["Drift", "DriftWatch"]

Floats = NDArray[np.float64]

_WINDOW = 4
"""Iterations that are compared."""
_MOVED = 1.0
"""Smallest change of a free number over them: a factor of e, of a parameter or of its odds."""
_GAIN = 0.1
"""Largest decrease of the objective over them. A parameter whose standard error is as large as its
change would bring as much as 1."""
_FADED = 0.5
"""Largest share of its expected curvature that is left."""
_BEYOND = 4.0
"""How much further on the objective must still be as low."""


@dataclass(frozen=True)
class Drift:
    """A parameter that runs on.

    Attributes
    ----------
    name, place
        Parameter and its free number.
    start, end
        Its value before and after the iterations compared.
    gain
        Decrease of the objective over them.
    limit
        Where it leads, in words.
    """

    name: str
    place: int
    start: float
    end: float
    gain: float
    limit: str

    def __str__(self) -> str:
        return (
            f"{self.name} (from {self.start:.3g} to {self.end:.3g} while the objective fell by "
            f"{self.gain:.2g}; {self.limit})"
        )


class DriftWatch:
    """Looks for drift after every iteration.

    Parameters
    ----------
    problem
    curvature
        Expected second derivatives by free numbers, (n_free, n_free), at free numbers and random
        effects.
    value
        The objective at free numbers.
    """

    def __init__(
        self,
        problem: Problem,
        curvature: Callable[[Floats, Floats], Floats],
        value: Callable[[Floats], float],
    ) -> None:
        self.problem, self.curvature, self.value = problem, curvature, value
        self.held: set[int] = set()
        self.past: deque[tuple[Floats, float, Floats]] = deque(maxlen=_WINDOW + 1)
        bounds = problem.theta.bounds
        self.open_up = np.array([not np.isfinite(high) for _, high in bounds], dtype=bool)
        self.open_down = np.array([not np.isfinite(low) for low, _ in bounds], dtype=bool)

    def see(self, u: Floats, value: float, etas: Floats) -> tuple[Drift, ...]:
        """Return parameters that have begun to run on, after an iteration that ended at `u`."""
        self.past.append((u.copy(), value, etas))
        if len(self.past) <= _WINDOW or self.past[0][1] - value > _GAIN:
            return ()
        size = self.problem.theta.size
        path = np.array([p[0][:size] for p in self.past])
        steps = np.diff(path, axis=0)
        up = (steps > 0.0).all(axis=0) & self.open_up
        down = (steps < 0.0).all(axis=0) & self.open_down
        moved = (up | down) & (np.abs(path[-1] - path[0]) > _MOVED)
        moved[list(self.held)] = False
        if not moved.any():
            return ()
        before, _, etas_before = self.past[0]
        first = np.diag(self.curvature(before, etas_before))[:size]
        last = np.diag(self.curvature(u, etas))[:size]
        places = [int(k) for k in np.flatnonzero(moved & (last < _FADED * first))]
        beyond = [u.copy() for _ in places]
        for k, far in zip(places, beyond, strict=True):
            far[k] += _BEYOND * np.sign(u[k] - before[k])
        found = tuple(
            self._drift(k, before, u, bool(up[k]))
            for k, far in zip(places, beyond, strict=True)
            if self.value(far) < value + _GAIN  # there is no minimum that it could have passed
        )
        self.held |= {d.place for d in found}
        return found

    def _drift(self, k: int, before: Floats, u: Floats, up: bool) -> Drift:
        problem = self.problem
        place = problem.theta.free[k]
        name = list(problem.model.parameters)[place]
        meant = meanings(problem.model)[name]
        of = ", ".join(meant.of) or "what it stands for"
        limit = f"it {'rises' if up else 'falls'} without bound"
        if meant.scale == "exp":
            limit = f"{of} goes to {'infinity' if up else '0'}"
        elif meant.scale == "expit":
            limit = f"{of} goes to {'1' if up else '0'}"
        gain = self.past[0][1] - self.past[-1][1]
        start, end = (float(problem.unpack(x)[0][place]) for x in (before, u))
        return Drift(name, k, start, end, gain, limit)
