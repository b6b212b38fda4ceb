"""Renal equations: monotone, continuous where they are published so, independent of units."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statera.dosing.body_surface_area import BSA_FORMULAS, body_surface_area
from statera.dosing.ckd_epi import ckd_epi_2021
from statera.dosing.ckid_u25 import ckid_u25, ckid_u25_k
from statera.dosing.clearance import AbsoluteClearance
from statera.dosing.creatinine import UMOL_PER_MG, Creatinine, CystatinC
from statera.dosing.ekfc import ekfc, ekfc_q
from statera.dosing.lean_mass import fat_free_mass, fat_free_mass_children
from statera.dosing.lund_malmo import lund_malmo
from statera.dosing.person import Sex
from statera.dosing.renal_equations import RENAL_EQUATIONS, RenalInputs

SEXES = st.sampled_from(list(Sex))
CREATININE = st.floats(0.15, 12.0)
WEIGHT = st.floats(10.0, 200.0)
HEIGHT = st.floats(80.0, 210.0)


def person(age: float, sex: Sex, mg_dl: float) -> RenalInputs:
    return RenalInputs(
        age=age,
        sex=sex,
        creatinine=Creatinine(mg_dl, "mg/dL"),
        cystatin=CystatinC(1.1),
        weight_kg=60.0,
        height_cm=160.0,
        race_coefficient=False,
    )


@pytest.mark.parametrize("name", [n for n, e in RENAL_EQUATIONS.items() if "creatinine" in e.needs])
@given(sex=SEXES, low=CREATININE, high=CREATININE, share=st.floats(0.0, 1.0))
def test_more_creatinine_never_means_more_filtration(
    name: str, sex: Sex, low: float, high: float, share: float
) -> None:
    equation = RENAL_EQUATIONS[name]
    first, last = max(equation.ages[0], 1.0), min(equation.ages[1], 95.0)
    age = min(first + share * (last - first), last - 1e-6)
    low, high = sorted((low, high))
    more, less = equation(person(age, sex, low)), equation(person(age, sex, high))
    assert more.value >= less.value


@given(sex=SEXES, mg_dl=CREATININE, age=st.floats(18.0, 25.0))
def test_units_of_creatinine_do_not_matter(sex: Sex, mg_dl: float, age: float) -> None:
    in_mg = person(age, sex, mg_dl)
    in_umol = RenalInputs(
        **{**vars(in_mg), "creatinine": Creatinine(mg_dl * UMOL_PER_MG, "umol/L")}
    )
    for equation in RENAL_EQUATIONS.values():
        if age < equation.ages[1]:
            assert equation(in_mg).value == pytest.approx(equation(in_umol).value, rel=1e-12)


@given(sex=SEXES, ages=st.tuples(st.floats(1.0, 25.9), st.floats(1.0, 25.9)))
def test_k_of_ckid_u25_never_falls_with_age(sex: Sex, ages: tuple[float, float]) -> None:
    young, old = sorted(ages)
    assert ckid_u25_k(age=young, sex=sex) <= ckid_u25_k(age=old, sex=sex)


def jump(value: Callable[[float], float], at: float) -> float:
    """Return the relative step of a function at a place."""
    below, above = value(at - 1e-9), value(at + 1e-9)
    return abs(above / below - 1.0)


@given(sex=SEXES, mg_dl=CREATININE)
def test_continuity_where_it_is_published(sex: Sex, mg_dl: float) -> None:
    creatinine = Creatinine(mg_dl, "mg/dL")

    def u25(age: float) -> float:
        return ckid_u25(creatinine, age=age, sex=sex, height_cm=150.0).value

    def consortium(age: float) -> float:
        return ekfc(creatinine, age=age, sex=sex).value

    assert jump(u25, 12.0) < 1e-6
    assert jump(u25, 18.0) < 0.6e-3  # the printed constants are rounded
    assert jump(consortium, 18.0) < 1e-6
    assert jump(consortium, 40.0) < 1e-6
    # Q steps from its curve to a constant, as published: up to 1.7 % times the larger exponent
    assert jump(consortium, 25.0) < 0.02


@given(sex=SEXES, age=st.floats(18.0, 95.0))
def test_knots_in_creatinine_are_continuous(sex: Sex, age: float) -> None:
    def epi(mg_dl: float) -> float:
        return ckd_epi_2021(Creatinine(mg_dl, "mg/dL"), age=age, sex=sex).value

    def malmo(umol_l: float) -> float:
        return lund_malmo(Creatinine(umol_l, "umol/L"), age=age, sex=sex).value

    def consortium(mg_dl: float) -> float:
        return ekfc(Creatinine(mg_dl, "mg/dL"), age=age, sex=sex).value

    assert jump(epi, 0.7 if sex is Sex.FEMALE else 0.9) < 1e-6
    assert jump(malmo, 150.0 if sex is Sex.FEMALE else 180.0) < 1e-6
    assert jump(consortium, ekfc_q(age=age, sex=sex)) < 1e-6


@given(weight=WEIGHT, height=HEIGHT, share=st.floats(1.001, 1.3))
def test_a_larger_body_has_a_larger_surface(weight: float, height: float, share: float) -> None:
    for formula in BSA_FORMULAS:
        here = body_surface_area(weight_kg=weight, height_cm=height, formula=formula).value
        heavier = body_surface_area(weight_kg=weight * share, height_cm=height, formula=formula)
        taller = body_surface_area(weight_kg=weight, height_cm=height * share, formula=formula)
        assert heavier.value > here
        assert taller.value > here


@given(value=st.floats(1.0, 300.0), weight=WEIGHT, height=HEIGHT)
def test_indexing_and_back_is_the_same(value: float, weight: float, height: float) -> None:
    area = body_surface_area(weight_kg=weight, height_cm=height)
    start = AbsoluteClearance(value)
    assert start.indexed(area).absolute(area).value == pytest.approx(value, rel=1e-12)


@given(weight=st.floats(15.0, 150.0), height=st.floats(90.0, 200.0), sex=SEXES)
def test_fat_free_mass_is_below_weight_and_matures(weight: float, height: float, sex: Sex) -> None:
    adult = fat_free_mass(weight_kg=weight, height_cm=height, sex=sex)
    assert adult > 0.0
    grown = fat_free_mass_children(age=90.0, weight_kg=weight, height_cm=height, sex=sex)
    assert grown == pytest.approx(adult, rel=0.01)
