"""Units at the edges: parsing, conversion and checks. Inside, arrays are plain floats.

The unit registry is loaded on first use, because it is heavy.
"""

from __future__ import annotations

import math
import re
from functools import lru_cache
from typing import Any

from statera.errors import InputError

__all__ = ["convert", "is_unit", "molar_from_mass", "parse_quantity", "same_dimension"]

# Units as printed in the field, and what the registry calls them.
_WRITTEN = {
    "fraction": "dimensionless",
    "ratio": "dimensionless",
    "%": "percent",
    "% dose": "percent",
    "mL/min/1.73m2": "mL/min/normalised_surface",
    "mL/min/1.73 m2": "mL/min/normalised_surface",
    "cells/uL": "count/uL",
    "yr": "year",
    "y": "year",
    "years": "year",
}
_QUANTITY = re.compile(r"^\s*([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)\s*([^\d\s].*?)\s*$")


@lru_cache(maxsize=1)
def _registry() -> Any:
    import pint  # noqa: PLC0415  heavy: only when a unit has to be parsed

    registry = pint.UnitRegistry()
    registry.define("normalised_surface = [] = m2n")
    registry.define("molar = mol / liter = M")
    return registry


@lru_cache(maxsize=512)
def _unit(text: str) -> Any:
    written = _WRITTEN.get(text.strip(), text.strip())
    registry = _registry()
    try:
        return registry.Unit(written.replace("µ", "u").replace("μ", "u"))
    except Exception as error:  # the registry raises many unrelated types
        raise InputError(
            f"'{text}' is not a unit",
            hint="Write units as mg, ug, ng/mL, nM, L/h, h, day or mL/min/1.73m2.",
        ) from error


def is_unit(text: str) -> bool:
    """Return True where `text` can be parsed as a unit."""
    try:
        _unit(text)
    except InputError:
        return False
    return True


def same_dimension(first: str, second: str) -> bool:
    """Return True where one unit can be converted to the other by a factor."""
    return bool(_unit(first).dimensionality == _unit(second).dimensionality)


@lru_cache(maxsize=512)
def _factor(unit: str, target: str) -> float:
    registry = _registry()
    source_unit, target_unit = _unit(unit), _unit(target)
    if source_unit.dimensionality != target_unit.dimensionality:
        raise InputError(
            f"cannot convert '{unit}' to '{target}': they measure different things",
            hint=f"Give the value in a unit like {target}.",
        )
    return float(registry.Quantity(1.0, source_unit).to(target_unit).magnitude)


def convert(value: float, unit: str, target: str) -> float:
    """Convert `value` from `unit` to `target`.

    Raises
    ------
    InputError
        If a unit is unknown or the two measure different things.
    """
    return value * _factor(unit, target)


def parse_quantity(text: str, target: str, *, what: str = "quantity") -> float:
    """Parse text such as ``"4 mg"`` and return it in `target`.

    Raises
    ------
    InputError
        If the text is not a number with a unit, or the unit does not fit.
    """
    match = _QUANTITY.match(text)
    if match is None:
        raise InputError(
            f"'{text}' is not a {what}",
            hint=f"Write a number and a unit, such as '1 {target}'.",
        )
    value = convert(float(match.group(1)), match.group(2), target)
    if not math.isfinite(value):
        raise InputError(f"'{text}' is not a finite {what}")
    return value


def molar_from_mass(ng_per_mL: float, molar_mass: float) -> float:
    """Convert ng/mL to nM for a molar mass in g/mol."""
    return ng_per_mL / molar_mass * 1000.0
