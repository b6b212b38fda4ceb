"""Uncertainty of a small fit: one compartment, intravenous dose, two random effects."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import chi2, norm

from statera.data import FitData, read_data
from statera.errors import InputError, UsageError
from statera.estimate import FitResult, ProblemOptions, fit
from statera.estimate.bootstrap import BootstrapOptions, bootstrap, draw_weights, strata_of
from statera.estimate.compare import information_criteria, likelihood_ratio
from statera.estimate.covariance import CovarianceOptions, covariance
from statera.estimate.natural import natural_slopes, natural_values, objective_at
from statera.estimate.profile import ProfileOptions, profile
from statera.estimate.shrinkage import shrinkage
from statera.estimate.sir import SirOptions, importance_resampling
from statera.estimate.status import Code, fit_notices
from statera.estimate.wald import transformed, wald_intervals
from statera.model import Model, build_model

Floats = NDArray[np.float64]

TIMES = np.array([0.5, 1.0, 2.0, 4.0, 8.0, 12.0])
SPEC: dict[str, Any] = {
    "id": "bolus",
    "units": {"time": "h", "amount": "mg"},
    "parameters": {
        "lCL": {"value": 1.0, "unit": ""},
        "lV": {"value": 3.0, "unit": ""},
        "p": {"value": 0.15, "unit": ""},
    },
    "random_effects": {"eCL": {"variance": 0.1}, "eV": {"variance": 0.05}},
    "individual": {"CL": "exp(lCL + eCL)", "V": "exp(lV + eV)"},
    "dynamics": {"central": "-CL/V*central"},
    "inputs": {"iv": [{"kind": "bolus", "into": "central"}]},
    "outputs": {"C": {"expression": "central/V", "unit": "mg/L"}},
    "residual": {"C": {"variance": "(p*C)^2"}},
}


def model(**changes: Any) -> Model:
    """The model, with tables replaced."""
    return build_model({**SPEC, **changes})


def data(n: int = 30, spread: tuple[float, float] = (0.1, 0.05), seed: int = 3) -> FitData:
    """Simulated concentrations after 100 mg, from the formula itself."""
    random = np.random.default_rng(seed)
    cl = np.exp(1.0 + np.sqrt(spread[0]) * random.standard_normal(n))
    v = np.exp(3.0 + np.sqrt(spread[1]) * random.standard_normal(n))
    rows: dict[str, list[float]] = {k: [] for k in ("ID", "TIME", "AMT", "EVID", "DV", "SEX")}
    for i in range(n):
        c = 100.0 / v[i] * np.exp(-cl[i] / v[i] * TIMES)
        c = c * (1.0 + 0.15 * random.standard_normal(TIMES.size))
        for t, amount, evid, y in [
            (0.0, 100.0, 1, 0.0),
            *((t, 0.0, 0, y) for t, y in zip(TIMES, c, strict=True)),
        ]:
            for name, x in zip(rows, (i + 1, t, amount, evid, y, i % 3 == 0), strict=True):
                rows[name].append(float(x))
    return read_data(rows)


@pytest.fixture(scope="module")
def fitted() -> FitResult:
    """A fit by FOCEI."""
    return fit(model(), data())


def test_derivatives_of_reported_parameters_by_free_numbers() -> None:
    spec = model(covariances=[{"between": ["eCL", "eV"], "value": 0.03}])
    result = fit(spec, data(10))
    problem, u = result.problem, result.free + 0.1
    slopes = natural_slopes(problem, u)
    for k in range(u.size):
        ends = []
        for sign in (1.0, -1.0):
            moved = u.copy()
            moved[k] += sign * 1e-6
            theta, omega, _ = problem.unpack(moved)
            ends.append(natural_values(problem, theta, omega))
        np.testing.assert_allclose(slopes[:, k], (ends[0] - ends[1]) / 2e-6, rtol=1e-6, atol=1e-8)


def _curvature(result: FitResult) -> Floats:
    """Half the second derivatives of the objective, by differences of its values alone."""
    problem = result.problem
    objective = objective_at(result)
    x = natural_values(problem, result.theta, result.omega)
    h = 5e-3 * np.abs(x)  # modes are found to about 1e-7: shorter steps see their noise
    free = len(problem.theta.free)

    def at(moved: Floats) -> float:
        theta = result.theta.copy()
        theta[problem.theta.free] = moved[:free]
        omega = result.omega.copy()
        for (i, j), value in zip(problem.omega.entries(), moved[free:], strict=True):
            omega[i, j] = omega[j, i] = value
        return objective.value(problem.pack(theta, omega))[0]

    n = x.size
    out = np.empty((n, n))
    for i in range(n):
        for j in range(n):
            total = 0.0
            for a, b in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
                moved = x.copy()
                moved[i] += a * h[i]
                moved[j] += b * h[j]
                total += a * b * at(moved)
            out[i, j] = 0.5 * total / (4.0 * h[i] * h[j])
    return out


@pytest.mark.parametrize("block", [False, True])
def test_r_is_half_the_second_derivatives_of_the_objective(block: bool) -> None:
    changes = {"covariances": [{"between": ["eCL", "eV"], "value": 0.03}]} if block else {}
    result = fit(model(**changes), data())
    found = covariance(result, CovarianceOptions(matrix="R"))
    wanted = _curvature(result)
    size = np.sqrt(np.diag(wanted))
    np.testing.assert_allclose(
        found.r / np.outer(size, size), wanted / np.outer(size, size), atol=2e-3
    )
    np.testing.assert_allclose(found.matrix @ found.r, np.eye(len(found.names)), atol=1e-8)


def test_s_is_made_of_gradients_of_subjects_and_the_sandwich_of_both(fitted: FitResult) -> None:
    found = covariance(fitted)
    problem = fitted.problem
    x = natural_values(problem, fitted.theta, fitted.omega)
    rows = np.empty((fitted.by_subject.size, x.size))
    objective = objective_at(fitted)
    for k in range(x.size):
        ends = []
        for sign in (1.0, -1.0):
            moved = x.copy()
            moved[k] *= 1.0 + sign * 1e-4
            omega = np.diag(moved[3:])
            u = problem.pack(moved[:3], omega)
            ends.append(objective.value(u)[1].objective)
        rows[:, k] = (ends[0] - ends[1]) / (2e-4 * abs(x[k]))
    wanted = 0.25 * rows.T @ rows
    np.testing.assert_allclose(found.s, wanted, rtol=1e-3, atol=1e-4 * np.abs(wanted).max())
    inverse = np.linalg.inv(found.r)
    np.testing.assert_allclose(found.matrix, inverse @ found.s @ inverse, rtol=1e-6)
    only_s = covariance(fitted, CovarianceOptions(matrix="S"))
    np.testing.assert_allclose(only_s.matrix, np.linalg.inv(found.s), rtol=1e-6)


def test_standard_errors_cover_what_was_simulated(fitted: FitResult) -> None:
    found = covariance(fitted)
    assert found.usable
    truth = np.array([1.0, 3.0, 0.15, 0.1, 0.05])
    assert (np.abs(found.estimates - truth) < 4.0 * found.standard_errors).all()
    assert found.condition >= 1.0
    assert found.eigenvalues.sum() == pytest.approx(5.0)
    np.testing.assert_allclose(np.diag(found.correlation), 1.0)
    table = found.to_polars()
    assert table["name"].to_list() == ["lCL", "lV", "p", "omega(eCL)", "omega(eV)"]
    # with complete data the standard error of a mean is near that of the sample mean
    assert found.standard_errors[0] == pytest.approx(np.sqrt(fitted.omega[0, 0] / 30), rel=0.15)


def test_a_gradient_that_is_not_zero_withholds_standard_errors(fitted: FitResult) -> None:
    moved = replace(fitted, theta=fitted.theta * np.array([1.1, 1.0, 1.0]))
    found = covariance(moved)
    assert [n.code for n in found.notices if n.severe][-1] == Code.GRADIENT
    assert np.isnan(found.standard_errors).all()
    assert not found.usable
    assert all(np.isnan(i.low) and i.notices for i in wald_intervals(moved, found))


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("no progress", Code.NO_PROGRESS),
        ("iterations", Code.ITERATIONS),
        ("stopped", Code.STOPPED),
        ("lost", Code.NOT_CONVERGED),
    ],
)
def test_a_search_that_did_not_converge_withholds_standard_errors(
    fitted: FitResult, status: str, code: Code
) -> None:
    found = covariance(replace(fitted, status=status))
    assert code in [n.code for n in found.notices]
    assert np.isnan(found.standard_errors).all()
    assert all(n.sentence and n.advice.endswith(".") for n in found.notices)


def test_a_model_that_is_not_identifiable_is_named() -> None:
    spec = model(
        parameters={**SPEC["parameters"], "extra": {"value": 0.1, "unit": ""}},
        individual={"CL": "exp(lCL + extra + eCL)", "V": "exp(lV + eV)"},
    )
    found = covariance(fit(spec, data()))
    weak = [n for n in found.notices if n.code in (Code.UNIDENTIFIABLE, Code.NOT_POSITIVE)]
    assert weak
    assert set(weak[0].about) == {"lCL", "extra"}
    assert np.isnan(found.standard_errors).all()


def test_a_variance_at_zero_is_left_out_and_said() -> None:
    result = fit(model(), data(spread=(0.1, 0.0), seed=1))
    assert result.omega[1, 1] < 1e-3
    found = covariance(result)
    boundary = [n for n in found.notices if n.code == Code.OMEGA_ZERO]
    assert boundary[0].about == ("omega(eV)",)
    assert found.included.tolist() == [True, True, True, True, False]
    assert np.isnan(found.standard_errors[4])
    assert np.isfinite(found.standard_errors[:4]).all()
    intervals = wald_intervals(result, found)
    assert intervals[4].notices == tuple(boundary)
    assert not intervals[0].notices


def test_a_correlation_at_one_is_left_out_and_said() -> None:
    spec = model(covariances=[{"between": ["eCL", "eV"], "value": 0.03}])
    result = fit(spec, data())
    omega = result.omega.copy()
    omega[0, 1] = omega[1, 0] = np.sqrt(omega[0, 0] * omega[1, 1]) * 0.99999
    codes = {n.code: n.about for n in fit_notices(replace(result, omega=omega))}
    assert codes[Code.OMEGA_CORRELATION] == ("omega(eV)",)


def test_a_parameter_at_its_bound_is_left_out_and_said() -> None:
    options = ProblemOptions(bounds={"lV": (None, 2.5)})
    result = fit(
        model(parameters={**SPEC["parameters"], "lV": {"value": 2.0, "unit": ""}}),
        data(),
        options=options,
    )
    found = covariance(replace(result, status="converged"))
    assert [n.about for n in found.notices if n.code == Code.THETA_BOUND] == [("lV",)]
    assert not found.included[1]


def test_failed_subjects_are_named(fitted: FitResult) -> None:
    etas = fitted.etas.copy()
    etas[4] += 0.5
    codes = {n.code: n.about for n in fit_notices(replace(fitted, etas=etas))}
    assert codes == {Code.FAILED_SUBJECTS: ("5",)}
    assert fit_notices(fitted) == ()


def test_few_subjects_are_a_notice() -> None:
    found = covariance(fit(model(), data(8)))
    assert Code.FEW_SUBJECTS in [n.code for n in found.notices]
    s_only = covariance(fit(model(), data(4)), CovarianceOptions(matrix="S"))
    assert Code.SINGULAR_S in [n.code for n in s_only.notices]
    assert np.isnan(s_only.standard_errors).all()


def test_wald_intervals(fitted: FitResult) -> None:
    found = covariance(fitted)
    z = norm.ppf(0.95)
    plain = wald_intervals(fitted, found, 0.9)
    for k, interval in enumerate(plain):
        assert interval.low == pytest.approx(found.estimates[k] - z * found.standard_errors[k])
    free = wald_intervals(fitted, found, 0.9, scale="unbounded")
    x, se = found.estimates[3], found.standard_errors[3]
    assert free[3].high == pytest.approx(x * np.exp(z * se / x))
    assert free[3].low > 0.0
    assert free[0].low == plain[0].low
    turned = transformed(free[0], "exp")
    assert turned.estimate == pytest.approx(np.exp(fitted.theta[0]))
    assert turned.transform == "exp"
    with pytest.raises(UsageError, match="between 0 and 1"):
        wald_intervals(fitted, found, 95.0)


def test_profiles_end_where_the_objective_has_risen_by_the_quantile(fitted: FitResult) -> None:
    found = covariance(fitted)
    traced = profile(fitted, uncertainty=found)
    assert [p.interval.name for p in traced] == list(fitted.problem.free_names)
    limit = chi2.ppf(0.95, 1)
    problem = fitted.problem
    for p in traced:
        assert not p.interval.notices
        assert p.interval.low < p.interval.estimate < p.interval.high
        for end in (p.interval.low, p.interval.high):
            assert p.rise[np.argmin(np.abs(p.values - end))] == pytest.approx(limit, abs=0.01)
    # the same by fits from scratch with the parameter fixed
    options = ProblemOptions(fixed=["lCL"], initial={"lCL": traced[0].interval.high})
    held = fit(problem.model, data(), options=options)
    assert held.ofv - fitted.ofv == pytest.approx(limit, abs=0.02)
    options = ProblemOptions(fixed=["eV"], initial={"eV": traced[4].interval.low})
    held = fit(problem.model, data(), options=options)
    assert held.ofv - fitted.ofv == pytest.approx(limit, abs=0.02)


def test_a_profile_of_a_variance_within_a_block() -> None:
    spec = model(covariances=[{"between": ["eCL", "eV"], "value": 0.03}])
    result = fit(spec, data())
    one, two = profile(result, ["omega(eCL)", "omega(eV)"])
    for p in (one, two):
        assert not p.interval.notices
        assert p.interval.low < p.interval.estimate < p.interval.high
    index = list(result.problem.free_names).index("omega(eV)")
    np.testing.assert_allclose(two.parameters[:, index], two.values)
    with pytest.raises(UsageError, match="cannot be profiled"):
        profile(result, ["omega(eV,eKA)"])


def test_a_profile_of_a_covariance() -> None:
    spec = model(covariances=[{"between": ["eCL", "eV"], "value": 0.03}])
    result = fit(spec, data())
    one, same = profile(result, ["omega(eV,eCL)", "omega(eCL,eV)"])
    assert one.interval.name == "omega(eV,eCL)"
    assert same.interval == one.interval
    assert not one.interval.notices
    assert one.interval.low < one.interval.estimate < one.interval.high
    limit = chi2.ppf(0.95, 1)
    problem = result.problem
    index = list(problem.free_names).index("omega(eV,eCL)")
    np.testing.assert_allclose(one.parameters[:, index], one.values)
    fresh = objective_at(result)
    for end in (one.interval.low, one.interval.high):
        k = int(np.argmin(np.abs(one.values - end)))
        assert one.rise[k] == pytest.approx(limit, abs=0.01)
        # the estimates along the profile have that objective, seen from another order of effects
        theta = result.theta.copy()
        theta[problem.theta.free] = one.parameters[k, : problem.theta.size]
        a, c, b = one.parameters[k, problem.theta.size :]
        value, gradient = fresh(problem.pack(theta, np.array([[a, c], [c, b]])))
        assert value - result.ofv == pytest.approx(one.rise[k], abs=1e-3)
        # and are a minimum but for the covariance: the gradient by what is reported is along it
        by = np.linalg.solve(natural_slopes(problem, problem.pack(
            theta, np.array([[a, c], [c, b]]))).T, gradient)  # fmt: skip
        others = np.delete(by * result_errors(result), index)
        assert np.abs(others).max() < 0.05 * abs(by[index] * result_errors(result)[index])


def result_errors(result: FitResult) -> Floats:
    """Standard errors by R: units in which gradients can be compared."""
    return covariance(result, CovarianceOptions(matrix="R")).standard_errors


def test_a_profile_that_stays_flat_is_open() -> None:
    result = fit(model(), data(spread=(0.1, 0.0), seed=1))
    (p,) = profile(result, ["omega(eV)"])
    assert p.interval.low == 0.0
    assert np.isfinite(p.interval.high)
    assert [n.code for n in p.interval.notices] == [Code.PROFILE_OPEN]


def test_a_profile_below_the_fit_is_said(fitted: FitResult) -> None:
    moved = replace(fitted, theta=fitted.theta + np.array([0.15, 0.0, 0.0]))
    (p,) = profile(moved, ["lCL"], ProfileOptions())
    assert Code.LOWER_FOUND in [n.code for n in p.interval.notices]
    assert np.isnan(p.interval.low)
    assert np.isnan(p.interval.high)


def test_weights_are_fits_of_resampled_data(fitted: FitResult) -> None:
    few = bootstrap(fitted, BootstrapOptions(replicates=2, seed=5))
    weights = draw_weights(strata_of(fitted.problem, None), 2, 5)
    table = data()
    ids, times = [], []
    columns: dict[str, list[float]] = {k: [] for k in ("AMT", "EVID", "DV")}
    number = 0
    for i, w in enumerate(weights[0]):
        for _ in range(w):
            number += 1
            for t, y in [(0.0, np.nan), *zip(TIMES, table.dv[6 * i : 6 * i + 6], strict=True)]:
                ids.append(float(number))
                times.append(float(t))
                columns["AMT"].append(100.0 if t == 0.0 else 0.0)
                columns["EVID"].append(1.0 if t == 0.0 else 0.0)
                columns["DV"].append(0.0 if t == 0.0 else float(y))
    real = fit(model(), read_data({"ID": ids, "TIME": times, **columns}))
    wanted = natural_values(real.problem, real.theta, real.omega)
    np.testing.assert_allclose(few.replicates[0], wanted, rtol=5e-3)


def test_bootstrap_is_seeded_and_counts_failures(fitted: FitResult) -> None:
    options = BootstrapOptions(replicates=20, seed=2)
    one = bootstrap(fitted, options)
    two = bootstrap(fitted, replace(options, workers=2))
    np.testing.assert_array_equal(one.replicates, two.replicates)
    assert one.failed == 0
    assert one.notices == ()
    errors = covariance(fitted).standard_errors
    assert (one.standard_errors > 0.5 * errors).all()
    assert (one.standard_errors < 2.0 * errors).all()
    assert one.to_polars().height == 20
    broken = bootstrap(fitted, replace(options, outer=replace(options.outer, max_iterations=1)))
    assert broken.failed > 0
    assert broken.notices[0].code == Code.REFITS_FAILED
    assert broken.statuses.count("iterations") == broken.failed


def test_strata_keep_their_sizes(fitted: FitResult) -> None:
    groups = strata_of(fitted.problem, "SEX")
    assert np.bincount(groups).tolist() == [20, 10]
    weights = draw_weights(groups, 50, 1)
    assert (weights[:, groups == 1].sum(axis=1) == 10).all()
    assert (weights.sum(axis=1) == 30).all()
    assert not np.array_equal(weights[0], weights[1])
    np.testing.assert_array_equal(strata_of(fitted.problem, ["a", "b"] * 15), [0, 1] * 15)
    with pytest.raises(InputError, match="no covariate 'RACE'"):
        strata_of(fitted.problem, "RACE")
    with pytest.raises(UsageError, match="2 groups for 30 subjects"):
        strata_of(fitted.problem, ["a", "b"])


def test_sir_agrees_with_profiles(fitted: FitResult) -> None:
    found = covariance(fitted, CovarianceOptions(matrix="R"))
    options = SirOptions(samples=(150, 300), resamples=(75, 150))
    sir = importance_resampling(fitted, options, uncertainty=found)
    assert sir.notices == ()
    assert [r.samples for r in sir.rounds] == [150, 300]
    assert sir.rounds[1].effective > 100
    assert sir.resamples.shape == (150, 5)
    assert (sir.drop > -0.01).all()
    again = importance_resampling(fitted, options, uncertainty=found)
    np.testing.assert_array_equal(sir.resamples, again.resamples)
    for p, i in zip(profile(fitted, ["lCL", "lV", "p"]), sir.intervals, strict=False):
        width = p.interval.high - p.interval.low
        assert i.low == pytest.approx(p.interval.low, abs=0.2 * width)
        assert i.high == pytest.approx(p.interval.high, abs=0.2 * width)


def test_degenerate_weights_are_a_status(fitted: FitResult) -> None:
    options = SirOptions(samples=(100,), resamples=(50,), inflation=1e4)
    sir = importance_resampling(fitted, options)
    assert sir.notices[-1].code == Code.WEIGHTS
    assert np.isnan(sir.standard_errors).all()
    assert all(np.isnan(i.low) for i in sir.intervals)
    lost = importance_resampling(replace(fitted, status="no progress"), options)
    assert lost.notices[-1].code == Code.NO_UNCERTAINTY
    assert lost.rounds == ()
    with pytest.raises(UsageError, match="as many"):
        importance_resampling(fitted, SirOptions(samples=(10, 10)))


def test_shrinkage_of_complete_and_of_poor_data(fitted: FitResult) -> None:
    found = shrinkage(fitted)
    sd = fitted.etas.std(axis=0, ddof=1) / np.sqrt(np.diag(fitted.omega))
    np.testing.assert_allclose(found.sd, 100.0 * (1.0 - sd))
    np.testing.assert_allclose(found.variance, 100.0 * (1.0 - sd**2))
    assert (found.sd < 20.0).all()
    # moments agree with conditional variances at the estimates
    np.testing.assert_allclose(found.conditional_variance, found.variance, atol=3.0)
    assert (found.p_value > 0.5).all()
    assert found.count.tolist() == [30, 30]
    assert 0.0 < next(iter(found.epsilon_sd.values())) < 40.0
    assert found.to_polars()["effect"].to_list() == ["eCL", "eV"]


def test_likelihood_ratio_and_criteria(fitted: FitResult) -> None:
    options = ProblemOptions(fixed=["lV"], initial={"lV": 2.8})
    smaller = fit(model(), data(), options=options)
    test = likelihood_ratio(smaller, fitted)
    assert test.df == 1
    assert test.drop == pytest.approx(smaller.ofv - fitted.ofv)
    assert test.p_value == pytest.approx(chi2.sf(test.drop, 1))
    assert "not checked" in test.statement
    assert test.warnings == ()
    with pytest.raises(UsageError, match="second"):
        likelihood_ratio(fitted, smaller)
    with pytest.raises(UsageError, match="different data"):
        likelihood_ratio(fit(model(), data(10), options=options), fitted)
    with pytest.raises(UsageError, match="cannot be compared"):
        likelihood_ratio(replace(smaller, method="foce"), fitted)
    worse = likelihood_ratio(replace(smaller, ofv=fitted.ofv - 1.0), fitted)
    assert np.isnan(worse.p_value)
    assert worse.warnings
    criteria = information_criteria(fitted)
    minus = fitted.ofv + 180 * np.log(2.0 * np.pi)
    assert criteria.minus_2ll == pytest.approx(minus)
    assert criteria.aic == pytest.approx(minus + 10.0)
    assert criteria.bic == pytest.approx(minus + 5.0 * np.log(180))
    assert criteria.bic_mixed == pytest.approx(minus + 4.0 * np.log(30) + np.log(180))


def test_methods_without_an_objective_are_refused(fitted: FitResult) -> None:
    with pytest.raises(UsageError, match="no objective"):
        objective_at(replace(fitted, method="saem"))
