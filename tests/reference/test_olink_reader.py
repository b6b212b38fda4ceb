"""The reader of NPX on outside data; skipped where these are absent."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from statera.biomarker.measurements import analyte_status
from statera.biomarker.olink_npx import read_npx

pytestmark = pytest.mark.reference

REPOSITORY = Path(__file__).resolve().parents[2]
FILE = (
    Path(os.environ.get("STATERA_REFERENCE", REPOSITORY.parent / "shared" / "reference"))
    / "biomarker"
    / "olink_npx_data1_subset40.csv"
)


def test_every_value_of_the_file_has_its_place() -> None:
    if not FILE.exists():
        pytest.skip(f"reference data are not there: {FILE}")
    found = read_npx(FILE)
    frame = pl.read_csv(FILE, null_values="NA")
    assert found.values.shape == (156, 40)
    assert set(analyte_status(found)) == {"ok"}
    wide = frame.pivot(on="OlinkID", index="SampleID", values="NPX")
    assert found.sample_ids == tuple(wide["SampleID"])
    np.testing.assert_array_equal(found.values, wide.select(found.analyte_ids).to_numpy())
    assert int(found.below_lod.sum()) == int((frame["NPX"] < frame["LOD"]).sum())
    assert int(found.flagged.sum()) == int((frame["QC_Warning"] != "Pass").sum())
    assert {"Subject", "Treatment", "Site", "Time"} <= set(found.samples.columns)
