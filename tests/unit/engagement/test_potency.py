"""Potencies: reading, bounds, units and what is refused."""

from __future__ import annotations

import math
from types import MappingProxyType

import pytest

from statera.engagement.potency import Potency, from_fact, potencies_from_facts
from statera.engagement.stated import matrix_of, parse_stated, standard_unit
from statera.errors import InputError
from statera.sources.fact import Fact, Relation, Status


def fact(value: float | str | None, unit: str = "nM", **more: object) -> Fact:
    context = {"assay": "isolated enzyme", "target": "JAK1", "stimulus": "", "readout": ""}
    given = more.pop("context", {})
    assert isinstance(given, dict)
    return Fact(
        id="potency-1",
        drug="examplinib",
        section="potency",
        parameter="IC50",
        value=value,
        unit=unit,
        source="EXAMPLE",
        context=MappingProxyType(context | given),
        **more,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(
    ("text", "relation", "value"),
    [
        ("5.9", Relation.EQUAL, 5.9),
        ("<50", Relation.LESS, 50.0),
        ("<= 25", Relation.AT_MOST, 25.0),
        ("≤25", Relation.AT_MOST, 25.0),
        (">400", Relation.GREATER, 400.0),
        ("≥ 1e3", Relation.AT_LEAST, 1000.0),
        ("~60", Relation.ABOUT, 60.0),
        ("about 60", Relation.ABOUT, 60.0),
        (" .5 ", Relation.EQUAL, 0.5),
    ],
)
def test_numbers_as_printed(text: str, relation: Relation, value: float) -> None:
    stated = parse_stated(text)
    assert (stated.relation, stated.value) == (relation, value)


@pytest.mark.parametrize("text", ["10-20", "10 – 20", "10 to 20"])
def test_ranges_as_printed(text: str) -> None:
    stated = parse_stated(text)
    assert (stated.relation, stated.low, stated.high) == (Relation.RANGE, 10.0, 20.0)
    assert stated.value is None


@pytest.mark.parametrize(
    ("text", "hint"),
    [("5,9", "not as a comma"), ("-5", "negative"), ("< -5", "negative"), ("low", "Write it like")],
)
def test_what_is_not_a_number(text: str, hint: str) -> None:
    with pytest.raises(InputError, match=r"not a number|below zero") as caught:
        parse_stated(text)
    assert hint in caught.value.hint


def test_admissible_values_of_each_relation() -> None:
    def ends(relation: Relation, value: float | None = 50.0, **more: float) -> tuple[float, float]:
        ic50 = Potency("x", value, "nM", relation, **more).ic50
        return ic50.low, ic50.high

    assert ends(Relation.EQUAL) == (50.0, 50.0)
    assert ends(Relation.ABOUT) == (50.0, 50.0)
    assert ends(Relation.LESS) == ends(Relation.AT_MOST) == (0.0, 50.0)
    assert ends(Relation.GREATER) == ends(Relation.AT_LEAST) == (50.0, math.inf)
    assert ends(Relation.RANGE, None, low=10.0, high=20.0) == (10.0, 20.0)


def test_conversion_to_nM() -> None:
    potency = Potency("x", 425.5, "ng/mL", Relation.LESS)
    molar = potency.in_nM(425.5)
    assert molar.value == pytest.approx(1000.0)
    assert (molar.unit, molar.relation) == ("nM", Relation.LESS)
    assert molar.in_nM(None) is molar
    span = Potency("x", None, "ng/mL", Relation.RANGE, low=1.0, high=2.0).in_nM(500.0)
    assert (span.low, span.high) == (pytest.approx(2.0), pytest.approx(4.0))
    for mass in (None, 0.0, -1.0, math.nan, math.inf):
        with pytest.raises(InputError, match="without the molar mass"):
            potency.in_nM(mass)


def test_text_and_name() -> None:
    assert Potency("x", 50.0, "nM", Relation.LESS).text == "< 50 nM"
    assert Potency("x", 5.9, "nM").text == "5.9 nM"
    assert Potency("x", None, "nM", Relation.RANGE, 10.0, 20.0).text == "10 to 20 nM"
    assert Potency("x", 1.0, "nM", target="JAK1").name == "JAK1"
    assert Potency("x", 1.0, "nM", target="JAK1", stimulus="IL-6", readout="pSTAT3").name == (
        "IL-6, pSTAT3"
    )
    unread = Potency("x", 1.0, "nM", target="JAK1", stimulus="not captured", readout="pSTAT1")
    assert unread.name == "pSTAT1, JAK1 (stimulus not retrieved)"
    assert Potency("x", 1.0, "nM", label="own").name == "own"


@pytest.mark.parametrize(
    ("assay", "matrix"),
    [
        ("isolated enzyme", "enzyme"),
        ("cellular", "cell"),
        ("human whole blood", "whole_blood"),
        ("ex vivo PK/PD", "ex_vivo_blood"),
        ("something else", "unknown"),
        ("", "unknown"),
    ],
)
def test_matrix_from_the_kind_of_assay(assay: str, matrix: str) -> None:
    assert matrix_of(assay) == matrix


def test_units_are_brought_to_two() -> None:
    assert standard_unit("nM") == (1.0, "nM")
    assert standard_unit("uM") == (pytest.approx(1000.0), "nM")
    assert standard_unit("ug/mL") == (pytest.approx(1000.0), "ng/mL")
    with pytest.raises(InputError, match="not a concentration"):
        standard_unit("h")
    with pytest.raises(InputError):
        standard_unit("wombats")


def test_from_fact_keeps_what_the_source_says() -> None:
    potency = from_fact(fact(">400", context={"target": "JAK3"}))
    assert potency.relation is Relation.GREATER
    assert potency.value == 400.0
    assert potency.target == "JAK3"
    assert potency.matrix == "enzyme"
    assert (potency.hill, potency.hill_assumed) == (1.0, True)
    assert potency.source == "EXAMPLE"
    number = from_fact(fact(50.0, relation=Relation.LESS, context={"assay": "cellular"}))
    assert number.ic50.high == 50.0
    assert number.matrix == "cell"
    micro = from_fact(fact(0.05, unit="uM"))
    assert micro.value == pytest.approx(50.0)
    span = from_fact(fact(None, relation=Relation.RANGE, low=1.0, high=3.0))
    assert (span.low, span.high) == (1.0, 3.0)


def test_hill_coefficient_from_note_or_context() -> None:
    noted = from_fact(fact(293.0, unit="ng/mL", note="Hill 1.97"))
    assert (noted.hill, noted.hill_assumed) == (1.97, False)
    given = from_fact(fact(293.0, context={"hill": "1.2"}))
    assert (given.hill, given.hill_assumed) == (1.2, False)
    with pytest.raises(InputError, match="not a Hill"):
        from_fact(fact(293.0, context={"hill": "steep"}))


def test_facts_that_are_no_potency_are_reported() -> None:
    facts = [
        fact(5.9),
        fact("~60", unit="fold"),
        fact(None, status=Status.NOT_RETRIEVED),
        fact("not captured"),
        fact(None),
    ]
    potencies, skipped = potencies_from_facts(facts)
    assert len(potencies) == 1
    assert len(skipped) == 4
    assert all(s.reason for s in skipped)
    assert "selectivity ratio" in skipped[0].reason
    assert "could not be read" in skipped[1].reason


@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf, 1e12, None])
def test_absurd_potencies_are_refused(value: float | None) -> None:
    with pytest.raises(InputError, match="not plausible"):
        Potency("x", value, "nM")


def test_other_absurdities_are_refused() -> None:
    for hill in (0.0, -1.0, 11.0, math.nan):
        with pytest.raises(InputError, match="Hill"):
            Potency("x", 1.0, "nM", hill=hill)
    with pytest.raises(InputError, match="upside down"):
        Potency("x", None, "nM", Relation.RANGE, low=2.0, high=1.0)
    with pytest.raises(InputError, match="not plausible"):
        Potency("x", None, "nM", Relation.RANGE, low=2.0)
    with pytest.raises(InputError, match="not nM"):
        Potency("x", 1.0, "uM")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="not a matrix"):
        Potency("x", 1.0, "nM", matrix="soup")  # type: ignore[arg-type]


def test_only_half_maximal_concentrations_are_potencies() -> None:
    assert from_fact(fact(25.0, context={"quantity": "IC50"})).value == 25.0
    with pytest.raises(InputError, match="'effective concentration' is not a half-maximal"):
        from_fact(fact(25.0, context={"quantity": "effective_concentration"}))


def test_a_metabolite_keeps_its_name() -> None:
    potency = from_fact(fact(25.0, context={"analyte": "M1"}))
    assert potency.is_of_metabolite
    assert potency.name == "JAK1, M1"
    assert not from_fact(fact(25.0, context={"analyte": "Examplinib"})).is_of_metabolite
    assert not from_fact(fact(25.0)).is_of_metabolite
