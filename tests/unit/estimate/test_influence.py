"""Influence of subjects against fits without them."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from statera.data import FitData, read_data
from statera.estimate import FitResult, LaplaceOptions, ProblemOptions, fit, make_problem
from statera.estimate.diagnostics import diagnose
from statera.estimate.influence import influence
from statera.estimate.outer import Objective


def without(result: FitResult, subject: str) -> FitData:
    """Data of the line model but for one subject."""
    rest = diagnose(result).observations.filter(pl.col("ID") != subject)
    n = rest.height
    names = {"ID": [int(x) for x in rest["ID"]], "TIME": rest["TIME"].to_list()}
    return read_data({**names, "AMT": [0.0] * n, "EVID": [0] * n, "DV": rest["DV"].to_list()})


def free_step(result: FitResult, change: np.ndarray) -> np.ndarray:
    """The change of the free numbers behind one of the parameters of the line model."""
    omega = np.array([[change[3], change[4]], [change[4], change[5]]])
    return result.problem.pack(result.theta + change[:3], result.omega + omega) - result.free


def test_deletion_is_a_newton_step_of_the_others(line_fit: FitResult) -> None:
    found = influence(line_fit)
    model, u = line_fit.problem.model, line_fit.free
    for i in np.argsort(-found.cook)[:2]:
        data = without(line_fit, found.ids[i])
        rest = Objective(make_problem(model, data, ProblemOptions()), LaplaceOptions())
        start = line_fit.problem.start  # the scales of free numbers are those of the same start
        np.testing.assert_array_equal(rest.problem.start, start)
        h = 1e-4
        hessian = np.stack(
            [(rest(u + h * d)[1] - rest(u - h * d)[1]) / (2 * h) for d in np.eye(u.size)]
        )
        newton = -np.linalg.solve(hessian, rest(u)[1])
        # the gradient at the estimates is zero only up to the tolerance of the search
        np.testing.assert_allclose(free_step(line_fit, found.change[i]), newton, atol=2e-3)
        whole = Objective(line_fit.problem, LaplaceOptions())
        full = np.stack(
            [(whole(u + h * d)[1] - whole(u - h * d)[1]) / (2 * h) for d in np.eye(u.size)]
        )
        assert found.cook[i] == pytest.approx(np.sqrt(0.5 * newton @ full @ newton), rel=0.02)


def test_deletion_points_to_the_fit_without_the_subject(line_fit: FitResult) -> None:
    found = influence(line_fit)
    for i in np.argsort(-found.cook)[:3]:
        again = fit(line_fit.problem.model, without(line_fit, found.ids[i]))
        real = again.problem.pack(again.theta, again.omega) - line_fit.free
        step = free_step(line_fit, found.change[i])
        cosine = real @ step / np.linalg.norm(real) / np.linalg.norm(step)
        assert cosine > 0.95


def test_table(line_fit: FitResult) -> None:
    found = influence(line_fit)
    assert found.remarks == ()
    assert found.ofv.sum() == pytest.approx(line_fit.ofv, abs=1e-6)
    assert (found.cook >= 0).all()
    # the largest change in standard errors cannot exceed the length of the whole step
    assert (np.abs(found.standardised).max(axis=1) <= found.cook + 1e-9).all()
    table = found.to_polars()
    assert table.columns[:5] == ["ID", "OBSERVATIONS", "OFV", "COOK", "d_a"]
    assert table.height == 20
    # deleted subjects pull the estimates both ways: the changes of a mean almost cancel
    change = found.change[:, 0]
    assert abs(change.sum()) < 0.2 * np.abs(change).sum()
