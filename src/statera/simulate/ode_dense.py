"""Dense output of a step, whichever method took it, compiled."""

from __future__ import annotations

from statera.numerics.compiled import compiled
from statera.numerics.rodas5p import interpolate_stiff
from statera.numerics.tsit5 import interpolate

__all__ = ["RODAS5P", "TSIT5", "WATCHED", "between"]

TSIT5, RODAS5P, WATCHED = 0, 1, 2
"""Methods; the last is Tsit5 that gives up where the system is stiff."""


@compiled
def between(method, theta, h, x, x_new, k, state):
    """Write the state at the fraction theta of the step just taken."""
    if method == RODAS5P:
        interpolate_stiff(theta, x, x_new, k, state)
    else:
        interpolate(theta, h, x, k, state)
