"""What can be copied of a pathway as CSV, and the short table on the screen."""

from __future__ import annotations

import math

import numpy as np

from statera.mechanism.scenario import PathwayRun
from statera.web.answer import Column, Table

__all__ = ["inhibition_rows", "tables"]

_AT = 5  # times of the short table


def inhibition_rows(found: PathwayRun) -> tuple[list[str], list[list[object]]]:
    """Return inhibition against no drug, per cent, at a few times and of the area.

    Returns
    -------
    Heads, and a row for each output and scenario with drug.
    """
    after = np.flatnonzero(found.times > 0.0)
    at = after[np.unique(np.ceil(np.arange(1, _AT + 1) * after.size / _AT).astype(int) - 1)]
    unit = found.time_unit
    heads = ["output", "scenario", *(f"{found.times[i]:g} {unit}".strip() for i in at), "area"]
    rows: list[list[object]] = [
        [
            name, r.scenario.label, *(_number(100.0 * r.inhibition[name][i]) for i in at),
            _number(100.0 * r.area_inhibition[name]),
        ]
        for name in found.runs[0].outputs
        for r in found.runs[1:]
    ]  # fmt: skip
    return heads, rows


def tables(found: PathwayRun) -> dict[str, Table]:
    """Return courses in long form, and the inhibition."""
    rows: list[list[object]] = [
        [r.scenario.label, float(t), name, _number(v), _number(100.0 * i), _number(c)]
        for r in found.runs
        for name, values in r.outputs.items()
        for t, v, i, c in zip(found.times, values, r.inhibition[name], r.concentration, strict=True)
    ]
    heads, short = inhibition_rows(found)
    return {
        "courses": Table(
            [Column("scenario"), Column("time", found.time_unit), Column("output"), Column("value"),
             Column("inhibition", "%"), Column("drug, total", "nM")],
            rows,
        ),
        "inhibition": Table(
            [Column(h, "" if k < 2 else "%") for k, h in enumerate(heads)], short
        ),
    }  # fmt: skip


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
