"""Simulated exposure by renal function and body weight."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from statera.model import Covariate
from statera.monograph.cells import (
    computed,
    written_unit,
)
from statera.monograph.context import Context, Exposure
from statera.monograph.sections.pk_groups import group_blocks, published_by_weight
from statera.monograph.sections.pk_profiles import PERCENTILES
from statera.plot.exposure import (
    ExposureCurve,
    ExposureOptions,
    PublishedPoint,
    Stage,
    draw_exposure,
)
from statera.report.document import Block, Callout, Cell, Figure, Inline, Table

__all__ = ["RENAL_STAGES", "exposure_blocks"]

# Stages of renal function by GFR (KDIGO 2012), with the value simulated for each.
RENAL_STAGES = (
    ("normal", 90.0, 130.0, None),
    ("mild", 60.0, 90.0, 75.0),
    ("moderate", 30.0, 60.0, 45.0),
    ("severe", 15.0, 30.0, 22.0),
)
_RENAL = ("EGFR", "CRCL")


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
    yield from group_blocks(context)


def _sweep(
    context: Context, exposure: Exposure, covariate: str, values: Any
) -> dict[str, list[float]]:
    """Return AUC over 24 h at steady state along a covariate: the same subjects at every value."""
    found: dict[str, list[float]] = {"low": [], "median": [], "high": [], "typical": []}
    regimen = exposure.dose.at_steady_state()
    doses_a_day = 24.0 / exposure.dose.interval
    for value in values:
        held: Mapping[str, Any] = {covariate: float(value)}
        few = context.run(regimen, covariates=held, times=[], n=min(context.options.n, 500))
        low, middle, high = np.percentile(few.endpoint("AUC")[few.statuses == 0], PERCENTILES)
        typical = context.run(regimen, typical=True, covariates=held, times=[])
        for key, number in (
            ("low", low),
            ("median", middle),
            ("high", high),
            ("typical", typical.endpoint("AUC")[0]),
        ):
            found[key].append(doses_a_day * float(number))
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
                y_label=f"AUC over 24 h ({written_unit(area)})",
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
    doses_a_day = 24.0 / context.highest.dose.interval
    base = doses_a_day * float(context.highest.typical.endpoint("AUC")[0])
    rows: list[tuple[Inline, ...]] = []
    for stage, _, _, middle in RENAL_STAGES:
        value = covariate.reference if middle is None else middle
        result = context.run(regimen, typical=True, covariates={covariate.name: value}, times=[])
        auc = doses_a_day * float(result.endpoint("AUC")[0])
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
        for weight, auc, dose in published_by_weight(context)
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
                y_label=f"AUC over 24 h ({written_unit(area)})",
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
