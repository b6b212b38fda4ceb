"""Curves compared: whether they have the same shape, the same IC50, and by what factor not."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from statera.plate.result import PlateResult
from statera.plate_report.parts import digits
from statera.report.document import Cell, Inline, Paragraph, Section, Table

if TYPE_CHECKING:
    from statera.assay.relative_potency import RelativePotency
    from statera.plate.compare import CurveComparison

__all__ = ["comparisons_section"]

_METHOD = "plate_comparisons"
_MOST_ROWS = 16  # of a table that is not folded


def comparisons_section(result: PlateResult) -> Section | None:
    """Return a table for each kind of comparison; None where there is none."""
    found: Sequence[CurveComparison] = result.comparisons
    if not found:
        return None
    tables = [_table(what, found) for what in dict.fromkeys(c.what for c in found)]
    said = Paragraph(
        (
            "Curves that differ in one thing only, fitted together with and without a shared "
            "shape (slope and limits) and, given the shape that holds, with and without a shared "
            "IC50. A relative potency of 2 means that half the dose does the same as with the "
            "first curve; it has a meaning between parallel curves only, and is refused elsewhere. "
            "The many tests of a page are not corrected for their number.",
        )
    )
    return Section("comparisons", "Curves compared", (said, *tables))


def _table(what: str, found: Sequence[CurveComparison]) -> Table:
    rows: list[tuple[Inline, ...]] = []
    for c in found:
        if c.what != what:
            continue
        rows += [
            (
                c.name,
                f"{ratio.name} against {ratio.reference}",
                _potency(ratio),
                _verdict(c.parallel, c.p_parallel),
                _verdict(c.equal, c.p_equal),
                "" if _known(ratio) else ratio.sentence,
            )
            for ratio in c.ratios
        ]
    return Table(
        f"{what[:1].upper()}{what[1:]} compared",
        ("Of", "Curves", "Relative potency", "Same shape", "Same IC50", "Remarks"),
        tuple(rows),
        numeric=(2,),
        foot=("p: of an F test that the curves share what the column names.",),
        folded=len(rows) > _MOST_ROWS,
    )


def _known(ratio: RelativePotency) -> bool:
    return math.isfinite(ratio.ratio)


def _potency(ratio: RelativePotency) -> Cell:
    if not _known(ratio):
        return Cell("refused", tone="bad")
    low, high = ratio.profile
    ends = [digits(v) if math.isfinite(v) and v > 0 else "not determined" for v in (low, high)]
    text = f"{digits(ratio.ratio)} ({ends[0]} to {ends[1]})"
    return Cell(text, "computed", method=_METHOD, value=ratio.ratio)


def _verdict(holds: bool, p: float) -> Cell:
    said = f"p = {p:.2f}" if p >= 0.005 else "p < 0.005"
    if not math.isfinite(p):
        return Cell("not known")
    return Cell(f"{'may be' if holds else 'no'}, {said}", "computed", method=_METHOD)
