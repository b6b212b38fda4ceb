"""Pharmacokinetics beside a pathway: the same concentrations as the engine's own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sympy as sp
from scipy.integrate import solve_ivp

from statera.errors import InputError, UnknownNameError
from statera.library import load_model
from statera.model import build_model
from statera.numerics.expression import symbol
from statera.pathway.drug_input import DrugInput, drug_input, with_drug
from statera.pathway.network import TIME, Network
from statera.simulate import simulate

NETWORK = Network("empty", ("x",), (-symbol("k") * symbol("x"),), {"x": sp.Float(1)}, {"k": 0.1})


def _concentrations(drug: DrugInput, times: Any) -> Any:
    """Integrate the drug's states alone from jump to jump."""
    symbols = [symbol(s) for s in drug.states]
    fixed = {symbol(k): v for k, v in drug.parameters.items()}
    right = sp.lambdify([TIME, *symbols], [r.subs(fixed) for r in drug.rates])
    seen = sp.lambdify(symbols, drug.concentration.subs(fixed))
    x = np.array([drug.initial[s] for s in drug.states])
    clock, out, jumps = 0.0, np.empty(len(times)), drug.jumps
    marks = [(t, s, a) for t, s, a in zip(jumps.times, jumps.states, jumps.amounts, strict=True)]
    for when, state, amount in [*marks, (np.inf, drug.states[0], 0.0)]:
        inside = [i for i, t in enumerate(times) if clock <= t < when]
        end = min(when, max(times) + 1)
        if end > clock:
            found = solve_ivp(
                lambda t, y: right(t, *y), (clock, end), x, "LSODA", rtol=1e-10, atol=1e-12,
                dense_output=True,
            )  # fmt: skip
            for i in inside:
                out[i] = seen(*found.sol(times[i]))
            x, clock = found.y[:, -1].copy(), end
        x[drug.states.index(state)] += amount
    return out


@pytest.mark.parametrize("dose", ["4 mg q24h x3", "4 mg q24h ss", "2 mg q12h x4"])
@pytest.mark.parametrize(
    "name", ["baricitinib/Decker_2024", "tofacitinib/Xie_2019", "upadacitinib/Klunder_2019"]
)
def test_concentrations_are_those_of_simulate(name: str, dose: str) -> None:
    model = load_model(name)
    amount = {"baricitinib": "4", "tofacitinib": "10", "upadacitinib": "15"}[model.drug]
    dose = dose.replace("4 mg", f"{amount} mg").replace("2 mg", f"{amount} mg")
    hours = np.array([0.5, 1.0, 3.0, 11.0, 23.0])
    # 500 g/mol stands for those whose molar mass the library does not know
    drug = drug_input(model, dose, time_unit="min", molar_mass=500.0)
    wanted = simulate(model, dose, typical=True, times=hours, windows=[(0, 24)])
    output = model.outputs[0]
    np.testing.assert_allclose(
        _concentrations(drug, 60 * hours), wanted.outputs[output.name][0] * 2.0, rtol=1e-6
    )


def test_the_unbound_fraction_comes_from_the_library() -> None:
    drug = drug_input(load_model("baricitinib/Decker_2024"), "4 mg q24h x1", time_unit="h")
    assert drug.unbound == pytest.approx(0.5)
    assert all(s.startswith("pk_") for s in drug.states)


def test_joined_networks_keep_their_own_names() -> None:
    drug = drug_input(load_model("baricitinib/Decker_2024"), "4 mg q24h x1", time_unit="min")
    joint = with_drug(NETWORK, drug)
    assert joint.states == ("x", *drug.states)
    assert joint.rates[0] == NETWORK.rates[0]
    assert joint.assigned["C_total_nM"] == drug.concentration
    with pytest.raises(InputError, match="C_total_nM"):
        with_drug(joint, drug)


TRANSIT = {
    "id": "own",
    "units": {"time": "h", "amount": "mg"},
    "parameters": {"K": {"value": 1.0}, "N": {"value": 2.0}},
    "dynamics": {"c": "-K*c"},
    "inputs": {"oral": [{"kind": "transit", "into": "c", "n": "N", "ktr": "K"}]},
    "outputs": {"CP": {"expression": "c", "unit": "ng/mL"}},
}


def test_what_cannot_be_joined() -> None:
    model = load_model("baricitinib/Decker_2024")
    with pytest.raises(InputError, match="transit"):
        drug_input(build_model(TRANSIT), "4 mg", time_unit="min")
    bolus = {**TRANSIT, "inputs": {"iv": [{"kind": "bolus", "into": "c"}]}}
    with pytest.raises(InputError, match="molar mass"):
        drug_input(build_model(bolus), "4 mg", time_unit="min")
    with pytest.raises(UnknownNameError, match="CSF"):
        drug_input(model, "4 mg", time_unit="min", output="CSF")
    with pytest.raises(InputError, match="only the first dose"):
        drug_input(model, "4 mg q24h x2 then 2 mg q24h ss", time_unit="min")
