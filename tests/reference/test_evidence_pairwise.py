"""Pairwise synthesis against metafor: every estimator with every test, and the diagnostics.

What agrees and what does not is told in ``validation/metafor/README.md``.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from tests.reference import evidence_cases as cases

from statera.evidence.bias import (
    fail_safe_number,
    rank_test,
    regression_test,
    trim_and_fill,
)
from statera.evidence.effect_sizes import effect_sizes
from statera.evidence.effects import Effects, effects_of
from statera.evidence.influence import cumulative, influence, leave_one_out, shrunken_effects
from statera.evidence.moderators import predict, subgroups
from statera.evidence.pairwise import PairwiseOptions, PairwiseResult, pairwise
from statera.evidence.resampling import permutation_test
from statera.evidence.zero_cells import EffectSizeOptions

pytestmark = pytest.mark.reference


ESTIMATORS = {
    "EE", "DL", "HE", "HS", "HSk", "SJ", "ML", "REML", "EB", "PM", "PMM", "GENQ", "DLIT", "SJIT",
}  # fmt: skip
# The search of the reference stops at changes of 1e-12 of tau2 itself, which in these is 1e-7, and
# its fixed point at 0 is never reached (SJIT).
COARSE = {("IRD", "REML"): (2e-6, 0.0), ("OR_add05_only0", "SJIT"): (1e-6, 1e-8)}
# Refits of the reference stop at changes of tau2 of 1e-5.
REFIT = 1e-4


def named(r: PairwiseResult) -> dict[str, Any]:
    """Numbers of a result by the names of the reference."""
    found: dict[str, Any] = {
        "estimate": r.beta, "se": r.se, "stat": r.statistic, "pval": r.p_value, "ci_lb": r.ci_low,
        "ci_ub": r.ci_high, "ddf": r.df, "tau2": r.tau2, "se_tau2": r.se_tau2, "I2": r.i2,
        "H2": r.h2, "R2": r.r2, "QE": r.q, "QEp": r.q_p, "QM": r.qm, "QMp": r.qm_p,
        "logLik": r.log_likelihood, "AIC": r.aic, "BIC": r.bic, "AICc": r.aicc,
        "weights_pct": r.weights,
    }  # fmt: skip
    if r.prediction is not None:
        found |= {"pi_lb_default": r.prediction.low, "pi_ub_default": r.prediction.high}
    return found


def compare(
    r: PairwiseResult, expected: dict[str, Any], rel: float = 1e-6, least: float = 0.0
) -> int:
    """Assert that all numbers agree; return how many there were."""
    count = 0
    for key, value in named(r).items():
        if expected.get(key) is None:
            continue
        wanted = np.atleast_1d(np.array(expected[key], dtype=np.float64))
        found = np.atleast_1d(value)
        assert found == pytest.approx(wanted, rel=rel, abs=least), key
        count += 1
    return count


def effects(part: dict[str, Any]) -> Effects:
    return effects_of(part["escalc"]["yi"], part["escalc"]["vi"])


@pytest.mark.parametrize("name", cases.SETS)
def test_every_estimator_with_every_test(name: str) -> None:
    for measure, part in cases.measures(name).items():
        studies = effects(part)
        for method, test, expected in cases.syntheses(part):
            r = pairwise(studies, PairwiseOptions(tau2=method, test=test))
            rel, least = COARSE.get((measure, method), (1e-6, 0.0))
            assert compare(r, expected, rel, least) >= 17
            riley = pairwise(
                studies, PairwiseOptions(tau2=method, test=test, prediction="t(k-2)")
            ).prediction
            if "pi_lb_riley_tk2" in expected:
                assert riley is not None
                ends = expected["pi_lb_riley_tk2"], expected["pi_ub_riley_tk2"]
                assert (riley.low, riley.high) == pytest.approx(ends, rel=rel)


def test_the_grid_does_not_shrink() -> None:
    sizes = {}
    for name in cases.SETS:
        for measure, part in cases.measures(name).items():
            keys = {(method, test) for method, test, _ in cases.syntheses(part)}
            sizes[name, measure] = len(keys)
            if name in ("bcg", "normand1999"):
                assert {method for method, _ in keys} == ESTIMATORS
                assert {test for _, test in keys} == {"z", "knha", "adhoc"}
    full = len(ESTIMATORS) * 3 - 2  # a common effect is tested by z only
    for measure in ("RR", "OR", "RD", "AS", "PETO"):
        assert sizes["bcg", measure] == full
    for measure in ("MD", "SMD_hedges_g", "ROM", "MD_homoscedastic"):
        assert sizes["normand1999", measure] == full
    assert sizes["nielweise2007_rare", "OR_add05_only0"] == full
    assert sizes["nielweise2008_rates", "IRR"] == full
    assert sizes["nielweise2008_rates", "IRD"] == 10
    assert sum(sizes.values()) == 450


@pytest.mark.parametrize("name", cases.SETS)
def test_intervals_of_tau2(name: str) -> None:
    """At 1e-4: the root finder of the reference leaves up to 1e-4 whatever the size of tau2."""
    count = 0
    for part in cases.measures(name).values():
        for method, test, expected in cases.syntheses(part):
            for key, kind in (("QP", "Q-profile"), ("PL", "profile likelihood")):
                wanted = expected.get(f"ci_tau2_{key}")
                if wanted is None:
                    continue
                r = pairwise(
                    effects(part), PairwiseOptions(tau2=method, test=test, tau2_interval=kind)
                )
                assert r.ci_tau2 is not None
                estimate, low, high = wanted["tau2"]
                assert r.ci_tau2.low == pytest.approx(low, rel=1e-4, abs=1e-4)
                if high == pytest.approx(max(100.0, 10.0 * estimate), rel=1e-9):
                    # where the reference stops searching
                    assert r.ci_tau2.high > high
                else:
                    assert r.ci_tau2.high == pytest.approx(high, rel=1e-4, abs=1e-4)
                count += 1
    assert count >= 2


def test_effects_of_counts_means_and_rates() -> None:
    bcg = {n: cases.column("bcg", n) for n in ("tpos", "tneg", "cpos", "cneg")}
    found = {
        ("bcg", m): effect_sizes(
            m, events_1=bcg["tpos"], non_events_1=bcg["tneg"], events_2=bcg["cpos"],
            non_events_2=bcg["cneg"],
        )
        for m in ("RR", "OR", "RD", "AS", "PETO")
    }  # fmt: skip
    means = {
        f"{what}_{arm}": cases.column("normand1999", f"{short}{arm}i")
        for what, short in (("mean", "m"), ("sd", "sd"), ("total", "n"))
        for arm in (1, 2)
    }
    for key, code in (("MD", "MD"), ("SMD_hedges_g", "SMD"), ("ROM", "ROM")):
        found["normand1999", key] = effect_sizes(code, **means)
    found["normand1999", "MD_homoscedastic"] = effect_sizes(
        "MD", options=EffectSizeOptions(variance="equal variances"), **means
    )
    found["nielweise2007_rare", "OR_add05_only0"] = effect_sizes(
        "OR",
        events_1=cases.column("nielweise2007_rare", "ai"),
        total_1=cases.column("nielweise2007_rare", "n1i"),
        events_2=cases.column("nielweise2007_rare", "ci"),
        total_2=cases.column("nielweise2007_rare", "n2i"),
    )
    arms = {
        f"{what}_{arm}": cases.column("nielweise2008_rates", f"{short}{arm}i")
        for what, short in (("events", "x"), ("time", "t"))
        for arm in (1, 2)
    }
    for code in ("IRR", "IRD"):
        found["nielweise2008_rates", code] = effect_sizes(code, **arms)
    assert len(found) == 12
    for (name, key), studies in found.items():
        wanted = cases.results(name)[key]["escalc"]
        assert studies.y == pytest.approx(wanted["yi"], rel=1e-12, abs=1e-13)
        assert studies.v == pytest.approx(wanted["vi"], rel=1e-12)
    for arm in (1, 2):
        for code in ("IRLN", "IRFT"):
            one = effect_sizes(code, events=arms[f"events_{arm}"], time=arms[f"time_{arm}"])
            expected = cases.results("nielweise2008_rates")[f"{code}_arm{arm}_REML"]
            r = pairwise(one)
            assert r.q == pytest.approx(expected["QE"], rel=1e-9)
            assert r.tau2 == pytest.approx(expected["tau2"], abs=3e-5)
            assert r.estimate == pytest.approx(expected["estimate"], rel=3e-4)


def test_regressions() -> None:
    found = cases.results("bcg")
    table = cases.rows("bcg")
    latitude, year = cases.column("bcg", "ablat"), cases.column("bcg", "year")
    designs: dict[str, dict[str, Any]] = {
        "ablat": {"ablat": latitude},
        "ablat_year": {"ablat": latitude, "year": year},
        "alloc": {"alloc": [row["alloc"] for row in table]},
    }
    studies = effects(found["RR"])
    count = 0
    for key, expected in found.items():
        if not key.startswith("metareg_") or "method" not in expected:
            continue
        name, method, test = key.removeprefix("metareg_").rsplit("_", 2)
        r = pairwise(studies, PairwiseOptions(tau2=method, test=test), designs[name])
        assert compare(r, expected) >= 18
        count += 1
    assert count == 30
    # fitted with the reference's own stopping rule of 1e-5
    wanted = found["metareg_ablat_predict"]
    got = predict(pairwise(studies, None, designs["ablat"]), wanted["newmods"])
    for name, values in (
        ("pred", got.mean), ("se", got.se), ("ci_lb", got.ci_low), ("ci_ub", got.ci_high),
        ("pi_lb", got.pi_low), ("pi_ub", got.pi_high),
    ):  # fmt: skip
        assert values == pytest.approx(wanted[name], rel=1e-3)


def test_subgroups_with_their_own_tau2() -> None:
    found = cases.results("bcg")
    labels = [row["alloc"] for row in cases.rows("bcg")]
    got = subgroups(effects(found["RR"]), groups=labels)
    wanted = found["subgroup_alloc_separate_tau2"]
    assert set(got.names) == set(wanted)
    for name, r in zip(got.names, got.results, strict=True):
        assert compare(r, wanted[name], REFIT) >= 17


@pytest.mark.parametrize(("name", "measure"), [("bcg", "RR"), ("normand1999", "MD")])
def test_influence_and_leave_one_out(name: str, measure: str) -> None:
    part = cases.results(name)[measure]
    r = pairwise(effects(part))
    one, wanted = leave_one_out(r), part["leave1out_REML"]
    for key, values in (
        ("estimate", one.estimate), ("se", one.se), ("ci_lb", one.ci_low), ("ci_ub", one.ci_high),
        ("Q", one.q), ("tau2", one.tau2), ("I2", one.i2),
    ):  # fmt: skip
        assert values == pytest.approx(wanted[key], rel=1e-9)
    found, wanted = influence(r), part["influence_REML"]
    for key, values in (
        ("rstudent", found.rstudent), ("dffits", found.dffits), ("cook_d", found.cook),
        ("cov_r", found.covariance_ratio), ("tau2_del", found.tau2_deleted),
        ("QE_del", found.q_deleted), ("hat", found.hat), ("dfbs", found.dfbetas[:, 0]),
    ):  # fmt: skip
        assert values == pytest.approx(wanted[key], rel=1e-9)


@pytest.mark.parametrize("name", cases.SETS)
def test_small_study_effects(name: str) -> None:
    count = 0
    for measure, part in cases.measures(name).items():
        studies = effects(part)
        r = pairwise(studies)
        rel = 1e-4 if measure == "IRD" else 1e-6
        for key, options in (
            ("regtest_rma_REML_sei", {}),
            ("regtest_lm_sei_egger", {"classical": True}),
            ("regtest_rma_vi", {"predictor": "variance"}),
        ):
            if key not in part or "error" in part[key]:
                continue
            wanted, test = part[key], regression_test(r, **options)
            assert (test.statistic, test.p_value) == pytest.approx(
                (wanted["stat"], wanted["pval"]), rel=rel
            )
            limits = test.limit, test.limit_low, test.limit_high
            expected = [wanted[f"limit_{end}"] for end in ("est", "lb", "ub")]
            assert limits == pytest.approx(expected, rel=rel)
            count += 1
        ranks = rank_test(r)
        assert ranks.tau == pytest.approx(part["ranktest_begg"]["tau"], abs=1e-12)
        assert ranks.p_value == pytest.approx(part["ranktest_begg"]["pval"], rel=1e-6)
        for kind, number in part["fsn"].items():
            assert fail_safe_number(studies, kind).number == number
    assert count >= 3


@pytest.mark.parametrize("name", cases.SETS)
def test_trim_and_fill(name: str) -> None:
    """REML at the stopping rule of the reference, 1e-5 of tau2, whatever the size of tau2."""
    count = 0
    for part in cases.measures(name).values():
        for key, wanted in part.items():
            if not key.startswith("trimfill_") or "error" in wanted:
                continue
            _, estimator, method = key.split("_")
            found = trim_and_fill(pairwise(effects(part), PairwiseOptions(tau2=method)), estimator)
            assert (found.missing, found.side) == (wanted["k0"], wanted["side"])
            if method == "REML":
                assert found.result.tau2 == pytest.approx(wanted["tau2"], abs=3e-5)
                if wanted["tau2"] > 0.02:
                    assert found.result.estimate == pytest.approx(wanted["estimate"], rel=1e-4)
            else:
                assert compare(found.result, wanted) >= 17
            count += 1
    assert count >= 6


def test_cumulative_shrunken_and_permuted() -> None:
    for name in ("bcg", "normand1999"):
        for part in cases.measures(name).values():
            r = pairwise(effects(part))
            steps, wanted = cumulative(r), part["cumul_REML"]
            estimates = [x.estimate for x in steps.results]
            assert estimates == pytest.approx(wanted["estimate"], rel=1e-6)
            tau2 = [x.tau2 for x in steps.results]
            assert math.isnan(tau2[0])  # of one study nothing is known; the reference prints 0
            assert tau2[1:] == pytest.approx(wanted["tau2"][1:], rel=1e-5, abs=1e-10)
            shrunken, wanted = shrunken_effects(r), part["blup_REML"]
            for key, values in (
                ("pred", shrunken.mean), ("se", shrunken.se), ("pi_lb", shrunken.low),
                ("pi_ub", shrunken.high),
            ):  # fmt: skip
                assert values == pytest.approx(wanted[key], rel=1e-6, abs=1e-12)
    found = cases.results("bcg")
    exact = permutation_test(effects(found["RR"]))
    assert exact.p_value == found["permutest_exact_RR_REML"]["pval"]
    assert exact.n == 2**13


def test_our_pools_of_published_hazard_ratios() -> None:
    pools = cases.results("jaki_vs_tnfi_safety_studies")
    count = 0
    for part in pools.values():
        if not isinstance(part, dict) or "sei" not in part:
            continue
        studies = effects_of(part["yi"], np.square(part["sei"]), part["studies"], "HR")
        for key in ("EE_z", "DL_z", "DL_knha", "REML_z", "REML_knha", "PM_z", "PM_knha"):
            method, test = key.split("_")
            r = pairwise(studies, PairwiseOptions(tau2=method, test=test))
            rel = REFIT if method in ("REML", "PM") else 1e-6
            wanted = part[key]
            assert r.natural == pytest.approx([wanted[x] for x in ("HR", "lo", "hi")], rel=rel)
            assert r.q == pytest.approx(wanted["Q"], rel=1e-9)
            assert r.tau2 == pytest.approx(wanted["tau2"], rel=1e-6, abs=3e-5)
            count += 1
    assert count == 56
