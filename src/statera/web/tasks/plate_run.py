"""A whole plate as a job: files to IC50s, with the files that the command line writes."""

from __future__ import annotations

import io
import re
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from statera.cytometry.gates_toml_write import gates_toml_text
from statera.errors import StateraError
from statera.parallel import available_workers
from statera.plate.analyse import analyse_plate
from statera.plate.problem import Problem
from statera.plate.result import CurveResult, PlateResult
from statera.plate.result_dict import result_to_dict
from statera.plate.settings import GatingMethod
from statera.plate.tables import curve_table, statistics_table, well_table
from statera.plate.write_results import write_results
from statera.plate_report.build import build_plate_report
from statera.report import render_html
from statera.web.answer import Answer, Copies
from statera.web.requests.plate import PlateRunRequest
from statera.web.tasks.plate_files import WellFile, find_files, place_file
from statera.web.tasks.plate_settings import PLATE_MAP, write_input
from statera.web.tasks.plate_strategy import gate_json, gates_json
from statera.web.tasks.plate_tables import ic50_columns, table_of
from statera.web.work import Work

__all__ = ["run"]

_PACKED = 100_000_000
"""FCS files up to so many bytes go into the archive that reproduces the analysis."""

_STAGES = {"reading wells": (0.05, 0.2), "gating wells": (0.35, 0.35)}
"""Where each stage of the analysis begins, and its share; curves and the report take the rest."""

_MEDIA = {
    ".csv": "text/csv",
    ".json": "application/json",
    ".toml": "application/toml",
    ".xml": "application/xml",
}


def run(request: PlateRunRequest, work: Work) -> Answer:
    """Analyse a plate, save its files, and return what the screen draws."""
    files = find_files(request.files, work)
    with tempfile.TemporaryDirectory(dir=work.folder) as name:
        folder = Path(name)
        settings = write_input(request, work, folder)
        (folder / "fcs").mkdir()
        for k, file in enumerate(files.values(), 1):
            place_file(file, folder / "fcs")
            work.progress(0.05 * k / len(files), "unpacking files")
        with _as_uploaded(folder, work.upload(request.plate_map).name):
            result = analyse_plate(settings, workers=available_workers(), progress=_progress(work))
        result = replace(
            result, problems=tuple(_problem_on_page(p, folder) for p in result.problems)
        )
        work.progress(0.85, "writing the report")
        problems = _save(result, folder, files, work)
    warnings = [f"{p.where}: {p.sentence}" for p in result.problems]
    work.progress(1.0, "done")
    return Answer(
        "statera.web.plate_run/1",
        _result(result, request, files),
        _tables(result),
        _copies(files),
        (*warnings, *problems),
        result.manifest,
    )


@contextmanager
def _as_uploaded(folder: Path, plate_map: str) -> Iterator[None]:
    """Let errors name the plate map as its owner does, and no folder of the server."""
    try:
        yield
    except StateraError as error:
        if error.where is not None:
            where = str(error.where).replace(f"{folder}/{PLATE_MAP}", plate_map)
            error.where = where.replace(f"{folder}/", "")
        error.what = error.what.replace(f"{folder}/", "")
        error.hint = error.hint.replace(f"{folder}/", "")
        raise


def _problem_on_page(problem: Problem, folder: Path) -> Problem:
    """Return a problem without folders of the server: who reads it has uploaded files."""
    hint = re.sub(r"Expected it in .*?; copy it there", "Upload it", problem.hint)
    return replace(
        problem,
        where=problem.where.replace(f"{folder}/", ""),
        sentence=problem.sentence.replace("is not in the folder", "was not uploaded"),
        hint=hint.replace(f"{folder}/", ""),
    )


def _progress(work: Work) -> Any:
    def tell(stage: str, share: float | None) -> None:
        begin, part = _STAGES.get(stage, (0.7, 0.0))
        done = share or 0.0
        if stage == "gating wells" and done >= 1.0:
            stage = "fitting curves"
        work.progress(begin + part * done, stage)

    return tell


def _save(
    result: PlateResult, folder: Path, files: Mapping[str, WellFile], work: Work
) -> list[str]:
    """Keep all files of the command line, the gates as TOML and what was put in."""
    out = folder / "out"
    problems = [f"{p.where}: {p.sentence}" for p in write_results(result, out)]
    work.save("report.html", render_html(build_plate_report(result)).encode(), "text/html")
    work.save("plate-input.zip", _packed(folder, files), "application/zip")
    try:
        gates = gates_toml_text(result.gates[""])
    except StateraError as error:
        problems.append(f"gates.toml: {error.what}")
    else:
        work.save("gates.toml", gates.encode(), _MEDIA[".toml"])
    for file in sorted(out.iterdir()):
        if file.is_file():
            work.save(file.name, file.read_bytes(), _MEDIA[file.suffix])
    whole = out / "gates" / "plate.xml"
    if whole.is_file():
        work.save("gates.xml", whole.read_bytes(), _MEDIA[".xml"])
    return problems


def _packed(folder: Path, files: Mapping[str, WellFile]) -> bytes:
    """Return what was put in; the files of the wells only where they are not too large."""
    stream = io.BytesIO()
    small = sum(f.size for f in files.values()) <= _PACKED
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for file in sorted(folder.iterdir()):
            if file.is_file():
                archive.write(file, file.name)
        if small:
            for file in sorted((folder / "fcs").iterdir()):
                info = zipfile.ZipInfo(f"fcs/{file.name}", (2026, 1, 1, 0, 0, 0))
                info.compress_type = zipfile.ZIP_DEFLATED
                with archive.open(info, "w") as target, file.open("rb") as source:
                    shutil.copyfileobj(source, target)
        else:
            archive.writestr("fcs/put-the-fcs-files-here.txt", "\n".join(sorted(files)) + "\n")
    return stream.getvalue()


def _result(
    result: PlateResult, request: PlateRunRequest, files: Mapping[str, WellFile]
) -> dict[str, Any]:
    found = result_to_dict(result)
    del found["points"]
    lower = {name.lower(): file for name, file in files.items()}
    for row, well in zip(found["wells"], result.wells, strict=True):
        file = files.get(well.well.file) or lower.get(well.well.file.lower())
        row |= {
            "name": well.well.name,
            "row": well.well.row,
            "column": well.well.column,
            "upload": file.upload.id if file else None,
            "file_name": file.name if file else None,
            "flags": [*well.repairs, *well.flags],
            "removals": [
                {"rule": r.rule, "events": r.events, "removed": r.removed, "sentence": r.sentence}
                for r in well.removals
            ],
        }
    automatic = result.settings.gating.method is GatingMethod.AUTOMATIC
    return {
        **found,
        "matrix": request.matrix,
        "level": result.settings.fit.level,
        "scale": result.settings.fit.scale.value,
        "absolute": result.settings.fit.absolute,
        "curves": [_curve(c) for c in result.curves],
        "gates": [],
        "strategy": gates_json(result.gates[""]),
        "by_well": _own_gates(result),
        "populations": dict(
            {p.name: p.name for p in request.populations}
            if automatic
            else result.settings.gating.populations
        ),
        "automatic": automatic,
        "confidence": [
            {
                "gate": c.gate,
                "well": c.well,
                "low_confidence": c.low_confidence,
                "sentence": c.sentence,
            }
            for c in result.confidence
        ],
        "well_settings": _well_settings(result, request),
    }


def _well_settings(result: PlateResult, request: PlateRunRequest) -> dict[str, Any]:
    """Return how a single well is read as it was here: by the gates' matrix, if they bring one."""
    found = request.well.model_dump()
    whole = found["compensation"] in ("table", "single_stains")
    if whole and len(result.gates[""].spillovers) == 1:
        found |= {"compensation": "gates", "spillover": None}
    return found


def _curve(c: CurveResult) -> dict[str, Any]:
    low, high = c.ic50.profile if c.ic50.profile is not None else c.ic50.wald
    refused = c.ic50.determination.value == "refused"
    # a line through wells that cannot give an IC50 would be believed: it is not drawn
    return {
        "name": c.name,
        "plate": c.plate,
        "donor": c.donor,
        "cytokine": c.cytokine,
        "population": c.population,
        "readout": c.readout,
        "dose": c.dose,
        "response": c.response,
        "wells": c.wells,
        "status": c.ic50.determination.value,
        "sentence": c.ic50.sentence,
        "ic50": None if refused else c.ic50.estimate,
        "low": None if refused else low,
        "high": None if refused else high,
        "flags": [flag.value for flag in c.ic50.flags],
        "line_dose": [] if refused else c.curve[0],
        "line": [] if refused else c.curve[1],
        "band_low": [] if refused or not c.band.size else c.band[0],
        "band_high": [] if refused or not c.band.size else c.band[1],
    }


def _own_gates(result: PlateResult) -> dict[str, dict[str, Any]]:
    """Return, by well, those of its gates that differ from the plate's, by name."""
    whole = {gate.name: gate for gate in result.gates[""].gates}
    found = {}
    for well, strategy in result.gates.items():
        own = {g.name: gate_json(g) for g in strategy.gates if whole.get(g.name) != g}
        if well and own:
            found[well] = own
    return found


def _tables(result: PlateResult) -> dict[str, Any]:
    return {
        "ic50": ic50_columns(result),
        "statistics": table_of(statistics_table(result)),
        "wells": table_of(well_table(result)),
        "curves": table_of(curve_table(result)),
    }


def _copies(files: Mapping[str, WellFile]) -> Copies:
    small = sum(f.size for f in files.values()) <= _PACKED
    note = "" if small else "# First put the FCS files into the folder plate/fcs.\n"
    python = (
        "import zipfile\n\n"
        "from statera.plate.analyse import analyse_plate\n\n"
        "# plate-input.zip is among the files of this result.\n"
        'zipfile.ZipFile("plate-input.zip").extractall("plate")\n'
        f"{note}"
        'result = analyse_plate("plate/plate.toml")\n'
        "for curve in result.curves:\n"
        "    print(curve.name, curve.ic50.sentence)\n"
    )
    put = "" if small else "# put the FCS files into the folder fcs\n"
    command = f"unzip plate-input.zip\n{put}statera assay run plate.toml --out results"
    why = "plate-input.zip is among the files of this result: settings, plate map, gates" + (
        " and FCS files." if small else "; the FCS files are too large for it and are yours."
    )
    return Copies(python, command, why)
