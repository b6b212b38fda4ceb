"""Event tables: what a regimen becomes, and that wrong columns name their record."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from statera.data import EventTable, events_from_columns, events_from_regimen, parse_regimen
from statera.errors import InputError


def _columns(**changes: list[Any]) -> EventTable:
    columns: dict[str, Any] = {
        "subject": ["a", "a", "a", "b", "b"],
        "time": [0.0, 1.0, 2.0, 0.0, 5.0],
        "evid": [1, 0, 0, 4, 0],
        "amount": [100.0, 0.0, 0.0, 50.0, 0.0],
        "route": ["oral", "", "", "iv", ""],
        "rate": [0.0, 0.0, 0.0, 10.0, 0.0],
        "interval": [12.0, 0.0, 0.0, 24.0, 0.0],
        "additional": [2, 0, 0, 0, 0],
        "steady_state": [0, 0, 0, 1, 0],
    }
    return events_from_columns(**{**columns, **changes})


def test_columns_become_groups_rows_and_keys() -> None:
    table = _columns()
    assert table.offsets.tolist() == [0, 3, 5]
    assert table.subject_ids == ("a", "b")
    assert table.dose_keys == (("oral", 100.0), ("iv", 50.0))
    assert table.key.tolist() == [0, -1, -1, 1, -1]
    assert table.row.tolist() == [-1, 0, 1, -1, 0]
    assert (table.n_groups, table.n_rows) == (2, 2)


@pytest.mark.parametrize(
    ("changes", "record", "what"),
    [
        ({"time": [0, math.nan, 2, 0, 5]}, 2, "time is not a finite number"),
        ({"time": [0, 3, 2, 0, 5]}, 3, "time goes back"),
        ({"evid": [1, 0, 5, 4, 0]}, 3, "EVID"),
        ({"evid": [1, 0, 0.5, 4, 0]}, 3, "whole numbers"),
        ({"amount": [-1, 0, 0, 50, 0]}, 1, "not negative"),
        ({"amount": [math.inf, 0, 0, 50, 0]}, 1, "a dose must be a number"),
        ({"amount": [0, 0, 0, 50, 0]}, 1, "amount 0"),
        ({"amount": [0, 0, 0, 50, 0], "rate": [-1, 0, 0, 10, 0]}, 1, "amount 0"),
        ({"rate": [0, 0, 0, -3, 0]}, 4, "RATE"),
        ({"rate": [0, 0, 0, -1.5, 0]}, 4, "RATE"),
        ({"rate": [0, 0, 0, math.nan, 0]}, 4, "RATE"),
        ({"interval": [12, 0, 0, -1, 0]}, 4, "II"),
        ({"interval": [math.nan, 0, 0, 24, 0]}, 1, "II"),
        ({"additional": [-1, 0, 0, 0, 0]}, 1, "ADDL"),
        ({"additional": [2, 0, 0, 1, 0], "interval": [0, 0, 0, 24, 0]}, 1, "ADDL needs II"),
        ({"additional": [2.5, 0, 0, 0, 0]}, 1, "whole numbers"),
        ({"steady_state": [0, 0, 0, 3, 0]}, 4, "SS must be"),
        ({"steady_state": [1, 0, 0, 0, 0], "interval": [0, 0, 0, 24, 0],
          "additional": [0, 0, 0, 0, 0]}, 1, "SS needs II"),
    ],
)  # fmt: skip
def test_the_first_bad_record_is_named(changes: dict[str, Any], record: int, what: str) -> None:
    with pytest.raises(InputError, match=what) as caught:
        _columns(**changes)
    assert caught.value.where == f"record {record}"


def test_shapes_and_order_of_subjects() -> None:
    with pytest.raises(InputError, match="'time' has 2 values, expected 5"):
        _columns(time=[0, 1])
    with pytest.raises(InputError, match="'route' has 1 values"):
        _columns(route=["oral"])
    with pytest.raises(InputError, match="not a number"):
        _columns(time=[0, 1, "two", 0, 5])
    with pytest.raises(InputError, match="subject a do not stand together"):
        _columns(subject=["a", "a", "b", "a", "a"], time=[0, 1, 2, 3, 4])
    with pytest.raises(InputError, match="no records"):
        events_from_columns([], [], [], [], [])


def test_input_columns_are_not_changed_nor_shared() -> None:
    time = np.array([0.0, 1.0, 2.0, 0.0, 5.0])
    table = _columns(time=time)  # type: ignore[arg-type]
    time[:] = 9
    assert table.time.tolist() == [0, 1, 2, 0, 5]


def test_a_regimen_puts_doses_before_observations() -> None:
    table = events_from_regimen(parse_regimen("4 mg q12h x2 then 2 mg"), [0, 24, 30], "oral")
    assert table.time.tolist() == [0, 0, 0, 24, 24, 30, 30]
    assert table.evid.tolist() == [2, 1, 0, 1, 0, 0, 2]
    assert table.dose_keys == (("oral", 4.0), ("oral", 2.0))
    assert table.additional.tolist() == [0, 1, 0, 0, 0, 0, 0]


def test_an_infusion_has_a_rate() -> None:
    table = events_from_regimen(parse_regimen("100 mg over 2 h"), [1.0], "iv")
    assert table.rate[table.evid == 1].tolist() == [50.0]


@pytest.mark.parametrize("times", [[1, 0], [-1, 0], [0, math.nan], [[0, 1]]])
def test_observation_times_are_checked(times: list[Any]) -> None:
    with pytest.raises(InputError, match="observation times"):
        events_from_regimen(parse_regimen("4 mg"), times, "oral")


def test_records_reach_the_end_asked_for() -> None:
    table = events_from_regimen(parse_regimen("4 mg"), [], "oral", end=100.0)
    assert table.time[-1] == 100.0
    assert table.n_rows == 0
