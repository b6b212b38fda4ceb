"""Tables of a plate for copying: the same as the CSV files that the command line writes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from statera.plate.result import PlateResult
from statera.plate.tables import ic50_table
from statera.web.answer import Column, Table

__all__ = ["ic50_columns", "table_of"]

_UNITS = {"dose_nM": "nM", "ic50_nM": "nM", "low_nM": "nM", "high_nM": "nM"}


def table_of(rows: Sequence[dict[str, Any]]) -> Table:
    """Return rows as a table, with the columns of all of them."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = [
        Column(name, _UNITS.get(name, "nM" if name.endswith("_nM") else "")) for name in names
    ]
    return Table(columns, [[row.get(name) for name in names] for row in rows])


def ic50_columns(result: PlateResult) -> Table:
    """Return the IC50s with their status."""
    return table_of(ic50_table(result))
