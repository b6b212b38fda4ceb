"""ITS against NONMEM's FOCEI fits: its objective is that of FOCEI at its own estimates.

Tolerances: the objective lies at most 0.5 above NONMEM's minimum, and not below it by more than the
0.1 by which two codings of the same model differ. Random effects are estimated at their modes, so
that estimates that the data hardly determine differ; the objective says by how much that matters.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.reference.nonmem_cases import CASES, model_of

from statera.data import read_data
from statera.estimate import fit

pytestmark = pytest.mark.reference


@pytest.mark.parametrize(
    "name", ["bolus_1cpt", "oral_1cpt", "phenobarbital", "warfarin_pk", "infusion_covariates"]
)
def test_objective_is_near_the_minimum_of_focei(reference: Path, name: str) -> None:
    file = reference / "nlme" / "nonmem.json"
    if not file.is_file():
        pytest.skip(f"no nlme/nonmem.json in {reference}")
    rows = json.loads(file.read_text())
    wanted = next(r for r in rows if r.get("case") == name and r["method"].startswith("FOCEI"))
    data = read_data(reference / "nlme" / "data" / f"{name}.csv.gz", **CASES[name][1])
    result = fit(model_of(name), data, method="its")
    assert result.status == "converged"
    assert -0.1 < result.ofv - wanted["ofv"] < 0.5
