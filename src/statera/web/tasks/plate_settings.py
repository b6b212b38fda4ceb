"""Settings of a plate analysis: as ``plate.toml``, and for one well."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

from statera.cytometry.compensation import Spillover, read_spillover_csv
from statera.cytometry.gates_toml_write import gates_toml_text
from statera.cytometry.panel import Panel
from statera.errors import InputError
from statera.plate.settings import (
    CompensationKind,
    CompensationSettings,
    PlateSettings,
    QualitySettings,
)
from statera.web.requests.plate import PlatePanel, PlateRunRequest, WellSettings
from statera.web.tasks.plate_strategy import strategy_of
from statera.web.work import Work

__all__ = ["settings_text", "well_settings", "write_input"]

SETTINGS, PLATE_MAP, GATES, SPILLOVER = "plate.toml", "platemap.csv", "gates.toml", "spillover.csv"


def write_input(request: PlateRunRequest, work: Work, folder: Path) -> Path:
    """Write settings, plate map, gates and matrix into a folder, and return the settings' path.

    Raises
    ------
    InputError
        If gates make no sense or a table of spillover is asked and not there.
    """
    shutil.copyfile(work.upload(request.plate_map).path, folder / PLATE_MAP)
    if request.gates is not None:
        text = gates_toml_text(strategy_of(request.gates))
        (folder / GATES).write_text(text, encoding="utf-8")
    if request.well.compensation == "table":
        shutil.copyfile(_table_of(request.well, work), folder / SPILLOVER)
    path = folder / SETTINGS
    path.write_text(settings_text(request), encoding="utf-8")
    return path


def _table_of(well: WellSettings, work: Work) -> Path:
    if well.spillover is None:
        raise InputError(
            "compensation by a table needs the table",
            where="well.spillover",
            hint="Upload the matrix as CSV, or take that of the files.",
        )
    return work.upload(well.spillover).path


def settings_text(request: PlateRunRequest) -> str:
    """Return the request as the text of ``plate.toml``.

    Raises
    ------
    InputError
        If two populations have one name.
    """
    well, fit = request.well, request.fit
    lines = [
        'schema = "statera.plate/1"',
        f"name = {_text(request.name)}",
        f"drug = {_text(request.drug)}",
        f"plate_map = {_text(PLATE_MAP)}",
        'files = "fcs"',
        f"matrix = {_text(request.matrix)}",
        *_panel_lines(well.panel),
        *_table("populations", _populations(request)),
        "",
        "[gating]",
    ]
    if request.gates is None:
        lines.append('method = "automatic"')
    else:
        lines += ['method = "toml"', f"file = {_text(GATES)}"]
    lines += ["", "[compensation]", f"from = {_text(well.compensation)}"]
    if well.compensation == "table":
        lines.append(f"file = {_text(SPILLOVER)}")
    lines += ["", "[quality]", f"remove = {str(well.remove).lower()}"]
    lines.append(f"min_events = {well.min_events}")
    lines += ["", "[statistics]", f"cofactor = {request.cofactor!r}"]
    lines.append(f"percentile = {request.percentile!r}")
    lines += ["", "[fit]"]
    for key, value in fit.model_dump().items():
        lines.append(f"{key} = {_text(value) if isinstance(value, str) else repr(value)}")
    return "\n".join(lines) + "\n"


def _populations(request: PlateRunRequest) -> dict[str, str]:
    found: dict[str, str] = {}
    for population in request.populations:
        if population.name in found:
            raise InputError(f"two populations are called '{population.name}'", where="populations")
        found[population.name] = population.definition
    return found


def _panel_lines(panel: PlatePanel) -> list[str]:
    lines = ["", "[panel]"]
    for role in ("fsc_area", "fsc_height", "ssc_area", "live_dead", "time"):
        if channel := getattr(panel, role):
            lines.append(f"{role} = {_text(channel)}")
    return [
        *lines,
        *_table("panel.markers", panel.markers),
        *_table("panel.readouts", panel.readouts),
    ]


def _table(name: str, entries: Mapping[str, str]) -> list[str]:
    return ["", f"[{name}]", *(f"{_text(key)} = {_text(entries[key])}" for key in entries)]


def _text(text: str) -> str:
    # texts of JSON are texts of TOML but for one character that only TOML wants escaped
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def well_settings(well: WellSettings, work: Work) -> tuple[PlateSettings, Spillover | None]:
    """Return the settings that gating one well needs, and the matrix of the plate if it has one.

    Raises
    ------
    InputError
        If a table of spillover is asked and not there, or is none, or single stains are asked.
    """
    if well.compensation == "single_stains":
        raise InputError(
            "the single stains are other wells of the plate",
            where="well.compensation",
            hint="Take the matrix of the analysed gates: compensation 'gates'.",
        )
    panel = Panel(**well.panel.model_dump(), populations={})
    kind = CompensationKind(well.compensation)
    none = Path()
    settings = PlateSettings(
        "",
        "",
        none,
        none,
        none,
        panel,
        compensation=CompensationSettings(kind),
        quality=QualitySettings(well.remove, well.min_events),
    )
    if kind is CompensationKind.TABLE:
        return settings, read_spillover_csv(_table_of(well, work))
    return settings, None
