"""LOINC codes of estimated renal function, and the equation that each of them means.

Public files pair these codes with the wrong equation, so a code is used only where nothing that
stands beside it names another one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from statera.dosing.person import Sex
from statera.fhir.elements import UnusableError

__all__ = ["EGFR_CODES", "EgfrCode", "check_equation"]


@dataclass(frozen=True)
class EgfrCode:
    """A code and what it means.

    Attributes
    ----------
    code
    name
        The equation in words.
    family
        ``ckd-epi``, ``mdrd``, ``schwartz``, ``cockcroft-gault`` or ``cystatin``.
    equation
        Id in `statera.dosing.renal_equations.RENAL_EQUATIONS`; empty where the code leaves it
        open.
    year
        Year of the equation where the family has several; empty otherwise.
    cystatin
        Whether cystatin C enters.
    race_coefficient
        True or False where the code is of one group; None otherwise.
    sex
        Where the code is of one sex.
    """

    code: str
    name: str
    family: str
    equation: str
    year: str = ""
    cystatin: bool = False
    race_coefficient: bool | None = None
    sex: Sex | None = None

    @property
    def covariate(self) -> str:
        """The covariate that the value is: ``CRCL`` in mL/min or ``EGFR`` per 1.73 m2."""
        return "CRCL" if self.family == "cockcroft-gault" else "EGFR"

    @property
    def units(self) -> tuple[str, ...]:
        """UCUM codes of its unit, with the spellings that are seen."""
        if self.covariate == "CRCL":
            return ("mL/min",)
        return (
            "mL/min/{1.73_m2}",
            "mL/min/{1.73m2}",
            "mL/min/{1.73.m2}",
            "mL/min/1.73.m2",
            "mL/min/1.73{m2}",
        )


_CODES = (
    EgfrCode("98979-8", "CKD-EPI 2021 from creatinine", "ckd-epi", "ckd-epi-2021", "2021"),
    EgfrCode(
        "98980-6",
        "CKD-EPI 2021 from creatinine and cystatin C",
        "ckd-epi",
        "ckd-epi-2021-cystatin",
        "2021",
        cystatin=True,
    ),
    EgfrCode("62238-1", "CKD-EPI 2009", "ckd-epi", "ckd-epi-2009", "2009"),
    EgfrCode(
        "88293-6",
        "CKD-EPI 2009 among Black people",
        "ckd-epi",
        "ckd-epi-2009",
        "2009",
        race_coefficient=True,
    ),
    EgfrCode(
        "88294-4",
        "CKD-EPI 2009 among others than Black people",
        "ckd-epi",
        "ckd-epi-2009",
        "2009",
        race_coefficient=False,
    ),
    EgfrCode("33914-3", "MDRD", "mdrd", "mdrd"),
    EgfrCode("77147-7", "MDRD", "mdrd", "mdrd"),
    EgfrCode("48642-3", "MDRD among others than Black people", "mdrd", "mdrd",
             race_coefficient=False),
    EgfrCode("48643-1", "MDRD among Black people", "mdrd", "mdrd", race_coefficient=True),
    EgfrCode("50044-7", "MDRD among females", "mdrd", "mdrd", sex=Sex.FEMALE),
    EgfrCode("70969-1", "MDRD among males", "mdrd", "mdrd", sex=Sex.MALE),
    EgfrCode("50210-4", "a formula from cystatin C", "cystatin", "", cystatin=True),
    EgfrCode("50384-7", "Schwartz", "schwartz", ""),
    EgfrCode("35591-7", "Cockcroft-Gault", "cockcroft-gault", "cockcroft-gault"),
)  # fmt: skip

EGFR_CODES: Mapping[str, EgfrCode] = MappingProxyType({c.code: c for c in _CODES})
"""Codes of estimated renal function."""

_FAMILIES = {
    "ckd-epi": re.compile(r"ckd[\s_-]*epi", re.IGNORECASE),
    "mdrd": re.compile(r"\bmdrd", re.IGNORECASE),
    "schwartz": re.compile(r"schwartz", re.IGNORECASE),
    "cockcroft-gault": re.compile(r"coc?k[ck]?roft", re.IGNORECASE),
    "ekfc": re.compile(r"\bekfc\b", re.IGNORECASE),
    "lund-malmö": re.compile(r"lund[\s-]*malm", re.IGNORECASE),
    "ckid": re.compile(r"\bckid\b", re.IGNORECASE),
}
_YEAR = re.compile(r"\b(2009|2012|2021)\b")
_CYSTATIN = re.compile(r"cystatin", re.IGNORECASE)


def check_equation(code: EgfrCode, words: str, sex: Sex | None) -> None:
    """Check that nothing beside a code names another equation.

    Parameters
    ----------
    words
        All that is said of the observation: text and displays of code and method.
    sex
        Of the patient, where it is known.

    Raises
    ------
    UnusableError
        If code and words disagree.
    """
    named = {family for family, pattern in _FAMILIES.items() if pattern.search(words)}
    other = named - {code.family}
    if code.family == "cystatin":
        other -= {"ckd-epi"}  # the code leaves open which formula from cystatin C
    if other:
        _disagree(code, ", ".join(sorted(other)))
    years = set(_YEAR.findall(words))
    if code.year and years and code.year not in years:
        _disagree(code, f"the year {', '.join(sorted(years))}")
    if _CYSTATIN.search(words) and not code.cystatin:
        _disagree(code, "cystatin C")
    if code.sex is not None and sex is not code.sex:
        _disagree(code, "another sex" if sex is not None else "no sex")


def _disagree(code: EgfrCode, said: str) -> None:
    raise UnusableError(
        f"code and equation disagree: LOINC {code.code} is {code.name}, and the record says {said}"
    )
