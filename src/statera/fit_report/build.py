"""Put the report of a fit together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from statera.estimate.diagnostics import DiagnosticOptions, diagnose
from statera.estimate.replicates import simulate_replicates
from statera.estimate.result import FitResult
from statera.estimate.table import Shrinkage, Uncertainty
from statera.fit_report.check_figures import effects_section, influence_section, vpc_section
from statera.fit_report.data_section import data_section
from statera.fit_report.fit_figures import fits_section, gof_section, predicted_outputs
from statera.fit_report.methods import METHODS, REFERENCES
from statera.fit_report.options import FitReportOptions
from statera.fit_report.saem_section import saem_section
from statera.report.check import inlines
from statera.report.document import Cell, Document, Section
from statera.report.fit_page import fit_document

__all__ = ["fit_report"]

_NOTICE = (
    "Research software. Not a medical device. Not for decisions about a person without an "
    "independent check."
)


def fit_report(
    result: FitResult,
    uncertainty: Uncertainty | None = None,
    shrinkage: Shrinkage | None = None,
    options: FitReportOptions | None = None,
    *,
    data_report: str = "",
    progress: Callable[[str, float], None] | None = None,
) -> Document:
    """Return the report of a fit with its diagnostics.

    Parameters
    ----------
    result
        What a fit found.
    uncertainty, shrinkage
        From `statera.estimate.covariance` and `statera.estimate.shrinkage`.
    options
        Scale of axes, pages, predictive checks.
    data_report
        What reading the data said, line by line.
    progress
        Called with the stage that begins and the fraction done.
    """
    chosen = options or FitReportOptions()
    tell = progress or (lambda _stage, _fraction: None)
    tell("Simulating", 0.0)
    first = chosen.npde
    levels = {k: v for choice in chosen.vpc for k, v in choice.levels.items()}
    replicates = simulate_replicates(result, first.n, first.seed, levels=levels)
    tell("Residuals", 0.2)
    diagnostics = diagnose(result, DiagnosticOptions(npde=first), replicates=replicates)
    sections = [data_section(diagnostics)]
    if predicted_outputs(diagnostics):
        tell("Goodness of fit", 0.3)
        sections.append(gof_section(diagnostics, chosen))
        if chosen.pages:
            tell("Individual fits", 0.5)
            sections.append(fits_section(result, diagnostics, chosen))
    tell("Random effects", 0.7)
    sections.append(effects_section(diagnostics))
    if chosen.vpc:
        tell("Visual predictive checks", 0.8)
        sections.append(vpc_section(result, replicates, chosen))
    if result.method == "saem":
        sections.append(saem_section(result))
    tell("Influence", 0.9)
    sections.append(influence_section(result, chosen))
    document = fit_document(
        result, uncertainty, shrinkage, data_report=data_report, more=sections, seed=first.seed
    )
    return _linked(document, sections)


def _linked(document: Document, sections: Sequence[Section]) -> Document:
    """Add methods and references that the sections name, in the order of first mention."""
    cells = [
        part
        for section in sections
        for block in section.blocks
        for part in inlines(block)
        if isinstance(part, Cell)
    ]
    methods = dict.fromkeys(c.method for c in cells if c.method)
    sources = dict.fromkeys(key for c in cells for key in c.sources)
    return replace(
        document,
        notice=_NOTICE,
        methods=(*document.methods, *(METHODS[key] for key in methods)),
        references=(*document.references, *(REFERENCES[key] for key in sources)),
    )
