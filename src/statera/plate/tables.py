"""Results of a plate as flat tables, for CSV files and other programs."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Sequence
from typing import Any

from statera.assay.ic50 import Ic50
from statera.plate.result import PlateResult

__all__ = [
    "comparison_table",
    "curve_table",
    "ic50_table",
    "point_table",
    "statistics_table",
    "to_csv",
    "well_table",
]

Rows = list[dict[str, Any]]


def well_table(result: PlateResult) -> Rows:
    """Return a row for each well of the plate map."""
    return [
        {
            "plate": w.well.plate,
            "well": w.well.well,
            "file": w.well.file,
            "donor": w.well.donor,
            "cytokine": w.well.cytokine,
            "condition": w.well.condition.value,
            "dose_nM": w.well.dose,
            "status": w.status.value,
            "remark": w.sentence,
            "events": w.n_events,
            "events_kept": w.n_kept,
            **{f"events_{r.rule}": r.events for r in w.removals},
            "flags": "; ".join((*w.repairs, *w.flags)),
            "content_hash": w.content_hash,
        }
        for w in result.wells
    ]


def statistics_table(result: PlateResult) -> Rows:
    """Return a row for each well, population and readout."""
    return [
        {
            "plate": r.well.plate,
            "well": r.well.well,
            "donor": r.well.donor,
            "cytokine": r.well.cytokine,
            "condition": r.well.condition.value,
            "dose_nM": r.well.dose,
            "population": r.population,
            "readout": r.readout,
            "count": r.count,
            "share_of_parent": r.of_parent,
            "share_of_all": r.of_all,
            "median": r.median,
            "geometric_mean": r.geometric_mean,
            "not_in_geometric_mean": r.left_out,
            "fold": r.fold,
            "arcsinh_ratio": r.arcsinh_ratio,
            "percent_positive": r.percent_positive,
            "percent_inhibition": r.inhibition,
            "flags": "; ".join(r.flags),
        }
        for r in result.rows
    ]


def ic50_table(result: PlateResult) -> Rows:
    """Return a row for each curve: IC50 with its status, and the window of its controls."""
    rows: Rows = []
    for c in result.curves:
        row: dict[str, Any] = {
            "plate": c.plate,
            "donor": c.donor,
            "cytokine": c.cytokine,
            "population": c.population,
            "readout": c.readout,
            **_ic50(c.ic50, ""),
            "hill": c.ic50.hill,
            "bottom": c.ic50.bottom,
            "top": c.ic50.top,
            "fold": c.controls.fold,
            "z_prime": c.controls.z_prime,
            "signal_window": c.controls.signal_window,
        }
        if c.absolute is not None:
            row |= _ic50(c.absolute, "absolute_")
        rows.append(row)
    return rows


def _ic50(ic50: Ic50, prefix: str) -> dict[str, Any]:
    low, high = ic50.profile if ic50.profile is not None else ic50.wald
    return {
        f"{prefix}status": ic50.determination.value,
        f"{prefix}ic50_nM": ic50.estimate,
        f"{prefix}low_nM": low,
        f"{prefix}high_nM": high,
        f"{prefix}ln_se": ic50.ln_se,
        f"{prefix}statement": ic50.sentence,
        f"{prefix}flags": "; ".join(flag.value for flag in ic50.flags),
    }


def point_table(result: PlateResult) -> Rows:
    """Return a row for each point of each curve."""
    return [
        {
            "plate": c.plate,
            "donor": c.donor,
            "cytokine": c.cytokine,
            "population": c.population,
            "readout": c.readout,
            "well": well,
            "dose_nM": float(dose),
            "percent_of_control": float(response),
        }
        for c in result.curves
        for well, dose, response in zip(c.wells, c.dose, c.response, strict=True)
    ]


def curve_table(result: PlateResult) -> Rows:
    """Return the fitted curves as points of their lines."""
    return [
        {
            "plate": c.plate,
            "donor": c.donor,
            "cytokine": c.cytokine,
            "population": c.population,
            "readout": c.readout,
            "dose_nM": float(dose),
            "percent_of_control": float(y),
        }
        for c in result.curves
        for dose, y in c.curve.T
    ]


def comparison_table(result: PlateResult) -> Rows:
    """Return a row for each curve that is compared with the first of its group."""
    return [
        {
            "compared": c.what,
            "of": c.name,
            "curve": ratio.name,
            "reference": ratio.reference,
            "relative_potency": ratio.ratio,
            "low": ratio.profile[0],
            "high": ratio.profile[1],
            "fieller_low": ratio.fieller[0],
            "fieller_high": ratio.fieller[1],
            "statement": ratio.sentence,
            "parallel": c.parallel,
            "p_parallel": c.p_parallel,
            "equal_ic50": c.equal,
            "p_equal_ic50": c.p_equal,
        }
        for c in result.comparisons
        for ratio in c.ratios
    ]


def to_csv(rows: Sequence[dict[str, Any]]) -> str:
    """Return rows as CSV; missing numbers are empty, and columns those of all rows."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(names)
    for row in rows:
        writer.writerow(_cells(row.get(name) for name in names))
    return stream.getvalue()


def _cells(values: Iterable[Any]) -> list[Any]:
    cells: list[Any] = []
    for value in values:
        if isinstance(value, float):
            cells.append("" if math.isnan(value) else f"{value:.10g}")
        else:
            cells.append("" if value is None else value)
    return cells
