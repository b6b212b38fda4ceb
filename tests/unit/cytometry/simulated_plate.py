"""Plates of stained blood cells with known labels, simulated for tests of gates and quality."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from statera.cytometry.fcs_layout import Channel
from statera.cytometry.panel import Panel
from statera.cytometry.read_fcs import FcsFile

Floats = NDArray[np.float64]
Labels = NDArray[np.str_]

DETECTORS = {"CD3": "FITC-A", "CD4": "BV421-A", "CD8": "PE-Cy7-A", "CD14": "PE-A"}
CELLS: dict[str, tuple[str, ...]] = {
    "CD4": ("CD3", "CD4"),
    "CD8": ("CD3", "CD8"),
    "mono": ("CD14",),
    "B": (),
}
POPULATIONS = {"CD4": "CD3+ CD4+ CD8-", "CD8": "CD3+ CD8+ CD4-", "mono": "CD3- CD14+"}
SPILL = 0.15


@dataclass(frozen=True)
class Setup:
    """What a plate is like; shifts are standard deviations between wells, in decades."""

    wells: int = 12
    events: int = 3000
    shares: Mapping[str, float] = field(
        default_factory=lambda: {"CD4": 0.4, "CD8": 0.25, "mono": 0.15, "B": 0.2}
    )
    bright: float = 8000.0
    dim: float = 120.0
    noise: float = 60.0
    width: float = 0.35
    monocytes_cd4: float = 0.0
    shift: float = 0.05
    scatter_shift: float = 0.03
    debris: float = 0.08
    doublets: float = 0.05
    dead: float = 0.05
    kind: str = "float"
    spill: bool = True
    spill_keyword: bool = True
    scatter: bool = True
    missing: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    empty: tuple[str, ...] = ()
    seed: int = 5


@dataclass(frozen=True)
class SimulatedPlate:
    """Files and labels by well, with the panel."""

    files: dict[str, FcsFile]
    labels: dict[str, Labels]
    panel: Panel


def simulate_plate(setup: Setup) -> SimulatedPlate:
    """Return a plate."""
    rng = np.random.default_rng(setup.seed)
    files, labels = {}, {}
    for k in range(setup.wells):
        well = f"{'ABCDEFGH'[k // 12]}{k % 12 + 1:02d}"
        n = 0 if well in setup.empty else setup.events
        file, label = _well(rng, setup, n, well)
        files[well], labels[well] = file, label
    return SimulatedPlate(files, labels, panel(setup))


def panel(setup: Setup) -> Panel:
    """Return the panel of a plate."""
    scatter = ("FSC-A", "FSC-H", "SSC-A") if setup.scatter else ("", "", "")
    mass = setup.kind == "mass"
    markers = {m: _mass_name(m) if mass else d for m, d in DETECTORS.items()}
    readout = {"pSTAT3": "Er166Di" if mass else "APC-A"}
    live = "Pt195Di" if mass else "APC-Cy7-A"
    return Panel(*scatter, live, "Time", markers, readout, POPULATIONS)


def _mass_name(marker: str) -> str:
    return {"CD3": "Er170Di", "CD4": "Nd145Di", "CD8": "Nd146Di", "CD14": "Gd160Di"}[marker]


def _well(rng: np.random.Generator, s: Setup, n: int, well: str) -> tuple[FcsFile, Labels]:
    shares = {c: 0.0 if c in s.missing.get(well, ()) else w for c, w in s.shares.items()}
    total = sum(shares.values())
    cells = rng.choice(list(shares), n, p=[w / total for w in shares.values()])
    kind = rng.choice(
        ["cell", "debris", "doublet", "dead"],
        n,
        p=[1.0 - s.debris - s.doublets - s.dead, s.debris, s.doublets, s.dead],
    )
    dyes = {}
    for marker in DETECTORS:
        stained = np.isin(cells, [c for c, has in CELLS.items() if marker in has])
        level = np.where(stained, s.bright * 10 ** (s.shift * rng.normal()), s.dim)
        if marker == "CD4" and s.monocytes_cd4:
            level = np.where(cells == "mono", s.monocytes_cd4, level)
        dyes[marker] = level * np.exp(s.width * rng.normal(size=n))
    dyes["live"] = np.where(kind == "dead", s.bright * 1.5, s.dim) * np.exp(
        s.width * rng.normal(size=n)
    )
    dyes["readout"] = 250.0 * np.exp(0.4 * rng.normal(size=n))
    columns = _scatter(rng, s, cells, kind) if s.scatter else {}
    columns |= _detected(rng, s, dyes)
    columns["Time"] = np.sort(rng.uniform(0.0, 60.0, n))
    label = np.where(kind == "cell", cells, kind)
    return _file(s, columns, well), label


def _scatter(rng: np.random.Generator, s: Setup, cells: Labels, kind: Labels) -> dict[str, Floats]:
    n = cells.size
    large = cells == "mono"
    size = 10 ** (s.scatter_shift * rng.normal())
    forward = np.where(large, 135_000.0, 88_000.0) * (1.0 + 0.09 * rng.normal(size=n)) * size
    side = np.where(large, 78_000.0, 30_000.0) * (1.0 + 0.14 * rng.normal(size=n))
    small = kind == "debris"
    forward[small] = np.abs(20_000.0 + 7000.0 * rng.normal(size=int(small.sum())))
    side[small] = np.abs(14_000.0 + 6000.0 * rng.normal(size=int(small.sum())))
    height = forward * 0.92 * (1.0 + 0.025 * rng.normal(size=n))
    double = kind == "doublet"
    forward[double] *= 1.85
    side[double] *= 1.8
    return {"FSC-A": forward, "FSC-H": height, "SSC-A": side}


def _detected(rng: np.random.Generator, s: Setup, dyes: dict[str, Floats]) -> dict[str, Floats]:
    """Return what the detectors see: with spillover from each dye to the next, and noise."""
    names = {**DETECTORS, "live": "APC-Cy7-A", "readout": "APC-A"}
    order = list(names)
    out = {}
    for i, dye in enumerate(order):
        seen = dyes[dye].copy()
        if s.spill and i > 0 and s.kind != "mass":
            seen += SPILL * dyes[order[i - 1]]
        out[names[dye]] = seen
    if s.kind == "mass":
        mass = {d: _mass_name(m) for m, d in DETECTORS.items()}
        mass |= {"APC-Cy7-A": "Pt195Di", "APC-A": "Er166Di"}
        return {
            mass[c]: rng.poisson(np.maximum(x / 60.0 - 1.5, 0.05)) * 1.0 for c, x in out.items()
        }
    for name, seen in out.items():
        first, second = rng.normal(size=(2, seen.size))
        out[name] = seen + s.noise * first + 0.5 * np.sqrt(seen) * second
    return out


def _file(s: Setup, columns: dict[str, Floats], well: str) -> FcsFile:
    channels = []
    rows = []
    keywords = {}
    for i, (name, column) in enumerate(columns.items(), start=1):
        channel = Channel(i, name, "", "float", 32, 262_144.0)
        if s.kind == "log" and name not in ("FSC-A", "FSC-H", "SSC-A", "Time"):
            # four decades in 1024 channels, over which 262 144 is spread
            channel = replace(
                channel, kind="integer", bits=16, range=1024.0, decades=4.0, offset=1.0
            )
            place = np.log10(np.maximum(column / 26.2144, 1e-3)) * 256.0
            values = 10.0 ** (np.clip(np.rint(place), 0.0, 1023.0) * 4.0 / 1024.0)
        else:
            values = np.minimum(column, 262_144.0)
        channels.append(channel)
        rows.append(values)
    if s.spill and s.spill_keyword and s.kind == "float":
        names = [*DETECTORS.values(), "APC-Cy7-A", "APC-A"]
        matrix = np.eye(len(names)) + SPILL * np.eye(len(names), k=1)
        cells = ",".join(f"{x:g}" for x in matrix.ravel())
        keywords["$SPILLOVER"] = f"{len(names)},{','.join(names)},{cells}"
    return FcsFile(Path(f"{well}.fcs"), "FCS3.1", keywords, tuple(channels), np.array(rows), ())


def f1_by_well(
    labels: Mapping[str, Labels], masks: Mapping[str, NDArray[np.bool_]], name: str
) -> tuple[float, dict[str, float]]:
    """Return F1 of all wells together, and by well where there are such cells."""
    counts = {}
    for well, label in labels.items():
        truth, found = label == name, masks[well]
        counts[well] = (int((truth & found).sum()), int((truth ^ found).sum()))
    wrong = {w: 2 * a / (2 * a + b) for w, (a, b) in counts.items() if a + b}
    a, b = (sum(c[i] for c in counts.values()) for i in (0, 1))
    return 2 * a / (2 * a + b), wrong
