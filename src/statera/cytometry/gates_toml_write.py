"""Write gates as TOML, in the form that `read_gates_toml` reads."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterable
from pathlib import Path

from statera.cytometry.gates import (
    UNCOMPENSATED,
    BooleanGate,
    Dimension,
    EllipsoidGate,
    Gate,
    PolygonGate,
    QuadrantGate,
    Ratio,
    RectangleGate,
)
from statera.cytometry.gates_toml import SCALE_KINDS, SCHEMA
from statera.cytometry.scales import Scale
from statera.cytometry.strategy import GatingStrategy
from statera.cytometry.write_text import write_whole
from statera.errors import InputError

__all__ = ["gates_toml_text", "write_gates_toml"]

_NAMES = {made: name for name, made in SCALE_KINDS.items()}


def write_gates_toml(strategy: GatingStrategy, path: str | Path) -> None:
    """Write gates to a file, which is replaced where it exists.

    Raises
    ------
    InputError
        If a scale has no form in TOML, or the file cannot be written.
    """
    text = gates_toml_text(strategy)
    write_whole(text, path)


def gates_toml_text(strategy: GatingStrategy) -> str:
    """Return gates as the text of a file.

    Raises
    ------
    InputError
        If a scale or gate has no form in TOML.
    """
    dimensions = [
        d for gate in strategy.gates if not isinstance(gate, BooleanGate) for d in gate.dimensions
    ]
    scales = _scale_names(dimensions)
    names = _dimension_names(dimensions)
    lines = [f"schema = {_text(SCHEMA)}"]
    for scale, name in scales.items():
        lines += ["", f"[scales.{_text(name)}]", f"kind = {_text(_NAMES[type(scale)])}"]
        for entry in dataclasses.fields(scale):  # type: ignore[arg-type]  # all are dataclasses
            lines.append(f"{entry.name} = {_number(getattr(scale, entry.name))}")
    for name, matrix in strategy.spillovers.items():
        lines += ["", f"[matrices.{_text(name)}]", f"detectors = {_texts(matrix.detectors)}"]
        if matrix.dyes != matrix.detectors:
            lines.append(f"dyes = {_texts(matrix.dyes)}")
        lines.append(f"rows = {_rows(matrix.matrix.tolist())}")
    for dimension, name in names.items():
        if dimension == Dimension(name):
            continue  # a channel as it is read needs no table
        lines += ["", f"[dimensions.{_text(name)}]"]
        if isinstance(dimension.channel, Ratio):
            lines.append(f"ratio = {_ratio(dimension.channel)}")
        elif dimension.channel != name:
            lines.append(f"channel = {_text(dimension.channel)}")
        if dimension.scale is not None:
            lines.append(f"scale = {_text(scales[dimension.scale])}")
        if dimension.compensation != UNCOMPENSATED:
            lines.append(f"compensation = {_text(dimension.compensation)}")
    for gate in strategy.gates:
        lines += ["", "[[gate]]", *_gate(gate, names)]
    return "\n".join(lines) + "\n"


def _scale_names(dimensions: Iterable[Dimension]) -> dict[Scale, str]:
    found: dict[Scale, str] = {}
    for dimension in dimensions:
        scale = dimension.scale
        if scale is None or scale in found:
            continue
        if type(scale) not in _NAMES:
            raise InputError(f"the scale {scale} has no form in TOML", where="gates")
        kind = _NAMES[type(scale)]
        n = sum(type(known) is type(scale) for known in found) + 1
        found[scale] = kind if n == 1 else f"{kind}_{n}"
    return found


def _dimension_names(dimensions: Iterable[Dimension]) -> dict[Dimension, str]:
    """Return a name for each dimension: its channel's where that is free."""
    distinct = list(dict.fromkeys(dimensions))
    found = {
        d: d.channel for d in distinct if isinstance(d.channel, str) and d == Dimension(d.channel)
    }
    taken = {d.channel for d in found}
    names: dict[Dimension, str] = {}
    for dimension in distinct:
        channel = dimension.channel
        base = (
            channel
            if isinstance(channel, str)
            else f"{channel.numerator} over {channel.denominator}"
        )
        name, n = base, 2
        while dimension not in found and name in taken:
            name, n = f"{base} ({n})", n + 1
        taken.add(name)
        names[dimension] = name
    return names


def _gate(gate: Gate, names: dict[Dimension, str]) -> list[str]:
    kind = type(gate).__name__.removesuffix("Gate").lower()
    lines = [f"name = {_text(gate.name)}", f"kind = {_text(kind)}"]
    if gate.parent:
        lines.append(f"parent = {_text(gate.parent)}")
    if isinstance(gate, BooleanGate):
        parts = [
            f"{{ name = {_text(r.name)}{', complement = true' if r.complement else ''} }}"
            for r in gate.references
        ]
        return [*lines, f"operation = {_text(gate.operation)}", f"of = [{', '.join(parts)}]"]
    lines.append(f"dimensions = {_texts(names[d] for d in gate.dimensions)}")
    if isinstance(gate, RectangleGate):
        lines += [f"low = {_numbers(gate.low)}", f"high = {_numbers(gate.high)}"]
        if gate.closed:
            lines.append("closed = true")
    elif type(gate) is PolygonGate:
        lines.append(f"vertices = {_rows(gate.vertices)}")
    elif isinstance(gate, EllipsoidGate):
        lines += [f"mean = {_numbers(gate.mean)}", f"covariance = {_rows(gate.covariance)}"]
        lines.append(f"distance_square = {_number(gate.distance_square)}")
    elif isinstance(gate, QuadrantGate):
        lines.append(f"dividers = {_rows(gate.dividers)}")
        for name, place in gate.quadrants:
            lines += ["[[gate.cell]]", f"name = {_text(name)}", f"place = {list(place)}"]
    else:
        raise InputError(f"{gate.name} is a {type(gate).__name__}, which has no form in TOML")
    return lines


def _ratio(ratio: Ratio) -> str:
    ends = f"numerator = {_text(ratio.numerator)}, denominator = {_text(ratio.denominator)}"
    return f"{{ {ends}, A = {_number(ratio.A)}, B = {_number(ratio.B)}, C = {_number(ratio.C)} }}"


def _text(text: str) -> str:
    # texts of JSON are texts of TOML but for one character that only TOML wants escaped
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _texts(texts: Iterable[str]) -> str:
    return f"[{', '.join(_text(text) for text in texts)}]"


def _number(number: float) -> str:
    if math.isnan(number):
        raise InputError("a gate holds what is no number", where="gates")
    return repr(float(number))


def _numbers(numbers: Iterable[float]) -> str:
    return f"[{', '.join(_number(n) for n in numbers)}]"


def _rows(rows: Iterable[Iterable[float]]) -> str:
    return f"[{', '.join(_numbers(row) for row in rows)}]"
