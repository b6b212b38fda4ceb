"""One analysis of all analytes, on simulated data."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from statera.biomarker.analysis import METHODS, MODELS, AnalysisOptions, analyse
from statera.biomarker.measurements import Measurements
from statera.biomarker.permutation import PermutationOptions
from statera.biomarker.permuted_analysis import stream_permuted_analysis
from statera.biomarker.sample_table import SampleColumns, _sorted, sample_columns
from statera.biomarker_report.build import build_biomarker_report
from statera.errors import InputError
from statera.report.check import problems

FACTORS = {"arm": ("placebo", "active"), "visit": ("before", "after"), "week": ()}


def simulated(
    m: int, subjects: int, seed: int, effect: float = 0.0, visits: tuple[str, ...] = ()
) -> Measurements:
    """Return m analytes; the first one rises by `effect` after treatment."""
    random = np.random.default_rng(seed)
    rows = [
        (s, "active" if s % 2 else "placebo", v)
        for s in range(subjects)
        for v in visits or ("before", "after")
    ]
    level = random.normal(size=(subjects, m))
    values = level[[s for s, _, _ in rows]] + random.normal(scale=0.7, size=(len(rows), m))
    for i, (_, arm, visit) in enumerate(rows):
        values[i, 0] += effect * (arm == "active" and visit == "after")
    samples = pl.DataFrame(
        {
            "sample": [f"{s}-{v}" for s, _, v in rows],
            "subject": [str(s) for s, _, _ in rows],
            "arm": [a for _, a, _ in rows],
            "visit": [v for _, _, v in rows],
            "week": [0.0 if v == "before" else 4.0 for _, _, v in rows],
            "gain": [float(np.sin(7.0 * s)) for s, _, _ in rows],
        }
    )
    none = np.zeros(values.shape, dtype=bool)
    analytes = pl.DataFrame({"analyte": [f"A{k}" for k in range(m)]})
    return Measurements(values, none, np.full(values.shape, np.nan), samples, analytes, "log2",
                        none, none)  # fmt: skip


def chosen(measured: Measurements, *names: str, factors: tuple[str, ...] = ("arm", "visit"),
           subject: str | None = "subject") -> SampleColumns:  # fmt: skip
    return sample_columns(measured, names, subject, {n: FACTORS[n] for n in factors})


@pytest.mark.parametrize("method", METHODS)
def test_on_null_data_the_share_of_small_p_values_is_nominal(method: str) -> None:
    m = 2000
    measured = simulated(m, 30, 11)
    change = None
    if method in ("paired", "signed-rank"):
        formula, samples = "visit", chosen(measured, "visit")
    elif method in ("pearson", "spearman"):
        formula, samples = "gain + arm", chosen(measured, "gain", "arm", "visit")
        change = ("visit", "before", "after")
    elif method == "ancova":
        formula, samples = "arm", chosen(measured, "arm", "visit")
        change = ("visit", "before", "after")
    elif method in ("satterthwaite", "kenward-roger", "limma"):
        formula, samples = "arm * visit", chosen(measured, "arm", "visit")
    else:
        measured = simulated(m, 30, 11, visits=("before",))
        measured.below_lod[:] = measured.values < -1.0
        measured.lod[:] = -1.0
        formula, samples = "arm", chosen(measured, "arm", subject=None, factors=("arm",))
    found = analyse(samples, AnalysisOptions(formula, method, change=change))
    assert set(found.status) == {"ok"} or method in MODELS
    for term in found.terms:
        share = float((term.p_value < 0.05).mean())
        # three binomial standard errors at 2 000 analytes
        assert abs(share - 0.05) < 3.0 * (0.05 * 0.95 / m) ** 0.5, (term.term, share)
        if method not in ("kruskal-wallis", "pearson", "spearman"):
            inside = float(((term.low < 0.0) & (term.high > 0.0)).mean())
            assert inside == pytest.approx(1.0 - share, abs=1e-9)
    assert max(float(np.nansum(t.adjusted_p < 0.05)) for t in found.terms) <= 3


def test_estimates_are_differences_of_means_when_balanced() -> None:
    measured = simulated(3, 20, 4, effect=2.0)
    found = analyse(chosen(measured, "arm", "visit"), AnalysisOptions("arm * visit"))
    arm = measured.samples["arm"].to_numpy() == "active"
    late = measured.samples["visit"].to_numpy() == "after"
    v = measured.values
    cell = {(a, b): v[(arm == a) & (late == b)].mean(axis=0) for a in (0, 1) for b in (0, 1)}
    by = {t.term: t for t in found.terms}
    change = [cell[a, 1] - cell[a, 0] for a in (0, 1)]
    np.testing.assert_allclose(by["arm:visit"].estimate, change[1] - change[0], rtol=1e-9)
    np.testing.assert_allclose(by["visit"].estimate, (change[0] + change[1]) / 2, rtol=1e-9)
    gap = (cell[1, 0] + cell[1, 1] - cell[0, 0] - cell[0, 1]) / 2
    np.testing.assert_allclose(by["arm"].estimate, gap, rtol=1e-9)
    assert by["arm"].meaning == "difference, active less placebo, mean over the levels of visit"


def test_a_number_has_a_slope_and_the_main_effect_is_at_zero() -> None:
    measured = simulated(3, 20, 4, effect=2.0)
    found = analyse(
        chosen(measured, "arm", "week", factors=("arm",)), AnalysisOptions("arm * week")
    )
    levels = analyse(chosen(measured, "arm", "visit"), AnalysisOptions("arm * visit"))
    by, other = ({t.term: t for t in x.terms} for x in (found, levels))
    assert by["arm"].meaning == "difference, active less placebo, at week = 0"
    np.testing.assert_allclose(by["arm:week"].estimate * 4, other["arm:visit"].estimate, rtol=1e-8)


def test_rows_that_cannot_be_tested_keep_their_status_and_the_others_their_numbers() -> None:
    measured = simulated(5, 12, 2)
    whole = analyse(chosen(measured, "visit"), AnalysisOptions("visit", "paired"))
    measured.values[:, 2] = 1.0
    measured.values[:, 3] = np.nan
    found = analyse(chosen(measured, "visit"), AnalysisOptions("visit", "paired"))
    assert found.status == ("ok", "ok", "constant", "not measured", "ok")
    keep = [0, 1, 4]
    np.testing.assert_array_equal(found.terms[0].p_value[keep], whole.terms[0].p_value[keep])
    assert np.isnan(found.terms[0].p_value[[2, 3]]).all()


def test_subjects_without_a_pair_are_named() -> None:
    measured = simulated(2, 6, 2)
    table = measured.samples.with_columns(
        pl.Series("visit", [None, *measured.samples["visit"].to_list()[1:]])
    )
    object.__setattr__(measured, "samples", table)
    samples = chosen(measured, "visit")
    assert samples.notes == ("1 samples lack a value of visit and were left out: 0-before.",)
    found = analyse(samples, AnalysisOptions("visit", "paired"))
    assert found.notes == ("1 subjects lack a pair: 0.",)
    assert found.n.tolist() == [5, 5]


def test_a_mixed_model_without_repeated_subjects_is_refused() -> None:
    samples = chosen(simulated(2, 10, 2, visits=("before",)), "arm", factors=("arm",))
    with pytest.raises(InputError, match="no subject has a second sample"):
        analyse(samples, AnalysisOptions("arm"))


def test_the_report_has_no_fault_and_names_what_is_not_drawn() -> None:
    measured = simulated(30, 12, 8, effect=3.0, visits=("a", "b", "after"))
    samples = sample_columns(measured, ("arm", "visit"), "subject", {})
    found = analyse(samples, AnalysisOptions("arm * visit"))
    page = build_biomarker_report(found, samples, found.analytes, made={})
    assert problems(page) == ()
    said = str(page.sections[1].blocks)
    assert "arm:visit has 2 degrees of freedom and so no one estimate" in said
    assert len(page.sections[3].blocks[0].rows) == 90  # type: ignore[union-attr]


def test_levels_are_in_the_order_of_their_numbers() -> None:
    assert _sorted(["w12", "w0", "w4", "w0"]) == ("w0", "w4", "w12")
    assert _sorted(["10", "9"]) == ("9", "10")
    assert _sorted(["placebo", "drug"]) == ("drug", "placebo")


@pytest.mark.parametrize("method", ["ancova", "spearman", "kruskal-wallis", "limma"])
def test_reports_of_other_methods_have_no_fault(method: str) -> None:
    measured = simulated(8, 12, 8, effect=3.0)
    change = ("visit", "before", "after") if method in ("ancova", "spearman") else None
    names = {"spearman": ("gain",), "kruskal-wallis": ("arm",)}.get(method, ("arm",))
    if method == "kruskal-wallis":
        measured = simulated(8, 12, 8, effect=3.0, visits=("after",))
    samples = chosen(measured, *names, "visit")
    options = AnalysisOptions(
        names[0], method, change=change, pairwise=("arm",) if method == "limma" else (),
        robust=method == "limma", trend=method == "limma",
    )  # fmt: skip
    found = analyse(samples, options)
    page = build_biomarker_report(found, samples, found.analytes, made={}, lod="keep")
    assert problems(page) == ()
    assert "keep" in str(page.sections[0].blocks)
    if method == "limma":
        assert "phipson2016" in [r.key for r in page.references]


def test_a_report_says_that_permutations_were_stopped_and_names_what_is_drawn() -> None:
    measured = simulated(9, 16, 8, effect=4.0)
    samples = chosen(measured, "arm", "visit")
    found = analyse(samples, AnalysisOptions("arm * visit"))
    stream = stream_permuted_analysis(
        samples, found.options, PermutationOptions(500, batch=20), "arm"
    )
    with pytest.raises(InputError, match="all the same"):
        next(
            stream_permuted_analysis(samples, AnalysisOptions("arm"), PermutationOptions(9), "arm")
        )
    found = replace(found, permuted=next(stream))
    page = build_biomarker_report(found, samples, found.analytes, made={})
    assert problems(page) == ()
    text = str(page.sections)
    assert "20 of 500 permutations were done" in text
    assert "arm is not permuted: the labels of arm cannot be exchanged" in text
    hits = int((np.column_stack([t.adjusted_p for t in found.terms]) < 0.05).any(axis=1).sum())
    assert f"All {hits} analytes with adjusted p < 0.05 in any term are drawn." in text
