"""Files of a plan: plate map, dilutions, data and the start of the analysis' settings."""

from __future__ import annotations

import csv
import io
import json
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from statera.assay.plan_options import PlanOptions, Stain
from statera.assay.plan_read import options_from_protocol, read_plan
from statera.assay.protocol import load_protocol
from statera.plain import plain
from statera.plan.build import BenchPlan, plan_bench
from statera.plan.files import FILL, dilutions_csv, origins, plan_data, plate_map, settings_toml

PROTOCOL = load_protocol("pstat3")


def made(options: PlanOptions | None = None) -> BenchPlan:
    return plan_bench(PROTOCOL, options or options_from_protocol(PROTOCOL), precision=False)


@pytest.fixture(scope="module")
def plan() -> BenchPlan:
    return made()


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_the_plate_map_has_the_columns_and_words_of_the_analysis(plan: BenchPlan) -> None:
    found = rows(plate_map(plan))
    assert {"well", "plate", "file", "donor", "cytokine", "condition", "dose_nM", "stain"} <= set(
        found[0]
    )
    assert sum(name.endswith("_nM") for name in found[0]) == 1
    assert {r["condition"] for r in found} == {
        "unstimulated", "stimulated", "dose", "fmo", "single_stain", "unstained", "unused",
    }  # fmt: skip
    files = [r["file"] for r in found if r["file"]]
    assert len(files) == len(set(files))
    assert all(bool(r["file"]) == (r["condition"] != "unused") for r in found)


def test_the_plate_map_holds_doses_reached(plan: BenchPlan) -> None:
    by_label = {r["label"]: float(r["dose_nM"]) for r in rows(plate_map(plan)) if r["label"]}
    assert by_label["10 µM"] == 10_000.0
    assert by_label["1 nM"] == pytest.approx(plan.assay.dilutions.doses[-1].reached_nM, rel=1e-5)
    controls = [r for r in rows(plate_map(plan)) if r["condition"] == "stimulated"]
    assert {(r["dose_nM"], r["add_from"]) for r in controls} == {("0", "W0")}


def test_dilutions_as_a_table(plan: BenchPlan) -> None:
    found = rows(dilutions_csv(plan))
    assert [int(r["step"]) for r in found] == list(range(1, len(found) + 1))
    top = next(r for r in found if r["vessel"] == "W1")
    assert (top["from"], top["transfer_ul"], top["diluent_ul"]) == ("stock", "5.0", "495.0")


def test_settings_of_the_analysis_are_toml_with_marked_gaps(plan: BenchPlan) -> None:
    text = settings_toml(plan)
    data = tomllib.loads(text)
    assert data["schema"] == "statera.plate/1"
    assert data["plate_map"] == "platemap.csv"
    assert data["panel"]["markers"] == {"CD4": FILL, "CD8": FILL, "CD11b": FILL}
    assert data["compensation"]["from"] == "single_stains"
    base = options_from_protocol(PROTOCOL)
    panel = (
        Stain("CD4", channel="A"),
        Stain('odd "name"', channel='B "1"'),
        Stain("dead", viability=True, channel="C"),
        Stain("pSTAT3", readout=True, channel="D"),
    )
    data = tomllib.loads(settings_toml(made(replace(base, panel=panel))))
    assert data["panel"]["markers"] == {"CD4": "A", 'odd "name"': 'B "1"'}
    assert data["panel"]["live_dead"] == "C"
    assert data["panel"]["readouts"] == {"pSTAT3": "D"}
    assert "dead" not in data["populations"]


def test_data_are_plain_and_complete(plan: BenchPlan) -> None:
    data = json.loads(json.dumps(plain(plan_data(plan)), allow_nan=False))
    assert len(data["wells"]) == len(plan.assay.layout.wells)
    assert data["stock_mg_per_mL"] == pytest.approx(3.7142, rel=1e-4)
    assert data["expected"][1]["potency"] == "NOT RETRIEVED"


def test_every_value_has_an_origin(plan: BenchPlan) -> None:
    by_name = {label: origin for label, _, origin in origins(plan.assay.options)}
    assert by_name["Stock"] == "stated"
    assert by_name["IL-6 in the well"] == "stated"
    assert by_name["Doses in the well"] == "assumed"


def test_another_drug_is_warned_of() -> None:
    other = replace(options_from_protocol(PROTOCOL), drug="tofacitinib")
    assert "written for baricitinib" in made(other).warnings[0]


def test_the_analysis_reads_the_map_and_the_settings(plan: BenchPlan, tmp_path: Path) -> None:
    maps = pytest.importorskip("statera.plate.plate_map", reason="the analysis is not built yet")
    settings = pytest.importorskip("statera.plate.read_settings")
    (tmp_path / "platemap.csv").write_text(plate_map(plan), encoding="utf-8")
    (tmp_path / "plate.toml").write_text(settings_toml(plan), encoding="utf-8")
    asked = settings.read_settings(tmp_path / "plate.toml")
    found = maps.read_plate_map(asked.plate_map, asked.columns)
    assert found.problems == ()
    assert len(found.wells) == len(plan.assay.layout.wells)
    doses = sorted({w.dose for w in found.wells if w.condition.value == "dose"}, reverse=True)
    assert doses == pytest.approx([d.reached_nM for d in plan.assay.dilutions.doses], rel=1e-5)


def test_the_example_in_the_documents_can_be_read(project: Path, tmp_path: Path) -> None:
    text = (project / "docs/assay-plan.md").read_text("utf-8")
    path = tmp_path / "plan.toml"
    path.write_text(text.partition("```toml\n")[2].partition("```")[0], encoding="utf-8")
    options = read_plan(path, PROTOCOL)
    assert options.cells_per_well == 200_000
    assert options.precision.donors == (3, 5, 8)
