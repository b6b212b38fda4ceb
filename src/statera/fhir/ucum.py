"""Units of results as UCUM codes."""

from __future__ import annotations

import re

__all__ = ["ucum_code"]

_WHOLE = {
    "": "1",
    "%": "%",
    "mL/min/1.73m2": "mL/min/{1.73_m2}",
    "mL/min/1.73 m2": "mL/min/{1.73_m2}",
}
# What is printed and what UCUM calls it; molar units are short in the field.
_ATOMS = {
    "h": "h", "day": "d", "d": "d", "min": "min", "week": "wk",
    "L": "L", "mL": "mL", "dL": "dL", "uL": "uL",
    "g": "g", "kg": "kg", "mg": "mg", "ug": "ug", "ng": "ng", "pg": "pg",
    "mol": "mol", "mmol": "mmol", "umol": "umol", "nmol": "nmol", "pmol": "pmol",
    "M": "mol/L", "uM": "umol/L", "nM": "nmol/L",
    "1": "1", "%": "%",
}  # fmt: skip


def ucum_code(unit: str) -> str | None:
    """Return the UCUM code of a unit as results print it, or None where there is none known.

    A unit is atoms joined by ``*`` and at most one ``/``, such as ``ng*h/mL``.
    """
    unit = unit.strip()
    if unit in _WHOLE:
        return _WHOLE[unit]
    above, slash, below = unit.partition("/")
    if not above or (slash and not below):
        return None
    tops, bottoms = re.split(r"[*.]", above), re.split(r"[*.]", below) if below else []
    if any(atom not in _ATOMS for atom in (*tops, *bottoms)):
        return None
    if any("/" in _ATOMS[atom] for atom in bottoms):
        return None
    top = [_ATOMS[atom].split("/")[0] for atom in tops]
    bottom = [part for atom in tops for part in _ATOMS[atom].split("/")[1:]]
    bottom += [_ATOMS[atom] for atom in bottoms]
    # UCUM reads from left to right: every divisor has its own line
    return ".".join(top) + "".join(f"/{part}" for part in bottom)
