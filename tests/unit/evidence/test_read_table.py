"""Tables from files: columns by their names, errors by line and column."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from statera.errors import InputError
from statera.evidence.read_table import effects_of_table, parse_table, read_table

TABLE = """study,outcome,measure,HR,ci_low,ci_high,registry,rob_overall,certainty,comment
A,VTE,HR,1.73,1.24,2.42,ARTIS,low,moderate,"first, second"
B,VTE,HR,1.1,0.7,1.6,SNDS,some concerns,low,
C,MACE,HR,1.0,,1.5,SNDS,high,low,
"""


def test_columns_are_known_by_their_names(tmp_path: Path) -> None:
    file = tmp_path / "studies.csv"
    file.write_text(TABLE, encoding="utf-8")
    table = read_table(file)
    assert table.names == ("A", "B", "C")
    assert table.cluster == ("ARTIS", "SNDS", "SNDS")
    assert table.columns["estimate"].tolist() == [1.73, 1.1, 1.0]
    assert np.isnan(table.columns["low"][2])
    assert table.risk_of_bias == {"rob_overall": ("low", "some concerns", "high")}
    assert table.certainty == {"certainty": ("moderate", "low", "low")}
    assert table.carried["comment"][0] == "first, second"
    assert "column 'HR' was read as estimate" in table.notes
    found = effects_of_table(table)
    assert found.measure == "HR"
    assert found.columns["rob_overall"] == ("low", "some concerns", "high")
    assert found.omitted()[0][0] == "C"


def test_rows_are_chosen_by_a_column() -> None:
    assert parse_table(TABLE, where={"outcome": "vte"}).names == ("A", "B")
    with pytest.raises(InputError, match="no row has 'death'") as caught:
        parse_table(TABLE, where={"outcome": "death"})
    assert "MACE, VTE" in str(caught.value)
    with pytest.raises(InputError, match="no column 'endpoint'"):
        parse_table(TABLE, where={"endpoint": "VTE"})


@pytest.mark.parametrize("sign", [";", "\t"])
def test_other_separators_and_names_of_metafor(sign: str) -> None:
    rows = (("author", "ai", "n1i", "ci", "n2i"), ("x", "3", "30", "5", "31"))
    table = parse_table("\n".join(sign.join(row) for row in rows))
    found = effects_of_table(table, "OR")
    assert found.y[0] == pytest.approx(np.log(3 / 27) - np.log(5 / 26))


def test_free_text_under_a_short_heading_is_carried() -> None:
    table = parse_table("study,n,HR,se\nA,684 total,1.2,0.1\n")
    assert table.carried == {"n": ("684 total",)}


@pytest.mark.parametrize(
    ("text", "said", "where"),
    [
        ("study,HR,se\nA,1.2,0.1\nB,<2,0.1\n", "'<2' in column 'HR' is not a number", ":3:2"),
        ("study;HR;se\nA;1,2;0.1\n", "'1,2' in column 'HR'", ":2:2"),
        ("study,HR,se\nA,1.2\n", "2 cells in a table of 3 columns", ":2"),
        ("study,HR,HR\nA,1,2\n", "two columns are called 'HR'", ":1:2"),
        ("study,HR,est,se\nA,1,2,3\n", "'HR' and 'est' both stand for estimate", ":1:3"),
        ("study,HR,se\n", "a heading and no rows", "table"),
        ("\n\n", "the table is empty", "table"),
        ("study,HR,se\nA,inf,1\n", "not a finite number", ":2:2"),
    ],
)
def test_errors_say_where(text: str, said: str, where: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        parse_table(text)
    assert where in str(caught.value.where)
    if said.startswith("'<2'"):
        assert "A bound is not a number" in str(caught.value)
    if said.startswith("'1,2'"):
        assert "decimal point" in str(caught.value)


def test_the_measure_must_be_known() -> None:
    with pytest.raises(InputError, match="names none"):
        effects_of_table(parse_table("study,est,se\nA,1,2\n"))
    mixed = parse_table("study,measure,est,se\nA,HR,1,2\nB,IRR,1,2\n")
    with pytest.raises(InputError, match=r"several \(HR, IRR\)"):
        effects_of_table(mixed)
    assert effects_of_table(mixed, "HR").columns["measure"] == ("HR", "IRR")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_table(tmp_path / "none.csv")
    (tmp_path / "bytes.csv").write_bytes(b"study,HR\nA,\xff\xfe\n")
    with pytest.raises(InputError, match="not text in UTF-8"):
        read_table(tmp_path / "bytes.csv")
