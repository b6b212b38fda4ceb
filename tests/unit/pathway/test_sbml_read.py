"""What elements of SBML mean, against courses that can be written down."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import sympy as sp
from tests.network_course import course
from tests.sbml_texts import event, reaction, sbml

from statera.numerics.expression import symbol
from statera.pathway.sbml_read import read_sbml

T = np.linspace(0.0, 4.0, 9)
CELL = '<compartment id="c" size="2"/>'


def found(body: str, *names: str, level: int = 3, version: int = 2) -> np.ndarray:
    """Return the course of named quantities, (n_times, n_names)."""
    return course(read_sbml(sbml(body, level, version)), T, names)


def close(values: np.ndarray, *wanted: np.ndarray | float) -> None:
    columns = np.stack([np.broadcast_to(w, T.shape) for w in wanted], axis=1)
    np.testing.assert_allclose(values, columns, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize(
    ("level", "version"), [(2, 1), (2, 2), (2, 3), (2, 4), (2, 5), (3, 1), (3, 2)]
)
def test_a_law_is_an_amount_per_time_in_every_version(level: int, version: int) -> None:
    body = CELL + '<species id="A" compartment="c" initialConcentration="3"/>'
    body += '<species id="B" compartment="c" initialAmount="0"/><parameter id="k" value="0.5"/>'
    values = found(
        body + reaction("r", "k * A", "A", "2 B"), "A", "B", level=level, version=version
    )
    left = 3.0 * np.exp(-0.25 * T)  # k / volume
    close(values, left, 2.0 * (3.0 - left))


def test_an_amount_stays_an_amount() -> None:
    body = CELL + '<species id="A" compartment="c" initialConcentration="3"'
    body += ' hasOnlySubstanceUnits="true"/>' + reaction("r", "0.5 * A", "A")
    close(found(body, "A"), 6.0 * np.exp(-0.5 * T))


def test_a_species_in_a_point_is_an_amount() -> None:
    body = '<compartment id="c" spatialDimensions="0"/>'
    body += '<species id="A" compartment="c" initialAmount="3"/>' + reaction("r", "0.5 * A", "A")
    close(found(body, "A", level=2, version=4), 3.0 * np.exp(-0.5 * T))


def test_a_boundary_species_is_left_alone() -> None:
    body = CELL + '<species id="A" compartment="c" initialConcentration="3"'
    body += ' boundaryCondition="true"/><species id="B" compartment="c" initialAmount="0"/>'
    network = read_sbml(sbml(body + reaction("r", "c * A", "A", "B")))
    assert network.states == ("B",)
    assert network.parameters["A"] == 3.0
    close(course(network, T, ["A", "B"]), 3.0, 3.0 * T)


def test_reactants_named_twice_count_twice() -> None:
    body = CELL + '<species id="A" compartment="c" initialConcentration="1"/>'
    body += reaction("r", "c * 0.1", "A + A", "3 A")
    close(found(body, "A"), 1.0 + 0.1 * T)


def test_a_growing_compartment_dilutes() -> None:
    body = '<compartment id="c" size="1" constant="false"/>'
    body += '<species id="A" compartment="c" initialConcentration="2"/>'
    body += '<species id="B" compartment="c" initialConcentration="1" boundaryCondition="true"/>'
    body += '<rateRule variable="c"><m>0.5</m></rateRule>' + reaction("r", "1", "", "A")
    network = read_sbml(sbml(body))
    volume = 1.0 + 0.5 * T
    close(course(network, T, ["A", "B", "c"]), (2.0 + T) / volume, 1.0 / volume, volume)
    assert network.states == ("A", "B", "c")


def test_a_computed_compartment_keeps_the_amounts() -> None:
    body = '<compartment id="c" constant="false"/>'
    body += '<species id="A" compartment="c" initialConcentration="2"/>'
    body += '<species id="B" compartment="c" initialAmount="3"/>'
    body += '<assignmentRule variable="c"><m>2 + time</m></assignmentRule>'
    network = read_sbml(sbml(body + reaction("r", "1", "", "A")))
    assert network.states == ("A_amount",)
    close(course(network, T, ["A", "B"]), (4.0 + T) / (2.0 + T), 3.0 / (2.0 + T))


def test_a_jump_of_the_volume_keeps_the_amounts() -> None:
    body = '<compartment id="c" size="1" constant="false"/>'
    body += '<species id="A" compartment="c" initialConcentration="2"/>'
    body += '<species id="B" compartment="c" initialConcentration="2"/>'
    body += '<species id="D" compartment="c" initialConcentration="1"/>'
    body += '<rateRule variable="B"><m>0.5</m></rateRule>' + reaction("r", "1", "", "D")
    body += event("time > 1.25", "c = 4")
    late = T > 1.25
    volume = np.where(late, 4.0, 1.0)
    close(found(body, "A", "D", "c"), 2.0 / volume, (1.0 + T) / volume, volume)
    close(found(body, "B"), 2.0 + 0.5 * T)  # its rule is for the concentration


def test_an_event_sets_a_concentration_in_the_volume_from_before() -> None:
    body = '<compartment id="c" size="1" constant="false"/>'
    body += '<species id="A" compartment="c" initialConcentration="2"/>'
    body += event("time > 1.25", "c = 4; A = A + 3")
    close(found(body, "A"), np.where(T > 1.25, 5.0 / 4.0, 2.0))


def test_own_parameters_hide_common_ones() -> None:
    body = CELL + '<species id="A" compartment="c" initialConcentration="1"/>'
    body += '<parameter id="k" value="100"/>' + reaction("r", "c * k * A", "A", local="k=0.5")
    network = read_sbml(sbml(body))
    assert network.parameters["r_k"] == 0.5
    close(course(network, T, ["A", "k"]), np.exp(-0.5 * T), 100.0)


def test_functions_are_written_out() -> None:
    body = CELL + '<species id="A" compartment="c" initialConcentration="1"/>'
    body += '<parameter id="x" value="100"/><parameter id="k" value="0.25"/>'
    body += '<functionDefinition id="f"><m>lambda(x, y, x * y)</m></functionDefinition>'
    body += '<functionDefinition id="g"><m>lambda(y, x, f(y + y, x))</m></functionDefinition>'
    network = read_sbml(sbml(body + reaction("r", "c * g(k, A)", "A")))
    a, k = symbol("A"), symbol("k")
    assert network.rates == (-2 * a * k,)


def test_initial_assignments_follow_parameters() -> None:
    body = CELL + '<species id="A" compartment="c"/><species id="B" compartment="c"/>'
    body += '<parameter id="p" value="7"/><parameter id="q"/><parameter id="h"/>'
    body += '<initialAssignment symbol="q"><m>3 * A + time</m></initialAssignment>'
    body += '<initialAssignment symbol="A"><m>p + B</m></initialAssignment>'
    body += '<initialAssignment symbol="B"><m>2</m></initialAssignment>'
    body += '<initialAssignment symbol="h"><m>2 * 3</m></initialAssignment>'
    body += reaction("r", "c * 0.1 * q", "A", "B")
    network = read_sbml(sbml(body))
    assert network.computed == ("q",)
    assert network.assigned["q"] == 3 * (symbol("p") + 2)
    assert network.initial["A"] == symbol("p") + symbol("B")
    assert network.parameters["h"] == 6.0
    assert "q" not in network.parameters
    close(course(network, T, ["A", "B", "q"]), 9.0 - 2.7 * T, 2.0 + 2.7 * T, 27.0)


def test_rules_are_put_in_order() -> None:
    body = '<parameter id="a" constant="false"/><parameter id="b" constant="false"/>'
    body += '<parameter id="s" value="1" constant="false"/>'
    body += '<assignmentRule variable="a"><m>2 * b</m></assignmentRule>'
    body += '<assignmentRule variable="b"><m>s + 1</m></assignmentRule>'
    body += '<rateRule variable="s"><m>-0.5 * s</m></rateRule>'
    network = read_sbml(sbml(body))
    assert tuple(network.assigned) == ("b", "a")
    left = np.exp(-0.5 * T)
    close(course(network, T, ["s", "a", "b"]), left, 2.0 * (left + 1.0), left + 1.0)


def test_stoichiometry_by_formula_in_level_2() -> None:
    body = '<compartment id="c" size="1"/><species id="A" compartment="c" initialAmount="0"/>'
    body += '<parameter id="n" value="3"/><reaction id="r"><listOfProducts>'
    body += '<speciesReference species="A"><stoichiometryMath><m>n * 2</m></stoichiometryMath>'
    body += "</speciesReference></listOfProducts><kineticLaw><m>0.5</m></kineticLaw></reaction>"
    network = read_sbml(sbml(body, 2, 4))
    assert network.rates == (sp.Float(0.5) * 6 / 6 * 2 * symbol("n") / symbol("c"),)
    close(course(network, T, ["A"]), 3.0 * T)


def test_stoichiometry_by_name_in_level_3() -> None:
    body = '<compartment id="c" size="1"/><species id="A" compartment="c" initialAmount="0"/>'
    body += '<species id="B" compartment="c" initialAmount="0"/>'
    body += '<species id="D" compartment="c" initialAmount="0"/><parameter id="z" value="2"/>'
    body += '<reaction id="r"><listOfProducts>'
    body += '<speciesReference id="n" species="A" constant="false"/>'
    body += '<speciesReference id="u" species="B" stoichiometry="5"/>'
    body += '<speciesReference id="j" species="D" stoichiometry="1" constant="false"/>'
    body += "</listOfProducts><kineticLaw><m>1</m></kineticLaw></reaction>"
    body += '<assignmentRule variable="n"><m>z * time</m></assignmentRule>'
    body += event("time > 1.25", "j = 3")
    network = read_sbml(sbml(body))
    assert network.states == ("A", "B", "D", "j")
    d = np.where(T > 1.25, 1.25 + 3.0 * (T - 1.25), T)
    close(course(network, T, ["A", "B", "D", "n"]), T**2, 5.0 * T, d, 2.0 * T)
    assert "u" not in network.parameters


def test_conversion_factors_scale_what_reactions_do() -> None:
    body = '<compartment id="c" size="2"/><parameter id="f" value="10"/><parameter id="g" value="3"'
    body += '/><species id="A" compartment="c" initialConcentration="0"/>'
    body += '<species id="B" compartment="c" initialAmount="0" conversionFactor="g"/>'
    text = sbml(body + reaction("r", "1", "", "A + B"), model='conversionFactor="f"')
    close(course(read_sbml(text), T, ["A", "B"]), 5.0 * T, 1.5 * T)


def test_the_rate_of_something_can_be_used() -> None:
    body = CELL + '<species id="A" compartment="c" initialConcentration="1"/>'
    body += '<parameter id="d" constant="false"/><parameter id="e"/><parameter id="s" value="0"'
    body += ' constant="false"/>' + reaction("r", "c * 0.5 * A", "A")
    body += '<assignmentRule variable="d"><m>rateOf(A)</m></assignmentRule>'
    body += '<initialAssignment symbol="e"><m>rateOf(A) + rateOf(c)</m></initialAssignment>'
    body += '<rateRule variable="s"><m>2 * rateOf(A)</m></rateRule>'
    left = np.exp(-0.5 * T)
    close(found(body, "d", "e", "s"), -0.5 * left, -0.5, 2.0 * (left - 1.0))


def test_a_reaction_stands_for_its_rate() -> None:
    body = CELL + '<species id="A" compartment="c" initialConcentration="1"/>'
    body += '<parameter id="d" constant="false"/>' + reaction("r", "c * 0.5 * A", "A")
    body += '<assignmentRule variable="d"><m>r + 1</m></assignmentRule>'
    close(found(body, "d", "r"), np.exp(-0.5 * T) + 1.0, np.exp(-0.5 * T))


def test_something_called_as_the_time_is_renamed() -> None:
    body = '<parameter id="t" value="1" constant="false"/><parameter id="t_" value="4"/>'
    body += '<rateRule variable="t"><m>2 * time * t_</m></rateRule>'
    network = read_sbml(sbml(body))
    assert network.states == ("t__",)
    assert network.notes == ("'t' is called 't__': the time has that name",)
    close(course(network, T, ["t__"]), 1.0 + 4.0 * T**2)


def test_steps_in_time_stay_pieces() -> None:
    body = '<parameter id="s" value="0" constant="false"/>'
    body += '<rateRule variable="s"><m>piecewise(1, time &lt; 1.25, 3)</m></rateRule>'
    close(found(body, "s"), np.where(T < 1.25, T, 1.25 + 3.0 * (T - 1.25)))


def test_what_is_open_is_noted() -> None:
    body = '<compartment id="c"/><species id="A" compartment="c"/><parameter id="k"/>'
    body += "<constraint><m>A &lt; 3</m></constraint>"
    body += '<reaction id="r"><listOfReactants><speciesReference species="A" stoichiometry="1"/>'
    network = read_sbml(sbml(body + "</listOfReactants></reaction>"))
    assert network.notes == (
        "constraints are not checked (1)",
        "reaction 'r' has no kinetic law: it does not take place",
        "compartment 'c' has no size: it is taken as 1",
        "parameter 'k' has no value",
        "species 'A' has no value at the start",
    )
    assert np.isnan(network.parameters["k"])
    assert network.initial["A"] is sp.nan
    assert network.compartments[0].size is None
    assert network.parameter_list[0].value is None


def test_powers_stay_as_they_are_written() -> None:
    body = CELL + '<species id="A" compartment="c" initialConcentration="1"/>'
    body += '<parameter id="h" value="2"/><parameter id="K" value="3"/>'
    (law,) = (r.law for r in read_sbml(sbml(body + reaction("r", "c * (A / K)^h", "A"))).reactions)
    assert law == symbol("c") * (symbol("A") / symbol("K")) ** symbol("h")


def test_a_path_and_a_text_are_the_same(tmp_path: Path) -> None:
    text = sbml('<parameter id="k" value="2"/>')
    path = tmp_path / "model.xml"
    path.write_text(text, encoding="utf-8")
    assert read_sbml(path) == read_sbml(str(path)) == read_sbml(text)
