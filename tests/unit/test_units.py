from __future__ import annotations

import logging
import math
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statera import units
from statera.errors import InputError
from statera.units import convert, is_unit, molar_from_mass, parse_quantity, same_dimension


@pytest.mark.parametrize(
    ("value", "unit", "target", "expected"),
    [
        (4.0, "mg", "ug", 4000.0),
        (4.0, "mcg", "mg", 0.004),
        (1.0, "µg", "ug", 1.0),  # micro sign
        (1.0, "μg", "ug", 1.0),  # Greek mu
        (1.0, "ng/mL", "ug/L", 1.0),
        (1.0, "ng·h/mL", "ng*h/mL", 1.0),
        (1.0, "L/h", "mL/min", 1000.0 / 60.0),
        (2.0, "day", "h", 48.0),
        (1.0, "wk", "h", 168.0),
        (50.0, "%", "fraction", 0.5),
        (1.0, "uM", "nM", 1000.0),
        (1.0, "h-1", "1/day", 24.0),
        (1.0, "kg/m2", "kg/m²", 1.0),
        (500.0, "cells/uL", "10^9/L", 0.5),
        (0.25, "", "fraction", 0.25),
    ],
)
def test_conversions(value: float, unit: str, target: str, expected: float) -> None:
    assert convert(value, unit, target) == pytest.approx(expected, rel=1e-12)


def test_clearance_normalised_to_surface_is_a_flow_per_area() -> None:
    assert convert(173.0, "mL/min/1.73m2", "mL/min/m2") == pytest.approx(100.0, rel=1e-12)
    for spelling in ("mL/min/1.73 m2", "mL/min/1.73m²", "mL/min/1.73 m^2"):
        assert convert(1.0, spelling, "mL/min/1.73m2") == 1.0


def test_clearance_normalised_to_surface_is_no_flow() -> None:
    # Treating one as the other is a clinical error: the patient's surface is missing.
    assert not same_dimension("mL/min/1.73m2", "mL/min")
    with pytest.raises(InputError, match="measure different things"):
        convert(90.0, "mL/min/1.73m2", "mL/min")


@pytest.mark.parametrize(
    "text",
    [
        "4",
        "4 mg",
        "furlongish",
        "NOT A UNIT",
        "mg;h",
        "mg#h",
        "h**99999999",
        "9**9**9",
        "(h",
        "h)",
        "1/",
        "/h",
        "mg//h",
        "[mass]",
        "__import__('os')",
        "mg" * 100,
        "nan",
        "inf",
        "1.73m2",
    ],
)
def test_what_is_not_a_unit(text: str) -> None:
    assert not is_unit(text)
    with pytest.raises(InputError, match="is not a unit"):
        convert(1.0, text, "mg")


@pytest.mark.parametrize(
    "text", ["", "mg", "1/h", "L/h/kg", "mg/(kg*d)", "U/L", "%", "degC", "pg/cell", "mmHg"]
)
def test_what_is_a_unit(text: str) -> None:
    assert is_unit(text)


def test_a_name_that_is_long_is_not_repeated_in_full() -> None:
    with pytest.raises(InputError) as caught:
        convert(1.0, "x" * 10_000, "mg")
    assert len(caught.value.what) < 100


def test_temperatures_are_not_converted_by_a_factor() -> None:
    assert not same_dimension("degC", "K")
    with pytest.raises(InputError, match="more than a factor"):
        convert(37.0, "degC", "K")
    assert convert(37.0, "degC", "degC") == 37.0
    assert convert(1.0, "delta_degC", "K") == 1.0


def test_nanomolar_and_nanometre_are_told_apart() -> None:
    assert not same_dimension("nM", "nm")


@pytest.mark.parametrize(
    ("text", "target", "expected"),
    [
        ("4 mg", "mg", 4.0),
        ("4mg", "mg", 4.0),
        ("  4   mg ", "mg", 4.0),
        ("1e3 ug", "mg", 1.0),
        (".5 day", "h", 12.0),
        ("-4 mg", "mg", -4.0),
        ("0.79", "fraction", 0.79),
        ("79 %", "fraction", 0.79),
    ],
)
def test_quantities(text: str, target: str, expected: float) -> None:
    assert parse_quantity(text, target) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("4", "has no unit"),
        ("mg", "is not a dose"),
        ("", "is not a dose"),
        ("nan mg", "is not a dose"),
        ("inf mg", "is not a dose"),
        ("1e999 mg", "not a finite dose"),
        ("four mg", "is not a dose"),
        ("٤ mg", "is not a dose"),
        ("4 mg mg", "measure different things"),
        ("4 h", "measure different things"),
        ("4 mg 5", "is not a unit"),
        ("1,5 mg", "is not a unit"),
        ("4 mg\nq24h", "is not a unit"),
    ],
)
def test_what_is_not_a_quantity(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        parse_quantity(text, "mg", what="dose")
    assert caught.value.hint


@given(
    value=st.floats(min_value=1e-9, max_value=1e9),
    pair=st.sampled_from([("mg", "ug"), ("L/h", "mL/min"), ("nM", "uM"), ("day", "h")]),
)
def test_there_and_back_is_the_same(value: float, pair: tuple[str, str]) -> None:
    there = convert(value, *pair)
    assert convert(there, pair[1], pair[0]) == pytest.approx(value, rel=1e-12)


def test_not_a_number_stays_not_a_number() -> None:
    assert math.isnan(convert(math.nan, "mg", "ug"))


def test_mass_to_molar() -> None:
    # 371.42 g/mol: 1 ng/mL = 1 ug/L = 1 / 371.42 umol/L.
    assert molar_from_mass(371.42, 371.42) == pytest.approx(1000.0)


@pytest.mark.parametrize("mass", [0.0, -1.0, math.nan, math.inf])
def test_a_molar_mass_must_be_positive(mass: float) -> None:
    with pytest.raises(InputError, match="molar mass"):
        molar_from_mass(1.0, mass)


def test_defining_units_does_not_log(caplog: pytest.LogCaptureFixture) -> None:
    units._registry.cache_clear()
    with caplog.at_level(logging.WARNING):
        units._registry()
    assert caplog.records == []
    clear_caches()


def clear_caches() -> None:
    for cached in (units._registry, units._unit, units._factor, units._is_by_factor):
        cached.cache_clear()


def test_threads_that_start_together_share_one_registry() -> None:
    clear_caches()
    names = ["mg", "ug", "ng/mL", "L/h", "mL/min/1.73m2", "day", "nM", "1/h"]
    together = Barrier(len(names))

    def parse(name: str) -> object:
        together.wait(timeout=30)
        return units._unit(name)._REGISTRY

    with ThreadPoolExecutor(len(names)) as pool:
        registries = list(pool.map(parse, names))
    assert len({id(registry) for registry in registries}) == 1
