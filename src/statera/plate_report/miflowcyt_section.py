"""MIFlowCyt: what a reader needs to know of the experiment; what is not stated says so.

Items: Lee and others, Cytometry A 2008 (doi 10.1002/cyto.a.20623).
"""

from __future__ import annotations

import re

from statera.cytometry.gates import BooleanGate
from statera.plate.plate_map import Condition
from statera.plate.result import PlateResult, WellStatus
from statera.plate.settings import PlateSettings
from statera.plate_report.gate_words import compensation_words, gating_words, scale_name
from statera.plate_report.parts import cited, counted, some_of, unique
from statera.report.document import (
    Block,
    Cell,
    Definition,
    Heading,
    Inline,
    Paragraph,
    Section,
    Table,
)

__all__ = ["miflowcyt_section"]

# Item as the settings name it, and as it is printed.
_ASKED: dict[str, tuple[tuple[str, str], ...]] = {
    "overview": (
        ("purpose", "Purpose"),
        ("keywords", "Keywords"),
        ("variables", "Experiment variables"),
        ("date", "Date"),
        ("quality_control", "Quality control"),
        ("conclusions", "Conclusions"),
    ),
    "specimen": (
        ("description", "Specimen"),
        ("source", "Source and donors"),
        ("treatment", "Treatment"),
        ("reagents", "Reagents: analyte, clone, dye, maker"),
        ("fixation", "Fixation and permeabilisation"),
    ),
    "instrument": (
        ("manufacturer", "Manufacturer"),
        ("model", "Model"),
        ("optics", "Light sources and optical paths"),
        ("detectors", "Detectors and voltages"),
        ("settings", "Configuration and settings"),
    ),
    "analysis": (
        ("files", "List-mode files"),
        ("compensation", "Compensation"),
        ("transforms", "Transforms"),
        ("gating", "Gating"),
        ("statistics", "Statistics"),
    ),
}
_HEADINGS = {
    "overview": "Experiment overview",
    "specimen": "Specimen and reagents",
    "instrument": "Instrument",
    "analysis": "Data analysis",
}


def miflowcyt_section(result: PlateResult) -> Section:
    """Return the items that were stated, found in the files or done here, and those missing."""
    made = _made(result)
    blocks: list[Block] = []
    missing: list[str] = []
    for section, asked in _ASKED.items():
        stated = {_key(k): (k, v) for k, v in result.settings.about.get(section, {}).items()}
        pairs: list[tuple[str, Inline]] = []
        for key, title in asked:
            text = stated.pop(key, ("", ""))[1].strip()
            found = made[section].pop(key, "")
            if text or found:
                pairs.append((title, " ".join(p for p in (text, found) if p)))
            else:
                missing.append(title)
                pairs.append((title, Cell("not stated", tone="muted")))
        pairs += [(_title(name), text) for name, text in stated.values()]
        pairs += [(_title(name), text) for name, text in made[section].items()]
        blocks += [Heading(_HEADINGS[section]), Definition(tuple(pairs))]
    head: tuple[Inline, ...] = (
        "The items that ",
        cited("MIFlowCyt", "Lee_2008"),
        " asks for, as the settings state them, as the files say, or as this analysis did it. ",
        f"Not stated: {len(missing)} of {sum(len(a) for a in _ASKED.values())}. "
        "The names of persons that files hold are not shown.",
    )
    blocks += _files(result)
    return Section("miflowcyt", "MIFlowCyt", (Paragraph(head), *blocks), {"not stated": missing})


def _files(result: PlateResult) -> list[Block]:
    rows: list[tuple[Inline, ...]] = [
        (w.well.name, w.well.file or "–", str(w.n_events), w.content_hash)
        for w in result.wells
        if w.content_hash
    ]
    if not rows:
        return []
    heads = ("Well", "File", "Events", "SHA-256 of its content")
    return [Table("Files that were read", heads, tuple(rows), numeric=(2,), folded=True)]


def _key(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def _title(name: str) -> str:
    text = name.replace("_", " ")
    return text[:1].upper() + text[1:]


def _made(result: PlateResult) -> dict[str, dict[str, str]]:
    """Return what is known without being stated, by section and item."""
    return {
        "overview": _overview(result),
        "specimen": _specimen(result),
        "instrument": _instrument(result),
        "analysis": _analysis(result),
    }


def _said(result: PlateResult, keyword: str) -> str:
    """Return what the files say under a keyword, each value once."""
    values = unique(w.measured.get(keyword, "").strip() for w in result.wells)
    return some_of([v for v in values if v], 4)


def _overview(result: PlateResult) -> dict[str, str]:
    found = {}
    wells = [w.well for w in result.wells]
    doses = {w.dose for w in wells if w.condition is Condition.DOSE}
    found["variables"] = (
        f"Dose of {result.settings.drug} ({counted(len(doses), 'dose')}), "
        f"{counted(len(unique(w.cytokine for w in wells if w.cytokine)), 'stimulation')}, "
        f"{counted(len(unique(w.donor for w in wells if w.donor)), 'donor')}."
    )
    if date := _said(result, "$DATE"):
        found["date"] = f"Acquired {date} (files)."
    controls = [
        (Condition.UNSTIMULATED, "unstimulated"),
        (Condition.STIMULATED, "stimulated without inhibitor"),
        (Condition.FMO, "FMO"),
        (Condition.SINGLE_STAIN, "single stain"),
    ]
    counts = [(sum(w.condition is c for w in wells), name) for c, name in controls]
    held = [f"{n} {name}" for n, name in counts if n]
    found["quality_control"] = f"Control wells: {', '.join(held)}." if held else ""
    return found


def _specimen(result: PlateResult) -> dict[str, str]:
    panel = result.settings.panel
    found = {}
    for title, channels in (("markers", panel.markers), ("readouts", panel.readouts)):
        if channels:
            said = [n if n == c else f"{n} in channel {c}" for n, c in channels.items()]
            found[title] = ", ".join(said)
    if panel.live_dead:
        found["viability"] = f"channel {panel.live_dead}"
    if result.settings.matrix != "unknown":
        found["matrix"] = result.settings.matrix.replace("_", " ")
    return found


def _instrument(result: PlateResult) -> dict[str, str]:
    found = {}
    if cytometer := _said(result, "$CYT"):
        found["model"] = f"{cytometer} (files)."
    if software := _said(result, "CREATOR") or _said(result, "$SYS"):
        found["software of acquisition"] = software
    channels = unique(w.measured.get("voltages", "") for w in result.wells)
    voltages = [v for v in channels if v]
    if len(voltages) == 1:
        found["detectors"] = f"Voltages by the files: {voltages[0]}."
    elif voltages:
        found["detectors"] = f"Voltages differ between files ({len(voltages)} settings)."
    return found


def _analysis(result: PlateResult) -> dict[str, str]:
    settings = result.settings
    read = [w for w in result.wells if w.content_hash]
    analysed = sum(w.status is WellStatus.ANALYSED for w in result.wells)
    whole = result.gates.get("")
    gates = [] if whole is None else [g for g in whole.gates if not isinstance(g, BooleanGate)]
    scales = unique(scale_name(d) for g in gates for d in g.dimensions)
    return {
        "files": f"{counted(len(read), 'FCS file')} read, {analysed} analysed; hashes of their "
        "content are in the last table.",
        "compensation": compensation_words(settings),
        "transforms": f"Gates on {some_of(scales)}; statistics on linear values." if scales else "",
        "gating": gating_words(settings),
        "statistics": _statistics(settings),
    }


def _statistics(settings: PlateSettings) -> str:
    scale = settings.fit.scale.value
    return (
        f"Median fluorescence; inhibition between controls on the {scale} scale; arcsinh ratios "
        f"with cofactor {settings.statistics.cofactor:g}."
    )
