"""ITS: exact where it is the EM algorithm, near FOCEI and Laplace elsewhere, and how it ends."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.unit.estimate.simulated import oral, simulated

from statera.errors import UsageError
from statera.estimate import (
    Iteration,
    ItsOptions,
    OuterOptions,
    ProblemOptions,
    fit,
    fit_its,
    likelihood_ratio,
    load_checkpoint,
    make_problem,
)
from statera.model import Model

ABSORBED = {"CL": "exp(lCL + eta_CL)", "V": "exp(lV + eta_V)", "KA": "exp(lKA + eta_KA)"}
THREE = {
    "eta_CL": {"variance": 0.09},
    "eta_V": {"variance": 0.04},
    "eta_KA": {"variance": 0.2},
}
START = {"lCL": 0.7, "lV": 3.3, "lKA": 0.0, "prop": 0.3, "eta_CL": 0.2, "eta_V": 0.2}


def proportional(**changes: Any) -> Model:
    spec: dict[str, Any] = {
        "parameters": {
            "lCL": {"value": 1.0},
            "lV": {"value": 3.0},
            "lKA": {"value": 0.3},
            "prop": {"value": 0.15},
        },
        "individual": ABSORBED,
        "random_effects": THREE,
        "residual": {"C": {"proportional": "prop"}},
    }
    return oral(**{**spec, **changes})


def test_it_reaches_the_maximum_of_the_likelihood_of_a_linear_model() -> None:
    # y = base + eta + error: every approximation is exact, and ITS is the EM algorithm
    model = oral(
        parameters={"base": {"value": 2.0}, "slope": {"value": 0.3}, "add": {"value": 0.5}},
        random_effects={"eta": {"variance": 0.5}},
        covariates={"X": {"unit": "", "reference": 0.0}},
        individual={"LEVEL": "base + slope*X + eta"},
        dynamics={"empty": "0"},
        inputs={"oral": [{"kind": "bolus", "into": "empty"}]},
        outputs={"C": {"expression": "LEVEL", "unit": ""}},
        residual={"C": {"additive": "add"}},
    )
    x = np.repeat(np.linspace(-1.0, 1.0, 15), 4)
    data = simulated(model, n=15, times=(1.0, 2.0, 3.0), seed=2, covariates={"X": x})
    start = ProblemOptions(initial={"base": 1.0, "slope": 0.0, "add": 1.0, "eta": 2.0})
    one = fit(model, data, options=start, outer=OuterOptions(tolerance=1e-9))
    problem = make_problem(model, data, start)
    two = fit_its(problem, ItsOptions(tolerance=1e-6))
    assert two.status == "converged"
    assert two.ofv == pytest.approx(one.ofv, abs=1e-6)
    np.testing.assert_allclose(two.theta, one.theta, rtol=1e-4)
    np.testing.assert_allclose(two.omega, one.omega, rtol=1e-4)
    assert two.extra["by_mean"] == ("base", "slope")
    assert two.extra["by_residuals"] == ("add",)


def test_it_is_near_focei() -> None:
    model = proportional()
    data = simulated(model, n=40)
    options = ProblemOptions(initial={**START, "eta_KA": 0.1})
    one = fit(model, data, options=options)
    two = fit(model, data, method="its", options=options)
    assert two.status == "converged"
    assert two.ofv - one.ofv == pytest.approx(0.0, abs=0.5)
    assert two.ofv >= one.ofv - 1e-3
    np.testing.assert_allclose(np.exp(two.theta[:3]), np.exp(one.theta[:3]), rtol=0.04)
    np.testing.assert_allclose(two.theta[3], one.theta[3], rtol=0.02)
    np.testing.assert_allclose(np.diag(two.omega), np.diag(one.omega), rtol=0.06)
    assert two.extra["by_mean"] == ("lCL", "lV", "lKA")
    # the objective reported is that of FOCEI at the estimates
    names = list(model.parameters)
    values = dict(zip(names, two.theta.tolist(), strict=True))
    values |= dict(zip(model.random_effects, np.diag(two.omega).tolist(), strict=True))
    fixed = (*names, *model.random_effects)
    same = fit(model, data, options=ProblemOptions(initial=values, fixed=fixed))
    assert same.status == "evaluated"
    assert two.ofv == pytest.approx(same.ofv, abs=1e-6)
    assert "by FOCEI at these estimates" in two.summary()
    free = fit(model, data, method="its", options=ProblemOptions(fixed=("lKA",)))
    assert any("ITS ends near" in w for w in likelihood_ratio(free, two).warnings)


def test_parameters_without_a_random_effect_take_steps_along_the_gradient() -> None:
    model = oral()
    data = simulated(model, n=40)
    options = ProblemOptions(initial={**START, "add": 0.1})
    one = fit(model, data, options=options)
    two = fit(model, data, method="its", options=options)
    assert two.status == "converged"
    assert set(two.extra["by_scoring"]) == {"lKA", "add", "prop"}
    np.testing.assert_allclose(two.theta, one.theta, rtol=0.01)
    assert two.ofv == pytest.approx(one.ofv, abs=0.05)
    # of these parameters the gradient of FOCEI is 0 where it ends
    places = [two.problem.free_names.index(n) for n in two.extra["by_scoring"]]
    assert np.abs(two.extra["gradient"][places]).max() < 0.1


def test_blocks_and_covariates() -> None:
    model = proportional(
        parameters={
            "lCL": {"value": 1.0},
            "lV": {"value": 3.0},
            "b": {"value": 0.75},
            "lKA": {"value": 0.3, "fixed": True},
            "prop": {"value": 0.15},
        },
        covariates={"WT": {"unit": "kg", "reference": 70}},
        individual={
            "CL": "exp(lCL + b*log(WT/70) + eta_CL)",
            "V": "exp(lV + eta_V)",
            "KA": "exp(lKA)",
        },
        random_effects={k: v for k, v in THREE.items() if k != "eta_KA"},
        covariances=[{"between": ["eta_CL", "eta_V"], "value": 0.02}],
    )
    weights = np.repeat(np.linspace(40.0, 110.0, 40), 8)
    data = simulated(model, n=40, covariates={"WT": weights})
    options = ProblemOptions(initial={"b": 0.1, "lCL": 0.5})
    one = fit(model, data, options=options)
    two = fit(model, data, method="its", options=options)
    assert two.extra["by_mean"] == ("lCL", "lV", "b")
    np.testing.assert_allclose(two.theta, one.theta, rtol=0.02)
    np.testing.assert_allclose(two.omega, one.omega, rtol=0.05, atol=1e-4)
    assert two.theta[3] == 0.3


def test_censored_values_are_by_laplace() -> None:
    model = oral()
    data = simulated(model, n=15)
    low = data.dv < 0.8
    data.cens[low] = 1
    data.limit[:] = 0.8
    result = fit(model, data, method="its")
    assert result.status == "converged"
    assert result.extra["objective_by"] == "laplace"
    assert "by LAPLACE" in result.summary()


def test_it_can_be_stopped_and_resumed(tmp_path: Path) -> None:
    model = proportional()
    data = simulated(model, n=15)
    options = ProblemOptions(initial=START)
    file = tmp_path / "fit.ckpt"

    def stop(at: Iteration) -> None:
        if at.number == 2:
            raise KeyboardInterrupt

    stopped = fit(model, data, method="its", options=options, progress=stop, checkpoint=file)
    assert stopped.status == "stopped"
    assert len(stopped.iterations) == 2
    kept = load_checkpoint(file)
    assert kept.method == "its"
    np.testing.assert_allclose(kept.theta, stopped.theta)
    short = OuterOptions(max_iterations=1)
    few = fit(model, data, method="its", options=options, outer=short)
    assert few.status == "iterations"
    assert "still change" in few.sentence
    refined = fit(model, data, options=options, resume=kept)
    assert refined.status == "converged"


def test_what_it_cannot_start_from() -> None:
    model = proportional()
    data = simulated(model, n=4)
    lost = fit(model, data, method="its", options=ProblemOptions(initial={"lV": -800.0}))
    assert lost.status == "no start"
    none = proportional(
        individual={"CL": "exp(lCL)", "V": "exp(lV)", "KA": "exp(lKA)"}, random_effects={}
    )
    with pytest.raises(UsageError, match="needs random effects"):
        fit(none, simulated(none, n=4), method="its")
