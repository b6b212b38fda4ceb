"""Simulated reference concentrations, and what an assay would see of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from statera.monograph.cells import significant, written_unit
from statera.monograph.context import Context, Exposure
from statera.report.document import Cell, Inline, Method, Table
from statera.simulate import SimulationResult
from statera.sources import Fact

__all__ = [
    "VALUES_METHOD",
    "AssayRange",
    "Reference",
    "assay_range",
    "by_time_table",
    "reference_data",
    "reference_table",
    "references",
]

VALUES_METHOD = Method(
    "reference-values",
    "Simulated reference concentrations",
    "Median and 5th to 95th percentile over the simulated population at steady state: Ctrough is "
    "the concentration at the end of the dosing interval, Cmax the highest and AUC the area "
    "within it. Random effects are drawn from the published covariance matrix at the model's "
    "reference covariates; residual and assay error are not added, and doses are taken on time. "
    "The share below a limit of quantification is the share of simulated subjects. The spread is "
    "the 95th over the 5th percentile.",
)

_TIMES = (1.0, 2.0, 4.0, 8.0, 12.0, 16.0, 20.0, 24.0)
_ENDPOINTS = ("Ctrough", "Cmax", "AUC")


@dataclass(frozen=True)
class AssayRange:
    """Lower and upper limit of quantification with the fact behind them."""

    low: float | None
    high: float | None
    unit: str
    fact: Fact


@dataclass(frozen=True)
class Reference:
    """Simulated concentrations of one analyte at one dose.

    Attributes
    ----------
    percentiles
        5th, 50th and 95th percentile by endpoint.
    below
        Share of subjects whose trough lies below the limit of quantification; None where no
        limit is known.
    above
        Share of subjects whose peak lies above the upper limit; None where none is known.
    """

    exposure: Exposure
    output: str
    label: str
    percentiles: dict[str, tuple[float, float, float]]
    units: dict[str, str]
    below: float | None
    above: float | None

    def spread(self, endpoint: str) -> float:
        """Return the 95th over the 5th percentile."""
        low, _, high = self.percentiles[endpoint]
        return high / low if low > 0 else float("inf")


def assay_range(context: Context) -> AssayRange | None:
    """Return the quantification range of an assay of the drug, if one was read."""
    for fact in context.drug.facts_in("monitoring"):
        if fact.get("quantity") == "assay_range" and not fact.is_missing:
            return AssayRange(fact.low, fact.high, fact.unit, fact)
    return None


def references(context: Context) -> tuple[Reference, ...]:
    """Return the simulated concentrations of every analyte at every dose, lowest dose first."""
    limits = assay_range(context)
    return tuple(
        _reference(context, exposure, output, limits)
        for exposure in context.exposures.values()
        for output in exposure.population.window_values
    )


def _reference(
    context: Context, exposure: Exposure, output: str, limits: AssayRange | None
) -> Reference:
    population = exposure.population
    values = {e: _solved(population, e, output) for e in _ENDPOINTS}
    first = next(iter(population.window_values))
    # A range of an assay of the drug says nothing about its metabolite.
    known = limits is not None and output == first and limits.unit == population.units[output]
    low = limits.low if limits is not None and known else None
    high = limits.high if limits is not None and known else None
    assert context.model is not None
    return Reference(
        exposure,
        output,
        context.model.output(output).label or output,
        {e: _three(v) for e, v in values.items()},
        {e: population.unit_of(e, output) for e in _ENDPOINTS},
        None if low is None else float((values["Ctrough"] < low).mean()),
        None if high is None else float((values["Cmax"] > high).mean()),
    )


def _solved(result: SimulationResult, endpoint: str, output: str) -> NDArray[np.float64]:
    values: NDArray[np.float64] = result.endpoint(endpoint, output)[result.statuses == 0]
    return values


def _three(values: NDArray[np.float64]) -> tuple[float, float, float]:
    low, middle, high = np.percentile(values, (5.0, 50.0, 95.0))
    return float(low), float(middle), float(high)


def reference_table(context: Context, found: Sequence[Reference]) -> Table:
    """Return one row a dose and analyte."""
    limits = assay_range(context)
    rows = tuple(_row(r, limits) for r in found)
    some = found[0]
    assert context.model is not None
    solved = int((some.exposure.population.statuses == 0).sum())
    foot: list[Inline] = [
        f"Simulated with {context.model.id}, {solved} subjects, not observed. Median "
        "(5th to 95th percentile).",
    ]
    if limits is not None:
        text = f"Limits of quantification: {limits.low:g} to {limits.high:g} {limits.unit}."
        foot.append(Cell(text, "fact", (limits.fact.source,)))
    return Table(
        "Simulated reference values at steady state (not observed)",
        (
            "Dose",
            "Analyte",
            f"Trough ({written_unit(some.units['Ctrough'])})",
            f"Peak ({written_unit(some.units['Cmax'])})",
            f"AUC over the dosing interval ({written_unit(some.units['AUC'])})",
            "Troughs below the limit",
            "Peaks above the limit",
        ),
        rows,
        numeric=(2, 3, 4, 5, 6),
        foot=tuple(foot),
    )


def _row(reference: Reference, limits: AssayRange | None) -> tuple[Inline, ...]:
    return (
        reference.exposure.dose.label,
        reference.label,
        *(_cell(reference.percentiles[e], reference.units[e]) for e in _ENDPOINTS),
        _share(reference.below, limits),
        _share(reference.above, limits),
    )


def _cell(three: tuple[float, float, float], unit: str) -> Cell:
    low, middle, high = three
    return Cell(
        f"{significant(middle)} ({significant(low)} to {significant(high)})",
        "computed",
        method="reference-values",
        value=middle,
        unit=unit,
    )


def _share(share: float | None, limits: AssayRange | None) -> Cell:
    if share is None:
        return Cell("limit not known", "missing")
    text = "none" if share == 0 else f"{100 * share:.1f} %"
    sources = (limits.fact.source,) if limits else ()
    return Cell(text, "computed", sources, "reference-values", value=100 * share, unit="%")


def by_time_table(context: Context) -> Table | None:
    """Return what a sample would show at times after a dose, at the highest dose."""
    highest = context.highest
    if highest is None:
        return None
    population = highest.population
    interval = highest.dose.interval
    wanted = [t for t in _TIMES if t <= interval]
    rows = []
    for time in wanted:
        at = int(np.argmin(np.abs(population.times - time)))
        if abs(float(population.times[at]) - time) > 1e-6:
            continue
        # The grid's last time is the moment of the next dose: the trough is its endpoint.
        cells: list[Inline] = [Cell(f"{time:g} h")]
        for output in population.outputs:
            if time == interval:
                column = _solved(population, "Ctrough", output)
            else:
                column = population.outputs[output][population.statuses == 0, at]
            cells.append(_cell(_three(column), population.units[output]))
        rows.append(tuple(cells))
    if not rows:
        return None
    assert context.model is not None
    names = [
        f"{context.model.output(o).label or o} ({population.units[o]})" for o in population.outputs
    ]
    return Table(
        f"What a sample would show after a dose of {highest.dose.label} at steady state "
        "(simulated, not observed)",
        ("Time after the dose", *names),
        tuple(rows),
        foot=(
            "Median (5th to 95th percentile) at the model's reference covariates. A value outside "
            "these percentiles may be due to the patient, the time of the dose, a missed dose or "
            "the assay; the table cannot tell which.",
        ),
    )


def reference_data(found: Sequence[Reference]) -> list[dict[str, Any]]:
    """Return the simulated values as plain data."""
    return [
        {
            "dose": r.exposure.dose.label,
            "analyte": r.label,
            "percentiles_5_50_95": {e: list(v) for e, v in r.percentiles.items()},
            "units": r.units,
            "share_of_troughs_below_lloq": r.below,
            "share_of_peaks_above_uloq": r.above,
            "observed": False,
            "model": r.exposure.population.model_id,
        }
        for r in found
    ]
