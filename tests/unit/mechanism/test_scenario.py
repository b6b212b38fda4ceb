"""A drug on the compact pathway: joint integration, scenarios, what they refuse."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from statera.errors import InputError, UnknownNameError
from statera.library import load_drug, load_model
from statera.mechanism.kinase_potencies import KinasePotencies
from statera.mechanism.scenario import NO_DRUG, PathwayRun, Scenario, run_alone, run_scenarios
from statera.pathway.jak_inhibition import KinasePotency
from statera.pathway.jak_stat_model import jak_stat_marks, jak_stat_network
from statera.pathway.jak_stat_rates import load_rates
from statera.simulate import simulate

MODEL = load_model("baricitinib/Decker_2024")
POTENCIES = KinasePotencies({"JAK1": KinasePotency(5.9)}, (), ())
TIMES = np.linspace(0.0, 240.0, 25)
NETWORK = jak_stat_network(load_rates("IL-6").rates)


def _run(*scenarios: Scenario, **more: Any) -> PathwayRun:
    return run_scenarios(
        NETWORK, jak_stat_marks(["JAK1"]), MODEL, POTENCIES, scenarios, TIMES,
        ["total_pSTAT", "target"], **more,
    )  # fmt: skip


FOUR = Scenario("4 mg", "4 mg q24h ss", before=1.0)


def test_the_concentration_is_that_of_simulate() -> None:
    run = _run(FOUR, Scenario("4 mg, eGFR 60", "4 mg q24h ss", {"EGFR": 60.0}, 1.0))
    mass = load_drug("baricitinib").identity.molar_mass
    assert mass is not None
    for found, covariates in zip(run.runs[1:], ({}, {"EGFR": 60.0}), strict=True):
        alone = simulate(
            MODEL, "4 mg q24h ss", typical=True, covariates=covariates,
            times=1.0 + TIMES / 60.0, windows=[(0, 24)],
        )  # fmt: skip
        np.testing.assert_allclose(
            found.concentration, alone.outputs["CP"][0] / mass * 1000.0, rtol=1e-6
        )
    assert run.runs[2].concentration[-1] > run.runs[1].concentration[-1]


def test_more_drug_inhibits_more() -> None:
    doses = [Scenario(f"{d} mg", f"{d} mg q24h ss", before=1.0) for d in (1, 2, 4)]
    run = _run(*doses)
    assert [r.scenario.label for r in run.runs] == [NO_DRUG, "1 mg", "2 mg", "4 mg"]
    assert all(r.status == "ok" for r in run.runs)
    areas = [r.area_inhibition["target"] for r in run.runs]
    assert areas[0] == pytest.approx(0.0)
    assert areas == sorted(areas)
    assert not run.runs[0].concentration.any()


def test_early_inhibition_is_that_of_the_hill_equation() -> None:
    # a potency so weak that the concentration hardly moves within the first minutes
    times = np.array([0.0, 0.05, 0.1])
    run = run_scenarios(
        NETWORK, jak_stat_marks(["JAK1"]), MODEL, POTENCIES, [FOUR], times, ["total_pSTAT"]
    )
    unbound = 0.5 * run.runs[1].concentration[1]
    hill = unbound / (unbound + 5.9)
    assert run.runs[1].inhibition["total_pSTAT"][1] == pytest.approx(hill, rel=2e-3)


def test_alone() -> None:
    run = run_alone(NETWORK, TIMES, ["total_pSTAT"], parameters={"L": 0.0})
    np.testing.assert_allclose(run.runs[0].outputs["total_pSTAT"], 0.0, atol=1e-12)
    with pytest.raises(InputError, match="no parameter is called 'M'"):
        run_alone(NETWORK, TIMES, ["total_pSTAT"], parameters={"M": 0.0})


def test_what_cannot_be_run() -> None:
    with pytest.raises(InputError, match="at least one dose"):
        _run(Scenario("nothing", None))
    with pytest.raises(UnknownNameError, match="pSTAT9"):
        run_scenarios(
            NETWORK, jak_stat_marks(["JAK1"]), MODEL, POTENCIES, [FOUR], TIMES, ["pSTAT9"]
        )
    with pytest.raises(InputError, match="unit of time"):
        run_scenarios(
            replace(NETWORK, time_unit=""), jak_stat_marks(["JAK1"]), MODEL, POTENCIES, [FOUR],
            TIMES, ["target"],
        )  # fmt: skip
