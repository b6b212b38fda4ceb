"""The sample plate, for tests of the tasks of the screen 'plate'."""

from __future__ import annotations

import functools
import json
import tempfile
from pathlib import Path
from typing import Any

from statera.web import samples
from statera.web.requests.plate import PlateRunRequest
from statera.web.tasks.plate_run import run

from .fake_work import FakeWork

PANEL: dict[str, Any] = {
    "fsc_area": "FSC-A",
    "fsc_height": "FSC-H",
    "ssc_area": "SSC-A",
    "live_dead": "APC-Cy7-A",
    "time": "Time",
    "markers": {"CD3": "FITC-A", "CD11b": "PE-A", "CD8": "PE-Cy7-A", "CD4": "BV421-A"},
    "readouts": {"pSTAT3": "APC-A"},
}
SIGNS = {"CD4": "CD3+ CD4+ CD8-", "CD8": "CD3+ CD8+ CD4-", "CD11b": "CD3- CD11b+"}
FILES, MAP = "sample-plate-files", "sample-plate-map"
HALF = "f" * 32
"""The plate map of one donor."""


@functools.cache
def sample_folder() -> Path:
    """Return a folder that holds the samples, made once."""
    return Path(tempfile.mkdtemp(prefix="statera-samples-"))


def work(folder: Path, **uploads: Path) -> FakeWork:
    """Return a place to work in, with the sample plate among its uploads."""
    folder.mkdir(exist_ok=True)
    there = {i: samples.path(i, sample_folder()).path for i in (FILES, MAP)}
    half = sample_folder() / "half.csv"
    half.write_text("\n".join(there[MAP].read_text().splitlines()[:25]) + "\n")
    return FakeWork(folder, {**there, HALF: half, **uploads})


def request(**other: Any) -> PlateRunRequest:
    """Return the analysis of the sample plate."""
    fields: dict[str, Any] = {
        "name": "Sample plate",
        "drug": "baricitinib",
        "files": [FILES],
        "plate_map": MAP,
        "well": {"panel": PANEL},
        "populations": [{"name": n, "definition": d} for n, d in SIGNS.items()],
    }
    return PlateRunRequest.model_validate({**fields, **other})


@functools.cache
def analysed() -> tuple[dict[str, Any], FakeWork]:
    """Return the analysed sample plate and what its job saved."""
    place = work(Path(tempfile.mkdtemp(prefix="statera-plate-")))
    return json.loads(run(request(), place).to_json()), place
