"""Marks of what Janus kinases catalyse, and the networks that they make."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sympy as sp

from statera.errors import InputError, UnknownNameError
from statera.numerics.expression import symbol
from statera.pathway.jak_inhibition import (
    RULES,
    DrugTerm,
    Inhibited,
    JakMarks,
    KinasePotency,
    inhibit,
    read_jak_marks,
    residual_name,
    unexplained_rate,
)
from statera.pathway.network import Compartment, Network, Reaction, Species

A, B, K, CELL, DRUG = (symbol(n) for n in ("A", "B", "k", "cell", "Drug"))
LAW = CELL * K * A / (1 + DRUG / 20)
NETWORK = Network(
    id="two",
    states=("A", "B"),
    rates=(-LAW / CELL, LAW - 2 * B),
    initial={"A": sp.Float(3), "B": sp.Float(0)},
    parameters={"k": 0.5, "cell": 4.0},
    assigned={"Drug": sp.Float(5)},
    compartments=(Compartment("cell", 4.0),),
    species=(Species("A", "cell"), Species("B", "cell", amount=True)),
    reactions=(
        Reaction("phosphorylation", LAW, (("A", sp.Integer(1)),), (("B", sp.Integer(1)),)),
        Reaction("loss", 2 * B, (("B", sp.Integer(1)),)),
    ),
)
MARKED = JakMarks("two", (Inhibited("phosphorylation", ("JAK1", "JAK2")),), ())
POTENCIES = {"JAK1": KinasePotency(10.0), "JAK2": KinasePotency(40.0, 2.0, unbound=False)}
POINT = {"t": 0.0, "A": 3.0, "B": 0.7, "k": 0.5, "cell": 4.0, "C_total_nM": 80.0}
# JAK1: 40 nM unbound of 80 is four times its potency; JAK2: (80/40)^2
RESIDUALS = {"JAK1": 0.2, "JAK2": 0.2}


def _at(network: Network, formula: sp.Expr, **values: float) -> float:
    known = {symbol(k): v for k, v in {**network.parameters, **POINT, **values}.items()}
    return float(network.flat(formula).subs(known))


def test_a_marked_reaction_is_slowed_in_every_balance() -> None:
    changed = inhibit(NETWORK, MARKED, POTENCIES, unbound=0.5, rule="independent")
    for kinase, wanted in RESIDUALS.items():
        assert _at(changed, symbol(residual_name(kinase))) == pytest.approx(wanted)
    law = 4.0 * 0.5 * 3.0 / 1.25
    assert _at(changed, changed.rates[0]) == pytest.approx(-0.04 * law / 4.0)
    assert _at(changed, changed.rates[1]) == pytest.approx(0.04 * law - 1.4)
    assert _at(changed, changed.reactions[0].law) == pytest.approx(0.04 * law)
    assert changed.parameters["C_total_nM"] == 0.0
    # without drug nothing changes
    assert _at(changed, changed.rates[0], C_total_nM=0.0) == _at(NETWORK, NETWORK.rates[0])


@pytest.mark.parametrize("rule", RULES)
def test_rules(rule: Any) -> None:
    changed = inhibit(
        NETWORK, MARKED, {"JAK1": KinasePotency(10.0), "JAK2": KinasePotency(5.0)},
        unbound=0.25, rule=rule,
    )  # fmt: skip
    one, two = 1 / 3, 1 / 5
    wanted = {"limiting_kinase": two, "independent": one * two, "least_inhibited": one}[rule]
    ratio = _at(changed, changed.rates[0]) / _at(NETWORK, NETWORK.rates[0])
    assert ratio == pytest.approx(wanted)


def test_reactions_explain_all_rates() -> None:
    assert unexplained_rate(NETWORK, POINT) == pytest.approx({"A": 0.0, "B": 0.0})
    odd = replace(NETWORK, rates=(NETWORK.rates[0] + 1, NETWORK.rates[1]))
    assert unexplained_rate(odd, POINT) == pytest.approx({"A": 1.0, "B": 0.0})


def test_a_named_rate_is_slowed_where_it_is_named() -> None:
    rate = symbol("phosphorylation")
    named = replace(
        NETWORK,
        rates=(-rate / CELL, rate - 2 * B),
        assigned={**NETWORK.assigned, "phosphorylation": LAW},
    )
    changed = inhibit(named, MARKED, POTENCIES, unbound=0.5, rule="independent")
    plain = inhibit(NETWORK, MARKED, POTENCIES, unbound=0.5, rule="independent")
    for a, b in zip(changed.rates, plain.rates, strict=True):
        assert _at(changed, a) == pytest.approx(_at(plain, b))


@pytest.mark.parametrize("held", ["assigned", "parameter"])
def test_a_drug_that_the_model_holds_is_replaced(held: str) -> None:
    network = NETWORK
    if held == "parameter":
        network = replace(network, assigned={}, parameters={**network.parameters, "Drug": 5.0})
    marks = JakMarks("two", (), (DrugTerm("Drug", 20.0, ("JAK1",)),))
    changed = inhibit(network, marks, POTENCIES, unbound=0.5)
    assert _at(changed, changed.rates[0]) == pytest.approx(-0.5 * 3.0 * 0.2)
    assert "Drug" not in changed.parameters


def test_a_kinase_without_a_potency_is_named() -> None:
    changed = inhibit(NETWORK, MARKED, {"JAK1": POTENCIES["JAK1"]}, unbound=0.5)
    assert changed.notes == ("no potency of JAK2 is given: taken as not inhibited",)


def test_what_cannot_be_inhibited() -> None:
    with pytest.raises(InputError, match="marks are of the network"):
        inhibit(replace(NETWORK, id="else"), MARKED, POTENCIES)
    with pytest.raises(InputError, match="no unbound fraction"):
        inhibit(NETWORK, MARKED, POTENCIES)
    with pytest.raises(UnknownNameError, match="v9"):
        inhibit(NETWORK, JakMarks("two", (Inhibited("v9", ("JAK1",)),), ()), POTENCIES, unbound=1.0)
    marks = JakMarks("two", (), (DrugTerm("A", 20.0, ("JAK1",)),))
    with pytest.raises(InputError, match="reactions of its own"):
        inhibit(NETWORK, marks, POTENCIES, unbound=1.0)
    once = inhibit(NETWORK, MARKED, POTENCIES, unbound=1.0)
    with pytest.raises(InputError, match="already"):
        inhibit(once, MARKED, POTENCIES, unbound=1.0)
    with pytest.raises(InputError, match="above 0"):
        KinasePotency(-1.0)


FILE = """schema = "statera.jak/1"
network = "two"

[[inhibited]]
reaction = "phosphorylation"
kinases = ["JAK1", "JAK2"]

[[drug_term]]
name = "Drug"
half_effect = 20
kinases = ["JAK1"]
"""


def test_marks_are_read(tmp_path: Path) -> None:
    path = tmp_path / "two.jak.toml"
    path.write_text(FILE)
    marks = read_jak_marks(path)
    assert marks.inhibited == MARKED.inhibited
    assert marks.terms == (DrugTerm("Drug", 20.0, ("JAK1",)),)
    assert marks.kinases == ("JAK1", "JAK2")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"JAK1", "JAK2"', '"JAK9"', "kinases"),
        ("half_effect = 20", "half_effect = 0", "half-maximal"),
        ('name = "Drug"', 'name = "phosphorylation"', "twice"),
        ('name = "Drug"', 'name = "Drug"\nkinase = "JAK1"', "kinase"),
        ('network = "two"', "", "network"),
    ],
)
def test_bad_marks(tmp_path: Path, old: str, new: str, said: str) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(FILE.replace(old, new))
    with pytest.raises(InputError, match=said):
        read_jak_marks(path)


def test_nothing_marked(tmp_path: Path) -> None:
    path = tmp_path / "empty.toml"
    path.write_text('schema = "statera.jak/1"\nnetwork = "two"\n')
    with pytest.raises(InputError, match="nothing is marked"):
        read_jak_marks(path)
