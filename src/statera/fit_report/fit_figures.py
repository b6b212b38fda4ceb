"""Sections with goodness of fit and individual fits."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from statera.estimate.diagnostics import Diagnostics
from statera.estimate.grid import predict_curves
from statera.estimate.npde import npde_tests
from statera.estimate.result import FitResult
from statera.fit_report.options import FitReportOptions
from statera.fit_report.parts import cited, columns_of, computed, slug_of
from statera.plot.gof import GofOptions, draw_gof
from statera.plot.individual_fits import (
    IndividualFitOptions,
    draw_individual_fits,
    page_count,
    subjects_on,
)
from statera.plot.points import column
from statera.report.document import Block, Figure, Inline, Paragraph, Section, Table

if TYPE_CHECKING:
    import polars as pl

__all__ = ["fits_section", "gof_section", "predicted_outputs"]

_RESIDUALS = "diagnostic_residuals"
_NPDE = "diagnostic_npde"


def predicted_outputs(diagnostics: Diagnostics) -> list[str]:
    """Return the outputs that have predictions, in the order of the data."""
    import polars as pl  # noqa: PLC0415  heavy: loaded when a table is made

    table = diagnostics.observations.filter(pl.col("STATUS") != "outcome")
    return [str(name) for name in table["OUTPUT"].unique(maintain_order=True).to_list()]


def gof_section(diagnostics: Diagnostics, options: FitReportOptions) -> Section:
    """Return goodness of fit by output, with the residuals in numbers."""
    import polars as pl  # noqa: PLC0415  as above

    blocks: list[Block] = [
        Paragraph(
            (
                "Observed against predicted values, and residuals against time and predictions. "
                "Under a model that fits, points scatter evenly about the expected line and "
                "weighted residuals follow a standard normal distribution. CWRES are those of ",
                cited("Hooker and others", "Hooker_2007"),
                ", smooth lines those of ",
                cited("Cleveland", "Cleveland_1979"),
                ". NPDE and NPD are those of ",
                cited("Brendel and others", "Brendel_2006"),
                " and ",
                cited("Comets and others", "Comets_2008"),
                ", with censored values by ",
                cited("Nguyen and others", "Nguyen_2012"),
                ".",
            )
        )
    ]
    tables = {}
    for output in predicted_outputs(diagnostics):
        mine = diagnostics.observations.filter(pl.col("OUTPUT") == output)
        tables[output] = mine
        blocks.append(_gof_figure(diagnostics, output, mine, options))
    blocks.append(_residual_table(tables))
    return Section("goodness-of-fit", "Goodness of fit", tuple(blocks))


def _gof_figure(
    diagnostics: Diagnostics, output: str, mine: pl.DataFrame, options: FitReportOptions
) -> Figure:
    key = slug_of("gof", output)
    title = f"Goodness of fit, {output}"
    cwres = column(mine, "CWRES")
    known = cwres[np.isfinite(cwres)]
    far = int((np.abs(known) > 1.96).sum())
    alt = (
        f"Six panels for {output}: observed values against population and individual predictions, "
        "CWRES against time and population prediction, IWRES against individual prediction, and "
        f"normal quantiles of CWRES. {known.size} values of CWRES have mean "
        f"{known.mean() if known.size else 0:.2f}; {far} lie beyond 1.96."
    )
    svg = draw_gof(
        diagnostics, GofOptions(output=output, logarithmic=options.logarithmic),
        key=key, title=title, alt=alt,
    )  # fmt: skip
    names = ("ID", "TIME", "DV", "PRED", "IPRED", "CWRES", "IWRES", "NPDE")
    return Figure(key, svg, title, alt, data=columns_of(mine, names))


def _residual_table(tables: dict[str, pl.DataFrame]) -> Table:
    rows: list[tuple[Inline, ...]] = []
    for output, mine in tables.items():
        for name in ("CWRES", "IWRES", "NPDE", "NPD"):
            if name not in mine.columns:
                continue
            tests = npde_tests(column(mine, name))
            method = _NPDE if name.startswith("NP") else _RESIDUALS
            p: Inline = computed(tests.p_global, method) if name == "NPDE" else ""
            rows.append(
                (
                    f"{output}, {name}",
                    computed(tests.n, method),
                    computed(tests.mean, method),
                    computed(tests.variance, method),
                    p,
                )
            )
    return Table(
        "Residuals in numbers; expected are a mean of 0 and a variance of 1",
        ("Residual", "n", "Mean", "Variance", "Global p value"),
        tuple(rows),
        numeric=(1, 2, 3, 4),
        foot=(
            "IWRES shrink with the random effects: where data are sparse their variance is low.",
        ),
    )


def fits_section(result: FitResult, diagnostics: Diagnostics, options: FitReportOptions) -> Section:
    """Return pages of individual fits by output."""
    blocks: list[Block] = []
    for output in predicted_outputs(diagnostics):
        choice = IndividualFitOptions(output=output, logarithmic=options.logarithmic)
        pages = page_count(diagnostics, choice)
        shown = min(pages, options.pages)
        for page in range(1, shown + 1):
            blocks.append(_page(result, diagnostics, replace(choice, page=page), pages))
        if shown < pages:
            per = choice.rows * choice.columns
            total = diagnostics.subjects.height
            blocks.append(
                Paragraph((f"The first {shown * per} of {total} subjects are shown for {output}.",))
            )
    return Section("individual-fits", "Individual fits", tuple(blocks))


def _page(
    result: FitResult, diagnostics: Diagnostics, choice: IndividualFitOptions, pages: int
) -> Figure:
    subjects = subjects_on(diagnostics, choice)
    curves = [c for c in predict_curves(result, subjects) if c.output == choice.output]
    key = slug_of("fits", choice.output, str(choice.page))
    title = f"Individual fits, {choice.output}"
    if pages > 1:
        title = f"{title}, page {choice.page} of {pages}"
    alt = (
        f"{choice.output} against time in {len(subjects)} subjects ({subjects[0]} to "
        f"{subjects[-1]}): observations with the individual and the population prediction."
    )
    svg = draw_individual_fits(diagnostics, curves, choice, key=key, title=title, alt=alt)
    data = {
        f"subject {c.subject}": {
            "time": c.time.tolist(),
            "population prediction": c.pred.tolist(),
            "individual prediction": c.ipred.tolist(),
        }
        for c in curves
    }
    return Figure(key, svg, title, alt, data=data)
