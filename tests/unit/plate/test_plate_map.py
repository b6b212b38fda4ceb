from __future__ import annotations

from pathlib import Path

import pytest

from statera.errors import InputError
from statera.plate.plate_map import Columns, Condition, read_plate_map

HEAD = "well,file,donor,cytokine,condition,dose_nM\n"


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "map.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_wells_keep_what_the_rows_say(tmp_path: Path) -> None:
    rows = "a1,x.fcs,D1,IL-6,unstim,0\nH12,y.fcs,D1,IL-6,dose,0.3\n"
    found = read_plate_map(write(tmp_path, HEAD + rows))
    first, second = found.wells
    assert (first.well, first.row, first.column) == ("A01", 0, 0)
    assert first.condition is Condition.UNSTIMULATED
    assert (second.row, second.column, second.dose) == (7, 11, 0.3)
    assert found.problems == ()


@pytest.mark.parametrize(("heading", "dose"), [("dose_uM", 300.0), ("baricitinib_pM", 0.0003)])
def test_doses_are_taken_to_nanomolar_from_the_heading(
    tmp_path: Path, heading: str, dose: float
) -> None:
    text = f"well,file,condition,{heading}\nA1,x.fcs,dose,0.3\n"
    (well,) = read_plate_map(write(tmp_path, text)).wells
    assert well.dose == pytest.approx(dose)


def test_semicolons_and_other_names_of_columns(tmp_path: Path) -> None:
    text = "position;fcs;what;conc\nB2;x.fcs;STIM DMSO;0\n"
    columns = Columns(well="position", file="fcs", condition="what", dose="conc")
    (well,) = read_plate_map(write(tmp_path, text), columns).wells
    assert (well.name, well.condition) == ("B02", Condition.STIMULATED)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("Q1,x.fcs,D1,IL-6,dose,1", "'Q1' is not a well"),
        ("A25,x.fcs,D1,IL-6,dose,1", "'A25' is not a well"),
        ("A1,x.fcs,D1,IL-6,treat,1", "'treat' is not a condition"),
        ("A1,x.fcs,D1,IL-6,,1", "the condition is missing"),
        ("A1,x.fcs,D1,IL-6,dose,-1", "the dose '-1' is not a number of 0 or more"),
        ("A1,x.fcs,D1,IL-6,dose,1 nM", "the dose '1 nM' is not a number"),
        ("A1,x.fcs,D1,IL-6,dose,nan", "the dose 'nan' is not a number"),
        ("A1,x.fcs,D1,IL-6,dose,0", "a well of condition 'dose' has no dose"),
        ("A1,x.fcs,D1,IL-6,stim,3", "a control has a dose of 3"),
        ("B1,x.fcs,D1,IL-6,dose,1", "well B01 stands in line 2 already"),
        ("C1,good.fcs,D1,IL-6,dose,1", "belongs to well B01 (line 2) already"),
    ],
)
def test_a_wrong_row_is_named_by_its_line_and_the_others_are_kept(
    tmp_path: Path, row: str, said: str
) -> None:
    found = read_plate_map(write(tmp_path, f"{HEAD}B1,good.fcs,D1,IL-6,dose,1\n{row}\n"))
    assert [w.well for w in found.wells] == ["B01"]
    (problem,) = found.problems
    assert said in problem.sentence
    assert problem.where.endswith("map.csv:3")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the plate map is empty"),
        ("well,file,condition\nA1,x,dose\n", "the column of doses is not clear: none"),
        ("well,file,condition,a_nM,b_nM\n", "the column of doses is not clear: a_nM, b_nM"),
        ("well,condition,dose_nM\n", "no column 'file'"),
        ("well,well,file,condition,dose_nM\n", "the column 'well' occurs twice"),
        (HEAD + "Q1,x,,,dose,1\n", "no well of the plate map can be used"),
        (HEAD + 'A1,"x,,,dose,1\n', "not valid CSV"),
    ],
)
def test_a_map_of_no_use_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read_plate_map(write(tmp_path, text))


def test_a_missing_map_says_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot read the file") as caught:
        read_plate_map(tmp_path / "none.csv")
    assert "none.csv" in str(caught.value)
