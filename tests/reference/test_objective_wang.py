"""The objective at fixed parameters: eight error models by five methods, to three decimals.

Values of Wang 2007 (doi 10.1007/s10928-007-9060-6) and of the test suite of nlmixr2est. Those for
the Laplace method use expected second derivatives, and those for quadrature two nodes.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from statera.data import read_data
from statera.estimate import ProblemOptions, make_problem, objective_of
from statera.model import Model, build_model

pytestmark = pytest.mark.reference

ERRORS: dict[str, dict[str, Any]] = {
    "prop": {"proportional": "b"},
    "add": {"additive": "a"},
    "lnorm": {"additive": "a", "scale": "log"},
    "ltbs": {"additive": "a"},
    "add_prop_comb2": {"additive": "a", "proportional": "b"},
    "add_prop_comb1": {"additive": "a", "proportional": "b", "combine": "sd"},
    "pow": {"proportional": "b", "power": "c"},
    "propMod": {"variance": "(C*C/(C + 5))^2"},
}
METHODS = {"FO": "fo", "FOCE": "foce", "FOCEI": "focei", "LAPLACE": "laplace", "AGQ": "agq"}
EXACT = {"prop": (39.227, 39.355), "add": (-1.936, -1.990), "pow": (None, 9.991)}
"""Laplace by exact second derivatives, and nine nodes, where computed independently."""


def _model(error: str) -> Model:
    return build_model(
        {
            "id": "wang",
            "units": {"time": "h", "amount": "mg"},
            "parameters": {
                "ke": {"value": 0.5},
                "a": {"value": math.sqrt(0.1)},
                "b": {"value": math.sqrt(0.1)},
                "c": {"value": 0.5},
            },
            "random_effects": {"eta": {"variance": 0.04}},
            "individual": {"k": "ke*exp(eta)"},
            "dynamics": {"amount": "-k*amount"},
            "initial": {"amount": "10"},
            "inputs": {"iv": [{"kind": "bolus", "into": "amount"}]},
            "outputs": {
                "C": {"expression": "log(amount)" if error == "ltbs" else "amount", "unit": "mg"}
            },
            "residual": {"C": ERRORS[error]},
        }
    )


def _objective(reference: Path, error: str, method: str, **options: Any) -> float:
    data = read_data(reference / "nlme" / "data" / "wang2007.csv.gz", columns={"DV": "Y"})
    if error == "ltbs":
        object.__setattr__(data, "dv", np.log(data.dv))
    problem = make_problem(_model(error), data, ProblemOptions(interaction=method != "foce"))
    return objective_of(problem, method, **options).value(problem.start)[0]


@pytest.fixture
def answers(reference: Path) -> dict[str, Any]:
    path = reference / "nlme" / "nonmem.json"
    if not path.is_file():
        pytest.skip(f"no {path}")
    return {r["id"]: r["ofv"] for r in json.loads(path.read_text()) if "id" in r}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("error", ERRORS)
def test_published_objectives(
    reference: Path, answers: dict[str, Any], error: str, method: str
) -> None:
    options: dict[str, Any] = {}
    if method == "LAPLACE":
        options["curvature"] = "expected"
    if method == "AGQ":
        options["nodes"] = 2
    found = _objective(reference, error, METHODS[method], **options)
    assert round(found, 3) == pytest.approx(answers[f"wang2007_{error}"][method], abs=1e-9)


@pytest.mark.parametrize("error", EXACT)
def test_exact_second_derivatives_and_many_nodes(
    reference: Path, answers: dict[str, Any], error: str
) -> None:
    exact, integral = EXACT[error]
    if exact is not None:
        assert _objective(reference, error, "laplace") == pytest.approx(exact, abs=6e-4)
    assert _objective(reference, error, "agq", nodes=9) == pytest.approx(integral, abs=6e-4)
