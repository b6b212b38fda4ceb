"""Gates: in words, by their confidence, and drawn over the events of wells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from statera.cytometry.gates import BooleanGate
from statera.cytometry.scales import Logicle
from statera.plate.result import GateShown, PlateResult
from statera.plate.settings import GatingMethod
from statera.plate_report.gate_words import (
    compensation_words,
    gate_words,
    gating_words,
    scales_of,
)
from statera.plate_report.options import PlateReportOptions
from statera.plate_report.parts import cited, counted, percent, slug_of, some_of, unique
from statera.plot.gate_plot import GateAxes, GatePanel, draw_gate
from statera.report.document import (
    Block,
    Cell,
    Definition,
    Figure,
    Heading,
    Inline,
    Paragraph,
    Section,
    Table,
)

__all__ = ["gates_section", "wells_drawn"]

_METHOD = "plate_gates"
_MOST_LISTED = 1500
_MOST_ROWS = 16  # of a table that is not folded
_METHODS = {
    "valley": "valley of the density",
    "mixture": "Gaussian mixture",
    "pooled": "border of the plate",
    "mad": "distance in MAD",
}
_FAR = 5.0  # median absolute deviations from the median share, beyond which a well is called far


def gates_section(result: PlateResult, options: PlateReportOptions) -> Section:
    """Return gates and compensation in words, confidence, and drawings."""
    blocks: list[Block] = [
        Definition(
            (
                ("Gates", gating_words(result.settings)),
                ("Compensation", compensation_words(result.settings)),
            )
        ),
        *_table(result),
        *_sources(result),
        *_confidence(result),
    ]
    names = unique(s.gate for s in result.shown)
    if names:
        blocks += [
            Heading("Gates over the events of wells"),
            Paragraph(
                (
                    "Events of the parent, darker where denser; the gate in orange with its share "
                    "of the parent. Wells whose share is furthest from the others come first, then "
                    "some usual ones. Shares drawn are of a sample of the events; the statistics "
                    "count all. Axes are on the scale of the gate.",
                )
            ),
        ]
        blocks += [
            _figure([s for s in result.shown if s.gate == name], number, options)
            for number, name in enumerate(names, start=1)
        ]
    elif result.gates:
        blocks.append(Paragraph(("No events were kept for drawings of the gates.",)))
    return Section("gates", "Gates", tuple(blocks))


def _table(result: PlateResult) -> list[Block]:
    whole = result.gates.get("")
    if whole is None:
        return []
    own: dict[str, list[str]] = {}
    for well, strategy in result.gates.items():
        if well:
            usual = {g.name: g for g in whole.gates}
            for gate in strategy.gates:
                if usual.get(gate.name) != gate:
                    own.setdefault(gate.name, []).append(well)
    rows: list[tuple[Inline, ...]] = [
        (
            gate.name,
            gate.parent or ("–" if isinstance(gate, BooleanGate) else "all events"),
            gate_words(gate),
            scales_of(gate),
            counted(len(own[gate.name]), "well") if gate.name in own else "–",
        )
        for gate in whole.gates
    ]
    return [
        Table(
            "Gates of the plate",
            ("Gate", "Within", "What it keeps", "Scale", "Own position in"),
            tuple(rows),
            foot=(
                "Numbers are on the scale named, in parentheses before it; values of a rectangle "
                "run from its lower end inclusive to its upper end exclusive unless the gates' "
                "own source closes both.",
            ),
        )
    ]


def _sources(result: PlateResult) -> list[Block]:
    """Return what scales and gates are defined by."""
    gates = [g for s in result.gates.values() for g in s.gates if not isinstance(g, BooleanGate)]
    if not gates:
        return []
    parts: list[Inline] = ["Gates and scales are those of ", cited("Gating-ML", "Spidlen_2015")]
    if any(isinstance(d.scale, Logicle) for g in gates for d in g.dimensions):
        parts += [", the logicle scale that of ", cited("Moore and Parks", "Moore_2012")]
    return [Paragraph((*parts, "."))]


def _confidence(result: PlateResult) -> list[Block]:
    """Return what speaks for automatic gates, those to be looked at first."""
    if result.settings.gating.method is not GatingMethod.AUTOMATIC or not result.confidence:
        return []
    ordered = sorted(result.confidence, key=_doubt)
    poor = [c for c in ordered if c.low_confidence]
    rows: list[tuple[Inline, ...]] = [
        (
            c.gate,
            c.well or "the plate",
            Cell("look at it", tone="warn") if c.low_confidence else Cell("sound", tone="ok"),
            _METHODS.get(c.method, c.method),
            _number(c.depth, 2),
            _number(c.shift, 3) if c.well else "–",
            c.sentence,
        )
        for c in ordered[:_MOST_LISTED]
    ]
    rest = len(ordered) - len(rows)
    said = (
        f"{counted(len(poor), 'automatic gate or border')} of {len(ordered)} should be looked at: "
        f"{some_of(unique(f'{c.gate} in {c.well}' if c.well else c.gate for c in poor))}."
        if poor
        else f"All {len(ordered)} automatic gates and borders have what they need."
    )
    return [
        Paragraph((said,)),
        Table(
            "What speaks for automatic gates, the least sure first",
            ("Gate", "Well", "Confidence", "From", "Depth of the valley", "Shift", "In words"),
            tuple(rows),
            numeric=(4, 5),
            foot=(
                "Depth: how far the density falls below the lower of two peaks, from 0 to 1. "
                "Shift: of the well's border against that of the plate, on the scale of the gate.",
                *(
                    (f"{rest} more, all surer than these, are in the data of the analysis.",)
                    if rest
                    else ()
                ),
            ),
            folded=len(rows) > _MOST_ROWS,
        ),
    ]


def _number(value: float, decimals: int) -> str:
    return f"{value:.{decimals}f}".replace("-", "−") if np.isfinite(value) else "–"


def _doubt(item: Any) -> tuple[bool, float]:
    """Return what sorts gates to be looked at first, and among them shallow valleys."""
    return not item.low_confidence, item.depth if np.isfinite(item.depth) else 1.0


def wells_drawn(
    shown: Sequence[GateShown], options: PlateReportOptions
) -> list[tuple[GateShown, str]]:
    """Return the wells to draw for one gate with a note each: far ones first, then usual ones."""
    shares = np.array([s.share for s in shown], dtype=np.float64)
    known = shares[np.isfinite(shares)]
    middle = float(np.median(known)) if known.size else 0.0
    spread = 1.4826 * float(np.median(np.abs(known - middle))) if known.size else 0.0
    # Half a per cent keeps wells of nearly equal shares from being called far apart.
    distance = np.abs(shares - middle) / max(spread, 0.005)
    distance = np.where(np.isfinite(distance), distance, np.inf)
    order = np.argsort(-distance, kind="stable").tolist()
    most = options.wells_per_gate
    if len(order) > most:
        usual = order[-options.usual_wells :][::-1] if options.usual_wells else []
        order = order[: most - len(usual)] + usual
    found = []
    for rank, index in enumerate(order):
        far = distance[index] > _FAR
        last = len(shown) > most and rank >= most - options.usual_wells
        found.append((shown[index], "far off" if far else "usual" if last else ""))
    return found


def _figure(shown: Sequence[GateShown], number: int, options: PlateReportOptions) -> Figure:
    first = shown[0]
    chosen = wells_drawn(shown, options)
    key = slug_of("gate", str(number), first.gate)
    title = f"Gate {first.gate}" + (f", within {first.parent}" if first.parent else "")
    shares = [s.share for s in shown if np.isfinite(s.share)]
    far = [s.well for s, note in chosen if note == "far off"]
    alt = (
        f"{first.x_name}{f' and {first.y_name}' if first.y_name else ''} of the events of "
        f"{first.parent or 'all wells'} with the gate {first.gate}, in "
        f"{counted(len(chosen), 'well')} of {len(shown)}. "
        + (f"Shares over all wells run from {percent(min(shares))} to {percent(max(shares))}, "
           f"median {percent(float(np.median(shares)))}. " if shares else "")
        + (f"Far from the others: {', '.join(far)}." if far else "No drawn well is far off.")
    )  # fmt: skip
    panels = [GatePanel(s.well, s.x, s.y, s.outline, s.share, s.count, note) for s, note in chosen]
    svg = draw_gate(panels, GateAxes(first.x_name, first.y_name), key=key, title=title, alt=alt)
    caption: tuple[Inline, ...] = ()
    if shares:
        caption = (
            f"Median share over {counted(len(shares), 'well')}: ",
            Cell(percent(float(np.median(shares))), "computed", method=_METHOD),
            f", from {percent(min(shares))} to {percent(max(shares))}.",
        )
    data = {
        "well": [s.well for s in shown],
        "share of parent": [s.share for s in shown],
        "events inside, of the sample": [s.count for s in shown],
    }
    return Figure(key, svg, title, alt, caption, data)
