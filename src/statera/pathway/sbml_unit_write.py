"""Texts of units as unit definitions of SBML."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from statera.errors import InputError

__all__ = ["UnitDefinitions"]

_PREFIX = {
    "f": -15, "p": -12, "n": -9, "u": -6, "µ": -6, "m": -3, "c": -2, "d": -1, "": 0, "k": 3, "M": 6,
}  # fmt: skip
_SHORT = {
    "mol": "mole", "L": "litre", "l": "litre", "s": "second", "g": "gram", "m": "metre",
    "K": "kelvin", "J": "joule", "N": "newton", "Hz": "hertz", "V": "volt", "A": "ampere",
    "Pa": "pascal", "W": "watt", "kat": "katal", "cd": "candela", "C": "coulomb", "F": "farad",
    "S": "siemens",
}  # fmt: skip
_WHOLE = {
    "min": ("second", 0, 60.0), "h": ("second", 0, 3600.0), "day": ("second", 0, 86400.0),
    "d": ("second", 0, 86400.0), "week": ("second", 0, 604800.0), "kg": ("kilogram", 0, 1.0),
}  # fmt: skip
_NAMES = {
    "item", "dimensionless", "avogadro", "becquerel", "gray", "henry", "lumen", "lux", "ohm",
    "sievert", "tesla", "weber", "radian", "steradian", "Celsius",
}  # fmt: skip
_FACTOR = r"\((?:[0-9.]+(?:[eE][+-]?[0-9]+)?)(?: ?[A-Za-z]+)?\)|[A-Za-zµ]+|1"
_PART = re.compile(rf"({_FACTOR})(?:\^([0-9.]+))?")
Part = tuple[str, float, int, float]


class UnitDefinitions:
    """Unit definitions of one file, made as they are asked for."""

    def __init__(self) -> None:
        self._by_text: dict[str, str] = {}
        self.elements: list[ET.Element] = []

    def name(self, text: str, owner: str) -> str:
        """Return the name of a unit; empty where the text is.

        Parameters
        ----------
        owner
            What has the unit, for the error.

        Raises
        ------
        InputError
            If the text is no unit that SBML can have.
        """
        if not text or text == "dimensionless":
            return text
        if text not in self._by_text:
            parts = _parts(text)
            if parts is None:
                raise InputError(
                    f"the unit '{text}' of {owner} cannot be written as SBML",
                    hint="Write units as nmol/L, 1/min, ng/mL or (0.06 s).",
                )
            name = "unit_" + re.sub(r"\W+", "_", text.replace("/", "_per_")).strip("_")
            while name in self._by_text.values():
                name += "_"
            self._by_text[text] = name
            self.elements.append(_definition(name, parts))
        return self._by_text[text]


def _definition(name: str, parts: list[Part]) -> ET.Element:
    element = ET.Element("unitDefinition", id=name)
    units = ET.SubElement(element, "listOfUnits")
    for kind, exponent, scale, multiplier in parts:
        ET.SubElement(
            units,
            "unit",
            kind=kind,
            exponent=f"{exponent:g}",
            scale=str(scale),
            multiplier=repr(multiplier),
        )
    return element


def _parts(text: str) -> list[Part] | None:
    """Return the factors of a unit; None where the text is not understood."""
    found: list[Part] = []
    sign, place = 1.0, 0
    plain = re.sub(r"/\(([^()0-9][^()]*)\)", lambda m: "/" + re.sub(r"[*/]", _turned, m[1]), text)
    while place < len(plain):
        match = _PART.match(plain, place)
        part = _one(match[1]) if match is not None else None
        if match is None or part is None:
            return None
        exponent = sign * float(match[2] or 1.0)
        if match[1] != "1":
            found += [(k, e * exponent, s, m) for k, e, s, m in part]
        place = match.end()
        if place < len(plain):
            if plain[place] not in "*/":
                return None
            sign = 1.0 if plain[place] == "*" else -1.0
            place += 1
    return found


def _turned(sign: re.Match[str]) -> str:
    return "/" if sign[0] == "*" else "*"


def _one(text: str) -> list[Part] | None:
    if text == "1":
        return [("dimensionless", 1.0, 0, 1.0)]
    if text.startswith("("):
        number, _, kind = text[1:-1].partition(" ")
        inner = _one(kind) if kind else [("dimensionless", 1.0, 0, 1.0)]
        if inner is None or len(inner) != 1:
            return None
        return [(inner[0][0], 1.0, inner[0][2], inner[0][3] * float(number))]
    if text in _WHOLE:
        kind, scale, multiplier = _WHOLE[text]
        return [(kind, 1.0, scale, multiplier)]
    if text in _NAMES or text in _SHORT.values():
        return [(text, 1.0, 0, 1.0)]
    for short, kind in _SHORT.items():
        prefix = text.removesuffix(short)
        if text.endswith(short) and prefix in _PREFIX:
            return [(kind, 1.0, _PREFIX[prefix], 1.0)]
    if text.endswith("M") and text[:-1] in _PREFIX:  # molar
        return [("mole", 1.0, _PREFIX[text[:-1]], 1.0), ("litre", -1.0, 0, 1.0)]
    return None
