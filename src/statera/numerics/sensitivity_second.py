"""A system with its first and second variational equations, generated and compiled.

With ``S_j = dx/dw_j``, the second derivatives ``S_jk`` obey ``S_jk' = f_x S_jk + f_q q_jk`` and the
second derivative of ``f`` along the directions ``(S_j, q_j)`` and ``(S_k, q_k)``. They are further
columns, behind those of the first ones; the constants hold, last of all, which pair each is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import Any

import sympy as sp

from statera.numerics.codegen import StiffSystem, generated_module
from statera.numerics.derivative import derivative
from statera.numerics.expression import symbol
from statera.numerics.printing import assignments
from statera.numerics.sensitivity import (
    _COLUMNS,
    _DECORATOR,
    _HEAD,
    _curvature,
    _entering,
    _inputs,
    _loop,
    _readings,
    _source,
    _stiff_system,
    _times,
)

__all__ = [
    "SecondVariational",
    "StiffSecondVariational",
    "compile_second_variational",
    "compile_stiff_second_variational",
]

_NOW = "time now"
_Inputs = list[tuple[sp.Symbol, str, str]]
"""Symbol, name and place of its column, with ``{}`` for the number of the column."""


@dataclass(frozen=True)
class _Loop:
    """Lines of a loop over columns, and the expressions by name that it needs before it."""

    named: dict[str, sp.Expr]
    loop: list[str]


@dataclass(frozen=True)
class SecondVariational:
    """Compiled functions of a system with both sensitivities, of the type of `tsit5.FUNCTION`.

    ``x`` and ``p`` are laid out as in `CompiledVariational`, with m columns of first and then
    n_pairs of second derivatives. Behind all else ``p`` holds the two columns of every pair,
    first the one of each and then the other, and n_pairs.

    Attributes
    ----------
    rhs, outputs
        As in `CompiledVariational`.
    flow
        ``flow(t, x, p, out, base)`` takes states and one direction in ``x`` and, in ``p``, the
        constants, the time, and the derivatives of all these; it writes ``f`` and its derivative.
    """

    rhs: Any
    outputs: Any
    flow: Any


@dataclass(frozen=True)
class StiffSecondVariational:
    """What `statera.numerics.sensitivity_step` needs besides; see `StiffVariational`.

    Attributes
    ----------
    system, solve_columns, by_time
        As there.
    curvature
        As there, for the columns of first derivatives.
    bending
        The same for second ones, from the directions of the first ones, which stand in their
        places: the derivative of ``J v`` along both columns of the pair.
    """

    system: StiffSystem
    solve_columns: Any
    by_time: Any
    curvature: Any
    bending: Any


def compile_second_variational(
    derivatives: Sequence[sp.Expr],
    outputs: Sequence[sp.Expr],
    states: Sequence[str],
    parameters: Sequence[str],
    *,
    transit: bool = False,
    columns: tuple[int, int] | None = None,
) -> SecondVariational:
    """Compile a system with first and second variational equations.

    Arguments as `statera.numerics.sensitivity.compile_variational`; ``columns`` are how many there
    are in all, and how many of first derivatives.
    """
    moving = [e.xreplace({symbol("t"): symbol(_NOW)}) for e in derivatives]
    text = "\n\n\n".join(
        [
            _HEAD,
            _DECORATOR
            + _both("rhs", derivatives, states, parameters, columns)
            + _entering("add_inputs", states, parameters, transit, "pairs"),
            _DECORATOR + _both("outputs", outputs, states, parameters),
            _DECORATOR + _source("flow", moving, states, [*parameters, _NOW]) + "\n",
        ]
    )
    module = generated_module(text)
    return SecondVariational(module.rhs, module.outputs, module.flow)


def compile_stiff_second_variational(
    derivatives: Sequence[sp.Expr],
    states: Sequence[str],
    parameters: Sequence[str],
    *,
    transit: bool = False,
    columns: tuple[int, int] | None = None,
) -> StiffSecondVariational:
    """Compile what a Rosenbrock step of all needs; arguments as above."""
    by_time = [derivative(e, symbol("t")) for e in derivatives]
    opening = _opening("", len(states))[1:]
    system, solving = _stiff_system(derivatives, states, parameters, columns)
    text = "\n\n\n".join(
        [
            _HEAD + _COLUMNS,
            _DECORATOR
            + _both("by_time", by_time, states, parameters, columns)
            + _entering("add_slopes", states, parameters, transit, "pairs"),
            _DECORATOR + _curvature(opening, derivatives, states, parameters, columns),
            _DECORATOR + _bending(derivatives, states, parameters),
            f"@generated(SOLVE_COLUMNS_CALL)\n{solving}\n",
        ]
    )
    module = generated_module(text)
    return StiffSecondVariational(
        system, module.solve_columns, module.by_time, module.curvature, module.bending
    )


def _opening(name: str, n: int) -> list[str]:
    return [
        f"def {name}(t, x, p, out, base):",
        f"    w = x.size // {n} - 1",
        "    pairs = int(p[p.size - 1]) if w > 0 else 0",
        "    m = w - pairs",
        "    tail = p.size - 1 - 2 * pairs",
    ]


def _both(
    name: str,
    expressions: Sequence[sp.Expr],
    states: Sequence[str],
    parameters: Sequence[str],
    fixed: tuple[int, int] | None = None,
) -> str:
    """Return the source of expressions with their first and second derivatives."""
    inputs = _inputs(states, parameters)
    firsts, seconds = _first(expressions, inputs, fixed), _pairs(expressions, inputs)
    named = {f"f_{i}": e for i, e in enumerate(expressions)} | firsts.named | seconds.named
    return "\n".join(
        [
            *_opening(name, len(states)),
            *assignments([*named.values()], _readings(states, parameters), [*named]),
            *(f"    out[base + {i}] = f_{i}" for i in range(len(expressions))),
            *firsts.loop,
            *seconds.loop,
        ]
    )


def _slopes(expression: sp.Expr, inputs: _Inputs) -> dict[str, sp.Expr]:
    """Return the derivatives of an expression that are not zero, by name of the input."""
    slopes = {local: derivative(expression, by) for by, local, _ in inputs}
    return {local: slope for local, slope in slopes.items() if slope != 0}


def _bends(expression: sp.Expr, inputs: _Inputs) -> dict[tuple[str, str], sp.Expr]:
    """Return the second derivatives that are not zero, each once."""
    found = {}
    for (first, one, _), (by, two, _) in combinations_with_replacement(inputs, 2):
        bend = derivative(derivative(expression, first), by)
        if bend != 0:
            found[one, two] = bend
    return found


def _cross(one: str, two: str) -> str:
    """Return what two inputs make of the columns a and b of a pair."""
    return f"{one}_a * {two}_b" + (f" + {one}_b * {two}_a" if one != two else "")


def _first(expressions: Sequence[sp.Expr], inputs: _Inputs, fixed: tuple[int, int] | None) -> _Loop:
    named: dict[str, sp.Expr] = {}
    body: list[str] = []
    used: set[str] = set()
    for i, expression in enumerate(expressions):
        slopes = _slopes(expression, inputs)
        named |= {f"g_{i}_{local}": slope for local, slope in slopes.items()}
        used |= set(slopes)
        terms = [_times(slope, f"g_{i}_{local}", local) for local, slope in slopes.items()]
        total = " + ".join(terms) or "0.0"
        body.append(f"        out[base + {len(expressions)} + {i} * w + j] = {total}")
    loads = [f"        {local} = {at.format('j')}" for _, local, at in inputs if local in used]
    return _Loop(named, _loop([*loads, *body], "m", fixed))


def _pairs(expressions: Sequence[sp.Expr], inputs: _Inputs) -> _Loop:
    named: dict[str, sp.Expr] = {}
    body: list[str] = []
    for i, expression in enumerate(expressions):
        terms = []
        for local, slope in _slopes(expression, inputs).items():
            named[f"g_{i}_{local}"] = slope
            terms.append(_times(slope, f"g_{i}_{local}", f"{local}_c"))
        for (one, two), bend in _bends(expression, inputs).items():
            named[f"h_{i}_{one}_{two}"] = bend
            terms.append(_times(bend, f"h_{i}_{one}_{two}", _cross(one, two)))
        total = " + ".join(terms) or "0.0"
        body.append(f"        out[base + {len(expressions)} + {i} * w + m + c] = {total}")
    return _Loop(named, ["    for c in range(pairs):", *_loads(inputs, body), *body])


def _loads(inputs: _Inputs, body: Sequence[str]) -> list[str]:
    """Return the lines that read the columns which the body names."""
    text = " ".join(body)
    lines = ["        a, b = int(p[tail + c]), int(p[tail + pairs + c])"]
    for _, local, at in inputs:
        for suffix, column in (("a", "a"), ("b", "b"), ("c", "m + c")):
            if re.search(rf"\b{local}_{suffix}\b", text):
                lines.append(f"        {local}_{suffix} = {at.format(column)}")
    return lines


def _bending(
    derivatives: Sequence[sp.Expr], states: Sequence[str], parameters: Sequence[str]
) -> str:
    """Return the source of ``bending``.

    The second derivative of ``J v`` less ``J`` times that of v, where first derivatives of v are
    the directions of the first columns.
    """
    n, inputs = len(states), _inputs(states, parameters)
    along: _Inputs = [
        (symbol(s), f"v_{k}", f"out[base + {n} + {k} * w + {{}}]") for k, s in enumerate(states)
    ]
    named: dict[str, sp.Expr] = {}
    body: list[str] = []
    for i, expression in enumerate(derivatives):
        terms = []
        for k, state in enumerate(states):
            slope, v = derivative(expression, symbol(state)), f"out[base + {k}]"
            for local, bend in _slopes(slope, inputs).items():
                name = f"h_{i}_{k}_{local}"
                named[name] = bend
                moved = f"v_{k}_a * {local}_b + v_{k}_b * {local}_a"
                terms.append(_times(bend, name, f"{v} * {local}_c + {moved}", "bounded"))
            for (one, two), bend in _bends(slope, inputs).items():
                name = f"k_{i}_{k}_{one}_{two}"
                named[name] = bend
                terms.append(_times(bend, name, f"{v} * ({_cross(one, two)})", "bounded"))
        if terms:
            body.append(f"        out[base + {n} + {i} * w + m + c] += {' + '.join(terms)}")
    lines = _opening("bending", n)
    lines += assignments([*named.values()], _readings(states, parameters), [*named])
    lines += ["    for c in range(pairs):", *_loads([*inputs, *along], body), *body]
    return "\n".join(lines)
