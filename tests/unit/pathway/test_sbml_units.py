"""Declared units: how they are told, and where they do not fit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.network_course import functions
from tests.sbml_texts import event, reaction, sbml

from statera.errors import InputError
from statera.numerics.expression import symbol
from statera.pathway.conserved import start_values
from statera.pathway.sbml_read import read_sbml
from statera.pathway.unit_powers import UnitPowers

MODEL = 'timeUnits="second" extentUnits="mole" substanceUnits="mole" volumeUnits="litre"'


def unit(name: str, *parts: str) -> str:
    """Return a unit definition; parts as ``mole 1 -9 1``: kind, exponent, scale, multiplier."""
    inner = "".join(
        '<unit kind="{}" exponent="{}" scale="{}" multiplier="{}"/>'.format(*part.split())
        for part in parts
    )
    return f'<unitDefinition id="{name}"><listOfUnits>{inner}</listOfUnits></unitDefinition>'


BASE = (
    '<compartment id="c" size="2" spatialDimensions="3"/>'
    '<species id="A" compartment="c" initialConcentration="1"/>'
    + unit("per_second", "second -1 0 1")
    + unit("per_minute", "second -1 0 60")
    + unit("molar", "mole 1 0 1", "litre -1 0 1")
    + '<parameter id="k" value="1" units="per_second"/>'
    '<parameter id="q" value="1" units="per_minute"/><parameter id="u" value="1"/>'
    '<parameter id="K" value="1" units="molar"/>'
    '<parameter id="n" value="2" units="dimensionless"/>'
    '<parameter id="x" value="1" constant="false" units="molar"/>'
)
RULE = '<assignmentRule variable="x"><m>{}</m></assignmentRule>'


def notes(body: str) -> tuple[str, ...]:
    return read_sbml(sbml(BASE + body, model=MODEL)).notes


@pytest.mark.parametrize(
    "law", ["c * k * A", "k * c * A * (A / K)^n / (1 + (A / K)^n)", "u * A", "2 * k * c * A",
            "c * k * A * exp(-A / K)", "c * k * max(A, K)", "c * k * piecewise(A, A > K, K)",
            "60 * c * q * A", "c * k * sqrt(A^2)", "c * A / time"]
)  # fmt: skip
def test_what_fits_is_not_mentioned(law: str) -> None:
    assert notes(reaction("r", law, "A")) == ()


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (reaction("r", "k * A", "A"),
         "the kinetic law of reaction 'r' (line {}) is in 1000 mol/m^3/s where mol/s is meant"),
        (reaction("r", "c * q * A", "A"), "is in 0.0166667 mol/s where mol/s is meant"),
        (reaction("r", "c * k * A + k * A", "A"), "adds 1000 mol/m^3/s and mol/s"),
        (reaction("r", "c * k * A * exp(A)", "A"), "takes the exp of 1000 mol/m^3"),
        (reaction("r", "c * k * A * n^A", "A"), "raises to 1000 mol/m^3"),
        (reaction("r", "c * k * piecewise(A, time > K, K)", "A"), "compares "),
        (RULE.format("k * A"), "assignment rule of 'x' (line {}) is in 1000 mol/m^3/s where 1000"),
        ('<rateRule variable="x"><m>A</m></rateRule>',
         "rate rule of 'x' (line {}) is in 1000 mol/m^3 where 1000 mol/m^3/s is meant"),
        ('<initialAssignment symbol="A"><m>k</m></initialAssignment>',
         "initial assignment of 'A' (line {}) is in 1/s where 1000 mol/m^3 is meant"),
        (event("A > k", "x = A"), "the trigger of event (line {}) compares "),
        (event("A > K", "x = k"), "event assignment of 'x' (line {}) is in 1/s where 1000"),
        (event("A > K", "x = A", delay="A", attributes='id="e"'),
         "the delay of event 'e' (line {}) is in 1000 mol/m^3 where s is meant"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told_by_element(body: str, says: str) -> None:
    (note,) = notes(body)
    line = note.partition("(line ")[2].partition(")")[0]
    assert says.format(line) in note
    assert int(line) > 20
    with pytest.raises(InputError, match="units do not fit"):
        read_sbml(sbml(BASE + body, model=MODEL), strict=True)


def test_strict_reads_what_fits() -> None:
    text = sbml(BASE + reaction("r", "c * k * A", "A"), model=MODEL)
    assert read_sbml(text, strict=True) == read_sbml(text)


def test_level_2_has_units_of_its_own() -> None:
    body = '<compartment id="c" size="2"/><species id="A" compartment="c" initialAmount="1"/>'
    network = read_sbml(sbml(body + '<parameter id="k" units="second"/>', 2, 4))
    assert network.time_unit == "s"
    assert network.species[0].unit == "mol/L"
    assert network.compartments[0].unit == "L"
    assert network.parameter_list[0].unit == "s"


def test_powers() -> None:
    litre, metre = UnitPowers.of_kind("litre"), UnitPowers.of_kind("metre")
    assert (metre**3).same_dimension(litre)
    assert not (metre**3).same(litre)
    assert (litre * litre**-1).same(UnitPowers())
    newton = UnitPowers.of_kind("newton")
    assert (newton * metre).same(UnitPowers.of_kind("joule"))
    assert str(UnitPowers()) == "no unit"
    assert str(UnitPowers(60.0)) == "(60)"
    volt, ampere = UnitPowers.of_kind("volt"), UnitPowers.of_kind("ampere")
    assert (volt * ampere).same(UnitPowers.of_kind("watt"))
    assert (volt * ampere**-1).same(UnitPowers.of_kind("ohm"))
    assert (ampere * volt**-1).same(UnitPowers.of_kind("siemens"))


@settings(max_examples=25, deadline=None)
@given(*(st.floats(1e-3, 1e3) for _ in range(3)))
def test_other_units_give_the_same_course(substance: float, volume: float, time: float) -> None:
    def rates(substance: float, volume: float, time: float) -> tuple[np.ndarray, np.ndarray]:
        concentration = substance / volume
        body = (
            f'<compartment id="c" size="{2.0 * volume!r}"/><compartment id="n" size="{volume!r}"/>'
        )
        body += f'<species id="A" compartment="c" initialConcentration="{3 * concentration!r}"/>'
        body += f'<species id="B" compartment="n" initialAmount="{5 * substance!r}"/>'
        body += f'<parameter id="k" value="{0.7 / concentration / time!r}"/>'
        body += f'<parameter id="K" value="{1.5 * concentration!r}"/>'
        network = read_sbml(sbml(body + reaction("r", "c * k * A^2 / (1 + B / K)", "2 A", "B")))
        start = start_values(network)
        found = functions(network, [symbol("A"), symbol("B"), *network.rates])(
            0.0, [start[name] for name in network.states]
        )
        return found[:2] / concentration, found[2:] / concentration * time

    for first, second in zip(rates(1.0, 1.0, 1.0), rates(substance, volume, time), strict=True):
        np.testing.assert_allclose(second, first, rtol=1e-12)
