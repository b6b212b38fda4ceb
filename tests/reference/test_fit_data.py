"""Data sets of published fits: read whole, with counts that do not move."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from statera.data import check_data, read_data
from statera.errors import InputError

pytestmark = pytest.mark.reference

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = Path(os.environ.get("STATERA_REFERENCE", ROOT.parent / "shared" / "reference"))
NLME = REFERENCE / "nlme" / "data"
EBE = REFERENCE / "ebe"

SD1: dict[str, Any] = {"accept": "SD.EQ.1", "drop": ["SS", "II"]}
COVARIATE_NAMES = ["C", "ID", "TIME", "DV", "AMT", "RATE", "WT", "AGE", "SEX"]
M3_NAMES = [
    "C", "SET", "ID", "JID", "TIME", "CONC", "AMT", "RATE", "EVID", "MDV", "CMT", "DV", "LOQ",
    "TYPE",
]  # fmt: skip
CASES: dict[str, tuple[dict[str, Any], int, int, int]] = {
    "bolus_1cpt": (SD1, 120, 120, 2276),
    "oral_1cpt": (SD1, 120, 120, 2273),
    "infusion_2cpt": (SD1, 120, 120, 2280),
    "bolus_2cpt_ode": (SD1, 120, 120, 2280),
    "oral_2cpt_ode_all": ({"drop": ["SS", "II"]}, 120, 960, 6960),
    "phenobarbital": ({}, 59, 589, 155),
    "moxonidine_log": ({"drop": ["EVID", "CMT"], "dv_scale": "log"}, 73, 142, 1006),
    "warfarin_pk": ({}, 32, 32, 251),
    "warfarin_pkpd": ({"dvid": {"cp": 1, "pca": 2}}, 32, 32, 483),
    "infusion_covariates": (
        {"ignore": "C", "names": COVARIATE_NAMES}, 60, 60, 240,
    ),
    "twocmt_blq_m3": (
        {"ignore": "C", "names": M3_NAMES, "lloq": -3.5, "dv_scale": "log"}, 100, 100, 500,
    ),
    "theo_sd": ({"drop": ["EVID"]}, 12, 12, 132),
    "wang2007": ({"columns": {"DV": "Y"}}, 10, 0, 20),
}  # fmt: skip
"""Options, and numbers of subjects, doses and observations, by data set."""


@pytest.mark.skipif(not NLME.is_dir(), reason=f"no reference data at {NLME}")
@pytest.mark.parametrize("name", CASES)
def test_every_data_set_is_read(name: str) -> None:
    options, subjects, doses, observations = CASES[name]
    data = read_data(NLME / f"{name}.csv.gz", **options)
    report = data.report
    assert (report.subjects, report.doses, data.n_obs) == (subjects, doses, observations)
    assert sum(report.observations.values()) == observations
    assert np.isfinite(data.dv).all()
    np.testing.assert_array_equal(data.events.flat_row[data.record], data.row)


@pytest.mark.skipif(not NLME.is_dir(), reason=f"no reference data at {NLME}")
def test_what_the_data_sets_are_known_for() -> None:
    blq = read_data(NLME / "twocmt_blq_m3.csv.gz", **CASES["twocmt_blq_m3"][0])
    assert blq.report.below == {"1": 104}
    assert (blq.limit == -3.5).all()
    warfarin = read_data(NLME / "warfarin_pkpd.csv.gz", **CASES["warfarin_pkpd"][0])
    assert warfarin.report.observations == {"cp": 251, "pca": 232}
    with pytest.raises(InputError, match="SS must be 0, 1 or 2"):
        read_data(NLME / "oral_2cpt_ode_all.csv.gz")
    with pytest.raises(InputError, match="EVID must be"):
        read_data(NLME / "theo_sd.csv.gz")


@pytest.mark.skipif(not EBE.is_dir(), reason=f"no reference data at {EBE}")
def test_data_of_individual_estimates() -> None:
    paths = sorted(EBE.glob("*_data.csv"))
    assert len(paths) == len(sorted(EBE.glob("*_model.json"))) > 0
    for path in paths:
        model = json.loads(
            path.with_name(path.name.replace("_data.csv", "_model.json")).read_text()
        )
        assert model["model"] in path.name
        report = check_data(path)
        assert report.problems == ()
        assert sum(report.observations.values()) + report.doses == report.records
