from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from statera.biomarker.index_catalogue import INDICES, IndexOptions
from statera.biomarker.index_table import index_of_table, read_index_table
from statera.errors import InputError, UnknownNameError

TABLE = {
    "TJC": ["4", "29", "4", "4", "x"],
    "SJC": ["5"] * 5,
    "CRP": ["7", "7", "NA", "7", "7"],
    "global": ["50"] * 5,
}


def test_a_bad_row_does_not_stop_the_others() -> None:
    found = index_of_table(TABLE, "das28-crp", {"gh": "global"})
    assert found.results["das28"][[0, 3]] == pytest.approx(4.154697988704682)
    assert np.isnan(found.results["das28"][[1, 2, 4]]).all()
    assert found.results["state"].tolist() == ["moderate", "", "", "moderate", ""]
    assert found.status[0] == "ok"
    assert found.status[1].startswith("refused: tender joints (28) 29 is not possible")
    assert found.status[2] == "missing: CRP"
    assert found.status[4] == "refused: 'x' in column TJC is not a number"


def test_data_frames_and_mappings_agree() -> None:
    frame = pl.DataFrame({"tjc": [4, None], "sjc": [5, 1], "esr": [7.0, 8.0]})
    ours = index_of_table(frame, "das28-esr3").results["das28"]
    same = index_of_table(frame.to_pandas(), "das28-esr3").results["das28"]
    np.testing.assert_array_equal(ours, same)
    assert np.isnan(ours[1])


def test_a_refused_row_of_a_response_is_no_verdict() -> None:
    parts = ("tjc", "sjc", "ptg", "phg", "pain", "haq", "acute_phase")
    base = {f"{p}_baseline": [10, 10, 10] if p != "haq" else [2, 2, 2] for p in parts}
    later = {p: [0, 0, np.nan] for p in parts}
    found = index_of_table({**base, **later, "sjc": [0, 99, np.nan]}, "acr")
    np.testing.assert_equal(found.results["acr70"], [1, np.nan, 0])
    assert found.status[1].startswith("refused")
    assert "decided by the rule" in found.status[2]


def test_absent_columns_are_named() -> None:
    with pytest.raises(InputError, match="lacks: crp"):
        index_of_table({"tjc": [1], "sjc": [1]}, "das28-crp3")
    with pytest.raises(InputError, match="has no entry 'esr'"):
        index_of_table(TABLE, "das28-crp", {"esr": "CRP"})
    with pytest.raises(InputError, match="differ only"):
        index_of_table({"TJC": [1], "Tjc ": [2], "sjc": [1], "esr": [1]}, "das28-esr3")
    with pytest.raises(UnknownNameError, match="das-28"):
        index_of_table(TABLE, "das-28")


def test_sledai_of_a_table_says_what_it_assumed() -> None:
    table = {"fever": [1, 0], "Anti-dsDNA": [1, 1]}
    with pytest.raises(InputError, match="lacks"):
        index_of_table(table, "sledai-2k")
    found = index_of_table(table, "sledai-2k", options=IndexOptions(absent_as_zero=True))
    assert found.results["sledai_2k"].tolist() == [3, 2]
    assert "seizure" in found.notes[0]


@pytest.mark.parametrize("name", INDICES)
def test_every_index_computes_a_row_of_zeros(name: str) -> None:
    options = IndexOptions(course="poly")
    entries = INDICES[name].ranges(options)
    found = index_of_table({entry: [0, 0, np.nan] for entry in entries}, name, options=options)
    assert found.status[:2] == ("ok", "ok")
    for values in found.results.values():
        assert values[0] == values[1]


def test_files(tmp_path: Path) -> None:
    file = tmp_path / "visits.csv"
    file.write_text("﻿id;tjc;sjc;esr\na;1;1;\nb;2;2;5\n", encoding="utf-8")
    assert read_index_table(file)["esr"] == ["", "5"]
    file.write_text("id,tjc\na,1,2\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"3 cells where the heading has 2"):
        read_index_table(file)
    file.write_text("id,id\na,1\n", encoding="utf-8")
    with pytest.raises(InputError, match="two columns are called 'id'"):
        read_index_table(file)
    file.write_text("id,tjc\n", encoding="utf-8")
    with pytest.raises(InputError, match="no rows"):
        read_index_table(file)
    with pytest.raises(InputError, match="cannot be read"):
        read_index_table(tmp_path / "absent.csv")


def test_quoted_and_plain_tables_are_read_alike(tmp_path: Path) -> None:
    plain, quoted = tmp_path / "plain.csv", tmp_path / "quoted.csv"
    plain.write_text("a,b , c\r\n1,, x \r\n,, \r\n2,3,\r\n", encoding="utf-8")
    quoted.write_text('"a","b","c"\n1,,"x"\n\n2,3,""\n', encoding="utf-8")
    wanted = {"a": ["1", "2"], "b": ["", "3"], "c": ["x", ""]}
    assert read_index_table(plain) == read_index_table(quoted) == wanted


def test_short_and_long_rows_that_even_out_are_found(tmp_path: Path) -> None:
    file = tmp_path / "uneven.csv"
    file.write_text("a,b\n1\n1,2,3\n", encoding="utf-8")
    with pytest.raises(InputError, match="1 cells where the heading has 2"):
        read_index_table(file)
