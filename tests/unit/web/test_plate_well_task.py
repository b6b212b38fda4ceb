"""One well for the editor of gates."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from statera.errors import InputError, UnknownNameError
from statera.web.requests.plate import PlateWellRequest
from statera.web.tasks.plate_well import run

from .plate_setting import FILES, PANEL, analysed, work


def asked(name: str = "A05.fcs", **other: Any) -> PlateWellRequest:
    """Return a request for the sample's gates in one well."""
    fields: dict[str, Any] = {
        "file": {"upload": FILES, "name": name},
        "well": {"panel": PANEL},
        "gates": analysed()[0]["result"]["strategy"],
        "parent": "live",
        "x": {"channel": "FITC-A"},
        "y": {"channel": "BV421-A"},
    }
    return PlateWellRequest.model_validate({**fields, **other})


def found(place: Path, request: PlateWellRequest) -> dict[str, Any]:
    """Return the whole answer."""
    answer: dict[str, Any] = json.loads(run(request, work(place)).to_json())
    return answer


def test_counts_and_medians_are_those_of_the_analysis(tmp_path: Path) -> None:
    result = analysed()[0]["result"]
    plain = [w for w in result["wells"] if w["name"] not in result["by_well"]][:3]
    assert plain
    for well in plain:
        answer = found(tmp_path, asked(well["file_name"]))
        assert answer["result"]["events"] == well["events_kept"]
        counted = {p["name"]: p for p in answer["result"]["populations"]}
        for row in result["statistics"]:
            if row["well"] == well["well"]:
                here = counted[row["population"]]
                assert here["count"] == row["count"]
                assert here["of_parent"] == pytest.approx(row["share_of_parent"])
                assert here["medians"]["pSTAT3"] == pytest.approx(row["median"], rel=1e-9)


def test_gates_of_a_well_give_its_counts_too(tmp_path: Path) -> None:
    result = analysed()[0]["result"]
    name, own = next(iter(result["by_well"].items()))
    gates = [own.get(g["name"], g) for g in result["strategy"]["gates"]]
    well = next(w for w in result["wells"] if w["name"] == name)
    answer = found(tmp_path, asked(well["file_name"], gates={"gates": gates, "matrices": {}}))
    counted = {p["name"]: p["count"] for p in answer["result"]["populations"]}
    rows = {r["population"]: r["count"] for r in result["statistics"] if r["well"] == well["well"]}
    assert {name: counted[name] for name in rows} == rows


def test_the_density_shows_the_events_of_the_parent(tmp_path: Path) -> None:
    result = found(tmp_path, asked())["result"]
    live = next(p for p in result["populations"] if p["name"] == "live")
    assert result["shown"] == live["count"]
    plot = result["plot"]
    levels = np.frombuffer(base64.b64decode(plot["levels"]), dtype=np.uint8)
    assert levels.size == plot["bins"] ** 2
    assert 0 < np.count_nonzero(levels) <= live["count"]
    assert plot["beyond"] < 0.02 * live["count"]
    scale = plot["x"]["dimension"]["scale"]
    assert scale["kind"] == "logicle"  # that of the gates on this channel
    labels = [t["label"] for t in plot["x"]["ticks"] if t["label"]]
    assert "0" in labels
    assert "10⁴" in labels
    places = [t["at"] for t in plot["x"]["ticks"]]
    assert all(plot["x"]["low"] <= at <= plot["x"]["high"] for at in places)


def test_scatter_is_linear_and_a_given_dimension_is_kept(tmp_path: Path) -> None:
    dimension = {"channel": "FSC-A", "scale": None, "compensation": "uncompensated"}
    request = asked(parent="", x={"dimension": dimension}, y={"channel": "SSC-A"})
    plot = found(tmp_path, request)["result"]["plot"]
    assert plot["x"]["dimension"] == dimension
    assert plot["y"]["dimension"]["scale"]["kind"] == "linear"
    assert [t["label"] for t in plot["x"]["ticks"]][:2] == ["0", "50k"]


def test_new_gates_of_all_kinds_are_counted(tmp_path: Path) -> None:
    logicle = {"kind": "logicle", "numbers": {"T": 262144, "W": 0.25, "M": 4.5, "A": 0}}
    sides = [
        {"channel": name, "scale": logicle, "compensation": "FCS"} for name in ("FITC-A", "BV421-A")
    ]
    corners = [[0.5, 0.5], [1, 0.5], [1, 1], [0.5, 1]]
    gates = [
        {"kind": "polygon", "name": "a", "dimensions": sides, "vertices": corners},
        {
            "kind": "rectangle",
            "name": "b",
            "dimensions": sides,
            "low": [0.5, 0.5],
            "high": [1, 1],
        },
        {
            "kind": "ellipsoid",
            "name": "c",
            "dimensions": sides,
            "mean": [0.75, 0.75],
            "covariance": [[0.0625, 0], [0, 0.0625]],
        },
        {
            "kind": "quadrant",
            "name": "d",
            "dimensions": sides,
            "dividers": [[0.5], [0.5]],
            "cells": [{"name": "d++", "place": [1, 1]}, {"name": "d--", "place": [0, 0]}],
        },
        {
            "kind": "boolean",
            "name": "e",
            "operation": "not",
            "of": [{"name": "a"}],
        },
    ]
    result = found(tmp_path, asked(gates={"gates": gates}, parent="a"))["result"]
    count = {p["name"]: p["count"] for p in result["populations"]}
    assert count["a"] == count["b"] > 300
    assert 0 < count["c"] <= count["a"]
    assert count["d++"] >= count["a"]
    assert count["e"] == result["events"] - count["a"]


def test_what_makes_no_gate_is_said(tmp_path: Path) -> None:
    side = {"channel": "FSC-A"}
    empty = {"kind": "rectangle", "name": "a", "dimensions": [side], "low": [5], "high": [5]}
    with pytest.raises(InputError, match="is empty"):
        found(tmp_path, asked(gates={"gates": [empty]}, parent=""))
    wrong = {**empty, "dimensions": [{**side, "scale": {"kind": "logicle", "numbers": {}}}]}
    with pytest.raises(InputError, match="given by T, W, M, A"):
        found(tmp_path, asked(gates={"gates": [wrong]}, parent=""))
    lost = {**empty, "high": [6], "parent": "nobody"}
    with pytest.raises(UnknownNameError, match="nobody"):
        found(tmp_path, asked(gates={"gates": [lost]}, parent=""))
    with pytest.raises(UnknownNameError, match="nobody"):
        found(tmp_path, asked(parent="nobody"))
    with pytest.raises(UnknownNameError, match="QDot"):
        found(tmp_path, asked(x={"channel": "QDot"}))


def test_the_copied_program_prints_the_same_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = found(tmp_path / "work", asked())
    (tmp_path / "plate-input.zip").write_bytes(analysed()[1].saved["plate-input.zip"][0])
    monkeypatch.chdir(tmp_path)
    exec(answer["copies"]["python"], {})
    said = [line.rsplit(" ", 2)[:2] for line in capsys.readouterr().out.splitlines()]
    assert said == [[p["name"], str(p["count"])] for p in answer["result"]["populations"]]


def test_a_well_without_gates_can_be_seen(tmp_path: Path) -> None:
    answer = found(tmp_path, asked(gates={}, parent=""))
    assert answer["result"]["populations"] == []
    assert answer["result"]["shown"] == answer["result"]["events"]
    assert answer["result"]["plot"]["x"]["dimension"]["compensation"] == "FCS"


def test_a_chain_of_gates_and_a_circle(tmp_path: Path) -> None:
    side = {"channel": "FSC-A"}
    open_gate = {"kind": "rectangle", "dimensions": [side], "low": [None], "high": [None]}
    chain = [{**open_gate, "name": f"g{k}", "parent": f"g{k + 1}"} for k in range(199)]
    chain.append({**open_gate, "name": "g199"})
    result = found(tmp_path, asked(gates={"gates": chain}, parent=""))["result"]
    assert {p["count"] for p in result["populations"]} == {result["events"]}
    circle = [{**open_gate, "name": a, "parent": b} for a, b in (("a", "b"), ("b", "a"))]
    with pytest.raises(InputError, match="circle"):
        found(tmp_path, asked(gates={"gates": circle}, parent=""))


@pytest.mark.parametrize("seed", range(2))
def test_wild_scales_are_drawn_or_refused(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    names = {
        "logicle": "TWMA",
        "hyperlog": "TWMA",
        "arcsinh": "TMA",
        "linear": "TA",
        "log": "TM",
        "floored_log": "TM",
        "plain_arcsinh": ("cofactor",),
        "biexponential": ("negative", "width", "positive", "top"),
    }
    refused = 0
    for kind, needed in names.items():
        for _ in range(5):
            sign = rng.choice([1, 1, 1, -1], len(needed))
            size = 10.0 ** rng.uniform(-4, 8, len(needed))
            numbers = dict(zip(needed, (sign * size).tolist(), strict=True))
            scale = {"kind": kind, "numbers": numbers}
            side = {"channel": "FITC-A", "scale": scale, "compensation": "FCS"}
            try:
                plot = found(tmp_path, asked(gates={}, parent="", x={"dimension": side}))["result"]
            except InputError:
                refused += 1
            else:
                assert plot["plot"]["x"]["low"] < plot["plot"]["x"]["high"]
    assert refused < 40
