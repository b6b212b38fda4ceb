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

import sympy as sp

from statera.numerics.codegen import StiffSystem, _module, compile_stiff
from statera.numerics.derivative import derivative
from statera.numerics.expression import symbol
from statera.numerics.printing import assignments
from statera.numerics.sparse_lu import columns_source

__all__ = [
    "CompiledVariational",
    "StiffVariational",
    "compile_stiff_variational",
    "compile_variational",
]

_HEAD = (
    "import math\n\n"
    "from statera.numerics.compiled import generated\n"
    "from statera.numerics.tsit5 import FUNCTION"
)
_COLUMNS = "\nfrom statera.numerics.rodas5p import SOLVE_COLUMNS_CALL"
_DECORATOR = "@generated(FUNCTION)\n"


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


@dataclass(frozen=True)
class StiffVariational:
    """What `statera.numerics.sensitivity_step` needs besides.

    Attributes
    ----------
    system
        Jacobian of the states, its pattern and its factorisation.
    solve_columns
        Solves with these factors for all columns, of the type of `SOLVE_COLUMNS_CALL`.
    by_time
        Writes the derivatives of ``f`` by time and their sensitivities.
    curvature
        Takes a direction v (n,) from where it would write states and adds the derivative of
        ``J v`` along each column, ``d(Jv)/dx S + d(Jv)/dq dq``, to the sensitivities behind it.
    """

    system: StiffSystem
    solve_columns: Any
    by_time: Any
    curvature: Any


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
            _HEAD,
            _DECORATOR + _source("rhs", derivatives, states, parameters),
            _DECORATOR + _source("outputs", outputs, states, parameters) + "\n",
        ]
    )
    module = _module(text)
    return CompiledVariational(module.rhs, module.outputs)


def compile_stiff_variational(
    derivatives: Sequence[sp.Expr], states: Sequence[str], parameters: Sequence[str]
) -> StiffVariational:
    """Compile what a Rosenbrock step of both needs; arguments as `compile_variational`."""
    directions = [symbol(f"direction {i}") for i in range(len(states))]
    jacobian = [derivative(e, symbol(s)) for e in derivatives for s in states]
    by_time = [derivative(e, symbol("t")) for e in derivatives]
    n = len(states)
    turned = [
        sp.Add(*(jacobian[i * n + k] * d for k, d in enumerate(directions))) for i in range(n)
    ]
    system = compile_stiff(derivatives, states, parameters)
    pattern = [(int(i), int(k)) for i, k in zip(system.rows, system.columns, strict=True)]
    columns = columns_source(pattern, n)
    text = "\n\n\n".join(
        [
            _HEAD + _COLUMNS,
            _DECORATOR + _source("by_time", by_time, states, parameters),
            _DECORATOR + _source("curvature", turned, states, parameters, directions),
            f"@generated(SOLVE_COLUMNS_CALL)\n{columns}\n",
        ]
    )
    module = _module(text)
    return StiffVariational(system, module.solve_columns, module.by_time, module.curvature)


def _readings(states: Sequence[str], parameters: Sequence[str]) -> dict[sp.Symbol, str]:
    read = {symbol(s): f"x[{i}]" for i, s in enumerate(states)}
    return read | {symbol(c): f"p[{i}]" for i, c in enumerate(parameters)}


def _source(
    name: str,
    expressions: Sequence[sp.Expr],
    states: Sequence[str],
    parameters: Sequence[str],
    directions: Sequence[sp.Symbol] = (),
) -> str:
    """Return the source of expressions with their sensitivities.

    With directions, which stand in ``out`` where the expressions would be written, the
    expressions are not written and their sensitivities are added to what is there.
    """
    n, size, constants = len(states), len(expressions), len(parameters)
    read = _readings(states, parameters)
    read |= {d: f"out[base + {i}]" for i, d in enumerate(directions)}
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
    lines += [f"    out[base + {i}] = f_{i}" for i in range(size) if not directions]
    lines += ["    for j in range(m):", *loads]
    for i, row in enumerate(terms):
        target = f"        out[base + {size} + {i} * m + j]"
        lines.append(f"{target} {'+=' if directions else '='} {' + '.join(row) or '0.0'}")
    return "\n".join(lines)
