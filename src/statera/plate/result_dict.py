"""Results of a plate as plain data for JSON: a missing number is null."""

from __future__ import annotations

import math
from typing import Any

from statera.plate.result import PlateResult
from statera.plate.tables import (
    comparison_table,
    ic50_table,
    point_table,
    statistics_table,
    well_table,
)

__all__ = ["SCHEMA", "result_to_dict"]

SCHEMA = "statera.plate_result/1"


def result_to_dict(result: PlateResult) -> dict[str, Any]:
    """Return wells, statistics, curves, donors and problems as plain data."""
    found: dict[str, Any] = _plain(
        {
            "name": result.settings.name,
            "drug": result.settings.drug,
            "wells": well_table(result),
            "statistics": statistics_table(result),
            "ic50": ic50_table(result),
            "points": point_table(result),
            "donors": [d.as_dict() for d in result.donors],
            "comparisons": comparison_table(result),
            "gates": [c.sentence for c in result.confidence],
            "problems": [
                {
                    "where": p.where,
                    "problem": p.sentence,
                    "hint": p.hint,
                    "severity": p.severity.value,
                }
                for p in result.problems
            ],
        }
    )
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
