"""Curves fitted together against drc's; skipped where absent."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from statera.assay.fit_curves import Curves, make_curves
from statera.assay.joint_fits import JointOptions, fit_joint
from statera.assay.parallelism import f_test
from statera.assay.relative_potency import fieller, relative_potency

pytestmark = pytest.mark.reference

REPOSITORY = Path(__file__).resolve().parents[2]
FOLDER = (
    Path(os.environ.get("STATERA_REFERENCE", REPOSITORY.parent / "shared" / "reference"))
    / "doseresponse"
)
SHARED = JointOptions(c="shared", d="shared")
PARALLEL = JointOptions(b="shared", c="shared", d="shared")
T63 = 1.9983405425207412  # 97.5 % of t with 63 degrees of freedom


def case(name: str) -> Any:
    path = FOLDER / "drc.json"
    if not path.exists():
        pytest.skip(f"reference data are not there: {path}")
    return json.loads(path.read_text(encoding="utf-8"))[name]


def herbicides() -> Curves:
    points: dict[str, list[tuple[float, float]]] = {}
    path = FOLDER / "data" / "S.alba.csv"
    with path.open(encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            point = float(row["Dose"]), float(row["DryMatter"])
            points.setdefault(row["Herbicide"], []).append(point)
    return make_curves(
        [[x for x, _ in p] for p in points.values()],
        [[y for _, y in p] for p in points.values()],
        names=list(points),
    )


@pytest.mark.parametrize(
    ("name", "options", "close"),
    [
        # the reference stops where the RSS is 2e-6 and 6e-6 higher, up to 0.2 % away in a slope
        ("S.alba_LL4_free", JointOptions(), 2.5e-3),
        ("S.alba_LL4_shared_cd", SHARED, 2.5e-3),
        ("S.alba_LL4_parallel", PARALLEL, 1e-5),
    ],
)
def test_shared_parameters(name: str, options: JointOptions, close: float) -> None:
    expected = case(name)
    found = fit_joint(herbicides(), options)
    rss = expected["residual_se"] ** 2 * expected["df_residual"]
    assert found.df == expected["df_residual"]
    assert found.rss <= rss * (1 + 1e-9)
    assert found.log_likelihood == pytest.approx(expected["logLik"], abs=3e-4)
    assert found.aic == pytest.approx(expected["AIC"], abs=6e-4)
    assert found.bic == pytest.approx(expected["BIC"], abs=6e-4)
    columns = {"b": 0, "c": 1, "d": 2, "e": 3}
    for key, number in expected["coef"].items():
        letter, group = key.split(":")
        k = 0 if group == "(Intercept)" else found.curves.names.index(group)
        value = found.parameters[k, columns[letter]]
        value = np.exp(value) if letter == "e" else value
        assert value == pytest.approx(number, rel=close), key


def test_f_test_of_shared_limits() -> None:
    expected = case("S.alba_Ftest_shared_limits")
    curves = herbicides()
    found = f_test(fit_joint(curves, SHARED), fit_joint(curves))
    assert (found.df_more, found.df_rest) == (expected["df"], expected["modeldf"][1])
    assert found.f == pytest.approx(expected["F"], rel=3e-4)
    assert found.p_value == pytest.approx(expected["p"], rel=3e-4)


def test_fieller_interval_of_a_ratio() -> None:
    parallel = case("S.alba_LL4_parallel")
    expected = parallel["EDcomp50_fieller"]
    e = [parallel["coef"][f"e:{n}"] for n in ("Bentazone", "Glyphosate")]
    covariance = np.array(parallel["vcov"])[3:, 3:]
    ends = fieller(e[0], e[1], covariance, T63)
    assert e[0] / e[1] == pytest.approx(expected["Estimate"], rel=1e-9)
    assert ends == pytest.approx((expected["Lower"], expected["Upper"]), rel=1e-6)
    # with Gauss-Newton errors, which the reference does not use
    (found,) = relative_potency(herbicides(), "Bentazone")
    assert found.name == "Glyphosate"
    assert found.ratio == pytest.approx(expected["Estimate"], rel=1e-4)
    assert found.fieller == pytest.approx((expected["Lower"], expected["Upper"]), rel=0.02)
