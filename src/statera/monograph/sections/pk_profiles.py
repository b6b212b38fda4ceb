"""Concentration-time profiles and endpoints by dose."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from statera.monograph.cells import (
    computed,
    significant,
    written_unit,
)
from statera.monograph.context import Context, Exposure
from statera.plot.profiles import ProfileCurve, ProfileOptions, ProfilePanel, draw_profiles
from statera.report.document import Block, Cell, Figure, Inline, Table
from statera.simulate import SimulationResult

__all__ = ["PERCENTILES", "profile_blocks"]

PERCENTILES = (5.0, 50.0, 95.0)
"""Levels of every population band on the page."""


def profile_blocks(context: Context) -> Iterator[Block]:
    """Yield profiles and endpoints by dose."""
    yield _profiles(context)
    yield _endpoints(context)


def _band(result: SimulationResult, output: str) -> tuple[Any, Any, Any]:
    low, middle, high = result.percentiles(output, PERCENTILES)
    return low, middle, high


def _shown(context: Context, single: bool) -> list[tuple[str, Exposure]]:
    """Return exposures with their labels; of single doses each amount once."""
    if not single:
        return [(e.dose.label, e) for e in context.exposures.values()]
    return list({f"{e.dose.amount:g} mg": e for e in context.exposures.values()}.items())


def _profiles(context: Context) -> Figure:
    assert context.model is not None
    output = context.model.outputs[0]
    panels = []
    data: dict[str, Any] = {}
    for title, single in (("Single dose", True), ("Steady state", False)):
        curves = []
        for label, exposure in _shown(context, single):
            result = exposure.population_single if single else exposure.population
            low, middle, high = _band(result, output.name)
            curves.append(ProfileCurve(label, result.times, middle, low, high))
            name = f"{title}, {label}"
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
    low, middle, high = np.percentile(values, PERCENTILES)
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
    for single in (True, False):
        for label, exposure in _shown(context, single):
            population = exposure.population_single if single else exposure.population
            typical = exposure.typical_single if single else exposure.typical
            when = "single dose" if single else "steady state"
            cells: list[Inline] = [f"{label}, {when}"]
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
