"""Tables of the mechanism: enzymes, cytokines, comparisons between drugs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from statera.engagement import ASSUMPTIONS, Potency, inhibition_at, percent_text
from statera.library import Cytokine, class_facts, load_cytokines
from statera.monograph.cells import fact_cell, missing, significant, source_cell
from statera.monograph.context import Context
from statera.monograph.sections.engagement_potencies import Entry, potency_cell
from statera.monograph.sections.mechanism_kinases import RULES, KinaseState, kinases_of
from statera.numerics.interval import Interval
from statera.report.document import Cell, Inline, Table
from statera.sources import Fact

__all__ = [
    "comparison_table",
    "cytokine_data",
    "cytokine_table",
    "enzyme_table",
    "fold_cell",
    "ratio_table",
]

_REFERENCES = ("JAK1", "JAK2")


def enzyme_table(context: Context, entries: Sequence[Entry], state: KinaseState | None) -> Table:
    """Return the enzyme potencies with fold selectivity and inhibition."""
    points = {
        e.potency.target: e.potency.in_nM(context.molar_mass)
        for e in entries
        if e.potency.ic50.is_point
    }
    references = [name for name in _REFERENCES if name in points]
    rows: list[tuple[Inline, ...]] = []
    for entry in entries:
        potency = entry.potency.in_nM(context.molar_mass)
        row: list[Inline] = [entry.potency.target, potency_cell(entry)]
        row += [fold_cell(potency, points[name]) for name in references]
        if state is not None:
            row.append(_enzyme_inhibition(state, potency))
        rows.append(tuple(row))
    columns = ["Kinase", "IC50", *(f"Fold over {name}" for name in references)]
    if state is not None:
        columns.append("Inhibition at the concentration chosen")
    return Table(
        f"Isolated enzymes: potency and selectivity of {context.name}",
        tuple(columns),
        tuple(rows),
        numeric=tuple(range(1, len(columns))),
        foot=("Fold: how many times more is needed than for the reference kinase.",),
    )


def fold_cell(potency: Potency, reference: Potency) -> Cell:
    """Return IC50 over the IC50 of a reference known as a point; bounds stay bounds."""
    if potency.target == reference.target:
        return Cell("reference", "text")
    low, high = (end / reference.ic50.low for end in (potency.ic50.low, potency.ic50.high))
    if low == high:
        return Cell(significant(low, 2), "computed", method="fold", value=low)
    ends = (low if low > 0 else None, high if math.isfinite(high) else None)
    if ends[1] is None:
        text = f"more than {_rounded(low, down=True)}"
    elif ends[0] is None:
        text = f"less than {_rounded(high, down=False)}"
    else:
        text = f"{_rounded(low, down=True)} to {_rounded(high, down=False)}"
    return Cell(text, "bound", method="fold", value=ends)


def _rounded(value: float, *, down: bool) -> str:
    """Return two significant digits, rounded so that the bound stays true."""
    step = 10.0 ** (math.floor(math.log10(value)) - 1)
    # Division leaves an error in the last bit, which must not move a bound by a whole step.
    steps = value / step
    whole = math.floor(steps + 1e-9) if down else math.ceil(steps - 1e-9)
    return f"{whole * step:.6g}"


def _enzyme_inhibition(state: KinaseState, potency: Potency) -> Cell:
    used = state.kinases[potency.target.strip().upper()].used
    value = inhibition_at(state.total_nM * used[0][1].factor, potency)
    return inhibition_cell(value, "kinase")


def inhibition_cell(value: Interval, method: str) -> Cell:
    """Return an inhibition as a point or as the bound or range that is known."""
    ends = (100 * value.low, 100 * value.high)
    return Cell(
        percent_text(value),
        "computed" if value.is_point else "bound",
        method=method,
        value=ends[0] if value.is_point else ends,
        unit="%",
    )


def cytokine_table(context: Context, state: KinaseState | None) -> Table:
    """Return the cytokine map with the inhibition expected of each receptor."""
    rows: list[tuple[Inline, ...]] = []
    for cytokine in load_cytokines():
        kinases = kinases_of(cytokine)
        row: list[Inline] = [Cell(cytokine.name, "fact", (cytokine.source,))]
        if cytokine.is_missing or not kinases.names:
            row += [missing(), missing(), missing()]
        else:
            row += [
                cytokine.receptor,
                kinases.text,
                Cell(", ".join(cytokine.stats), note=_stat_note(cytokine)),
            ]
        row += _expected(state, cytokine)
        rows.append(tuple(row))
    heads = (
        tuple(ASSUMPTIONS[r].name for r in RULES) if state is not None else ("Inhibition expected",)
    )
    return Table(
        f"Cytokines, their receptors, and the inhibition expected of {context.name}",
        ("Cytokine", "Receptor", "JAKs", "STATs", *heads),
        tuple(rows),
        numeric=tuple(range(4, 4 + len(heads))),
        foot=_foot(state),
    )


def _stat_note(cytokine: Cytokine) -> str:
    secondary = f"also {cytokine.stats_secondary}" if cytokine.stats_secondary else ""
    return "; ".join(part for part in (secondary, cytokine.stats_note) if part)


def _expected(state: KinaseState | None, cytokine: Cytokine) -> list[Inline]:
    if state is None:
        return [missing("not computed")]
    cells: list[Inline] = []
    for rule in RULES:
        found = state.receptor(kinases_of(cytokine), rule)
        if found.value is None:
            cells.append(missing("not computed"))
            continue
        cell = inhibition_cell(found.value, f"receptor_{rule}")
        lacking = [name for name in found.missing if name != "?"]
        if lacking:
            cell = replace(cell, note=f"no potency for {', '.join(lacking)}")
        cells.append(cell)
    return cells


def _foot(state: KinaseState | None) -> tuple[Inline, ...]:
    notes = (
        "Main STATs as the table of receptors lists them. A question mark is a partner kinase "
        "that the source leaves open"
    )
    pairs = (
        "Where the source lists one kinase, a pair of it is assumed; where it lists three, which "
        "of them pair is not stated, and all are used."
    )
    if state is None:
        return (f"{notes}. {pairs}", *_remarks())
    rules = tuple(
        f"{ASSUMPTIONS[r].name}: {ASSUMPTIONS[r].formula}. {ASSUMPTIONS[r].rationale}"
        for r in RULES
    )
    return (f"{notes}: it may be inhibited from 0 to 100 %. {pairs}", *rules, *_remarks())


def _remarks() -> tuple[str, ...]:
    """Return the remarks of the cytokine map, each once behind its cytokines."""
    said: dict[str, list[str]] = {}
    for cytokine in load_cytokines():
        if cytokine.note:
            said.setdefault(cytokine.note, []).append(cytokine.name)
    return tuple(f"{', '.join(names)}: {note}" for note, names in said.items())


def cytokine_data(state: KinaseState | None) -> list[dict[str, object]]:
    """Return the cytokine table as plain data."""
    rows: list[dict[str, object]] = []
    for cytokine in load_cytokines():
        kinases = kinases_of(cytokine)
        row: dict[str, object] = {
            "cytokine": cytokine.name,
            "receptor": cytokine.receptor or None,
            "jaks": list(cytokine.jaks),
            "jaks_complete": cytokine.jaks_complete,
            "pair_assumed": kinases.homodimer_assumed,
            "stats": list(cytokine.stats),
            "sources": [cytokine.source],
        }
        if state is not None:
            for rule in RULES:
                value = state.receptor(kinases, rule).value
                row[f"inhibition_{rule}"] = value and {
                    "low": 100 * value.low,
                    "high": 100 * value.high,
                    "unit": "%",
                }
        rows.append(row)
    return rows


def ratio_table(context: Context) -> Table | None:
    """Return selectivity ratios that sources state without the potencies behind them."""
    facts = [
        f
        for f in context.drug.facts_in("potency")
        if f.get("quantity") == "selectivity_ratio" or f.unit in ("fold", "ratio")
    ]
    if not facts:
        return None
    rows = [(f.parameter, fact_cell(f), f.get("assay"), f.note) for f in facts]
    return Table(
        f"Selectivity of {context.name} as stated",
        ("Comparison", "Ratio of potencies", "Kind of assay", "Remark"),
        tuple(rows),
        numeric=(1,),
        foot=("Ratios without the potencies behind them: no inhibition can be computed.",),
    )


def comparison_table(context: Context) -> Table | None:
    """Return what comparative studies say in words."""
    facts: list[Fact] = list(class_facts("inhibition_qualitative", context.name))
    if not facts:
        return None
    rows = [
        (
            f.parameter,
            replace(source_cell(str(f.value), f.source), note=f.note),
            f.population or "not stated",
            (f.get("drugs") or "not stated").replace(";", ","),
        )
        for f in facts
    ]
    return Table(
        "What comparative studies found",
        ("What was compared", "Finding", "System", "Drugs"),
        tuple(rows),
    )
