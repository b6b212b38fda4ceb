"""Which solver a model needs: linear systems are recognised from their equations."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from statera.model import Model
from statera.numerics.expression import evaluate, switches_on, symbol
from statera.numerics.modal import strong_blocks

__all__ = [
    "LinearSystem",
    "OutputForm",
    "Structure",
    "accumulating",
    "analyse",
    "depends_on_time",
    "transit_states",
]


@dataclass(frozen=True)
class LinearSystem:
    """``x' = A x + b`` with entries that do not depend on states or time.

    Attributes
    ----------
    matrix
        Non-zero entries of A by (row, column).
    constant
        Non-zero entries of b by row: endogenous production.
    members, bounds
        Strongly connected components, see `statera.numerics.modal.strong_blocks`.
    """

    matrix: dict[tuple[int, int], sp.Expr]
    constant: dict[int, sp.Expr]
    members: NDArray[np.int64]
    bounds: NDArray[np.int64]


@dataclass(frozen=True)
class OutputForm:
    """Outputs as ``C x + d``, where they are that; otherwise `linear` is False."""

    linear: bool
    weights: dict[tuple[int, int], sp.Expr]
    constant: dict[int, sp.Expr]


@dataclass(frozen=True)
class Structure:
    """What the equations of a model allow.

    Attributes
    ----------
    linear
        The linear system, or None.
    outputs
        The form of the outputs.
    reason
        What the equations are, in a sentence.
    transit
        Whether an input passes transit compartments, which needs a solver.
    """

    linear: LinearSystem | None
    outputs: OutputForm
    reason: str
    transit: bool = False

    @property
    def closed_form(self) -> bool:
        """Whether the model is solved in closed form."""
        return self.linear is not None and self.outputs.linear and not self.transit

    @property
    def why(self) -> str:
        """The reason for the solver used, in a sentence."""
        if self.transit:
            return "an input passes transit compartments"
        if self.linear is not None and not self.outputs.linear:
            return "an output is not linear in the states"
        return self.reason


def depends_on_time(model: Model) -> bool:
    """Return True where an equation holds the time itself: such a model has no steady state."""
    return any(symbol("t") in e.expression.free_symbols for e in model.dynamics)


def transit_states(model: Model) -> tuple[int, ...]:
    """Return the states that an input enters through transit compartments."""
    into = {p.into for processes in model.inputs.values() for p in processes if p.kind == "transit"}
    return tuple(i for i, name in enumerate(model.states) if name in into)


def accumulating(model: Model) -> NDArray[np.bool_]:
    """Return the states that only accumulate, (n_states,): areas, excreted amounts and the like.

    No equation depends on them, other than those of states that only accumulate themselves, and
    no input enters them. They do not take part in a steady state.
    """
    entered = {p.into for processes in model.inputs.values() for p in processes}
    uses = np.array(
        [[symbol(n) in e.expression.free_symbols for n in model.states] for e in model.dynamics]
    )
    found = np.zeros(len(model.states), dtype=bool)
    candidates = np.array([n not in entered for n in model.states]) & ~np.diag(uses)
    while True:
        more = candidates & ~uses[~found].any(axis=0) & ~found
        if not more.any():
            return found
        found |= more


def analyse(model: Model) -> Structure:
    """Recognise the structure of a model from its equations."""
    found = _analyse(model)
    return replace(found, transit=bool(transit_states(model)))


def _analyse(model: Model) -> Structure:
    states = [symbol(name) for name in model.states]
    names = set(states) | {symbol("t")}
    outputs = _outputs(model, states, names)
    matrix: dict[tuple[int, int], sp.Expr] = {}
    constant: dict[int, sp.Expr] = {}
    for i, equation in enumerate(model.dynamics):
        if symbol("t") in equation.expression.free_symbols:
            return Structure(None, outputs, f"d/dt({equation.name}) depends on time")
        split = _split(equation.expression, states, names)
        if split is None:
            return Structure(None, outputs, f"d/dt({equation.name}) is not linear in the states")
        slopes, rest = split
        matrix |= {(i, j): slope for j, slope in slopes.items()}
        if rest != 0:
            constant[i] = rest
    n = len(states)
    pattern = np.zeros((n, n), dtype=bool)
    for i, j in matrix:
        pattern[i, j] = True
    members, bounds = strong_blocks(pattern)
    return Structure(
        LinearSystem(matrix, constant, members, bounds),
        outputs,
        "the equations are linear in the states",
    )


def _split(
    expression: sp.Expr, states: list[sp.Symbol], forbidden: set[sp.Symbol]
) -> tuple[dict[int, sp.Expr], sp.Expr] | None:
    """Return slopes by state and the constant part, or None where it is not linear."""
    if switches_on(expression, forbidden):
        return None
    slopes: dict[int, sp.Expr] = {}
    rest = expression
    for j, state in enumerate(states):
        if state not in expression.free_symbols:
            continue
        slope = sp.diff(expression, state)
        if slope.free_symbols & forbidden:
            if _varies(slope, forbidden):
                return None
            slope = sp.simplify(slope)
            if slope.free_symbols & forbidden:
                return None
        slopes[j] = slope
        rest = rest.subs(state, 0)
    return slopes, rest


def _varies(slope: sp.Expr, forbidden: set[sp.Symbol]) -> bool:
    """Return True where numbers show that a slope changes with states or time.

    Simplifying takes a hundred times as long, and is left to slopes of which this cannot say it.
    """
    symbols = sorted(slope.free_symbols, key=str)
    found = []
    for k in range(2):
        values = {
            s.name: 0.37 + 0.29 * i + (k * (0.11 + 0.05 * i) if s in forbidden else 0.0)
            for i, s in enumerate(symbols)
        }
        found.append(float(evaluate(slope, values)))
    return abs(found[1] - found[0]) > 1e-6 * (abs(found[0]) + abs(found[1]))


def _outputs(model: Model, states: list[sp.Symbol], names: set[sp.Symbol]) -> OutputForm:
    weights: dict[tuple[int, int], sp.Expr] = {}
    constant: dict[int, sp.Expr] = {}
    for k, output in enumerate(model.outputs):
        split = _split(output.expression, states, names)
        if split is None:
            return OutputForm(False, {}, {})
        slopes, rest = split
        weights |= {(k, j): slope for j, slope in slopes.items()}
        if rest != 0:
            constant[k] = rest
    return OutputForm(True, weights, constant)
