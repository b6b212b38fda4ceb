"""The joint density against differences; the sampler calibrated on data from its own priors."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.stats import chisquare
from tests.unit.estimate.simulated import Data, oral, simulated

from statera.errors import UsageError
from statera.estimate import ProblemOptions, make_problem
from statera.estimate import nuts as nuts_module
from statera.estimate.log_density import LogDensity, PriorOptions
from statera.estimate.nuts import NutsOptions, sample_posterior
from statera.model import Model, build_model


def test_gradient_of_the_joint_density() -> None:
    model = oral(
        parameters={
            "lCL": {"value": 1.0, "prior": {"mean": 0.9, "sd": 0.2}},
            "lV": {"value": 3.0},
            "lKA": {"value": 0.3},
            "add": {"value": 0.05, "prior": {"mean": 0.05, "sd": 0.02}},
            "prop": {"value": 0.15},
        },
        covariances=[{"between": ["eta_CL", "eta_V"], "value": 0.02}],
    )
    problem = make_problem(model, simulated(oral(), n=4), ProblemOptions())
    density = LogDensity(problem, PriorOptions(spread=2.0, effect_scale=0.5))
    rng = np.random.default_rng(4)
    x = rng.normal(size=density.size)
    x[: problem.n_free] = problem.start + 0.1 * rng.normal(size=problem.n_free)
    _, got = density(x)
    for k in range(x.size):
        up, down = x.copy(), x.copy()
        up[k] += 1e-5
        down[k] -= 1e-5
        wanted = (density(up)[0] - density(down)[0]) / 2e-5
        assert got[k] == pytest.approx(wanted, rel=1e-5, abs=1e-5)


def layout(sd: float = 0.5) -> Model:
    """Repeated measurements of a level that differs between subjects."""
    return build_model(
        {
            "id": "layout",
            "units": {"time": "h", "amount": "mg"},
            "parameters": {"mean": {"value": 2.0}, "sd": {"value": sd}},
            "random_effects": {"eta": {"variance": 0.25}},
            "individual": {"level": "mean + eta"},
            "dynamics": {"x": "0"},
            "inputs": {"iv": [{"kind": "bolus", "into": "x"}]},
            "outputs": {"y": {"expression": "level + x", "unit": ""}},
            "residual": {"y": {"additive": "sd"}},
        }
    )


def measured(n: int, dv: Any = 0.0) -> Data:
    data = simulated(oral(), n=n, times=(1.0, 2.0, 3.0, 4.0))
    data.events.amount[:] = 0.0
    return replace(data, dv=np.broadcast_to(dv, data.dv.shape).astype(float))


def test_the_posterior_is_calibrated() -> None:
    """Ranks of parameters drawn from the priors among draws given data of them are uniform.

    Talts and others 2018, arXiv 1804.06788. With 40 data sets and 4 classes a chi-square test at
    1e-3 finds what would matter: a wrong Jacobian shifts ranks to one side.
    """
    pytest.importorskip("nutpie", reason="the extra bayes is not installed")
    n, priors = 8, PriorOptions(spread=0.3, effect_scale=0.6)
    rng = np.random.default_rng(12)
    problem = make_problem(layout(), measured(n), ProblemOptions())
    ranks: dict[str, list[float]] = {"mean": [], "sd": [], "omega(eta)": []}
    for number in range(40):
        u = problem.start[:2] + priors.spread * rng.normal(size=2)
        theta, _ = problem.theta.unpack(u)
        spread = abs(priors.effect_scale * rng.normal())
        level = theta[0] + spread * rng.normal(size=n)
        dv = np.repeat(level, 4) + theta[1] * rng.normal(size=4 * n)
        here = make_problem(layout(), measured(n, dv), ProblemOptions())
        options = NutsOptions(draws=150, tune=200, chains=1, seed=number, priors=priors)
        found = sample_posterior(here, options)
        truth = {"mean": theta[0], "sd": theta[1], "omega(eta)": spread**2}
        for name, value in truth.items():
            draws = (
                found.data.posterior["omega"].values[0, :, 0, 0]
                if name == "omega(eta)"
                else found.data.posterior[name].values[0]
            )
            ranks[name].append(float((draws[::3] < value).mean()))
    for name, values in ranks.items():
        counts, _ = np.histogram(values, bins=4, range=(0.0, 1.0 + 1e-9))
        assert chisquare(counts).pvalue > 1e-3, (name, counts)


def test_draws_come_back_with_the_seed_and_say_what_is_wrong() -> None:
    pytest.importorskip("nutpie", reason="the extra bayes is not installed")
    rng = np.random.default_rng(3)
    dv = np.repeat(2.0 + 0.5 * rng.normal(size=6), 4) + 0.5 * rng.normal(size=24)
    problem = make_problem(layout(), measured(6, dv), ProblemOptions())
    options = NutsOptions(draws=40, tune=60, chains=2, seed=7)
    first, second = (sample_posterior(problem, options) for _ in range(2))
    np.testing.assert_array_equal(
        first.data.posterior["mean"].values, second.data.posterior["mean"].values
    )
    assert first.data.posterior["eta"].shape == (2, 40, 6, 1)
    assert set(first.summary) == {"mean", "sd", "omega(eta)"}
    assert first.status == "not converged"  # 80 draws cannot hold 100 effective ones
    assert "take more draws" in first.warnings[0]


def test_without_the_extra_the_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    import builtins

    real = builtins.__import__

    def refuse(name: str, *rest: Any, **more: Any) -> Any:
        if name.startswith(("nutpie", "arviz")):
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(UsageError, match="nutpie"):
        nuts_module._libraries()
