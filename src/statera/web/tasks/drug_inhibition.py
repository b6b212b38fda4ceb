"""Inhibition over a grid of concentrations: what a slider needs, in one answer."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from statera.engagement import (
    ASSUMPTIONS,
    Bounds,
    concentration_basis,
    inhibition,
    kinase_course,
    receptor_course,
)
from statera.library import load_cytokines, load_drug
from statera.library.protein_binding import protein_binding
from statera.monograph.context import Context, label_doses
from statera.monograph.sections.engagement_methods import METHODS
from statera.monograph.sections.engagement_potencies import Entry, potency_cell
from statera.monograph.sections.engagement_receptors import receptor_groups
from statera.monograph.sections.mechanism_kinases import RULES, kinases_of
from statera.units import convert, molar_from_mass
from statera.web.answer import Answer, Column, Copies, Table
from statera.web.requests.drug import DrugInhibitionRequest
from statera.web.tasks.drug_context import (
    bare,
    conflicts_of_fact,
    enzymes,
    facts_of,
    measured,
)
from statera.web.tasks.drug_references import conflict_data, fact_data, references
from statera.web.work import Work

__all__ = ["outwards", "percent", "run", "same_or_none", "signal_origin"]

Floats = NDArray[np.float64]

_PER_DECADE = 30
_MARGIN = 20.0  # the grid reaches this many times beyond all potencies and exposures
_ENDPOINTS = (("Cavg", "average"), ("Cmax", "peak"), ("Ctrough", "before the next dose"))


def run(request: DrugInhibitionRequest, work: Work) -> Answer:
    """Return inhibition in percent at every concentration of the grid."""
    drug = load_drug(request.drug).name
    context = bare(drug)
    unit = "ng/mL" if context.molar_mass is None else "nM"
    single, signals = enzymes(drug), _comparable(context, unit)
    marks = _marks(context, unit)
    grid = _grid([*single, *signals], [m["concentration"] for m in marks])
    kinases = kinase_course(
        grid, [e.potency.in_nM(context.molar_mass) for e in single], context.unbound_fraction
    )
    for mark in marks:
        mark["index"] = int(np.searchsorted(grid, mark["concentration"])) if grid.size else None
    facts = {k: facts_of(drug)[k] for e in (*single, *signals) for k in (f.id for f in e.facts)}
    bound = protein_binding(load_drug(drug))
    if bound is not None:
        facts[bound.id] = bound
    result = {
        "drug": drug,
        "unit": unit,
        "molar_mass": context.molar_mass,
        "unbound_fraction": context.unbound_fraction,
        "unbound_fact": None if bound is None else bound.id,
        "concentration": _significant(grid),
        "mass": None
        if context.molar_mass is None
        else _significant(grid / molar_from_mass(1.0, context.molar_mass)),
        "unbound": None
        if context.unbound_fraction is None
        else _significant(grid * context.unbound_fraction),
        "marks": marks,
        "start": _start(marks, grid),
        "kinases": [_kinase(e, kinases) for e in single],
        "groups": _groups(kinases, grid) if kinases else [],
        "cytokines": _cytokines(),
        "measured": [_measured(context, e, grid) for e in signals],
        "rules": {k: _rule(k) for k in RULES},
        "basis_rules": _basis_rules(context, [*single, *signals]),
        "missing": _missing(context, single, signals),
        "copy_templates": _templates(drug, unit),
        "facts": {k: fact_data(f, conflicts_of_fact(drug, k)) for k, f in facts.items()},
        "conflicts": {c.id: conflict_data(c) for k in facts for c in conflicts_of_fact(drug, k)},
        "methods": {m.key: {"title": m.title, "text": m.text} for m in METHODS},
        "references": references(
            (
                *(f.source for f in facts.values()),
                *(c.source for c in load_cytokines()),
                *(m.source for m in context.models[:1]),
            )
        ),
    }
    columns = [Column("when"), Column("dose"), Column("concentration", unit)]
    rows = [[m["what"], m["dose"], m["concentration"]] for m in marks]
    return Answer(
        "statera.web.drug-inhibition/1",
        result,
        {"marks": Table(columns, rows)},
        _copies(drug, unit, marks),
    )


def percent(values: Floats) -> list[float]:
    """Return fractions as percent with two decimals: enough for any screen, and small."""
    found: list[float] = np.round(100.0 * values, 2).tolist()
    return found


def same_or_none(bounds: Bounds) -> dict[str, Any]:
    """Return both ends in percent, rounded outwards; the upper is None where it is the lower."""
    if np.array_equal(bounds.low, bounds.high):
        return {"low": percent(bounds.low), "high": None}
    low, high = outwards(bounds.low, bounds.high)
    return {"low": low, "high": high}


def outwards(low: Floats, high: Floats) -> tuple[list[float], list[float]]:
    """Return bounds as percent with two decimals that say no more than is known."""
    # Rounding first keeps an error in the last bit from moving a bound by a whole step.
    ends = (np.floor(np.round(1e4 * low, 6)) / 100.0, np.ceil(np.round(1e4 * high, 6)) / 100.0)
    return ends[0].tolist(), ends[1].tolist()


def signal_origin(entry: Entry) -> dict[str, Any]:
    """Return the name of a potency, what it says and where it comes from."""
    cell = potency_cell(entry)
    return {
        "name": entry.name,
        "potency": cell.text,
        "basis": cell.basis,
        "sources": cell.sources,
        "facts": cell.facts,
        "hill": entry.potency.hill,
        "hill_assumed": entry.potency.hill_assumed,
    }


def _significant(values: Floats) -> list[float]:
    return [float(f"{v:.5g}") for v in values.tolist()]


def _comparable(context: Context, unit: str) -> tuple[Entry, ...]:
    """Return the measured potencies of the drug itself on the scale of the grid."""
    return tuple(
        e
        for e in measured(context.name)
        if (not e.potency.is_of_metabolite and unit in ("nM", e.potency.unit)) and not e.is_users
    )


def _marks(context: Context, unit: str) -> list[dict[str, Any]]:
    """Return the typical concentrations at the label doses, on the grid to the last digit."""
    found: list[dict[str, Any]] = []
    for dose in label_doses(context):
        assert context.model is not None
        result = context.run(dose.at_steady_state(), typical=True)
        output = context.model.outputs[0].name
        for endpoint, words in _ENDPOINTS:
            mass = float(result.endpoint(endpoint)[0]) * convert(1.0, result.units[output], "ng/mL")
            value = mass
            if unit == "nM":
                assert context.molar_mass is not None
                value = molar_from_mass(mass, context.molar_mass)
            found.append(
                {
                    "what": words,
                    "endpoint": endpoint,
                    "dose": dose.label,
                    "dose_mg": dose.amount,
                    "interval_h": dose.interval,
                    "concentration": float(f"{value:.5g}"),
                }
            )
    return found


def _grid(entries: Sequence[Entry], marks: Sequence[float]) -> Floats:
    """Return concentrations even on the logarithmic scale, with the marks among them."""
    if not entries:
        return np.empty(0)
    known = [v for e in entries for v in (e.potency.value, e.potency.low, e.potency.high) if v]
    ends = [*known, *marks]
    low = math.floor(math.log10(min(ends) / _MARGIN))
    high = math.ceil(math.log10(max(ends) * _MARGIN))
    even = np.logspace(low, high, (high - low) * _PER_DECADE + 1)
    return np.unique([float(f"{v:.5g}") for v in (*even.tolist(), *marks)])


def _start(marks: Sequence[dict[str, Any]], grid: Floats) -> int | None:
    """Return where the slider begins: the average at the highest label dose."""
    averages = [m["index"] for m in marks if m["endpoint"] == "Cavg"]
    if averages and grid.size:
        return int(averages[-1])
    return grid.size // 2 if grid.size else None


def _kinase(entry: Entry, kinases: dict[str, Bounds]) -> dict[str, Any]:
    name = entry.potency.target.strip().upper()
    return {"kinase": name, **signal_origin(entry), **same_or_none(kinases[name])}


def _groups(kinases: dict[str, Bounds], grid: Floats) -> list[dict[str, Any]]:
    found = []
    for group in receptor_groups():
        item: dict[str, Any] = {
            "kinases": group.kinases.names,
            "text": group.kinases.text,
            "pair_assumed": group.kinases.homodimer_assumed,
            "note": group.kinases.note,
            "cytokines": [c.name for c in group.cytokines],
            "lacking": sorted({k for k in group.kinases.names if k not in kinases}),
        }
        for rule in RULES:
            course = receptor_course(group.kinases, kinases, ASSUMPTIONS[rule], grid)
            assert course is not None  # a group has kinases
            item[rule] = same_or_none(course)
        found.append(item)
    return found


def _cytokines() -> list[dict[str, Any]]:
    rows = []
    for cytokine in load_cytokines():
        kinases = kinases_of(cytokine)
        rows.append(
            {
                "name": cytokine.name,
                "receptor": cytokine.receptor,
                "chains": [p.strip() for p in cytokine.receptor.split(" or ")[0].split("+")]
                if cytokine.receptor
                else [],
                "kinases": kinases.names,
                "text": kinases.text,
                "stats": cytokine.stats,
                "also": cytokine.stats_secondary,
                "note": cytokine.note,
                "source": cytokine.source,
                "missing": cytokine.is_missing or not kinases.names,
            }
        )
    return rows


def _measured(context: Context, entry: Entry, grid: Floats) -> dict[str, Any]:
    basis = concentration_basis(entry.potency, context.unbound_fraction)
    potency = entry.potency
    # Inhibition depends on the ratio to the IC50 alone, so a common unit of mass serves as well.
    same = potency.in_nM(context.molar_mass or 1000.0)
    scale = 1.0 if context.molar_mass else molar_from_mass(1.0, 1000.0)
    band = inhibition(basis.apply(grid * scale), same)
    return {
        **signal_origin(entry),
        "compared_with": basis.rule.name,
        **same_or_none(Bounds(band.low, band.high)),
    }


def _rule(key: str) -> dict[str, str]:
    rule = ASSUMPTIONS[key]
    return {
        "name": rule.name,
        "formula": rule.formula,
        "rationale": rule.rationale,
        "method": f"receptor_{key}",
    }


def _basis_rules(context: Context, entries: Iterable[Entry]) -> list[dict[str, Any]]:
    used = [concentration_basis(e.potency, context.unbound_fraction).rule for e in entries]
    rules = {r.key: r for r in used}.values()
    return [{"name": r.name, "text": r.text, "flagged": r.flagged} for r in rules]


def _missing(
    context: Context, single: Sequence[Entry], signals: Sequence[Entry]
) -> list[dict[str, str]]:
    found = []
    if not single:
        found.append(
            {
                "title": "Kinases and cytokines not coloured",
                "text": f"The library holds no potency (IC50) of {context.name} against a single "
                "kinase: inhibition by kinase and by cytokine is not computed.",
            }
        )
    if not signals:
        found.append(
            {
                "title": "No measured signal",
                "text": f"No potency of {context.name} against a signal in cells or blood could be "
                "read that can be compared with its concentration.",
            }
        )
    if context.model is None:
        found.append(
            {
                "title": "No concentration of a patient",
                "text": f"The library holds no population model of {context.name}: where a label "
                "dose stands on the scale is not known.",
            }
        )
    return found


def _templates(drug: str, unit: str) -> dict[str, str]:
    """Return programs in which ``{concentration}`` stands for the one on the slider."""
    python = (
        "from statera.monograph import MonographOptions, build\n\n"
        f"document = build({drug!r}, MonographOptions(concentration_nM={{concentration}}))\n"
        "mechanism = next(s for s in document.sections if s.key == 'mechanism')\n"
        "for row in mechanism.data['cytokines']:\n"
        "    print(row['cytokine'], row['inhibition_limiting_kinase'], "
        "row['inhibition_independent'])\n"
    )
    if unit != "nM":
        return {"python": "", "command": ""}
    command = f'statera monograph {drug} --concentration "{{concentration}} nM" --json'
    return {"python": python, "command": command}


def _copies(drug: str, unit: str, marks: Sequence[dict[str, Any]]) -> Copies:
    templates = _templates(drug, unit)
    averages = [m["concentration"] for m in marks if m["endpoint"] == "Cavg"]
    if not averages or not templates["command"]:
        python = f"import statera as st\n\nprint(st.load_drug({drug!r}).facts_in('potency'))\n"
        why = "Without molar mass or exposure no command colours the pathway at a concentration."
        return Copies(python, why=why)
    held = {k: t.replace("{concentration}", f"{averages[-1]:g}") for k, t in templates.items()}
    return Copies(held["python"], held["command"])
