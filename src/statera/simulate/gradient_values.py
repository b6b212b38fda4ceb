"""Derivatives of everything that is computed before integration, by the chain rule, in bulk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from statera.data import EventTable
from statera.errors import InputError, UnknownNameError
from statera.model import Model
from statera.numerics.derivative import derivative
from statera.numerics.expression import evaluate, free_names, symbol
from statera.simulate.arrays import Values, formulas_of, processes_of
from statera.simulate.structure import Structure

__all__ = [
    "NO_PAIRS",
    "InputTangents",
    "LinearTangents",
    "Pairs",
    "Tangents",
    "input_tangents",
    "linear_tangents",
    "push_forward",
    "tangents_of",
    "with_parameters",
]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Tangents = Mapping[str, Floats]
"""``(n_systems, n_columns)`` float64 by name, a row a subject or a segment of one.

Columns are the names of `wrt`, and behind them second derivatives by `Pairs`. A name that does
not depend on any of `wrt` is not there.
"""


@dataclass(frozen=True)
class Pairs:
    """Which second derivatives are wanted, besides all first ones.

    Attributes
    ----------
    one, two : (n_pairs,) int64
        Columns of first derivatives.
    """

    one: Ints
    two: Ints

    @property
    def size(self) -> int:
        """Number of pairs."""
        return int(self.one.size)


NO_PAIRS = Pairs(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))
"""First derivatives alone."""


@dataclass(frozen=True)
class InputTangents:
    """Derivatives of the input processes, ``(n_systems, n_processes, n_columns)`` float64 each."""

    bioavailability: Floats
    lag: Floats
    duration: Floats
    rate: Floats


@dataclass(frozen=True)
class LinearTangents:
    """Derivatives of a linear system; a row a system; the axis of columns follows.

    Attributes
    ----------
    matrix : (n_systems, n_columns, n, n) float64
    endogenous, initial : (n_systems, n_columns, n) float64
    weights : (n_systems, n_columns, n_outputs, n) float64
    offset : (n_systems, n_columns, n_outputs) float64
    """

    matrix: Floats
    endogenous: Floats
    initial: Floats
    weights: Floats
    offset: Floats


def with_parameters(model: Model, values: Mapping[str, float]) -> Model:
    """Return the model with other values of fixed effects.

    Raises
    ------
    UnknownNameError
        If the model has no such parameter.
    InputError
        If a value is not a finite number.
    """
    if not values:
        return model
    changed = dict(model.parameters)
    for name, value in values.items():
        if name not in changed:
            raise UnknownNameError(f"parameter of {model.id}", name, model.parameters)
        number = np.asarray(value)
        if number.ndim != 0 or number.dtype.kind not in "iuf" or not np.isfinite(number):
            raise InputError(f"parameter {name} must be a finite number", where="parameters")
        changed[name] = replace(changed[name], value=float(number))
    return replace(model, parameters=MappingProxyType(changed))


def push_forward(
    expression: sp.Expr | None,
    values: Values,
    tangents: Tangents,
    shape: tuple[int, int],
    pairs: Pairs = NO_PAIRS,
) -> Floats:
    """Return the derivatives of an expression, ``shape`` = (n_systems, n_columns).

    A slope counts only where what it multiplies is not zero: a slope that is not finite, such as
    that of a square root at zero, must not spoil what does not depend on it.
    """
    total = np.zeros(shape)
    if expression is None:
        return total
    names = sorted(free_names(expression) & set(tangents))
    for i, name in enumerate(names):
        slope = derivative(expression, symbol(name))
        _add(total, slope, values, tangents[name])
        for other in names[: i + 1] if pairs.size else ():
            bend = derivative(slope, symbol(other))
            if bend == 0:
                continue
            factor = tangents[name][:, pairs.one] * tangents[other][:, pairs.two]
            if other != name:
                factor += tangents[name][:, pairs.two] * tangents[other][:, pairs.one]
            _add(total[:, shape[1] - pairs.size :], bend, values, factor)
    return total


def _add(total: Floats, expression: sp.Expr, values: Values, factor: Floats) -> None:
    """Add the product of an expression and a factor, (n_systems, ...), where that is not zero."""
    value = np.broadcast_to(evaluate(expression, values), (total.shape[0],))[:, None]
    with np.errstate(all="ignore"):
        total += np.where(factor == 0.0, 0.0, value * factor)


def tangents_of(
    model: Model, values: Values, wrt: Sequence[str], n_systems: int, pairs: Pairs = NO_PAIRS
) -> Tangents:
    """Return the derivatives of every name by every name of `wrt`, and by `pairs` of them."""
    shape = (n_systems, len(wrt) + pairs.size)
    found: dict[str, Floats] = {}
    for j, name in enumerate(wrt):
        found[name] = np.zeros(shape)
        found[name][:, j] = 1.0
    for equation in model.individual:
        if free_names(equation.expression) & set(found):
            found[equation.name] = push_forward(equation.expression, values, found, shape, pairs)
    return found


def input_tangents(
    model: Model,
    events: EventTable,
    values: Values,
    tangents: Tangents,
    shape: tuple[int, int],
    pairs: Pairs = NO_PAIRS,
) -> InputTangents:
    """Return the derivatives of the inputs, in the order of `statera.simulate.arrays.Inputs`.

    Raises
    ------
    InputError
        If second derivatives are asked for by what moves a duration that is zero.
    """
    rows: list[list[Floats]] = [[], [], [], []]
    for route, amount in events.dose_keys:
        here = {**values, "AMT": amount}
        for process in processes_of(model, route):
            formulas = formulas_of(process)
            for row, formula in zip(rows, formulas, strict=True):
                row.append(push_forward(formula, here, tangents, shape, pairs))
            if pairs.size and process.duration is not None:
                _check_duration(evaluate(process.duration, here), rows[2][-1], route)
    empty = np.zeros((shape[0], 0, shape[1]))
    return InputTangents(*(np.stack(r, axis=1) if r else empty for r in rows))


def _check_duration(duration: Floats | float, slopes: Floats, route: str) -> None:
    zero = np.broadcast_to(np.asarray(duration) == 0.0, slopes.shape[:1])
    if (zero[:, None] & (slopes != 0.0)).any():
        raise InputError(
            f"an infusion by '{route}' lasts no time: of a duration that is zero only the first "
            "derivatives are known",
            where="second",
            hint="Leave out the names that its duration depends on, or start it above zero.",
        )


def linear_tangents(
    model: Model,
    structure: Structure,
    values: Values,
    tangents: Tangents,
    shape: tuple[int, int],
    pairs: Pairs = NO_PAIRS,
) -> LinearTangents:
    """Return the derivatives of the matrices of a linear system with linear outputs."""
    assert structure.linear is not None
    n, n_out = len(model.states), len(model.outputs)
    found = LinearTangents(
        np.zeros((*shape, n, n)),
        np.zeros((*shape, n)),
        np.zeros((*shape, n)),
        np.zeros((*shape, n_out, n)),
        np.zeros((*shape, n_out)),
    )
    for (i, k), expression in structure.linear.matrix.items():
        found.matrix[:, :, i, k] = push_forward(expression, values, tangents, shape, pairs)
    for i, expression in structure.linear.constant.items():
        found.endogenous[:, :, i] = push_forward(expression, values, tangents, shape, pairs)
    for name, expression in model.initial.items():
        index = model.states.index(name)
        found.initial[:, :, index] = push_forward(expression, values, tangents, shape, pairs)
    for (o, k), expression in structure.outputs.weights.items():
        found.weights[:, :, o, k] = push_forward(expression, values, tangents, shape, pairs)
    for o, expression in structure.outputs.constant.items():
        found.offset[:, :, o] = push_forward(expression, values, tangents, shape, pairs)
    return found
