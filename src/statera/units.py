"""Units at the edges: parsing, conversion and checks. Inside, arrays are plain floats.

The unit registry is loaded on first use, because it is heavy. All functions may be called from
several threads at once.
"""

from __future__ import annotations

import math
import re
from functools import lru_cache
from threading import RLock
from typing import Any

from statera.errors import InputError

__all__ = ["convert", "is_unit", "molar_from_mass", "parse_quantity", "same_dimension"]

# Whole units as printed in the field, and what the registry calls them.
_WRITTEN = {
    "fraction": "dimensionless",
    "frac": "dimensionless",
    "ratio": "dimensionless",
    "fold": "dimensionless",
    "% dose": "percent",
    "mL/min/1.73m2": "mL/min/standard_body_surface",
    "mL/min/1.73 m2": "mL/min/standard_body_surface",
    "mL/min/1.73 m^2": "mL/min/standard_body_surface",
    "mL/min/1.73m^2": "mL/min/standard_body_surface",
    "10^9/L": "gigacount/L",
    "10^9 cells/L": "gigacount/L",
}
# Units the registry lacks. A clearance normalised to body surface is a flow per area: it converts
# to mL/min/m**2, and never to mL/min, for which the surface of the patient is needed.
_DEFINED = (
    "standard_body_surface = 1.73 * meter ** 2",
    "@alias count = cell = cells",
    "@alias year = y",
    "@alias week = wk",
)
# What a unit may look like: names with small powers, joined by * / . or a space. The registry
# itself would also read comments, statements ('mg;h') and towers of powers that take for ever.
_NAME = r"[A-Za-z_%]+(?:(?:\^|\*\*)?-?[1-9])?"
_UNIT = re.compile(rf"(?:1\s*/\s*)?\(?{_NAME}(?:(?:\s*[*/.]\s*\(?|\s+){_NAME}\)?)*")
_LONGEST_UNIT = 60
_NUMBER = r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?"
_QUANTITY = re.compile(rf"\s*({_NUMBER})\s*(.*?)\s*", re.ASCII | re.DOTALL)
_SAME_SIGN = str.maketrans({"µ": "u", "μ": "u", "·": "*", "⋅": "*", "×": "*", "²": "2", "³": "3"})

# The registry is built once and is not safe to use from several threads.
_LOCK = RLock()


@lru_cache(maxsize=1)
def _registry() -> Any:
    """Build the registry; to be called with the lock held, so that there is only one."""
    import pint  # noqa: PLC0415  heavy: only when a unit has to be parsed

    registry: Any = pint.UnitRegistry()
    for definition in _DEFINED:
        registry.define(definition)
    return registry


@lru_cache(maxsize=512)
def _unit(text: str) -> Any:
    written = _readable(text)
    try:
        if written is None:
            raise ValueError("not in the grammar of units")
        with _LOCK:
            return _registry().Unit(written)
    except Exception as error:  # the registry raises many unrelated types
        raise InputError(
            f"'{_shortened(text)}' is not a unit",
            hint="Write units as mg, ug, ng/mL, nM, L/h, h, day or mL/min/1.73m2.",
        ) from error


def _readable(text: str) -> str | None:
    """Return `text` as the registry writes it, or None where it cannot be a unit."""
    plain = text.strip().translate(_SAME_SIGN)
    if plain in _WRITTEN:
        return _WRITTEN[plain]
    if plain == "":
        return "dimensionless"
    if len(plain) > _LONGEST_UNIT or _UNIT.fullmatch(plain) is None:
        return None
    # The registry wants a sign before a power: m2 is m**2, h-1 is h**-1.
    return re.sub(r"(?<=[A-Za-z_%])(-?[1-9])", r"**\1", plain)


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST_UNIT else text[:_LONGEST_UNIT] + "..."


def is_unit(text: str) -> bool:
    """Return True where `text` can be parsed as a unit; the empty text is a pure number."""
    try:
        _unit(text)
    except InputError:
        return False
    return True


def same_dimension(first: str, second: str) -> bool:
    """Return True where one unit can be converted to the other by a factor.

    Raises
    ------
    InputError
        If one of them is not a unit.
    """
    return bool(
        _unit(first).dimensionality == _unit(second).dimensionality
        and (_is_by_factor(first) and _is_by_factor(second))
    )


@lru_cache(maxsize=512)
def _is_by_factor(unit: str) -> bool:
    """Return False for units with an offset (degC) or a logarithm (dB)."""
    parsed = _unit(unit)
    with _LOCK:
        return bool(_registry().Quantity(1.0, parsed)._is_multiplicative)


@lru_cache(maxsize=512)
def _factor(unit: str, target: str) -> float:
    source_unit, target_unit = _unit(unit), _unit(target)
    if source_unit == target_unit:
        return 1.0
    if source_unit.dimensionality != target_unit.dimensionality:
        raise InputError(
            f"cannot convert '{unit}' to '{target}': they measure different things",
            hint=f"Give the value in a unit like {target or 'a pure number'}.",
        )
    if not (_is_by_factor(unit) and _is_by_factor(target)):
        raise InputError(
            f"cannot convert '{unit}' to '{target}': it takes more than a factor",
            hint=f"Give the value in {target}.",
        )
    with _LOCK:
        return float(_registry().Quantity(1.0, source_unit).to(target_unit).magnitude)


def convert(value: float, unit: str, target: str) -> float:
    """Convert `value` from `unit` to `target`.

    Raises
    ------
    InputError
        If a unit is unknown, the two measure different things, or the conversion is not by a
        factor (temperatures with an offset, logarithmic units).
    """
    return value * _factor(unit, target)


def parse_quantity(text: str, target: str, *, what: str = "quantity") -> float:
    """Parse text such as ``"4 mg"`` and return it in `target`.

    A number without a unit is accepted only where `target` is a pure number.

    Raises
    ------
    InputError
        If the text is not a finite number with a unit, or the unit does not fit.
    """
    match = _QUANTITY.fullmatch(text)
    hint = f"Write a number and a unit, such as '1 {target}'." if target else "Write a number."
    if match is None:
        raise InputError(f"'{_shortened(text)}' is not a {what}", hint=hint)
    number, unit = match.groups()
    if unit == "" and not _unit(target).dimensionless:
        raise InputError(f"'{text}' has no unit", hint=hint)
    value = convert(float(number), unit, target)
    if not math.isfinite(value):
        raise InputError(f"'{_shortened(text)}' is not a finite {what}", hint=hint)
    return value


def molar_from_mass(ng_per_mL: float, molar_mass: float) -> float:
    """Convert ng/mL to nM for a molar mass in g/mol.

    Raises
    ------
    InputError
        If the molar mass is not a positive number.
    """
    if not (molar_mass > 0.0 and math.isfinite(molar_mass)):
        raise InputError(
            f"a molar mass of {molar_mass:g} g/mol is not possible",
            hint="Give the molar mass in g/mol as a positive number.",
        )
    return ng_per_mL / molar_mass * 1000.0
