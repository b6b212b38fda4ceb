"""Simulate a phospho-flow plate with known answers: FCS files, plate map and settings.

For examples, teaching and tests of gates and IC50s. Blood cells are drawn as log-normal clouds;
the numbers describe no donor and no drug.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from statera.cytometry.compensation import Spillover
from statera.cytometry.write_fcs import write_fcs

__all__ = ["SimulatedPlate", "SimulationOptions", "simulate_plate"]

Floats = NDArray[np.float64]

_DYES = ("FITC-A", "PE-A", "PE-Cy7-A", "APC-A", "APC-Cy7-A", "BV421-A")
_LABELS = ("CD3", "CD11b", "CD8", "pSTAT3", "LiveDead", "CD4")
_CHANNELS = ("FSC-A", "FSC-H", "SSC-A", *_DYES, "Time")
_SPILL = {
    ("FITC-A", "PE-A"): 0.15,
    ("PE-A", "FITC-A"): 0.01,
    ("PE-A", "PE-Cy7-A"): 0.04,
    ("APC-A", "APC-Cy7-A"): 0.25,
    ("APC-Cy7-A", "APC-A"): 0.08,
    ("PE-Cy7-A", "APC-Cy7-A"): 0.05,
}
# share of cells, forward scatter, side scatter, and levels of CD3, CD11b, CD8, live/dead, CD4
_CELLS: dict[str, tuple[float, float, float, tuple[float, float, float, float, float]]] = {
    "CD4": (0.34, 62e3, 16e3, (9000, 150, 120, 120, 11000)),
    "CD8": (0.20, 62e3, 16e3, (9000, 180, 13000, 120, 130)),
    "CD11b": (0.17, 108e3, 58e3, (160, 15000, 150, 150, 500)),
    "other": (0.13, 58e3, 15e3, (140, 160, 120, 120, 120)),
    "dead": (0.06, 50e3, 22e3, (3000, 800, 900, 16000, 2500)),
    "debris": (0.10, 14e3, 7e3, (60, 60, 60, 200, 60)),
}


@dataclass(frozen=True)
class SimulationOptions:
    """What is simulated.

    Attributes
    ----------
    donors, cytokines
    doses
        nM.
    controls
        Unstimulated and stimulated wells each, by donor and cytokine.
    events
        Of each well.
    ic50
        nM by cytokine and population; a cytokine and population left out does not respond.
    hill
    donor_sd, well_cv
        Spread of ln IC50 between donors, and of the signal between wells.
    seed
    columns
        Wells in a row of the plate: 24, or 12 for a plate of 96.
    """

    donors: Sequence[str] = ("D1", "D2")
    cytokines: Sequence[str] = ("IL-6", "IL-15")
    doses: Sequence[float] = (0.3, 1, 3, 10, 30, 100, 300, 1000, 3000)
    controls: int = 3
    events: int = 4000
    ic50: Mapping[tuple[str, str], float] = field(
        default_factory=lambda: {
            ("IL-6", "CD4"): 30.0,
            ("IL-6", "CD8"): 40.0,
            ("IL-6", "CD11b"): 60.0,
            ("IL-15", "CD4"): 60.0,
            ("IL-15", "CD8"): 50.0,
        }
    )
    hill: float = 1.1
    donor_sd: float = 0.2
    well_cv: float = 0.04
    seed: int = 1
    columns: int = 24


@dataclass(frozen=True)
class SimulatedPlate:
    """What was simulated.

    Attributes
    ----------
    settings
        Path of ``plate.toml``.
    ic50
        nM by donor, cytokine and population.
    labels
        Kind of every event by well.
    """

    settings: Path
    ic50: Mapping[tuple[str, str, str], float]
    labels: Mapping[str, NDArray[np.str_]]


def simulate_plate(folder: str | Path, options: SimulationOptions | None = None) -> SimulatedPlate:
    """Write a plate into a folder: ``plate.toml``, ``platemap.csv`` and ``fcs/*.fcs``."""
    chosen = options or SimulationOptions()
    base = Path(folder)
    (base / "fcs").mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(chosen.seed)
    ic50 = {
        (donor, *key): value * float(np.exp(rng.normal(0.0, chosen.donor_sd)))
        for donor in chosen.donors
        for key, value in chosen.ic50.items()
    }
    labels: dict[str, NDArray[np.str_]] = {}
    lines = ["well,file,donor,cytokine,condition,dose_nM"]
    spillover = _spillover()
    for k, (donor, cytokine, condition, dose) in enumerate(_layout(chosen)):
        row, column = divmod(k, chosen.columns)
        well = f"{'ABCDEFGHIJKLMNOP'[row]}{column + 1:02d}"
        events, kinds = _well(rng, chosen, donor, cytokine, condition, dose, ic50)
        events[3:9] = spillover.matrix.T @ events[3:9] + rng.normal(0.0, 25.0, (6, kinds.size))
        name = f"{well}.fcs"
        write_fcs(
            base / "fcs" / name,
            events,
            _CHANNELS,
            labels=("", "", "", *_LABELS, ""),
            spillover=spillover,
            keywords={"$TIMESTEP": "0.01"},
        )
        labels[well] = kinds
        lines.append(f"{well},{name},{donor},{cytokine},{condition},{dose:g}")
    (base / "platemap.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    settings = base / "plate.toml"
    settings.write_text(_SETTINGS, encoding="utf-8")
    return SimulatedPlate(settings, ic50, labels)


def _layout(options: SimulationOptions) -> list[tuple[str, str, str, float]]:
    wells: list[tuple[str, str, str, float]] = []
    for donor in options.donors:
        for cytokine in options.cytokines:
            wells += [(donor, cytokine, "unstimulated", 0.0)] * options.controls
            wells += [(donor, cytokine, "stimulated", 0.0)] * options.controls
            wells += [(donor, cytokine, "dose", float(d)) for d in options.doses]
    return wells


def _spillover() -> Spillover:
    matrix = np.eye(len(_DYES))
    for (dye, detector), share in _SPILL.items():
        matrix[_DYES.index(dye), _DYES.index(detector)] = share
    return Spillover(_DYES, _DYES, matrix, "simulated")


def _well(
    rng: np.random.Generator,
    options: SimulationOptions,
    donor: str,
    cytokine: str,
    condition: str,
    dose: float,
    ic50: Mapping[tuple[str, str, str], float],
) -> tuple[Floats, NDArray[np.str_]]:
    """Return events before spillover, (10, n), and the kind of each."""
    names = list(_CELLS)
    shares = np.array([_CELLS[name][0] for name in names])
    kinds = rng.choice(names, size=options.events, p=shares / shares.sum())
    events = np.zeros((len(_CHANNELS), options.events))
    gain = float(np.exp(rng.normal(0.0, options.well_cv)))
    for name in names:
        k = np.flatnonzero(kinds == name)
        _, forward, side, levels = _CELLS[name]
        height = rng.normal(1.0, 0.03, k.size)
        events[0, k] = forward * np.exp(rng.normal(0.0, 0.11, k.size))
        events[1, k] = events[0, k] * 0.9 * height
        events[2, k] = side * np.exp(rng.normal(0.0, 0.2, k.size))
        for row, level in zip((3, 4, 5, 7, 8), levels, strict=True):
            events[row, k] = level * np.exp(rng.normal(0.0, 0.35, k.size))
        signal = _signal(donor, cytokine, name, condition, dose, options, ic50) * gain
        events[6, k] = signal * np.exp(rng.normal(0.0, 0.45, k.size))
    double = rng.random(options.events) < 0.04  # two cells at once: twice the area, not the height
    events[0, double] *= 1.9
    events[2:9, double] *= 1.5
    kinds = np.where(double, "doublet", kinds)
    events[9] = np.sort(rng.uniform(0.0, 3000.0, options.events))
    return events, kinds


def _signal(
    donor: str,
    cytokine: str,
    name: str,
    condition: str,
    dose: float,
    options: SimulationOptions,
    ic50: Mapping[tuple[str, str, str], float],
) -> float:
    low, high = (240.0, 2400.0) if name in ("CD4", "CD8", "CD11b") else (200.0, 260.0)
    half = ic50.get((donor, cytokine, name))
    if condition == "unstimulated" or half is None:
        return low
    return float(low + (high - low) / (1.0 + (dose / half) ** options.hill))


_SETTINGS = """\
schema = "statera.plate/1"
name = "Simulated plate"
drug = "baricitinib"
plate_map = "platemap.csv"
files = "fcs"
matrix = "cell"

[panel]
fsc_area = "FSC-A"
fsc_height = "FSC-H"
ssc_area = "SSC-A"
live_dead = "LiveDead"
time = "Time"

[panel.markers]
CD3 = "FITC-A"
CD11b = "PE-A"
CD8 = "PE-Cy7-A"
CD4 = "BV421-A"

[panel.readouts]
pSTAT3 = "APC-A"

[populations]
CD4 = "CD3+ CD4+ CD8-"
CD8 = "CD3+ CD8+ CD4-"
CD11b = "CD3- CD11b+"

[gating]
method = "automatic"

[compensation]
from = "file"

[about.overview]
purpose = "Simulated data: no experiment was done"
"""
