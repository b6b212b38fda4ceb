"""The joint density against differences; the sampler calibrated on data from its own priors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.stats import chisquare
from tests.unit.estimate.simulated import Data, oral, simulated

from statera.errors import UsageError
from statera.estimate import OuterOptions, ProblemOptions, fit_problem, make_problem
from statera.estimate import nuts as nuts_module
from statera.estimate.log_density import PriorOptions, factor
from statera.estimate.nuts import NutsOptions, sample_posterior
from statera.estimate.posterior_coordinates import density_at, posterior_coordinates
from statera.model import Model, build_model


@pytest.mark.parametrize("centred", [False, True])
def test_gradient_of_the_joint_density(centred: bool) -> None:
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
    priors = PriorOptions(spread=2.0, effect_scale=0.5)
    density = density_at(problem, priors, problem.start + 0.1, centred=centred)
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


def test_coordinates_keep_the_density_and_make_it_round() -> None:
    """Gradients follow the linear map; at the centre the curvature is nearly that of 1."""
    model = oral(covariances=[{"between": ["eta_CL", "eta_V"], "value": 0.02}])
    problem = make_problem(model, simulated(oral(), n=24), ProblemOptions())
    best = fit_problem(problem, "focei", OuterOptions()).free
    density = density_at(problem, PriorOptions(), best)
    assert density.centred.all()  # seven values a subject say nearly all there is to say
    map_ = posterior_coordinates(density, best)
    w = 0.3 * np.random.default_rng(1).normal(size=density.size)
    got = map_.pull(density(map_.point(w))[1])
    curve = np.empty(w.size)
    for k in range(w.size):
        ends = []
        for step in (1e-4, -1e-4):
            moved = w.copy()
            moved[k] += step
            ends.append(density(map_.point(moved))[0])
        assert got[k] == pytest.approx((ends[0] - ends[1]) / 2e-4, rel=1e-4, abs=1e-4)
        unit = 1e-3 * np.eye(w.size)[k]
        slopes = [map_.pull(density(map_.point(sign * unit))[1])[k] for sign in (1, -1)]
        curve[k] = -(slopes[0] - slopes[1]) / 2e-3
    assert np.median(curve) == pytest.approx(1.0, abs=0.1)
    assert curve.min() > 0.3
    assert curve.max() < 3.0


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


def test_centred_and_not_are_the_same_density() -> None:
    """Both are densities of parameters and random effects, but for the change of variables."""
    model = oral(covariances=[{"between": ["eta_CL", "eta_V"], "value": 0.02}])
    problem = make_problem(model, simulated(oral(), n=4), ProblemOptions())
    loose, held = (
        density_at(problem, PriorOptions(), problem.start, centred=c) for c in (False, True)
    )
    rng = np.random.default_rng(5)
    gaps = []
    for _ in range(4):
        u = problem.start + 0.3 * rng.normal(size=problem.n_free)
        root = factor(problem.unpack(u)[2])
        etas = rng.normal(size=loose.shape) @ root.T
        ends = []
        for density, scale in ((loose, root), (held, held.fixed)):
            y = np.linalg.solve(scale, etas.T).T
            value, _ = density(np.concatenate([u, y.ravel()]))
            ends.append(value - etas.shape[0] * np.log(np.diag(scale)).sum())
        gaps.append(ends[0] - ends[1])
    np.testing.assert_allclose(gaps, gaps[0], atol=1e-8)


def test_the_posterior_is_calibrated() -> None:
    """Ranks of parameters drawn from the priors among draws given data of them are uniform.

    Talts and others 2018, arXiv 1804.06788. With 24 data sets and 4 classes a chi-square test at
    1e-3 finds what would matter: a wrong Jacobian shifts ranks to one side.
    """
    pytest.importorskip("nutpie", reason="the extra bayes is not installed")
    n, priors = 8, PriorOptions(spread=0.3, effect_scale=0.6)
    rng = np.random.default_rng(12)
    problem = make_problem(layout(), measured(n), ProblemOptions())
    ranks: dict[str, list[float]] = {"mean": [], "sd": [], "omega(eta)": []}
    for number in range(24):
        u = problem.start[:2] + priors.spread * rng.normal(size=2)
        theta, _ = problem.theta.unpack(u)
        spread = abs(priors.effect_scale * rng.normal())
        level = theta[0] + spread * rng.normal(size=n)
        dv = np.repeat(level, 4) + theta[1] * rng.normal(size=4 * n)
        here = make_problem(layout(), measured(n, dv), ProblemOptions())
        options = NutsOptions(
            draws=100, tune=120, chains=1, seed=number, priors=priors, centred=False
        )
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
    assert any("take more draws" in text for text in first.warnings)
    assert first.priors["mean"] == "normal(2, 20)"
    assert first.priors["sd"] == "log-normal, median 0.5, SD of log 10"
    assert first.priors["omega(eta)"] == "SD half-normal(1)"
    rows = {row["name"]: row for row in first.rows()}
    assert rows["omega(eta)"]["shown_as"] == "SD"
    assert rows["omega(eta)"]["value"] == pytest.approx(
        np.sqrt(rows["omega(eta)"]["q50"]), rel=1e-3
    )
    table = first.draws_table()
    assert table.shape == (80, 5)
    assert table["mean"].to_numpy() == pytest.approx(first.data.posterior["mean"].values.ravel())
    text = str(first)
    assert "prior" in text
    assert "2 chains of 40" in text


def test_a_run_that_is_stopped_keeps_its_draws() -> None:
    pytest.importorskip("nutpie", reason="the extra bayes is not installed")
    rng = np.random.default_rng(3)
    dv = np.repeat(2.0 + 0.5 * rng.normal(size=6), 4) + 0.5 * rng.normal(size=24)
    problem = make_problem(layout(), measured(6, dv), ProblemOptions())
    options = NutsOptions(draws=5000, tune=60, chains=2, seed=7)

    def stop_at(count: int) -> Callable[[int, int], None]:
        def tell(done: int, total: int) -> None:
            assert total == 2 * 5060
            if done >= count:
                raise KeyboardInterrupt

        return tell

    found = sample_posterior(problem, options, progress=stop_at(200))
    assert found.status == "stopped"
    assert 20 <= found.draws < 5000
    assert found.data.posterior["mean"].shape == (found.chains, found.draws)
    assert np.isfinite(found.data.posterior["eta"].values).all()
    assert "sampling was stopped" in found.warnings[0]
    with pytest.raises(UsageError, match="stopped before there were draws"):
        sample_posterior(problem, options, progress=stop_at(0))


def test_without_the_extra_the_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    import builtins

    real = builtins.__import__

    def refuse(name: str, *rest: Any, **more: Any) -> Any:
        if name.startswith(("nutpie", "arviz")):
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(UsageError, match="nutpie"):
        nuts_module.require_sampler()
