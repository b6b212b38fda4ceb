"""Put the report of a plate together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from statera.manifest import content_hash
from statera.plate.result import PlateResult
from statera.plate_report.comparisons_section import comparisons_section
from statera.plate_report.curves_section import curves_section
from statera.plate_report.donors_section import donors_section
from statera.plate_report.gates_section import gates_section
from statera.plate_report.ic50_section import ic50_section
from statera.plate_report.methods import METHODS, REFERENCES
from statera.plate_report.miflowcyt_section import miflowcyt_section
from statera.plate_report.options import PlateReportOptions
from statera.plate_report.plate_section import plate_section
from statera.plate_report.problems_section import problems_section
from statera.plate_report.quality_section import quality_section
from statera.plate_report.statistics_section import statistics_section
from statera.plate_report.verdict_section import verdict_section
from statera.report.check import inlines
from statera.report.document import Cell, Document, Section

__all__ = ["NOTICE", "build_plate_report"]

NOTICE = (
    "Research software. Not a medical device. Not for decisions about a person without an "
    "independent check."
)


def build_plate_report(result: PlateResult, options: PlateReportOptions | None = None) -> Document:
    """Return the report of one analysis of a plate.

    Parameters
    ----------
    result
        From `statera.plate.analyse.analyse_plate`.
    options
        How much is drawn.
    """
    chosen = options or PlateReportOptions()
    over_donors = donors_section(result)
    compared = comparisons_section(result)
    sections = [
        verdict_section(result),
        ic50_section(result),
        *([over_donors] if over_donors is not None else []),
        curves_section(result),
        *([compared] if compared is not None else []),
        problems_section(result),
        plate_section(result),
        gates_section(result, chosen),
        quality_section(result),
        statistics_section(result, chosen),
        miflowcyt_section(result),
    ]
    cells = _cells(sections)
    used = {cell.method for cell in cells}
    cited = dict.fromkeys(key for cell in cells for key in cell.sources)
    return Document(
        title=result.settings.name,
        subtitle=f"Plate analysis of {result.settings.drug}: from flow cytometry files to IC50s",
        notice=NOTICE,
        sections=tuple(sections),
        methods=tuple(m for m in METHODS.values() if m.key in used),
        references=tuple(REFERENCES[key] for key in cited),
        manifest=_manifest(result),
    )


def _cells(sections: Sequence[Section]) -> list[Cell]:
    return [
        part
        for section in sections
        for block in section.blocks
        for part in inlines(block)
        if isinstance(part, Cell)
    ]


def _manifest(result: PlateResult) -> Mapping[str, Any]:
    """Return how the page was made; the files of wells as one hash, for a table lists them."""
    hashes = sorted(w.content_hash for w in result.wells if w.content_hash)
    inputs = result.manifest.get("inputs", {})
    rest = {name: value for name, value in inputs.items() if value not in set(hashes)}
    found = {**result.manifest, "inputs": rest}
    if hashes:
        found["files of wells"] = {
            "number": len(hashes),
            "hash of their sorted hashes": content_hash("\n".join(hashes)),
        }
    return found
