from __future__ import annotations

import numpy as np
import pytest

from statera.biomarker.acr import acr_response
from statera.biomarker.cdai import cdai, cdai_state, sdai, sdai_state
from statera.biomarker.das28 import das28_crp, das28_esr, das28_state, eular_response
from statera.biomarker.easi import area_score, easi, easi_response
from statera.biomarker.jadas import cjadas, jadas, jadas_state
from statera.biomarker.jia_acr import (
    JIA_COMPONENTS,
    JiaAcrOptions,
    jia_acr_response,
    jia_flare,
)
from statera.biomarker.salt import salt, salt_at_most, salt_response
from statera.biomarker.sledai import SLEDAI_WEIGHTS, new_bilag, sledai_2k, sri_response
from statera.errors import InputError, UnknownNameError, UsageError

NAN = np.nan


def test_das28_takes_arrays_and_carries_missing_values() -> None:
    found = das28_esr([4, 4, 0], [5, 5, 0], [7, NAN, 0], [50, 50, 0])
    assert found[0] == pytest.approx(3.8082361380386605, abs=1e-13)
    assert np.isnan(found[1])
    assert found[2] == 0.0  # ESR 0 is taken as 1, where the logarithm is 0


def test_das28_scales_and_units_are_equivalent() -> None:
    in_mm = das28_crp(4, 5, 7, 50)
    assert das28_crp(4, 5, 0.7, 5, gh_scale=10, crp_unit="mg/dL") == pytest.approx(in_mm)
    assert das28_esr(0, 0, 0.5) == das28_esr(0, 0, 1) == 0.16


def test_das28_is_of_log_crp_plus_one() -> None:
    assert das28_crp(0, 0, 0, 0) == 0.96
    assert das28_crp(0, 0, np.e - 1, 0) == pytest.approx(0.96 + 0.36)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (([3, 29], 0, 5, 5), r"tender joints \(28\) 29 at position 2 is not possible"),
        ((0, 28.5, 5, 5), "swollen"),
        ((1.5, 0, 5, 5), "tender"),
        ((-1, 0, 5, 5), "tender"),
        ((0, 0, -0.1, 5), "ESR"),
        ((0, 0, np.inf, 5), "ESR"),
        ((0, 0, 5, 100.1), "general health"),
        (("many", 0, 5, 5), "not all values are numbers"),
    ],
)
def test_impossible_entries_are_refused(arguments: tuple[object, ...], words: str) -> None:
    with pytest.raises(InputError, match=words):
        das28_esr(*arguments)  # type: ignore[arg-type]


def test_ends_of_the_das28_entries_are_allowed() -> None:
    assert das28_esr(28, 28, 5, 100) > das28_esr(0, 0, 5, 0)


def test_das28_states_on_both_sides() -> None:
    scores = [2.59, 2.6, 3.2, 3.21, 5.1, 5.11, NAN]
    wanted = ["remission", "low", "low", "moderate", "moderate", "high", ""]
    assert das28_state(scores).tolist() == wanted
    scores = [2.39, 2.4, 2.9, 2.91, 4.6, 4.61]
    assert das28_state(scores, "crp-proposed").tolist() == wanted[:-1]
    with pytest.raises(UnknownNameError, match="cut-offs"):
        das28_state(3.0, "crp")


def test_eular_response_on_both_sides() -> None:
    first = [4.4, 4.41, 4.5, 3.8, 3.81, 5.7, 5.71, 6.4, 6.4, NAN]
    last = [3.2, 3.2, 3.21, 3.2, 3.2, 5.1, 5.11, 5.2, 5.19, 3.0]
    # 4.4 - 3.2 is 1.2, which is not more than 1.2 although binary arithmetic says so
    wanted = ["moderate", "good", "moderate", "none", "moderate", "none", "none", "none",
              "moderate", ""]  # fmt: skip
    assert eular_response(first, last).tolist() == wanted
    assert str(eular_response(5.71, 5.1)) == "moderate"
    # the set of the CRP asks for 2.9
    assert str(eular_response(5.0, 3.0)) == "good"
    assert str(eular_response(5.0, 3.0, "crp-proposed")) == "moderate"


def test_cdai_and_sdai() -> None:
    assert cdai(28, 28, 10, 10) == 76
    assert sdai(4, 3, 2.5, 1.5, 12) == pytest.approx(11 + 1.2)
    assert cdai_state([2.8, 2.81, 10, 10.1, 22, 22.1]).tolist() == [
        "remission", "low", "low", "moderate", "moderate", "high"
    ]  # fmt: skip
    assert sdai_state([3.3, 3.31, 11, 11.1, 26, 26.1]).tolist() == [
        "remission", "low", "low", "moderate", "moderate", "high"
    ]  # fmt: skip


BASE = {"tjc": 20, "sjc": 10, "ptg": 60, "phg": 60, "pain": 60, "haq": 0.5, "crp": 10}


def acr20(missing: str = "not-improved", **later: float) -> float:
    post = {**BASE, **later}
    return float(acr_response(BASE, post, missing=missing).response[20])  # type: ignore[arg-type]


def test_acr20_needs_both_joint_counts_and_three_of_five() -> None:
    three = {"ptg": 48, "phg": 48, "haq": 0.4}  # 0.5 to 0.4 is 20 %, also in binary arithmetic
    assert acr20(tjc=16, sjc=8, **three) == 1
    assert acr20(tjc=17, sjc=8, **three) == 0
    assert acr20(tjc=16, sjc=9, **three) == 0
    assert acr20(tjc=16, sjc=8, ptg=48, phg=48) == 0
    assert acr20(tjc=16, sjc=8, ptg=48, phg=48.1, haq=0.4) == 0


def test_acr_missing_rules() -> None:
    good = {"tjc": 10, "sjc": 5, "ptg": 30, "phg": 30, "pain": 30}
    for rule, one_missing, joints_missing in (
        ("not-improved", 1.0, 0.0),
        ("non-responder", 0.0, 0.0),
        ("undetermined", 1.0, NAN),
    ):
        assert acr20(rule, **good, crp=NAN) == one_missing
        np.testing.assert_equal(acr20(rule, **{**good, "tjc": NAN}), joints_missing)
    # what is missing cannot change this verdict
    assert acr20("undetermined", **{**good, "sjc": 10, "tjc": NAN}) == 0
    with pytest.raises(UsageError, match="no rule"):
        acr20("carried forward", **good)


def test_acr_from_a_baseline_of_zero_nothing_improves() -> None:
    base = {**BASE, "haq": 0, "crp": 0}
    post = {**BASE, "tjc": 0, "sjc": 0, "ptg": 0, "phg": 0, "haq": 0, "crp": 0}
    assert acr_response(base, post).response[20] == 0
    assert acr_response(base, {**post, "pain": 0}).response[70] == 1


def test_acr_core_set_errors() -> None:
    esr = {("esr" if k == "crp" else k): v for k, v in BASE.items()}
    with pytest.raises(InputError, match="crp at baseline and esr later"):
        acr_response(BASE, esr)
    with pytest.raises(InputError, match="absent: pain"):
        acr_response({k: v for k, v in BASE.items() if k != "pain"}, BASE)
    with pytest.raises(InputError, match="2 acute-phase reactants"):
        acr_response({**BASE, "esr": 3}, BASE)
    with pytest.raises(InputError, match=r"HAQ-DI 3\.1"):
        acr_response(BASE, {**BASE, "haq": 3.1})


def core(*values: float) -> dict[str, float]:
    return dict(zip(JIA_COMPONENTS, values, strict=True))


JIA = core(50, 50, 10, 10, 1.0, 40)


def jia(*later: float, **options: object) -> float:
    return float(jia_acr_response(JIA, core(*later), JiaAcrOptions(**options)).level)  # type: ignore[arg-type]


def test_jia_acr_levels_on_both_sides() -> None:
    assert jia(35, 35, 7, 10, 1, 40) == 30
    assert jia(35.1, 35, 7, 10, 1, 40) == 0
    assert jia(0, 0, 0, 10, 1, 40) == 100
    assert jia(0.1, 0, 0, 10, 1, 40) == 90


def test_jia_acr_exactly_thirty_percent_is_not_worse() -> None:
    # 1.0 to 1.3 and 40 to 52 are 30 %; two such are allowed, two beyond are not
    assert jia(5, 5, 1, 10, 1.3, 52) == 90
    assert jia(5, 5, 1, 10, 1.3, 52, at_limit="worse") == 0
    assert jia(5, 5, 1, 10, 1.31, 52) == 90
    assert jia(5, 5, 1, 10, 1.31, 52.1) == 0


def test_jia_acr_scaled_limit_is_another_definition() -> None:
    later = (5, 5, 1, 10, 1.4, 60)  # two worse by 40 and 50 %
    assert jia(*later) == 0
    assert jia(*later, worsening="scaled") == 90
    found = jia_acr_response(JIA, core(*later), JiaAcrOptions(worsening="scaled"))
    assert found.response[30] == 0
    assert found.response[50] == 1  # one at 50 %, which is not more than 50 %


def test_jia_acr_rise_from_zero() -> None:
    base, later = core(50, 50, 10, 0, 0, 40), core(5, 5, 1, 1, 0.1, 40)
    assert jia_acr_response(base, later).level == 0
    assert jia_acr_response(base, later, JiaAcrOptions(zero_baseline="unchanged")).level == 90


def test_jia_acr_missing() -> None:
    assert jia(5, 5, 1, NAN, 1, 40) == 90
    assert jia(5, 5, 1, NAN, 1, 40, missing="non-responder") == 0
    assert jia(5, 5, 1, NAN, 1, 40, missing="undetermined") == 90  # one more may be worse
    assert np.isnan(jia(5, 5, 1, NAN, 1, NAN, missing="undetermined"))


def test_jia_flare_on_both_sides() -> None:
    assert jia_flare(JIA, core(70, 70, 13, 10, 1, 40)) == 1
    assert jia_flare(JIA, core(69, 70, 13, 10, 1, 40)) == 0  # 38 %, but below 20 mm
    assert jia_flare(JIA, core(69, 70, 13, 10, 1, 40), least_rises=False) == 1
    assert jia_flare(JIA, core(70, 70, 13, 7, 1, 40)) == 1
    assert jia_flare(JIA, core(70, 70, 13, 7, 0.7, 40)) == 0
    assert np.isnan(jia_flare(JIA, core(70, 70, NAN, 10, 1, 40)))


def test_jadas_acute_phase_is_held_to_ten() -> None:
    np.testing.assert_allclose(
        jadas(0, 0, 0, esr=[0, 20, 21, 119, 120, 500]), [0, 0, 0.1, 9.9, 10, 10]
    )
    np.testing.assert_allclose(jadas(0, 0, 0, crp=[10, 11, 109, 110, 300]), [0, 0.1, 9.9, 10, 10])
    assert jadas(0, 0, 0, crp=1.1, crp_unit="mg/dL") == pytest.approx(0.1)
    assert cjadas(1.5, 2, 11) == 13.5
    assert [float(cjadas(0, 0, 71, joints=j)) for j in (10, 27, 71)] == [10, 27, 71]  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="ESR or CRP"):
        jadas(0, 0, 0)
    with pytest.raises(InputError, match="active joints 72"):
        cjadas(0, 0, 72)


def test_jadas_states_differ_by_set() -> None:
    assert jadas_state([1, 1.1, 2, 2.1], "oligo").tolist() == [
        "inactive",
        "low",
        "low",
        "above low",
    ]
    assert jadas_state([3.8, 3.9], "poly").tolist() == ["low", "above low"]
    assert jadas_state([1.5, 1.6], "oligo", clinical=True).tolist() == ["low", "above low"]
    scores = [2.7, 2.8, 6, 6.1, 17, 17.1]
    assert jadas_state(scores, "poly", cutoffs="trincianti-2021").tolist() == [
        "inactive", "low", "low", "moderate", "moderate", "high"
    ]  # fmt: skip
    assert str(jadas_state(5.0, "poly", clinical=True, cutoffs="trincianti-2021")) == "low"
    assert str(jadas_state(0.6, "oligo", cutoffs="backstrom-2019")) == "low"
    with pytest.raises(UnknownNameError):
        jadas_state(1.0, "poly", cutoffs="2021")


def test_salt() -> None:
    assert salt(50, 40, 30, 20) == pytest.approx(38.6)
    assert salt_at_most([20, 20.1]).tolist() == [1, 0]
    assert salt_response([60, 60, 0], [30, 30.1, 0]).tolist() == [1, 0, 0]
    assert np.isnan(salt(NAN, 1, 1, 1))
    with pytest.raises(InputError, match=r"left side \(%\) 101"):
        salt(1, 1, 101, 1)


def test_easi_by_age_and_area() -> None:
    head, none = [3, 3, 3, 3, 6], [0, 0, 0, 0, 0]
    found = easi([head] * 3, [none] * 3, [none] * 3, [none] * 3, age=[7.99, 8.0, NAN])
    np.testing.assert_allclose(found, [14.4, 7.2, NAN])
    assert easi(none, none, none, head, age=7) == pytest.approx(21.6)
    areas = [0, 0.1, 9.9, 10, 29.9, 30, 49.9, 50, 69.9, 70, 89.9, 90, 100]
    assert area_score(areas).tolist() == [0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6]
    assert easi_response([40, 40], [10, 10.1]).tolist() == [1, 0]
    with pytest.raises(InputError, match="five entries"):
        easi([1, 2, 3], none, none, none)
    with pytest.raises(InputError, match="area score 7"):
        easi([1, 1, 1, 1, 7], none, none, none)


def test_sledai_items() -> None:
    items = {**dict.fromkeys(SLEDAI_WEIGHTS, 0), "seizure": [1, 0, NAN], "fever": 1}
    np.testing.assert_equal(sledai_2k(items), [9, 1, NAN])
    with pytest.raises(InputError, match="23 items"):
        sledai_2k({"rash": 1})
    assert sledai_2k({"Anti-dsDNA": 1, "mucosal ulcers": 1}, absent_as_zero=True) == 4
    with pytest.raises(UnknownNameError):
        sledai_2k({"headache": 1}, absent_as_zero=True)
    with pytest.raises(InputError, match="twice"):
        sledai_2k({"rash": 1, "Rash": 1}, absent_as_zero=True)


def test_sri4_on_both_sides() -> None:
    def sri(later: float = 6, a: float = 0, b: float = 0, pga: float = 1.0, **kw: object) -> float:
        return float(sri_response(10, later, a, b, 1.0, pga, **kw).response)  # type: ignore[arg-type]

    assert sri() == 1
    assert sri(later=7) == 0
    assert sri(a=1) == 0
    assert sri(b=1) == 1
    assert sri(b=2) == 0
    assert sri(pga=1.29) == 1
    assert sri(pga=1.3) == 0  # 1.3 - 1.0 is 0.3
    assert sri(failed=True) == 0
    assert sri(later=NAN) == 0
    assert np.isnan(sri(later=NAN, missing="undetermined"))
    assert sri(later=NAN, a=1, missing="undetermined") == 0
    assert sri(pga=1.99, pga_scale=10) == 1
    assert sri(pga=2.0, pga_scale=10) == 0


def test_new_bilag_grades() -> None:
    a, b = new_bilag([["B", "C", "A", "A"]], [["A", "B", "A", "B"]])
    assert (a.tolist(), b.tolist()) == ([1], [1])
    with pytest.raises(InputError, match="'F' is no BILAG grade"):
        new_bilag([["F"]], [["A"]])
