"""The register of renal equations: what each needs and gives, where it holds, and its source."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from statera.dosing.ckd_epi import (
    ckd_epi_2009,
    ckd_epi_2012_cystatin,
    ckd_epi_2021,
    ckd_epi_2021_cystatin,
)
from statera.dosing.ckid_u25 import ckid_u25
from statera.dosing.clearance import RenalFunction
from statera.dosing.cockcroft_gault import cockcroft_gault
from statera.dosing.creatinine import Creatinine, CystatinC
from statera.dosing.ekfc import ekfc
from statera.dosing.lund_malmo import lund_malmo
from statera.dosing.mdrd import mdrd
from statera.dosing.person import Sex, check_age, check_height, check_weight
from statera.dosing.schwartz import bedside_schwartz, original_schwartz
from statera.errors import InputError

__all__ = ["RENAL_EQUATIONS", "RenalEquation", "RenalInputs"]


@dataclass(frozen=True)
class RenalInputs:
    """What is known of a person; what is not known is None, and nothing takes its place.

    Attributes
    ----------
    age
        Years.
    sex
    creatinine, cystatin
        In serum or plasma.
    weight_kg, height_cm
        Actual weight, kg, and height, cm.
    race_coefficient
        Whether the equations that have a factor for Black people apply it; None where nobody
        decided, and then those equations are not computed.
    born_at_term
        For the original Schwartz equation in the first year.

    Raises
    ------
    InputError
        If age, weight or height cannot be those of a person.
    """

    age: float | None = None
    sex: Sex | None = None
    creatinine: Creatinine | None = None
    cystatin: CystatinC | None = None
    weight_kg: float | None = None
    height_cm: float | None = None
    race_coefficient: bool | None = None
    born_at_term: bool | None = None

    def __post_init__(self) -> None:
        if self.age is not None:
            check_age(self.age)
        if self.weight_kg is not None:
            check_weight(self.weight_kg)
        if self.height_cm is not None:
            check_height(self.height_cm)


@dataclass(frozen=True)
class RenalEquation:
    """One equation.

    Attributes
    ----------
    id
        Such as ``ckd-epi-2021``.
    name
        As a reader knows it.
    indexed
        True where it gives mL/min/1.73 m2, False where mL/min.
    needs
        Fields of `RenalInputs` that it cannot do without.
    ages
        First age included and first age left out, years.
    source, doi
        Where it was published.
    compute
        The equation, of inputs that hold what it needs.
    """

    id: str
    name: str
    indexed: bool
    needs: tuple[str, ...]
    ages: tuple[float, float]
    source: str
    doi: str
    compute: Callable[[RenalInputs], RenalFunction]

    @property
    def short_source(self) -> str:
        """First author and year, such as ``Inker 2021``."""
        year = re.search(r"\b(19|20)\d\d\b", self.source)
        return f"{self.source.split()[0].rstrip(',')} {year[0] if year else ''}".rstrip()

    def missing(self, inputs: RenalInputs) -> tuple[str, ...]:
        """Return what is needed and not known."""
        return tuple(name for name in self.needs if getattr(inputs, name) is None)

    def __call__(self, inputs: RenalInputs) -> RenalFunction:
        """Return the estimate.

        Raises
        ------
        InputError
            If something needed is not known or cannot be that of a person.
        DomainError
            If the age is outside the range of the equation.
        """
        missing = self.missing(inputs)
        if missing:
            words = " and ".join(WORDS[name] for name in missing)
            raise InputError(
                f"{self.name} needs {words}",
                where=WORDS[missing[0]],
                hint="Give it; what is not known is never taken to be normal.",
            )
        return self.compute(inputs)


WORDS: Mapping[str, str] = MappingProxyType(
    {
        "age": "age",
        "sex": "sex",
        "creatinine": "creatinine",
        "cystatin": "cystatin C",
        "weight_kg": "weight",
        "height_cm": "height",
        "race_coefficient": "a decision on the race coefficient",
        "born_at_term": "whether the birth was at term",
    }
)
"""Fields of `RenalInputs` in words."""


def _calling(
    equation: Callable[..., RenalFunction],
    markers: tuple[str, ...],
    names: tuple[str, ...],
    **fixed: object,
) -> Callable[[RenalInputs], RenalFunction]:
    """Return a call of an equation with `markers` by position and `names` by name."""

    def compute(inputs: RenalInputs) -> RenalFunction:
        measured = [getattr(inputs, marker) for marker in markers]
        return equation(*measured, **{name: getattr(inputs, name) for name in names}, **fixed)

    return compute


_ADULTS = (18.0, math.inf)
_WHO = ("age", "sex")
_CREATININE = ("creatinine",)
_GAULT = ("Cockcroft DW, Gault MH. Nephron 1976;16:31-41", "10.1159/000180580")
_EQUATIONS = (
    RenalEquation(
        "cockcroft-gault",
        "Cockcroft-Gault, actual weight",
        False,
        ("creatinine", *_WHO, "weight_kg"),
        _ADULTS,
        *_GAULT,
        _calling(cockcroft_gault, _CREATININE, (*_WHO, "weight_kg")),
    ),
    RenalEquation(
        "cockcroft-gault-ideal",
        "Cockcroft-Gault, ideal weight",
        False,
        ("creatinine", *_WHO, "weight_kg", "height_cm"),
        _ADULTS,
        *_GAULT,
        _calling(cockcroft_gault, _CREATININE, (*_WHO, "weight_kg", "height_cm"), weight="ideal"),
    ),
    RenalEquation(
        "cockcroft-gault-adjusted",
        "Cockcroft-Gault, adjusted weight",
        False,
        ("creatinine", *_WHO, "weight_kg", "height_cm"),
        _ADULTS,
        *_GAULT,
        _calling(
            cockcroft_gault, _CREATININE, (*_WHO, "weight_kg", "height_cm"), weight="adjusted"
        ),
    ),
    RenalEquation(
        "ckd-epi-2021",
        "CKD-EPI 2021, creatinine",
        True,
        ("creatinine", *_WHO),
        _ADULTS,
        "Inker LA et al. N Engl J Med 2021;385:1737-1749",
        "10.1056/NEJMoa2102953",
        _calling(ckd_epi_2021, _CREATININE, _WHO),
    ),
    RenalEquation(
        "ckd-epi-2021-cystatin",
        "CKD-EPI 2021, creatinine and cystatin C",
        True,
        ("creatinine", "cystatin", *_WHO),
        _ADULTS,
        "Inker LA et al. N Engl J Med 2021;385:1737-1749",
        "10.1056/NEJMoa2102953",
        _calling(ckd_epi_2021_cystatin, ("creatinine", "cystatin"), _WHO),
    ),
    RenalEquation(
        "ckd-epi-2012-cystatin",
        "CKD-EPI 2012, cystatin C",
        True,
        ("cystatin", *_WHO),
        _ADULTS,
        "Inker LA et al. N Engl J Med 2012;367:20-29",
        "10.1056/NEJMoa1114248",
        _calling(ckd_epi_2012_cystatin, ("cystatin",), _WHO),
    ),
    RenalEquation(
        "ckd-epi-2009",
        "CKD-EPI 2009, creatinine",
        True,
        ("creatinine", *_WHO, "race_coefficient"),
        _ADULTS,
        "Levey AS et al. Ann Intern Med 2009;150:604-612",
        "10.7326/0003-4819-150-9-200905050-00006",
        _calling(ckd_epi_2009, _CREATININE, (*_WHO, "race_coefficient")),
    ),
    RenalEquation(
        "mdrd",
        "MDRD, four variables",
        True,
        ("creatinine", *_WHO, "race_coefficient"),
        _ADULTS,
        "Levey AS et al. Clin Chem 2007;53:766-772",
        "10.1373/clinchem.2006.077180",
        _calling(mdrd, _CREATININE, (*_WHO, "race_coefficient")),
    ),
    RenalEquation(
        "ekfc",
        "EKFC 2021, creatinine",
        True,
        ("creatinine", *_WHO),
        (2.0, math.inf),
        "Pottel H et al. Ann Intern Med 2021;174:183-191",
        "10.7326/M20-4366",
        _calling(ekfc, _CREATININE, _WHO),
    ),
    RenalEquation(
        "lund-malmo",
        "Lund-Malmö, revised",
        True,
        ("creatinine", *_WHO),
        _ADULTS,
        "Björk J et al. Scand J Clin Lab Invest 2011;71:232-239",
        "10.3109/00365513.2011.557086",
        _calling(lund_malmo, _CREATININE, _WHO),
    ),
    RenalEquation(
        "ckid-u25",
        "CKiD U25, creatinine",
        True,
        ("creatinine", *_WHO, "height_cm"),
        (1.0, 26.0),
        "Pierce CB et al. Kidney Int 2021;99:948-956",
        "10.1016/j.kint.2020.10.047",
        _calling(ckid_u25, _CREATININE, (*_WHO, "height_cm")),
    ),
    RenalEquation(
        "schwartz-bedside",
        "Schwartz, bedside (2009)",
        True,
        ("creatinine", "age", "height_cm"),
        (1.0, 18.0),
        "Schwartz GJ et al. J Am Soc Nephrol 2009;20:629-637",
        "10.1681/ASN.2008030287",
        _calling(bedside_schwartz, _CREATININE, ("age", "height_cm")),
    ),
    RenalEquation(
        "schwartz-1976",
        "Schwartz, original (1976)",
        True,
        ("creatinine", *_WHO, "height_cm"),
        (0.0, 21.0),
        "Schwartz GJ et al. Pediatrics 1976;58:259-263",
        "",
        _calling(original_schwartz, _CREATININE, (*_WHO, "height_cm", "born_at_term")),
    ),
)

RENAL_EQUATIONS: Mapping[str, RenalEquation] = MappingProxyType({e.id: e for e in _EQUATIONS})
"""All equations by id, in the order in which they are shown."""
