"""Visual predictive checks against quantiles taken directly."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from statera.errors import UnknownNameError, UsageError
from statera.estimate import FitResult
from statera.estimate.bins import Binning, bin_edges, bin_of, natural_breaks
from statera.estimate.replicates import simulate_replicates
from statera.estimate.residuals import residuals_of
from statera.estimate.rows import rows_of
from statera.estimate.strata import strata_of
from statera.estimate.vpc import VpcOptions, vpc
from statera.estimate.vpc_panels import VpcPanel, ranked_percentiles

Q = (5.0, 50.0, 95.0)


def direct(panel: VpcPanel, y: np.ndarray, drawn: np.ndarray, x: np.ndarray) -> None:
    """Compare a panel with quantiles bin by bin."""
    for k in range(panel.x.size):
        here = (x >= panel.edges[k]) & (x < panel.edges[k + 1])
        if k == panel.x.size - 1:
            here |= x == panel.edges[-1]
        assert panel.counts[k] == here.sum()
        assert panel.x[k] == np.median(x[here])
        simulated = np.percentile(drawn[:, here], Q, axis=1)
        for i, statistic in enumerate(panel.percentiles):
            assert statistic.observed[k] == pytest.approx(np.percentile(y[here], Q[i]))
            low, middle, high = np.percentile(simulated[i], [5, 50, 95])
            found = (statistic.low[k], statistic.median[k], statistic.high[k])
            assert found == pytest.approx((low, middle, high))


def test_percentiles_and_bands(decay_fit: FitResult) -> None:
    drawn = simulate_replicates(decay_fit, 50, 4)
    rows = rows_of(decay_fit.problem)
    check = vpc(decay_fit, VpcOptions(binning=Binning("counts", 4)), replicates=drawn)
    (panel,) = check.panels
    assert panel.counts.sum() == rows.count
    direct(panel, rows.dv, drawn.y, rows.time)
    assert check.units == {"C": "mg/L"}


def test_prediction_correction(decay_fit: FitResult) -> None:
    drawn = simulate_replicates(decay_fit, 40, 4)
    rows, pred = rows_of(decay_fit.problem), residuals_of(decay_fit).pred
    options = VpcOptions(prediction_corrected=True, binning=Binning("edges", edges=(0, 1.5, 5, 12)))
    (panel,) = vpc(decay_fit, options, replicates=drawn).panels
    factor = np.empty(rows.count)
    place = np.digitize(rows.time, [1.5, 5])
    for k in range(3):
        factor[place == k] = np.median(pred[place == k]) / pred[place == k]
    direct(panel, rows.dv * factor, drawn.y * factor, rows.time)


def test_log_normal_values_are_compared_in_the_unit_of_the_data(lognormal_fit: FitResult) -> None:
    drawn = simulate_replicates(lognormal_fit, 40, 4)
    rows = rows_of(lognormal_fit.problem)
    (panel,) = vpc(lognormal_fit, replicates=drawn).panels
    direct(panel, rows.dv, np.exp(drawn.y), rows.time)


def test_strata(decay_fit: FitResult) -> None:
    drawn = simulate_replicates(decay_fit, 30, 4)
    rows = rows_of(decay_fit.problem)
    check = vpc(decay_fit, VpcOptions(stratify="SEX", x="tad"), replicates=drawn)
    assert [p.stratum for p in check.panels] == ["SEX = 0", "SEX = 1"]
    for level, panel in enumerate(check.panels):
        mine = rows.covariates["SEX"] == level
        direct(panel, rows.dv[mine], drawn.y[:, mine], rows.time[mine])
    with pytest.raises(UsageError, match="WT has 24 values"):
        vpc(decay_fit, VpcOptions(stratify="WT"), replicates=drawn)
    with pytest.raises(UnknownNameError):
        vpc(decay_fit, VpcOptions(stratify="HEIGHT"), replicates=drawn)
    two = vpc(decay_fit, VpcOptions(stratify="WT", cuts=(70.0,)), replicates=drawn)
    assert [p.stratum for p in two.panels] == ["WT < 70", "WT ≥ 70"]


def test_values_below_the_limit(censored_fit: FitResult) -> None:
    drawn = simulate_replicates(censored_fit, 80, 4)
    rows = rows_of(censored_fit.problem)
    (panel,) = vpc(censored_fit, replicates=drawn).panels
    assert panel.limit == 0.5
    (share,) = panel.shares
    place = bin_of(rows.time, panel.edges)
    for k in range(panel.x.size):
        here = place == k
        assert share.observed[k] == pytest.approx(rows.below[here].mean())
        simulated = (drawn.y[:, here] < 0.5).mean(axis=1)
        assert share.median[k] == pytest.approx(np.median(simulated))
        values = np.where(rows.below[here], -np.inf, rows.dv[here])
        ordered = np.sort(values)
        for q, statistic in zip(Q, panel.percentiles, strict=True):
            at = q / 100 * (ordered.size - 1)
            if np.isneginf(ordered[int(at)]):
                assert np.isneginf(statistic.observed[k])
            else:
                assert statistic.observed[k] == pytest.approx(np.percentile(rows.dv[here], q))
                assert statistic.observed[k] >= 0.5
    assert share.observed[-1] > 0.3


def test_bands_count_replicates_whose_percentile_is_censored(censored_fit: FitResult) -> None:
    drawn = simulate_replicates(censored_fit, 80, 4)
    rows = rows_of(censored_fit.problem)
    check = vpc(censored_fit, replicates=drawn)
    (panel,) = check.panels
    here = bin_of(rows.time, panel.edges) == panel.x.size - 1
    medians = np.median(drawn.y[:, here], axis=1)
    hidden = (medians < 0.5).mean()
    assert 0.05 < hidden < 0.95
    band = panel.percentiles[1]
    assert np.isneginf(band.low[-1])
    assert band.high[-1] == pytest.approx(np.percentile(medians, 95))
    table = check.to_polars()
    assert table.filter(table["STATISTIC"] == "p50")["LOW"].null_count() >= 1


def test_percentiles_rank_infinite_values() -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((37, 3))
    q = [0.0, 3.0, 25.0, 50.0, 97.0, 100.0]
    np.testing.assert_allclose(ranked_percentiles(x, q), np.percentile(x, q, axis=0))
    y = np.array([[-np.inf], [-np.inf], [1.0], [2.0], [np.inf]])
    found = ranked_percentiles(y, [0.0, 25.0, 40.0, 50.0, 75.0, 80.0, 100.0])[:, 0]
    assert found.tolist() == [-np.inf, -np.inf, -np.inf, 1.0, 2.0, np.inf, np.inf]


def test_values_left_out_of_the_fit_are_left_out_of_simulations(omitted_fit: FitResult) -> None:
    assert omitted_fit.problem.omitted > 10
    drawn = simulate_replicates(omitted_fit, 40, 4)
    rows = rows_of(omitted_fit.problem)
    (panel,) = vpc(omitted_fit, replicates=drawn).panels
    assert panel.shares == ()
    here = bin_of(rows.time, panel.edges) == panel.x.size - 1
    lows = [np.percentile(y[y >= 0.5], 5) for y in drawn.y[:, here] if (y >= 0.5).any()]
    assert panel.percentiles[0].median[-1] == pytest.approx(np.median(lows))
    assert panel.percentiles[0].low[-1] >= 0.5


def test_outcomes(answer_fit: FitResult) -> None:
    drawn = simulate_replicates(answer_fit, 200, 4)
    assert set(np.unique(drawn.y)) == {0.0, 1.0}
    (panel,) = vpc(answer_fit, replicates=drawn).panels
    rows = rows_of(answer_fit.problem)
    assert [s.name for s in panel.shares] == ["level 0", "level 1"]
    for k, t in enumerate((0.0, 2.0, 5.0, 8.0)):
        here = rows.time == t
        assert panel.shares[1].observed[k] == pytest.approx(rows.dv[here].mean())
        assert panel.shares[1].median[k] == pytest.approx(np.median(drawn.y[:, here].mean(axis=1)))
    # the mean over the random effect of the model's probability, by quadrature
    x, w = np.polynomial.hermite_e.hermegauss(40)
    a, b = answer_fit.theta
    logit = a + np.sqrt(answer_fit.omega[0, 0]) * x + 5.0 * b
    p = float(w @ (1 / (1 + np.exp(-logit))) / w.sum())
    mean = drawn.y[:, rows.time == 5.0].mean()
    assert abs(mean - p) < 4 * np.sqrt(p * (1 - p) / (200 * 60))


def test_table_and_remarks(decay_fit: FitResult) -> None:
    options = VpcOptions(n=30, binning=Binning("edges", edges=(0.0, 3.0, 10.0)))
    check = vpc(decay_fit, options)
    table = check.to_polars()
    assert table.height == 2 * 3
    assert table["STATISTIC"].unique(maintain_order=True).to_list() == ["p5", "p50", "p95"]
    assert any("24 observations lie outside the bins" in r for r in check.remarks)
    with pytest.raises(UsageError, match="between 0 and 100"):
        VpcOptions(percentiles=(95.0, 5.0))
    with pytest.raises(UsageError, match="not an output"):
        vpc(decay_fit, VpcOptions(n=2, lloq={"X": 1.0}))


def squares(x: np.ndarray, inner: np.ndarray) -> float:
    place = np.searchsorted(inner, x)
    return float(sum(((x[place == k] - x[place == k].mean()) ** 2).sum() for k in set(place)))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(0, 60), min_size=6, max_size=14).filter(lambda v: len(set(v)) >= 5),
    st.integers(2, 4),
)
def test_natural_breaks_are_the_best_there_are(values: list[int], number: int) -> None:
    x = np.array(values, dtype=np.float64)
    found = natural_breaks(x, number)
    assert found.size == number - 1
    levels = np.unique(x)
    gaps = 0.5 * (levels[1:] + levels[:-1])
    best = min(squares(x, np.array(c)) for c in itertools.combinations(gaps, number - 1))
    assert squares(x, found) == pytest.approx(best, abs=1e-9)


def test_breaks_of_many_values_find_the_gaps() -> None:
    rng = np.random.default_rng(2)
    x = np.concatenate([rng.normal(m, 0.2, 400) for m in (0.0, 5.0, 9.0)])
    inner = natural_breaks(x, 3)
    assert 1 < inner[0] < 4
    assert 6 < inner[1] < 8


def test_bins() -> None:
    x = np.array([0.0, 1.0, 1.0, 2.0, 3.0, 4.0])
    edges = bin_edges(x, Binning("counts", 2))
    assert np.bincount(bin_of(x, edges)).tolist() == [3, 3]
    assert bin_of(np.array([-1.0, 0.0, 4.0, 5.0, np.nan]), edges).tolist() == [-1, 0, 1, -1, -1]
    np.testing.assert_array_equal(bin_edges(np.ones(5), Binning()), [1.0, 1.0])
    assert bin_of(np.ones(5), np.array([1.0, 1.0])).tolist() == [0] * 5
    nominal = np.repeat([0.0, 1.0, 24.0], 4)
    np.testing.assert_array_equal(bin_edges(nominal, Binning()), [0.0, 0.5, 12.5, 24.0])
    with pytest.raises(UsageError, match="increasing"):
        Binning("edges", edges=(2.0, 1.0))
    with pytest.raises(UsageError, match="not a way of binning"):
        Binning("nice")  # type: ignore[arg-type]


def test_missing_values_are_a_stratum_of_their_own() -> None:
    found = strata_of({"SEX": np.array([0.0, 1.0, np.nan])}, "SEX")
    assert [label for label, _ in found] == ["SEX = 0", "SEX = 1", "SEX missing"]
    assert found[2][1].tolist() == [False, False, True]
