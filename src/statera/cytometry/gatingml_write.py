"""Write Gating-ML 2.0 (Spidlen and others, Cytometry A 2015, doi 10.1002/cyto.a.22690)."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

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
)
from statera.cytometry.gatingml import NAME, SCALES, D, G, T
from statera.cytometry.gatingml_convert import expressible
from statera.cytometry.scales import Scale
from statera.cytometry.strategy import GatingStrategy
from statera.cytometry.write_text import write_whole
from statera.errors import InputError

__all__ = ["Conversion", "gatingml_text", "write_gatingml"]

Element = ElementTree.Element
_KINDS = {made: (kind, letters) for kind, (made, letters) in SCALES.items()}


@dataclass(frozen=True)
class Conversion:
    """A gate that Gating-ML expresses in other terms.

    Attributes
    ----------
    gate
    sentence
        What was converted.
    """

    gate: str
    sentence: str


def write_gatingml(strategy: GatingStrategy, path: str | Path) -> tuple[Conversion, ...]:
    """Write gates to a file, all of them or none.

    Parameters
    ----------
    strategy
    path
        Replaced where it exists.

    Returns
    -------
    tuple
        What was expressed in other terms; the gates keep their events.

    Raises
    ------
    InputError
        If a gate cannot be expressed, each with its reason, or the file cannot be written.
    """
    text, conversions = gatingml_text(strategy)
    write_whole(text, path)
    return conversions


def gatingml_text(strategy: GatingStrategy) -> tuple[str, tuple[Conversion, ...]]:
    """Return gates as the text of a file, and what was expressed in other terms.

    Raises
    ------
    InputError
        If a gate cannot be expressed, each with its reason.
    """
    gates: list[Gate] = []
    conversions: list[Conversion] = []
    refused: list[str] = []
    for gate in strategy.gates:
        try:
            made, said = expressible(gate)
        except InputError as error:
            refused.append(f"{gate.name} {error.what}")
        else:
            gates.append(made)
            conversions += [Conversion(gate.name, sentence) for sentence in said]
    if refused:
        raise InputError(
            f"Gating-ML cannot express {len(refused)} of the gates: {'; '.join(refused)}",
            hint="Leave them out, or keep the gates as TOML.",
        )
    for prefix, space in (("gating", G), ("transforms", T), ("data-type", D)):
        ElementTree.register_namespace(prefix, space[1:-1])
    ElementTree.register_namespace("statera", NAME[1:].partition("}")[0])
    root = _Writer(strategy).root(gates)
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n', tuple(conversions)


@dataclass
class _Writer:
    strategy: GatingStrategy
    taken: set[str] = field(default_factory=set)
    names: dict[str, str] = field(default_factory=dict)
    matrices: dict[str, str] = field(default_factory=dict)
    scales: dict[Scale | Ratio, str] = field(default_factory=dict)
    made: list[Element] = field(default_factory=list)

    def root(self, gates: Iterable[Gate]) -> Element:
        root = Element(f"{G}Gating-ML")
        self.matrices = {UNCOMPENSATED: UNCOMPENSATED, FROM_FILE: FROM_FILE}
        for name in self.strategy.spillovers:
            self.matrices[name] = self.identifier(name)
            self.made.append(self.matrix(name))
        for gate in gates:
            populations = [gate.name]
            if isinstance(gate, QuadrantGate):
                populations += [name for name, _ in gate.quadrants]
            for name in populations:
                self.names.setdefault(name, self.identifier(name))
        elements = [self.gate(gate) for gate in gates]
        root.extend([*self.made, *elements])
        return root

    def identifier(self, name: str) -> str:
        """Return an identifier that XML allows and that stands once in the file."""
        plain = re.sub(r"[^A-Za-z0-9_.-]", "_", name)
        if not re.match(r"[A-Za-z_]", plain):
            plain = f"_{plain}"
        found, n = plain, 2
        while found in self.taken or found in (UNCOMPENSATED, FROM_FILE):
            found, n = f"{plain}_{n}", n + 1
        self.taken.add(found)
        return found

    def start(self, kind: str, name: str, identifier: str, space: str = G) -> Element:
        element = Element(f"{space}{kind}", {f"{space}id": identifier})
        if identifier != name:  # names hold what identifiers may not, such as blanks
            info = _child(element, f"{D}custom_info")
            _child(info, NAME).text = name
        return element

    def matrix(self, name: str) -> Element:
        spillover = self.strategy.spillovers[name]
        element = self.start("spectrumMatrix", name, self.matrices[name], T)
        for part, names in (("fluorochromes", spillover.dyes), ("detectors", spillover.detectors)):
            holder = _child(element, f"{T}{part}")
            for entry in names:
                _child(holder, f"{D}fcs-dimension", {f"{D}name": entry})
        for row in spillover.matrix:
            spectrum = _child(element, f"{T}spectrum")
            for value in row:
                _child(spectrum, f"{T}coefficient", {f"{T}value": _text(value)})
        return element

    def transformation(self, scale: Scale | Ratio) -> str:
        if scale not in self.scales:
            kind = "ratio" if isinstance(scale, Ratio) else type(scale).__name__.lower()
            self.scales[scale] = self.identifier(f"{kind}_{len(self.scales) + 1}")
            element = Element(f"{T}transformation", {f"{T}id": self.scales[scale]})
            if isinstance(scale, Ratio):
                tag, letters = "fratio", tuple("ABC")
            else:
                tag, letters = _KINDS[type(scale)]
            numbers = {f"{T}{k}": _text(getattr(scale, k)) for k in letters}
            part = _child(element, f"{T}{tag}", numbers)
            if isinstance(scale, Ratio):
                for name in (scale.numerator, scale.denominator):
                    _child(part, f"{D}fcs-dimension", {f"{D}name": name})
            self.made.append(element)
        return self.scales[scale]

    def dimension(self, holder: Element, kind: str, dimension: Dimension) -> Element:
        if dimension.compensation not in self.matrices:
            raise InputError(f"there is no matrix '{dimension.compensation}' among the gates")
        words = {f"{G}compensation-ref": self.matrices[dimension.compensation]}
        if dimension.scale is not None:
            words[f"{G}transformation-ref"] = self.transformation(dimension.scale)
        element = _child(holder, f"{G}{kind}", words)
        if isinstance(dimension.channel, Ratio):
            reference = {f"{D}transformation-ref": self.transformation(dimension.channel)}
            _child(element, f"{D}new-dimension", reference)
        else:
            _child(element, f"{D}fcs-dimension", {f"{D}name": self.dye(dimension)})
        return element

    def dye(self, dimension: Dimension) -> str:
        """Return the name of a compensated value, which Gating-ML calls by the dye."""
        channel = str(dimension.channel)
        matrix = self.strategy.spillovers.get(dimension.compensation)
        if matrix is None or channel in matrix.dyes or len(matrix.dyes) != len(matrix.detectors):
            return channel
        if channel in matrix.detectors:
            return matrix.dyes[matrix.detectors.index(channel)]
        return channel

    def gate(self, gate: Gate) -> Element:
        element = self.start(type(gate).__name__, gate.name, self.names[gate.name])
        if gate.parent:
            element.set(f"{G}parent_id", self.names[gate.parent])
        if isinstance(gate, RectangleGate):
            for dimension, low, high in zip(gate.dimensions, gate.low, gate.high, strict=True):
                side = self.dimension(element, "dimension", dimension)
                if low > -math.inf:
                    side.set(f"{G}min", _text(low))
                if high < math.inf:
                    side.set(f"{G}max", _text(high))
        elif isinstance(gate, PolygonGate):
            for dimension in gate.dimensions:
                self.dimension(element, "dimension", dimension)
            for point in gate.vertices:
                _values(_child(element, f"{G}vertex"), "coordinate", point)
        elif isinstance(gate, EllipsoidGate):
            self.ellipsoid(element, gate)
        elif isinstance(gate, QuadrantGate):
            self.quadrant(element, gate)
        else:
            self.boolean(element, gate)
        return element

    def ellipsoid(self, element: Element, gate: EllipsoidGate) -> None:
        for dimension in gate.dimensions:
            self.dimension(element, "dimension", dimension)
        _values(_child(element, f"{G}mean"), "coordinate", gate.mean)
        matrix = _child(element, f"{G}covarianceMatrix")
        for row in gate.covariance:
            _values(_child(matrix, f"{G}row"), "entry", row)
        _child(element, f"{G}distanceSquare", {f"{D}value": _text(gate.distance_square)})

    def quadrant(self, element: Element, gate: QuadrantGate) -> None:
        ids = []
        for dimension, values in zip(gate.dimensions, gate.dividers, strict=True):
            divider = self.dimension(element, "divider", dimension)
            ids.append(self.identifier(f"{self.names[gate.name]}_divider"))
            divider.set(f"{G}id", ids[-1])
            for value in values:
                _child(divider, f"{G}value").text = _text(value)
        for name, wanted in gate.quadrants:
            cell = self.start("Quadrant", name, self.names[name])
            element.append(cell)
            for k, interval in enumerate(wanted):
                if interval >= 0:
                    at = _within(gate.dividers[k], interval)
                    words = {f"{G}divider_ref": ids[k], f"{G}location": _text(at)}
                    _child(cell, f"{G}position", words)

    def boolean(self, element: Element, gate: BooleanGate) -> None:
        part = _child(element, f"{G}{gate.operation}")
        references = gate.references
        if gate.operation != "not" and len(references) == 1:
            references = references * 2  # two are demanded, and the second changes nothing
        for reference in references:
            words = {f"{G}ref": self.names[reference.name]}
            if reference.complement:
                words[f"{G}use-as-complement"] = "true"
            _child(part, f"{G}gateReference", words)


def _child(parent: Element, tag: str, words: dict[str, str] | None = None) -> Element:
    return ElementTree.SubElement(parent, tag, words or {})


def _values(holder: Element, kind: str, numbers: Iterable[float]) -> None:
    for number in numbers:
        _child(holder, f"{G}{kind}", {f"{D}value": _text(number)})


def _text(number: float) -> str:
    return repr(float(number))


def _within(dividers: tuple[float, ...], interval: int) -> float:
    """Return a value within an interval between dividers."""
    if interval == 0:
        return dividers[0] - max(1.0, abs(dividers[0]))
    if interval == len(dividers):
        return dividers[-1] + max(1.0, abs(dividers[-1]))
    below, above = dividers[interval - 1], dividers[interval]
    middle = below + (above - below) / 2
    return middle if middle < above else below
