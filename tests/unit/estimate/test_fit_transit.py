"""A model whose doses enter through a real number of transit compartments, fitted."""

from __future__ import annotations

from typing import Any

from tests.unit.estimate.simulated import oral, simulated
from tests.unit.estimate.test_objective import check_gradient

from statera.estimate import ProblemOptions, fit, make_problem
from statera.model import Model

TRUE = {"lCL": 1.0, "lV": 3.0, "lKA": 0.3, "lN": 1.2, "lMTT": 0.6, "prop": 0.1}
START = {"lCL": 1.4, "lV": 2.7, "lKA": 0.0, "lN": 0.7, "lMTT": 0.9, "prop": 0.2}
TIMES = (0.25, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 6.0, 9.0, 14.0, 20.0)


def transit(values: dict[str, float]) -> Model:
    through: dict[str, Any] = {"kind": "transit", "into": "depot", "n": "N", "mtt": "MTT"}
    return oral(
        id="transit",
        parameters={k: {"value": v} for k, v in values.items()},
        random_effects={
            "eta_CL": {"variance": 0.06}, "eta_V": {"variance": 0.04}, "eta_MTT": {"variance": 0.08}
        },
        individual={
            "CL": "exp(lCL + eta_CL)", "V": "exp(lV + eta_V)", "KA": "exp(lKA)", "N": "exp(lN)",
            "MTT": "exp(lMTT + eta_MTT)",
        },
        inputs={"oral": [through]},
        residual={"C": {"proportional": "prop"}},
    )  # fmt: skip


def test_gradient_of_the_objective() -> None:
    """By every parameter, against central differences of the objective."""
    data = simulated(transit(TRUE), n=4, times=TIMES)
    check_gradient(make_problem(transit(START), data, ProblemOptions()), "focei")


def test_simulated_data_are_fitted() -> None:
    """Estimates come back to the values that data were simulated with, within their spread."""
    data = simulated(transit(TRUE), n=24, times=TIMES)
    found = fit(transit(START), data)
    assert found.converged
    estimates = dict(zip(TRUE, found.theta.tolist(), strict=True))
    for name, spread in {
        "lCL": 0.1, "lV": 0.1, "lKA": 0.15, "lN": 0.25, "lMTT": 0.12, "prop": 0.015
    }.items():  # fmt: skip
        assert abs(estimates[name] - TRUE[name]) < 2 * spread, (name, estimates)
