from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from statera.biomarker.adat import read_adat
from statera.biomarker.cells import read_cells
from statera.biomarker.immunoassay_table import read_immunoassay_table
from statera.biomarker.long_table import read_long_table
from statera.biomarker.measurements import analyte_status, take
from statera.biomarker.olink_npx import NpxOptions, measurements_of_npx, read_npx
from statera.errors import InputError, UnknownNameError


def npx(samples: tuple[str, ...] = ("S1", "S2", "CONTROL_1"), assays: int = 3) -> pl.DataFrame:
    rows = [
        {
            "SampleID": s, "OlinkID": f"OID{a}", "UniProt": f"P{a}", "Assay": f"A{a}",
            "MissingFreq": 0.1, "Panel": "X", "PlateID": "P1",
            "QC_Warning": "Warning" if s == "S2" else "Pass",
            "LOD": 2.0, "NPX": float(a + i), "Site": f"site {s}",
        }
        for a in range(assays)
        for i, s in enumerate(samples)
    ]  # fmt: skip
    return pl.DataFrame(rows)


def test_npx_of_text_and_parquet_agree(tmp_path: Path) -> None:
    frame = npx()
    frame.write_parquet(tmp_path / "npx.parquet")
    frame.write_csv(tmp_path / "npx.csv", separator=";")
    for name in ("npx.parquet", "npx.csv"):
        found = read_npx(tmp_path / name)
        assert found.sample_ids == ("S1", "S2")
        assert found.analyte_ids == ("OID0", "OID1", "OID2")
        assert found.values.tolist() == [[0, 1, 2], [1, 2, 3]]
        assert found.below_lod.tolist() == [[True, True, False], [True, False, False]]
        assert (found.lod == 2.0).all()
        assert found.flagged.tolist() == [[False] * 3, [True] * 3]
        assert found.samples["Site"].to_list() == ["site S1", "site S2"]
        assert found.analytes["Assay"].to_list() == ["A0", "A1", "A2"]
        assert found.scale == "log2"
        assert "CONTROL_1" in found.notes[0]


def test_npx_controls_by_sample_and_assay_type() -> None:
    frame = npx(("S1", "CONTROL patient", "NC")).with_columns(
        pl.col("SampleID").replace("NC", "NEGATIVE_CONTROL").alias("SampleType"),
        pl.when(pl.col("OlinkID") == "OID2").then(pl.lit("ext_ctrl")).otherwise(pl.lit("assay"))
        .alias("AssayType"),
    )  # fmt: skip
    frame = frame.with_columns(
        pl.when(pl.col("SampleType") == "NEGATIVE_CONTROL").then("SampleType")
        .otherwise(pl.lit("SAMPLE")).alias("SampleType")
    )  # fmt: skip
    found = measurements_of_npx(frame)
    assert found.sample_ids == ("S1", "CONTROL patient")  # SampleType knows better than the name
    assert found.analyte_ids == ("OID0", "OID1")


def test_npx_quality_rules() -> None:
    found = measurements_of_npx(npx(), NpxOptions(quality="remove-warned"))
    assert np.isnan(found.values[1]).all()
    assert not found.below_lod[1].any()
    assert "3 values were removed" in found.notes[-1]
    kept = measurements_of_npx(npx(), NpxOptions(quality="remove-failed"))
    assert not np.isnan(kept.values).any()


def test_npx_duplicates_are_refused_or_averaged() -> None:
    twice = pl.concat([npx(), npx().with_columns(pl.col("NPX") + 1.0)])
    with pytest.raises(InputError, match=r"6 pairs of sample and analyte.*S1 / OID0"):
        measurements_of_npx(twice)
    found = measurements_of_npx(twice, NpxOptions(duplicates="mean"))
    assert found.values[0].tolist() == [0.5, 1.5, 2.5]
    assert "mean is used" in found.notes[-1]
    # 1 and 2 lie on both sides of the limit; their mean does not lie below it
    edge = twice.with_columns(LOD=pl.lit(1.4))
    found = measurements_of_npx(edge, NpxOptions(duplicates="mean"))
    assert found.below_lod[0].tolist() == [True, False, False]


def test_npx_bad_input() -> None:
    with pytest.raises(InputError, match="no column OlinkID"):
        measurements_of_npx(npx().drop("OlinkID"))
    with pytest.raises(InputError, match="'high' in column NPX, row 1"):
        measurements_of_npx(npx().with_columns(NPX=pl.lit("high")))
    with pytest.raises(InputError, match="all rows are controls"):
        measurements_of_npx(npx(("control a", "Control b")))
    found = measurements_of_npx(npx().drop("LOD"))
    assert np.isnan(found.lod).all()
    assert "no limit of detection" in found.notes[-1]


def test_columns_that_differ_within_a_sample_are_not_carried() -> None:
    frame = npx().with_row_index("Row").with_columns(pl.col("Row").cast(pl.String))
    found = measurements_of_npx(frame)
    assert "Row" not in found.samples.columns
    assert any("Row" in note for note in found.notes)


def test_analytes_that_cannot_be_analysed_are_named() -> None:
    frame = npx(("S1", "S2"), 5).with_columns(
        NPX=pl.when(pl.col("OlinkID") == "OID0").then(5.0)
        .when(pl.col("OlinkID") == "OID1").then(pl.lit(None))
        .when((pl.col("OlinkID") == "OID4") & (pl.col("SampleID") == "S1")).then(pl.lit(None))
        .when(pl.col("OlinkID") == "OID2").then(pl.col("NPX") / 10)
        .otherwise("NPX")
    )  # fmt: skip
    found = measurements_of_npx(frame)
    wanted = ("constant", "not measured", "all below LOD", "ok", "one value")
    assert analyte_status(found) == wanted
    ok = np.array([word == "ok" for word in wanted])
    assert take(found, analytes=ok, note="cut").analyte_ids == ("OID3",)


def test_cells() -> None:
    found = read_cells(["1.5", "*2", "<3", "> 4", "OOR <", "oor>", "NaN", None, "x", 7])
    np.testing.assert_equal(found.values, [1.5, 2, *[np.nan] * 7, 7])
    assert np.flatnonzero(found.below).tolist() == [2, 4]
    assert np.flatnonzero(found.above).tolist() == [3, 5]
    assert (found.lower[2], found.upper[3]) == (3, 4)
    assert found.extrapolated.tolist() == [False, True, *[False] * 8]
    assert found.bad == ((8, "x"),)


LUMINEX = """Sample,Arm,IL6,TNF
LLOQ,,1.0,2.0
ULOQ,,100,200
a,x,0.5,OOR <
b,x,5,250
c,y,<0.8,OOR >
d,y,*90,
"""


def test_immunoassay_table(tmp_path: Path) -> None:
    file = tmp_path / "luminex.csv"
    file.write_text(LUMINEX, encoding="utf-8")
    found = read_immunoassay_table(file, annotations=("Arm",))
    nan = np.nan
    np.testing.assert_equal(found.values, [[0.5, nan], [5, 250], [nan, nan], [90, nan]])
    assert found.below_lod.tolist() == [[True, True], [False, False], [True, False], [False] * 2]
    assert found.above_range.tolist() == [[False] * 2, [False, True], [False, True], [False] * 2]
    assert found.lod[:, 0].tolist() == [1, 1, 0.8, 1]
    assert found.flagged[3].tolist() == [True, False]
    assert found.samples["Arm"].to_list() == ["x", "x", "y", "y"]
    assert read_immunoassay_table(file, annotations=("Arm",), lower={"IL6": 0.1}).lod[0, 0] == 0.1
    with pytest.raises(InputError, match="'x' of analyte Arm in row 3"):
        read_immunoassay_table(file)
    with pytest.raises(UnknownNameError, match="IL8"):
        read_immunoassay_table(file, annotations=("Arm",), upper={"IL8": 1})
    file.write_text(LUMINEX.replace("\nb,", "\na,"), encoding="utf-8")
    with pytest.raises(InputError, match="1 samples are named more than once: a"):
        read_immunoassay_table(file, annotations=("Arm",))


def test_long_table(tmp_path: Path) -> None:
    file = tmp_path / "long.csv"
    file.write_text("id,marker,conc,lim,arm\na,IL6,<2,1,x\na,TNF,3,4,x\nb,IL6,5,1,y\n", "utf-8")
    found = read_long_table(
        file, sample="id", analyte="marker", value="conc", lod="lim", sample_columns=("arm",)
    )
    np.testing.assert_equal(found.values, [[np.nan, 3], [5, np.nan]])
    np.testing.assert_equal(found.lod, [[2, 4], [1, np.nan]])
    assert found.below_lod.tolist() == [[True, True], [False, False]]
    with pytest.raises(UnknownNameError, match="value"):
        read_long_table(file, sample="id", analyte="marker")
    file.write_text("sample,analyte,value\na,IL6,lots\n", "utf-8")
    with pytest.raises(InputError, match="'lots' in column value, row 1"):
        read_long_table(file)
    file.write_text("sample,analyte,value\n,IL6,1\n", "utf-8")
    with pytest.raises(InputError, match="no sample"):
        read_long_table(file)


ADAT = [
    "!Checksum\tnone", "^HEADER", "!AssayVersion\tV4", "!StudyMatrix\tPlasma",
    "^COL_DATA", "!Name\tSeqId\tTarget\tType", "!Type\tString\tString\tString",
    "^ROW_DATA", "!Name\tPlateId\tSampleId\tSampleType\tRowCheck",
    "!Type\tString\tString\tString\tString",
    "^TABLE_BEGIN",
    "\t\t\t\tSeqId\t1-1\t2-2\t3-3",
    "\t\t\t\tTarget\tIL6\tTNF\tHCE",
    "\t\t\t\tType\tProtein\tProtein\tHybridization Control Elution",
    "PlateId\tSampleId\tSampleType\tRowCheck\t\t\t\t",
    "P1\tS1\tSample\tPASS\t\t100.5\t200\t5",
    "P1\tS2\tSample\tFLAG\t\t110\t\t5",
    "P1\tC\tCalibrator\tPASS\t\t1\t1\t5",
    "P1\tC\tCalibrator\tPASS\t\t1\t1\t5",
]  # fmt: skip


def test_adat(tmp_path: Path) -> None:
    file = tmp_path / "study.adat"
    file.write_text("\r\n".join(ADAT), encoding="utf-8")
    found = read_adat(file)
    assert (found.sample_ids, found.analyte_ids) == (("S1", "S2"), ("1-1", "2-2"))
    np.testing.assert_equal(found.values, [[100.5, 200], [110, np.nan]])
    assert found.flagged.tolist() == [[False] * 2, [True] * 2]
    assert found.analytes["Target"].to_list() == ["IL6", "TNF"]
    assert found.samples["PlateId"].to_list() == ["P1", "P1"]
    assert "AssayVersion: V4" in found.notes
    assert "2 controls were left out (Calibrator)." in found.notes
    with pytest.raises(InputError, match="named more than once: C"):
        read_adat(file, keep_controls=True)


@pytest.mark.parametrize(
    ("line", "text", "words"),
    [
        (8, "!Nothing", "no \\^ROW_DATA"),
        (10, "", "no \\^TABLE_BEGIN"),
        (12, "\t\tTarget\tIL6", "line|indented"),
        (15, "P1\tS1\tSample\tPASS\t\t100.5", "6 cells where 8 belong"),
        (15, "P1\tS1\tSample\tPASS\t\tx\t1\t1", "adat:16: 'x' is not a number"),
    ],
)
def test_broken_adat(tmp_path: Path, line: int, text: str, words: str) -> None:
    file = tmp_path / "study.adat"
    file.write_text("\n".join([*ADAT[:line], text, *ADAT[line + 1 :]]), encoding="utf-8")
    with pytest.raises(InputError, match=words):
        read_adat(file)
