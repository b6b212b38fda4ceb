"""Laboratory values that labels cut on, with their units; a slip of unit is named."""

from __future__ import annotations

import math
import re

from statera.errors import InputError

__all__ = ["ANALYTES", "parse_laboratory", "to_canonical"]

ANALYTES: dict[str, str] = {"ALC": "10^9/L", "ANC": "10^9/L", "PLT": "10^9/L", "Hb": "g/dL"}
"""Analytes of label rules and the unit in which they are compared."""

_FACTORS: dict[str, dict[str, float]] = {
    "10^9/L": {"10^9/l": 1.0, "10e9/l": 1.0, "g/l": 1.0, "cells/ul": 1e-3, "/ul": 1e-3,
               "cells/mm3": 1e-3, "/mm3": 1e-3, "10^3/ul": 1.0, "k/ul": 1.0},
    "g/dL": {"g/dl": 1.0, "g/l": 0.1},
}  # fmt: skip
# "G/L" (giga per litre) is written for counts in some countries; for haemoglobin g/L is gram.

# Wider than anything survived; only there to catch slips of unit, in the canonical unit.
_PLAUSIBLE = {"ALC": (0.0, 300.0), "ANC": (0.0, 200.0), "PLT": (0.0, 5000.0), "Hb": (2.0, 26.0)}
_FEWEST_PER_UL = 10.0
_TEXT = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(\S.*?)?\s*")


def to_canonical(value: float, unit: str, analyte: str) -> float:
    """Return a value in the unit of `ANALYTES`.

    Raises
    ------
    InputError
        If the unit is not one of the analyte, or the value cannot be meant.
    """
    wanted = ANALYTES[analyte]
    word = unit.strip().replace("µ", "u").replace("μ", "u").replace("⁹", "^9").lower()
    factor = _FACTORS[wanted].get(word.replace(" ", ""))
    if factor is None:
        known = "10^9/L or cells/uL" if wanted == "10^9/L" else "g/dL or g/L"
        raise InputError(
            f"{analyte} has the unit '{unit}'" if unit.strip() else f"{analyte} has no unit",
            hint=f"Give {known}, such as '{_example(analyte)}': a unit is never guessed.",
        )
    found = value * factor
    low, high = _PLAUSIBLE[analyte]
    slipped = wanted == "10^9/L" and factor == 1e-3 and 0.0 < value < _FEWEST_PER_UL
    if not math.isfinite(found) or not low <= found <= high or slipped:
        raise InputError(
            f"{analyte} is {value:g} {unit}, which is implausible",
            hint=f"Check whether the unit is another; expected {low:g} to {high:g} {wanted}.",
        )
    return found


def parse_laboratory(text: str, analyte: str) -> float:
    """Return a value such as ``0.4 10^9/L`` or ``450 cells/uL`` in the unit of `ANALYTES`.

    Raises
    ------
    InputError
        If it is no number with a unit of the analyte.
    """
    match = _TEXT.fullmatch(text)
    if match is None:
        raise InputError(
            f"{analyte} is '{text}', not a number with a unit",
            hint=f"Write for instance '{_example(analyte)}'.",
        )
    return to_canonical(float(match.group(1)), match.group(2) or "", analyte)


def _example(analyte: str) -> str:
    return {"Hb": "11.2 g/dL", "PLT": "250 10^9/L"}.get(analyte, "1.2 10^9/L")
