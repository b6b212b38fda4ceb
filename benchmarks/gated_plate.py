"""A plate for benchmarks: simulated wells of 18 channels, and ten gates of the usual kinds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from statera.cytometry.compensation import Spillover
from statera.cytometry.gates import (
    FROM_FILE,
    BooleanGate,
    Dimension,
    EllipsoidGate,
    PolygonGate,
    QuadrantGate,
    RectangleGate,
    Reference,
)
from statera.cytometry.scales import Logicle
from statera.cytometry.strategy import GatingStrategy
from statera.cytometry.write_fcs import write_fcs

EVENTS = 50_000
SCATTER = ("FSC-A", "FSC-H", "FSC-W", "SSC-A", "SSC-H", "SSC-W")
DYES = (
    "BV421-A", "BV510-A", "BV605-A", "BV711-A", "FITC-A", "PE-A", "PE-CF594-A", "PE-Cy7-A",
    "APC-A", "AF700-A", "APC-Cy7-A",
)  # fmt: skip
MARKERS = (
    "CD4", "CD14", "CD19", "CD56", "CD3", "pSTAT3", "CD11b", "pSTAT1", "pSTAT5", "CD8", "LiveDead",
)  # fmt: skip
NAMES = (*SCATTER, *DYES, "Time")
LABELS = (*("",) * 6, *MARKERS, "")

_BRIGHT: dict[str, tuple[str, ...]] = {
    "CD4 T": ("CD3", "CD4"),
    "CD8 T": ("CD3", "CD8"),
    "B": ("CD19",),
    "NK": ("CD56", "CD8"),
    "monocyte": ("CD14", "CD11b"),
}
_SHARES = (0.34, 0.2, 0.1, 0.1, 0.26)


def spillover() -> Spillover:
    """Return a matrix whose spillover falls with the distance between detectors."""
    place = np.arange(len(DYES))
    apart = place[None, :] - place[:, None]
    matrix = np.where(apart >= 0, 0.25, 0.08) * 0.4 ** np.abs(apart)
    np.fill_diagonal(matrix, 1.0)
    return Spillover(DYES, DYES, matrix)


def simulated_well(seed: int, n: int = EVENTS) -> NDArray[np.float64]:
    """Return events with debris, doublets, dead cells and five kinds of cells, (18, n)."""
    source = np.random.default_rng(seed)
    kind = source.choice(len(_SHARES), n, p=_SHARES)
    debris, dead = source.random(n) < 0.12, source.random(n) < 0.06
    doublet = source.random(n) < 0.05
    area = np.where(kind == 4, 110_000.0, 70_000.0) * np.exp(0.1 * source.standard_normal(n))
    side = np.where(kind == 4, 60_000.0, 22_000.0) * np.exp(0.2 * source.standard_normal(n))
    area, side = np.where(debris, 0.2 * area, area), np.where(debris, 0.4 * side, side)
    wide = np.where(doublet, 1.8, 1.0)
    noise = np.exp(0.03 * source.standard_normal((4, n)))
    scatter = [
        area * wide, 0.8 * area * noise[0], 65_536.0 * wide * noise[1],
        side * wide, 0.8 * side * noise[2], 65_536.0 * wide * noise[3],
    ]  # fmt: skip
    true = np.empty((len(MARKERS), n))
    for row, marker in enumerate(MARKERS):
        level = np.full(n, 120.0)
        for i, bright in enumerate(_BRIGHT.values()):
            level[(kind == i) & (marker in bright)] = 9_000.0
        if marker.startswith("pSTAT"):
            level[:] = 900.0
        if marker == "LiveDead":
            level[dead] = 30_000.0
        true[row] = level * np.exp(0.4 * source.standard_normal(n))
    observed = spillover().matrix.T @ true + 60.0 * source.standard_normal(true.shape)
    return np.vstack([*scatter, observed, np.linspace(0.0, 60.0, n)])


def write_plate(folder: Path, wells: int) -> list[Path]:
    """Write the files of a plate."""
    own = spillover()
    return [
        write_fcs(
            folder / f"well_{i:03}.fcs", simulated_well(i), NAMES, labels=LABELS, spillover=own
        )
        for i in range(wells)
    ]


def marker(name: str) -> Dimension:
    """Return a compensated channel on the logicle scale."""
    return Dimension(DYES[MARKERS.index(name)], Logicle(262_144.0, 0.5, 4.5, 0.0), FROM_FILE)


def strategy() -> GatingStrategy:
    """Ten gates: three polygons, four rectangles, an ellipsoid, a quadrant and a boolean."""
    fsc, fsc_h, ssc = Dimension("FSC-A"), Dimension("FSC-H"), Dimension("SSC-A")
    inf = float("inf")
    cells = (
        (30_000.0, 3_000.0), (90_000.0, 3_000.0), (180_000.0, 40_000.0), (200_000.0, 150_000.0),
        (90_000.0, 130_000.0), (40_000.0, 60_000.0), (30_000.0, 20_000.0),
    )  # fmt: skip
    single = ((20_000.0, 13_000.0), (200_000.0, 140_000.0), (200_000.0, 180_000.0), (20e3, 20e3))
    nk = ((0.0, 0.5), (0.35, 0.5), (0.45, 0.6), (0.45, 1.0), (0.0, 1.0))
    quadrants = (("CD4+", (1, 0)), ("CD8+", (0, 1)), ("CD4+CD8+", (1, 1)), ("CD4-CD8-", (0, 0)))
    return GatingStrategy(
        (
            PolygonGate("cells", (fsc, ssc), cells),
            PolygonGate("singlets", (fsc, fsc_h), single, "cells"),
            RectangleGate("live", (marker("LiveDead"),), (-inf,), (0.7,), "singlets"),
            EllipsoidGate(
                "lymphocytes", (fsc, ssc), (70e3, 23e3), ((9e8, 0.0), (0.0, 2e8)), 1.0, "live"
            ),
            RectangleGate(
                "monocytes", (marker("CD14"), marker("CD11b")), (0.5, 0.5), (1.0, 1.0), "live"
            ),
            RectangleGate(
                "T cells", (marker("CD3"), marker("CD19")), (0.5, 0.0), (1.0, 0.5), "lymphocytes"
            ),
            QuadrantGate(
                "CD4 and CD8", (marker("CD4"), marker("CD8")), ((0.5,), (0.5,)), quadrants,
                "T cells",
            ),
            PolygonGate("NK cells", (marker("CD3"), marker("CD56")), nk, "lymphocytes"),
            BooleanGate(
                "T or NK", "or", (Reference("T cells"), Reference("NK cells")), "lymphocytes"
            ),
            RectangleGate("pSTAT3+", (marker("pSTAT3"),), (0.4,), (inf,), "CD4+"),
        )
    )  # fmt: skip


READOUTS = tuple(
    Dimension(DYES[MARKERS.index(name)], None, FROM_FILE) for name in ("pSTAT3", "pSTAT1", "pSTAT5")
)
"""Linear compensated channels whose medians are taken in every population."""
