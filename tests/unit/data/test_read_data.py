"""Data of a fit: what is observed, what is left out, and that all of it is said."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from statera.data import FitData, check_data, read_data
from statera.data.fit_checks import KINDS
from statera.errors import InputError, UsageError

TABLE = """ID,TIME,AMT,EVID,MDV,DV,DVID,OCC,WT
1,0,100,1,1,.,0,1,70
1,1,0,0,0,5.5,1,1,70
1,1,0,0,0,80,2,1,70
1,2,0,0,1,4.1,1,2,70
1,3,0,2,1,.,0,2,70
1,4,0,0,0,.,1,2,70
2,0,0,0,0,1.5,1,7,55
2,5,100,1,1,.,0,7,55
2,6,0,0,0,2.5,1,9,55
2,8,50,1,1,.,0,7,55
"""
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def make(text: str = TABLE, name: str = "study.csv") -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return make


def kinds_of(data: FitData) -> list[tuple[str, int]]:
    return [(f.kind, f.line) for f in data.report.findings]


def test_observations_stand_in_the_order_of_the_table(write: Write) -> None:
    data = read_data(write())
    assert data.n_obs == 4
    np.testing.assert_array_equal(data.dv, [5.5, 80, 1.5, 2.5])
    np.testing.assert_array_equal(data.dvid, [1, 2, 1, 1])
    np.testing.assert_array_equal(data.subject, [0, 0, 1, 1])
    np.testing.assert_array_equal(data.line, [3, 4, 8, 10])
    np.testing.assert_array_equal(data.record, [1, 2, 6, 8])
    # rows 2, 3 and 4 are a record with MDV 1, one of EVID 2 and one without DV
    np.testing.assert_array_equal(data.row, [0, 1, 5, 6])
    assert data.events.row.max() == 4
    np.testing.assert_array_equal(data.events.time[data.record], [1, 1, 0, 6])
    assert data.occasion is not None
    np.testing.assert_array_equal(data.occasion, [0, 0, 0, 1, 1, 1, 0, 0, 1, 0])
    np.testing.assert_array_equal(data.cens, 0)
    assert np.isnan(data.limit).all()
    assert set(data.events.covariates) == {"OCC", "WT"}


def test_the_report_counts_and_names_everything(write: Write) -> None:
    report = read_data(write(), ignore=["WT.GT.90"], accept="ID<5").report
    assert (report.subjects, report.records, report.doses, report.predictions) == (2, 10, 3, 3)
    assert report.observations == {"1": 3, "2": 1}
    assert [(e.rule, e.records) for e in report.excluded] == [
        ("ignore WT.GT.90", 0),
        ("accept ID<5", 0),
    ]
    assert [(f.kind, f.line) for f in report.findings] == [
        ("before_first_dose", 8),
        ("after_last_observation", 11),
        ("missing_dv", 7),
    ]
    text = str(report)
    assert "2 subjects, 10 records, 3 doses, 4 observations, 3 records" in text
    assert "line 7: DV is missing" in text
    plain = json.loads(json.dumps(report.to_dict()))
    assert plain["observations"] == {"1": 3, "2": 1}
    assert plain["findings"][0]["kind"] == "before_first_dose"


@pytest.mark.parametrize(
    ("rules", "left", "counts"),
    [
        ({"ignore": "DVID.EQ.2"}, [5.5, 1.5, 2.5], [1]),
        ({"ignore": ["(ID.EQ.2, dv>50)"]}, [5.5], [4, 1]),
        ({"ignore": ["ID==2", "ID=1"], "accept": ()}, None, []),
        ({"accept": ["ID.NE.2"]}, [5.5, 80], [4]),
        ({"accept": ["WT<=55", "DV.EQ.80"]}, [80, 1.5, 2.5], [5]),
        ({"ignore": 'OCC.EQ."7"'}, [5.5, 80, 2.5], [3]),
        ({"ignore": "DV.EQ.."}, [5.5, 80, 1.5, 2.5], [5]),
        ({"ignore": "DV<3"}, [5.5, 80], [2]),
    ],
)
def test_conditions(
    write: Write, rules: dict[str, Any], left: list[float] | None, counts: list[int]
) -> None:
    if left is None:
        with pytest.raises(InputError, match="no records"):
            read_data(write(), **rules)
        return
    data = read_data(write(), **rules)
    assert data.dv.tolist() == left
    assert [e.records for e in data.report.excluded] == counts
    assert data.report.records == 10 - sum(counts)


@pytest.mark.parametrize(
    ("ignore", "what"),
    [
        ("DOSE", "cannot read the condition 'DOSE'"),
        ("DOSE.EQ.1", "no column is called 'DOSE'"),
        ("ID.GT.abc", "order of texts"),
        ("ID == 1 and WT == 2", "cannot read"),
    ],
)
def test_conditions_that_cannot_be_read(write: Write, ignore: str, what: str) -> None:
    with pytest.raises(InputError, match=what):
        read_data(write(), ignore=ignore)


def test_marked_lines_and_names_instead_of_a_header(write: Write) -> None:
    text = "C,a title,,\nC,ID,TIME,CONC\n.,1,0,2\n#,1,1,3\n.,1,2,4\n"
    names = ["", "ID", "TIME", "DV"]
    data = read_data(write(text), ignore="C", names=names)
    assert data.dv.tolist() == [2, 4]
    (rule,) = data.report.excluded
    assert (rule.rule, rule.records, rule.first_line) == ("lines marked by #, C", 3, 1)
    data = read_data(write("ID TIME DV\n1 0 3 9\n@ 0 0\n1 1 4 9\n"), ignore="@", names=names[1:])
    assert data.dv.tolist() == [3, 4]
    assert "2 lines have more values than there are names" in str(data.report)
    assert read_data(write("ID,TIME,DV\nx,0,3\n1,1,4\n"), ignore="@").dv.tolist() == [4]
    with pytest.raises(InputError, match="first line holds numbers"):
        read_data(write(text), ignore="C")
    with pytest.raises(InputError, match="2 values, the header 3"):
        read_data(write("1 0\n"), names=names[1:])


def test_compressed_files(tmp_path: Path) -> None:
    path = tmp_path / "study.csv.gz"
    path.write_bytes(gzip.compress(TABLE.encode()))
    assert read_data(path).n_obs == 4
    path.write_bytes(gzip.compress(TABLE.encode())[:60])
    with pytest.raises(InputError, match="damaged"):
        read_data(path)


def test_frames_and_columns_of_any_name() -> None:
    frame = pl.DataFrame({"subj": [1, 1], "time": [0, 1], "conc": [3.0, None], "AGE": [40, 40]})
    data = read_data(frame, columns={"id": "SUBJ", "Dv": "Conc"})
    assert data.dv.tolist() == [3]
    assert kinds_of(data) == [("no_doses", 1), ("missing_dv", 2)]
    assert any("no column EVID" in note for note in data.report.notes)
    with pytest.raises(InputError, match="no role is called 'WEIGHT'"):
        read_data(frame, columns={"ID": "subj", "WEIGHT": "AGE"})
    with pytest.raises(InputError, match="no column is called 'concentration'"):
        read_data(frame, columns={"ID": "subj", "DV": "concentration"})
    with pytest.raises(InputError, match="there is no column DV"):
        read_data(frame, columns={"ID": "subj"})
    with pytest.raises(InputError, match="files only"):
        read_data(frame, names=["ID"])


BLQ = {
    "ID": [1, 1, 1, 1, 1],
    "TIME": [0, 1, 2, 3, 4],
    "DV": ["5", "0.5", "0.2", ".", "90"],
    "CENS": [0, 0, 1, 1, -1],
}


def test_censored_values() -> None:
    data = read_data({**BLQ, "LLOQ": [0.4] * 5, "LIMIT": ["", "", "0.1", "", ""]})
    assert data.cens.tolist() == [0, 0, 1, 1, -1]
    assert data.dv.tolist() == [5, 0.5, 0.4, 0.4, 90]
    assert data.limit.tolist() == [0.4, 0.4, 0.4, 0.4, 90]
    np.testing.assert_array_equal(data.lower, [np.nan, np.nan, 0.1, np.nan, np.nan])
    assert data.report.below == {"1": 2}
    assert data.report.above == {"1": 1}
    assert "2 below the limit of quantification, 1 above" in str(data.report)


def test_censored_values_at_their_own_limit() -> None:
    with pytest.raises(InputError, match="neither DV nor LLOQ") as caught:
        read_data(BLQ)
    assert str(caught.value.where) == "table:4"
    data = read_data({k: v[:3] for k, v in BLQ.items()})
    assert data.limit[2] == 0.2
    assert np.isnan(data.limit[:2]).all()


def test_values_below_a_limit_are_censored() -> None:
    table = {k: v for k, v in BLQ.items() if k != "CENS"}
    data = read_data(table, lloq=0.5)
    assert data.cens.tolist() == [0, 0, 1, 0]
    assert data.dv.tolist() == [5, 0.5, 0.5, 90]
    assert kinds_of(data) == [("no_doses", 1), ("missing_dv", 4)]
    data = read_data({**table, "DVID": ["a", "a", "b", "a", "b"]}, lloq={"a": 1})
    assert data.cens.tolist() == [0, 1, 0, 0]
    assert data.dvid.tolist() == [1, 1, 2, 2]
    assert data.dvid_labels == {1: "a", 2: "b"}
    with pytest.raises(UsageError, match="no observation is of kind 'c'"):
        read_data(table, lloq={"c": 1})
    with pytest.raises(UsageError, match="has a column LLOQ"):
        read_data({**table, "LLOQ": [1] * 5}, lloq=1)


def test_wrong_marks_of_censoring_are_problems() -> None:
    report = check_data({**BLQ, "CENS": [0, 2, 0, 0, "x"], "LLOQ": ["a", 1, 1, 1, 1]})
    assert [(p.line, p.what) for p in report.problems] == [
        (1, "LLOQ: 'a' is not a number"),
        (2, "CENS must be 1, 0 or -1, not 2"),
        (5, "CENS: 'x' is not a number"),
    ]
    data = read_data({**BLQ, "MDV": [0, 0, 1, 0, 0], "LLOQ": [1] * 5})
    assert ("censored_mdv", 3) in kinds_of(data)
    assert data.n_obs == 4


def test_kinds_of_observations() -> None:
    table = {"ID": [1] * 4, "TIME": [0, 1, 2, 3], "DV": [1, 2, 3, 4], "DVID": ["b", "b", "a", "b"]}
    data = read_data(table, dvid={"a": 1, "b": 5})
    assert data.dvid.tolist() == [5, 5, 1, 5]
    assert data.report.observations == {"a": 1, "b": 3}
    problems = check_data(table, dvid={"b": 5}).problems
    assert [(p.line, p.what) for p in problems] == [
        (3, "DVID 'a' has no number: give it one by dvid")
    ]
    assert check_data({**table, "DVID": [1, 1, "", 1]}).problems[0].line == 3
    with pytest.raises(UsageError, match="the same number"):
        read_data(table, dvid={"a": 1, "b": 1})
    del table["DVID"]
    with pytest.raises(UsageError, match="no column DVID"):
        read_data(table, dvid={"a": 1})
    data = read_data({**table, "CMT": [2, 2, 3, 2]})
    assert any("compartments 2, 3" in note for note in data.report.notes)
    data = read_data({**table, "CMT": [2, 2, 3, 2]}, columns={"DVID": "CMT"})
    assert data.dvid.tolist() == [2, 2, 3, 2]


def test_findings() -> None:
    table = {
        "ID": [1, 1, 1, 1, 2, 3],
        "TIME": [0, 1, 1, 2, 0, 0],
        "AMT": [10, 0, 0, 0, 10, 0],
        "EVID": [1, 0, 0, 0, 1, 0],
        "DV": [7, 3, 4, -1, 0, 50],
    }
    assert kinds_of(read_data(table)) == [
        ("no_doses", 6),
        ("no_observations", 5),
        ("duplicate_time", 3),
        ("dv_at_dose", 1),
        ("not_positive", 4),
    ]
    log = read_data(table, dv_scale="log")
    assert kinds_of(log)[-1] == ("logarithm", 6)
    np.testing.assert_allclose(log.to_natural().dv, np.exp([3, 4, -1, 50]))
    with pytest.raises(UsageError, match="natural scale already"):
        log.to_natural().to_natural()
    assert {k for k, _ in kinds_of(read_data(table))} <= set(KINDS)


def test_dropped_columns(write: Write) -> None:
    data = read_data(write(), drop=["evid", "OCC"], ignore="EVID.EQ.2")
    assert data.occasion is None
    assert data.report.records == 9
    assert "column EVID is not used: it is dropped" in data.report.notes
    with pytest.raises(InputError, match="no column is called 'SS'"):
        read_data(write(), drop=["SS"])
    with pytest.raises(UsageError, match="not a scale"):
        read_data(write(), dv_scale="ln")  # type: ignore[arg-type]


def test_units_and_missing_occasions(write: Write) -> None:
    data = read_data(write(), time_unit="day", amount_unit="g")
    assert data.events.time[1] == 24
    assert data.events.amount[0] == 100_000
    problems = check_data(write(TABLE.replace("5.5,1,1,70", "5.5,1,.,70"))).problems
    assert [(p.line, p.what) for p in problems] == [(3, "OCC is missing")]


def test_all_problems_of_records_and_observations_are_counted(write: Write) -> None:
    text = TABLE.replace("1,2,0,0,1,4.1", "1,-2,0,0,1,4.1").replace(
        "2,6,0,0,0,2.5", "2,x,0,0,0,2.5"
    )
    report = check_data(write(text))
    assert [p.line for p in report.problems] == [10]
    assert report.findings == ()
    text = TABLE.replace("1,2,0,0,1,4.1", "1,-2,0,0,1,4.1").replace("50,1,1,.,0", "0,1,1,.,0")
    report = check_data(write(text))
    assert [(p.line, p.what.split(" (")[0]) for p in report.problems] == [
        (5, "time goes back within the subject"),
        (11, "a dose record has amount 0"),
    ]
    assert "line 5: time goes back" in str(report)
    with pytest.raises(InputError, match="2 problems in all"):
        read_data(write(text))
