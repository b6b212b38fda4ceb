"""Renal and body-size equations against tables of published and independently computed values."""

from __future__ import annotations

import csv
import os
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from statera.dosing import lean_mass
from statera.dosing.body_surface_area import body_surface_area
from statera.dosing.body_weight import ideal_body_weight
from statera.dosing.ckd_epi import (
    ckd_epi_2009,
    ckd_epi_2012_cystatin,
    ckd_epi_2021,
    ckd_epi_2021_cystatin,
)
from statera.dosing.ckid_u25 import ckid_u25, ckid_u25_k
from statera.dosing.clearance import AbsoluteClearance, IndexedGFR
from statera.dosing.cockcroft_gault import cockcroft_gault, cockcroft_gault_rounded
from statera.dosing.creatinine import Creatinine, CystatinC
from statera.dosing.ekfc import ekfc
from statera.dosing.lund_malmo import lund_malmo
from statera.dosing.mdrd import mdrd
from statera.dosing.person import Sex, read_sex
from statera.dosing.schwartz import bedside_schwartz, original_schwartz

pytestmark = pytest.mark.reference

REPOSITORY = Path(__file__).resolve().parents[2]
FILE = (
    Path(os.environ.get("STATERA_REFERENCE", REPOSITORY.parent / "shared" / "reference"))
    / "renal"
    / "egfr_body_reference.csv"
)
ROWS = 308
COMPUTED_ROWS = 265
ANY_CHILD = 10.0  # rows of the bedside equation name no age, which does not enter it

Inputs = Mapping[str, str]
Answer = float | AbsoluteClearance | IndexedGFR


def rows() -> list[dict[str, str]]:
    if not FILE.exists():
        pytest.skip(f"reference data are not there: {FILE}")
    with FILE.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def inputs(row: Mapping[str, str]) -> dict[str, str]:
    pairs = (part.partition("=") for part in row["inputs"].split(";"))
    return {key: value for key, _, value in pairs}


def creatinine(given: Inputs) -> Creatinine:
    if "scr_umol" in given:
        return Creatinine(float(given["scr_umol"]), "umol/L")
    return Creatinine(float(given["scr"]), "mg/dL")


def of(given: Inputs, *names: str) -> dict[str, Any]:
    known: dict[str, Callable[[], Any]] = {
        "age": lambda: float(given["age"]),
        "sex": lambda: read_sex(given["sex"]),
        "weight_kg": lambda: float(given["wt"]),
        "height_cm": lambda: float(given["ht"]),
        "race_coefficient": lambda: given.get("black") == "1",
    }
    return {name: known[name]() for name in names}


def adjusted(factor: float) -> Callable[[Inputs], Answer]:
    return lambda g: cockcroft_gault(
        creatinine(g),
        weight="adjusted",
        factor=factor,
        **of(g, "age", "sex", "weight_kg", "height_cm"),
    )


def cystatin(given: Inputs) -> CystatinC:
    return CystatinC(float(given["cys"]), "mg/L")


def bsa(formula: str) -> Callable[[Inputs], Answer]:
    return lambda g: body_surface_area(formula=formula, **of(g, "weight_kg", "height_cm")).value


def indexed_clearance(given: Inputs) -> Answer:
    area = body_surface_area(**of(given, "weight_kg", "height_cm"))
    return cockcroft_gault(creatinine(given), **of(given, "age", "sex", "weight_kg")).indexed(area)


SIZE = ("weight_kg", "height_cm", "sex")
EQUATIONS: dict[str, Callable[[Inputs], Answer]] = {
    "cockcroft_gault": lambda g: cockcroft_gault(creatinine(g), **of(g, "age", "sex", "weight_kg")),
    "cockcroft_gault_per_1.73(DuBois)": indexed_clearance,
    "cockcroft_gault_adjusted(IBW+0.4)": adjusted(0.4),
    "cockcroft_gault_adjusted(IBW+0.3)": adjusted(0.3),
    "cockcroft_gault_ideal(Devine)": lambda g: cockcroft_gault(
        creatinine(g), weight="ideal", **of(g, "age", "sex", "weight_kg", "height_cm")
    ),
    "cockcroft_gault_umol(1.23/1.04)": lambda g: cockcroft_gault_rounded(
        creatinine(g), **of(g, "age", "sex", "weight_kg")
    ),
    "ckd_epi_2009": lambda g: ckd_epi_2009(
        creatinine(g), **of(g, "age", "sex", "race_coefficient")
    ),
    "ckd_epi_2012_cys": lambda g: ckd_epi_2012_cystatin(cystatin(g), **of(g, "age", "sex")),
    "ckd_epi_2021": lambda g: ckd_epi_2021(creatinine(g), **of(g, "age", "sex")),
    "ckd_epi_2021_cr_cys": lambda g: ckd_epi_2021_cystatin(
        creatinine(g), cystatin(g), **of(g, "age", "sex")
    ),
    "mdrd_175": lambda g: mdrd(creatinine(g), **of(g, "age", "sex", "race_coefficient")),
    "mdrd_186": lambda g: mdrd(
        creatinine(g), standardised=False, **of(g, "age", "sex", "race_coefficient")
    ),
    "schwartz_bedside": lambda g: bedside_schwartz(
        creatinine(g), age=ANY_CHILD, **of(g, "height_cm")
    ),
    "schwartz_1976": lambda g: original_schwartz(
        creatinine(g), sex=Sex.FEMALE, born_at_term="term" in g, **of(g, "age", "height_cm")
    ),
    "lund_malmo_revised": lambda g: lund_malmo(creatinine(g), **of(g, "age", "sex")),
    "ekfc_2021_creatinine": lambda g: ekfc(creatinine(g), **of(g, "age", "sex")),
    "ckid_u25": lambda g: ckid_u25(creatinine(g), **of(g, "age", "sex", "height_cm")),
    "ckid_u25_K": lambda g: ckid_u25_k(**of(g, "age", "sex")),
    "ckid_u25_sex_only_K": lambda g: ckid_u25_k(age=ANY_CHILD, by_age=False, **of(g, "sex")),
    "bsa_dubois": bsa("DuBois"),
    "bsa_mosteller": bsa("Mosteller"),
    "bsa_haycock": bsa("Haycock"),
    "bsa_gehan_george": bsa("Gehan-George"),
    "bsa_boyd": bsa("Boyd"),
    "ibw_devine": lambda g: ideal_body_weight(**of(g, "height_cm", "sex")),
    "ffm_janmahasatian": lambda g: lean_mass.fat_free_mass(**of(g, *SIZE)),
    "ffm_al_sallami": lambda g: lean_mass.fat_free_mass_children(**of(g, "age", *SIZE)),
    "ffm_james": lambda g: lean_mass.lean_body_mass_james(**of(g, *SIZE)),
    "ffm_hume": lambda g: lean_mass.lean_body_mass_hume(**of(g, *SIZE)),
    "lbw_james? (clinPK default green)": lambda g: lean_mass.lean_body_mass_james(**of(g, *SIZE)),
    "lbw_boer": lambda g: lean_mass.lean_body_mass_boer(**of(g, *SIZE)),
}


def compared() -> list[tuple[dict[str, str], float]]:
    """Return every row with the difference from it."""
    found = []
    for row in rows():
        answer = EQUATIONS[row["equation"]](inputs(row))
        value = answer if isinstance(answer, float) else answer.value
        found.append((row, value - float(row["expected"])))
    return found


def test_every_row_agrees_within_its_tolerance() -> None:
    wrong = [
        (row["equation"], row["inputs"], difference)
        for row, difference in compared()
        if abs(difference) > float(row["tolerance"])
    ]
    assert wrong == []


def test_no_row_and_no_equation_is_lost() -> None:
    counts = Counter(row["kind"] for row, _ in compared())
    assert counts.total() >= ROWS
    assert counts["computed_from_published_formula"] >= COMPUTED_ROWS
    assert set(EQUATIONS) == {row["equation"] for row in rows()}


def test_computed_rows_agree_to_1e_5() -> None:
    worst = max(
        abs(difference)
        for row, difference in compared()
        if row["kind"] == "computed_from_published_formula"
    )
    assert worst <= 1e-5
