"""Pairs of levels and contrasts by name, as a table."""

from __future__ import annotations

import math
from collections.abc import Sequence

from statera.biomarker.analysis import Analysis
from statera.biomarker_report.cells import LIMIT, number, opened_tables
from statera.report.document import Inline, Section

__all__ = ["contrasts_section"]

_MOST_ROWS = 600


def contrasts_section(found: Analysis, names: Sequence[str]) -> Section:
    """Return the contrasts, smallest adjusted p-values first."""
    entries = [(c, i) for c in found.contrasts for i in range(len(names))]
    entries.sort(key=lambda e: (math.isnan(e[0].adjusted_p[e[1]]), e[0].adjusted_p[e[1]]))
    rows: list[tuple[Inline, ...]] = []
    for c, i in entries[:_MOST_ROWS]:
        columns = (c.estimate, c.low, c.high, c.statistic, c.df, c.p_value, c.adjusted_p)
        rows.append(
            (names[i], c.term, c.contrast, *(number(float(v[i]), "pairs") for v in columns))
        )  # fmt: skip
    hits = sum(float(c.adjusted_p[i]) < LIMIT for c, i in entries)
    foot = (
        f"{hits} of {len(entries)} have adjusted p < {LIMIT:g}. Estimates are the first less the "
    )
    foot += "second, on the log2 scale; intervals of pairs hold jointly within an analyte. "
    ways = dict.fromkeys(f"{c.term}: {c.adjustment}" for c in found.contrasts)
    foot += f"Adjustment of {'; '.join(ways)}."
    if len(entries) > _MOST_ROWS:
        foot += f" {len(entries) - _MOST_ROWS} rows are left to the CSV table."
    heading = (
        "Analyte", "Term", "Contrast", "Estimate", "Low", "High", "t", "df", "p", "Adjusted p",
    )  # fmt: skip
    title = "Contrasts of levels, smallest adjusted p-values first"
    return Section(
        "contrasts", "Contrasts of levels",
        opened_tables(title, heading, tuple(rows), tuple(range(3, 10)), foot),
    )  # fmt: skip
