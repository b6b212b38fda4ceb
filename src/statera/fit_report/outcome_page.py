"""The report of a fit as a page."""

from __future__ import annotations

from collections.abc import Callable

from statera.estimate.outcome import FitOutcome
from statera.fit_report.build import fit_report
from statera.fit_report.options import FitReportOptions
from statera.report import render_html
from statera.report.fit_page import fit_document

__all__ = ["outcome_page"]


def outcome_page(
    outcome: FitOutcome,
    options: FitReportOptions | None = None,
    progress: Callable[[str, float], None] | None = None,
) -> bytes:
    """Return the report as a page; diagnostics are of a fit that has converged only."""
    told, errors, shrunk = outcome.told, outcome.errors, outcome.shrunk
    data_report = str(outcome.data_report)
    if told.converged:
        document = fit_report(
            told, errors, shrunk, options, data_report=data_report, progress=progress
        )
    else:
        document = fit_document(told, errors, shrunk, data_report=data_report)
    return render_html(document).encode()
