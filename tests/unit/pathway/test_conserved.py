"""Conserved totals: which there are, and the smaller network they give."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st
from tests.network_course import course
from tests.sbml_texts import event, reaction, sbml

from statera.numerics.expression import symbol
from statera.pathway.conserved import (
    conservation_laws,
    reduce_network,
    start_values,
    total_values,
)
from statera.pathway.integer_null_space import left_null_space
from statera.pathway.network import Network
from statera.pathway.sbml_read import read_sbml

T = np.linspace(0.0, 4.0, 9)
DIMER = (
    '<compartment id="c" size="2"/><compartment id="n" size="0.5"/><parameter id="k" value="0.3"/>'
    '<species id="A" compartment="c" initialConcentration="3"/>'
    '<species id="B" compartment="c" initialConcentration="4"/>'
    '<species id="AB" compartment="c" initialConcentration="0"/>'
    '<species id="D" compartment="n" initialConcentration="1"/>'
    + reaction("bind", "c * k * A * B", "A + B", "AB")
    + reaction("part", "c * k * AB", "AB", "A + B")
    + reaction("enter", "k * AB * 0.7", "AB", "D")
)


@given(
    st.lists(
        st.lists(st.integers(-2, 2), min_size=4, max_size=4), min_size=1, max_size=7
    )
)  # fmt: skip
def test_null_vectors_are_a_basis(rows: list[list[int]]) -> None:
    matrix = np.array(rows)
    sparse = [{j: Fraction(v) for j, v in enumerate(row) if v} for row in rows]
    found = left_null_space(sparse)
    vectors = np.array([[v.get(i, 0) for i in range(len(rows))] for v in found]).reshape(
        len(found), len(rows)
    )
    assert not (vectors @ matrix).any()
    assert len(found) == len(rows) - np.linalg.matrix_rank(matrix)
    assert not found or np.linalg.matrix_rank(vectors) == len(found)


def test_non_negative_vectors_come_first() -> None:
    rows = [{0: Fraction(-1)}, {0: Fraction(1)}, {0: Fraction(1)}, {0: Fraction(2)}]
    assert left_null_space(rows) == [{0: 1, 1: 1}, {0: 1, 2: 1}, {0: 2, 3: 1}]


def test_amounts_count_across_compartments() -> None:
    network = read_sbml(sbml(DIMER))
    laws = conservation_laws(network)
    assert [str(law) for law in laws] == ["A + AB + D", "B + AB + D"]
    assert laws[0].weights == {"A": symbol("c"), "AB": symbol("c"), "D": symbol("n")}
    assert total_values(network, laws) == (6.5, 8.5)
    assert total_values(network, laws, {"c": 1.0}) == (3.5, 4.5)


def test_a_total_is_the_same_all_along() -> None:
    network = read_sbml(sbml(DIMER))
    rows = course(network, T, network.states)
    laws = conservation_laws(network)
    for law, total in zip(laws, total_values(network, laws), strict=True):
        formula = law.total.subs(values(network))
        compute = sp.lambdify([[symbol(n) for n in network.states]], formula)
        np.testing.assert_allclose([compute(row) for row in rows], total, rtol=1e-10)


def values(network: Network) -> dict[sp.Symbol, float]:
    return {symbol(name): value for name, value in network.parameters.items()}


def test_fewer_states_give_the_same_course() -> None:
    network = read_sbml(sbml(DIMER))
    small, formulas = reduce_network(network)
    assert set(small.states) | set(formulas) == set(network.states)
    assert formulas == ("A", "B")
    assert small.computed == ("total_A", "total_B")
    names = ["A", "B", "AB", "D"]
    np.testing.assert_allclose(
        course(small, T, names), course(network, T, names), rtol=1e-8, atol=1e-10
    )


def test_a_total_follows_the_parameters() -> None:
    body = DIMER.replace('"A" compartment="c" initialConcentration="3"', '"A" compartment="c"')
    body += '<parameter id="start" value="3"/>'
    body += '<initialAssignment symbol="A"><m>start</m></initialAssignment>'
    small, _ = reduce_network(read_sbml(sbml(body)))
    s = {n: symbol(n) for n in ("start", "c", "n", "total_A")}
    assert sp.expand(small.assigned["total_A"] - (s["c"] * s["start"] + s["n"])) == 0


def test_a_growing_volume_is_taken_into_account() -> None:
    body = DIMER.replace('id="c" size="2"', 'id="c" size="2" constant="false"')
    body += '<rateRule variable="c"><m>0.1</m></rateRule>'
    network = read_sbml(sbml(body))
    laws = conservation_laws(network)
    assert [str(law) for law in laws] == ["A + AB + D", "B + AB + D"]
    rows = course(network, T, ["A", "AB", "D", "c"])
    np.testing.assert_allclose(
        (rows[:, 0] + rows[:, 1]) * rows[:, 3] + 0.5 * rows[:, 2], 6.5, rtol=1e-9
    )
    assert reduce_network(network) == (network, ())


def test_a_computed_volume_keeps_totals_of_amounts() -> None:
    body = DIMER.replace('id="c" size="2"', 'id="c" constant="false"')
    body += '<assignmentRule variable="c"><m>2 + time</m></assignmentRule>'
    network = read_sbml(sbml(body))
    assert [str(law) for law in conservation_laws(network)] == [
        "A_amount + AB_amount + D",
        "B_amount + AB_amount + D",
    ]
    small, formulas = reduce_network(network)
    assert formulas == ("A_amount", "B_amount")
    np.testing.assert_allclose(
        course(small, T, ["A", "D"]), course(network, T, ["A", "D"]), rtol=1e-8, atol=1e-10
    )


def test_what_an_event_sets_is_in_no_law() -> None:
    network = read_sbml(sbml(DIMER + event("time > 1", "A = 2")))
    assert [str(law) for law in conservation_laws(network)] == ["B + AB + D"]


def test_conversion_factors_are_divided_out() -> None:
    body = '<compartment id="c" size="2"/><parameter id="f" value="10"/>'
    body += '<species id="A" compartment="c" initialAmount="1" conversionFactor="f"/>'
    body += '<species id="B" compartment="c" initialAmount="0"/>'
    (law,) = conservation_laws(read_sbml(sbml(body + reaction("r", "c * 0.1 * A", "A", "2 B"))))
    assert law.counts == {"A": 2, "B": 1}
    assert law.weights == {"A": 2 * symbol("c") / symbol("f"), "B": symbol("c")}
    assert str(law) == "2 A + B"


@pytest.mark.parametrize("sign", [1, -1])
def test_laws_with_a_minus(sign: int) -> None:
    body = '<compartment id="c" size="1"/><species id="A" compartment="c" initialAmount="1"/>'
    body += '<species id="B" compartment="c" initialAmount="5"/>'
    made, lost = ("A + B", "") if sign > 0 else ("", "A + B")
    (law,) = conservation_laws(read_sbml(sbml(body + reaction("r", "0.1", lost, made))))
    assert str(law) == "A - B"


def test_start_values() -> None:
    network = read_sbml(sbml(DIMER))
    assert start_values(network) == {"A": 3.0, "B": 4.0, "AB": 0.0, "D": 1.0}
