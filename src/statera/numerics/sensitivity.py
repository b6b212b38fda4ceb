"""A system of equations together with its variational equations, generated and compiled.

For ``x' = f(t, x, q)`` and constants ``q`` that depend on w, the sensitivities ``S = dx/dw`` obey
``S' = (df/dx) S + (df/dq) (dq/dw)`` (Dickinson and Gelinas 1976, doi 10.1016/0021-9991(76)90007-3).
The partial derivatives are symbolic and share common parts with the equations; the columns of S
are a loop, so that the same code serves any number of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy as sp

from statera.numerics.codegen import _module
from statera.numerics.compiled import compiled
from statera.numerics.derivative import derivative
from statera.numerics.expression import symbol
from statera.numerics.printing import assignments
from statera.numerics.tsit5 import ERROR, FLOOR

__all__ = ["CompiledVariational", "column_error", "compile_variational", "first_step"]

_E1, _E2, _E3, _E4, _E5, _E6, _E7 = ERROR


@dataclass(frozen=True)
class CompiledVariational:
    """Compiled functions of a system and its sensitivities, of the type of `tsit5.FUNCTION`.

    With n states, n_q constants and m columns, ``x`` holds the states and then ``S[i, j]`` at
    ``n + i m + j``; ``p`` holds the constants and then ``dq[c, j]`` at ``n_q + c m + j``. The
    number of columns follows from the size of ``x``.

    Attributes
    ----------
    rhs
        ``rhs(t, x, p, out, base)`` writes the derivatives of all of ``x``.
    outputs
        ``outputs(t, x, p, out, base)`` writes the n_out outputs and then their sensitivities,
        that of output o and column j at ``n_out + o m + j``.
    """

    rhs: Any
    outputs: Any


def compile_variational(
    derivatives: Sequence[sp.Expr],
    outputs: Sequence[sp.Expr],
    states: Sequence[str],
    parameters: Sequence[str],
) -> CompiledVariational:
    """Compile a system with its variational equations.

    Parameters
    ----------
    derivatives
        Right-hand sides in the order of `states`.
    outputs
        What is observed.
    states, parameters
        Names in the order of ``x`` and ``p``; the time is ``t``.
    """
    text = "\n\n\n".join(
        [
            "import math\n\nfrom numba import njit\n\n"
            "from statera.numerics.tsit5 import FUNCTION\n\n"
            'OPTIONS = {"cache": True, "nogil": True, "error_model": "numpy"}',
            f"@njit(FUNCTION, **OPTIONS)\n{_source('rhs', derivatives, states, parameters)}",
            f"@njit(FUNCTION, **OPTIONS)\n{_source('outputs', outputs, states, parameters)}\n",
        ]
    )
    module = _module(text)
    return CompiledVariational(module.rhs, module.outputs)


def _source(
    name: str, expressions: Sequence[sp.Expr], states: Sequence[str], parameters: Sequence[str]
) -> str:
    n, size, constants = len(states), len(expressions), len(parameters)
    read = {symbol(s): f"x[{i}]" for i, s in enumerate(states)}
    read |= {symbol(c): f"p[{i}]" for i, c in enumerate(parameters)}
    inputs = [(symbol(s), f"s_{k}", f"x[{n} + {k} * m + j]") for k, s in enumerate(states)]
    inputs += [
        (symbol(c), f"d_{k}", f"p[{constants} + {k} * m + j]") for k, c in enumerate(parameters)
    ]
    values = list(expressions)
    targets = [f"f_{i}" for i in range(size)]
    terms: list[list[str]] = []
    loads: dict[str, None] = {}
    for i, expression in enumerate(expressions):
        row = []
        for by, local, place in inputs:
            slope = derivative(expression, by)
            if slope == 0:
                continue
            loads[f"        {local} = {place}"] = None
            values.append(slope)
            targets.append(f"g_{i}_{local}")
            row.append(f"g_{i}_{local} * {local}")
        terms.append(row)
    lines = [f"def {name}(t, x, p, out, base):", f"    m = x.size // {n} - 1"]
    lines += assignments(values, read, targets)
    lines += [f"    out[base + {i}] = f_{i}" for i in range(size)]
    lines += ["    for j in range(m):", *loads]
    for i, row in enumerate(terms):
        lines.append(f"        out[base + {size} + {i} * m + j] = {' + '.join(row) or '0.0'}")
    return "\n".join(lines)


@compiled
def first_step(x, k, peak, rtol, atol):
    """Return a cautious first step from the size of the state and its derivative.

    After Hairer, Norsett and Wanner, Solving Ordinary Differential Equations I, II.4.
    """
    size = 0.0
    speed = 0.0
    for i in range(x.size):
        scale = atol + rtol * max(abs(x[i]), FLOOR * peak[i])
        if scale > 0.0:
            size = max(size, abs(x[i]) / scale)
            speed = max(speed, abs(k[i]) / scale)
    if size < 1e-5 or speed < 1e-5:
        return 1e-6 if speed > 0.0 else 1.0
    return 0.01 * size / speed


@compiled
def column_error(n, h, x, x_new, k, peak, weights, rtol, atol, totals):
    """Return the largest error of a Tsit5 step among the states and each column of sensitivities.

    Each is judged as the states alone are in a simulation: many columns must not water down the
    error of the states. ``weights`` (m,) scale the absolute tolerance of a column; ``totals``
    (m + 1,) is work space.
    """
    size = x.size
    m = size // n - 1
    totals[:] = 0.0
    for i in range(size):
        part = (
            _E1 * k[i] + _E2 * k[size + i] + _E3 * k[2 * size + i] + _E4 * k[3 * size + i]
            + _E5 * k[4 * size + i] + _E6 * k[5 * size + i] + _E7 * k[6 * size + i]
        )  # fmt: skip
        column = 0 if i < n else (i - n) % m + 1
        least = atol if i < n else atol * weights[column - 1]
        scale = least + rtol * max(abs(x[i]), abs(x_new[i]), FLOOR * peak[i])
        part = h * part / scale
        totals[column] += part * part if scale > 0.0 else x_new[i] * x_new[i]
    worst = 0.0
    for column in range(m + 1):
        if not totals[column] <= worst:
            worst = totals[column]
    return np.sqrt(worst / n)
