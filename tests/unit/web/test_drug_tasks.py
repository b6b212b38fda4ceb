"""The tasks of the drug page."""

from __future__ import annotations

import contextlib
import io
import json
from typing import Any, get_args

import numpy as np
import pytest
from typer.testing import CliRunner

from statera.cli.main import app
from statera.engagement import percent_text
from statera.errors import DomainError, InputError, UnknownNameError
from statera.library import drugs, find_cytokine, load_drug
from statera.monograph.build import SECTIONS
from statera.monograph.sections.mechanism_kinases import kinase_state, kinases_of
from statera.web.catalogue import CATALOGUE
from statera.web.requests.drug import (
    DrugExposureRequest,
    DrugInhibitionRequest,
    DrugOverviewRequest,
    DrugSectionRequest,
    SectionKey,
)
from statera.web.tasks import drug_exposure, drug_inhibition, drug_overview, drug_section
from statera.web.tasks.drug_context import bare, enzymes

from .fake_work import FakeWork

_RUNS: dict[str, tuple[Any, Any]] = {
    "drug-overview": (DrugOverviewRequest, drug_overview.run),
    "drug-section": (DrugSectionRequest, drug_section.run),
    "drug-inhibition": (DrugInhibitionRequest, drug_inhibition.run),
    "drug-exposure": (DrugExposureRequest, drug_exposure.run),
}


def ask(task: str, **given: Any) -> dict[str, Any]:
    """Return the answer of a task as a browser gets it."""
    request, run = _RUNS[task]
    found: dict[str, Any] = json.loads(run(request(**given), FakeWork()).to_json())
    return found


def printed(program: str) -> str:
    """Return what a program prints."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(program, "copied", "exec"), {"__name__": "copied"})
    return out.getvalue()


def test_the_tasks_are_in_the_catalogue() -> None:
    assert set(_RUNS) <= set(CATALOGUE)
    assert all(CATALOGUE[name].cacheable for name in _RUNS)


def test_all_sections_of_the_monograph_can_be_asked_in_its_order() -> None:
    assert get_args(SectionKey) == tuple(key for key, _ in SECTIONS)


@pytest.mark.parametrize("drug", drugs())
def test_every_drug_has_an_overview_and_a_grid(drug: str) -> None:
    overview = ask("drug-overview", drug=drug)["result"]
    assert [s["key"] for s in overview["sections"]] == list(get_args(SectionKey))
    assert {d["name"] for d in overview["drugs"]} == set(drugs())
    assert all(rule["source"] in overview["references"] for rule in overview["label_doses"])
    grid = ask("drug-inhibition", drug=drug)["result"]
    has_grid = bool(grid["kinases"] or grid["measured"])
    assert has_grid == bool(grid["concentration"])
    assert has_grid or grid["missing"]


def test_an_alias_finds_its_drug() -> None:
    assert ask("drug-overview", drug="Olumiant")["result"]["drug"] == "baricitinib"


def test_an_unknown_drug_is_said_to_be_unknown() -> None:
    with pytest.raises(UnknownNameError, match="baricitinob"):
        ask("drug-overview", drug="baricitinob")


def test_label_doses_name_region_source_and_conflicts() -> None:
    result = ask("drug-overview", drug="baricitinib")["result"]
    rules = {r["id"]: r for r in result["label_doses"]}
    assert rules["us/ra-standard"]["dose_mg"] == 2
    assert {r["dose_mg"] for r in rules.values() if r["region"].startswith("European")} == {2, 4}
    assert "ra-dose" in rules["us/ra-standard"]["conflicts"]
    assert set(rules["us/ra-standard"]["conflicts"]) <= set(result["conflicts"])


def test_the_grid_holds_what_the_monograph_computes() -> None:
    result = ask("drug-inhibition", drug="baricitinib")["result"]
    context, entries = bare("baricitinib"), enzymes("baricitinib")
    groups = {g["text"]: g for g in result["groups"]}
    size = len(result["concentration"])
    for index in (0, size // 3, result["start"], size - 1):
        state = kinase_state(context, entries, result["concentration"][index])
        for one in result["kinases"]:
            expected = state.kinases[one["kinase"]].value
            assert one["low"][index] == pytest.approx(100 * expected.low, abs=0.0101)
            high = one["low"] if one["high"] is None else one["high"]
            assert high[index] == pytest.approx(100 * expected.high, abs=0.0101)
        for name in ("IL-6", "IL-15", "GM-CSF", "IL-19"):
            kinases = kinases_of(find_cytokine(name))
            for rule in result["rules"]:
                value = state.receptor(kinases, rule).value
                assert value is not None
                course = groups[kinases.text][rule]
                assert course["low"][index] == pytest.approx(100 * value.low, abs=0.0101)


def test_the_slider_begins_at_the_average_of_the_highest_label_dose() -> None:
    result = ask("drug-inhibition", drug="baricitinib")["result"]
    mark = next(m for m in result["marks"] if m["dose_mg"] == 4 and m["endpoint"] == "Cavg")
    assert mark["index"] == result["start"]
    assert result["concentration"][result["start"]] == mark["concentration"]
    assert result["mass"][result["start"]] == pytest.approx(
        mark["concentration"] * result["molar_mass"] / 1000.0, rel=1e-4
    )


def test_a_drug_known_in_mass_only_has_a_grid_in_mass() -> None:
    result = ask("drug-inhibition", drug="filgotinib")["result"]
    assert (result["unit"], result["mass"], result["groups"]) == ("ng/mL", None, [])
    (one,) = result["measured"]
    at = int(np.argmin(np.abs(np.array(result["concentration"]) - 293.0)))
    assert one["low"][at] == pytest.approx(50.0, abs=2.0)


@pytest.mark.parametrize("key", get_args(SectionKey))
def test_whatever_a_cell_names_comes_with_its_section(key: str) -> None:
    result = ask("drug-section", drug="filgotinib", section=key)["result"]
    cells = list(_cells(result["blocks"]))
    for cell in cells:
        assert set(cell.get("sources", ())) <= set(result["references"])
        assert set(cell.get("facts", ())) <= set(result["facts"])
        assert not cell.get("method") or cell["method"] in result["methods"]
    for fact in result["facts"].values():
        assert set(fact["conflicts"]) <= set(result["conflicts"])


def test_a_disputed_fact_is_flagged_where_it_stands() -> None:
    result = ask("drug-section", drug="baricitinib", section="pharmacokinetics")["result"]
    cells = [c for c in _cells(result["blocks"]) if "pk-tmax-smpc" in c.get("facts", ())]
    assert cells
    assert result["facts"]["pk-tmax-smpc"]["conflicts"] == ["tmax"]
    assert result["conflicts"]["tmax"]["sources_say"]
    figures = [b for b in result["blocks"] if b["kind"] == "figure"]
    assert figures[0]["svg"].startswith("<svg")
    assert figures[0]["data"]["rows"]


def test_a_disputed_label_rule_is_flagged_where_it_stands() -> None:
    result = ask("drug-section", drug="baricitinib", section="dosing")["result"]
    assert "ra-dose" in result["facts"]["us/ra-standard"]["conflicts"]


def _cells(part: Any) -> Any:
    if isinstance(part, dict) and "basis" in part and "text" in part:
        yield part
    elif isinstance(part, dict | list):
        for item in part.values() if isinstance(part, dict) else part:
            yield from _cells(item)


def test_exposure_rises_as_renal_function_falls() -> None:
    def areas(egfr: float) -> list[float]:
        answer = ask("drug-exposure", drug="baricitinib", covariates={"EGFR": egfr}, n=50)
        rows = {row[1]: row for row in answer["tables"]["endpoints"]["rows"]}
        return rows["AUC"][3:]

    assert all(low > high for low, high in zip(areas(60), areas(110), strict=True))


def test_bands_of_inhibition_hold_the_median_and_rise_with_dose() -> None:
    found = {}
    for dose in (2.0, 4.0):
        answer = ask("drug-exposure", drug="baricitinib", dose_mg=dose, covariates={}, n=50)
        for one in answer["result"]["signals"]:
            low, middle, high = one["p5"], one["p50"]["low"], one["p95"]
            assert all(a <= b <= c for a, b, c in zip(low, middle, high, strict=True))
            found[dose, one["id"]] = one["average"]["typical"][0]
    ids = {key for _, key in found}
    assert all(found[4.0, key] >= found[2.0, key] for key in ids)
    assert "JAK1/JAK2/TYK2 limiting_kinase" in ids


def test_renal_function_outside_the_data_warns_and_beyond_reason_fails() -> None:
    answer = ask("drug-exposure", drug="baricitinib", covariates={"EGFR": 40}, n=20)
    assert any("EGFR" in w or "eGFR" in w for w in answer["warnings"])
    with pytest.raises(DomainError):
        ask("drug-exposure", drug="baricitinib", covariates={"EGFR": 1000}, n=20)


def test_a_drug_without_a_model_says_so() -> None:
    with pytest.raises(InputError, match="no published population model"):
        ask("drug-exposure", drug="deucravacitinib", covariates={})


def test_another_drugs_model_is_refused() -> None:
    with pytest.raises(UnknownNameError):
        ask("drug-exposure", drug="baricitinib", model="tofacitinib/Xie_2019", covariates={})


def test_metabolite_and_twice_daily_doses_are_computed() -> None:
    found = ask("drug-exposure", drug="filgotinib", covariates={}, n=20)["result"]
    assert [s["kind"] for s in found["signals"]] == ["measured", "measured"]
    twice = ask("drug-exposure", drug="tofacitinib", covariates={}, n=20)
    assert twice["result"]["dose"]["interval_h"] == 12.0
    assert twice["tables"]["profile"]["rows"][-1][0] == 12.0


def test_a_first_dose_starts_from_nothing() -> None:
    answer = ask("drug-exposure", drug="baricitinib", when="first_dose", covariates={}, n=20)
    assert answer["tables"]["profile"]["rows"][0] == [0.0, 0.0, 0.0, 0.0, 0.0]


@pytest.mark.parametrize("drug", ["baricitinib", "tofacitinib", "abrocitinib"])
def test_the_copied_command_and_program_give_the_numbers_on_screen(drug: str) -> None:
    answer = ask("drug-exposure", drug=drug, n=30, seed=7, covariates={"WT": 60.0})
    rows = answer["tables"]["profile"]["rows"]
    command = answer["copies"]["command"].removeprefix("statera ")
    words = [w.replace('"', "") for w in _split(command)]
    run = CliRunner().invoke(app, words)
    assert run.exit_code == 0, run.output
    profile = json.loads(run.stdout)["result"]["profiles"]["CP"]
    first = profile["time"].index(pytest.approx(profile["time"][-1] - rows[-1][0]))
    for level, column in (("p5", 2), ("p50", 3), ("p95", 4)):
        values = profile[level][first:]
        assert [r[column] for r in rows] == pytest.approx(values, rel=1e-4, abs=1e-9)
    lines = printed(answer["copies"]["python"]).splitlines()
    own = [[float(v) for v in line.split()] for line in lines[1 : len(rows) + 1]]
    assert own == [pytest.approx(row, rel=1e-4, abs=1e-9) for row in rows]


def _split(command: str) -> list[str]:
    parts = command.split('"')
    words: list[str] = []
    for index, part in enumerate(parts):
        words += [part] if index % 2 else part.split()
    return words


def test_the_copied_program_gives_the_inhibition_on_screen() -> None:
    answer = ask("drug-exposure", drug="baricitinib", n=30, covariates={"EGFR": 70.0})
    text = printed(answer["copies"]["python"]).replace("\n", " ")
    signal = next(
        s for s in answer["result"]["signals"] if s["id"] == "JAK1/JAK2/TYK2 limiting_kinase"
    )
    shown = text.split("IL-6 limiting_kinase [")[1].split("]")[0].split()
    assert [float(v) for v in shown] == pytest.approx(signal["p50"]["low"], abs=0.006)


def test_the_copied_command_colours_the_pathway_as_on_screen() -> None:
    answer = ask("drug-inhibition", drug="baricitinib")
    result = answer["result"]
    concentration = result["concentration"][result["start"] + 20]
    assert answer["copies"]["command"] == result["copy_templates"]["command"].replace(
        "{concentration}", f"{result['concentration'][result['start']]:g}"
    )
    state = kinase_state(bare("baricitinib"), enzymes("baricitinib"), concentration)
    section = ask("drug-section", drug="baricitinib", section="mechanism")["result"]
    assert section["blocks"]
    value = state.receptor(kinases_of(find_cytokine("IL-6")), "limiting_kinase").value
    group = next(g for g in result["groups"] if "IL-6" in g["cytokines"])
    assert value is not None
    shown = group["limiting_kinase"]["low"][result["start"] + 20]
    assert f"{shown:.0f} %" == percent_text(value)


def test_answers_stay_small() -> None:
    for task, given in (
        ("drug-overview", {}),
        ("drug-inhibition", {}),
        ("drug-exposure", {"covariates": {}}),
    ):
        request, run = _RUNS[task]
        assert len(run(request(drug="baricitinib", **given), FakeWork()).to_json()) < 60_000


def test_molar_mass_is_that_of_the_library() -> None:
    result = ask("drug-overview", drug="baricitinib")["result"]
    assert result["molar_mass"] == load_drug("baricitinib").identity.molar_mass
