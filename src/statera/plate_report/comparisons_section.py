"""Curves against each other: parallelism, equal IC50s and relative potency."""

from __future__ import annotations

import math

from statera.plate.compare import CurveComparison
from statera.plate.result import PlateResult
from statera.plate_report.parts import computed, digits
from statera.report.document import Cell, Inline, Paragraph, Section, Table

__all__ = ["comparisons_section"]

_METHOD = "plate_comparisons"


def comparisons_section(result: PlateResult) -> Section | None:
    """Return tables of compared donors, cytokines and populations; None where none were."""
    comparisons: tuple[CurveComparison, ...] = result.comparisons
    blocks: list[Paragraph | Table] = []
    for what in ("donors", "cytokines", "populations"):
        some = [c for c in comparisons if c.what == what]
        if some:
            blocks.append(_table(what, some))
    if not blocks:
        return None
    said = Paragraph(
        (
            "Relative potency is the IC50 of the reference over that of the curve: above 1 the "
            "curve needs lower doses. It means something for parallel curves only and is refused "
            "for others. P values of several comparisons are not adjusted.",
        )
    )
    return Section("comparisons", "Curves compared", (said, *blocks))


def _table(what: str, comparisons: list[CurveComparison]) -> Table:
    rows: list[tuple[Inline, ...]] = []
    for c in comparisons:
        for k, ratio in enumerate(c.ratios):
            first = k == 0
            verdicts: tuple[Inline, ...] = (
                _verdict(c.parallel, c.p_parallel, c.sentences[0]) if first else "",
                _verdict(c.equal, c.p_equal, c.sentences[1]) if first else "",
            )
            shown = (
                Cell("refused", tone="bad", note=ratio.sentence)
                if ratio.refused or not math.isfinite(ratio.ratio)
                else Cell(
                    f"{digits(ratio.ratio)} ({digits(ratio.profile[0])} to "
                    f"{digits(ratio.profile[1])})",
                    "computed",
                    method=_METHOD,
                    value=ratio.ratio,
                )
            )
            names = f"{ratio.name} against {ratio.reference}"
            rows.append((c.name if first else "", names, shown, *verdicts))
    return Table(
        f"Comparison of {what}",
        ("Of", "Curves", "Relative potency", "Parallel?", "Equal IC50s?"),
        tuple(rows),
        numeric=(2,),
        foot=("F tests of nested fits; in brackets the p value.",),
    )


def _verdict(holds: bool, p: float, sentence: str) -> Cell:
    shown = computed(p, _METHOD, figures=2).text
    word = "nothing against it" if holds else "no"
    return Cell(f"{word} ({shown})", "computed", method=_METHOD, value=p, note=sentence)
