"""Variances between studies and pooled means against outside results; skipped where absent."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from statera.numerics.random_effects_mean import random_effects_mean
from statera.numerics.tau_squared import TauSquaredMethod, tau_squared

pytestmark = pytest.mark.reference

REPOSITORY = Path(__file__).resolve().parents[2]
FOLDER = (
    Path(os.environ.get("STATERA_REFERENCE", REPOSITORY.parent / "shared" / "reference"))
    / "evidence"
)


def results() -> Any:
    path = FOLDER / "bcg.json"
    if not path.exists():
        pytest.skip(f"reference data are not there: {path}")
    return json.loads(path.read_text(encoding="utf-8"))["results"]


@pytest.mark.parametrize("measure", ["RR", "OR", "RD", "AS"])
@pytest.mark.parametrize("method", [m for m in TauSquaredMethod if not m.startswith("GENQ")])
def test_pools_of_trials(measure: str, method: TauSquaredMethod) -> None:
    case = results()[measure]
    y, v = np.array(case["escalc"]["yi"]), np.array(case["escalc"]["vi"])
    for test, options in (
        ("z", {"hartung_knapp": False}),
        ("knha", {}),
        ("adhoc", {"at_least_wald": True}),
    ):
        expected = case[f"{method}_{test}"]
        found = random_effects_mean(y, v, method, **options)
        assert found.tau2.value == pytest.approx(expected["tau2"], rel=1e-7)
        assert found.estimate == pytest.approx(expected["estimate"], rel=1e-7)
        assert found.se == pytest.approx(expected["se"], rel=1e-7)
        assert found.interval == pytest.approx((expected["ci_lb"], expected["ci_ub"]), rel=1e-7)
        ends = (expected["pi_lb_default"], expected["pi_ub_default"])
        assert found.prediction == pytest.approx(ends, rel=1e-7)
        assert found.tau2.q == pytest.approx(expected["QE"], rel=1e-9)
        if method in (TauSquaredMethod.ML, TauSquaredMethod.REML):
            assert found.tau2.se == pytest.approx(expected["se_tau2"], rel=1e-6)
        if "ci_tau2_QP" in expected:
            ends = expected["ci_tau2_QP"]["tau2"][1:]
            # the reference's root finder leaves 3e-5 whatever the size; Q itself is tested apart
            assert found.tau2.interval == pytest.approx(ends, rel=1e-9, abs=5e-5)


@pytest.mark.parametrize("method", ["REML", "ML", "DL", "PM"])
def test_regression_on_latitude(method: str) -> None:
    path = FOLDER / "bcg.csv"
    expected = results()[f"metareg_ablat_{method}_z"]
    case = results()["RR"]["escalc"]
    header, *lines = path.read_text(encoding="utf-8").splitlines()
    column = [name.strip('"') for name in header.split(",")].index("ablat")
    latitude = np.array([float(line.split(",")[column]) for line in lines])
    design = np.column_stack([np.ones(latitude.size), latitude])
    found = tau_squared(case["yi"], case["vi"], method, design)
    assert found.value == pytest.approx(expected["tau2"], rel=1e-7)
    assert found.q == pytest.approx(expected["QE"], rel=1e-9)
