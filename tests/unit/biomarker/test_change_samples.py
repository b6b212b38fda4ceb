"""Changes of two visits: pairs, covariance with the baseline, correlation, by other routes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from scipy import stats

from statera.biomarker.analysis import AnalysisOptions, analyse
from statera.biomarker.baseline_adjusted import BASELINE_FLAT, fit_baseline_adjusted
from statera.biomarker.change_samples import change_of_samples, paired_samples
from statera.biomarker.change_tests import baseline_adjusted_change
from statera.biomarker.correlation import correlate
from statera.biomarker.measurements import Measurements
from statera.biomarker.sample_table import SampleColumns, sample_columns
from statera.errors import InputError, UnknownNameError, UsageError

LEVELS = {"arm": ("placebo", "active"), "week": ("0", "12")}


def measured(m: int = 6, subjects: int = 16, seed: int = 2) -> Measurements:
    """Return m analytes of subjects at three visits; the score falls with the first analyte."""
    random = np.random.default_rng(seed)
    rows = [(s, w) for s in range(subjects) for w in ("0", "4", "12")]
    values = random.normal(size=(subjects, m))[[s for s, _ in rows]]
    values = values + random.normal(size=values.shape)
    late = np.array([w == "12" for _, w in rows])
    score = np.where(late, 3.0, 5.0) + random.normal(size=len(rows)) - values[:, 0]
    samples = pl.DataFrame(
        {
            "sample": [f"{s}w{w}" for s, w in rows],
            "id": [f"p{s}" for s, _ in rows],
            "arm": [("placebo", "active")[s % 2] for s, _ in rows],
            "week": [w for _, w in rows],
            "age": [40.0 + 3.0 * np.sin(s) for s, _ in rows],
            "score": score.tolist(),
        }
    )
    none = np.zeros(values.shape, dtype=bool)
    analytes = pl.DataFrame({"analyte": [f"A{k}" for k in range(m)]})
    return Measurements(values, none, np.full(values.shape, np.nan), samples, analytes, "log2",
                        none.copy(), none.copy())  # fmt: skip


def columns(found: Measurements, *names: str) -> SampleColumns:
    return sample_columns(found, (*names, "week"), "id", {"week": (), **{
        n: LEVELS[n] for n in names if n == "arm"}})  # fmt: skip


def test_changes_are_of_each_subject_whatever_the_order_of_the_file() -> None:
    found = measured()
    mixed = np.random.default_rng(1).permutation(48)
    turned = replace(
        found, values=found.values[mixed], samples=found.samples[mixed.tolist()],
        below_lod=found.below_lod[mixed], lod=found.lod[mixed],
    )  # fmt: skip
    for one in (found, turned):
        change = change_of_samples(columns(one, "arm", "age", "score"), "week", "0", "12")
        table = one.samples
        for row, person in enumerate(change.subject):
            place = {w: next(i for i in range(48) if table["id"][i] == person
                             and table["week"][i] == w) for w in ("0", "12")}  # fmt: skip
            np.testing.assert_allclose(
                change.measurements.values[row], one.values[place["12"]] - one.values[place["0"]]
            )
            score = change.columns["score"]
            assert isinstance(score, np.ndarray)
            assert score[row] == pytest.approx(
                table["score"][place["12"]] - table["score"][place["0"]]
            )
            assert change.columns["arm"].labels[row] == table["arm"][place["0"]]  # type: ignore[union-attr]
        assert "score differs between visits: its change, 12 less 0, is used." in change.notes
        assert not any("age differs" in note for note in change.notes)


def test_pairs_that_cannot_be_made_are_named() -> None:
    found = measured(subjects=4)
    table = found.samples.with_columns(
        pl.Series("week", ["0", "4", "12", "0", "4", "0", "0", "4", "12", "0", "4", "12"])
    )
    object.__setattr__(found, "samples", table)
    with pytest.raises(InputError, match="subject p1 has two samples of 0"):
        paired_samples(columns(found), "week", "0", "12")
    table = table.with_columns(pl.Series("week", ["0", "4", "12", "0", "4", "8"] * 2))
    object.__setattr__(found, "samples", table)
    pairs = paired_samples(columns(found), "week", "0", "12")
    assert pairs.notes == ("2 subjects lack a pair: p1, p3.",)
    with pytest.raises(UnknownNameError, match="level of week"):
        paired_samples(columns(found), "week", "0", "52")
    table = table.with_columns(pl.Series("arm", [f"arm {i}" for i in range(12)]))
    object.__setattr__(found, "samples", table)
    used = sample_columns(found, ("arm", "week"), "id", {"week": ()})
    with pytest.raises(InputError, match="arm differs between the visits of 2 subjects: p0, p2"):
        paired_samples(used, "week", "0", "12")
    with pytest.raises(InputError, match="needs subjects"):
        paired_samples(replace(used, subject=()), "week", "0", "12")


def test_covariance_with_the_baseline_is_least_squares_with_one_more_column() -> None:
    random = np.random.default_rng(3)
    before, after = random.normal(size=(2, 5, 30))
    x = np.column_stack([np.ones(30), np.arange(30) % 2, random.normal(size=30)])
    before[1, 4] = after[2, 7] = np.nan
    before[3] = 2.0
    fit = fit_baseline_adjusted(before, after, x)
    assert fit.status == ("ok", "ok", "ok", BASELINE_FLAT, "ok")
    for row in (0, 1, 2, 4):
        keep = np.isfinite(before[row]) & np.isfinite(after[row])
        full = np.column_stack([x, before[row]])[keep]
        beta, rss = np.linalg.lstsq(full, after[row, keep], rcond=None)[:2]
        np.testing.assert_allclose(fit.coefficients[row], beta[:3], rtol=1e-9)
        assert fit.df[row] == keep.sum() - 4
        assert fit.variance[row] == pytest.approx(rss[0] / fit.df[row])
        np.testing.assert_allclose(
            fit.unscaled[row], np.linalg.inv(full.T @ full)[:3, :3], rtol=1e-8
        )


def test_the_method_ancova_is_that_of_two_groups() -> None:
    found = measured()
    used = columns(found, "arm")
    options = AnalysisOptions("arm", "ancova", change=("week", "0", "12"), pairwise=("arm",))
    term = analyse(used, options).terms[0]
    pairs = paired_samples(used, "week", "0", "12")
    labels = pairs.columns["arm"].labels  # type: ignore[union-attr]
    told = baseline_adjusted_change(pairs.before, pairs.after, labels)
    np.testing.assert_allclose(term.estimate, -told.estimate, rtol=1e-9)  # names sorted there
    np.testing.assert_allclose(term.low, -told.high, rtol=1e-9)
    np.testing.assert_allclose(term.p_value, told.p_value, rtol=1e-9)
    # two means: Tukey's adjustment is none
    pair = analyse(used, options).contrasts[0]
    np.testing.assert_allclose(pair.adjusted_p, term.p_value, rtol=1e-7)
    np.testing.assert_allclose(pair.estimate, term.estimate, rtol=1e-9)


@pytest.mark.parametrize("method", ["pearson", "spearman"])
def test_correlations_are_those_of_scipy_and_partial_ones_of_residuals(method: str) -> None:
    random = np.random.default_rng(6)
    x, y, held = random.normal(size=(4, 25)), random.normal(size=25), random.normal(size=(25, 2))
    x[0] += y
    x[1, :5] = np.nan
    x[2] = 1.0
    found = correlate(x, y, None, method)
    test = stats.pearsonr if method == "pearson" else stats.spearmanr
    for row in (0, 1, 3):
        keep = np.isfinite(x[row])
        told = test(x[row, keep], y[keep])
        assert found.estimate[row] == pytest.approx(told.statistic)
        assert found.p_value[row] == pytest.approx(told.pvalue)
    assert found.status[2] == "no variation left after the fixed effects"
    partial = correlate(x, y, held, method)
    design = held if method == "pearson" else stats.rankdata(held, axis=0)
    design = np.column_stack([np.ones(25), design])
    own, gain = (x[0], y) if method == "pearson" else (stats.rankdata(x[0]), stats.rankdata(y))

    def rest(v):  # type: ignore[no-untyped-def]
        return v - design @ np.linalg.lstsq(design, v, rcond=None)[0]

    r = stats.pearsonr(rest(own), rest(gain)).statistic
    assert partial.estimate[0] == pytest.approx(r)
    t = r * np.sqrt(21 / (1 - r**2))
    assert partial.p_value[0] == pytest.approx(2 * stats.t.sf(abs(t), 21))
    half = 1.959963985 * np.sqrt((1.06 if method == "spearman" else 1.0) / 20)
    assert partial.high[0] == pytest.approx(np.tanh(np.arctanh(r) + half))


def test_change_is_correlated_with_improvement_through_the_formula() -> None:
    found = measured(subjects=40)
    used = columns(found, "score", "age")
    options = AnalysisOptions("score + age", "spearman", change=("week", "0", "12"))
    table = analyse(used, options)
    assert table.terms[0].meaning == "correlation with score, age held"
    assert table.terms[0].estimate[0] < -0.3  # the score falls where the analyte rises
    assert table.terms[0].adjusted_p[0] < 0.05
    with pytest.raises(InputError, match="one column of numbers"):
        analyse(columns(found, "arm"), replace(options, formula="arm"))
    with pytest.raises(InputError, match="several samples"):
        analyse(used, replace(options, change=None))


def test_options_that_do_not_go_together() -> None:
    with pytest.raises(UsageError, match="two visits"):
        AnalysisOptions("arm", "ancova")
    with pytest.raises(UsageError, match="does not take changes"):
        AnalysisOptions("arm", "paired", change=("week", "0", "12"))
    with pytest.raises(UsageError, match="after a model"):
        AnalysisOptions("arm", "welch", pairwise=("arm",))
