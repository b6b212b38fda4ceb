"""``statera meta pairwise`` on reference tables, from the file to the printed numbers."""

from __future__ import annotations

import json

import pytest
from tests.reference import evidence_cases as cases
from typer.testing import CliRunner

from statera.cli.main import app

NAME = "jaki_vs_tnfi_safety_studies"
OUTCOMES = {
    "Serious infection": "1.18 (0.77 to 1.80)",
    "Malignancy excl NMSC": "1.07 (0.87 to 1.32)",
    "MACE": "1.04 (0.86 to 1.25)",
    "VTE": "1.49 (1.22 to 1.82)",
}


@pytest.mark.parametrize("outcome", OUTCOMES)
@pytest.mark.parametrize(("ci", "test"), [("wald", "z"), ("hartung-knapp", "knha")])
def test_pools_of_safety_studies(outcome: str, ci: str, test: str) -> None:
    expected = cases.results(NAME)[f"{outcome}|all"][f"REML_{test}"]
    path = cases.FOLDER / f"{NAME}.csv"
    arguments = ["meta", "pairwise", str(path), "--measure", "HR", "--ci", ci, "--json"]
    ran = CliRunner().invoke(app, [*arguments, "--where", f"outcome={outcome}"])
    answer = json.loads(ran.stdout)
    found = answer["result"]
    shown = [found["natural"][k] for k in ("estimate", "low", "high")]
    assert found["k"] == expected["k"]
    assert shown == pytest.approx([expected[k] for k in ("HR", "lo", "hi")], rel=1e-6)
    assert found["prediction"]["natural_high"] == pytest.approx(expected["pi_hi"], rel=1e-5)
    if test == "z":
        assert "{:.2f} ({:.2f} to {:.2f})".format(*shown) == OUTCOMES[outcome]
    if outcome in ("MACE", "VTE"):  # an interval that is not symmetric is pooled, but not silently
        assert any("Kochar" in w and "not symmetric" in w for w in answer["warnings"])


@pytest.mark.parametrize(
    ("name", "measure", "method"),
    [("nma_senn2013", "MD", "DL"), ("nma_certolizumab_RA_ACR50", "OR", "REML")],
)
def test_networks(name: str, measure: str, method: str) -> None:
    expected = cases.results(name)[method]
    reference = expected["reference"]
    arguments = ["--measure", measure, "--tau2", method, "--reference", reference, "--json"]
    ran = CliRunner().invoke(
        app, ["meta", "network", str(cases.FOLDER / f"{name}.csv"), *arguments]
    )
    found = json.loads(ran.stdout)["result"]
    assert found["tau2"] == pytest.approx(expected["tau2"], abs=1e-6)
    assert found["q"] == pytest.approx(expected["Q"], rel=1e-6)
