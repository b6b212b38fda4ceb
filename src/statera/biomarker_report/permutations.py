"""P-values by permutation of labels: what was exchanged, and the analytes that stand out."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from statera.biomarker.permutation import PermutationTests
from statera.biomarker_report.cells import LIMIT, number, opened_tables
from statera.report.document import Block, Callout, Inline, Paragraph, Section, Table

__all__ = ["permutation_section"]

_MOST_ROWS = 300


def permutation_section(done: PermutationTests, names: Sequence[str]) -> Section:
    """Return what was permuted, and the smallest family-wise p-values."""
    blocks: list[Block] = []
    if not done.complete:
        blocks.append(
            Callout(
                "warning", "Stopped early",
                (f"{done.permutations} of {done.requested} permutations were done; the p-values "
                 "are of those.",),
            )
        )  # fmt: skip
    how: list[tuple[Inline, ...]] = []
    for t in done.terms:
        known = np.isfinite(t.adjusted_p)
        hits = str(int((t.adjusted_p[known] < LIMIT).sum())) if known.any() else ""
        how.append((t.term, t.exchange, _count(t.arrangements), hits))
    blocks.append(
        Table(
            f"{done.permutations} permutations, statistic {done.options.statistic}, seed "
            f"{done.options.seed}",
            ("Term", "Exchanged", "Arrangements", f"Family-wise p < {LIMIT:g}"), tuple(how),
            numeric=(2, 3),
        )
    )  # fmt: skip
    entries = [(t, i) for t in done.terms for i in range(len(names))
               if math.isfinite(t.adjusted_p[i])]  # fmt: skip
    entries.sort(key=lambda e: (e[0].adjusted_p[e[1]], e[0].p_value[e[1]]))
    rows: list[tuple[Inline, ...]] = [
        (names[i], t.term, *(number(float(v[i]), "permutation")
                             for v in (t.statistic, t.p_value, t.adjusted_p)))
        for t, i in entries[:_MOST_ROWS]
    ]  # fmt: skip
    rest = len(entries) - len(rows)
    foot = f"{rest} rows are left to the CSV table." if rest else ""
    heading = ("Analyte", "Term", "Statistic", "p", "Family-wise p")
    title = "P-values by permutation, smallest first"
    blocks += opened_tables(title, heading, tuple(rows), (2, 3, 4), foot)
    blocks += [Paragraph((note,)) for note in done.notes]
    return Section("permutation", "Permutation of labels", tuple(blocks))


def _count(arrangements: float) -> str:
    if math.isnan(arrangements):
        return ""
    if math.isinf(arrangements):
        return "more than 1e299"
    return f"{arrangements:.0f}" if arrangements < 1e6 else f"{arrangements:.1e}"
