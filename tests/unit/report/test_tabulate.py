"""Data tables under figures."""

from __future__ import annotations

import numpy as np
import pytest

from statera.report.tabulate import format_number, tabulate


def test_columns_of_different_length_end_in_empty_cells() -> None:
    table = tabulate({"a": np.array([1.0, 2.0]), "b": {"c": [True], "d": [None, "x"]}, "n": 1000})
    assert table.columns == ("a", "b: c", "b: d")
    assert table.rows == (("1", "yes", "–"), ("2", "", "x"))
    assert table.singles == (("n", "1000"),)
    assert table.remark == ""


def test_long_tables_are_thinned_and_say_so() -> None:
    table = tabulate({"t": np.arange(1000.0)})
    assert [row[0] for row in table.rows[:3]] == ["0", "4", "8"]
    assert len(table.rows) == 250
    assert table.remark.startswith("Every 4th of 1000 rows")


def test_no_columns_give_no_rows() -> None:
    assert tabulate({"n": 1}).rows == ()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (0.12346, "0.1235"),
        (17.2, "17.2"),
        (1234.6, "1235"),
        (123456.0, "123456"),
        (1e-7, "1.000e-07"),
        (-2.5, "-2.5"),
        (3e12, "3.000e+12"),
    ],
)
def test_format_number(value: float, text: str) -> None:
    assert format_number(value) == text
