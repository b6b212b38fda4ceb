"""Gates as data in TOML: gates, scales and matrices by name, defined once for all files."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np

from statera.cytometry.biexponential import Biexponential
from statera.cytometry.compensation import Spillover, read_spillover_csv
from statera.cytometry.flowjo_scales import FlooredLog
from statera.cytometry.gates import (
    FROM_FILE,
    UNCOMPENSATED,
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
from statera.cytometry.scales import (
    Arcsinh,
    Hyperlog,
    Linear,
    Log,
    Logicle,
    PlainArcsinh,
    Scale,
)
from statera.cytometry.strategy import GatingStrategy, populations_of
from statera.errors import InputError
from statera.library.read import Table, read_document

__all__ = ["SCALE_KINDS", "SCHEMA", "read_gates_toml"]

SCHEMA = "statera.gates/1"


class _Kind(StrEnum):
    RECTANGLE = "rectangle"
    POLYGON = "polygon"
    ELLIPSOID = "ellipsoid"
    QUADRANT = "quadrant"
    BOOLEAN = "boolean"


class _Operation(StrEnum):
    AND = "and"
    OR = "or"
    NOT = "not"


class _ScaleKind(StrEnum):
    LINEAR = "linear"
    LOG = "log"
    FLOORED_LOG = "floored_log"
    ARCSINH = "arcsinh"
    PLAIN_ARCSINH = "plain_arcsinh"
    LOGICLE = "logicle"
    HYPERLOG = "hyperlog"
    BIEXPONENTIAL = "biexponential"


SCALE_KINDS: dict[str, type[Scale]] = {
    _ScaleKind.LINEAR: Linear,
    _ScaleKind.LOG: Log,
    _ScaleKind.FLOORED_LOG: FlooredLog,
    _ScaleKind.ARCSINH: Arcsinh,
    _ScaleKind.PLAIN_ARCSINH: PlainArcsinh,
    _ScaleKind.LOGICLE: Logicle,
    _ScaleKind.HYPERLOG: Hyperlog,
    _ScaleKind.BIEXPONENTIAL: Biexponential,
}


def read_gates_toml(path: str | Path) -> GatingStrategy:
    """Return the gates of a file.

    Parameters
    ----------
    path
        A file that begins with ``schema = "statera.gates/1"``; matrices that it names as files
        are looked for beside it.

    Raises
    ------
    InputError
        With the file, line and column, if something is missing, unknown or makes no gate.
    """
    document = read_document(path, SCHEMA)
    root = document.table()
    root.text("schema")
    folder = Path(document.file).parent
    scales = {table.path[-1]: _scale(table) for table in _named(root, "scales")}
    matrices = {str(t.path[-1]): _matrix(t, folder) for t in _named(root, "matrices")}
    reader = _Reader(
        {str(t.path[-1]): _dimension(t, scales, matrices) for t in _named(root, "dimensions")}
    )
    tables = list(root.tables("gate"))
    root.finish()
    if not tables:
        root.fail("gate", "the file holds no gates", "tables headed [[gate]]")
    gates = [reader.gate(table) for table in tables]
    _check_names(tables, gates)
    return GatingStrategy(tuple(gates), matrices)


def _named(root: Table, key: str) -> list[Table]:
    """Return the tables under a heading such as ``[scales]``, which may be absent."""
    if key not in root.data:
        return []
    holder = root.sub(key)
    return [holder.sub(name) for name in holder.data]


def _said(table: Table, key: str, make: Callable[[], Any]) -> Any:
    """Return what is made, an error of its making placed at a key."""
    try:
        return make()
    except InputError as error:
        where = table.document.place(*table.path, key)
        raise InputError(error.what, where=where, hint=error.hint) from error


def _scale(table: Table) -> Scale:
    kind = SCALE_KINDS[table.choice("kind", _ScaleKind)]
    numbers: dict[str, float] = {}
    for entry in dataclasses.fields(kind):  # type: ignore[arg-type]  # all kinds are dataclasses
        number = table.number(entry.name)
        if number is not None:
            numbers[entry.name] = number
        elif entry.default is dataclasses.MISSING:
            table.fail(entry.name, f"'{entry.name}' is missing", f"{entry.name} = a number")
    table.finish()
    positive = {Log: "TM", FlooredLog: "TM", Arcsinh: "TM", PlainArcsinh: ("cofactor",)}.get(
        kind, ()
    )
    for name in positive:
        if numbers.get(name, 1.0) <= 0:
            table.fail(name, f"'{name}' is {numbers[name]:g}", "a number above 0")
    if kind is Linear and numbers["T"] + numbers.get("A", 0.0) <= 0:
        table.fail("T", "T + A is not above 0", "a top T above -A")
    made: Scale = _said(table, "kind", lambda: kind(**numbers))
    return made


def _matrix(table: Table, folder: Path) -> Spillover:
    name = str(table.path[-1])
    file = table.text("file", "")
    if file:
        table.finish()
        found: Spillover = _said(table, "file", lambda: read_spillover_csv(folder / file))
        return dataclasses.replace(found, source=name)
    detectors = table.texts("detectors", required=True)
    dyes = table.texts("dyes") or detectors
    rows = _rows(table, "rows", len(detectors))
    table.finish("rows")
    made: Spillover = _said(
        table, "rows", lambda: Spillover(detectors, dyes, np.array(rows, dtype=np.float64), name)
    )
    return made


def _numbers(table: Table, key: str, value: object, *, infinite: bool = False) -> list[float]:
    expected = "a list of numbers" + (" (inf where open)" if infinite else "")
    if not isinstance(value, list) or not all(type(v) in (int, float) for v in value):
        table.fail(key, f"'{key}' is missing or holds something that is not a number", expected)
    found = [float(v) for v in value]
    if any(math.isnan(v) or (math.isinf(v) and not infinite) for v in found):
        table.fail(key, f"'{key}' holds a number that is not finite", expected)
    return found


def _rows(table: Table, key: str, length: int) -> tuple[tuple[float, ...], ...]:
    """Return a list of lists of numbers, each of one length."""
    value = table.data.get(key)
    if not isinstance(value, list) or not value:
        table.fail(key, f"'{key}' is missing or no list", "lists of numbers in a list")
    rows = [_numbers(table, key, row) for row in value]
    for i, row in enumerate(rows, start=1):
        if len(row) != length:
            table.fail(key, f"row {i} of '{key}' has {len(row)} numbers", f"{length} numbers each")
    return tuple(tuple(row) for row in rows)


def _dimension(
    table: Table, scales: Mapping[Any, Scale], matrices: Mapping[str, Spillover]
) -> Dimension:
    channel: str | Ratio = table.text("channel", str(table.path[-1]))
    if "ratio" in table.data:
        part = table.sub("ratio")
        numbers = {k: n for k in "ABC" if (n := part.number(k)) is not None}
        channel = Ratio(part.text("numerator"), part.text("denominator"), **numbers)
        part.finish()
    name = table.text("scale", "")
    if name and name not in scales:
        known = ", ".join(scales) or "none"
        table.fail("scale", f"there is no scale '{name}'", f"one under [scales]: {known}")
    matrix = table.text("compensation", UNCOMPENSATED)
    if matrix not in (UNCOMPENSATED, FROM_FILE, *matrices):
        known = ", ".join((UNCOMPENSATED, FROM_FILE, *matrices))
        table.fail("compensation", f"there is no matrix '{matrix}'", f"one of: {known}")
    table.finish()
    return Dimension(channel, scales[name] if name else None, matrix)


@dataclasses.dataclass(frozen=True)
class _Reader:
    dimensions: Mapping[str, Dimension]

    def gate(self, table: Table) -> Gate:
        name, kind = table.text("name"), table.choice("kind", _Kind)
        parent = table.text("parent", "")
        if kind is _Kind.BOOLEAN:
            return _boolean(table, name, parent)
        names = table.texts("dimensions", required=True)
        # a name without a table is a channel as it is read
        sides = tuple(self.dimensions.get(n, Dimension(n)) for n in names)
        if kind is _Kind.RECTANGLE:
            return _rectangle(table, name, parent, sides)
        if kind is _Kind.POLYGON:
            if len(sides) != 2:
                table.fail("dimensions", f"a polygon of {len(sides)} dimensions", "two dimensions")
            points = _rows(table, "vertices", 2)
            if len(points) < 3:
                table.fail("vertices", f"a polygon of {len(points)} points", "three or more")
            table.finish("vertices")
            return PolygonGate(name, sides, tuple((p[0], p[1]) for p in points), parent)
        if kind is _Kind.ELLIPSOID:
            return _ellipsoid(table, name, parent, sides)
        return _quadrant(table, name, parent, sides)


def _rectangle(table: Table, name: str, parent: str, sides: tuple[Dimension, ...]) -> Gate:
    ends = []
    for key, open_end in (("low", -math.inf), ("high", math.inf)):
        value = table.data.get(key, [open_end] * len(sides))
        found = _numbers(table, key, value, infinite=True)
        if len(found) != len(sides):
            table.fail(key, f"'{key}' has {len(found)} numbers", f"{len(sides)}, one a dimension")
        ends.append(found)
    closed = table.flag("closed", False)
    for low, high in zip(*ends, strict=True):
        if not (low < high or (closed and low == high)):
            table.fail("low", f"the range from {low:g} to {high:g} is empty", "low below high")
    table.finish("low", "high")
    return RectangleGate(name, sides, tuple(ends[0]), tuple(ends[1]), parent, closed)


def _ellipsoid(table: Table, name: str, parent: str, sides: tuple[Dimension, ...]) -> Gate:
    n = len(sides)
    mean = table.numbers("mean") or ()
    if len(mean) != n:
        table.fail("mean", f"'mean' has {len(mean)} numbers", f"{n}, one a dimension")
    rows = _rows(table, "covariance", n)
    # a matrix that is no covariance has a meaning too, and stands in files of others
    if len(rows) != n or np.linalg.matrix_rank(np.array(rows)) < n:
        table.fail("covariance", "the covariance is singular or not square", f"{n} rows of {n}")
    square = table.number("distance_square")
    if square is not None and square <= 0:
        table.fail("distance_square", f"'distance_square' is {square:g}", "a number above 0")
    table.finish("covariance")
    return EllipsoidGate(name, sides, mean, rows, 1.0 if square is None else square, parent)


def _quadrant(table: Table, name: str, parent: str, sides: tuple[Dimension, ...]) -> Gate:
    value = table.data.get("dividers")
    if not isinstance(value, list) or len(value) != len(sides):
        table.fail("dividers", "'dividers' is missing or too short", "a list for each dimension")
    dividers = tuple(tuple(_numbers(table, "dividers", row)) for row in value)
    if any(not row or list(row) != sorted(set(row)) for row in dividers):
        table.fail("dividers", "'dividers' do not rise", "rising numbers for each dimension")
    cells = []
    for cell in table.tables("cell"):
        place = cell.data.get("place")
        if (
            not isinstance(place, list)
            or len(place) != len(sides)
            or not all(
                type(k) is int and -1 <= k <= len(row)
                for k, row in zip(place, dividers, strict=True)
            )
        ):
            expected = "a whole number for each dimension: intervals from 0, or -1 for any"
            cell.fail("place", "'place' names no interval between dividers", expected)
        cells.append((cell.text("name"), tuple(place)))
        cell.finish("place")
    if not cells:
        table.fail("cell", f"the quadrant gate '{name}' has no cells", "[[gate.cell]]")
    table.finish("dividers")
    return QuadrantGate(name, sides, dividers, tuple(cells), parent)


def _boolean(table: Table, name: str, parent: str) -> Gate:
    operation = table.choice("operation", _Operation)
    references = []
    for part in table.tables("of"):
        references.append(Reference(part.text("name"), part.flag("complement", False)))
        part.finish()
    if not references or (operation is _Operation.NOT and len(references) != 1):
        expected = "one [[gate.of]]" if operation is _Operation.NOT else "[[gate.of]]"
        table.fail("of", f"'{operation}' joins {len(references)} gates", expected)
    table.finish()
    # the members of the enumeration are the words of the type
    return BooleanGate(name, operation.value, tuple(references), parent)


def _check_names(tables: list[Table], gates: list[Gate]) -> None:
    """Raise an error where a name stands twice or is not there."""
    known: set[str] = set()
    for table, gate in zip(tables, gates, strict=True):
        for name in populations_of(gate):
            if name in known:
                table.fail("name", f"two gates are called '{name}'", "a name of its own")
            known.add(name)
    for table, gate in zip(tables, gates, strict=True):
        if gate.parent and gate.parent not in known:
            table.fail("parent", f"there is no gate '{gate.parent}'", _one_of(known))
        if isinstance(gate, BooleanGate):
            for reference in gate.references:
                if reference.name not in known:
                    table.fail("of", f"there is no gate '{reference.name}'", _one_of(known))


def _one_of(known: set[str]) -> str:
    return f"one of: {', '.join(sorted(known))}"
