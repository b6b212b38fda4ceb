"""The numerical predictive check of a fit's report: figure and table."""

from __future__ import annotations

from statera.estimate.npc import Npc, NpcOptions, npc
from statera.estimate.replicates import Replicates
from statera.estimate.result import FitResult
from statera.fit_report.parts import columns_of, computed, listed
from statera.plot.npc import draw_npc
from statera.report.document import Block, Callout, Figure, Inline, Paragraph, Table

__all__ = ["npc_blocks"]

_METHOD = "diagnostic_npc"


def npc_blocks(result: FitResult, replicates: Replicates, options: NpcOptions) -> list[Block]:
    """Return a numerical predictive check from replicates that are there."""
    check = npc(result, options, replicates=replicates)
    blocks: list[Block] = [
        Paragraph(
            (
                "Coverage: each observation has prediction intervals of its own, from the "
                "simulations of its record. Listed is the share of observations below and above "
                "them; a model with too little variability has too many outside the wide ones.",
            )
        ),
        _figure(check),
        *(_table(check, k) for k in range(len(check.panels))),
    ]
    return blocks + [Callout("note", "Note", (text,)) for text in check.remarks]


def _figure(check: Npc) -> Figure:
    title = "Numerical predictive check"
    names = listed(list(dict.fromkeys(p.output for p in check.panels)))
    out = sum(p.outside for p in check.panels)
    total = sum(2 * p.intervals.size for p in check.panels)
    alt = (
        f"Observed over expected share of the observations of {names} below and above prediction "
        f"intervals, with {100 * check.options.level:g} % intervals of simulated shares. {out} of "
        f"{total} observed shares lie outside theirs."
    )
    svg = draw_npc(check, key="npc", title=title, alt=alt)
    table = check.to_polars()
    caption: tuple[Inline, ...] = (
        computed(out, _METHOD),
        " of ",
        computed(total, _METHOD),
        " observed shares lie outside their interval.",
    )
    return Figure("npc", svg, title, alt, caption, columns_of(table, table.columns))


def _table(check: Npc, number: int) -> Table:
    panel = check.panels[number]
    rows: list[tuple[Inline, ...]] = []
    for k, interval in enumerate(panel.intervals):
        cells: list[Inline] = [f"{interval:g} %"]
        for shares in (panel.below, panel.above):
            seen, expected, low, high = (float(x) for x in shares[:, k])
            mark = "" if low <= seen <= high else " *"
            cells += [
                computed(round(expected, 1), _METHOD, "%"),
                computed(round(seen, 1), _METHOD, f"%{mark}"),
                f"{low:.1f} to {high:.1f}",
            ]
        rows.append(tuple(cells))
    name = f"{panel.output}, {panel.stratum}" if panel.stratum else panel.output
    return Table(
        f"Coverage of prediction intervals, {name} ({panel.count} observations)",
        (
            "Interval", "Below, expected", "observed", "simulated", "Above, expected", "observed",
            "simulated",
        ),
        tuple(rows),
        numeric=(1, 2, 4, 5),
        foot=(
            f"Simulated: {100 * check.options.level:g} % interval over replicates. * outside it. "
            "The shares of nested intervals are not independent.",
        ),
    )  # fmt: skip
