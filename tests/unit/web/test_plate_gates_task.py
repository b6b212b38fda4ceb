"""Gates as JSON, TOML and Gating-ML."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from statera.errors import InputError
from statera.web.requests.plate import PlateGatesRequest
from statera.web.tasks.plate_gates import run

from .plate_setting import analysed, work


def found(place: Path, uploads: dict[str, Path] | None = None, **fields: Any) -> dict[str, Any]:
    """Return the result."""
    request = PlateGatesRequest.model_validate(fields)
    answer: dict[str, Any] = json.loads(run(request, work(place, **(uploads or {}))).to_json())
    return answer["result"]  # type: ignore[no-any-return]


def test_all_forms_say_the_same(tmp_path: Path) -> None:
    strategy = analysed()[0]["result"]["strategy"]
    first = found(tmp_path, gates=strategy)
    assert first["strategy"] == strategy
    assert found(tmp_path, text=first["toml"])["strategy"] == strategy
    again = found(tmp_path, text=first["gatingml"], form="gatingml")["strategy"]
    assert [g["name"] for g in again["gates"]] == [g["name"] for g in strategy["gates"]]
    file = tmp_path / "mine.xml"
    file.write_text(first["gatingml"])
    uploaded = found(tmp_path, {"c" * 32: file}, upload="c" * 32)
    assert uploaded["strategy"] == again
    assert first["toml"] == analysed()[1].saved["gates.toml"][0].decode()


def test_errors_name_the_file_of_the_user(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('schema = "statera.gates/1"\n[[gate]]\nname = "a"\nkind = "circle"\n')
    with pytest.raises(InputError, match="circle") as failure:
        found(tmp_path / "w", {"c" * 32: file}, upload="c" * 32)
    assert str(failure.value.where) == "mine.toml:4:1"
    assert str(tmp_path) not in str(failure.value)


def test_one_form_is_asked(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="one form"):
        found(tmp_path)


def test_xml_with_entities_is_refused(tmp_path: Path) -> None:
    bomb = '<!DOCTYPE a [<!ENTITY b "b"><!ENTITY c "&b;&b;">]><a>&c;</a>'
    with pytest.raises(InputError):
        found(tmp_path, text=bomb, form="gatingml")
