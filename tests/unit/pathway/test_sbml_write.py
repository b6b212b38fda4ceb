"""Networks written as SBML and read again."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.network_course import course
from tests.sbml_texts import event, reaction, sbml

from statera.errors import InputError
from statera.numerics.expression import symbol
from statera.pathway.conserved import reduce_network, start_values
from statera.pathway.jak_stat_model import JakStatRates, jak_stat_network
from statera.pathway.network import TIME, Network
from statera.pathway.sbml_draft import Draft
from statera.pathway.sbml_read import read_sbml
from statera.pathway.sbml_write import sbml_text, write_sbml

T = np.linspace(0.0, 4.0, 9)
A_B = (
    '<compartment id="c" size="2" name="cell"/><parameter id="k" value="0.5"/>'
    '<species id="A" compartment="c" initialConcentration="3" name="first"/>'
    '<species id="B" compartment="c" initialAmount="1"/>'
)
MOVING = A_B.replace('size="2"', 'size="2" constant="false"')
CASES = {
    "reactions": A_B + reaction("r", "c * k * A", "A", "2 B")
    + reaction("s", "k", "B", local="k=2"),
    "amounts": A_B.replace("/>", ' hasOnlySubstanceUnits="true"/>', 4).replace(
        '"0.5" hasOnlySubstanceUnits="true"', '"0.5"'
    ).replace('"cell" hasOnlySubstanceUnits="true"', '"cell"') + reaction("r", "k * A", "A", "B"),
    "growing": MOVING + '<rateRule variable="c"><m>0.5</m></rateRule>'
    + reaction("r", "1", "", "A"),
    "growing, no reaction": MOVING + '<rateRule variable="c"><m>0.5</m></rateRule>',
    "computed volume": MOVING.replace(' size="2"', "")
    + '<assignmentRule variable="c"><m>2 + time</m></assignmentRule>' + reaction("r", "k", "", "A"),
    "volume jumps": MOVING + event("time > 1.25", "c = 4")
    + '<rateRule variable="B"><m>k</m></rateRule>' + reaction("r", "k", "", "A"),
    "volume and concentration jump": MOVING + event("time > 1.25", "c = 4; A = A + 3; k2 = 2")
    + '<parameter id="k2" value="3" constant="false"/>',
    "rules": A_B + '<parameter id="x" constant="false"/><parameter id="y" constant="false"/>'
    + '<assignmentRule variable="x"><m>2 * y + A</m></assignmentRule>'
    + '<assignmentRule variable="y"><m>sin(time * k)</m></assignmentRule>'
    + '<parameter id="z" value="1" constant="false"/><rateRule variable="z"><m>x - z</m></rateRule>'
    + '<rateRule variable="A"><m>-0.1 * A</m></rateRule>',
    "initial assignments": A_B.replace(' initialAmount="1"', "") + '<parameter id="q"/>'
    + '<parameter id="h"/><initialAssignment symbol="q"><m>A + k</m></initialAssignment>'
    + '<initialAssignment symbol="h"><m>2</m></initialAssignment>'
    + '<initialAssignment symbol="B"><m>A + q</m></initialAssignment>'
    + reaction("r", "1", "A", "B"),
    "events": A_B + '<parameter id="x" value="0" constant="false"/>'
    + event("time > 1 && A < 10 || !(B > 2)", "x = A + 1; A = 2", delay="k", priority="2 * k",
            attributes='id="e" useValuesFromTriggerTime="false"',
            at='initialValue="false" persistent="false"') + reaction("r", "k", "A", "B"),
    "stoichiometry": A_B + '<parameter id="w" value="2"/><reaction id="r"><listOfProducts>'
    '<speciesReference id="n" species="A" constant="false"/>'
    '<speciesReference id="j" species="B" stoichiometry="1" constant="false"/>'
    "</listOfProducts><kineticLaw><m>1</m></kineticLaw></reaction>"
    '<assignmentRule variable="n"><m>w * time</m></assignmentRule>'
    + event("time > 1.25", "j = 3"),
    "conversion": A_B.replace('id="B"', 'id="B" conversionFactor="k"')
    + reaction("r", "1", "A", "B"),
    "boundary": A_B.replace('id="B"', 'id="B" boundaryCondition="true"')
    + '<rateRule variable="B"><m>k</m></rateRule>' + reaction("r", "B", "A", "B"),
    "a reaction's rate": A_B + '<parameter id="x" constant="false"/>'
    + '<assignmentRule variable="x"><m>r + 1</m></assignmentRule>'
    + reaction("r", "k * A", "A", "B"),
    "nothing given": '<compartment id="c"/><species id="A" compartment="c"/><parameter id="k"/>',
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_is_written_reads_the_same(name: str) -> None:
    network = read_sbml(sbml(CASES[name], model='timeUnits="second"'))
    assert _same(read_sbml(sbml_text(network)), network)


def _same(first: Network, second: Network) -> bool:
    """Return whether two networks are equal, where no number equals no number."""
    return repr(first) == repr(second) and first.states == second.states


def test_units_are_kept() -> None:
    unit = '<unit kind="{}" exponent="{}" scale="{}" multiplier="{}"/>'
    define = '<unitDefinition id="{}"><listOfUnits>{}</listOfUnits></unitDefinition>'
    body = define.format("odd", unit.format("second", 1, -3, 60))
    body += define.format("nmol", unit.format("mole", 1, -9, 1))
    body += define.format("pL", unit.format("litre", 1, -12, 1))
    rate = unit.format("mole", -1, -9, 1) + unit.format("litre", 1, 0, 1)
    body += define.format("rate", rate + unit.format("second", -1, 0, 60))
    body += define.format("surface", unit.format("metre", 2, -6, 1))
    body += '<compartment id="c" size="1" units="pL"/><parameter id="k" value="1" units="rate"/>'
    body += '<parameter id="s" value="1" units="surface"/><parameter id="d" value="1"'
    body += ' units="dimensionless"/><species id="A" compartment="c" substanceUnits="nmol"/>'
    body += '<species id="B" compartment="c" substanceUnits="item" hasOnlySubstanceUnits="true"/>'
    network = read_sbml(sbml(body, model='timeUnits="odd"'))
    assert network.time_unit == "(0.06 s)"
    assert [s.unit for s in network.species] == ["nmol/pL", "item"]
    assert [p.unit for p in network.parameter_list] == ["L/nmol/min", "um^2", "dimensionless"]
    assert _same(read_sbml(sbml_text(network)), network)


@pytest.mark.parametrize(
    ("unit", "again"),
    [("nM", "nmol/L"), ("1/min", "1/min"), ("ng/mL", "ng/mL"), ("L/(mol*s)", "L/mol/s"),
     ("h", "h"), ("item", "item"), ("1/(nmol/L)", "L/nmol"), ("(60 s)", "min"), ("uM", "umol/L")],
)  # fmt: skip
def test_units_of_our_own_are_written(unit: str, again: str) -> None:
    network = read_sbml(sbml('<parameter id="k" value="2"/>'))
    (parameter,) = network.parameter_list
    changed = replace(network, parameter_list=(replace(parameter, unit=unit),))
    assert read_sbml(sbml_text(changed)).parameter_list[0].unit == again


def test_a_unit_that_is_none_is_refused() -> None:
    network = read_sbml(sbml('<parameter id="k" value="2"/>'))
    (parameter,) = network.parameter_list
    changed = replace(network, parameter_list=(replace(parameter, unit="furlongs"),))
    with pytest.raises(InputError, match="'furlongs' of parameter 'k' cannot be written"):
        sbml_text(changed)


def test_a_network_of_our_own(tmp_path: Path) -> None:
    network = jak_stat_network(
        JakStatRates(**{f.name: 0.1 * (i + 1) for i, f in enumerate(fields(JakStatRates))})
    )
    write_sbml(network, tmp_path / "jak_stat.xml")
    again = read_sbml(tmp_path / "jak_stat.xml")
    assert (again.states, again.rates) == (network.states, network.rates)
    assert start_values(again) == start_values(network)
    assert again.parameters == {**network.parameters, "cell": 1.0}


def test_a_reduced_network_keeps_its_course() -> None:
    network = read_sbml(sbml(CASES["reactions"].split("<reaction", 1)[0]
                             + reaction("r", "c * k * A", "A", "B")))  # fmt: skip
    small, _ = reduce_network(network)
    with pytest.raises(InputError, match="species 'A' is computed by a rule, and changed"):
        sbml_text(small)
    alone = replace(small, reactions=())
    again = read_sbml(sbml_text(alone))
    np.testing.assert_allclose(
        course(again, T, ["A", "B"]), course(network, T, ["A", "B"]), rtol=1e-8
    )


def test_equations_alone_become_rules() -> None:
    x, k = symbol("x"), symbol("k")
    network = Network("n", ("x",), (-k * x,), {"x": 2 * k}, {"k": 0.5}, assigned={"y": x + 1})
    again = read_sbml(sbml_text(network))
    np.testing.assert_allclose(course(again, T, ["y"])[:, 0], np.exp(-0.5 * T) + 1.0, rtol=1e-8)


def test_reactions_that_do_not_give_the_rates_are_refused() -> None:
    network = read_sbml(sbml(CASES["reactions"]))
    wrong = replace(network, rates=(network.rates[0] * 2, network.rates[1]))
    with pytest.raises(InputError, match="the rate of 'A' is not what its reactions and rules"):
        sbml_text(wrong)


def test_what_sbml_has_no_function_for_is_refused() -> None:
    network = read_sbml(sbml('<parameter id="k" value="2"/>'))
    wrong = replace(network, assigned={"y": sp.erf(symbol("k"))})
    with pytest.raises(InputError, match="SBML has no function 'erf'"):
        sbml_text(wrong)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    network = read_sbml(sbml('<parameter id="k" value="2"/>'))
    with pytest.raises(InputError, match="the file cannot be written: No such file"):
        write_sbml(network, tmp_path / "none" / "model.xml")


_LEAVES = st.one_of(
    st.sampled_from([symbol("x"), symbol("y"), TIME]),
    st.integers(-3, 3).map(lambda n: n + symbol("x")),
    st.floats(0.1, 9.9).map(lambda v: sp.Float(v) * symbol("y")),
)
_ONE = st.sampled_from(
    [sp.exp, sp.Abs, sp.floor, sp.ceiling, sp.sin, sp.tanh, sp.asinh, lambda v: -v,
     lambda v: 1 / (2 + v), sp.cos, lambda v: v**2, lambda v: v**-3]
)  # fmt: skip
_TWO = st.sampled_from(
    [lambda a, b: a + b, lambda a, b: a - b, lambda a, b: a * b, sp.Min, sp.Max,
     lambda a, b: (2 + sp.Abs(a)) ** b,
     lambda a, b: sp.Piecewise((a, sp.Gt(symbol("x"), symbol("y"))), (b, True)),
     lambda a, b: sp.Piecewise((a, sp.And(sp.Ge(TIME, symbol("x")), sp.Ne(TIME, 2))), (b, True))]
)  # fmt: skip
_FORMULAS = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(
        st.builds(lambda f, a: f(a) if a.free_symbols else a, _ONE, inner),
        st.builds(lambda f, a, b: f(a, b), _TWO, inner, inner),
    ),
    max_leaves=4,
)  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(_FORMULAS)
def test_formulas_have_the_same_value_again(formula: sp.Expr) -> None:
    if formula.has(sp.nan, sp.zoo, sp.I) or formula.has(sp.oo, -sp.oo):
        return
    network = Network("n", (), (), {}, {"x": 0.7, "y": 1.3}, assigned={"z": formula})
    again = read_sbml(Draft(network).text()).assigned["z"]
    at = {symbol("x"): 0.7, symbol("y"): 1.3, TIME: 0.4}
    first, second = (complex(f.subs(at).evalf(20)) for f in (formula, again))
    assert second == pytest.approx(first, rel=1e-9, abs=1e-12)
