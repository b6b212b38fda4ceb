"""Formats found from the content, and samples that stand twice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from statera.biomarker.read_measurements import on_log2, read_measurements
from statera.biomarker.sample_table import (
    join_subjects,
    read_sample_rows,
    read_samples,
    read_subjects,
)
from statera.errors import InputError, UnknownNameError, UsageError

WIDE = (
    "Sample,Arm,week,IL6,TNF\nLLOQ,,,1,2\na,x,0,0.5,3\nb,x,4,OOR <,*8\nc,y,0,12,>500\nd,y,4,3,5\n"
)
ADAT = "\n".join(
    [
        "!Checksum\tnone", "^HEADER", "!AssayVersion\tV4", "^COL_DATA", "!Name\tSeqId\tTarget",
        "^ROW_DATA", "!Name\tSampleId\tSex", "^TABLE_BEGIN", "\t\tSeqId\t1-1\t2-2",
        "\t\tTarget\tIL6\tTNF", "SampleId\tSex\t\t\t", "S1\tF\t\t100\t200", "S2\tM\t\t110\t210",
        "S2\tM\t\t130\t250", "S3\tM\t\t90\t150",
    ]
)  # fmt: skip


def written(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def test_a_wide_table_is_found_with_the_columns_that_describe_samples(tmp_path: Path) -> None:
    file = written(tmp_path, "plex.csv", WIDE)
    found, kind = read_measurements(file, annotations=("week", "subject"))
    assert kind == "wide table (Luminex, MSD)"
    assert found.analyte_ids == ("IL6", "TNF")
    assert found.samples["week"].to_list() == ["0", "4", "0", "4"]
    assert (
        "Columns that describe samples, as their cells are no concentrations: Arm." in found.notes
    )
    assert found.below_lod[:, 0].tolist() == [True, True, False, False]
    logs = on_log2(found)
    assert logs.lod[0].tolist() == [0.0, 1.0]
    # a column of numbers that no one named is an analyte
    assert read_measurements(file)[0].analyte_ids == ("week", "IL6", "TNF")
    with pytest.raises(UsageError, match="linear scale"):
        read_measurements(file, "log2", annotations=("week",))


def test_an_adat_is_found_by_its_beginning(tmp_path: Path) -> None:
    file = written(tmp_path, "soma.txt", ADAT)
    with pytest.raises(InputError, match="named more than once: S2"):
        read_measurements(file)
    found, kind = read_measurements(file, duplicates="leave-out")
    assert kind == "SomaScan ADAT"
    assert found.sample_ids == ("S1", "S3")
    assert "1 samples stand more than once and were left out: S2." in found.notes
    mean = read_measurements(file, duplicates="mean")[0]
    np.testing.assert_equal(mean.values, [[100, 200], [120, 230], [90, 150]])
    assert mean.sample_ids == ("S1", "S2", "S3")
    assert mean.samples["Sex"].to_list() == ["F", "M", "M"]


def test_long_tables_by_the_names_of_instruments(tmp_path: Path) -> None:
    text = "Sample ID,Assay,Calc. Concentration,LLOD,Arm\na,IL6,2,1,x\nb,IL6,0.5,1,y\n"
    found, kind = read_measurements(written(tmp_path, "msd.csv", text))
    assert kind == "long table"
    assert found.below_lod.ravel().tolist() == [False, True]
    assert found.samples["Arm"].to_list() == ["x", "y"]
    twice = written(tmp_path, "twice.csv", text + "b,IL6,3,1,y\nc,IL6,4,1,y\n")
    with pytest.raises(InputError, match="1 pairs of sample and analyte"):
        read_measurements(twice)
    left, _ = read_measurements(twice, duplicates="leave-out")
    assert left.sample_ids == ("a", "c")
    assert "1 samples stand more than once and were left out: b." in left.notes
    mean, _ = read_measurements(twice, duplicates="mean")
    np.testing.assert_equal(mean.values.ravel(), [2.0, 1.75, 4.0])
    every = written(tmp_path, "every.csv", text + "b,IL6,3,1,y\na,IL6,4,1,y\n")
    with pytest.raises(InputError, match="every sample"):
        read_measurements(every, duplicates="leave-out")


def test_npx_and_wide_tables_leave_repeated_samples_out(tmp_path: Path) -> None:
    npx = "SampleID,OlinkID,NPX\na,O1,1\na,O2,2\nb,O1,3\nb,O1,4\nb,O2,5\n"
    found, _ = read_measurements(written(tmp_path, "npx.csv", npx), duplicates="leave-out")
    assert found.sample_ids == ("a",)
    wide = written(tmp_path, "plex.csv", WIDE + "d,y,4,5,7\n")
    left, _ = read_measurements(wide, annotations=("week",), duplicates="leave-out")
    assert left.sample_ids == ("a", "b", "c")
    mean, _ = read_measurements(wide, annotations=("week",), duplicates="mean")
    assert mean.values[3].tolist() == [4.0, 6.0]
    assert "their means are used: d" in mean.notes[-1] or any(
        "their means are used: d" in note for note in mean.notes
    )


def test_columns_of_no_format_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no known format"):
        read_measurements(written(tmp_path, "x.csv", "who,what\na,b\n"))
    with pytest.raises(InputError, match="no known format"):
        read_measurements(written(tmp_path, "y.csv", "sample,site\na,north\n"))


def test_rows_of_samples_that_stand_twice(tmp_path: Path) -> None:
    text = "SampleID,arm\na,x\nb,y\nb,y\nc,x\nc,y\n"
    file = written(tmp_path, "samples.csv", text)
    with pytest.raises(InputError, match="1 samples stand more than once: c"):
        read_samples(file)
    table, notes = read_sample_rows(file, "leave-out")
    assert table["sample"].to_list() == ["a", "b"]
    assert notes == (
        "1 rows say what another row of their sample says.",
        "1 samples stand more than once with different rows and were left out: c.",
    )


def test_columns_of_subjects_are_joined(tmp_path: Path) -> None:
    text = "sample,analyte,value,id\n1,A,2,p\n2,A,3,q\n3,A,5,q\n4,A,5,r\n"
    found, _ = read_measurements(written(tmp_path, "long.csv", text))
    exposure = written(tmp_path, "exposure.csv", "id,auc\np,10\nq,20\nz,30\n")
    table, notes = read_subjects(exposure, "id")
    assert notes == ()
    joined = join_subjects(found, table, "id")
    assert joined.samples["auc"].to_list() == ["10", "20", "20", None]
    assert joined.samples["sample"].to_list() == ["1", "2", "3", "4"]
    assert "1 subjects are not in the table of subjects: r." in joined.notes
    with pytest.raises(UnknownNameError, match="subject"):
        read_subjects(exposure, "subject")
    with pytest.raises(UnknownNameError, match="who"):
        join_subjects(found, table, "who")
    twice = written(tmp_path, "twice.csv", "id,auc\np,10\np,11\n")
    with pytest.raises(InputError, match="1 subjects stand more than once: p"):
        read_subjects(twice, "id")


XPONENT = """"Program","xPONENT","","MAGPIX"
"Build","4.2"

"Results"

"DataType:","Median"
"Location","Sample","IL-6","TNF","Total Events"
"1(1,A1)","s1","900","30","200"

"DataType:","Result"
"Location","Sample","IL-6","TNF","Total Events"
"1(1,A1)","Background0","NaN","NaN","200"
"2(1,B1)","Standard1","10","20","200"
"3(1,C1)","s1","4","<2.5","180"
"4(1,D1)","s1","6","<2.5","190"
"5(1,E1)","s2","5",">900","190"

"DataType:","Count"
"Location","Sample","IL-6","TNF","Total Events"
"3(1,C1)","s1","50","51","180"
"""


def test_an_export_of_xponent(tmp_path: Path) -> None:
    found, kind = read_measurements(written(tmp_path, "plate.csv", XPONENT), duplicates="leave-out")
    assert kind == "Luminex xPONENT"
    assert (found.sample_ids, found.analyte_ids) == (("s1", "s2"), ("IL-6", "TNF"))
    np.testing.assert_equal(found.values, [[5.0, np.nan], [5.0, np.nan]])
    assert found.below_lod.tolist() == [[False, True], [False, False]]
    assert found.lod[0, 1] == 2.5
    assert found.above_range[1, 1]
    assert "1 samples stand in several wells; their means are used: s1." in found.notes
    assert "Controls and standards were left out: Background0, Standard1." in found.notes
    with pytest.raises(InputError, match="named more than once: s1"):
        read_measurements(tmp_path / "plate.csv")
    bare = XPONENT.replace('"Result"', '"Net MFI"')
    with pytest.raises(InputError, match="only: Median, Net MFI, Count"):
        read_measurements(written(tmp_path, "bare.csv", bare), duplicates="mean")
    short = XPONENT.replace('"s2","5",">900","190"', '"s2","5"')
    with pytest.raises(InputError, match="3 cells where 5 belong"):
        read_measurements(written(tmp_path, "short.csv", short), duplicates="mean")
    only = XPONENT.replace('"s1"', '"Control1"').replace('"s2"', '"Standard 2"')
    with pytest.raises(InputError, match="controls only"):
        read_measurements(written(tmp_path, "only.csv", only), duplicates="mean")
