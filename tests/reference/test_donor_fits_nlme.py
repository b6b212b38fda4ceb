"""Curves over donors against nlme's maximum likelihood; skipped where absent."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from statera.assay.donors import DonorOptions, fit_donors, two_stage
from statera.assay.fit_curves import Curves, make_curves
from statera.assay.logistic import LN_IC50, B, D

pytestmark = pytest.mark.reference

REPOSITORY = Path(__file__).resolve().parents[2]
FOLDER = (
    Path(os.environ.get("STATERA_REFERENCE", REPOSITORY.parent / "shared" / "reference"))
    / "doseresponse"
)
GROUPS = [(c, s) for c in ("IL-6", "IL-15") for s in ("CD4", "CD8", "CD11b")]


def case(name: str) -> dict[str, Any]:
    path = FOLDER / "mixed.json"
    if not path.exists():
        pytest.skip(f"reference data are not there: {path}")
    found = json.loads(path.read_text(encoding="utf-8"))[name]
    assert isinstance(found, dict)
    return found


def donors(cytokine: str, subset: str) -> Curves:
    points: dict[str, list[tuple[float, float]]] = {}
    path = FOLDER / "data" / "synthetic_pstat3_donors.csv"
    with path.open(encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            if row["cytokine"] == cytokine and row["subset"] == subset:
                point = float(row["dose_nM"]), float(row["pct_of_stim"])
                points.setdefault(row["donor"], []).append(point)
    return make_curves(
        [[x for x, _ in p] for p in points.values()],
        [[y for _, y in p] for p in points.values()],
        names=list(points),
    )


@pytest.mark.parametrize(("cytokine", "subset"), GROUPS)
def test_donors_by_maximum_likelihood(cytokine: str, subset: str) -> None:
    expected = case(f"synthetic_{cytokine}_{subset}")
    curves = donors(cytokine, subset)
    found = fit_donors(curves)
    order = ["b", "c", "d", "le"]
    means = [expected["fixed"][k] for k in order]
    np.testing.assert_allclose(found.mean[:4], means, rtol=3e-4)
    # the reference's standard errors carry sqrt(n / (n - p))
    n, p = int(curves.n_points.sum()), 4
    errors = found.standard_errors[:4] * np.sqrt(n / (n - p))
    np.testing.assert_allclose(errors, [expected["se"][k] for k in order], rtol=5e-4)
    for term, key in zip(found.terms, order[1:], strict=True):
        sd = float(expected["VarCorr"][key]["StdDev"])
        if sd < 1e-3:  # gone to zero there: left out here
            assert term.sd == 0.0
            assert any("variance of c" in s for s in found.sentences)
        else:
            assert term.sd == pytest.approx(sd, rel=1e-3)
    assert found.residual_sd == pytest.approx(expected["sigma"], rel=1e-4)
    assert found.log_likelihood == pytest.approx(expected["logLik"], abs=1e-3)
    effects = {row["_row"]: row["le"] for row in expected["ranef"]}
    own = found.donor_parameters[:, LN_IC50] - found.mean[LN_IC50]
    for name, effect in zip(curves.names, own, strict=True):
        assert effect == pytest.approx(effects[name], abs=1e-3)


@pytest.mark.parametrize(("cytokine", "subset"), GROUPS)
def test_two_stages_agree_with_one(cytokine: str, subset: str) -> None:
    curves = donors(cytokine, subset)
    whole = fit_donors(curves, DonorOptions(reml=True, spread=False))
    pooled = two_stage(curves)
    assert pooled.estimate == pytest.approx(whole.mean[LN_IC50], abs=0.02)
    assert pooled.tau2.value**0.5 == pytest.approx(whole.terms[2].sd, rel=0.25)


def test_growth_of_orange_trees() -> None:
    """A logistic in age is this curve in exp(age), rising from a bottom of 0."""
    expected = case("Orange_SSlogis_ML_Asym")
    points: dict[str, list[tuple[float, float]]] = {}
    with (FOLDER / "data" / "Orange.csv").open(encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            point = float(row["age"]) / 100.0, float(row["circumference"])
            points.setdefault(row["Tree"], []).append(point)
    curves = make_curves(
        [np.exp([x for x, _ in p]) for p in points.values()],
        [[y for _, y in p] for p in points.values()],
    )
    found = fit_donors(curves, DonorOptions(random=("d",), fixed={"c": 0.0, "f": 1.0}))
    assert found.mean[D] == pytest.approx(expected["fixed"]["Asym"], rel=1e-4)
    assert 100.0 * found.mean[LN_IC50] == pytest.approx(expected["fixed"]["xmid"], rel=1e-4)
    assert -100.0 / found.mean[B] == pytest.approx(expected["fixed"]["scal"], rel=1e-4)
    sd = float(expected["VarCorr"]["Asym"]["StdDev"])
    assert found.terms[0].sd == pytest.approx(sd, rel=1e-3)
    assert found.log_likelihood == pytest.approx(expected["logLik"], abs=1e-3)
    n, p = 35, 3
    error = found.standard_errors[D] * np.sqrt(n / (n - p))
    assert error == pytest.approx(expected["se"]["Asym"], rel=1e-3)
