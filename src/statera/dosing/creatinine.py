"""Serum creatinine and cystatin C with their units; a slip of unit is named as an error."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from statera.errors import InputError

__all__ = ["UMOL_PER_MG", "Creatinine", "CystatinC", "read_creatinine", "read_cystatin"]

UMOL_PER_MG = 88.4
"""umol/L in 1 mg/dL of creatinine (113.12 g/mol), the factor of the equations' authors.

88.42, which some programs use, changes an estimate by less than 0.05 %.
"""

# Between a newborn and an untreated kidney failure. Outside, a slip of unit is far likelier than
# the value, and the value can be confirmed.
_LOWEST_MG_DL, _HIGHEST_MG_DL = 0.1, 20.0
# Inside, but rare enough to be looked at once more.
_LOW_REMARK, _HIGH_REMARK = 0.3, 10.0
_CYSTATIN = (0.2, 10.0)


@dataclass(frozen=True)
class Creatinine:
    """A concentration of creatinine in serum or plasma.

    Attributes
    ----------
    value
        In `unit`.
    unit
        ``"umol/L"`` or ``"mg/dL"``.
    confirmed
        True where somebody has checked that an implausible value is meant.

    Raises
    ------
    InputError
        If the unit is not known, the value is not positive, or it is implausible and not
        confirmed. Where the same number in the other unit would be plausible, that is said.
    """

    value: float
    unit: str
    confirmed: bool = False

    def __post_init__(self) -> None:
        unit = _UNITS.get(self.unit.strip().lower().replace(" ", ""))
        if unit is None:
            raise InputError(
                f"creatinine has the unit '{self.unit}'"
                if self.unit.strip()
                else "creatinine has no unit",
                where="creatinine",
                hint="Give umol/L or mg/dL: a unit is never guessed.",
            )
        object.__setattr__(self, "unit", unit)
        if not math.isfinite(self.value) or self.value <= 0.0:
            raise InputError(
                f"creatinine is {self.value:g} {unit}",
                where="creatinine",
                hint="Give a number above 0.",
            )
        if not self.confirmed and not _plausible(self.mg_dl):
            raise _implausible(self)

    @property
    def mg_dl(self) -> float:
        """The value in mg/dL."""
        return self.value if self.unit == "mg/dL" else self.value / UMOL_PER_MG

    @property
    def umol_l(self) -> float:
        """The value in umol/L."""
        return self.value if self.unit == "umol/L" else self.value * UMOL_PER_MG

    @property
    def remarks(self) -> tuple[str, ...]:
        """Sentences on a value that is possible and unusual; empty for most values."""
        both = f"{self.umol_l:.4g} umol/L ({self.mg_dl:.3g} mg/dL)"
        if self.mg_dl < _LOW_REMARK:
            return (
                f"Creatinine of {both} is unusually low beyond infancy: equations overestimate "
                "renal function where muscle mass is small. Check value and unit.",
            )
        if self.mg_dl > _HIGH_REMARK:
            return (
                f"Creatinine of {both} is unusually high: check value and unit, and whether the "
                "person is on dialysis, where no equation holds.",
            )
        return ()

    def shifted(self, umol_l: float) -> Creatinine:
        """Return the value after adding `umol_l`, in umol/L.

        Raises
        ------
        InputError
            If nothing is left.
        """
        return Creatinine(self.umol_l + umol_l, "umol/L", confirmed=True)

    def __str__(self) -> str:
        return f"{self.value:g} {self.unit}"


@dataclass(frozen=True)
class CystatinC:
    """A concentration of cystatin C, by an assay standardised to ERM-DA471/IFCC.

    Attributes
    ----------
    value
        In `unit`.
    unit
        ``"mg/L"`` or ``"mg/dL"``.
    confirmed
        True where somebody has checked that an implausible value is meant.

    Raises
    ------
    InputError
        If the unit is not known, the value is not positive, or it is implausible and not
        confirmed.
    """

    value: float
    unit: str = "mg/L"
    confirmed: bool = False

    def __post_init__(self) -> None:
        unit = {"mg/l": "mg/L", "mg/dl": "mg/dL"}.get(self.unit.strip().lower())
        if unit is None:
            raise InputError(
                f"cystatin C has the unit '{self.unit}'"
                if self.unit.strip()
                else "cystatin C has no unit",
                where="cystatin C",
                hint="Give mg/L or mg/dL.",
            )
        object.__setattr__(self, "unit", unit)
        low, high = _CYSTATIN
        if not math.isfinite(self.value) or self.value <= 0.0:
            raise InputError(
                f"cystatin C is {self.value:g} {unit}",
                where="cystatin C",
                hint="Give a number above 0.",
            )
        if not self.confirmed and not low <= self.mg_l <= high:
            other = "mg/dL" if unit == "mg/L" else "mg/L"
            raise InputError(
                f"cystatin C is {self.value:g} {unit}, outside {low:g} to {high:g} mg/L",
                where="cystatin C",
                hint=f"Check whether the unit is {other}; confirm the value if it is meant.",
            )

    @property
    def mg_l(self) -> float:
        """The value in mg/L."""
        return self.value if self.unit == "mg/L" else self.value * 10.0

    def __str__(self) -> str:
        return f"{self.value:g} {self.unit}"


def read_creatinine(text: str, *, confirmed: bool = False) -> Creatinine:
    """Return the creatinine in a text such as ``93 umol/L`` or ``1.05 mg/dL``.

    Raises
    ------
    InputError
        If it is not a number with a unit, or the value is refused by `Creatinine`.
    """
    value, unit = _number_and_unit(text, "creatinine", "93 umol/L or 1.05 mg/dL")
    return Creatinine(value, unit, confirmed)


def read_cystatin(text: str, *, confirmed: bool = False) -> CystatinC:
    """Return the cystatin C in a text such as ``0.9 mg/L``.

    Raises
    ------
    InputError
        If it is not a number with a unit, or the value is refused by `CystatinC`.
    """
    value, unit = _number_and_unit(text, "cystatin C", "0.9 mg/L")
    return CystatinC(value, unit, confirmed)


def _number_and_unit(text: str, name: str, example: str) -> tuple[float, str]:
    found = _NUMBER_AND_UNIT.fullmatch(text.strip())
    if found is None:
        raise InputError(
            f"{name} is '{text}', which is not a number with a unit",
            where=name,
            hint=f"Write {example}, with a decimal point.",
        )
    return float(found[1]), found[2]


_NUMBER_AND_UNIT = re.compile(r"([0-9]+\.?[0-9]*)\s*(\S*)")
_UNITS = {
    "umol/l": "umol/L",
    "µmol/l": "umol/L",
    "μmol/l": "umol/L",
    "mg/dl": "mg/dL",
}


def _plausible(mg_dl: float) -> bool:
    return _LOWEST_MG_DL <= mg_dl <= _HIGHEST_MG_DL


def _implausible(given: Creatinine) -> InputError:
    """Return the error that says which slip would explain the value."""
    other = "mg/dL" if given.unit == "umol/L" else "umol/L"
    swapped = given.value if other == "mg/dL" else given.value / UMOL_PER_MG
    here, there = f"{given.value:g} {given.unit}", f"{given.value:g} {other}"
    also = f"{given.umol_l:.4g} umol/L" if given.unit == "mg/dL" else f"{given.mg_dl:.3g} mg/dL"
    if _plausible(swapped):
        hint = (
            f"{there} would be plausible: give the unit {other}, or confirm that {here} is meant."
        )
    else:
        hint = "Check value and unit, or confirm that the value is meant."
    return InputError(
        f"creatinine is {here} (= {also}), which is implausible", where="creatinine", hint=hint
    )
