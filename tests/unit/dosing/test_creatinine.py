"""Units of creatinine and cystatin C: conversion, slips and confirmation."""

from __future__ import annotations

import pytest

from statera.dosing.creatinine import Creatinine, CystatinC
from statera.errors import InputError


def test_units_convert() -> None:
    assert Creatinine(1.0, "mg/dL").umol_l == pytest.approx(88.4)
    assert Creatinine(88.4, "µmol/L").mg_dl == pytest.approx(1.0)
    assert Creatinine(88.4, "umol/l").unit == "umol/L"
    assert CystatinC(0.09, "mg/dL").mg_l == pytest.approx(0.9)


@pytest.mark.parametrize(
    ("value", "unit", "other"),
    [(80.0, "mg/dL", "umol/L"), (1.1, "umol/L", "mg/dL"), (250.0, "mg/dL", "umol/L")],
)
def test_a_slip_names_the_other_unit(value: float, unit: str, other: str) -> None:
    with pytest.raises(InputError, match="implausible") as caught:
        Creatinine(value, unit)
    assert f"give the unit {other}" in caught.value.hint
    assert "confirm" in caught.value.hint


def test_an_implausible_value_can_be_confirmed() -> None:
    assert Creatinine(25.0, "mg/dL", confirmed=True).mg_dl == 25.0


def test_a_value_implausible_in_both_units_offers_no_swap() -> None:
    with pytest.raises(InputError) as caught:
        Creatinine(5000.0, "umol/L")
    assert "give the unit" not in caught.value.hint


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf")])
def test_what_is_no_concentration_is_refused_even_if_confirmed(value: float) -> None:
    with pytest.raises(InputError, match="creatinine is"):
        Creatinine(value, "mg/dL", confirmed=True)
    with pytest.raises(InputError, match="cystatin C is"):
        CystatinC(value, confirmed=True)


@pytest.mark.parametrize("unit", ["", "mg/L", "mmol/L", "mol"])
def test_a_unit_is_never_guessed(unit: str) -> None:
    with pytest.raises(InputError, match="unit"):
        Creatinine(1.0, unit)


def test_unusual_values_are_remarked() -> None:
    assert Creatinine(1.0, "mg/dL").remarks == ()
    assert "low" in Creatinine(0.2, "mg/dL").remarks[0]
    assert "dialysis" in Creatinine(12.0, "mg/dL").remarks[0]


def test_cystatin_slip() -> None:
    with pytest.raises(InputError, match="outside") as caught:
        CystatinC(0.09, "mg/L")
    assert "mg/dL" in caught.value.hint
