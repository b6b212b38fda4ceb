"""Clinical indices of the rows of a table: one row that cannot be used does not stop the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from statera.biomarker.index_catalogue import Index, IndexOptions, index_called
from statera.biomarker.read_text import read_text_table
from statera.biomarker.value_ranges import ValueRange
from statera.errors import InputError

__all__ = ["MISSING_CELLS", "IndexTable", "index_of_table", "read_index_table"]

Floats = NDArray[np.float64]

#: Cells, in lower case, that stand for a value not measured.
MISSING_CELLS = frozenset({"", "na", "n/a", "nan", "nd", "none", "null", ".", "-"})


@dataclass(frozen=True)
class IndexTable:
    """An index of n rows.

    Attributes
    ----------
    index
        Name of the index.
    title
        In words.
    results
        By name: (n,) float64 with NaN, or text that is empty where there is no result. Responses
        are 1, 0 or NaN.
    status
        (n,) ``ok``, ``missing: ...`` or ``refused: ...`` with the reason.
    columns
        Column of the table that each entry was taken from.
    notes
        How the table was read, as sentences.
    """

    index: str
    title: str
    results: Mapping[str, NDArray[Any]]
    status: tuple[str, ...]
    columns: Mapping[str, str]
    notes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.status)


def read_index_table(path: str | Path) -> dict[str, list[str]]:
    """Return the columns of a CSV file as text, by name.

    Raises
    ------
    InputError
        If the file cannot be read as a table or two columns have one name.
    """
    frame = read_text_table(path)
    return {name: frame[name].to_list() for name in frame.columns}


def index_of_table(
    table: Any,
    index: str,
    columns: Mapping[str, str] | None = None,
    options: IndexOptions | None = None,
) -> IndexTable:
    """Return an index for every row of a table.

    Parameters
    ----------
    table
        A data frame (polars, pandas) or columns by name. Numbers, or text that is a number; empty
        cells, NaN and words such as NA are missing.
    index
        Such as ``das28-crp``; see `INDICES`. Responses take two columns an entry: ``tjc_baseline``
        and ``tjc``.
    columns
        Names in the table, by entry, where they differ; capitals do not matter.
    options
        Named variants.

    Raises
    ------
    InputError
        If the index is unknown, or a column is absent. Values that are impossible are refused in
        their row's status.
    """
    chosen = options if options is not None else IndexOptions()
    wanted = index_called(index)
    ranges = wanted.ranges(chosen)
    found, notes = _find_columns(table, wanted, ranges, columns or {}, chosen)
    values: dict[str, Floats] = {}
    reasons: dict[int, list[str]] = {}
    for entry, name in found.items():
        values[entry], refused = _numbers(table[name], name)
        bad = ranges[entry].bad(values[entry])
        for row in np.flatnonzero(bad).tolist():
            refused[row] = (
                f"{ranges[entry].name} {values[entry][row]:g} is not possible "
                f"(allowed: {ranges[entry]})"
            )
        values[entry] = np.where(bad, np.nan, values[entry])
        for row, reason in refused.items():
            reasons.setdefault(row, []).append(reason)
    if len({v.size for v in values.values()}) > 1:
        raise InputError("the columns of the table have different lengths")
    results = wanted.compute(values, chosen)
    refused_rows = np.array(sorted(reasons), dtype=np.intp)
    count = next(iter(values.values())).size
    results = {n: _blank(np.broadcast_to(r, (count,)), refused_rows) for n, r in results.items()}
    status = tuple(_status(row, values, reasons, wanted, found) for row in range(count))
    return IndexTable(wanted.name, wanted.title, results, status, found, tuple(notes))


def _find_columns(
    table: Any,
    index: Index,
    ranges: Mapping[str, ValueRange],
    renamed: Mapping[str, str],
    options: IndexOptions,
) -> tuple[dict[str, str], list[str]]:
    names = [str(n) for n in (table.columns if hasattr(table, "columns") else table)]
    by_lower: dict[str, list[str]] = {}
    for name in names:
        by_lower.setdefault(_plain(name), []).append(name)
    unknown = [entry for entry in renamed if entry not in ranges]
    if unknown:
        raise InputError(
            f"{index.title} has no entry '{unknown[0]}'", hint=f"Entries: {', '.join(ranges)}."
        )
    found, absent, notes = {}, [], []
    for entry in ranges:
        asked = renamed.get(entry, entry)
        same = [asked] if asked in names else by_lower.get(_plain(asked), [])
        if len(same) > 1:
            raise InputError(
                f"the columns {' and '.join(same)} differ only in how they are written",
                hint=f"Say which is {entry}: {entry}=NAME.",
            )
        if same:
            found[entry] = same[0]
        elif entry in renamed or entry not in index.optional:
            absent.append(asked)
        else:
            notes.append(f"There is no column {entry}; its usual value was taken.")
    if index.name == "sledai-2k" and options.absent_as_zero and found:
        assumed = [entry for entry in absent if entry not in renamed.values()]
        absent = [entry for entry in absent if entry in renamed.values()]
        if assumed:
            notes.append(f"Items without a column count as not present: {', '.join(assumed)}.")
    if absent:
        raise InputError(
            f"{index.title} needs columns that the table lacks: {', '.join(absent)}",
            hint="Name yours with entry=column, or add them, empty where nothing was measured.",
        )
    return found, notes


def _plain(name: str) -> str:
    return name.strip().lower().replace(" ", "_").replace("-", "_")


def _numbers(column: Any, name: str) -> tuple[Floats, dict[int, str]]:
    """Return the column as float64 and the reasons why rows of it are refused."""
    cells = column.to_list() if hasattr(column, "to_list") else list(column)
    values = np.full(len(cells), np.nan)
    refused = {}
    for row, cell in enumerate(cells):
        if cell is None or str(cell).strip().lower() in MISSING_CELLS:
            continue
        try:
            values[row] = float(cell)
        except (TypeError, ValueError):
            refused[row] = f"'{cell}' in column {name} is not a number"
    return values, refused


def _blank(result: NDArray[Any], rows: NDArray[np.intp]) -> NDArray[Any]:
    blank = np.array(result)
    blank[rows] = "" if blank.dtype.kind == "U" else np.nan
    return blank


def _status(
    row: int,
    values: Mapping[str, Floats],
    reasons: Mapping[int, list[str]],
    index: Index,
    found: Mapping[str, str],
) -> str:
    if row in reasons:
        return "refused: " + "; ".join(reasons[row])
    missing = [found[e] for e, v in values.items() if np.isnan(v[row]) and e != "failed"]
    if not missing:
        return "ok"
    rule = " (decided by the rule for missing components)" if index.responder else ""
    return f"missing: {', '.join(missing)}{rule}"
