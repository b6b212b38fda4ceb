"""Types, ranges and refusals of the renal equations; values stand in the reference tests."""

from __future__ import annotations

import math

import pytest

from statera.dosing.body_surface_area import BSA_FORMULAS, BodySurfaceArea, body_surface_area
from statera.dosing.body_weight import adjusted_body_weight, ideal_body_weight
from statera.dosing.ckd_epi import ckd_epi_2009, ckd_epi_2021
from statera.dosing.clearance import AbsoluteClearance, IndexedGFR
from statera.dosing.cockcroft_gault import cockcroft_gault
from statera.dosing.creatinine import Creatinine, read_creatinine, read_cystatin
from statera.dosing.lean_mass import fat_free_mass_children, lean_body_mass_james
from statera.dosing.mdrd import mdrd
from statera.dosing.person import Sex, check_height, check_weight, read_sex
from statera.dosing.renal_equations import RENAL_EQUATIONS, RenalInputs
from statera.dosing.renal_estimates import EstimateStatus, estimate_renal_function
from statera.dosing.schwartz import original_schwartz
from statera.errors import DomainError, InputError, UnknownNameError

ONE = Creatinine(1.0, "mg/dL")
EVERYTHING = RenalInputs(
    age=40.0,
    sex=Sex.MALE,
    creatinine=ONE,
    cystatin=read_cystatin("0.9 mg/L"),
    weight_kg=80.0,
    height_cm=180.0,
    race_coefficient=False,
)


def test_the_two_measures_are_different_types_and_convert_only_by_an_area() -> None:
    absolute = AbsoluteClearance(60.0)
    indexed = absolute.indexed(BodySurfaceArea(1.73))
    assert isinstance(indexed, IndexedGFR)
    assert indexed.value == pytest.approx(60.0)
    assert absolute != indexed
    assert indexed.absolute(BodySurfaceArea(2.0)).value == pytest.approx(60.0 * 2.0 / 1.73)
    assert "BSA" in indexed.equation
    with pytest.raises(TypeError):
        absolute < indexed  # type: ignore[operator]  # noqa: B015


@pytest.mark.parametrize("value", [-1.0, math.nan, math.inf, 501.0])
def test_what_is_no_clearance_is_refused(value: float) -> None:
    with pytest.raises(InputError, match="clearance"):
        AbsoluteClearance(value)
    with pytest.raises(InputError, match="eGFR"):
        IndexedGFR(value)


def test_a_computed_value_may_be_larger_than_a_stated_one() -> None:
    assert AbsoluteClearance(900.0, "Cockcroft-Gault, actual weight").value == 900.0


def test_equations_give_the_type_that_their_entry_says() -> None:
    for equation in RENAL_EQUATIONS.values():
        age = equation.ages[0] if equation.ages[1] < 30.0 else 40.0
        inputs = RenalInputs(
            **{**vars(EVERYTHING), "age": max(age, 1.0)},
        )
        kind = IndexedGFR if equation.indexed else AbsoluteClearance
        assert isinstance(equation(inputs), kind)


def test_missing_information_is_named_and_never_filled_in() -> None:
    found = {e.equation.id: e for e in estimate_renal_function(RenalInputs(creatinine=ONE))}
    assert set(found) == set(RENAL_EQUATIONS)
    assert all(e.status is EstimateStatus.MISSING_INPUT for e in found.values())
    assert found["cockcroft-gault"].sentence == "Needs age, sex, weight."
    with pytest.raises(InputError, match="needs age and sex"):
        RENAL_EQUATIONS["ckd-epi-2021"](RenalInputs(creatinine=ONE))


def test_ages_decide_which_equation_holds() -> None:
    child = RenalInputs(age=9.0, sex=Sex.MALE, creatinine=ONE, height_cm=132.0)
    computed = {e.equation.id for e in estimate_renal_function(child) if e.own is not None}
    assert computed == {"ekfc", "ckid-u25", "schwartz-bedside", "schwartz-1976"}
    with pytest.raises(DomainError, match="holds from 18 years"):
        ckd_epi_2021(ONE, age=17.9, sex=Sex.MALE)


def test_conversion_needs_an_area() -> None:
    no_height = RenalInputs(age=40.0, sex=Sex.MALE, creatinine=ONE, weight_kg=80.0)
    found = {e.equation.id: e for e in estimate_renal_function(no_height)}
    assert found["cockcroft-gault"].absolute is not None
    assert found["cockcroft-gault"].indexed is None
    with_height = {e.equation.id: e for e in estimate_renal_function(EVERYTHING)}
    assert with_height["cockcroft-gault"].indexed is not None
    stated = {
        e.equation.id: e for e in estimate_renal_function(no_height, area=BodySurfaceArea(1.73))
    }
    assert stated["ckd-epi-2021"].absolute is not None
    assert stated["ckd-epi-2021"].absolute.value == stated["ckd-epi-2021"].indexed.value  # type: ignore[union-attr]


def test_the_race_coefficient_is_a_decision() -> None:
    undecided = RenalInputs(**{**vars(EVERYTHING), "race_coefficient": None})
    found = {e.equation.id: e for e in estimate_renal_function(undecided)}
    assert "race coefficient" in found["mdrd"].sentence
    assert "race coefficient" in found["ckd-epi-2009"].sentence
    assert found["ckd-epi-2021"].own is not None
    for equation, factor in ((ckd_epi_2009, 1.159), (mdrd, 1.212)):
        without = equation(ONE, age=40.0, sex=Sex.MALE, race_coefficient=False)
        with_it = equation(ONE, age=40.0, sex=Sex.MALE, race_coefficient=True)
        assert with_it.value == pytest.approx(factor * without.value)
        assert "without race coefficient" in without.equation


def test_a_failing_equation_does_not_stop_the_others() -> None:
    infant = RenalInputs(age=0.5, sex=Sex.MALE, creatinine=Creatinine(0.3, "mg/dL"), height_cm=66.0)
    found = {e.equation.id: e for e in estimate_renal_function(infant)}
    assert found["schwartz-1976"].status is EstimateStatus.NOT_COMPUTED
    assert "at term" in found["schwartz-1976"].sentence


def test_original_schwartz_chooses_k() -> None:
    def k(age: float, sex: Sex, born_at_term: bool | None = None) -> float:
        return (
            original_schwartz(
                ONE, age=age, sex=sex, height_cm=100.0, born_at_term=born_at_term
            ).value
            / 100.0
        )

    assert k(0.5, Sex.MALE, False) == pytest.approx(0.33)
    assert k(0.5, Sex.MALE, True) == pytest.approx(0.45)
    assert k(5.0, Sex.MALE) == pytest.approx(0.55)
    assert k(14.0, Sex.MALE) == pytest.approx(0.70)
    assert k(14.0, Sex.FEMALE) == pytest.approx(0.55)


def test_cockcroft_gault_weights() -> None:
    def at(weight: str, height: float | None = 180.0) -> float:
        return cockcroft_gault(
            ONE, age=40.0, sex=Sex.MALE, weight_kg=150.0, height_cm=height, weight=weight
        ).value

    assert at("ideal") < at("adjusted") < at("actual")
    with pytest.raises(InputError, match="needs the height"):
        at("ideal", None)
    with pytest.raises(InputError, match="weight of Cockcroft-Gault is 'lean'"):
        at("lean")


def test_slips_of_size_are_named() -> None:
    with pytest.raises(InputError, match=r"height is 1\.75 cm") as caught:
        check_height(1.75)
    assert "metres" in caught.value.hint
    with pytest.raises(InputError) as caught:
        check_weight(70000.0)
    assert "grams" in caught.value.hint
    with pytest.raises(InputError):
        check_weight(math.nan)


def test_body_sizes_refuse_what_they_cannot_give() -> None:
    with pytest.raises(InputError, match="no value at a height of 40 cm"):
        ideal_body_weight(height_cm=40.0, sex=Sex.FEMALE)
    with pytest.raises(InputError, match="factor"):
        adjusted_body_weight(weight_kg=80.0, height_cm=170.0, sex=Sex.MALE, factor=1.4)
    with pytest.raises(DomainError, match="falls with weight"):
        lean_body_mass_james(weight_kg=140.0, height_cm=165.0, sex=Sex.FEMALE)
    with pytest.raises(DomainError, match="from 3 years"):
        fat_free_mass_children(age=2.0, weight_kg=12.0, height_cm=86.0, sex=Sex.MALE)
    with pytest.raises(UnknownNameError, match="Livingston"):
        body_surface_area(weight_kg=80.0, height_cm=180.0, formula="Livingston")
    assert body_surface_area(weight_kg=80.0, height_cm=180.0, formula="gehan george").formula == (
        "Gehan-George"
    )
    assert set(BSA_FORMULAS) == {"DuBois", "Mosteller", "Haycock", "Gehan-George", "Boyd"}


@pytest.mark.parametrize("text", ["female", "F", " f "])
def test_sex_is_read(text: str) -> None:
    assert read_sex(text) is Sex.FEMALE


def test_another_sex_is_not_guessed() -> None:
    with pytest.raises(InputError, match="sex is 'x'"):
        read_sex("x")


def test_creatinine_is_read_with_its_unit() -> None:
    assert read_creatinine("93 umol/L").umol_l == 93.0
    assert read_creatinine(" 1.05mg/dl ").mg_dl == 1.05
    for text in ("93", "abc mg/dL", "1,05 mg/dL", "-1 mg/dL"):
        with pytest.raises(InputError):
            read_creatinine(text)


def test_every_equation_names_its_source() -> None:
    for equation in RENAL_EQUATIONS.values():
        assert equation.short_source.split()[1] in equation.source
        assert equation.doi.startswith("10.") or equation.id == "schwartz-1976"


def test_short_sources() -> None:
    assert RENAL_EQUATIONS["cockcroft-gault"].short_source == "Cockcroft 1976"
    assert RENAL_EQUATIONS["schwartz-bedside"].short_source == "Schwartz 2009"
