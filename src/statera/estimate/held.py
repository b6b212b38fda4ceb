"""One estimate held at a value while all others are free.

A fixed effect is held by its free number. In ``Omega = L L'`` the variance of the first effect of a
block is ``exp(2 a)``, a the first free number, and its covariance with the second is
``exp(a) b``: the effects of an entry are put first, a variance is held by a, and a covariance c by
``b = c exp(-a)``, whatever the others are. So every value held is that of a valid Omega.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from statera.estimate.omega import Block
from statera.estimate.problem import Problem

__all__ = ["Held", "hold"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Held:
    """How free numbers follow from the value held and the others.

    Attributes
    ----------
    place
        Free number that is not searched.
    first
        Of a covariance, the free number of the first effect's variance; None for all else.
    """

    place: int
    first: int | None = None

    def value(self, u: Floats) -> float:
        """Return what is held: a free number, or a covariance."""
        if self.first is None:
            return float(u[self.place])
        return float(u[self.place] * np.exp(u[self.first]))

    def others(self, u: Floats) -> Floats:
        """Return the free numbers that are searched, (n - 1,)."""
        return np.delete(u, self.place)

    def whole(self, others: Floats, value: float) -> Floats:
        """Return all free numbers, (n,)."""
        u: Floats = np.insert(others, self.place, value)
        if self.first is not None:
            u[self.place] = value * np.exp(-u[self.first])
        return u

    def tangent(self, u: Floats) -> Floats:
        """Return derivatives of all free numbers by the others, (n, n - 1)."""
        out = np.delete(np.eye(u.size), self.place, axis=1)
        if self.first is not None:
            column = self.first - (self.first > self.place)
            out[self.place, column] = -u[self.place]
        return out

    def along(self, u: Floats) -> Floats:
        """Return derivatives of all free numbers by the value held, (n,)."""
        out = np.zeros(u.size)
        out[self.place] = 1.0 if self.first is None else np.exp(-u[self.first])
        return out

    def scale(self, u: Floats) -> float:
        """Return a natural step of the value held: 1, or of a covariance that of a correlation."""
        if self.first is None:
            return 1.0
        # the second effect's row of L is (b, exp(d))
        second = float(np.hypot(u[self.place], np.exp(u[self.place + 1])))
        return float(np.exp(u[self.first])) * second


def hold(problem: Problem, index: int) -> tuple[Problem, Held]:
    """Return a problem whose free numbers allow one estimate to be held, and how.

    Parameters
    ----------
    index
        Into `Problem.free_names`.
    """
    size = problem.theta.size
    if index < size:
        return problem, Held(index)
    row, column = problem.omega.entries()[index - size]
    problem = _led_by(problem, (column,) if row == column else (column, row))
    entries = problem.omega.entries()
    first = size + entries.index((column, column))
    if row == column:
        return problem, Held(first)
    return problem, Held(size + entries.index((row, column)), first)


def _led_by(problem: Problem, effects: tuple[int, ...]) -> Problem:
    """Return the problem with effects first in their block."""
    omega = copy.copy(problem.omega)

    def led(block: Block) -> Block:
        if effects[0] not in block.members:
            return block
        rest = tuple(m for m in block.members if m not in effects)
        return Block((*effects, *rest), block.fixed)

    omega.blocks = tuple(led(b) for b in omega.blocks)
    omega.free = [b for b in omega.blocks if not b.fixed]
    return replace(problem, omega=omega)
