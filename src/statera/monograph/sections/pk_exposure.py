"""Simulated exposure: profiles by dose, endpoints, renal function, body weight, groups."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from statera.model import Covariate
from statera.monograph.cells import (
    computed,
    fact_cell,
    percent_difference,
    significant,
    written_unit,
)
from statera.monograph.context import Context, Exposure
from statera.plot.exposure import (
    ExposureCurve,
    ExposureOptions,
    PublishedPoint,
    Stage,
    draw_exposure,
)
from statera.plot.groups import GroupOptions, GroupRow, draw_groups
from statera.plot.profiles import ProfileCurve, ProfileOptions, ProfilePanel, draw_profiles
from statera.report.document import Block, Callout, Cell, Figure, Inline, Table
from statera.simulate import SimulationResult
from statera.sources import Fact

__all__ = ["RENAL_STAGES", "exposure_blocks", "group_comparison", "profile_blocks"]

# Stages of renal function by GFR (KDIGO 2012), with the value simulated for each.
RENAL_STAGES = (
    ("normal", 90.0, 130.0, None),
    ("mild", 60.0, 90.0, 75.0),
    ("moderate", 30.0, 60.0, 45.0),
    ("severe", 15.0, 30.0, 22.0),
)
_RENAL = ("EGFR", "CRCL")
_LEVELS = (5.0, 50.0, 95.0)


def profile_blocks(context: Context) -> Iterator[Block]:
    """Yield profiles and endpoints by dose."""
    yield _profiles(context)
    yield _endpoints(context)


def exposure_blocks(context: Context) -> Iterator[Block]:
    """Yield exposure by renal function, body weight and group."""
    renal = next((c for c in _RENAL if context.model and c in context.model.covariates), None)
    if renal:
        yield from _renal_blocks(context, renal)
    else:
        yield Callout(
            "missing",
            "Renal function",
            ("The primary model has no covariate of renal function: no exposure is computed.",),
        )
    if context.model and "WT" in context.model.covariates:
        yield _weight(context)
    yield from _groups(context)


def _band(result: SimulationResult, output: str) -> tuple[Any, Any, Any]:
    low, middle, high = result.percentiles(output, _LEVELS)
    return low, middle, high


def _profiles(context: Context) -> Figure:
    assert context.model is not None
    output = context.model.outputs[0]
    panels = []
    data: dict[str, Any] = {}
    for title, single in (("Single dose", True), ("Steady state", False)):
        curves = []
        for exposure in context.exposures.values():
            result = exposure.population_single if single else exposure.population
            low, middle, high = _band(result, output.name)
            curves.append(ProfileCurve(exposure.dose.label, result.times, middle, low, high))
            name = f"{title}, {exposure.dose.label}"
            every = slice(None, None, 2)
            data[name] = {
                "time (h)": result.times[every].tolist(),
                f"5th percentile ({output.unit})": low[every].tolist(),
                f"median ({output.unit})": middle[every].tolist(),
                f"95th percentile ({output.unit})": high[every].tolist(),
            }
        panels.append(ProfilePanel(title, tuple(curves)))
    factor = None if context.molar_mass is None else 1000.0 / context.molar_mass
    highest = context.highest
    assert highest is not None
    peak = np.median(highest.population.endpoint("Cmax"))
    doses = ", ".join(dose.label for dose in context.exposures)
    alt = (
        f"Median {output.label} over 24 h or one interval with the 5th to 95th percentile, after a "
        f"single dose and at steady state, for {doses}. "
        f"The median peak at {highest.dose.label} is {significant(float(peak))} {output.unit}."
    )
    return Figure(
        "profiles",
        draw_profiles(
            panels,
            ProfileOptions(y_label=f"Concentration ({output.unit})", second_factor=factor),
            key="profiles",
            title=f"{output.label.capitalize()}: concentration and time",
            alt=alt,
        ),
        "Concentration and time by dose",
        alt,
        (
            f"{context.options.n} simulated subjects with the reference covariates of ",
            Cell(context.model.id, "fact", (context.model.source,)),
            ". Lines are medians, bands hold 90 % of the subjects",
            Cell("", "computed", method="population"),
            ".",
        ),
        data,
    )


def _percentile_cell(result: SimulationResult, endpoint: str, unit: str) -> Cell:
    values = result.endpoint(endpoint)[result.statuses == 0]
    low, middle, high = np.percentile(values, _LEVELS)
    return Cell(
        f"{significant(middle)} ({significant(low)} to {significant(high)})",
        "computed",
        method="population",
        value=float(middle),
        unit=unit,
    )


def _endpoints(context: Context) -> Table:
    assert context.model is not None
    output = context.model.outputs[0].name
    rows: list[tuple[Inline, ...]] = []
    for exposure in context.exposures.values():
        for when, population, typical in (
            ("single dose", exposure.population_single, exposure.typical_single),
            ("steady state", exposure.population, exposure.typical),
        ):
            cells: list[Inline] = [f"{exposure.dose.label}, {when}"]
            for endpoint in ("Cmax", "tmax", "AUC", "Cavg", "Ctrough"):
                unit = population.unit_of(endpoint, output)
                cells.append(_percentile_cell(population, endpoint, unit))
                if endpoint in ("Cmax", "AUC"):
                    cells.append(computed(float(typical.endpoint(endpoint)[0]), "typical"))
            rows.append(tuple(cells))
    unit = context.model.outputs[0].unit
    area = context.highest.population.unit_of("AUC", output) if context.highest else ""
    return Table(
        "Endpoints over one dosing interval (24 h after a single dose): median (5th to 95th "
        "percentile) of the population, and the typical subject",
        (
            "Dose",
            f"Cmax ({unit})",
            "typical",
            "tmax (h)",
            f"AUC ({written_unit(area)})",
            "typical",
            f"Cavg ({unit})",
            f"Ctrough ({unit})",
        ),
        tuple(rows),
        numeric=(1, 2, 3, 4, 5, 6, 7),
    )


def _sweep(
    context: Context, exposure: Exposure, covariate: str, values: Any
) -> dict[str, list[float]]:
    """Return AUC at steady state along a covariate: the same subjects at every value."""
    found: dict[str, list[float]] = {"low": [], "median": [], "high": [], "typical": []}
    regimen = exposure.dose.at_steady_state()
    for value in values:
        held: Mapping[str, Any] = {covariate: float(value)}
        few = context.run(regimen, covariates=held, times=[], n=min(context.options.n, 500))
        low, middle, high = np.percentile(few.endpoint("AUC")[few.statuses == 0], _LEVELS)
        typical = context.run(regimen, typical=True, covariates=held, times=[])
        for key, number in (
            ("low", low),
            ("median", middle),
            ("high", high),
            ("typical", typical.endpoint("AUC")[0]),
        ):
            found[key].append(float(number))
    return found


def _domain(covariate: Covariate) -> tuple[float | None, float | None]:
    return covariate.soft.low, covariate.soft.high


def _renal_blocks(context: Context, name: str) -> Iterator[Block]:
    assert context.model is not None
    assert context.highest is not None
    covariate = context.model.covariates[name]
    label = "eGFR" if name == "EGFR" else "creatinine clearance"
    grid = np.array([15, 20, 25, 30, 37, 45, 54, 60, 70, 80, 90, 100, 115, 130], dtype=float)
    curves = []
    data: dict[str, Any] = {}
    for exposure in (list(context.exposures.values()))[-2:]:
        sweep = _sweep(context, exposure, name, grid)
        curves.append(
            ExposureCurve(exposure.dose.label, grid, sweep["median"], sweep["low"], sweep["high"])
        )
        data[exposure.dose.label] = {f"{label} ({covariate.unit})": grid.tolist(), **sweep}
    area = context.highest.population.unit_of("AUC", context.model.outputs[0].name)
    domain = _domain(covariate)
    known = domain[0] is not None or domain[1] is not None
    says = (
        f"The data cover {label} {covariate.soft} {written_unit(covariate.unit)}; beyond it the "
        "curve is an extrapolation and is drawn as one."
        if known
        else f"The range of {label} in the data was not retrieved: no part of the curve can be "
        "called covered by data."
    )
    alt = (
        f"AUC at steady state falls as {label} rises, for the two highest doses, with the 5th to "
        f"95th percentile. {says}"
    )
    yield Figure(
        "renal",
        draw_exposure(
            curves,
            (),
            ExposureOptions(
                x_label=f"{label} ({written_unit(covariate.unit)})",
                y_label=f"AUC over one interval ({written_unit(area)})",
                domain=domain,
                stages=tuple(Stage(low, high, stage) for stage, low, high, _ in RENAL_STAGES),
            ),
            key="renal",
            title=f"Exposure by {label}",
            alt=alt,
        ),
        f"Exposure by {label}",
        alt,
        (says, Cell("", "computed", method="population")),
        data,
    )
    yield _renal_table(context, covariate, label, area)


def _renal_table(context: Context, covariate: Covariate, label: str, area: str) -> Table:
    assert context.highest is not None
    regimen = context.highest.dose.at_steady_state()
    base = float(context.highest.typical.endpoint("AUC")[0])
    rows: list[tuple[Inline, ...]] = []
    for stage, _, _, middle in RENAL_STAGES:
        value = covariate.reference if middle is None else middle
        result = context.run(regimen, typical=True, covariates={covariate.name: value}, times=[])
        auc = float(result.endpoint("AUC")[0])
        if result.warnings:
            standing = Cell("extrapolation", tone="warn")
        elif covariate.soft.low is None:
            standing = Cell("range of the data not retrieved", "missing")
        else:
            standing = Cell("inside the data", tone="ok")
        rows.append(
            (
                stage,
                f"{value:g} {written_unit(covariate.unit)}",
                computed(auc, "typical", area),
                computed(auc / base, "typical", text=f"{auc / base:.2f}"),
                standing,
            )
        )
    return Table(
        f"Exposure by stage of renal function, typical subject, {context.highest.dose.label} at "
        "steady state",
        (
            "Stage",
            f"{label[0].upper() if label != 'eGFR' else 'e'}{label[1:]} simulated",
            "AUC",
            "Ratio to reference",
            "Standing",
        ),
        tuple(rows),
        numeric=(2, 3),
        foot=(
            "Stages: normal 90 or more, mild 60 to under 90, moderate 30 to under 60, severe 15 "
            "to under 30 (the cuts of the KDIGO 2012 categories). Dedicated renal-impairment "
            "ratios were not retrieved; an extrapolated ratio must not be taken for them.",
        ),
    )


def _weight(context: Context) -> Figure:
    assert context.model is not None
    assert context.highest is not None
    covariate = context.model.covariates["WT"]
    paediatric = (covariate.soft.low or 40.0) < 30
    grid = np.array(
        [10, 12, 15, 20, 25, 30, 40, 50, 60, 74, 90, 110]
        if paediatric
        else [40, 50, 60, 70, 80, 90, 100, 120],
        dtype=float,
    )
    curves = []
    data: dict[str, Any] = {}
    for exposure in list(context.exposures.values())[-2:]:
        sweep = _sweep(context, exposure, "WT", grid)
        curves.append(
            ExposureCurve(exposure.dose.label, grid, sweep["median"], sweep["low"], sweep["high"])
        )
        data[exposure.dose.label] = {"body weight (kg)": grid.tolist(), **sweep}
    area = context.highest.population.unit_of("AUC", context.model.outputs[0].name)
    points = [
        PublishedPoint(weight, auc, f"published, {dose:g} mg")
        for weight, auc, dose in _published_by_weight(context)
    ]
    alt = (
        "AUC at steady state against body weight at the reference renal function, with the 5th to "
        "95th percentile; published group means at their mean weight where there are any."
    )
    return Figure(
        "weight",
        draw_exposure(
            curves,
            points,
            ExposureOptions(
                x_label="Body weight (kg)",
                y_label=f"AUC over one interval ({written_unit(area)})",
                domain=_domain(covariate),
            ),
            key="weight",
            title="Exposure by body weight",
            alt=alt,
        ),
        "Exposure by body weight",
        alt,
        (
            "Renal function is held at the reference; children in the published groups had a "
            "higher eGFR, so that their points lie lower than the curve",
            Cell("", "computed", method="population"),
            ".",
        )
        if points
        else (
            "Renal function is held at the reference.",
            Cell("", "computed", method="population"),
        ),
        data,
    )


def _by_group(context: Context) -> dict[str, dict[str, Fact]]:
    groups: dict[str, dict[str, Fact]] = {}
    for fact in context.drug.facts_in("exposure_by_group"):
        groups.setdefault(fact.get("group"), {})[fact.get("quantity")] = fact
    return groups


def _published_by_weight(context: Context) -> list[tuple[float, float, float]]:
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


def _groups(context: Context) -> Iterator[Block]:
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
