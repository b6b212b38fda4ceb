"""Tests of many proteins against R's packages; skipped where the reference is absent."""

from __future__ import annotations

import csv
import json
import os
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from statera.biomarker.association import AssociationOptions, associate
from statera.biomarker.change_tests import analysis_of_variance, mann_whitney, welch_t
from statera.biomarker.design import Factor, build_design
from statera.biomarker.fitted_models import fitted_linear
from statera.biomarker.limma import block_correlation, fit_linear_models, moderate
from statera.biomarker.posthoc import ContrastTests, pairwise_contrasts
from statera.numerics.satterthwaite import satterthwaite_t

pytestmark = pytest.mark.reference

REPOSITORY = Path(__file__).resolve().parents[2]
FOLDER = (
    Path(os.environ.get("STATERA_REFERENCE", REPOSITORY.parent / "shared" / "reference"))
    / "biomarker"
)


@lru_cache(maxsize=1)
def results() -> Any:
    path = FOLDER / "olink_npx_data1.json"
    if not path.exists():
        pytest.skip(f"reference data are not there: {path}")
    return json.loads(path.read_text(encoding="utf-8"))["results"]


@lru_cache(maxsize=1)
def samples() -> tuple[NDArray[np.float64], tuple[str, ...], dict[str, list[str]]]:
    """Values (assay, sample), the assays, and columns of the samples."""
    path = FOLDER / "olink_npx_data1_subset40.csv"
    if not path.exists():
        pytest.skip(f"reference data are not there: {path}")
    with path.open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assays = tuple(dict.fromkeys(row["OlinkID"] for row in rows))
    first = [row for row in rows if row["OlinkID"] == assays[0]]
    place = {row["SampleID"]: i for i, row in enumerate(first)}
    values = np.full((len(assays), len(first)), np.nan)
    for row in rows:
        values[assays.index(row["OlinkID"]), place[row["SampleID"]]] = float(row["NPX"])
    names = ("Subject", "Treatment", "Time", "Site")
    return values, assays, {name: [row[name] for row in first] for name in names}


def test_mixed_models_of_olink_analyze() -> None:
    values, assays, data = samples()
    # that package fits by maximum likelihood, which gives 52 and 104 in place of 50 and 100
    options = AssociationOptions(method="ML")
    table = associate(values, assays, data, "Treatment * Time", data["Subject"], options)
    found = {(row.assay, row.term): row for row in table.rows}
    expected = results()["olink_lmer_TreatmentTime"]
    assert len(expected["OlinkID"]) == len(found) == 120
    for i, key in enumerate(zip(expected["OlinkID"], expected["term"], strict=True)):
        row = found[key]
        assert row.numerator_df == expected["NumDF"][i]
        # 52 and 104 exactly, by balance; the reference differentiates numerically (51.9988)
        exact = 52.0 if row.term == "Treatment" else 104.0
        assert row.denominator_df == pytest.approx(exact, rel=1e-9)
        assert row.denominator_df == pytest.approx(expected["DenDF"][i], rel=1e-4)
        assert row.statistic == pytest.approx(expected["statistic"][i], rel=1e-5)
        assert row.p_value == pytest.approx(expected["p.value"][i], rel=1e-4)
        assert row.adjusted_p == pytest.approx(expected["Adjusted_pval"][i], rel=1e-4)
    hits = sum(row.adjusted_p < 0.05 for row in table.rows)
    assert hits == sum(name == "Significant" for name in expected["Threshold"])


@pytest.mark.parametrize("df", ["satterthwaite", "kenward-roger"])
def test_mixed_models_of_lmertest(df: str) -> None:
    values, assays, data = samples()
    options = AssociationOptions(degrees_of_freedom=df)
    table = associate(values, assays, data, "Treatment * Time", data["Subject"], options)
    coefficients = {(row.assay, row.name): row for row in table.coefficients()}
    for case in results()["lmerTest_raw_10"]:
        place = assays.index(case["OlinkID"])
        rows = table.rows[3 * place : 3 * place + 3]
        key = "anova_satterthwaite" if df == "satterthwaite" else "anova_KR"
        assert [row.statistic for row in rows] == pytest.approx(case[key]["F"], rel=1e-6)
        assert [row.denominator_df for row in rows] == pytest.approx(case[key]["DenDF"], rel=1e-6)
        assert [row.p_value for row in rows] == pytest.approx(case[key]["p"], rel=1e-4)
        variances = [case["var_subject"], case["var_resid"]]
        assert table.fit.variances[place] == pytest.approx(variances, rel=1e-5)
        assert table.fit.log_likelihood[place] == pytest.approx(case["REML_loglik"], abs=1e-7)
        if df == "satterthwaite":
            told = case["coef_treatment_contrasts"]
            ours = [coefficients[assays[place], name] for name in table.design.columns]
            assert [row.estimate for row in ours] == pytest.approx(told["est"], rel=1e-7)
            assert [row.df for row in ours] == pytest.approx(told["df"], rel=1e-5)
            assert [row.p_value for row in ours] == pytest.approx(told["p"], rel=1e-4)


def test_maximum_likelihood_of_lme4() -> None:
    values, assays, data = samples()
    options = AssociationOptions(method="ML")
    fit = associate(values, assays, data, "Treatment * Time", data["Subject"], options).fit
    for case in results()["lmerTest_raw_10"]:
        place = assays.index(case["OlinkID"])
        assert fit.variances[place] == pytest.approx(case["ML_var"], rel=1e-5)
        assert fit.log_likelihood[place] == pytest.approx(case["ML_loglik"], abs=1e-7)


def test_limma_with_and_without_blocks() -> None:
    values, assays, data = samples()
    told = results()["limma_Treatment_plus_Time"]
    design = build_design("Treatment + Time", data)
    blocks = np.unique(data["Subject"], return_inverse=True)[1]
    consensus = block_correlation(values, design.matrix, blocks)
    assert consensus == pytest.approx(told["dupcor_consensus"], rel=1e-6)
    plain = moderate(fit_linear_models(values, design.matrix))
    assert plain.prior_df == pytest.approx(told["df_prior"], rel=1e-8)
    assert plain.prior_variance == pytest.approx(told["s2_prior"], rel=1e-8)
    blocked = moderate(fit_linear_models(values, design.matrix, blocks, consensus))
    contrast = design.contrast({"Treatment[Untreated]": 1.0})
    for fit, name in ((plain, "no_block"), (blocked, "with_block")):
        expected = told[name]
        order = [assays.index(assay) for assay in expected["OlinkID"]]
        assert len(order) == 40
        test = fit.test(contrast)
        for ours, theirs in (
            (test.estimate, "logFC"),
            (fit.fit.mean, "AveExpr"),
            (test.statistic, "t"),
            (test.p_value, "P.Value"),
            (test.adjusted_p, "adj.P.Val"),
            (test.log_odds, "B"),
        ):
            assert ours[order] == pytest.approx(expected[theirs], rel=1e-6), (name, theirs)


def by_assay(name: str, column: str) -> dict[str, float]:
    table = results()[name]
    return dict(zip(table["OlinkID"], table[column], strict=True))


def test_welch_t_rank_sum_and_analysis_of_variance() -> None:
    values, assays, data = samples()
    welch = welch_t(values, data["Treatment"])
    ranks = mann_whitney(values, data["Treatment"])
    sites = analysis_of_variance(values, {"Site": data["Site"]}, "Site")
    for name, pairs in (
        (
            "olink_ttest_Treatment",
            {
                "estimate": welch.estimate,
                "statistic": welch.statistic,
                "parameter": welch.df,
                "conf.low": welch.low,
                "conf.high": welch.high,
                "p.value": welch.p_value,
                "Adjusted_pval": welch.adjusted_p,
            },
        ),
        (
            "olink_wilcox_Treatment",
            {
                "statistic": ranks.statistic,
                "p.value": ranks.p_value,
                "Adjusted_pval": ranks.adjusted_p,
            },
        ),
        (
            "olink_anova_Site",
            {
                "statistic": sites.statistic,
                "p.value": sites.p_value,
                "Adjusted_pval": sites.adjusted_p,
            },
        ),
    ):
        for column, ours in pairs.items():
            theirs = by_assay(name, column)
            assert len(theirs) == 40
            assert ours == pytest.approx([theirs[assay] for assay in assays], rel=1e-7), column


def compared(table: Any, found: tuple[ContrastTests, ...], assays: tuple[str, ...]) -> int:
    """Compare every row of a post-hoc table, whose differences may be the other way round."""
    pairs = {tuple(one.contrast.split(" - ")): one for one in found}
    for i, said in enumerate(table["contrast"]):
        first, second = (
            part.replace("Week.12", "Week 12").replace("Week.6", "Week 6")
            for part in said.split(" - ")
        )
        names = {
            tuple(p.replace("Week.", "Week ") for p in pair): pair for pair in pairs
        }  # fmt: skip
        turned = (first, second) not in names
        one = pairs[names[(second, first) if turned else (first, second)]]
        row = assays.index(table["OlinkID"][i])
        ours = [one.estimate[row], one.low[row], one.high[row]]
        if turned:
            ours = [-ours[0], -ours[2], -ours[1]]
        theirs = [table[name][i] for name in ("estimate", "conf.low", "conf.high")]
        assert ours == pytest.approx(theirs, rel=1e-6), said
        assert one.adjusted_p[row] == pytest.approx(table["Adjusted_pval"][i], rel=1e-6), said
    return len(table["contrast"])


def test_pairs_of_levels_after_mixed_models_and_analysis_of_variance() -> None:
    values, assays, data = samples()
    columns = {name: Factor.of(labels) for name, labels in data.items()}
    formula = "Treatment * Time"
    mixed = associate(
        values, assays, columns, formula, data["Subject"], AssociationOptions(method="ML")
    )
    found = pairwise_contrasts(
        "Treatment:Time", formula, columns, mixed.design,
        lambda weights: satterthwaite_t(mixed.fit, weights),
    )  # fmt: skip
    assert compared(results()["olink_lmer_posthoc"], found, assays) == 150
    sites = fitted_linear(values, columns, "Site")
    found = pairwise_contrasts("Site", "Site", columns, sites.design, sites.t)
    assert compared(results()["olink_anova_posthoc_Site"], found, assays) == 50


def test_limma_with_trended_and_robust_prior() -> None:
    values, assays, data = samples()
    expected = results()["limma_Treatment_plus_Time"]["trend_robust"]
    design = build_design("Treatment + Time", data)
    fit = moderate(fit_linear_models(values, design.matrix), trend=True, robust=True)
    order = [assays.index(assay) for assay in expected["OlinkID"]]
    assert len(order) == 40
    test = fit.test(design.contrast({"Treatment[Untreated]": 1.0}))
    for ours, theirs in (
        (test.estimate, "logFC"),
        (test.statistic, "t"),
        (test.p_value, "P.Value"),
        (test.adjusted_p, "adj.P.Val"),
        (test.log_odds, "B"),
    ):
        assert ours[order] == pytest.approx(expected[theirs], rel=1e-6), theirs


def test_shifts_of_rank_sum_tests() -> None:
    values, assays, data = samples()
    ranks = mann_whitney(values, data["Treatment"])
    for name, ours in (("estimate", ranks.estimate), ("conf.low", ranks.low),
                       ("conf.high", ranks.high)):  # fmt: skip
        theirs = by_assay("olink_wilcox_Treatment", name)
        # that software finds them as roots to within 1e-4
        assert ours == pytest.approx([theirs[assay] for assay in assays], abs=2e-4), name
