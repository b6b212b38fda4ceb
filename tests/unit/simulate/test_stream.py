"""Simulation into parquet files: the same numbers as in memory, resumed, and checked."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from statera.errors import InputError
from statera.model import Model
from statera.simulate import LogNormal, StreamedSimulation, simulate, simulate_to_parquet, stream

Make = Callable[..., Model]
DOSE = "100 mg via oral q12h x5"
TIMES = [0.0, 1.0, 5.5, 30.0]


@pytest.fixture
def population(compartments: Make) -> Model:
    return compartments(
        2,
        random_effects={"eta_CL": {"variance": 0.09}, "eta_V": {"variance": 0.04}},
        covariates={
            "WT": {
                "unit": "kg",
                "reference": 70.0,
                "soft": {"min": 55, "max": 120},
                "hard": {"min": 40, "max": 200},
            }
        },
        individual={"CLI": "CL*exp(eta_CL)*(WT/70)^0.75", "VI": "V*exp(eta_V)"},
        dynamics={
            "depot": "-KA*depot",
            "central": "KA*depot - CLI/VI*central - Q2/VI*central + Q2/V2*p2",
            "p2": "Q2/VI*central - Q2/V2*p2",
        },
        outputs={
            "C": {"expression": "central/VI", "unit": "mg/L"},
            "A": {"expression": "depot", "unit": "mg"},
        },
    )


def _options() -> dict[str, Any]:
    return {
        "n": 23, "times": TIMES, "seed": 5, "covariates": {"WT": LogNormal(75.0, 0.3)},
        "thresholds": {"C": [1.0]},
    }  # fmt: skip


@pytest.mark.parametrize("part", [1, 7, 23, 1000, None])
def test_same_numbers_as_in_memory(population: Model, tmp_path: Path, part: int | None) -> None:
    whole = simulate(population, DOSE, **_options())
    parts = simulate_to_parquet(population, DOSE, tmp_path / "out", part=part, **_options())
    key = ["output", "window_start", "subject"]
    assert_frame_equal(
        parts.endpoints().collect().sort(key), whole.endpoints().sort(key), check_exact=True
    )
    assert_frame_equal(parts.profiles().collect(), whole.to_polars(), check_exact=True)
    assert parts.summary() == whole.summary()
    assert parts.n_subjects == 23
    assert parts.warnings == whole.warnings


def test_only_endpoints(population: Model, tmp_path: Path) -> None:
    found = simulate_to_parquet(population, DOSE, tmp_path / "out", n=5, part=2)
    files = sorted(f.name for f in (tmp_path / "out").iterdir())
    assert files == [*(f"endpoints-{i:06d}.parquet" for i in range(3)), "manifest.json"]
    with pytest.raises(InputError, match="only endpoints"):
        found.profiles()


def test_goes_on_where_it_stopped(
    population: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "out"
    runs: list[int] = []
    original = stream.simulate

    def counted(*arguments: Any, **options: Any) -> Any:
        if len(runs) == 2:
            raise KeyboardInterrupt
        runs.append(options["n"])
        return original(*arguments, **options)

    monkeypatch.setattr(stream, "simulate", counted)
    with pytest.raises(KeyboardInterrupt):
        simulate_to_parquet(population, DOSE, folder, part=6, **_options())
    with pytest.raises(InputError, match="not finished"):
        StreamedSimulation(folder)
    before = {f.name: f.stat().st_mtime_ns for f in folder.glob("*.parquet")}
    assert sorted(before) == [
        *(f"endpoints-{i:06d}.parquet" for i in range(2)),
        *(f"profiles-{i:06d}.parquet" for i in range(2)),
    ]
    assert not list(folder.glob("*.part"))
    monkeypatch.setattr(stream, "simulate", original)
    # a file cut short, as by a full disk, is written anew
    cut = folder / "endpoints-000001.parquet"
    cut.write_bytes(cut.read_bytes()[:100])
    found = simulate_to_parquet(population, DOSE, folder, part=6, **_options())
    assert (folder / "endpoints-000000.parquet").stat().st_mtime_ns == before[
        "endpoints-000000.parquet"
    ]
    assert found.summary() == simulate(population, DOSE, **_options()).summary()


def test_finished_run_is_only_read(
    population: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = simulate_to_parquet(population, DOSE, tmp_path / "out", part=6, **_options())

    def never(*_: Any, **__: Any) -> Any:
        raise AssertionError("nothing is left to simulate")

    monkeypatch.setattr(stream, "simulate", never)
    again = simulate_to_parquet(population, DOSE, tmp_path / "out", part=6, **_options())
    assert again.summary() == first.summary()


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 6}, {"n": 24}, {"times": [0.0, 2.0]}, {"windows": [(0, 5)]},
        {"thresholds": {"C": [2.0]}}, {"covariates": {"WT": 80.0}}, {"inhibition": {"C": (1, 1)}},
    ],
)  # fmt: skip
def test_another_request_is_refused(
    population: Model, tmp_path: Path, change: dict[str, Any]
) -> None:
    simulate_to_parquet(population, DOSE, tmp_path / "out", part=12, **_options())
    with pytest.raises(InputError, match="another simulation"):
        simulate_to_parquet(population, DOSE, tmp_path / "out", part=12, **(_options() | change))


def test_another_model_is_refused(compartments: Make, tmp_path: Path) -> None:
    simulate_to_parquet(compartments(1), "100 mg", tmp_path / "out")
    with pytest.raises(InputError, match="another simulation"):
        simulate_to_parquet(compartments(1, {"CL": 5.1}), "100 mg", tmp_path / "out")


def test_folders_of_others_are_refused(compartments: Make, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, match="not empty"):
        simulate_to_parquet(compartments(1), "100 mg", tmp_path)
    with pytest.raises(InputError, match="not empty"):
        simulate_to_parquet(compartments(1), "100 mg", tmp_path / "notes.txt")
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "manifest.json").write_text("[not json", encoding="utf-8")
    with pytest.raises(InputError, match="another simulation"):
        simulate_to_parquet(compartments(1), "100 mg", tmp_path / "x")
    with pytest.raises(InputError, match="holds no simulation"):
        StreamedSimulation(tmp_path / "nowhere")


def test_failures_and_warnings(compartments: Make, tmp_path: Path) -> None:
    model = compartments(
        1,
        random_effects={"eta": {"variance": 1.0}},
        individual={"CLI": "CL/eta"},
        dynamics={"depot": "-KA*depot", "central": "KA*depot - CLI/V*central"},
    )
    etas = np.ones((5, 1))
    etas[3] = 0.0
    with np.errstate(divide="ignore", invalid="ignore"):
        found = simulate_to_parquet(model, "100 mg", tmp_path / "out", etas=etas, part=2)
        whole = simulate(model, "100 mg", etas=etas, times=[])
    assert found.n_failures == 1
    assert found.warnings == whole.warnings
    assert found.summary() == whole.summary()
    bad = found.endpoints().filter(pl.col("status") != "ok").collect()
    assert bad["subject"].to_list() == [4]
    assert np.isnan(bad["Cmax"].to_numpy()).all()


def test_ranges_are_reported_once(population: Model, tmp_path: Path) -> None:
    found = simulate_to_parquet(
        population, "5 mg via oral q24h x2", tmp_path / "out", part=3,
        covariates={"WT": np.linspace(50, 150, 10)},
    )  # fmt: skip
    whole = simulate(
        population, "5 mg via oral q24h x2", times=[], covariates={"WT": np.linspace(50, 150, 10)}
    )
    assert found.warnings == whole.warnings
    assert json.loads((found.path / "manifest.json").read_text(encoding="utf-8"))["complete"]


@pytest.mark.parametrize("change", [{"part": 0}, {"windows": []}])
def test_sizes_are_checked(population: Model, tmp_path: Path, change: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        simulate_to_parquet(population, DOSE, tmp_path / "out", n=3, **change)
    assert not (tmp_path / "out").exists()
