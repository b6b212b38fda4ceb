"""The tasks of the screen for simulations."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from statera.cli.main import app
from statera.errors import DomainError, InputError, StateraError, UnknownNameError
from statera.library import load_model
from statera.simulate import LogNormal, simulate
from statera.web.requests.simulate import ModelsRequest, RegimenRequest, SimulateRequest
from statera.web.tasks import simulate_arm, simulate_models, simulate_regimen
from statera.web.tasks.simulate import run

from .fake_work import FakeWork

BARICITINIB = "baricitinib/Decker_2024"


@pytest.fixture(autouse=True)
def _nothing_kept() -> Iterator[None]:
    simulate_arm.forget()
    yield
    simulate_arm.forget()


def answer(**request: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run(SimulateRequest(**request), FakeWork()).to_json())
    return found


def arm(dose: str = "4 mg q24h x3", **more: Any) -> dict[str, Any]:
    return {"model": BARICITINIB, "dose": dose, **more}


def test_bands_and_endpoints_are_those_of_the_library() -> None:
    covariates = {"EGFR": 60.0, "WT": "lognormal(70, 0.2)"}
    found = answer(
        arms=[arm(covariates=covariates)], n=50, seed=7, percentiles=[10, 50, 97.5],
        thresholds={"CP": [12.5]},
    )  # fmt: skip
    (shown,) = found["result"]["arms"]
    expected = simulate(
        load_model(BARICITINIB), "4 mg q24h x3", n=50, seed=7, times=shown["times"],
        covariates={"EGFR": 60.0, "WT": LogNormal(70, 0.2)}, thresholds={"CP": [12.5]},
    )  # fmt: skip
    bands = expected.percentiles("CP", (10, 50, 97.5))
    np.testing.assert_allclose(shown["profiles"]["CP"]["bands"], bands, rtol=1e-12)
    rows = {(r["window"], r["endpoint"]): r["arms"][0] for r in found["result"]["endpoints"]}
    for entry in expected.summary((10, 50, 97.5)).values():
        window = "first interval" if entry["window_h"][0] == 0 else "last interval"
        row = rows[window, entry["endpoint"]]
        for key in ("n", "unit", "p10", "p50", "p97.5", "geometric_mean", "window_h"):
            assert row[key] == (pytest.approx(entry[key]) if entry[key] is not None else None)


def test_what_is_kept_answers_as_a_fresh_process_does() -> None:
    first = {"arms": [arm()], "n": 40}
    later = {**first, "percentiles": [2.5, 97.5], "thresholds": {"CP": [5, 30]},
             "windows": [{"start": 3, "end": 50}], "readout": "IL-6"}  # fmt: skip
    answer(**first)
    kept = answer(**later)
    simulate_arm.forget()
    fresh = answer(**later)
    assert fresh["result"]["endpoints"] == kept["result"]["endpoints"]
    for key in ("profiles", "inhibition"):
        one, other = (a["result"]["arms"][0][key] for a in (fresh, kept))
        bands = [(x.get("CP") or x)["bands"] for x in (one, other)]
        # windows end steps of the solver, which rounds otherwise then
        np.testing.assert_allclose(*bands, rtol=1e-12)


def test_other_percentiles_simulate_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    answer(arms=[arm()], n=20, thresholds={"CP": [9]})

    def refuse(*arguments: object, **options: object) -> None:
        raise AssertionError("simulated again")

    monkeypatch.setattr(simulate_arm, "simulate", refuse)
    found = answer(arms=[arm()], n=20, thresholds={"CP": [9]}, percentiles=[25])
    assert found["result"]["percentiles"] == [25]
    with pytest.raises(AssertionError, match="simulated again"):
        answer(arms=[arm()], n=20, seed=2)


def test_arms_share_their_subjects_and_are_compared() -> None:
    found = answer(arms=[arm("4 mg q24h x3", name="full"), arm("2 mg q24h x3", name="half")], n=30)
    rows = {(r["window"], r["endpoint"]): r["arms"] for r in found["result"]["endpoints"]}
    for endpoint in ("Cmax", "AUC", "Ctrough"):
        whole, half = rows["last interval", endpoint]
        assert whole["ratio"] == 1
        # linear kinetics and the same subjects: exactly half
        assert half["ratio"] == pytest.approx(0.5, rel=1e-9)
    assert [a["name"] for a in found["result"]["arms"]] == ["full", "half"]


def test_what_grows_with_its_window_has_no_ratio_between_unlike_windows() -> None:
    found = answer(arms=[arm("4 mg q24h x3"), arm("2 mg q12h x6")], n=10)
    rows = {(r["window"], r["endpoint"]): r["arms"] for r in found["result"]["endpoints"]}
    assert rows["last interval", "AUC"][1]["ratio"] is None
    assert rows["last interval", "Cavg"][1]["ratio"] > 0
    asked = [{"start": 48, "end": 72}]
    found = answer(arms=[arm("4 mg q24h x3"), arm("2 mg q12h x6")], n=10, windows=asked)
    rows = {(r["window"], r["endpoint"]): r["arms"] for r in found["result"]["endpoints"]}
    assert rows["window 1", "AUC"][1]["ratio"] > 0


def test_the_same_arm_twice_has_two_names() -> None:
    found = answer(arms=[arm(), arm()], n=5)
    assert [a["name"] for a in found["result"]["arms"]] == ["4 mg q24h x3", "4 mg q24h x3 (2)"]


def test_inhibition_of_a_cytokine_is_the_hill_equation_of_the_concentration() -> None:
    found = answer(arms=[arm()], n=25, readout="il-6")
    shown = found["result"]["arms"][0]
    inhibition = shown["inhibition"]
    # 5.7 nM at JAK2, half of the drug unbound, 371.42 g/mol
    assert inhibition["ic50"] == pytest.approx(5.7 / 0.5 * 371.42 / 1000, rel=1e-9)
    every = simulate(load_model(BARICITINIB), "4 mg q24h x3", n=25, times=shown["times"])
    concentration = every.outputs["CP"]
    expected = 100 * concentration / (concentration + inhibition["ic50"])
    np.testing.assert_allclose(
        inhibition["bands"], np.percentile(expected, (5, 50, 95), axis=0), rtol=1e-9, atol=1e-9
    )
    (last,) = [
        r["arms"][0] for r in found["result"]["endpoints"]
        if r["endpoint"].startswith("mean inhibition") and r["window"] == "last interval"
    ]  # fmt: skip
    assert 0 < last["p5"] < last["p50"] < last["p95"] < 100
    assert last["unit"] == "%"
    (time,) = [
        r["arms"][0] for r in found["result"]["endpoints"]
        if r["endpoint"] == "time above IC50, il-6" and r["window"] == "last interval"
    ]  # fmt: skip
    day = every.outputs["CP"][:, every.times >= 48], every.times[every.times >= 48]
    above = [np.trapezoid(np.where(row > inhibition["ic50"], 1.0, 0.0), day[1]) for row in day[0]]
    assert time["p50"] == pytest.approx(np.median(above), abs=1.0)


def test_a_drug_without_potency_says_so_and_takes_the_users() -> None:
    tofacitinib = {"model": "tofacitinib/Xie_2019", "dose": "5 mg q12h x4"}
    found = answer(arms=[tofacitinib], n=5, readout="IL-6")
    assert "give an IC50" in found["result"]["arms"][0]["inhibition"]["missing"]
    own = {"ic50": 10, "unit": "nM", "unbound": 0.6, "molar_mass": 312.4}
    found = answer(arms=[{**tofacitinib, "potency": own}], n=5, readout="IL-6")
    inhibition = found["result"]["arms"][0]["inhibition"]
    assert inhibition["ic50"] == pytest.approx(10 / 0.6 * 0.3124)
    with pytest.raises(InputError, match="molar mass") as caught:
        answer(arms=[{**tofacitinib, "potency": {"ic50": 10}}], n=5)
    assert caught.value.where == "arms.0.potency"


def test_covariates_that_the_regimen_implies_are_filled_in() -> None:
    found = answer(
        arms=[{"model": "abrocitinib/Wojciechowski_2022", "dose": "100 mg q12h x2"}], n=2
    )
    covariates = found["result"]["arms"][0]["covariates"]
    assert covariates["DOSE"] == {"value": 200, "implied": True}
    assert covariates["MULTIPLE"] == {"value": 1, "implied": True}


@pytest.mark.parametrize(
    ("arms", "error", "where"),
    [
        ([arm(), arm("4 mg q")], InputError, "arms.1.dose"),
        ([arm("4000 mg")], DomainError, "arms.0.dose"),
        ([arm(covariates={"EGFR": 999.0})], DomainError, "arms.0.covariates.EGFR"),
        ([arm(covariates={"eGFR": "normal(1, 2"})], InputError, "arms.0.covariates.eGFR"),
        ([arm(covariates={"HAIR": 1.0})], InputError, "arms.0.covariates.HAIR"),
        ([{"model": "nothing/Nobody_1900"}], InputError, "arms.0.model"),
        ([arm(covariates={"EGFR": "nan"})], InputError, "arms.0.covariates.EGFR"),
        ([arm("4 mg q1h x5000")], InputError, "arms.0.dose"),
    ],
)
def test_errors_name_their_field(
    arms: list[dict[str, Any]], error: type[StateraError], where: str
) -> None:
    with pytest.raises(error) as caught:
        answer(arms=arms)
    assert caught.value.where == where


def test_values_outside_the_data_are_noted_at_their_field() -> None:
    found = answer(arms=[arm("40 mg", covariates={"EGFR": 20.0})], n=3)
    notes = found["result"]["arms"][0]["notes"]
    assert "outside the doses" in notes["dose"][0]
    assert "extrapolation" in notes["EGFR"][0]
    assert any("extrapolation" in w for w in found["warnings"])


@pytest.mark.parametrize("model", ["/etc/passwd.toml", "../x/y", "a/b.toml", "a", "a/b/c", ""])
def test_models_are_never_paths(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b.toml").write_text('schema = "statera.model/1"')
    with pytest.raises(UnknownNameError, match="no model is called") as caught:
        answer(arms=[{"model": model, "dose": "4 mg"}])
    assert caught.value.where == "arms.0.model"
    assert caught.value.hint.startswith(("Nearest:", "Known:"))


def test_the_distribution_counts_everybody_once() -> None:
    asked = {"endpoint": "AUC", "window": -1}
    found = answer(arms=[arm(), arm("2 mg q24h x3")], n=60, distribution=asked)
    shown = found["result"]["distribution"]
    assert shown["unit"] == "ng*h/mL"
    for each in shown["arms"]:
        assert sum(each["share"]) == pytest.approx(1)
    assert len(shown["edges"]) == len(shown["arms"][0]["share"]) + 1
    with pytest.raises(InputError, match="no output"):
        answer(arms=[arm()], n=5, distribution={"output": "CX"})
    with pytest.raises(InputError, match="no output"):
        answer(arms=[arm()], n=5, thresholds={"CX": [1]})
    with pytest.raises(InputError, match="no endpoint"):
        answer(arms=[arm()], n=5, distribution={"endpoint": "Cmaximum"})


REQUEST: dict[str, Any] = {
    "arms": [
        arm("8 mg; 4 mg q24h x2 at 24 h", name="it's \"loaded\"",
            covariates={"EGFR": 60.5, "WT": "normal(74.5, 15)"}),
        {"model": "filgotinib/Namour_2015", "dose": "200 mg q24h x2"},
    ],
    "n": 20, "seed": 3, "percentiles": [10, 50, 97.5], "thresholds": {"CP": [7.25]},
    "windows": [{"start": 0, "end": 24}, {"start": 20.5, "end": 48}], "readout": "IL-6",
}  # fmt: skip


def test_the_program_makes_the_same_numbers() -> None:
    found = answer(**REQUEST)
    space: dict[str, Any] = {}
    exec(found["copies"]["python"], space)
    for i, shown in enumerate(found["result"]["arms"]):
        result = space["results"][shown["name"]]
        for output, profile in shown["profiles"].items():
            bands = result.percentiles(output, space["levels"])
            np.testing.assert_allclose(profile["bands"], bands, rtol=1e-12)
        compare(found, i, list(result.summary(space["levels"]).values()))


def test_the_command_makes_the_same_numbers() -> None:
    found = answer(**REQUEST)
    commands = found["copies"]["command"].splitlines()
    assert len(commands) == 2
    for i, command in enumerate(commands):
        program, *words = shlex.split(command)
        assert program == "statera"
        done = CliRunner().invoke(app, [*words, "--json"])
        assert done.exit_code == 0, done.output
        compare(found, i, json.loads(done.stdout)["result"]["summary"])


def compare(found: dict[str, Any], index: int, summary: list[dict[str, Any]]) -> None:
    """Hold the endpoints of an arm against a summary of the library."""
    assert len(summary) >= 12
    ic50 = (found["result"]["arms"][index]["inhibition"] or {}).get("ic50")
    for entry in summary:
        name, factor = entry["endpoint"], 1
        if name.startswith("mean inhibition"):
            name, factor = f"mean inhibition, {REQUEST['readout']}", 100
        elif ic50 is not None and name == f"time above {ic50:.12g}":
            name = f"time above IC50, {REQUEST['readout']}"
        (row,) = [
            r["arms"][index] for r in found["result"]["endpoints"]
            if (r["output"], r["endpoint"]) == (entry["output"], name)
            and r["arms"][index]["window_h"] == entry["window_h"]
        ]  # fmt: skip
        for level in ("p10", "p50", "p97.5"):
            assert row[level] == pytest.approx(factor * entry[level], rel=1e-9)


def test_models_carry_covariates_sources_and_readouts() -> None:
    found = json.loads(simulate_models.run(ModelsRequest(), FakeWork()).to_json())
    models = {m["id"]: m for m in found["result"]["models"]}
    shown = models[BARICITINIB]
    assert shown["closed_form"]
    assert "doi" in shown["citation"]
    egfr = next(c for c in shown["covariates"] if c["name"] == "EGFR")
    assert egfr["soft"] == [54, None]
    assert egfr["reference"] == 93
    assert any("IL-6" in r["cytokines"] for r in shown["readouts"])
    assert not models["abrocitinib/Wojciechowski_2022"]["closed_form"]
    assert models["filgotinib/Namour_2015"]["readouts"][1]["output"] == "CM"


@pytest.mark.parametrize("name", ["baricitinib/Decker_2026", "upadacitinib/Klunder_2019"])
def test_the_example_dose_of_a_model_can_be_simulated(name: str) -> None:
    found = json.loads(simulate_models.run(ModelsRequest(), FakeWork()).to_json())
    dose = next(m["example_dose"] for m in found["result"]["models"] if m["id"] == name)
    assert answer(arms=[{"model": name, "dose": dose}], n=2)["result"]["arms"][0]["notes"] == {}


def test_a_regimen_as_lines_and_back() -> None:
    text = "8 mg; 4 mg over 2 h q12h x5 at 24 h"
    read = simulate_regimen.run(RegimenRequest(text=text), FakeWork()).result
    assert read["doses"] == 6
    assert read["end"] == 84
    again = simulate_regimen.run(RegimenRequest(lines=read["lines"]), FakeWork()).result
    assert again["text"] == text
    with pytest.raises(InputError) as caught:
        simulate_regimen.run(RegimenRequest(text="four"), FakeWork())
    assert caught.value.where == "text"
    with pytest.raises(ValidationError):
        RegimenRequest()
