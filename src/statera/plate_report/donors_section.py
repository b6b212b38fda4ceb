"""IC50s over donors: geometric means, and how far donors differ."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from statera.plate.result import PlateResult
from statera.plate_report.parts import computed, digits
from statera.report.document import Cell, Inline, Section, Table

__all__ = ["donors_section"]

_METHOD = "plate_donors"


def donors_section(result: PlateResult) -> Section | None:
    """Return a table of what was found over donors; None where nothing was."""
    rows = [_row(_entries(item)) for item in result.donors]
    if not rows:
        return None
    table = Table(
        f"IC50 of {result.settings.drug} over donors",
        ("Stimulation", "Population", "Readout", "Donors", "Geometric mean (nM)",
         "Between donors: SD of ln IC50", "In words"),
        tuple(rows),
        numeric=(3, 4, 5),
        foot=("In parentheses: the mean of ln IC50 and its standard error.",),
    )  # fmt: skip
    return Section("donors", "Over donors", (table,))


def _entries(item: Any) -> Mapping[str, Any]:
    """Return an object of results as plain entries, whatever its class."""
    if isinstance(item, Mapping):
        return item
    if hasattr(item, "as_dict"):
        found: Mapping[str, Any] = item.as_dict()
        return found
    if is_dataclass(item):
        return {f.name: getattr(item, f.name) for f in fields(item)}
    return {}


def _number(entries: Mapping[str, Any], *names: str) -> float:
    for name in names:
        value = entries.get(name)
        if isinstance(value, int | float):
            return float(value)
    return math.nan


def _row(entries: Mapping[str, Any]) -> tuple[Inline, ...]:
    mean = _number(entries, "mean_ln_ic50", "ln_ic50", "mean")
    error = _number(entries, "se", "ln_se", "standard_error")
    between = _number(entries, "sd_between", "sd", "between")
    count = _number(entries, "n_donors", "donors", "n")
    said = f"({digits(mean)} ± {digits(error)})" if math.isfinite(mean) else ""
    middle = (
        Cell(digits(math.exp(mean)), "computed", method=_METHOD, value=math.exp(mean), unit="nM",
             note=said)
        if math.isfinite(mean)
        else Cell("–")
    )  # fmt: skip
    return (
        str(entries.get("cytokine", "")) or "–",
        str(entries.get("population", "")) or "–",
        str(entries.get("readout", "")) or "–",
        computed(int(count), _METHOD) if math.isfinite(count) else Cell("–"),
        middle,
        computed(between, _METHOD),
        str(entries.get("sentence", "")),
    )
