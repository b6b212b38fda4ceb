"""The analysis of a plate as a job of the web app."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from statera.cli.main import app
from statera.errors import InputError
from statera.web.requests.plate import PlateWellRequest
from statera.web.tasks.plate_run import run
from statera.web.tasks.plate_well import run as run_well

from .plate_setting import FILES, HALF, MAP, PANEL, analysed, request, work


@pytest.fixture(scope="module")
def answer() -> dict[str, Any]:
    return analysed()[0]


def test_the_sample_gives_ten_ic50s_and_two_refusals(answer: dict[str, Any]) -> None:
    status = [c["status"] for c in answer["result"]["curves"]]
    assert status.count("determined") == 10
    assert status.count("refused") == 2
    for curve in answer["result"]["curves"]:
        refused = curve["status"] == "refused"
        assert (curve["ic50"] is None) == refused
        assert bool(curve["line"]) != refused
        if not refused:
            assert all(
                low <= y <= high
                for low, y, high in zip(
                    curve["band_low"], curve["line"], curve["band_high"], strict=True
                )
            )


def test_what_is_wrong_with_the_plate_map_names_no_folder_of_the_server(tmp_path: Path) -> None:
    place = work(tmp_path / "w")
    rows = place.uploads[HALF].read_text().splitlines()
    table = tmp_path / "mine.csv"
    table.write_text("\n".join([*rows, "Z9,Z9.fcs,D1,IL-6,dose,3", "H12,no.fcs,D1,IL-6,dose,3"]))
    place.uploads["d" * 32] = table
    answer = json.loads(run(request(plate_map="d" * 32), place).to_json())
    problems = {p["where"]: (p["problem"], p["hint"]) for p in answer["result"]["problems"]}
    assert problems["platemap.csv:26"][0] == "'Z9' is not a well"
    assert problems["well H12"] == (
        "the file no.fcs was not uploaded", "Upload it or correct the plate map.",
    )  # fmt: skip
    for content, _ in place.saved.values():
        assert str(tmp_path).encode() not in content
    assert str(tmp_path) not in json.dumps(answer)
    table.write_text("well,file,condition,dose_nM\nZ1,a.fcs,dose,3\n")
    with pytest.raises(InputError) as error:
        run(request(plate_map="d" * 32), place)
    assert str(error.value.where) == "mine.csv"
    assert str(tmp_path) not in f"{error.value.what} {error.value.hint}"


def test_every_well_says_where_its_file_is(answer: dict[str, Any]) -> None:
    wells = answer["result"]["wells"]
    assert len(wells) == 48
    assert {w["upload"] for w in wells} == {FILES}
    assert {(w["row"], w["column"]) for w in wells} == {(r, c) for r in range(4) for c in range(12)}


def test_files_and_progress(answer: dict[str, Any]) -> None:
    place = analysed()[1]
    assert {"report.html", "ic50.csv", "gates.toml", "gates.xml", "plate-input.zip"} <= set(
        place.saved
    )
    shares = [share for share, _, _ in place.told if share is not None]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert not list(place.folder.iterdir())  # what was unpacked is gone
    rows = list(csv.DictReader(io.StringIO(place.saved["ic50.csv"][0].decode())))
    table = answer["tables"]["ic50"]
    at = [c["name"] for c in table["columns"]].index("ic50_nM")
    for row, cells in zip(rows, table["rows"], strict=True):
        assert (row["ic50_nM"] == "") == (cells[at] is None)
        if row["ic50_nM"]:
            assert float(row["ic50_nM"]) == pytest.approx(cells[at], rel=1e-9)


def test_the_copied_program_and_command_make_the_same_numbers(
    answer: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    place = analysed()[1]
    (tmp_path / "plate-input.zip").write_bytes(place.saved["plate-input.zip"][0])
    monkeypatch.chdir(tmp_path)
    exec(answer["copies"]["python"], {})
    said = capsys.readouterr().out.splitlines()
    assert said == [f"{c['name']} {c['sentence']}" for c in answer["result"]["curves"]]
    unzip, command = answer["copies"]["command"].splitlines()
    assert unzip == "unzip plate-input.zip"
    with zipfile.ZipFile("plate-input.zip") as archive:
        archive.extractall()
    program, *words = command.split()
    assert program == "statera"
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    assert Path("results/ic50.csv").read_bytes() == place.saved["ic50.csv"][0]


def test_gates_that_were_edited_are_analysed(answer: dict[str, Any], tmp_path: Path) -> None:
    strategy = json.loads(json.dumps(answer["result"]["strategy"]))
    border = next(g for g in strategy["gates"] if g["name"] == "CD3+ CD4+")
    border["low"][0] += 0.2  # into the bright cells
    populations = [{"name": name, "definition": name} for name in ("CD4", "CD8", "CD11b")]
    again = run(
        request(gates=strategy, populations=populations, plate_map=HALF), work(tmp_path / "w")
    )
    found = json.loads(again.to_json())["result"]
    assert found["strategy"] == strategy
    assert found["by_well"] == {}
    counts = [
        sum(r["count"] for r in a["statistics"] if r["population"] == "CD4" and r["donor"] == "D1")
        for a in (found, answer["result"])
    ]
    assert 0 < counts[0] < 0.9 * counts[1]


def test_a_file_that_stands_twice_is_named(tmp_path: Path) -> None:
    place = work(tmp_path / "w")
    place.uploads["a" * 32] = place.uploads[FILES]
    with pytest.raises(InputError, match=r"A01\.fcs stands twice"):
        run(request(files=[FILES, "a" * 32]), place)


def test_a_plate_map_that_is_none_is_named(tmp_path: Path) -> None:
    bad = tmp_path / "notes.csv"
    bad.write_text("this,is\nno,map\n")
    with pytest.raises(InputError, match="no column 'well'"):
        run(request(plate_map="b" * 32), work(tmp_path / "w", **{"b" * 32: bad}))


def test_the_sample_ids_are_those_of_the_requests() -> None:
    assert request().files == [FILES]
    assert request().plate_map == MAP


def test_a_matrix_of_ones_own_compensates_plate_and_wells(tmp_path: Path) -> None:
    names = ["FITC-A", "PE-A", "PE-Cy7-A", "APC-A", "APC-Cy7-A", "BV421-A"]
    rows = [[float(i == j) for j in range(6)] for i in range(6)]
    for i, j, share in ((0, 1, 0.2), (3, 4, 0.2), (4, 3, 0.05)):  # another than that of the files
        rows[i][j] = share
    lines = [",".join(["", *names])]
    lines += [",".join([name, *map(str, row)]) for name, row in zip(names, rows, strict=True)]
    table = tmp_path / "spillover.csv"
    table.write_text("\n".join(lines) + "\n")
    place = work(tmp_path / "w", **{"d" * 32: table})
    well = {"panel": PANEL, "compensation": "table", "spillover": "d" * 32}
    result = json.loads(run(request(well=well, plate_map=HALF), place).to_json())["result"]
    assert result["well_settings"]["compensation"] == "gates"
    (matrix,) = result["strategy"]["matrices"].values()
    assert matrix["rows"] == rows
    name = next(w["name"] for w in result["wells"] if w["name"] not in result["by_well"])
    asked = PlateWellRequest.model_validate(
        {
            "file": {"upload": FILES, "name": f"{name}.fcs"},
            "well": result["well_settings"],
            "gates": result["strategy"],
            "x": {"channel": "FITC-A"},
            "y": {"channel": "APC-A"},
        }
    )
    answer = json.loads(run_well(asked, place).to_json())["result"]
    assert answer["plot"]["y"]["dimension"]["compensation"] in result["strategy"]["matrices"]
    found = {p["name"]: p for p in answer["populations"]}
    for row in result["statistics"]:
        if row["well"] == name:
            assert found[row["population"]]["count"] == row["count"]
            assert found[row["population"]]["medians"]["pSTAT3"] == pytest.approx(row["median"])


def test_two_populations_of_one_name_are_refused(tmp_path: Path) -> None:
    twice = [{"name": "T", "definition": "CD3+"}] * 2
    with pytest.raises(InputError, match="two populations are called 'T'"):
        run(request(populations=twice), work(tmp_path / "w"))
