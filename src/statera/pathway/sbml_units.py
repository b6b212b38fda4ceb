"""Units of SBML as text, and where the two sides of a formula have different ones."""

from __future__ import annotations

from typing import Any

from statera.pathway.sbml_file import SbmlFile, sbml_library

__all__ = ["time_unit", "unit_text"]

_PREFIX = {
    -15: "f", -12: "p", -9: "n", -6: "u", -3: "m", -2: "c", -1: "d", 0: "", 3: "k", 6: "M",
}  # fmt: skip
_SHORT = {
    "mole": "mol", "litre": "L", "liter": "L", "second": "s", "gram": "g", "metre": "m",
    "meter": "m", "kilogram": "kg", "kelvin": "K", "item": "item", "joule": "J", "newton": "N",
    "hertz": "Hz", "volt": "V", "ampere": "A", "pascal": "Pa", "watt": "W", "katal": "kat",
}  # fmt: skip
_TIMES = {60.0: "min", 3600.0: "h", 86400.0: "day", 604800.0: "week"}


def unit_text(definition: Any) -> str:
    """Return a unit definition of libsbml as text, such as ``nmol/L``; empty where it has none."""
    if definition is None:
        return ""
    above: list[str] = []
    below: list[str] = []
    for index in range(definition.getNumUnits()):
        unit = definition.getUnit(index)
        text = _one(unit)
        if not text:
            continue
        exponent = unit.getExponentAsDouble()
        size = abs(exponent)
        power = "" if size == 1 else f"^{size:g}"
        (above if exponent > 0 else below).append(f"{text}{power}")
    if not above and not below:
        return "dimensionless" if definition.getNumUnits() else ""
    return "/".join(["*".join(above) or "1", *below])


def _one(unit: Any) -> str:
    lib = sbml_library()
    kind: str = lib.UnitKind_toString(unit.getKind())
    if unit.getExponentAsDouble() == 0:
        return ""
    scale, multiplier = unit.getScale(), unit.getMultiplier()
    if kind == "dimensionless":
        factor = multiplier * 10.0**scale
        return "" if factor == 1 else f"({factor:g})"
    if kind == "second" and multiplier * 10.0**scale in _TIMES:
        return _TIMES[multiplier * 10.0**scale]
    short = _SHORT.get(kind, kind)
    if multiplier == 1 and scale in _PREFIX and kind != "kilogram":
        return _PREFIX[scale] + short
    factor = multiplier * 10.0**scale
    return short if factor == 1 else f"({factor:g} {short})"


def time_unit(file: SbmlFile) -> str:
    """Return the unit of time; second where level 2 says nothing, empty where level 3 does not."""
    model = file.model
    if model.getLevel() >= 3:
        name: str = model.getTimeUnits()
        if not name:
            return ""
    else:
        name = "time"
    definition = model.getUnitDefinition(name)
    if definition is not None:
        return unit_text(definition)
    return {"second": "s", "time": "s"}.get(name, name)
