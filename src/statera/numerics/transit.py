"""Input through transit compartments of any real number, as a rate in equations, compiled.

A dose that passes n transit compartments at the rate ktr enters the next state at the rate
``A ktr (ktr s)^n exp(-ktr s) / Gamma(n + 1)`` a time s after it was given (Savic and others 2007,
doi 10.1007/s10928-007-9066-0). The doses that still enter stand behind the constants of a system:
from ``p[base]`` on their number, then five numbers each.
"""

from __future__ import annotations

import math

import numpy as np
import sympy as sp

from statera.numerics.compiled import compiled

__all__ = [
    "FIELDS",
    "STAGES_OF_INPUT",
    "TransitInput",
    "TransitSlope",
    "log_scale",
    "stage_of",
    "transit_input",
    "transit_slope",
]

FIELDS = 5
"""Numbers a dose: receiving state, time given, logarithm of the rate's factor, n and ktr."""

STAGES_OF_INPUT = 8
"""Moments at which a solver stops while a dose enters; at the last one it has entered."""


class TransitInput(sp.Function):  # type: ignore[misc]  # sympy has no types
    """``TransitInput(t, base, state)``: the rate at which all doses enter a state at time t."""

    nargs = 3


class TransitSlope(sp.Function):  # type: ignore[misc]  # sympy has no types
    """``TransitSlope(t, base, state)``: the derivative of `TransitInput` by time."""

    nargs = 3


@compiled
def log_scale(amount, n, ktr):
    """Return the logarithm of ``A ktr^(n+1) / Gamma(n+1)``."""
    return np.log(amount) + (n + 1.0) * np.log(ktr) - math.lgamma(n + 1.0)


@compiled
def stage_of(stage, n, ktr):
    """Return the time after the dose at which a stage of its input ends.

    Seven stages end around the mean time of entry, two standard deviations apart, so that no step
    can pass over a narrow input; after the last less than 1e-20 of the dose is still to come. A
    stage that would end before the dose ends with it.
    """
    shape = n + 1.0
    if stage >= STAGES_OF_INPUT - 1:
        return (shape + 10.0 * np.sqrt(shape) + 45.0) / ktr
    return max(0.0, (shape + 2.0 * (stage - 3.0) * np.sqrt(shape)) / ktr)


@compiled
def transit_input(t, p, base, state):
    """Return the rate at which all doses of a state enter it at time t."""
    total = 0.0
    for k in range(int(p[base])):
        first = base + 1 + FIELDS * k
        if p[first] != state:
            continue
        s = t - p[first + 1]
        n = p[first + 3]
        if s > 0.0:
            total += np.exp(p[first + 2] + n * np.log(s) - p[first + 4] * s)
        elif s == 0.0 and n == 0.0:
            total += np.exp(p[first + 2])
    return total


@compiled
def transit_slope(t, p, base, state):
    """Return the derivative of `transit_input` by time."""
    total = 0.0
    for k in range(int(p[base])):
        first = base + 1 + FIELDS * k
        s = t - p[first + 1]
        n, ktr = p[first + 3], p[first + 4]
        if p[first] == state and s > 0.0:
            total += np.exp(p[first + 2] + n * np.log(s) - ktr * s) * (n / s - ktr)
    return total
