"""Flat and repeated modes of random effects, and where modes move to."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from statera.data import FitData, read_data
from statera.estimate import OuterOptions, ProblemOptions, fit, fit_problem, make_problem
from statera.estimate.fit import objective_of
from statera.estimate.information import expected_information
from statera.estimate.inner import ARRIVED, InnerOptions, find_etas, inverse_of
from statera.estimate.laplace import FLAT, LaplaceOptions, expand, flat_modes, limited_volume
from statera.estimate.mode_path import mode_path
from statera.estimate.modes import find_modes
from statera.estimate.status import Code, fit_notices
from statera.model import build_model

Floats = NDArray[np.float64]

SQUARE: dict[str, Any] = {
    "id": "square",
    "units": {"time": "h", "amount": "mg"},
    "parameters": {"m": {"value": 0.01, "unit": ""}, "a": {"value": 1.0, "unit": ""}},
    "random_effects": {"eA": {"variance": 1.0}},
    "individual": {"A": "m + eA"},
    "dynamics": {"central": "-0.1*central"},
    "inputs": {"iv": [{"kind": "bolus", "into": "central"}]},
    "outputs": {"R": {"expression": "A^2", "unit": ""}},
    "residual": {"R": {"additive": "a"}},
}
"""The square of a normal value with error: y = 0.6 has modes near -0.31 and 0.32."""


def squares(*y: float) -> FitData:
    """A dose and one observation of each subject."""
    rows: dict[str, list[float]] = {k: [] for k in ("ID", "TIME", "AMT", "EVID", "DV")}
    for i, value in enumerate(y):
        for row in ((i + 1, 0.0, 1.0, 1, 0.0), (i + 1, 1.0, 0.0, 0, value)):
            for name, x in zip(rows, row, strict=True):
                rows[name].append(float(x))
    return read_data(rows)


def test_the_lower_of_two_modes_is_found_and_the_other_named() -> None:
    problem = make_problem(build_model(SQUARE), squares(0.6, 0.6, 5.0), ProblemOptions())
    of, theta, omega = problem.individuals, *problem.unpack(problem.start)[:2]
    start = np.array([[-0.3], [0.3], [2.0]])
    at = find_etas(of, theta, inverse_of(omega), start, InnerOptions())
    assert (at.statuses == ARRIVED).all()
    assert at.etas[0] < 0.0 < at.etas[1]
    # J'' = 12 A^2 - 4 y + 2 for y = 0.6
    curvature = 12.0 * (theta[0] + at.etas[:, :, None]) ** 2 - 4.0 * problem.individuals.y[
        :, None, None
    ] + 2.0  # fmt: skip
    found = find_modes(of, theta, omega, at, curvature, InnerOptions())
    assert found.etas[0, 0] == pytest.approx(at.etas[1, 0], abs=1e-6)
    assert found.gain[0] == pytest.approx(at.objective[0] - at.objective[1])
    assert found.gain[1] == 0.0
    assert found.rival[:2] == pytest.approx(at.objective[0] - at.objective[1])
    assert np.isinf(found.rival[2])  # far apart: convex at the mode, nothing is looked for


def test_a_fit_goes_on_from_the_lower_mode_and_names_the_subjects() -> None:
    options = ProblemOptions(fixed=["eA", "m", "a"])
    problem = make_problem(build_model(SQUARE), squares(0.6, 0.6, 5.0), options)
    result = fit_problem(problem, "laplace", OuterOptions())
    assert result.status == "evaluated"
    assert codes_of(result)[Code.TWO_MODES] == ("1", "2")
    assert (result.etas > 0.0).all()
    assert any("two modes that are nearly as likely: 1, 2." in w for w in result.warnings)


def codes_of(result: Any) -> dict[Code, tuple[str, ...]]:
    """What is said of a fit."""
    return {n.code: n.about for n in fit_notices(result)}


def test_curvatures_are_kept_from_vanishing_with_their_derivatives() -> None:
    random = np.random.default_rng(4)
    spread = random.standard_normal((3, 3))
    omega: Floats = spread @ spread.T + 0.5 * np.eye(3)
    lower = np.linalg.cholesky(omega)
    back = np.linalg.inv(lower)
    half = []
    for lowest in (1.0, 1.5 * FLAT, 0.3 * FLAT, -0.2):
        turn = np.linalg.qr(random.standard_normal((3, 3)))[0]
        half.append(back.T @ turn @ np.diag([lowest, 2.0, 3.0]) @ turn.T @ back)
    matrices = np.array(half)
    value, by = limited_volume(matrices, omega)
    kept = [1.0, FLAT * (1.0 + 1.5**2 / 4.0), FLAT * (1.0 + 0.3**2 / 4.0), FLAT]
    base = np.linalg.slogdet(omega)[1]
    np.testing.assert_allclose(value, np.log(kept) + np.log(6.0) - base)
    assert flat_modes(matrices, omega).tolist() == [False, True, True, True]
    np.testing.assert_allclose(by[0], np.linalg.inv(matrices[0]))
    # by H, and by Omega where the data's part of H stays
    change = random.standard_normal((3, 3))
    change = change + change.T
    data = matrices - np.linalg.inv(omega)
    for along, wanted in (
        (lambda h: limited_volume(matrices + h * change, omega)[0], (by * change).sum(axis=(1, 2))),
        (
            lambda h: (
                limited_volume(data + np.linalg.inv(omega + h * change), omega + h * change)[0]
                + np.linalg.slogdet(omega + h * change)[1]
            ),
            np.einsum("iab,ba->i", data @ by @ np.linalg.inv(omega), change),
        ),
    ):
        slope = (along(1e-6) - along(-1e-6)) / 2e-6
        np.testing.assert_allclose(slope, wanted, rtol=1e-5, atol=1e-7)


def test_the_gradient_holds_where_a_mode_is_flat() -> None:
    spec = {**SQUARE, "parameters": {**SQUARE["parameters"], "m": {"value": 0.005, "unit": ""}}}
    problem = make_problem(build_model(spec), squares(0.5, 0.49, 2.0, 0.9), ProblemOptions())
    objective = objective_of(problem, "laplace")
    value, gradient = objective(problem.start)
    theta, _, omega = problem.unpack(problem.start)
    at = expand(problem.individuals, theta, omega, objective.etas, LaplaceOptions(exact=True))
    assert flat_modes(at.half, omega).any()
    assert np.isfinite(value)
    for k in range(problem.n_free):
        ends = []
        for sign in (1.0, -1.0):
            u = problem.start.copy()
            u[k] += sign * 1e-4
            ends.append(objective.value(u)[0])
        assert gradient[k] == pytest.approx((ends[0] - ends[1]) / 2e-4, rel=5e-3, abs=1e-3)


LINEAR: dict[str, Any] = {
    **SQUARE,
    "id": "linear",
    "parameters": {"m": {"value": 2.0, "unit": ""}, "a": {"value": 0.5, "unit": ""}},
    "random_effects": {"eA": {"variance": 0.7}},
    "outputs": {"R": {"expression": "A*central", "unit": ""}},
}


def repeated(n: int = 40) -> FitData:
    """Three observations of each subject, linear in the random effect."""
    random = np.random.default_rng(9)
    rows: dict[str, list[float]] = {k: [] for k in ("ID", "TIME", "AMT", "EVID", "DV")}
    for i in range(n):
        a = 2.0 + np.sqrt(0.7) * random.standard_normal()
        rows_i = [(i + 1, 0.0, 1.0, 1, 0.0)]
        rows_i += [
            (i + 1, t, 0.0, 0, a * np.exp(-0.1 * t) + 0.5 * random.standard_normal())
            for t in (1.0, 2.0, 5.0)
        ]
        for row in rows_i:
            for name, x in zip(rows, row, strict=True):
                rows[name].append(float(x))
    return read_data(rows)


def test_the_expected_curvature_of_a_linear_model_is_the_information_of_its_distribution() -> None:
    """There y is normal: 2 m' V^-1 m and tr(V^-1 V_k V^-1 V_l), here written out."""
    problem = make_problem(build_model(LINEAR), repeated(), ProblemOptions())
    objective = objective_of(problem, "focei")
    objective(problem.start)
    found = objective.information(problem.start, objective.etas)
    slope = np.exp(-0.1 * np.array([1.0, 2.0, 5.0]))
    v = 0.7 * np.outer(slope, slope) + 0.25 * np.eye(3)
    inverse = np.linalg.inv(v)
    by = [0.25 * 2.0 * np.eye(3), 2.0 * 0.7 * np.outer(slope, slope)]  # d by ln a, by ln sd
    wanted = np.zeros((3, 3))
    wanted[0, 0] = 2.0 * slope @ inverse @ slope * 2.0**2  # the free number of m is m / 2
    for k, left in enumerate(by):
        for m, right in enumerate(by):
            wanted[k + 1, m + 1] = np.trace(inverse @ left @ inverse @ right)
    np.testing.assert_allclose(found, 40.0 * wanted, rtol=1e-9)
    e = problem.individuals.evaluate(
        problem.unpack(problem.start)[0], objective.etas, by_parameters=True
    )
    np.testing.assert_array_equal(expected_information(problem, problem.start, e), found)


def test_modes_move_as_predicted() -> None:
    problem = make_problem(build_model(LINEAR), repeated(), ProblemOptions())
    objective = objective_of(problem, "focei")
    u = problem.start
    _, at = objective.value(u)
    slopes = objective.by_subject(u, at)[1]
    way = mode_path(problem, u, at.inner.etas, slopes)
    assert way is not None
    for k in range(problem.n_free):
        moved = u.copy()
        moved[k] += 1e-4
        there = objective.value(moved)[1].inner.etas
        np.testing.assert_allclose(way.predict(at.inner.etas, moved), there, atol=1e-7, rtol=0.0)
        assert np.abs(there - at.inner.etas).max() > 1e-6
    # never further than half a standard deviation of the random effects
    far = way.predict(at.inner.etas, u + 100.0)
    assert np.abs(far - at.inner.etas).max() <= 0.5 * np.sqrt(0.7) + 1e-12


def test_a_linear_model_needs_few_iterations() -> None:
    result = fit(build_model(LINEAR), repeated())
    assert result.status == "converged"
    assert len(result.iterations) <= 6
