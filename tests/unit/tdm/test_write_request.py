"""Requests written as TOML are read back as they were."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from statera.tdm.read_request import request_from
from statera.tdm.write_request import request_toml


def tree(**question: Any) -> dict[str, Any]:
    return {
        "schema": "statera.request/1",
        "id": "r",
        "models": ["baricitinib/Decker_2024"],
        "patient": {"id": "P"},
        "covariates": [{"name": "WT", "value": 70.0, "unit": "kg", "time": None}],
        "doses": [{"time": 0.0, "amount": 4, "interval": 24, "additional": 3, "taken": True}],
        "samples": [{"time": 74.5, "value": "<0.2", "unit": "ng/mL"}],
        "question": {"strengths": [1, 2.5], "targets": [], **question},
    }


def test_a_request_is_the_same_after_it_was_written() -> None:
    target = {"metric": "AUC24", "low": 1e-7, "high": 3e22, "grade": "user"}
    asked = tree(targets=[target], probability=0.25)
    text = request_toml(asked)
    assert "time = None" not in text
    without = {**asked, "covariates": [{"name": "WT", "value": 70.0, "unit": "kg"}]}
    assert request_from(tomllib.loads(text)) == request_from(without)


@pytest.mark.parametrize(
    "basis",
    [
        "'''",
        '"""',
        "a\nEND\nb",
        "\\",
        "\\'''",
        "$(touch x) `y`",
        "é \x7f \u2028 \U0001f600",
        "\t\x01",
    ],
)
def test_any_text_comes_back(basis: str) -> None:
    asked = tree(targets=[{"metric": "Cmax", "low": 1, "basis": basis}])
    text = request_toml(asked)
    assert "\nEND\n" not in text
    assert tomllib.loads(text)["question"]["targets"][0]["basis"] == basis


def test_names_that_are_not_bare_are_quoted() -> None:
    assert tomllib.loads(request_toml({"a b": {"c.d": 1, "": False}})) == {
        "a b": {"c.d": 1, "": False}
    }


def test_what_has_no_counterpart_is_refused() -> None:
    with pytest.raises(TypeError, match="set"):
        request_toml({"a": {1}})
