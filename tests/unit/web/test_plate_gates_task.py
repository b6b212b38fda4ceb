"""Gates as JSON, TOML and Gating-ML."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.unit.cytometry.workspace_xml import (
    dimension,
    group,
    population,
    rectangle,
    sample,
    scale,
    workspace,
)

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


def test_gates_of_a_flowjo_workspace_are_taken_and_what_is_not_is_said(tmp_path: Path) -> None:
    scales = scale("linear", "FSC-A", minRange=0, maxRange=262144)
    inner = population("small", rectangle(dimension("FSC-A", 2000, 90000)), group="G")
    gates = population("cells", rectangle(dimension("FSC-A", 1000, 200000)), inner, group="G")
    alone = population("cells", rectangle(dimension("FSC-A", 5000)))
    file = tmp_path / "plate.wsp"
    file.write_text(
        workspace(
            sample(1, "A01.fcs", gates, scales=scales) + sample(2, "A02.fcs", alone, scales=scales),
            group("All Samples", (1, 2)) + group("G", (1, 2), gates),
        )
    )
    made = found(tmp_path, {"c" * 32: file}, upload="c" * 32)
    assert made["populations"] == ["cells", "cells/small"]
    assert made["strategy"]["gates"][0]["low"] == [1000.0 / 262144.0]  # on its scale
    assert "the group 'G'" in made["remarks"][0]
    assert any(said.startswith("samples have gates of their own") for said in made["remarks"])
    assert found(tmp_path, text=made["toml"])["strategy"] == made["strategy"]


def test_a_workspace_without_gates_is_refused_by_the_users_name(tmp_path: Path) -> None:
    file = tmp_path / "mine.wsp"
    file.write_text(workspace(sample(1, "A01.fcs", ""), ""))
    with pytest.raises(InputError, match="holds no gates") as error:
        found(tmp_path, {"c" * 32: file}, upload="c" * 32)
    assert str(error.value.where) == "mine.wsp"
