"""Requests are read from dictionaries, TOML and JSON, and what is wrong has a place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from statera.errors import InputError
from statera.tdm.outcome import Outcome, RequestError
from statera.tdm.read_request import read_request, request_from


def tree(**more: Any) -> dict[str, Any]:
    """A small valid request."""
    return {
        "schema": "statera.request/1",
        "models": ["baricitinib/Decker_2024"],
        "patient": {"id": "P1"},
        "doses": [{"time": "2026-03-01T08:00", "amount": 4000, "unit": "ug", "interval": 24}],
        "samples": [{"time": "2026-03-02T07:30", "value": "<0.2", "unit": "ng/mL"}],
        **more,
    }


def test_dates_become_hours_and_units_milligrams() -> None:
    request = request_from(tree())
    assert request.origin is not None
    assert request.origin.hour == 8
    assert request.patient.doses[0].amount == pytest.approx(4.0)
    sample = request.patient.samples[0]
    assert (sample.time, sample.value, sample.censored) == (23.5, 0.2, "below")


def test_json_and_toml_agree(tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text(json.dumps(tree()))
    (tmp_path / "r.toml").write_text(
        'schema = "statera.request/1"\nmodels = ["baricitinib/Decker_2024"]\n[patient]\nid = "P1"\n'
        '[[doses]]\ntime = 2026-03-01T08:00:00\namount = 4000\nunit = "ug"\ninterval = 24\n'
        '[[samples]]\ntime = 2026-03-02T07:30:00\nvalue = "<0.2"\nunit = "ng/mL"\n'
    )
    assert read_request(tmp_path / "r.json") == read_request(tmp_path / "r.toml")


@pytest.mark.parametrize("other", [3.0, "2026-03-02T07:30+01:00"])
def test_mixed_times_are_refused(other: object) -> None:
    with pytest.raises(RequestError) as error:
        request_from(tree(samples=[{"time": other, "value": 1.0}]))
    assert error.value.outcome is Outcome.CONTRADICTORY_DATES


def test_unknown_keys_are_refused_with_their_place(tmp_path: Path) -> None:
    path = tmp_path / "r.toml"
    path.write_text(
        'schema = "statera.request/1"\nmodels = ["a"]\n[patient]\nid = "P1"\n'
        "[[doses]]\ntime = 0\namount = 4\nrout = 3\n"
    )
    with pytest.raises(InputError, match="'rout' is not a known key") as error:
        read_request(path)
    assert str(error.value.where).endswith("r.toml:8:1")


def test_a_tree_that_is_no_request_is_told_what_to_write() -> None:
    data = tree()
    del data["schema"]
    with pytest.raises(InputError, match="does not say what it is") as error:
        request_from(data)
    assert 'schema = "statera.request/1"' in error.value.hint
