"""Units of SBML: as text, and as powers of the seven bases and ``item`` with a factor."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from statera.pathway.sbml_file import SbmlFile, sbml_library
from statera.pathway.unit_powers import UnitPowers

__all__ = ["Unit", "Units"]

_PREFIX = {
    -15: "f", -12: "p", -9: "n", -6: "u", -3: "m", -2: "c", -1: "d", 0: "", 3: "k", 6: "M",
}  # fmt: skip
_SHORT = {
    "mole": "mol", "litre": "L", "liter": "L", "second": "s", "gram": "g", "metre": "m",
    "meter": "m", "kilogram": "kg", "kelvin": "K", "joule": "J", "newton": "N", "hertz": "Hz",
    "volt": "V", "ampere": "A", "pascal": "Pa", "watt": "W", "katal": "kat", "candela": "cd",
    "coulomb": "C", "farad": "F", "siemens": "S", "ohm": "ohm",
}  # fmt: skip
_TIMES = {60.0: "min", 3600.0: "h", 86400.0: "day", 604800.0: "week"}
_LEVEL_2 = {
    "substance": "mole", "volume": "litre", "area": "metre^2", "length": "metre", "time": "second",
}  # fmt: skip


@dataclass(frozen=True)
class Unit:
    """A unit: its text, and what it is; both empty and None where nothing is declared."""

    text: str = ""
    powers: UnitPowers | None = None

    def per(self, other: Unit) -> Unit:
        """Return this unit divided by another; undeclared where one of them is."""
        if self.powers is None or other.powers is None:
            return Unit()
        if not other.powers.exponents and other.powers.factor == 1.0:
            return self
        below = f"({other.text})" if "/" in other.text or "*" in other.text else other.text
        above = "1" if self.text == "dimensionless" else self.text
        return Unit(f"{above}/{below}", self.powers * other.powers**-1)


@dataclass(frozen=True)
class Units:
    """Units of the elements of one file, as they are declared: nothing is inferred."""

    file: SbmlFile

    def named(self, name: str) -> Unit:
        """Return the unit of a name; nothing where the name is empty or unknown."""
        model = self.file.model
        definition = model.getUnitDefinition(name) if name else None
        if definition is not None:
            return _defined(definition)
        if model.getLevel() < 3 and name in _LEVEL_2:
            kind, _, power = _LEVEL_2[name].partition("^")
            return _of([(kind, float(power or 1), 0, 1.0)])
        kind = sbml_library().UnitKind_forName(name)
        if kind == sbml_library().UNIT_KIND_INVALID:
            return Unit()
        return _of([(name, 1.0, 0, 1.0)])

    def time(self) -> Unit:
        """Return the unit of time; second where level 2 says nothing."""
        return self.named(self.file.model.getTimeUnits() if self._level_3 else "time")

    def extent(self) -> Unit:
        """Return the unit of what reactions turn over."""
        return self.named(self.file.model.getExtentUnits() if self._level_3 else "substance")

    def compartment(self, element: Any) -> Unit:
        """Return the unit of a compartment's size."""
        if element.getUnits():
            return self.named(element.getUnits())
        dimensions = element.getSpatialDimensionsAsDouble()
        kind = {3.0: "volume", 2.0: "area", 1.0: "length"}.get(dimensions, "")
        if not self._level_3:
            return self.named(kind)
        model = self.file.model
        names = {
            "volume": model.getVolumeUnits(),
            "area": model.getAreaUnits(),
            "length": model.getLengthUnits(),
        }
        return self.named(names.get(kind, ""))

    def species(self, element: Any, amount: bool) -> Unit:
        """Return the unit that the symbol of a species has in formulas."""
        name = element.getSubstanceUnits()
        if not name:
            name = self.file.model.getSubstanceUnits() if self._level_3 else "substance"
        substance = self.named(name)
        if amount:
            return substance
        size = element.getSpatialSizeUnits() if not self._level_3 else ""
        compartment = self.file.model.getCompartment(element.getCompartment())
        return substance.per(self.named(size) if size else self.compartment(compartment))

    def parameter(self, element: Any) -> Unit:
        """Return the unit of a parameter."""
        return self.named(element.getUnits())

    @property
    def _level_3(self) -> bool:
        return bool(self.file.model.getLevel() >= 3)


def _defined(definition: Any) -> Unit:
    lib = sbml_library()
    units = [definition.getUnit(i) for i in range(definition.getNumUnits())]
    return _of(
        [
            (
                lib.UnitKind_toString(u.getKind()),
                u.getExponentAsDouble(),
                u.getScale(),
                u.getMultiplier(),
            )
            for u in units
        ]
    )


def _of(units: list[tuple[str, float, int, float]]) -> Unit:
    """Return the product of kinds with exponent, scale and multiplier."""
    powers = UnitPowers()
    above: list[str] = []
    below: list[str] = []
    for kind, exponent, scale, multiplier in units:
        if math.isnan(exponent) or math.isnan(multiplier):
            return Unit()
        factor = multiplier * 10.0**scale
        one = UnitPowers.of_kind(kind)
        powers = powers * UnitPowers(one.factor * factor, one.exponents) ** exponent
        text = _text(kind, scale, multiplier)
        if text and exponent:
            power = "" if abs(exponent) == 1 else f"^{abs(exponent):g}"
            (above if exponent > 0 else below).append(f"{text}{power}")
    if not above and not below:
        return Unit("dimensionless", powers)
    return Unit("/".join(["*".join(above) or "1", *below]), powers)


def _text(kind: str, scale: int, multiplier: float) -> str:
    factor = multiplier * 10.0**scale
    if kind in {"dimensionless", "radian", "steradian"}:
        return "" if factor == 1 else f"({factor:g})"
    if kind == "second" and factor in _TIMES:
        return _TIMES[factor]
    short = _SHORT.get(kind, kind)
    if multiplier == 1 and scale in _PREFIX and kind not in {"kilogram", "item"}:
        return _PREFIX[scale] + short
    return short if factor == 1 else f"({factor:g} {short})"
