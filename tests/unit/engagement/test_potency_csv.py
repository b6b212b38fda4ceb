"""A user's potency table: what is read, and where each mistake is placed."""

from __future__ import annotations

from pathlib import Path

import pytest

from statera.engagement.potency_csv import MAX_BYTES, read_potency_csv
from statera.errors import InputError, Place
from statera.sources.fact import Relation

HEADER = "drug,cytokine,readout,assay,relation,value,unit,hill,source\n"


def write(folder: Path, text: str) -> Path:
    path = folder / "own.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_full_table(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        HEADER
        + "examplinib,IL-6,pSTAT3,whole blood,,44,nM,1.1,own\n"
        + "\n"
        + ',IL-15,"pSTAT5, CD8",cellular,<,0.05,uM,,\n'
        + ",IL-2,pSTAT5,,,10-20,ng/mL,,own\n"
        + ",IL-4,pSTAT6,,,>=300,nM,,own\n",
    )
    first, second, third, fourth = read_potency_csv(path, drug="otherinib")
    assert (first.drug, first.stimulus, first.readout) == ("examplinib", "IL-6", "pSTAT3")
    assert (first.value, first.hill, first.hill_assumed) == (44.0, 1.1, False)
    assert first.matrix == "whole_blood"
    assert (second.drug, second.readout) == ("otherinib", "pSTAT5, CD8")
    assert (second.relation, second.value) == (Relation.LESS, pytest.approx(50.0))
    assert second.unit == "nM"
    assert second.hill_assumed
    assert (third.relation, third.low, third.high) == (Relation.RANGE, 10.0, 20.0)
    assert third.unit == "ng/mL"
    assert fourth.relation is Relation.AT_LEAST


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_other_separators_and_a_byte_order_mark(tmp_path: Path, delimiter: str) -> None:
    text = "\ufeffTarget,Value,Unit,Matrix\nJAK1,5.9,nM,Whole blood\n".replace(",", delimiter)
    (potency,) = read_potency_csv(write(tmp_path, text))
    assert (potency.target, potency.value, potency.matrix) == ("JAK1", 5.9, "whole_blood")


@pytest.mark.parametrize(
    ("text", "message", "line", "column"),
    [
        ("cytokine,value,unit\nIL-6,44,nM\nIL-15,44,wombats\n", "not a unit", 3, 10),
        ("cytokine,value,unit\nIL-6,44,h\n", "not a concentration", 2, 9),
        ("cytokine,value,unit\nIL-6,44,\n", "unit is missing", 2, 9),
        ("cytokine,value,unit\nIL-6,-44,nM\n", "below zero", 2, 6),
        ("cytokine,value,unit\nIL-6,0,nM\n", "not plausible", 2, 6),
        ("cytokine,value,unit\nIL-6,,nM\n", "value is missing", 2, 6),
        ('cytokine,value,unit\n"IL-6, high",x,nM\n', "not a number", 2, 14),
        ("cytokine;value;unit\nIL-6;4,4;nM\n", "not a number", 2, 6),
        ("cytokine,target,value,unit\n,,4,nM\n", "neither a cytokine", 2, 1),
        ("cytokine,value,unit,hill\nIL-6,4,nM,steep\n", "not a Hill", 2, 11),
        ("cytokine,value,unit,hill\nIL-6,4,nM,-1\n", "Hill coefficient of -1", 2, 11),
        ("cytokine,value,unit,matrix\nIL-6,4,nM,soup\n", "no matrix", 2, 11),
        ("cytokine,relation,value,unit\nIL-6,less,4,nM\n", "no relation", 2, 6),
        ("cytokine,relation,value,unit\nIL-6,>,<4,nM\n", "does not fit", 2, 6),
        ("cytokine,relation,value,unit\nIL-6,range,4,nM\n", "does not fit", 2, 6),
        ("cytokine,relation,value,unit\nIL-6,<,4-5,nM\n", "does not fit", 2, 6),
        ("cytokine,vale,unit\nIL-6,4,nM\n", "no column is called 'vale'", 1, 10),
        ("cytokine,value,value,unit\nIL-6,4,4,nM\n", "occurs twice", 1, 16),
        ("cytokine,value,unit\nIL-6,4\n", "2 fields", 2, None),
        ("cytokine,value\nIL-6,4\n", "missing column: unit", 1, None),
        ("readout,value,unit\npSTAT3,4,nM\n", "cytokine or target", 1, None),
        ("cytokine,stimulus,value,unit\nIL-6,a,4,nM\n", "same column", 1, None),
        ("cytokine,value,unit\nIL-6,4,nM\nIL-15,4,nM\nil-6,5,nM\n", "repeats line 2", 4, None),
        ('cytokine,value,unit\n"IL-6,4,nM\n', "not valid CSV", 2, None),
        ("cytokine,value,unit\n", "no rows", None, None),
        ("\n\n", "is empty", None, None),
        ("", "is empty", None, None),
    ],
)
def test_mistakes_are_placed(
    tmp_path: Path, text: str, message: str, line: int | None, column: int | None
) -> None:
    path = write(tmp_path, text)
    with pytest.raises(InputError, match=message) as caught:
        read_potency_csv(path)
    assert caught.value.where == Place(str(path), line, column)
    assert caught.value.exit_code == 3


def test_a_misspelt_column_is_answered_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_potency_csv(write(tmp_path, "cytokin,value,unit\nIL-6,4,nM\n"))
    assert "cytokine" in caught.value.hint


def test_the_same_measure_from_two_sources_is_no_duplicate(tmp_path: Path) -> None:
    text = "cytokine,value,unit,source\nIL-6,4,nM,lab A\nIL-6,5,nM,lab B\n"
    assert len(read_potency_csv(write(tmp_path, text))) == 2


def test_a_relation_stated_twice_alike_is_accepted(tmp_path: Path) -> None:
    text = "cytokine,relation,value,unit\nIL-6,<=,≤4,nM\n"
    (potency,) = read_potency_csv(write(tmp_path, text))
    assert potency.relation is Relation.AT_MOST


def test_a_field_over_two_lines_keeps_the_count(tmp_path: Path) -> None:
    path = write(tmp_path, 'cytokine,value,unit,note\nIL-6,4,nM,"one\ntwo"\nIL-15,x,nM,\n')
    with pytest.raises(InputError, match="not a number") as caught:
        read_potency_csv(path)
    assert caught.value.where == Place(str(path), 4, 7)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_potency_csv(tmp_path / "absent.csv")
    with pytest.raises(InputError, match="cannot be read"):
        read_potency_csv(tmp_path)
    latin = tmp_path / "latin.csv"
    latin.write_bytes("cytokine,value,unit\nIL-6,4,µM\n".encode("latin-1"))
    with pytest.raises(InputError, match="not UTF-8"):
        read_potency_csv(latin)
    large = tmp_path / "large.csv"
    large.write_bytes(b"x" * (MAX_BYTES + 1))
    with pytest.raises(InputError, match="larger than"):
        read_potency_csv(large)
