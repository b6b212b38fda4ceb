"""A system of equations together with its variational equations, generated and compiled.

For ``x' = f(t, x, q)`` and constants ``q`` that depend on w, the sensitivities ``S = dx/dw`` obey
``S' = (df/dx) S + (df/dq) (dq/dw)`` (Dickinson and Gelinas 1976, doi 10.1016/0021-9991(76)90007-3).
The partial derivatives are symbolic and share common parts with the equations; the columns of S
are a loop, so that the same code serves any number of them. Where that number is given, the loop
is written a second time for it: of fixed length it works on several columns at once, which takes
longer to compile and gives the same results to the last bit.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sympy as sp

from statera.numerics.codegen import StiffSystem, compile_stiff, generated_module
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
    "from statera.numerics import special\n"
    "from statera.numerics.compiled import generated\n"
    "from statera.numerics.guarded import bounded, times\n"
    "from statera.numerics.transit_columns import add_inputs, add_slopes\n"
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
    *,
    transit: bool = False,
    columns: int | None = None,
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
    transit
        Whether doses enter through transit compartments. They stand behind the columns of the
        constants, see `statera.numerics.transit_columns`.
    columns
        Number of columns for which loops are written out.
    """
    fixed = None if columns is None else (columns, columns)
    text = "\n\n\n".join(
        [
            _HEAD,
            _DECORATOR
            + _source("rhs", derivatives, states, parameters, fixed)
            + _entering("add_inputs", states, parameters, transit),
            _DECORATOR + _source("outputs", outputs, states, parameters) + "\n",
        ]
    )
    module = generated_module(text)
    return CompiledVariational(module.rhs, module.outputs)


def compile_stiff_variational(
    derivatives: Sequence[sp.Expr],
    states: Sequence[str],
    parameters: Sequence[str],
    *,
    transit: bool = False,
    columns: int | None = None,
) -> StiffVariational:
    """Compile what a Rosenbrock step of both needs; arguments as `compile_variational`."""
    by_time = [derivative(e, symbol("t")) for e in derivatives]
    n = len(states)
    fixed = None if columns is None else (columns, columns)
    opening = [f"    w = x.size // {n} - 1", "    m = w"]
    system, solving = _stiff_system(derivatives, states, parameters, fixed)
    text = "\n\n\n".join(
        [
            _HEAD + _COLUMNS,
            _DECORATOR
            + _source("by_time", by_time, states, parameters, fixed)
            + _entering("add_slopes", states, parameters, transit),
            _DECORATOR + _curvature(opening, derivatives, states, parameters, fixed),
            f"@generated(SOLVE_COLUMNS_CALL)\n{solving}\n",
        ]
    )
    module = generated_module(text)
    return StiffVariational(system, module.solve_columns, module.by_time, module.curvature)


def _entering(
    function: str,
    states: Sequence[str],
    parameters: Sequence[str],
    transit: bool,
    pairs: str = "0",
) -> str:
    """Return the line that adds what enters through transit compartments."""
    if not transit:
        return ""
    n, n_q = len(states), len(parameters)
    return f"\n    {function}(t, p, {n_q} + {n_q} * w, {n}, w, {pairs}, out, base)"


def _loop(body: Sequence[str], count: str, fixed: tuple[int, int] | None) -> list[str]:
    """Return a loop over `count` columns of w; twice where both numbers are known."""
    loop = [f"    for j in range({count}):", *(body or ["        pass"])]
    if fixed is None or not body:
        return loop
    width, first = fixed
    known = ["    " + re.sub(r"\bw\b", str(width), line) for line in body]
    head = f"    if base >= 0 and w == {width} and {count} == {first}:"
    return [
        head, f"        for j in range({first}):", *known, "    else:",
        *(f"    {line}" for line in loop),
    ]  # fmt: skip


def _stiff_system(
    derivatives: Sequence[sp.Expr],
    states: Sequence[str],
    parameters: Sequence[str],
    fixed: tuple[int, int] | None,
) -> tuple[StiffSystem, str]:
    """Return the Jacobian with its factorisation, and the source that solves for columns."""
    system = compile_stiff(derivatives, states, parameters)
    pattern = [(int(i), int(k)) for i, k in zip(system.rows, system.columns, strict=True)]
    return system, columns_source(pattern, len(states), fixed)


def _readings(states: Sequence[str], parameters: Sequence[str]) -> dict[sp.Symbol, str]:
    read = {symbol(s): f"x[{i}]" for i, s in enumerate(states)}
    return read | {symbol(c): f"p[{i}]" for i, c in enumerate(parameters)}


def _inputs(states: Sequence[str], parameters: Sequence[str]) -> list[tuple[sp.Symbol, str, str]]:
    """Return symbol, name and place of what has columns, ``{}`` for the number of the column."""
    n, n_q = len(states), len(parameters)
    found = [(symbol(s), f"s_{k}", f"x[{n} + {k} * w + {{}}]") for k, s in enumerate(states)]
    found += [(symbol(c), f"d_{k}", f"p[{n_q} + {k} * w + {{}}]") for k, c in enumerate(parameters)]
    return found


def _times(slope: sp.Expr, name: str, factor: str, by: str = "times") -> str:
    """Return a product; where the slope may not be finite, the function `by` makes it."""
    steep = slope.has(sp.log) or any(not e.exp.is_Integer for e in slope.atoms(sp.Pow))
    return f"{by}({name}, {factor})" if steep else f"{name} * ({factor})"


def _curvature(
    opening: Sequence[str],
    derivatives: Sequence[sp.Expr],
    states: Sequence[str],
    parameters: Sequence[str],
    fixed: tuple[int, int] | None,
) -> str:
    """Return the source of ``curvature``; `opening` gives ``w`` columns of which m are first."""
    n, inputs = len(states), _inputs(states, parameters)
    bends: dict[str, sp.Expr] = {}
    turned: list[str] = []  # derivatives of J v, the same for every column
    loads: dict[str, None] = {}
    body = []
    for i, expression in enumerate(derivatives):
        slopes = [derivative(expression, symbol(state)) for state in states]
        terms = []
        for by, local, place in inputs:
            parts = []
            for k, slope in enumerate(slopes):
                bend = derivative(slope, by)
                if bend != 0:
                    name = f"h_{i}_{k}_{local}"
                    bends[name] = bend
                    parts.append(_times(bend, name, f"out[base + {k}]", "bounded"))
            if parts:
                turned.append(f"    e_{i}_{local} = {' + '.join(parts)}")
                loads[f"        {local} = {place.format('j')}"] = None
                terms.append(f"e_{i}_{local} * {local}")
        if terms:
            body.append(f"        out[base + {n} + {i} * w + j] += {' + '.join(terms)}")
    lines = ["def curvature(t, x, p, out, base):", *opening]
    lines += assignments([*bends.values()], _readings(states, parameters), [*bends])
    lines += [*turned, *_loop([*loads, *body], "m", fixed)]
    return "\n".join(lines)


def _source(
    name: str,
    expressions: Sequence[sp.Expr],
    states: Sequence[str],
    parameters: Sequence[str],
    fixed: tuple[int, int] | None = None,
) -> str:
    """Return the source of expressions with their sensitivities."""
    size, inputs = len(expressions), _inputs(states, parameters)
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
            loads[f"        {local} = {place.format('j')}"] = None
            values.append(slope)
            targets.append(f"g_{i}_{local}")
            row.append(_times(slope, f"g_{i}_{local}", local))
        terms.append(row)
    lines = [f"def {name}(t, x, p, out, base):", f"    w = x.size // {len(states)} - 1"]
    lines += assignments(values, _readings(states, parameters), targets)
    lines += [f"    out[base + {i}] = f_{i}" for i in range(size)]
    body = [
        f"        out[base + {size} + {i} * w + j] = {' + '.join(row) or '0.0'}"
        for i, row in enumerate(terms)
    ]
    return "\n".join([*lines, *_loop([*loads, *body], "w", fixed)])
