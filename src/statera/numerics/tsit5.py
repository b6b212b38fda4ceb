"""The Tsit5 method: one embedded Runge-Kutta step of order 5(4) with dense output, compiled.

Coefficients and the interpolant are those of Tsitouras 2011, doi 10.1016/j.camwa.2011.06.002.
Names follow the paper: stages k, weights b, nodes c.
"""

from __future__ import annotations

import numpy as np
from numba import types

from statera.numerics.compiled import compiled

__all__ = [
    "ERROR",
    "FLOOR",
    "FUNCTION",
    "RHS",
    "STEP",
    "STEPPER",
    "A",
    "B",
    "C",
    "interpolate",
    "looped_step",
    "no_step",
]

_F = types.float64
_V = types.float64[::1]
FUNCTION = types.void(_F, _V, _V, _V, types.int64)
"""Signature of ``f(t, x, p, out, base)``, which writes from ``out[base]`` on. All stages lie in one
array, because a view per stage would cost more than the arithmetic."""
STEP = _F(_F, _F, _V, _V, _V, _V, _V, _V, _F, _F)
"""Signature of ``step(t, h, x, p, rates, k, x_new, peak, rtol, atol)``, see `looped_step`."""
RHS = types.FunctionType(FUNCTION)
STEPPER = types.FunctionType(STEP)

C = np.array([0.0, 0.161, 0.327, 0.9, 0.9800255409045097, 1.0, 1.0])
A = np.zeros((7, 6))
A[1, :1] = [0.161]
A[2, :2] = [-0.008480655492356989, 0.335480655492357]
A[3, :3] = [2.8971530571054935, -6.359448489975075, 4.3622954328695815]
A[4, :4] = [5.325864828439257, -11.748883564062828, 7.4955393428898365, -0.09249506636175525]
A[5, :5] = [
    5.86145544294642, -12.92096931784711, 8.159367898576159, -0.071584973281401,
    -0.028269050394068383,
]  # fmt: skip
A[6, :6] = [
    0.09646076681806523, 0.01, 0.4798896504144996, 1.379008574103742, -3.290069515436081,
    2.324710524099774,
]  # fmt: skip
B = np.append(A[6], 0.0)
ERROR = np.array(
    [
        -0.00178001105222577714, -0.0008164344596567469, 0.007880878010261995,
        -0.1447110071732629, 0.5823571654525552, -0.45808210592918697, 0.015151515151515152,
    ]
)  # fmt: skip


FLOOR = 1e-3

_A21 = A[1, 0]
_A31, _A32 = A[2, 0], A[2, 1]
_A41, _A42, _A43 = A[3, 0], A[3, 1], A[3, 2]
_A51, _A52, _A53, _A54 = A[4, 0], A[4, 1], A[4, 2], A[4, 3]
_A61, _A62, _A63, _A64, _A65 = A[5, 0], A[5, 1], A[5, 2], A[5, 3], A[5, 4]
_A71, _A72, _A73, _A74, _A75, _A76 = A[6, 0], A[6, 1], A[6, 2], A[6, 3], A[6, 4], A[6, 5]
_C2, _C3, _C4, _C5 = C[1], C[2], C[3], C[4]
_E1, _E2, _E3, _E4, _E5, _E6, _E7 = ERROR


@compiled
def _derivative(f, t, x, p, rates, k, base):
    f(t, x, p, k, base)
    for i in range(x.size):
        k[base + i] += rates[i]


@compiled
def looped_step(f, t, h, x, p, rates, k, x_new, peak, rtol, atol):
    """Take one step and return its error relative to the tolerance (accept up to 1).

    ``k`` (7 n,) holds the stages: the first must hold the derivative at t, the last gets that at
    t + h. ``rates`` (n,) are
    constant inputs added to the derivative of every state. The error of a state is measured
    against its size, but not below `FLOOR` of the largest size it has had (``peak``): a depot that
    has emptied must not hold up the step, whatever the unit of amounts. Small systems get a step
    written out for them where it pays (`statera.numerics.tsit5_code`), with the same operations in
    the same order: results agree to the last bit.
    """
    n = x.size
    n2, n3, n4, n5, n6 = 2 * n, 3 * n, 4 * n, 5 * n, 6 * n
    for i in range(n):
        x_new[i] = x[i] + h * (_A21 * k[i])
    _derivative(f, t + _C2 * h, x_new, p, rates, k, n)
    for i in range(n):
        x_new[i] = x[i] + h * (_A31 * k[i] + _A32 * k[n + i])
    _derivative(f, t + _C3 * h, x_new, p, rates, k, n2)
    for i in range(n):
        x_new[i] = x[i] + h * (_A41 * k[i] + _A42 * k[n + i] + _A43 * k[n2 + i])
    _derivative(f, t + _C4 * h, x_new, p, rates, k, n3)
    for i in range(n):
        x_new[i] = x[i] + h * (_A51 * k[i] + _A52 * k[n + i] + _A53 * k[n2 + i] + _A54 * k[n3 + i])
    _derivative(f, t + _C5 * h, x_new, p, rates, k, n4)
    for i in range(n):
        x_new[i] = x[i] + h * (
            _A61 * k[i] + _A62 * k[n + i] + _A63 * k[n2 + i] + _A64 * k[n3 + i] + _A65 * k[n4 + i]
        )
    _derivative(f, t + h, x_new, p, rates, k, n5)
    for i in range(n):
        x_new[i] = x[i] + h * (
            _A71 * k[i] + _A72 * k[n + i] + _A73 * k[n2 + i] + _A74 * k[n3 + i] + _A75 * k[n4 + i]
            + _A76 * k[n5 + i]
        )  # fmt: skip
    _derivative(f, t + h, x_new, p, rates, k, n6)
    total = 0.0
    for i in range(n):
        part = (
            _E1 * k[i] + _E2 * k[n + i] + _E3 * k[n2 + i] + _E4 * k[n3 + i] + _E5 * k[n4 + i]
            + _E6 * k[n5 + i] + _E7 * k[n6 + i]
        )  # fmt: skip
        scale = atol + rtol * max(abs(x[i]), abs(x_new[i]), FLOOR * peak[i])
        part = h * part / scale
        # a state that has always been zero has no scale and no error
        total += part * part if scale > 0.0 else x_new[i] * x_new[i]
    return np.sqrt(total / n)


@compiled(STEP)
def no_step(t, h, x, p, rates, k, x_new, peak, rtol, atol):
    """Stand in where no step is written out."""
    return np.inf


@compiled
def interpolate(theta, h, x, k, out):
    """Write the state at the fraction theta of the step, to order 4."""
    q = theta * theta
    b1 = (
        -1.0530884977290216
        * theta
        * (theta - 1.3299890189751412)
        * (q - 1.4364028541716351 * theta + 0.7139816917074209)
    )
    b2 = 0.1017 * q * (q - 2.1966568338249754 * theta + 1.2949852507374631)
    b3 = 2.490627285651252793 * q * (q - 2.38535645472061657 * theta + 1.57803468208092486)
    b4 = -16.54810288924490272 * (theta - 1.21712927295533244) * (theta - 0.61620406037800089) * q
    b5 = 47.37952196281928122 * (theta - 1.203071208372362603) * (theta - 0.658047292653547382) * q
    b6 = -34.87065786149660974 * (theta - 1.2) * (theta - 0.666666666666666667) * q
    b7 = 2.5 * (theta - 1.0) * (theta - 0.6) * q
    n = x.size
    n2, n3, n4, n5, n6 = 2 * n, 3 * n, 4 * n, 5 * n, 6 * n
    for i in range(n):
        out[i] = x[i] + h * (
            b1 * k[i] + b2 * k[n + i] + b3 * k[n2 + i] + b4 * k[n3 + i] + b5 * k[n4 + i]
            + b6 * k[n5 + i] + b7 * k[n6 + i]
        )  # fmt: skip
