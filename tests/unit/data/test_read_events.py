"""Reading event tables: what is kept, what is said, and which line is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from statera.data import check_events, read_events
from statera.errors import InputError, Place, UnknownNameError, UsageError

TABLE = """\
# made by hand
ID,TIME,EVID,AMT,RATE,II,ADDL,SS,CMT,DV,MDV,WT,SEX,NOTE
7,0,1,100,.,12,2,0,1,.,1,70,0,first
7,1,0,.,.,.,.,.,2,3.5,0,71,0,

7,2,0,.,.,.,.,.,2,4.5,1,.,0,
9,0,4,50,-2,,,,2,.,1,60,1,
9,5,2,.,.,.,.,.,.,.,1,60,1,
9,6,0,.,.,.,.,.,2,1.0D-01,0,60,1,
"""


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def make(text: str) -> Path:
        path = tmp_path / "table.csv"
        path.write_text(text, encoding="utf-8")
        return path

    return make


def test_a_file_becomes_records_and_a_report(write: Any) -> None:
    path = write(TABLE)
    data = read_events(path)
    events = data.events
    assert events.subject_ids == ("7", "9")
    assert events.offsets.tolist() == [0, 3, 6]
    assert events.time.tolist() == [0, 1, 2, 0, 5, 6]
    assert events.evid.tolist() == [1, 0, 0, 4, 2, 0]
    assert events.dose_keys == (("1", 100.0), ("2", 50.0))
    assert events.rate.tolist() == [0, 0, 0, -2, 0, 0]
    assert events.additional.tolist() == [2, 0, 0, 0, 0, 0]
    assert events.row.tolist() == [-1, 0, 1, -1, -1, 0]
    assert list(events.covariates) == ["WT", "SEX"]
    np.testing.assert_array_equal(events.covariates["WT"], [70, 71, np.nan, 60, 60, 60])
    np.testing.assert_array_equal(data.observed, [3.5, np.nan, 0.1])
    assert data.compartment.tolist() == [2, 2, 2]
    assert data.lines.tolist() == [3, 4, 6, 7, 8, 9]
    report = data.report
    counts = (report.subjects, report.records, report.doses, report.observations, report.others)
    assert counts == (2, 6, 2, 3, 1)
    assert report.source == str(path)
    assert report.notes == (
        "column WT is missing on 1 records",
        "column NOTE is not used: 'first' on line 3 is not a number",
        "1 comment lines are left out (from line 1)",
    )
    assert "2 subjects, 6 records: 2 doses, 3 observations, 1 others" in str(report)


@pytest.mark.parametrize(
    ("old", "new", "line", "what"),
    [
        ("7,1,0,.", "7,one,0,.", 4, r"column TIME \(TIME\): 'one' is not a number"),
        ("7,1,0,.", "7,10:30,0,.", 4, "times of day are not read"),
        ("7,1,0,.", "7,.,0,.", 4, r"column TIME \(TIME\) is missing"),
        ("7,1,0,.", ".,1,0,.", 4, r"column ID \(ID\) is missing"),
        ("7,1,0,.", "7,3,0,.", 6, "time goes back within the subject"),
        ("7,1,0,.", "9,1,0,.", 6, "the records of subject 7 do not stand together"),
        ("7,0,1,100", "7,0,1,-100", 3, "a dose must be a number, not negative"),
        ("7,0,1,100", "7,0,1,inf", 3, "'inf' is not a number"),
        ("7,0,1,100", "7,0,1,1_0", 3, "'1_0' is not a number"),
        ("7,0,1,100", "7,0,7,100", 3, "EVID must be"),
        ("7,0,1,100", "7,0,1.5,100", 3, "EVID must be a whole number"),
        ("9,5,2,.,.,.,.,.,.", "9,5,2,.,.,.,.,.,-2", 8, "CMT below zero"),
    ],
)
def test_the_line_of_a_problem_is_named(
    write: Any, old: str, new: str, line: int, what: str
) -> None:
    path = write(TABLE.replace(old, new))
    with pytest.raises(InputError, match=what) as caught:
        read_events(path)
    assert caught.value.where == Place(str(path), line)
    report = check_events(path)
    assert line in [p.line for p in report.problems]


def test_all_problems_are_counted_and_listed(write: Any) -> None:
    rows = [f"1,{t},0,x" for t in range(20)]
    path = write("\n".join(["ID,TIME,EVID,AMT", *rows]))
    with pytest.raises(InputError, match="20 problems in all") as caught:
        read_events(path)
    assert "line 3: " in caught.value.hint
    assert "and 12 more" in caught.value.hint
    assert [p.line for p in check_events(path).problems] == list(range(2, 22))


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "the file is empty"),
        ("ID,TIME\n1,2,3\n", "the line has 3 values, the header 2 names"),
        ("ID,TIME,ID\n1,2,3\n", "'ID' stands twice"),
        ("ID,TIME,\n1,2,3\n", "column 3 has no name"),
        ("1,0,100\n1,2,3\n", "a line with column names is needed"),
        ("ID,AMT\n1,2\n", "there is no column TIME"),
        ("ID,TIME\n", "there are no records"),
    ],
)
def test_a_file_without_a_table_is_refused(write: Any, text: str, what: str) -> None:
    with pytest.raises(InputError, match=what):
        read_events(write(text))


def test_a_file_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        read_events(tmp_path / "none.csv")
    (tmp_path / "bytes.csv").write_bytes(b"ID,TIME\n\xff\xfe,1\n")
    with pytest.raises(InputError, match="not UTF-8"):
        read_events(tmp_path / "bytes.csv")
    with pytest.raises(InputError, match="cannot read events from int"):
        read_events(3)


@pytest.mark.parametrize("delimiter", [";", "\t", "  "])
def test_other_delimiters_are_recognised(write: Any, delimiter: str) -> None:
    text = "ID,TIME,AMT\n1,0,100\n1,2,.\n".replace(",", delimiter)
    events = read_events(write(text)).events
    assert events.time.tolist() == [0.0, 2.0]
    assert events.amount.tolist() == [100.0, 0.0]


def test_record_types_are_taken_from_amounts_without_a_column(write: Any) -> None:
    data = read_events(write("ID,TIME,AMT,MDV\n1,0,100,1\n1,1,.,0\n1,2,.,1\n"))
    assert data.events.evid.tolist() == [1, 0, 2]
    assert "there is no column EVID: it is taken from AMT, RATE and MDV" in data.report.notes


def test_columns_may_have_any_name(write: Any) -> None:
    path = write("subj,Hours,DOSE,evid,id\n1,0,100,1,5\n1,2,0,0,6\n")
    names = {"ID": "subj", "time": "Hours", "AMT": "DOSE"}
    data = read_events(path, columns=names, covariates=[])
    assert data.events.subject_ids == ("1",)
    assert data.events.evid.tolist() == [1, 0]
    assert data.report.notes == ("column id is not used",)
    with pytest.raises(UnknownNameError, match="no role is called 'DOSE'"):
        read_events(path, columns={"DOSE": "DOSE"})
    with pytest.raises(UnknownNameError, match="no column is called 'SUBJ'"):
        read_events(path, columns={"ID": "SUBJ"})
    with pytest.raises(UnknownNameError, match="no column is called 'WT'"):
        read_events(path, columns=names, covariates=["WT"])
    with pytest.raises(InputError, match="columns ID and id are both ID"):
        read_events({"ID": [1], "id": [2], "TIME": [0.0]})
    with pytest.raises(UsageError, match="two roles"):
        read_events(path, columns={"ID": "subj", "TIME": "subj"})


def test_a_covariate_asked_for_must_be_numbers(write: Any) -> None:
    with pytest.raises(InputError, match="column WT: 'heavy' is not a number"):
        read_events(write("ID,TIME,AMT,WT\n1,0,100,heavy\n"), covariates=["WT"])


def test_units_are_converted(write: Any) -> None:
    text = "ID,TIME,AMT,RATE,II,ADDL\n1,0,5,10,1,1\n1,2,.,.,.,.\n"
    events = read_events(write(text), time_unit="day", amount_unit="g").events
    assert events.time.tolist() == [0.0, 48.0]
    assert events.amount.tolist() == [5000.0, 0.0]
    assert events.rate[0] == pytest.approx(10_000 / 24)
    assert events.interval[0] == 24.0


class _Frame:
    """Columns by name, as pandas gives them: iterable ``columns`` and ``frame[name]``."""

    def __init__(self, columns: dict[str, list[Any]]) -> None:
        self.columns = list(columns)
        self._columns = columns

    def __getitem__(self, name: str) -> list[Any]:
        return self._columns[name]


FRAME: dict[str, list[Any]] = {
    "ID": [1, 1, 2], "TIME": [0.0, 1.5, 0.0], "AMT": [100.0, None, 20.0],
    "EVID": [1, 0, 1], "WT": [70.0, None, 81.5], "CMT": [1, 2, 1],
}  # fmt: skip


@pytest.mark.parametrize("kind", [dict, pl.DataFrame, _Frame])
def test_frames_are_read_as_files_are(kind: Any, write: Any) -> None:
    data = read_events(kind(FRAME))
    text = "ID,TIME,AMT,EVID,WT,CMT\n1,0,100,1,70,1\n1,1.5,.,0,.,2\n2,0,20,1,81.5,1\n"
    from_file = read_events(write(text)).events
    assert data.events.subject_ids == from_file.subject_ids == ("1", "2")
    for name in ("time", "amount", "evid", "key", "row", "offsets"):
        assert getattr(data.events, name).tolist() == getattr(from_file, name).tolist()
    np.testing.assert_array_equal(data.events.covariates["WT"], from_file.covariates["WT"])
    assert data.lines.tolist() == [1, 2, 3]
    with pytest.raises(InputError, match="time goes back") as caught:
        read_events(kind(FRAME | {"TIME": [2.0, 1.5, 0.0]}))
    assert str(caught.value.where) == "table:2"


def test_a_frame_with_unequal_columns_is_refused() -> None:
    with pytest.raises(InputError, match="differ in length"):
        read_events({"ID": [1, 1], "TIME": [0.0]})


def test_time_may_go_back_at_a_reset(write: Any) -> None:
    text = "ID,TIME,EVID,AMT\n1,0,1,100\n1,9,0,.\n1,0,4,100\n1,3,0,.\n"
    assert read_events(write(text)).events.time.tolist() == [0, 9, 0, 3]
