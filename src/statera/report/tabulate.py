"""Columns of numbers as rows of text, for the data table under a figure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from statera.report.json import plain

__all__ = ["DataTable", "flatten", "format_number", "tabulate"]

_MOST_ROWS = 300


@dataclass(frozen=True)
class DataTable:
    """Text of a data table.

    Attributes
    ----------
    columns
        Headings.
    rows
        Texts, as many a row as columns.
    singles
        Names and texts of entries that are one value rather than a column.
    remark
        What the reader must know, such as that rows were left out; may be empty.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    singles: tuple[tuple[str, str], ...]
    remark: str


def format_number(value: float) -> str:
    """Return `value` with four significant digits, without exponent where it reads well."""
    if value == 0:
        return "0"
    size = abs(value)
    if 1e4 <= size < 1e9:
        return f"{value:.0f}"
    return f"{value:.3e}" if size < 1e-4 or size >= 1e9 else f"{value:.4g}"


def flatten(data: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """Return the entries of nested mappings, their names joined by colons."""
    result: list[tuple[str, Any]] = []
    for key, value in data.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            result += flatten(value, f"{name}: ")
        else:
            result.append((name, value))
    return result


def tabulate(data: Mapping[str, Any]) -> DataTable:
    """Return the data of a figure as a table.

    Sequences become columns (shorter ones end in empty cells), anything else a single entry. Of
    a long table every k-th row is kept, and the remark says so.

    Parameters
    ----------
    data
        Columns of numbers or texts; mappings inside are named with their key.
    """
    entries = flatten(plain(data))
    series = {name: value for name, value in entries if isinstance(value, list)}
    length = max((len(value) for value in series.values()), default=0)
    step = -(-length // _MOST_ROWS) if length else 1
    rows = tuple(
        tuple(_text(value[i]) if i < len(value) else "" for value in series.values())
        for i in range(0, length, step)
    )
    remark = (
        f"Every {step}th of {length} rows is shown; the data file has all of them."
        if step > 1
        else ""
    )
    singles = tuple((name, _text(value)) for name, value in entries if name not in series)
    return DataTable(tuple(series), rows, singles, remark)


def _text(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return format_number(value)
    if isinstance(value, list):
        return " to ".join(_text(item) for item in value)
    return str(value)
