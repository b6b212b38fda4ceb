"""Fits that cannot end well: each has a named status, a sentence, and no false standard error."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from statera.data import FitData, read_data
from statera.errors import InputError
from statera.estimate import FitResult, fit
from statera.estimate.covariance import covariance
from statera.estimate.drift import Drift
from statera.estimate.status import Code, fit_notices
from statera.model import build_model
from statera.numerics.identifiability import weakness

Floats = NDArray[np.float64]

TIMES = np.array([1.0, 2.0, 4.0, 8.0, 12.0, 24.0])
ORAL: dict[str, Any] = {
    "id": "oral",
    "units": {"time": "h", "amount": "mg"},
    "parameters": {
        "lKA": {"value": 0.5, "unit": ""},
        "lCL": {"value": 1.0, "unit": ""},
        "lV": {"value": 3.0, "unit": ""},
        "p": {"value": 0.15, "unit": ""},
    },
    "random_effects": {"eCL": {"variance": 0.1}, "eV": {"variance": 0.05}},
    "individual": {"KA": "exp(lKA)", "CL": "exp(lCL + eCL)", "V": "exp(lV + eV)"},
    "dynamics": {"depot": "-KA*depot", "central": "KA*depot - CL/V*central"},
    "inputs": {"oral": [{"kind": "bolus", "into": "depot"}]},
    "outputs": {"C": {"expression": "central/V", "unit": "mg/L"}},
    "residual": {"C": {"proportional": "p"}},
}


def concentrations(ka: float, *, n: int = 24, dose: float = 100.0, seed: int = 2) -> dict[str, Any]:
    """Columns of simulated data after one dose, from the formula; an infinite ka is a bolus."""
    random = np.random.default_rng(seed)
    rows: dict[str, Any] = {k: [] for k in ("ID", "TIME", "AMT", "EVID", "DV")}
    for i in range(n):
        cl = np.exp(1.0 + np.sqrt(0.1) * random.standard_normal())
        v = np.exp(3.0 + np.sqrt(0.05) * random.standard_normal())
        k = cl / v
        c = 100.0 / v * np.exp(-k * TIMES)
        if np.isfinite(ka):
            c = 100.0 * ka / (v * (ka - k)) * (np.exp(-k * TIMES) - np.exp(-ka * TIMES))
        c = c * (1.0 + 0.15 * random.standard_normal(TIMES.size))
        for t, amount, evid, y in [
            (0.0, dose, 1, 0.0),
            *((t, 0.0, 0, y) for t, y in zip(TIMES, c, strict=True)),
        ]:
            for name, x in zip(rows, (i + 1, t, amount, evid, y), strict=True):
                rows[name].append(float(x))
    return rows


def columns(ka: float, **more: Any) -> FitData:
    """The same, read."""
    return read_data(concentrations(ka, **more))


def codes(result: FitResult) -> dict[Code, tuple[str, ...]]:
    """What is said of a fit."""
    return {n.code: n.about for n in fit_notices(result)}


@pytest.fixture(scope="module")
def runaway() -> FitResult:
    """A fit of absorption where there was none."""
    return fit(build_model(ORAL), columns(np.inf, seed=5))


# a parameter that runs on without end


def test_a_parameter_that_runs_on_has_a_status_and_is_named(runaway: FitResult) -> None:
    assert runaway.status == "drift"
    assert not runaway.converged
    (drift,) = runaway.extra["runaways"]
    assert isinstance(drift, Drift)
    assert drift.name == "lKA"
    assert drift.end > drift.start + 1.0
    assert drift.gain < 0.1
    assert codes(runaway)[Code.DRIFT] == ("lKA",)
    (told,) = [w for w in runaway.warnings if "runs on without end" in w]
    assert "lKA (from" in told
    assert "KA goes to infinity" in told
    assert "Fix it there" in told
    assert "runs on without end" in runaway.summary()


def test_what_runs_on_has_no_standard_error_and_the_others_do(runaway: FitResult) -> None:
    found = covariance(runaway)
    place = list(found.names).index("lKA")
    assert np.isnan(found.standard_errors[place])
    assert np.isfinite(np.delete(found.standard_errors, place)).all()
    # those of the model whose limit was written down, but for what is left of absorption
    bolus = {
        **ORAL,
        "parameters": {k: v for k, v in ORAL["parameters"].items() if k != "lKA"},
        "individual": {k: v for k, v in ORAL["individual"].items() if k != "KA"},
        "dynamics": {"central": "-CL/V*central"},
        "inputs": {"iv": [{"kind": "bolus", "into": "central"}]},
    }
    limit = fit(build_model(bolus), columns(np.inf, seed=5))
    assert limit.status == "converged"
    assert runaway.ofv == pytest.approx(limit.ofv, abs=0.1)
    np.testing.assert_allclose(
        np.delete(found.standard_errors, place), covariance(limit).standard_errors, rtol=0.03
    )


def test_a_maximal_effect_of_one_runs_on_along_its_logit() -> None:
    spec = {
        **ORAL,
        "parameters": {
            "lE0": {"value": 4.0, "unit": ""},
            "lgIMAX": {"value": 1.0, "unit": ""},
            "lIC50": {"value": 0.0, "unit": ""},
            "a": {"value": 1.0, "unit": ""},
        },
        "random_effects": {"eE0": {"variance": 0.05}},
        "individual": {
            "E0": "exp(lE0 + eE0)", "IMAX": "expit(lgIMAX)", "IC50": "exp(lIC50)",
            "CL": "2", "V": "20",
        },
        "dynamics": {"central": "-CL/V*central"},
        "inputs": {"iv": [{"kind": "bolus", "into": "central"}]},
        "outputs": {
            "R": {"expression": "E0*(1 - IMAX*(central/V)/(IC50 + central/V))", "unit": ""}
        },
        "residual": {"R": {"additive": "a"}},
    }  # fmt: skip
    random = np.random.default_rng(5)
    rows = concentrations(np.inf)
    c = 5.0 * np.exp(-0.1 * np.array(rows["TIME"]))
    e0 = np.exp(4.5 + 0.2 * random.standard_normal(24))[np.array(rows["ID"], dtype=int) - 1]
    y = e0 * (1.0 - c / (0.3 + c)) - 0.1 + 0.5 * random.standard_normal(c.size)
    rows["DV"] = y.tolist()
    result = fit(build_model(spec), read_data(rows))
    assert result.status == "drift"
    assert codes(result)[Code.DRIFT] == ("lgIMAX",)
    assert any("IMAX goes to 1" in w for w in result.warnings)


def test_a_finite_estimate_far_away_is_reached() -> None:
    far = {**ORAL, "parameters": {**ORAL["parameters"], "lKA": {"value": 5.0, "unit": ""}}}
    result = fit(build_model(far), columns(1.5))
    assert result.status == "converged"
    assert result.theta[0] == pytest.approx(np.log(1.5), abs=0.3)


# doses and observed values


def test_doses_that_are_all_zero_are_refused() -> None:
    with pytest.raises(InputError, match="dose") as caught:
        fit(build_model(ORAL), columns(1.5, dose=0.0))
    assert caught.value.hint


def test_values_not_above_zero_on_a_log_scale_are_refused() -> None:
    rows = concentrations(1.5)
    rows["DV"][3] = 0.0
    log = {**ORAL, "residual": {"C": {"additive": "p", "scale": "log"}}}
    with pytest.raises(InputError, match="not above 0") as caught:
        fit(build_model(log), read_data(rows))
    assert caught.value.hint


# matrices


def test_the_weakest_direction_of_a_matrix() -> None:
    v = np.array([1.0, -1.0, 0.0, 0.0])
    matrix = np.diag([1.0, 1.0, 4.0, 0.0])
    matrix[:2, :2] = 1.0
    found = weakness(matrix, ["a", "b", "c", "d"])
    assert found.singular
    assert set(found.about) == {"a", "b"}
    assert found.idle == ("d",)
    assert matrix @ v == pytest.approx(np.zeros(4))
    assert not weakness(np.eye(2), ["a", "b"]).singular
    assert weakness(np.diag([1.0, -2.0]), ["a", "b"]).about == ("b",)
    assert not weakness(np.full((2, 2), np.nan), ["a", "b"]).singular


def test_a_model_that_is_not_identifiable_has_a_status_without_a_covariance_step() -> None:
    doubled = {
        **ORAL,
        "parameters": {**ORAL["parameters"], "lF": {"value": 0.0, "unit": ""}},
        "inputs": {"oral": [{"kind": "bolus", "into": "depot", "bioavailability": "exp(lF)"}]},
    }
    result = fit(build_model(doubled), columns(1.5))
    assert set(codes(result)[Code.UNIDENTIFIABLE]) == {"lCL", "lV", "lF"}
    found = covariance(result)
    assert np.isnan(found.standard_errors).all()
    told = [n for n in found.notices if n.code in (Code.UNIDENTIFIABLE, Code.NOT_POSITIVE)]
    assert any(n.severe and set(n.about) == {"lCL", "lV", "lF"} for n in told)


def test_a_subject_that_cannot_be_solved_is_named() -> None:
    rows = concentrations(1.5)
    rows["DV"][1] = 1e200  # its squared residual is not a number
    result = fit(build_model(ORAL), read_data(rows))
    assert result.status == "no start"
    assert "cannot be computed at the initial values" in result.sentence
    assert any("these subjects were not found: 1." in w for w in result.warnings)
