"""The compact pathway of IL-6 against the published one to which its constants were fitted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import sympy as sp
from scipy.integrate import solve_ivp

from statera.numerics.expression import symbol
from statera.pathway.jak_stat_model import jak_stat_network
from statera.pathway.jak_stat_rates import load_rates
from statera.pathway.network import TIME, Network

pytest.importorskip("libsbml")
from statera.pathway.sbml_read import read_sbml

pytestmark = pytest.mark.reference

NAME = "signaling-sbml-sobotta2017-il-6-induced-jak1-stat3-signaling-model2307"
MINUTES = np.array([0.0, 2, 5, 8, 12, 16, 20, 25, 30, 40, 50, 60, 80, 100, 120, 160, 200, 240])


def _course(network: Network, **values: float) -> dict[str, np.ndarray]:
    fixed = {symbol(k): sp.Float(v) for k, v in {**network.parameters, **values}.items()}
    states = [symbol(s) for s in network.states]
    rates = [network.flat(r).subs(fixed) for r in network.rates]
    right = sp.lambdify([TIME, states], rates, cse=True)
    x0 = [float(network.flat(network.initial[s]).subs(fixed).subs(TIME, 0)) for s in network.states]
    found = solve_ivp(right, (0, 240), x0, "LSODA", MINUTES, rtol=1e-8, atol=1e-10)
    return dict(zip(network.states, found.y, strict=True))


@pytest.mark.parametrize("il6", [40.0, 5.0, 1.0])
def test_courses_of_the_published_model(reference: Path, il6: float) -> None:
    path = reference / "pathway" / f"{NAME}__MODEL2307050001.xml"
    if not path.is_file():
        pytest.skip(f"no {path.name} in {path.parent}")
    no_drug = {f"input_rux{k}": 0.0 for k in range(1, 5)}
    network = read_sbml(path)
    published = _course(network, var_il6=il6, **no_drug)
    volumes = network.parameters["cyt"], network.parameters["nuc"]
    total = volumes[0] * (published["STAT3"][0] + published["tpSTAT3"][0])
    total += volumes[1] * published["nSTAT3"][0]
    wanted = volumes[0] * (published["tpSTAT3"] - published["tpSTAT3"][0]) / total
    il6_rates = load_rates("IL-6")
    own = _course(jak_stat_network(il6_rates.rates, stimulus=il6 / il6_rates.half_stimulus))
    found = own["pSTAT"] + 2 * own["dimer"] + 2 * own["ndimer"]
    # what is left is the price of nine states for thirty-five, as the file of constants says
    np.testing.assert_allclose(found, wanted, atol=0.035)
    if il6 == 40.0:
        mrna = published["SOCS3RNA"] - published["SOCS3RNA"][0]
        shares = own["mRNA"] / own["mRNA"].max(), mrna / mrna.max()
        np.testing.assert_allclose(*shares, atol=0.13)
