"""The sample plate: simulated, with known answers."""

from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path

from statera.plate.simulated_plate import SimulationOptions, simulate_plate

__all__ = ["OPTIONS", "write_files", "write_map"]

OPTIONS = SimulationOptions(
    donors=("D1", "D2"),
    cytokines=("IL-6", "IL-15"),
    doses=(1, 3, 10, 30, 100, 300, 1000, 3000),
    controls=2,
    events=3000,
    columns=12,
)
"""48 wells of a plate of 96: a row for each donor and cytokine."""

_STAMP = (2026, 1, 1, 0, 0, 0)


def write_files(target: Path) -> None:
    """Write the FCS files as one zip archive, the same bytes each time."""
    with tempfile.TemporaryDirectory() as folder:
        simulate_plate(folder, OPTIONS)
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for file in sorted((Path(folder) / "fcs").iterdir()):
                # a fixed time: that of the file would change the archive from day to day
                info = zipfile.ZipInfo(file.name, _STAMP)
                info.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(info, file.read_bytes())


def write_map(target: Path) -> None:
    """Write the plate map."""
    with tempfile.TemporaryDirectory() as folder:
        simulate_plate(folder, OPTIONS)
        target.write_bytes((Path(folder) / "platemap.csv").read_bytes())
