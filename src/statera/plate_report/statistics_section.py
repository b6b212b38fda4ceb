"""Statistics of every population in every well."""

from __future__ import annotations

import math

from statera.plate.result import PlateResult
from statera.plate_report.options import PlateReportOptions
from statera.plate_report.parts import content_of, counted, digits, percent
from statera.report.document import Cell, Inline, Paragraph, Section, Table

__all__ = ["statistics_section"]


def statistics_section(result: PlateResult, options: PlateReportOptions) -> Section:
    """Return the table of statistics, folded."""
    if not result.rows:
        return Section("statistics", "Statistics by well", ())
    settings = result.settings.statistics
    shown = result.rows[: options.statistics_rows]
    # Texts without marks: with a link at each number this table would be most of the page.
    rows: list[tuple[Inline, ...]] = [
        (
            r.well.name, r.well.donor, r.well.cytokine, content_of(r.well), r.population, r.readout,
            str(r.count), percent(r.of_parent), percent(r.of_all),
            _number(r.median), _number(r.geometric_mean), _number(r.fold),
            _number(r.arcsinh_ratio), _number(r.percent_positive), _number(r.inhibition),
            "; ".join(r.flags),
        )
        for r in shown
    ]  # fmt: skip
    rest = len(result.rows) - len(shown)
    foot = [
        "Fluorescence is compensated and linear. Fold and arcsinh ratio "
        f"(cofactor {settings.cofactor:g}) are against the unstimulated wells of the same plate, "
        f"donor and stimulation; positive are events above the {settings.percentile:g}th "
        "percentile of the negative control; inhibition is between unstimulated and stimulated "
        "wells.",
    ]
    if rest:
        foot.append(f"{counted(rest, 'more row is', 'more rows are')} in the CSV file only.")
    table = Table(
        "Statistics by well, population and readout",
        ("Well", "Donor", "Stimulation", "Content", "Population", "Readout", "Events",
         "Of parent", "Of all", "Median", "Geometric mean", "Fold", "arcsinh ratio", "Positive (%)",
         "Inhibition (%)", "Remarks"),
        tuple(rows),
        numeric=tuple(range(6, 15)),
        foot=tuple(foot),
        folded=True,
    )  # fmt: skip
    said = Paragraph(
        (
            "The readout of a population is its ",
            Cell("median fluorescence", "computed", method="plate_median"),
            f". {counted(len(result.rows), 'row')}, also written as a table with the results.",
        )
    )
    return Section("statistics", "Statistics by well", (said, table))


def _number(value: float) -> str:
    return digits(value, 4) if math.isfinite(value) else "–"
