"""Columns of text become outcomes; what cannot be read is named with its row."""

from __future__ import annotations

import numpy as np
import pytest

from statera.errors import InputError, UnknownNameError
from statera.response.binary import Binary
from statera.response.cox import Cox
from statera.response.hazards import Hazard
from statera.response.ordinal import Ordinal
from statera.response.outcome_table import OutcomeColumns, read_rows
from statera.response.time_to_event import TimeToEvent

TABLE = {
    "id": ["1", "2", "3", "4"],
    "y": ["1", "no", "Yes", "0"],
    "grade": ["mild", "none", "mild", "severe"],
    "auc": ["0", "2.5", "3", "NA"],
    "sex": ["M", "F", "F", "M"],
    "dose": ["0", "2", "2", "4"],
    "week": ["3", "5", "8", "2"],
    "seen": ["4", "", "inf", "2"],
}


def columns(**given: object) -> OutcomeColumns:
    return OutcomeColumns(**given)  # type: ignore[arg-type]


def test_binary_rows_without_a_value_are_left_out() -> None:
    rows = read_rows(TABLE, "binary", columns(outcome="y", exposure="auc", dose="dose",
                                              covariates=("sex", "week")))  # fmt: skip
    assert isinstance(rows.outcome, Binary)
    assert rows.outcome.response.tolist() == [True, False, True]
    assert rows.exposure is not None
    assert rows.exposure.tolist() == [0.0, 2.5, 3.0]
    assert rows.dose == ("0", "2", "2")
    assert {k: v.tolist() for k, v in rows.covariates.items()} == {
        "sex[M]": [1.0, 0.0, 0.0], "week": [3.0, 5.0, 8.0],
    }  # fmt: skip
    assert rows.notes == ("1 of 4 rows lack a value and were left out: row 4.",)


def test_grades_in_the_order_given() -> None:
    asked = columns(outcome="grade", levels=("none", "mild", "moderate", "severe"))
    rows = read_rows(TABLE, "ordinal", asked)
    assert isinstance(rows.outcome, Ordinal)
    assert rows.outcome.levels == ("none", "mild", "severe")
    assert rows.outcome.grade.tolist() == [1, 0, 1, 2]
    numbers = read_rows({"g": ["10", "9", "10"]}, "ordinal", columns(outcome="g")).outcome
    assert isinstance(numbers, Ordinal)
    assert numbers.levels == ("9", "10")
    with pytest.raises(UnknownNameError, match="'severe'"):
        read_rows(TABLE, "ordinal", columns(outcome="grade", levels=("none", "mild")))


def test_events_between_two_visits() -> None:
    asked = columns(time="week", until="seen")
    rows = read_rows(TABLE, "time", asked, Hazard("weibull"))
    assert isinstance(rows.outcome, TimeToEvent)
    assert rows.outcome.left.tolist() == [3.0, 5.0, 8.0, 2.0]
    assert rows.outcome.right.tolist() == [4.0, np.inf, np.inf, 2.0]
    with pytest.raises(InputError, match="exactly or censored"):
        read_rows(TABLE, "time", asked, None)
    cox = read_rows(TABLE, "time", columns(time="week", outcome="y"), None).outcome
    assert isinstance(cox, Cox)
    assert cox.event.tolist() == [True, False, True, False]


def test_repeated_subjects_are_said() -> None:
    table = {**TABLE, "id": ["1", "1", "2", "3"]}
    rows = read_rows(table, "binary", columns(outcome="y", subject="id"))
    assert "taken as independent" in rows.notes[-1]


def test_start_stop_rows() -> None:
    table = {"id": ["1", "1", "2"], "a": ["0", "3", "0"], "b": ["3", "7", "9"],
             "e": ["0", "1", "0"]}  # fmt: skip
    asked = columns(outcome="e", time="b", start="a", subject="id")
    rows = read_rows(table, "time", asked, Hazard("exponential"))
    assert rows.outcome.people.tolist() == [0, 0, 1]
    assert rows.notes == ()
    with pytest.raises(InputError, match="overlap in time"):
        read_rows({**table, "a": ["0", "2", "0"]}, "time", asked, None)
    with pytest.raises(InputError, match="after its event"):
        read_rows({**table, "e": ["1", "0", "0"]}, "time", asked, None)


@pytest.mark.parametrize(
    ("change", "endpoint", "asked", "words"),
    [
        ({"y": ["1", "0", "2", "0"]}, "binary", "outcome=y", "'2' is neither yes nor no (row 3)"),
        ({}, "binary", "", "column of the response is not named"),
        ({}, "time", "time=week", "whether the event came"),
        ({"week": ["3", "-5", "8", "2"]}, "time", "time=week outcome=y", "negative (row 2"),
        ({"week": ["0", "5", "8", "2"]}, "time", "time=week outcome=y", "no density (row 1"),
        ({"seen": ["1", "", "", ""]}, "time", "time=week until=seen", "before the time"),
        ({"week": ["x", "5", "8", "2"]}, "time", "time=week outcome=y", "'x' is not a number"),
        ({"y": ["", "", "", ""]}, "binary", "outcome=y", "no row has all the columns"),
        ({"grade": ["mild"] * 4}, "ordinal", "outcome=grade", "same grade"),
    ],
)
def test_refusals(change: dict[str, list[str]], endpoint: str, asked: str, words: str) -> None:
    named = dict(pair.split("=") for pair in asked.split())
    with pytest.raises(InputError) as error:
        read_rows({**TABLE, **change}, endpoint, columns(**named), Hazard("weibull"))  # type: ignore[arg-type]
    assert words in str(error.value)


def test_unknown_columns_are_named() -> None:
    with pytest.raises(UnknownNameError, match="'auk'"):
        read_rows(TABLE, "binary", columns(outcome="y", exposure="auk"))
