"""Source text of a Tsit5 step written out for one system.

All stages and states are local variables, so that the compiler keeps them in registers: a step of
four states takes a third of the time of the same step in loops that call the right-hand side.
"""

from __future__ import annotations

from collections.abc import Sequence

import sympy as sp

from statera.numerics.expression import symbol
from statera.numerics.printing import assignments
from statera.numerics.tsit5 import ERROR, FLOOR, A, C

__all__ = ["LARGEST_WRITTEN_OUT", "step_source"]

LARGEST_WRITTEN_OUT = 8
"""Systems with more states are stepped in loops: written out they would compile too slowly."""

_ARGUMENTS = "t, h, x, p, rates, k, x_new, peak, rtol, atol"


def step_source(
    derivatives: Sequence[sp.Expr], states: Sequence[str], parameters: Sequence[str]
) -> str:
    """Return the source of ``step``, of the type of `statera.numerics.tsit5.STEP`.

    Parameters
    ----------
    derivatives
        Right-hand sides in the order of `states`.
    states, parameters
        Names in the order of ``x`` and ``p``.
    """
    n = len(states)
    lines = [f"def step({_ARGUMENTS}):"]
    lines += [f"    p_{j} = p[{j}]" for j in range(len(parameters))]
    lines += [f"    x_{i} = x[{i}]" for i in range(n)]
    lines += [f"    r_{i} = rates[{i}]" for i in range(n)]
    lines += [f"    k0_{i} = k[{i}]" for i in range(n)]
    for s in range(1, 7):
        for i in range(n):
            terms = " + ".join(f"{A[s, j]!r}*k{j}_{i}" for j in range(s))
            lines.append(f"    y_{i} = x_{i} + h*({terms})")
        lines.append(f"    time = t + {float(C[s])!r}*h")
        read = {symbol(name): f"y_{i}" for i, name in enumerate(states)}
        read |= {symbol(name): f"p_{j}" for j, name in enumerate(parameters)}
        read |= {symbol("t"): "time"}
        targets = [f"k{s}_{i}" for i in range(n)]
        lines += assignments(derivatives, read, targets, f"c{s}_")
        for i in range(n):
            lines.append(f"    k{s}_{i} += r_{i}")
            lines.append(f"    k[{s * n + i}] = k{s}_{i}")
    lines.append("    total = 0.0")
    for i in range(n):
        parts = " + ".join(f"{float(ERROR[s])!r}*k{s}_{i}" for s in range(7))
        lines += [
            f"    x_new[{i}] = y_{i}",
            f"    scale = atol + rtol*max(abs(x_{i}), abs(y_{i}), {FLOOR!r}*peak[{i}])",
            f"    part = h*({parts})/scale",
            # a state that has always been zero has no scale and no error
            f"    total += part*part if scale > 0.0 else y_{i}*y_{i}",
        ]
    lines.append(f"    return math.sqrt(total/{n})")
    return "\n".join(lines).replace("np.float64(", "(")
