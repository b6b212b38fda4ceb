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

    A unit is atoms joined by ``*`` and ``/``, such as ``ng*h/mL``. Both here and in UCUM it is read
    from left to right: ``ng/mL*h`` is ng/mL times h.
    """
    unit = unit.strip()
    if unit in _WHOLE:
        return _WHOLE[unit]
    words = re.split(r"([*./])", unit)
    code = ""
    for operator, atom in zip(["", *words[1::2]], words[::2], strict=True):
        known = _ATOMS.get(atom)
        if known is None or (operator == "/" and "/" in known):
            return None
        code += f"{operator.replace('*', '.')}{known}"
    return code
