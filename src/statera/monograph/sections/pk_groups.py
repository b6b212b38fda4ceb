"""Published exposure of age and weight groups next to the simulated."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from statera.monograph.cells import (
    computed,
    fact_cell,
    percent_difference,
)
from statera.monograph.context import Context
from statera.plot.groups import GroupOptions, GroupRow, draw_groups
from statera.report.document import Block, Cell, Figure, Inline, Table
from statera.sources import Fact

__all__ = ["group_blocks", "group_comparison", "published_by_weight"]


def _by_group(context: Context) -> dict[str, dict[str, Fact]]:
    groups: dict[str, dict[str, Fact]] = {}
    for fact in context.drug.facts_in("exposure_by_group"):
        groups.setdefault(fact.get("group"), {})[fact.get("quantity")] = fact
    return groups


def published_by_weight(context: Context) -> list[tuple[float, float, float]]:
    """Return mean weight (kg), published AUC (ng*h/mL) and dose (mg) of every usable group."""
    found = []
    for facts in _by_group(context).values():
        weight, auc = facts.get("weight"), facts.get("AUCtau_ss")
        if weight and auc and weight.number and auc.number and not auc.get("caution"):
            found.append((weight.number, auc.number, float(auc.get("dose_mg"))))
    return found


def group_comparison(context: Context) -> list[dict[str, Any]]:
    """Return simulated against published exposure of every published group.

    A group is simulated as a population at its mean weight and mean eGFR; the spread of weight
    inside the group is not simulated, as it is not published.
    """
    found = []
    for group, facts in _by_group(context).items():
        auc, cmax = facts.get("AUCtau_ss"), facts.get("Cmax_ss")
        weight, egfr = facts.get("weight"), facts.get("EGFR")
        entry: dict[str, Any] = {"group": group, "AUC": auc, "Cmax": cmax, "why_not": ""}
        exposure = next(
            (
                e
                for d, e in context.exposures.items()
                if auc and d.amount == float(auc.get("dose_mg"))
            ),
            None,
        )
        if auc is not None and auc.get("caution"):
            entry["why_not"] = "mixed doses: not a valid target for one dose"
        elif weight is None or egfr is None or exposure is None:
            entry["why_not"] = "mean weight or eGFR of the group not retrieved"
        else:
            result = context.run(
                exposure.dose.at_steady_state(),
                covariates={"WT": weight.number, "EGFR": egfr.number},
                times=[],
                n=min(context.options.n, 500),
            )
            for name in ("AUC", "Cmax"):
                values = result.endpoint(name)[result.statuses == 0]
                entry[f"{name}_simulated"] = float(np.exp(np.log(values).mean()))
                entry[f"{name}_band"] = np.percentile(values, (5.0, 95.0)).tolist()
            entry["weight"], entry["egfr"] = weight, egfr
        found.append(entry)
    return found


_GROUP_COLUMNS = (
    "Group, dose",
    "Mean weight (kg)",
    "Mean eGFR",
    "AUC published",
    "AUC simulated",
    "Difference",
    "Cmax published",
    "Cmax simulated",
    "Difference",
)


def _group_name(entry: dict[str, Any]) -> str:
    auc = entry["AUC"]
    return f"{entry['group']}, {auc.get('dose_mg')} mg" if auc else str(entry["group"])


def _group_cells(entry: dict[str, Any]) -> tuple[Inline, ...]:
    auc, cmax = entry["AUC"], entry["Cmax"]
    name = _group_name(entry)
    if entry["why_not"]:
        gap = Cell(entry["why_not"], "missing")
        printed = [fact_cell(f, unit=False) if f else Cell("") for f in (auc, cmax)]
        return (name, "", "", printed[0], gap, "", printed[1], gap, "")
    cells: list[Inline] = [
        name,
        fact_cell(entry["weight"], unit=False),
        fact_cell(entry["egfr"], unit=False),
    ]
    for key, fact in (("AUC", auc), ("Cmax", cmax)):
        simulated = entry[f"{key}_simulated"]
        ratio = simulated / fact.number - 1.0
        cells += [
            fact_cell(fact, unit=False),
            computed(simulated, "population"),
            computed(ratio, "difference", text=percent_difference(ratio)),
        ]
    return tuple(cells)


def _group_row(entry: dict[str, Any]) -> GroupRow:
    auc = entry["AUC"]
    published = auc.number if auc else None
    if entry["why_not"]:
        return GroupRow(_group_name(entry), published=published, note=entry["why_not"])
    simulated = entry["AUC_simulated"]
    note = percent_difference(simulated / published - 1.0)
    low, high = entry["AUC_band"]
    return GroupRow(_group_name(entry), simulated, low, high, published, note=note)


def group_blocks(context: Context) -> Iterator[Block]:
    """Yield figure and table of published against simulated exposure; nothing without groups."""
    entries = group_comparison(context)
    if not entries:
        return
    alt = "Published and simulated AUC at steady state by age and weight group."
    yield Figure(
        "groups",
        draw_groups(
            [_group_row(e) for e in entries],
            GroupOptions(),
            key="groups",
            title="Exposure by group",
            alt=alt,
        ),
        "Exposure by age and weight group",
        alt,
        (
            "Age enters only through weight and eGFR: it is not a covariate of the model. Groups "
            "are simulated at their mean weight and mean eGFR",
            Cell("", "computed", method="population"),
            ".",
        ),
    )
    yield Table(
        "Published and simulated exposure at steady state by group (geometric means)",
        _GROUP_COLUMNS,
        tuple(_group_cells(e) for e in entries),
        numeric=(1, 2, 3, 4, 5, 6, 7, 8),
        foot=("AUC in ng\u00b7h/mL, Cmax in ng/mL, eGFR in mL/min/1.73\u00a0m\u00b2.",),
    )
