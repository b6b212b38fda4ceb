"""Gates between JSON, as the screen edits them, and strategies, as the analysis applies them."""

from __future__ import annotations

import dataclasses
import math
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from statera.cytometry.compensation import Spillover
from statera.cytometry.gates import (
    BooleanGate,
    Dimension,
    EllipsoidGate,
    Gate,
    PolygonGate,
    QuadrantGate,
    Ratio,
    RectangleGate,
    Reference,
)
from statera.cytometry.gates_toml import SCALE_KINDS, read_gates_toml
from statera.cytometry.gates_toml_write import gates_toml_text
from statera.cytometry.scales import Scale
from statera.cytometry.strategy import GatingStrategy
from statera.errors import InputError
from statera.web.requests import plate_gates as asked

__all__ = ["dimension_json", "dimension_of", "gate_json", "gates_json", "strategy_of"]

_DECADES = ("M", "A", "W", "positive", "negative")
_MOST_DECADES, _LARGEST = 30.0, 1e12
"""Beyond these, tables of scales would grow without bounds."""

_KINDS = {made: name for name, made in SCALE_KINDS.items()}


def strategy_of(gates: asked.Gates) -> GatingStrategy:
    """Return gates as they are applied, checked as those of a file are.

    Raises
    ------
    InputError
        If a gate makes no sense: the gate is named.
    """
    matrices = {}
    for name, m in gates.matrices.items():
        if any(len(row) != len(m.detectors) for row in m.rows) or len(m.rows) != len(m.dyes):
            raise InputError(
                f"the matrix '{name}' is not {len(m.dyes)} rows of {len(m.detectors)} numbers",
                where=f"gates.matrices.{name}",
            )
        rows = np.array(m.rows, dtype=np.float64)
        matrices[name] = Spillover(tuple(m.detectors), tuple(m.dyes), rows, name)
    made = tuple(_gate(gate) for gate in gates.gates)
    strategy = GatingStrategy(made, matrices)
    if made:
        _check(strategy)
    return strategy


def _check(strategy: GatingStrategy) -> None:
    """Raise what reading the gates from a file would raise."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "gates.toml"
        file.write_text(gates_toml_text(strategy), encoding="utf-8")
        try:
            read_gates_toml(file)
        except InputError as error:
            # the place in a file that nobody sees says nothing
            raise InputError(error.what, where="gates", hint=error.hint) from error


def _gate(gate: asked.Gate) -> Gate:
    name, parent = gate.name, gate.parent
    if isinstance(gate, asked.Boolean):
        parts = tuple(Reference(r.name, r.complement) for r in gate.of)
        return BooleanGate(name, gate.operation, parts, parent)
    sides = tuple(dimension_of(d) for d in gate.dimensions)
    if isinstance(gate, asked.Rectangle):
        _same(name, len(sides), gate.low, gate.high)
        low = tuple(-math.inf if v is None else v for v in gate.low)
        high = tuple(math.inf if v is None else v for v in gate.high)
        return RectangleGate(name, sides, low, high, parent, gate.closed)
    if isinstance(gate, asked.Polygon):
        return PolygonGate(name, sides, tuple(gate.vertices), parent)
    if isinstance(gate, asked.Ellipsoid):
        _same(name, len(sides), gate.mean, gate.covariance, *gate.covariance)
        rows = tuple(tuple(row) for row in gate.covariance)
        return EllipsoidGate(name, sides, tuple(gate.mean), rows, gate.distance_square, parent)
    _same(name, len(sides), gate.dividers, *(cell.place for cell in gate.cells))
    dividers = tuple(tuple(row) for row in gate.dividers)
    cells = tuple((cell.name, tuple(cell.place)) for cell in gate.cells)
    return QuadrantGate(name, sides, dividers, cells, parent)


def _same(name: str, n: int, *parts: Sequence[Any]) -> None:
    for part in parts:
        if len(part) != n:
            raise InputError(
                f"the gate '{name}' has {n} dimensions and {len(part)} numbers for them",
                where="gates",
            )


def dimension_of(dimension: asked.Dimension) -> Dimension:
    """Return a dimension as gates have it.

    Raises
    ------
    InputError
        If its scale has other numbers than its kind needs.
    """
    channel: str | Ratio = dimension.channel
    if dimension.ratio is not None:
        channel = Ratio(**dimension.ratio.model_dump())
    return Dimension(channel, _scale(dimension.scale), dimension.compensation)


def _scale(scale: asked.Scale | None) -> Scale | None:
    if scale is None:
        return None
    kind = SCALE_KINDS[scale.kind]
    known = [f.name for f in dataclasses.fields(kind)]  # type: ignore[arg-type]  # all are
    unusable = InputError(
        f"the numbers of a {scale.kind} scale make no scale of a cytometer",
        where="gates",
        hint="Such as T = 262144, W = 0.5, M = 4.5, A = 0 of a logicle scale.",
    )
    for name, number in scale.numbers.items():
        most = _MOST_DECADES if name in _DECADES else _LARGEST
        if abs(number) > most or 0 < abs(number) < 1.0 / _LARGEST:
            raise unusable
    try:
        made = kind(**scale.numbers)
        with np.errstate(all="ignore"):
            low, high = made(np.array([1.0, 1e5]))
    except (ArithmeticError, ValueError) as error:
        raise unusable from error
    except TypeError as error:
        raise InputError(
            f"a {scale.kind} scale is given by {', '.join(known)}, not by "
            f"{', '.join(scale.numbers) or 'nothing'}",
            where="gates",
        ) from error
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise unusable
    return made


def gates_json(strategy: GatingStrategy) -> dict[str, Any]:
    """Return gates as requests have them."""
    return {
        "gates": [gate_json(gate) for gate in strategy.gates],
        "matrices": {
            name: {
                "detectors": list(m.detectors),
                "dyes": list(m.dyes),
                "rows": m.matrix.tolist(),
            }
            for name, m in strategy.spillovers.items()
        },
    }


def gate_json(gate: Gate) -> dict[str, Any]:
    """Return one gate as requests have it; open ends are None.

    Raises
    ------
    InputError
        If it is of a kind that is made by a computation, such as polygons on bins.
    """
    found: dict[str, Any] = {"name": gate.name, "parent": gate.parent}
    if isinstance(gate, BooleanGate):
        parts = [{"name": r.name, "complement": r.complement} for r in gate.references]
        return {**found, "kind": "boolean", "operation": gate.operation, "of": parts}
    found["dimensions"] = [dimension_json(d) for d in gate.dimensions]
    if isinstance(gate, RectangleGate):
        ends = {
            key: [v if math.isfinite(v) else None for v in values]
            for key, values in (("low", gate.low), ("high", gate.high))
        }
        return {**found, "kind": "rectangle", **ends, "closed": gate.closed}
    if type(gate) is PolygonGate:
        return {**found, "kind": "polygon", "vertices": [list(p) for p in gate.vertices]}
    if isinstance(gate, EllipsoidGate):
        return {
            **found,
            "kind": "ellipsoid",
            "mean": list(gate.mean),
            "covariance": [list(row) for row in gate.covariance],
            "distance_square": gate.distance_square,
        }
    if isinstance(gate, QuadrantGate):
        cells = [{"name": name, "place": list(place)} for name, place in gate.quadrants]
        dividers = [list(row) for row in gate.dividers]
        return {**found, "kind": "quadrant", "dividers": dividers, "cells": cells}
    raise InputError(f"{gate.name} is a {type(gate).__name__}, which cannot be edited here")


def dimension_json(dimension: Dimension) -> dict[str, Any]:
    """Return a dimension as requests have it."""
    scale, channel = dimension.scale, dimension.channel
    found: dict[str, Any] = {"compensation": dimension.compensation, "scale": None}
    if isinstance(channel, Ratio):
        found |= {"channel": "ratio", "ratio": dataclasses.asdict(channel)}
    else:
        found["channel"] = channel
    if scale is not None:
        if type(scale) not in _KINDS:
            raise InputError(f"the scale {scale} has no form in a file of gates", where="gates")
        numbers = dataclasses.asdict(scale)  # type: ignore[call-overload]  # all are dataclasses
        found["scale"] = {"kind": str(_KINDS[type(scale)]), "numbers": numbers}
    return found
