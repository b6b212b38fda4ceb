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
"""Members of an archive that are unpacked until one can be read; single files are all opened."""

_NAMED = 6
"""Wells or files that are named in one sentence."""

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
            problems.append(f"plate map: {error.what}. {_without_settings(error.hint)}".strip())
        else:
            problems += [
                f"{upload.name}:{p.where.rpartition(':')[2]}: {p.sentence}. {p.hint}".strip()
                for p in plate_map.problems
            ]
    wells = [] if plate_map is None else [_well(w, files) for w in plate_map.wells]
    problems += _unmatched(wells, files)
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
    """Return the first file that can be read, and what is wrong with files."""
    problems: list[str] = []
    first: FcsDescription | None = None
    for k, file in enumerate(files):
        if file.member is not None and (first is not None or k >= _DESCRIBED):
            continue
        try:
            found = describe_fcs(place_file(file, work.folder))
        except StateraError as error:
            problems.append(f"{file.name}: {error.what}. {error.hint}".strip())
            continue
        first = first or found
        end = found.keywords.get("$ENDDATA", "").strip()
        if end.isdigit() and int(end) > file.size:  # some programs write one byte too many
            problems.append(
                f"{file.name}: the events end at byte {end}, and the file has {file.size} bytes. "
                "The file is cut off: copy it again."
            )
    return first, problems


def _unmatched(wells: Sequence[dict[str, Any]], files: dict[str, WellFile]) -> list[str]:
    """Return sentences on wells without a file, and on files without a well."""
    if not wells:
        return []
    told = []
    missing = [f"{w['name']} ({w['file'] or 'no name'})" for w in wells if not w["found"]]
    if missing:
        told.append(
            f"{_counted(missing, 'well')} of the plate map without a file: {_listed(missing)}. "
            "Upload the files, or correct the column 'file'."
        )
    named = {w["file"].lower() for w in wells}
    others = [name for name in files if name.lower() not in named]
    if others:
        told.append(
            f"{_counted(others, 'file')} that the plate map does not name: {_listed(others)}. "
            "They are not analysed."
        )
    return told


def _counted(names: Sequence[str], noun: str) -> str:
    return f"{len(names)} {noun}{'s' if len(names) > 1 else ''}"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:_NAMED]) + (" …" if len(names) > _NAMED else "")


def _without_settings(hint: str) -> str:
    """Return a hint without the file of settings, which the page writes itself."""
    hint = hint.replace("Another name is given under [columns].", "Rename the one that is meant.")
    return hint.replace(", or name it: columns.dose", "")


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
