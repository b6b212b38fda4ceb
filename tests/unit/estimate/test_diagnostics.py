"""Residuals and tables of diagnostics, against their definitions computed apart."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy.linalg import sqrtm

from statera.data import read_data
from statera.errors import UsageError
from statera.estimate import FitResult, ProblemOptions, fit
from statera.estimate.diagnostics import DiagnosticOptions, diagnose
from statera.estimate.grid import predict_curves
from statera.estimate.npde import NpdeOptions
from statera.estimate.residuals import residuals_of, whiten
from statera.estimate.rows import rows_of


def concentration(t: np.ndarray, cl: float, v: float) -> np.ndarray:
    return 100.0 / v * np.exp(-cl / v * t)


def by_hand(result: FitResult, i: int, *, at_modes: bool, v_at_zero: bool) -> np.ndarray:
    """Weighted residuals of subject i of the decay model, from its formula."""
    table = diagnose(result).observations.filter(pl.col("ID") == str(i + 1))
    t, y = table["TIME"].to_numpy(), table["DV"].to_numpy()
    l_cl, l_v, p = result.theta

    def f(eta: np.ndarray) -> np.ndarray:
        return concentration(t, np.exp(l_cl + eta[0]), np.exp(l_v + eta[1]))

    eta = result.etas[i] if at_modes else np.zeros(2)
    h = 1e-6
    g = np.stack([(f(eta + h * d) - f(eta - h * d)) / (2 * h) for d in np.eye(2)], axis=1)
    variance = (p * f(np.zeros(2) if v_at_zero else eta)) ** 2
    covariance = g @ result.omega @ g.T + np.diag(variance)
    return np.asarray(np.linalg.inv(sqrtm(covariance)) @ (y - (f(eta) - g @ eta)))


def of_subject(values: np.ndarray, result: FitResult, i: int) -> np.ndarray:
    return values[rows_of(result.problem).subject == i]


@pytest.mark.parametrize("i", [0, 5, 23])
def test_cwres_and_wres_by_their_definition(decay_fit: FitResult, i: int) -> None:
    found = residuals_of(decay_fit)
    cwres = by_hand(decay_fit, i, at_modes=True, v_at_zero=False)
    wres = by_hand(decay_fit, i, at_modes=False, v_at_zero=True)
    np.testing.assert_allclose(of_subject(found.cwres, decay_fit, i), cwres, atol=1e-6)
    np.testing.assert_allclose(of_subject(found.wres, decay_fit, i), wres, atol=1e-6)


def test_without_interaction_the_variance_is_that_of_the_typical_subject(
    foce_fit: FitResult,
) -> None:
    found = residuals_of(foce_fit)
    cwres = by_hand(foce_fit, 3, at_modes=True, v_at_zero=True)
    np.testing.assert_allclose(of_subject(found.cwres, foce_fit, 3), cwres, atol=1e-6)
    other = by_hand(foce_fit, 3, at_modes=True, v_at_zero=False)
    assert np.abs(other - cwres).max() > 1e-3


@pytest.mark.parametrize("root", ["symmetric", "cholesky"])
def test_linear_model_has_exact_residuals(line_fit: FitResult, root: str) -> None:
    found = residuals_of(line_fit, root)  # type: ignore[arg-type]
    np.testing.assert_allclose(found.cwres, found.wres, atol=1e-9)
    table = diagnose(line_fit).observations
    a, b, s = line_fit.theta
    for i in (0, 11):
        mine = table.filter(pl.col("ID") == str(i + 1))
        t, y = mine["TIME"].to_numpy(), mine["DV"].to_numpy()
        x = np.stack([np.ones_like(t), t], axis=1)
        covariance = x @ line_fit.omega @ x.T + s**2 * np.eye(t.size)
        r = y - a - b * t
        w = of_subject(found.cwres, line_fit, i)
        assert w @ w == pytest.approx(r @ np.linalg.solve(covariance, r), rel=1e-9)
    # at the maximum of a likelihood that is exact, the squares average to almost one
    assert (found.cwres**2).mean() == pytest.approx(1.0, abs=0.02)


def test_individual_residuals(decay_fit: FitResult) -> None:
    found = residuals_of(decay_fit)
    rows = rows_of(decay_fit.problem)
    np.testing.assert_allclose(found.ires, rows.dv - found.ipred)
    np.testing.assert_allclose(found.res, rows.dv - found.pred)
    np.testing.assert_allclose(found.iwres, found.ires / (decay_fit.theta[2] * found.ipred))
    cl, v = np.exp(decay_fit.theta[:2] + decay_fit.etas[4])
    t = of_subject(rows.time, decay_fit, 4)
    np.testing.assert_allclose(of_subject(found.ipred, decay_fit, 4), concentration(t, cl, v))


def test_log_normal_error_is_weighted_on_the_log_scale(lognormal_fit: FitResult) -> None:
    found = residuals_of(lognormal_fit)
    rows = rows_of(lognormal_fit.problem)
    np.testing.assert_allclose(
        found.iwres, np.log(rows.dv / found.ipred) / lognormal_fit.theta[2], atol=1e-10
    )
    np.testing.assert_allclose(found.res, rows.dv - found.pred)
    assert found.pred.min() > 0


def test_data_given_as_logarithms_give_the_same_residuals(lognormal_fit: FitResult) -> None:
    table = diagnose(lognormal_fit).observations
    rows: list[tuple[float, ...]] = []
    for subject in table["ID"].unique(maintain_order=True):
        rows.append((float(subject), 0.0, 100.0, 1, float("nan")))
        mine = table.filter(pl.col("ID") == subject)
        rows += [(float(subject), t, 0.0, 0, np.log(y)) for t, y in mine["TIME", "DV"].iter_rows()]
    names = ("ID", "TIME", "AMT", "EVID", "DV")
    data = read_data({n: [r[k] for r in rows] for k, n in enumerate(names)}, dv_scale="log")
    again = fit(lognormal_fit.problem.model, data)
    found = diagnose(again).observations
    np.testing.assert_allclose(found["DV"], table["DV"])
    np.testing.assert_allclose(found["CWRES"], table["CWRES"], atol=2e-3)
    np.testing.assert_allclose(found["RES"], table["RES"], atol=1e-2)


def test_censored_values_have_predictions_and_no_residuals(censored_fit: FitResult) -> None:
    found = diagnose(censored_fit, DiagnosticOptions(npde=NpdeOptions(n=60)))
    low = found.observations.filter(pl.col("STATUS") == "below limit")
    rest = found.observations.filter(pl.col("STATUS") == "quantified")
    assert low.height > 10
    for name in ("RES", "IRES", "WRES", "CWRES", "IWRES"):
        assert low[name].null_count() == low.height
        assert rest[name].null_count() == 0
    assert low["PRED"].null_count() == low["IPRED"].null_count() == low["NPDE"].null_count() == 0
    assert (low["LIMIT"] == 0.5).all()
    assert any("censored" in r for r in found.remarks)


def test_censored_values_take_no_part_in_the_others(censored_fit: FitResult) -> None:
    rows = rows_of(censored_fit.problem)
    found = residuals_of(censored_fit)
    i = int(rows.subject[np.flatnonzero(rows.below)[0]])
    here = (rows.subject == i) & rows.quantified
    l_cl, l_v, p = censored_fit.theta
    eta, t = censored_fit.etas[i], rows.time[here]
    f = concentration(t, np.exp(l_cl + eta[0]), np.exp(l_v + eta[1]))
    k = np.exp(l_cl + eta[0] - l_v - eta[1])
    g = np.stack([-k * t * f, -f + k * t * f], axis=1)
    covariance = g @ censored_fit.omega @ g.T + np.diag((p * f) ** 2)
    expected = whiten(rows.dv[here] - f + g @ eta, covariance, "symmetric")
    np.testing.assert_allclose(found.cwres[here], expected, atol=1e-6)


def test_limits_by_m4_are_those_of_the_data(censored_fit: FitResult) -> None:
    problem = censored_fit.problem
    table = diagnose(censored_fit).observations
    rows: list[tuple[float, ...]] = []
    for subject in table["ID"].unique(maintain_order=True):
        rows.append((float(subject), 0.0, 100.0, 1, float("nan"), 0))
        mine = table.filter(pl.col("ID") == subject)["TIME", "DV", "STATUS"]
        rows += [
            (float(subject), t, 0.0, 0, y, float(s == "below limit")) for t, y, s in mine.rows()
        ]
    names = ("ID", "TIME", "AMT", "EVID", "DV", "CENS")
    data = read_data({n: [r[k] for r in rows] for k, n in enumerate(names)}, lloq=0.5)
    again = fit(problem.model, data, method="laplace", options=ProblemOptions(blq="M4"))
    found = rows_of(again.problem)
    assert (found.below == rows_of(problem).below).all()
    assert np.nanmin(found.limit) == 0.5
    assert diagnose(again).observations["CWRES"].null_count() == found.below.sum()


def test_whitening() -> None:
    covariance = np.array([[2.0, 0.6], [0.6, 1.0]])
    for root in ("symmetric", "cholesky"):
        w = whiten(np.eye(2), covariance, root)  # type: ignore[arg-type]
        np.testing.assert_allclose(w @ covariance @ w.T, np.eye(2), atol=1e-12)
    np.testing.assert_allclose(whiten(np.eye(2), covariance, "symmetric"), np.linalg.inv(
        sqrtm(covariance)
    ))  # fmt: skip
    assert np.isnan(whiten(np.ones(2), np.ones((2, 2)), "cholesky")).all()
    assert np.isnan(whiten(np.ones(2), -np.eye(2), "symmetric")).all()


def test_tables(decay_fit: FitResult) -> None:
    found = diagnose(decay_fit)
    table = found.to_polars()
    assert table.columns[:8] == ["ID", "TIME", "TAD", "DVID", "OUTPUT", "DV", "LIMIT", "STATUS"]
    assert table.height == 144
    assert set(found.covariates) == {"WT", "SEX"}
    assert table["TAD"].to_list() == table["TIME"].to_list()
    subjects = found.subjects
    assert subjects.height == 24
    assert subjects["OFV"].sum() == pytest.approx(decay_fit.ofv, abs=1e-6)
    np.testing.assert_allclose(subjects["eCL"], decay_fit.etas[:, 0])
    np.testing.assert_allclose(subjects["CL"], np.exp(decay_fit.theta[0] + decay_fit.etas[:, 0]))
    np.testing.assert_allclose(subjects["SD_eV"], np.sqrt(decay_fit.eta_variance[:, 1, 1]))
    assert subjects["WT"].to_list() == [55.0 + 2 * i for i in range(24)]
    assert "NPDE" not in table.columns


def test_occasions_outputs_and_changing_covariates(two_fit: FitResult) -> None:
    found = diagnose(two_fit)
    assert found.effects == ("eCL", "oCL_1", "oCL_2")
    assert found.variances == pytest.approx(
        (two_fit.omega[0, 0], two_fit.omega[1, 1], two_fit.omega[1, 1])
    )
    table = found.observations
    assert table["OUTPUT"].unique(maintain_order=True).to_list() == ["C", "E"]
    assert table["DVID"].unique(maintain_order=True).to_list() == [1, 2]
    mine = table.filter((pl.col("ID") == "4") & (pl.col("OUTPUT") == "C"))
    assert mine["WT"].to_list() == [63.0] * 4 + [68.0] * 4
    l_cl, l_v, ec, _, _ = two_fit.theta
    eta, first, second = two_fit.etas[3]
    v = np.exp(l_v)
    k1 = np.exp(l_cl + eta + first) * (63 / 70) ** 0.75 / v
    k2 = np.exp(l_cl + eta + second) * (68 / 70) ** 0.75 / v
    t = np.array([1.0, 3.0, 6.0, 12.0])
    # the record of the second dose closes the interval before it: its weight and occasion rule
    # from the last observation on
    left = np.exp(-k1 * 12) * np.exp(-k2 * 12)
    expected = np.concatenate([np.exp(-k1 * t), (left + 1) * np.exp(-k2 * t)]) * 100 / v
    np.testing.assert_allclose(mine["IPRED"], expected, rtol=1e-8)
    effect = table.filter((pl.col("ID") == "4") & (pl.col("OUTPUT") == "E"))
    np.testing.assert_allclose(effect["IPRED"], expected / (ec + expected), rtol=1e-8)
    both = predict_curves(two_fit, ["4"], points=80)
    assert [c.output for c in both] == ["C", "E"]
    at = np.searchsorted(both[0].time, mine["TIME"].to_numpy())
    np.testing.assert_allclose(both[0].ipred[at], expected, rtol=1e-8)
    late = (both[0].time > 12) & (both[0].time < 24)
    np.testing.assert_allclose(
        both[0].ipred[late],
        100 / v * np.exp(-k1 * 12) * np.exp(-k2 * (both[0].time[late] - 12)),
        rtol=1e-8,
    )


def test_outcomes_have_no_predictions(answer_fit: FitResult) -> None:
    found = diagnose(answer_fit)
    assert (found.observations["STATUS"] == "outcome").all()
    for name in ("PRED", "IPRED", "CWRES", "IWRES"):
        assert found.observations[name].null_count() == found.observations.height
    assert any("outcomes" in r for r in found.remarks)


def test_curves_pass_through_the_predictions(decay_fit: FitResult) -> None:
    curves = predict_curves(decay_fit, ["3", "7"], points=50)
    assert [c.subject for c in curves] == ["3", "7"]
    table = diagnose(decay_fit).observations
    for curve in curves:
        mine = table.filter(pl.col("ID") == curve.subject)
        assert np.all(np.diff(curve.time) >= 0)
        assert curve.time.size >= 50
        at = np.searchsorted(curve.time, mine["TIME"].to_numpy())
        np.testing.assert_allclose(curve.ipred[at], mine["IPRED"], rtol=1e-9)
        np.testing.assert_allclose(curve.pred[at], mine["PRED"], rtol=1e-9)
        cl, v = np.exp(decay_fit.theta[:2] + decay_fit.etas[int(curve.subject) - 1])
        after = curve.time > 0
        np.testing.assert_allclose(
            curve.ipred[after], concentration(curve.time[after], cl, v), rtol=1e-9
        )


def test_curves_name_what_is_wrong(decay_fit: FitResult) -> None:
    with pytest.raises(UsageError, match="subject 99 is not in the data"):
        predict_curves(decay_fit, ["99"])
    with pytest.raises(UsageError, match="1 points make no curve"):
        predict_curves(decay_fit, points=1)
