"""One well for the editor of gates: counts of all gates, and the density of one plane."""

from __future__ import annotations

import base64
import tempfile
from collections import OrderedDict
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from statera.cytometry.compensation import Spillover
from statera.cytometry.gates import BooleanGate, Dimension
from statera.cytometry.gates_toml_write import gates_toml_text
from statera.cytometry.read_fcs import FcsFile
from statera.cytometry.strategy import GatingStrategy, gate_values
from statera.errors import InputError, UnknownNameError
from statera.plate.compensation import well_spillover
from statera.plate.gate_well import GatedWell, gate_events, read_well_events
from statera.plate.settings import CompensationKind, PlateSettings
from statera.web.answer import Answer, Column, Copies, Table
from statera.web.requests.plate import PlateWellRequest, WellSettings
from statera.web.requests.plate_gates import Axis
from statera.web.tasks.plate_axis import PlotAxis, axis_of, choose_dimension
from statera.web.tasks.plate_files import find_file, place_file
from statera.web.tasks.plate_settings import well_settings
from statera.web.tasks.plate_strategy import dimension_of, strategy_of
from statera.web.work import Work

__all__ = ["run"]

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

_SMOOTH = 0.9
"""Bins over which a density is smoothed before it is coloured."""

_KEPT_BYTES = 300_000_000
_RECENT: OrderedDict[tuple[str, str, str], FcsFile] = OrderedDict()
"""Events of the last wells, in this process only, for an editor asks for the same ones again.

The key holds the hash of the upload: it is found only by who may read that file."""


def run(request: PlateWellRequest, work: Work) -> Answer:
    """Gate a well, and draw the events of one population in a plane."""
    strategy = strategy_of(request.gates)
    settings, whole = well_settings(request.well, work)
    file = _events(request, strategy, settings, whole, work)
    gated = gate_events(file, strategy, settings, whole)
    if request.parent and request.parent not in gated.masks:
        raise UnknownNameError("gate", request.parent, gated.masks, where="parent")
    parent = gated.masks[request.parent] if request.parent else np.ones(file.n_events, dtype=bool)
    spillover = well_spillover(file, settings.compensation, whole, strategy)
    sides = [
        _dimension(axis, strategy, file, spillover, settings) for axis in (request.x, request.y)
    ]
    values = gate_values(strategy, file, sides)
    axes = [axis_of(file, side, v) for side, v in zip(sides, values, strict=True)]
    plot = _plot(axes, [v[parent] for v in values], request.bins)
    populations = [
        {
            "name": p.name,
            "parent": p.parent,
            "count": p.count,
            "of_parent": p.of_parent,
            "of_all": p.of_all,
            "medians": p.medians,
        }
        for p in gated.populations
    ]
    result = {
        "events": file.n_events,
        "parent": request.parent,
        "shown": int(parent.sum()),
        "populations": populations,
        "plot": plot,
        "channels": [{"name": c.name, "label": c.label} for c in file.channels],
    }
    return Answer(
        "statera.web.plate_well/1",
        result,
        {"populations": _table(gated)},
        _copies(request, strategy),
    )


def _events(
    request: PlateWellRequest,
    strategy: GatingStrategy,
    settings: PlateSettings,
    whole: Spillover | None,
    work: Work,
) -> FcsFile:
    """Return the events that quality control keeps, from memory where they were just asked for."""
    entry = find_file(request.file, work)
    plain: WellSettings = request.well
    matrices = repr(strategy.spillovers) if settings.compensation.kind is _GATES else ""
    key = (entry.upload.sha256, entry.name, plain.model_dump_json() + matrices)
    if key in _RECENT:
        _RECENT.move_to_end(key)
        return _RECENT[key]
    with tempfile.TemporaryDirectory(dir=work.folder) as folder:
        file, _ = read_well_events(place_file(entry, Path(folder)), strategy, settings, whole)
    # in one piece: otherwise each channel that is unmixed copies all events first
    file = replace(file, events=np.ascontiguousarray(file.events))
    _RECENT[key] = file
    while len(_RECENT) > 1 and sum(f.events.nbytes for f in _RECENT.values()) > _KEPT_BYTES:
        _RECENT.popitem(last=False)
    return file


_GATES = CompensationKind.GATES


def _dimension(
    axis: Axis,
    strategy: GatingStrategy,
    file: FcsFile,
    spillover: Spillover | None,
    settings: PlateSettings,
) -> Dimension:
    """Return the dimension of an axis: as given, as a gate has it, or chosen from the events."""
    if axis.dimension is not None:
        return dimension_of(axis.dimension)
    if not axis.channel:
        raise InputError("an axis names neither a channel nor a dimension", where="x, y")
    name = file.channels[file.index(axis.channel)].name
    for gate in strategy.gates:
        if isinstance(gate, BooleanGate):
            continue
        for dimension in gate.dimensions:
            # a channel without a scale is read more easily on one, but gates stay where they are
            if dimension.channel == name and dimension.scale is not None:
                return dimension
    named = next(iter(strategy.spillovers), "") if settings.compensation.kind is _GATES else ""
    return choose_dimension(file, name, spillover, named)


def _plot(axes: list[PlotAxis], values: list[Floats], bins: int) -> dict[str, Any]:
    """Return the density as levels of 0 (no event) to 255, row by row from the lowest y."""
    good = np.isfinite(values[0]) & np.isfinite(values[1])
    places = []
    beyond = np.zeros(int(good.sum()), dtype=bool)
    for axis, v in zip(axes, values, strict=True):
        share = (v[good] - axis.low) / (axis.high - axis.low)
        beyond |= (share < 0) | (share > 1)
        places.append(np.clip((share * bins).astype(np.int64), 0, bins - 1))
    counts = np.bincount(places[1] * bins + places[0], minlength=bins * bins)
    counts = counts.reshape(bins, bins)
    smooth = gaussian_filter(counts.astype(np.float64), _SMOOTH)
    top = float(smooth.max()) or 1.0
    levels = np.where(counts > 0, 1 + np.floor(254 * np.sqrt(smooth / top)), 0).astype(np.uint8)
    return {
        "x": axes[0].as_json(),
        "y": axes[1].as_json(),
        "bins": bins,
        "levels": base64.b64encode(levels.tobytes()).decode(),
        "most": int(counts.max()) if counts.size else 0,
        "beyond": int(beyond.sum()),
    }


def _table(gated: GatedWell) -> Table:
    readouts = list(gated.populations[0].medians) if gated.populations else []
    columns = [
        Column("population"),
        Column("parent"),
        Column("count", "events"),
        Column("share_of_parent"),
        Column("share_of_all"),
        *(Column(f"median_{name}", "linear, compensated") for name in readouts),
    ]
    rows = [
        [p.name, p.parent, p.count, p.of_parent, p.of_all, *p.medians.values()]
        for p in gated.populations
    ]
    return Table(columns, rows)


def _copies(request: PlateWellRequest, strategy: GatingStrategy) -> Copies:
    why = "the command line gates whole plates: statera assay run"
    if not strategy.gates:
        return Copies("", "", "there are no gates yet")
    python = (
        "import zipfile\n"
        "from pathlib import Path\n\n"
        "from statera.cytometry.gates_toml import read_gates_toml\n"
        "from statera.plate.gate_well import gate_well\n"
        "from statera.plate.read_settings import read_settings\n\n"
        "# plate-input.zip is among the files of the analysis of this plate.\n"
        'zipfile.ZipFile("plate-input.zip").extractall("plate")\n'
        f"Path('gates.toml').write_text({gates_toml_text(strategy)!r})\n"
        'settings = read_settings("plate/plate.toml")\n'
        "gates = read_gates_toml('gates.toml')\n"
        f"well = gate_well(Path('plate/fcs') / {request.file.name!r}, gates, settings)\n"
        "for p in well.populations:\n"
        "    print(p.name, p.count, p.of_parent)\n"
    )
    return Copies(python, "", why)
