"""Read Gating-ML 2.0 (Spidlen and others, Cytometry A 2015, doi 10.1002/cyto.a.22690)."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from statera.cytometry.compensation import Spillover
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
    Reference,
)
from statera.cytometry.scales import Arcsinh, Hyperlog, Linear, Log, Logicle, Scale
from statera.cytometry.strategy import GatingStrategy
from statera.cytometry.xml_file import parse_xml
from statera.errors import InputError, Place

__all__ = ["read_gatingml"]

_BASE = "http://www.isac-net.org/std/Gating-ML/v2.0/"
G, T, D = (f"{{{_BASE}{name}}}" for name in ("gating", "transformations", "datatypes"))

Element = ElementTree.Element

_LARGEST = 20_000_000
"""Bytes of a file."""

NAME = "{urn:statera:gates}name"
"""Holds the name of a gate or matrix whose identifier, of fewer characters, is not its name."""

SCALES: dict[str, tuple[type[Scale], tuple[str, ...]]] = {
    "flin": (Linear, ("T", "A")),
    "flog": (Log, ("T", "M")),
    "fasinh": (Arcsinh, ("T", "M", "A")),
    "logicle": (Logicle, ("T", "W", "M", "A")),
    "hyperlog": (Hyperlog, ("T", "W", "M", "A")),
}


def read_gatingml(path: str | Path) -> GatingStrategy:
    """Return the gates of a file.

    Raises
    ------
    InputError
        If the file is not Gating-ML 2.0, or holds what is not known.
    """
    file = Path(path)
    root = parse_xml(file, _LARGEST)
    return _Reader(root, str(file)).strategy()


class _Reader:
    """Elements of one file."""

    def __init__(self, root: Element, file: str) -> None:
        self.root, self.file = root, file
        self.scales: dict[str, Scale] = {}
        self.ratios: dict[str, Ratio] = {}
        self.names = {
            element.get(f"{G}id", element.get(f"{T}id", "")): name
            for element in root.iter()
            if (name := element.findtext(f"{D}custom_info/{NAME}"))
        }

    def strategy(self) -> GatingStrategy:
        for element in self.root.iter(f"{T}transformation"):
            self._transformation(element)
        matrices = {m.source: m for m in map(self._matrix, self.root.iter(f"{T}spectrumMatrix"))}
        gates: list[Gate] = []
        for element in self.root.iter():
            kind = element.tag.removeprefix(G)
            if kind == "RectangleGate":
                gates.append(self._rectangle(element))
            elif kind == "PolygonGate":
                gates.append(self._polygon(element))
            elif kind == "EllipsoidGate":
                gates.append(self._ellipsoid(element))
            elif kind == "QuadrantGate":
                gates.append(self._quadrant(element))
            elif kind == "BooleanGate":
                gates.append(self._boolean(element))
        if not gates:
            raise self._bad("the file holds no gates", "Expected Gating-ML 2.0.")
        return GatingStrategy(tuple(gates), matrices)

    def _bad(self, what: str, hint: str = "") -> InputError:
        return InputError(what, where=Place(self.file), hint=hint)

    def _number(self, element: Element, name: str, otherwise: float | None = None) -> float:
        text = element.get(name)
        if text is None and otherwise is not None:
            return otherwise
        try:
            return float(text or "")
        except ValueError:
            plain = name.rpartition("}")[2]
            raise self._bad(
                f"'{plain}' is '{text}', which is no number", "Correct the attribute."
            ) from None

    def _name(self, element: Element) -> tuple[str, str]:
        name = element.get(f"{G}id")
        if not name:
            raise self._bad("a gate has no id")
        return self._called(name), self._called(element.get(f"{G}parent_id", ""))

    def _called(self, identifier: str) -> str:
        return self.names.get(identifier, identifier)

    def _transformation(self, element: Element) -> None:
        name = element.get(f"{T}id", "")
        for child in element:
            kind = child.tag.removeprefix(T)
            if kind == "fratio":
                channels = [e.get(f"{D}name", "") for e in child.iter(f"{D}fcs-dimension")]
                if len(channels) != 2:
                    raise self._bad(f"the ratio {name} needs two channels")
                numbers = (self._number(child, f"{T}{k}") for k in "ABC")
                self.ratios[name] = Ratio(channels[0], channels[1], *numbers)
            elif kind in SCALES:
                made, letters = SCALES[kind]
                self.scales[name] = made(*(self._number(child, f"{T}{k}") for k in letters))
            else:
                raise self._bad(f"the transformation {name} is a '{kind}', which is not known")

    def _matrix(self, element: Element) -> Spillover:
        names = [
            tuple(e.get(f"{D}name", "") for e in element.findall(f"{T}{part}/{D}fcs-dimension"))
            for part in ("fluorochromes", "detectors")
        ]
        rows = [
            [self._number(c, f"{T}value") for c in spectrum.findall(f"{T}coefficient")]
            for spectrum in element.findall(f"{T}spectrum")
        ]
        if len({len(row) for row in rows}) != 1:
            raise self._bad("a spectrum matrix has rows of different lengths")
        return Spillover(
            names[1], names[0], np.array(rows), self._called(element.get(f"{T}id", ""))
        )

    def _dimension(self, element: Element) -> Dimension:
        reference = element.get(f"{G}transformation-ref")
        if reference is not None and reference not in self.scales:
            raise self._bad(f"there is no transformation '{reference}'")
        scale = self.scales[reference] if reference is not None else None
        compensation = self._called(element.get(f"{G}compensation-ref", UNCOMPENSATED))
        channel = element.find(f"{D}fcs-dimension")
        if channel is not None:
            return Dimension(channel.get(f"{D}name", ""), scale, compensation)
        made = element.find(f"{D}new-dimension")
        name = "" if made is None else made.get(f"{D}transformation-ref", "")
        if name not in self.ratios:
            raise self._bad(f"a dimension names no channel and no known ratio ('{name}')")
        return Dimension(self.ratios[name], scale, compensation)

    def _rectangle(self, element: Element) -> RectangleGate:
        name, parent = self._name(element)
        sides = element.findall(f"{G}dimension")
        return RectangleGate(
            name,
            tuple(self._dimension(side) for side in sides),
            tuple(self._number(side, f"{G}min", -np.inf) for side in sides),
            tuple(self._number(side, f"{G}max", np.inf) for side in sides),
            parent,
        )

    def _dimensions(self, element: Element) -> tuple[Dimension, ...]:
        return tuple(self._dimension(e) for e in element.findall(f"{G}dimension"))

    def _coordinates(self, element: Element) -> tuple[float, ...]:
        return tuple(self._number(c, f"{D}value") for c in element.findall(f"{G}coordinate"))

    def _polygon(self, element: Element) -> PolygonGate:
        name, parent = self._name(element)
        points = [self._coordinates(e) for e in element.findall(f"{G}vertex")]
        dimensions = self._dimensions(element)
        if len(dimensions) != 2 or len(points) < 3 or any(len(p) != 2 for p in points):
            raise self._bad(f"the polygon {name} needs two dimensions and three points or more")
        return PolygonGate(name, dimensions, tuple((p[0], p[1]) for p in points), parent)

    def _ellipsoid(self, element: Element) -> EllipsoidGate:
        name, parent = self._name(element)
        dimensions = self._dimensions(element)
        mean = element.find(f"{G}mean")
        rows = [
            tuple(self._number(e, f"{D}value") for e in row.findall(f"{G}entry"))
            for row in element.findall(f"{G}covarianceMatrix/{G}row")
        ]
        distance = element.find(f"{G}distanceSquare")
        n = len(dimensions)
        if mean is None or distance is None or len(rows) != n or any(len(r) != n for r in rows):
            raise self._bad(f"the ellipsoid {name} lacks its mean, covariance or distance")
        square = self._number(distance, f"{D}value")
        centre = self._coordinates(mean)
        return EllipsoidGate(name, dimensions, centre, tuple(rows), square, parent)

    def _quadrant(self, element: Element) -> QuadrantGate:
        name, parent = self._name(element)
        dividers = element.findall(f"{G}divider")
        ids = [d.get(f"{G}id", "") for d in dividers]
        values = [
            tuple(sorted(float(v.text or "nan") for v in d.findall(f"{G}value"))) for d in dividers
        ]
        cells = []
        for quadrant in element.findall(f"{G}Quadrant"):
            wanted = [-1] * len(ids)
            for position in quadrant.findall(f"{G}position"):
                divider = position.get(f"{G}divider_ref", "")
                if divider not in ids:
                    raise self._bad(f"the quadrant gate {name} has no divider '{divider}'")
                k = ids.index(divider)
                at = self._number(position, f"{G}location")
                wanted[k] = int(np.searchsorted(np.array(values[k]), at, side="right"))
            cells.append((self._called(quadrant.get(f"{G}id", "")), tuple(wanted)))
        dimensions = tuple(self._dimension(d) for d in dividers)
        return QuadrantGate(name, dimensions, tuple(values), tuple(cells), parent)

    def _boolean(self, element: Element) -> BooleanGate:
        name, parent = self._name(element)
        for operation in ("and", "or", "not"):
            part = element.find(f"{G}{operation}")
            if part is not None:
                references = tuple(
                    Reference(
                        self._called(r.get(f"{G}ref", "")),
                        r.get(f"{G}use-as-complement", "false") == "true",
                    )
                    for r in part.findall(f"{G}gateReference")
                )
                if not references or (operation == "not" and len(references) != 1):
                    raise self._bad(f"the boolean gate {name} refers to too few or many gates")
                return BooleanGate(name, operation, references, parent)
        raise self._bad(f"the boolean gate {name} is none of and, or, not")
