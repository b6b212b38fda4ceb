"""The compact JAK-STAT model: its balance of STAT and the limits in which it is the Emax form."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import sympy as sp
from scipy.integrate import solve_ivp

from statera.errors import InputError
from statera.numerics.expression import symbol
from statera.pathway.jak_inhibition import KinasePotency, inhibit
from statera.pathway.jak_stat_model import JakStatRates, jak_stat_marks, jak_stat_network
from statera.pathway.network import TIME, Network

RATES = JakStatRates(
    k_off=0.5, k_phos=0.8, k_deph=0.05, k_dim=8.0, k_und=0.2, k_imp=0.3, k_ndeph=0.2, k_exp=0.3,
    k_mdeg=0.05, k_sdeg=0.03, k_tdeg=0.01, K=0.05, g=20.0,
)  # fmt: skip
TIMES = np.array([0.0, 0.01, 1.0, 10.0, 30.0, 60.0, 240.0])


def _course(network: Network, **values: float) -> dict[str, Any]:
    """Solve with scipy; the outputs are the states and all of the phosphorylated STAT."""
    parameters = {**network.parameters, **values}
    symbols = [symbol(n) for n in (*network.states, *parameters)]
    right = sp.lambdify([TIME, *symbols], [network.flat(r) for r in network.rates])
    x0 = [float(network.initial[n]) for n in network.states]
    fixed = list(parameters.values())
    found = solve_ivp(
        lambda t, x: right(t, *x, *fixed), (0, TIMES[-1]), x0, "LSODA", TIMES,
        rtol=1e-11, atol=1e-14,
    )  # fmt: skip
    assert found.success
    course = dict(zip(network.states, found.y, strict=True))
    course["total_pSTAT"] = course["pSTAT"] + 2 * course["dimer"] + 2 * course["ndimer"]
    return course


def _inhibition(rates: JakStatRates, concentration: float, hill: float = 1.0) -> Any:
    """Return the inhibition after each time by a drug with an IC50 of 1 nM."""
    network = inhibit(
        jak_stat_network(rates), jak_stat_marks(["JAK1"]),
        {"JAK1": KinasePotency(1.0, hill, unbound=False)},
    )  # fmt: skip
    without = _course(network)["total_pSTAT"]
    with_drug = _course(network, C_total_nM=concentration)["total_pSTAT"]
    return 1 - with_drug[1:] / without[1:]


def test_stat_is_conserved() -> None:
    course = _course(jak_stat_network(RATES))
    total = course["STAT"] + course["total_pSTAT"] + course["nSTAT"]
    np.testing.assert_allclose(total, 1.0, atol=1e-9)
    assert 0.3 < course["total_pSTAT"].max() < 1.0


@pytest.mark.parametrize("hill", [1.0, 1.4])
@pytest.mark.parametrize("concentration", [0.3, 1.0, 10.0])
def test_emax_form_in_the_limit_of_a_weak_stimulus(concentration: float, hill: float) -> None:
    wanted = concentration**hill / (1 + concentration**hill)
    errors = []
    for scale in (1e-5, 1e-6):
        weak = replace(RATES, k_phos=RATES.k_phos * scale)
        found = _inhibition(weak, concentration, hill)
        errors.append(np.abs(found - wanted).max())
    # what is left is of first order in the stimulus
    assert errors[1] < 1e-3
    assert errors[1] < 0.13 * errors[0]


def test_emax_form_at_early_times_for_any_stimulus() -> None:
    found = _inhibition(RATES, 3.0)
    assert found[0] == pytest.approx(0.75, abs=2e-3)
    # later on STAT is used up and SOCS is made: the drug shows less
    assert found[2] < 0.7


def test_feedback_hides_a_part_of_the_inhibition() -> None:
    linear = replace(RATES, k_phos=1e-4 * RATES.k_phos, k_dim=1e4 * RATES.k_dim, K=1e-4 * RATES.K)
    without = _inhibition(replace(linear, g=0.0), 1.0)
    with_socs = _inhibition(linear, 1.0)
    assert (with_socs[3:] < without[3:] - 0.02).all()
    assert with_socs[0] == pytest.approx(without[0], abs=1e-4)


@pytest.mark.parametrize(("name", "value"), [("k_phos", -1.0), ("K", 0.0), ("g", float("nan"))])
def test_rates_out_of_range(name: str, value: float) -> None:
    with pytest.raises(InputError, match=name):
        replace(RATES, **{name: value})
