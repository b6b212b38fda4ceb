"""What the files of a plate hold, before they are analysed."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from typing import Any

from statera.cytometry.describe_fcs import FcsDescription, describe_fcs
from statera.cytometry.fcs_layout import Channel
from statera.engagement.stated import MATRICES
from statera.errors import StateraError
from statera.library.drug import drugs
from statera.plate.plate_map import Condition, PlateMap, Well, read_plate_map
from statera.web.answer import Answer, Column, Copies, Table
from statera.web.requests.plate import PlateInspectRequest
from statera.web.tasks.plate_files import WellFile, find_files, place_file
from statera.web.work import Work

__all__ = ["guess_panel", "guess_populations", "run"]

_DESCRIBED = 3
"""Files that are opened until one can be read."""

_PHOSPHO = re.compile(r"^(p[- ]?(STAT|AKT|ERK|S6|JAK|p38|TYK)|phospho)", re.IGNORECASE)
_VIABILITY = re.compile(r"live|dead|viab|zombie|aqua|7-?aad|dapi", re.IGNORECASE)
_ROLES = {
    "fsc_area": re.compile(r"^FSC([- ]?A(REA)?)?$", re.IGNORECASE),
    "fsc_height": re.compile(r"^FSC[- ]?H(EIGHT)?$", re.IGNORECASE),
    "ssc_area": re.compile(r"^SSC([- ]?A(REA)?)?$", re.IGNORECASE),
    "time": re.compile(r"^(HDR-T|TIME)$", re.IGNORECASE),
}
_SIGNS = {
    "CD4": ("CD3+ CD4+ CD8-", "CD3+ CD4+"),
    "CD8": ("CD3+ CD8+ CD4-", "CD3+ CD8+"),
    "CD19": ("CD3- CD19+", "CD19+"),
    "CD56": ("CD3- CD56+",),
    "CD14": ("CD3- CD14+", "CD14+"),
    "CD11b": ("CD3- CD11b+", "CD11b+"),
}
"""Populations that a marker is used for, the first whose markers are all there."""


def run(request: PlateInspectRequest, work: Work) -> Answer:
    """Describe the files, match them with the plate map, and guess what channels stand for."""
    files = find_files(request.files, work)
    described, unreadable = _described(list(files.values()), work)
    problems = list(unreadable)
    plate_map: PlateMap | None = None
    if request.plate_map is not None:
        upload = work.upload(request.plate_map)
        local = work.folder / "platemap.csv"  # errors name the file: by this name, not the store's
        shutil.copyfile(upload.path, local)
        try:
            plate_map = read_plate_map(local)
        except StateraError as error:
            problems.append(f"plate map: {error.what}. {error.hint}".strip())
        else:
            problems += [f"{p.where}: {p.sentence}" for p in plate_map.problems]
    wells = [] if plate_map is None else [_well(w, files) for w in plate_map.wells]
    channels = [] if described is None else [_channel(c) for c in described.channels]
    panel = guess_panel(described.channels) if described is not None else None
    result = {
        "files": [{"name": f.name, "upload": f.upload.id, "size": f.size} for f in files.values()],
        "channels": channels,
        "wells": wells,
        "panel": panel,
        "populations": {} if panel is None else guess_populations(panel["markers"]),
        "spillover": described is not None
        and any(key in described.keywords for key in ("$SPILLOVER", "SPILL", "SPILLOVER")),
        "drugs": list(drugs()),
        "matrices": list(MATRICES),
    }
    return Answer(
        "statera.web.plate_inspect/1",
        result,
        _tables(channels, wells),
        _copies(),
        problems,
    )


def _described(files: Sequence[WellFile], work: Work) -> tuple[FcsDescription | None, list[str]]:
    problems: list[str] = []
    for file in files[:_DESCRIBED]:
        try:
            return describe_fcs(place_file(file, work.folder)), problems
        except StateraError as error:
            problems.append(f"{file.name}: {error.what}. {error.hint}".strip())
    return None, problems


def _channel(channel: Channel) -> dict[str, Any]:
    return {"name": channel.name, "label": channel.label, "range": channel.range}


def _well(well: Well, files: dict[str, WellFile]) -> dict[str, Any]:
    lower = {name.lower(): name for name in files}
    name = well.file if well.file in files else lower.get(well.file.lower(), "")
    return {
        "name": well.name,
        "plate": well.plate,
        "well": well.well,
        "row": well.row,
        "column": well.column,
        "donor": well.donor,
        "cytokine": well.cytokine,
        "condition": well.condition.value,
        "dose_nM": well.dose,
        "file": well.file,
        "found": bool(name) or well.condition is Condition.UNUSED,
    }


def guess_panel(channels: Sequence[Channel]) -> dict[str, Any]:
    """Return roles of channels by their names and labels, to be looked at by the user."""
    panel: dict[str, Any] = dict.fromkeys((*_ROLES, "live_dead"), "")
    markers: dict[str, str] = {}
    readouts: dict[str, str] = {}
    for channel in channels:
        role = next((r for r, e in _ROLES.items() if e.match(channel.name)), "")
        label = channel.label
        if role:
            panel[role] = panel[role] or channel.name
        elif not label or channel.name.upper().startswith(("FSC", "SSC")):
            continue
        elif _PHOSPHO.match(label):
            readouts.setdefault(label, channel.name)
        elif _VIABILITY.search(label):
            panel["live_dead"] = panel["live_dead"] or channel.name
        else:
            markers.setdefault(label, channel.name)
    return {**panel, "markers": markers, "readouts": readouts}


def guess_populations(markers: dict[str, str]) -> dict[str, str]:
    """Return signs of the populations that the markers are usually chosen for."""
    found = {}
    for marker, choices in _SIGNS.items():
        for signs in choices:
            if marker in markers and all(word[:-1] in markers for word in signs.split()):
                found[marker] = signs
                break
    return found


def _tables(channels: list[dict[str, Any]], wells: list[dict[str, Any]]) -> dict[str, Table]:
    tables = {
        "channels": Table(
            [Column("name"), Column("label"), Column("range")],
            [list(c.values()) for c in channels],
        )
    }
    if wells:
        units = {"dose_nM": "nM"}
        tables["wells"] = Table(
            [Column(key, units.get(key, "")) for key in wells[0]], [list(w.values()) for w in wells]
        )
    return tables


def _copies() -> Copies:
    python = (
        "from statera.cytometry.describe_fcs import describe_fcs\n"
        "from statera.plate.plate_map import read_plate_map\n\n"
        'for channel in describe_fcs("fcs/A01.fcs").channels:\n'
        "    print(channel.name, channel.label, channel.range)\n"
        'for well in read_plate_map("platemap.csv").wells:\n'
        "    print(well.name, well.condition.value, well.dose, well.file)\n"
    )
    return Copies(python, "", "the command line analyses whole plates: statera assay run")
