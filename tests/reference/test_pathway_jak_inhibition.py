"""The published pathway of IL-6 with its ruxolitinib, and with the same drug given by our marks.

Courses of cytoplasmic pSTAT3 after a single dose at 0 were simulated with libRoadRunner at 1e-10.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy as sp
from scipy.integrate import solve_ivp

from statera.numerics.expression import symbol
from statera.pathway.jak_inhibition import (
    DrugTerm,
    Inhibited,
    JakMarks,
    KinasePotency,
    inhibit,
    unexplained_rate,
)
from statera.pathway.network import TIME, Network

pytest.importorskip("libsbml")
from statera.pathway.sbml_read import read_sbml

pytestmark = pytest.mark.reference

NAME = "signaling-sbml-sobotta2017-il-6-induced-jak1-stat3-signaling-model2307"
MINUTES = np.array([0.0, 10.0, 30.0, 60.0])
NO_DOSES = {f"input_rux{k}": 0.0 for k in range(1, 5)}
# pSTAT3 at 10, 30 and 60 min by the dose in nM
PUBLISHED = {
    0.0: (13.338, 10.403, 4.914),
    166.0: (7.569, 9.466, 5.019),
    500.0: (3.280, 6.671, 4.683),
}


@pytest.fixture(scope="module")
def network(reference: Path) -> Network:
    path = reference / "pathway" / f"{NAME}__MODEL2307050001.xml"
    if not path.is_file():
        pytest.skip(f"no {path.name} in {path.parent}")
    return read_sbml(path)


def _pstat3(network: Network, **values: float) -> Any:
    parameters = {**network.parameters, **values}
    fixed = {symbol(k): sp.Float(v) for k, v in parameters.items()}
    states = [symbol(s) for s in network.states]
    rates = [network.flat(r).subs(fixed) for r in network.rates]
    right = sp.lambdify([TIME, states], rates, cse=True)
    x0 = [float(network.flat(network.initial[s]).subs(fixed).subs(TIME, 0)) for s in network.states]
    found = solve_ivp(right, (0, 60), x0, "LSODA", MINUTES, rtol=1e-9, atol=1e-12)
    return found.y[network.states.index("tpSTAT3")][1:]


@pytest.mark.parametrize("dose", PUBLISHED)
def test_the_published_arm(network: Network, dose: float) -> None:
    found = _pstat3(network, **{**NO_DOSES, "input_rux1": dose})
    np.testing.assert_allclose(found, PUBLISHED[dose], atol=6e-4)


MARKS = {
    "term": lambda half: JakMarks("il6_model", (), (DrugTerm("Ruxolitinib", half, ("JAK1",)),)),
    "reactions": lambda half: JakMarks(
        "il6_model",
        (
            Inhibited("v5_Activation_of_the_JAK1_receptor", ("JAK1",)),
            Inhibited("v6_Activation_of_the_gp130_subunit", ("JAK1",)),
        ),
        (),
    ),
}


@pytest.mark.parametrize("marked", MARKS)
@pytest.mark.parametrize("dose", [166.0, 500.0])
def test_a_drug_by_its_marks_gives_the_same(network: Network, marked: str, dose: float) -> None:
    half = 1.0 / network.parameters["jak1_inh_ruxolitinib"]
    assert half == pytest.approx(166.0, abs=0.5)
    loss = symbol("rux_degrade")
    course = {"C_total_nM": sp.Float(dose) * sp.exp(-loss * TIME)}
    given = replace(network, assigned={**course, **network.assigned})
    drugged = inhibit(given, MARKS[marked](half), {"JAK1": KinasePotency(half, unbound=False)})
    np.testing.assert_allclose(_pstat3(drugged, **NO_DOSES), PUBLISHED[dose], atol=6e-4)


def test_reactions_explain_all_rates(network: Network) -> None:
    source = np.random.default_rng(1)
    values = dict.fromkeys(network.states, 1.0) | network.parameters | {"t": 3.0}
    values |= {name: float(source.uniform(0.5, 2.0)) for name in network.states}
    left = unexplained_rate(network, values)
    assert max(abs(v) for v in left.values()) < 1e-9
