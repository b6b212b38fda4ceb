"""When the modes of a linear system can be trusted, compiled."""

from __future__ import annotations

from statera.numerics.compiled import compiled

__all__ = ["LOSS", "MIN_GAP", "ZERO", "complete", "too_close"]

MIN_GAP = 1e-5
"""Smallest product of a mode's relative distances to all others at which modes are used. Rounding
is amplified by its inverse, so results keep about ten digits; several rates that are each a little
apart (a chain of transit compartments) amplify as much as two that nearly coincide."""

LOSS = 1e-11
"""Largest error of the sum of the projectors at which modes are used."""

ZERO = 1e-14
"""An eigenvalue this small against the largest of its block is zero: what is left is rounding."""


@compiled
def too_close(values):
    """Return whether a rate stands so near to others that modes would lose digits."""
    for i in range(values.size):
        gap = 1.0
        for j in range(values.size):
            if j != i:
                scale = max(abs(values[i]), abs(values[j]))
                gap *= abs(values[i] - values[j]) / scale if scale > 0.0 else 0.0
        if not gap > MIN_GAP:
            return True
    return False


@compiled
def complete(a, right, left, reply):
    """Return whether the projectors sum to the identity: what crowded modes lose is seen here.

    States may stand in different units: an error in state i after a unit in state j is weighed
    against what arrives there, the largest product of flows over outflows along a path.
    """
    n = a.shape[0]
    for i in range(n):
        for j in range(n):
            through = i != j and a[j, j] != 0.0
            reply[i, j] = abs(a[i, j] / a[j, j]) if through else 0.0
    for k in range(n):
        for i in range(n):
            for j in range(n):
                reply[i, j] = max(reply[i, j], reply[i, k] * reply[k, j])
    for i in range(n):
        for j in range(n):
            total = -1.0 if i == j else 0.0
            for m in range(n):
                total += right[i, m] * left[m, j]
            if not abs(total) <= LOSS * (max(1.0, reply[i, j]) if i != j else 1.0):
                return False
    return True
