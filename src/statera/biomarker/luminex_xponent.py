"""Exports of Luminex's xPONENT: blocks of one kind of value each, one row a well.

A block begins with a row ``DataType:`` and its kind, goes on with a heading (Location, Sample, the
analytes, Total Events) and ends at an empty row. The block ``Result`` holds concentrations.
"""

from __future__ import annotations

import csv
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from statera.biomarker.immunoassay_table import immunoassay_measurements
from statera.biomarker.measurements import Measurements, listed
from statera.biomarker.read_text import read_lines
from statera.errors import InputError, Place

if TYPE_CHECKING:
    pass

__all__ = ["is_xponent", "read_xponent"]

_BLOCK = "datatype:"
_WANTED = "result"
_NO_ANALYTE = frozenset({"location", "sample", "total events"})
_CONTROL = re.compile(r"^(background|blank|standard|control)\s*\d*$", re.IGNORECASE)


def is_xponent(start: str) -> bool:
    """Return whether a file begins as an export of xPONENT, from its first characters."""
    first = next(csv.reader(start.splitlines()), [])
    return len(first) > 1 and first[0].strip() == "Program" and "xPONENT" in first[1]


def read_xponent(path: str | Path, *, replicates: bool = True) -> Measurements:
    """Read the concentrations of an export.

    Parameters
    ----------
    path
        The file.
    replicates
        Whether a sample in several wells is their mean; else it is refused.

    Returns
    -------
    Measurements
        On the linear scale, as of `statera.biomarker.immunoassay_table`; rows named Background,
        Blank, Standard or Control with a number are left out, with a note.

    Raises
    ------
    InputError
        If there is no block of results, a row is too short, or a cell is not understood.
    """
    import polars as pl  # noqa: PLC0415  heavy: only when a file is read

    heading, rows = _block(path)
    own = {name.strip().lower(): i for i, name in enumerate(heading)}
    if "sample" not in own:
        raise InputError("the block of results names no samples", where=Place(str(path)))
    names = [row[own["sample"]].strip() for row in rows]
    controls = [name for name in dict.fromkeys(names) if _CONTROL.match(name)]
    kept = [row for row, name in zip(rows, names, strict=True) if not _CONTROL.match(name)]
    if not kept:
        raise InputError("the block of results holds controls only", where=Place(str(path)))
    analytes = [i for i, name in enumerate(heading) if name.strip().lower() not in _NO_ANALYTE]
    table = pl.DataFrame(
        {
            "Sample": [row[own["sample"]].strip() for row in kept],
            **{heading[i].strip(): [row[i] for row in kept] for i in analytes},
        }
    )
    found = immunoassay_measurements(
        table, path, duplicates="mean" if replicates else "refuse"
    )  # fmt: skip
    notes = [note.replace("stand more than once", "stand in several wells") for note in found.notes]
    if controls:
        notes.append(f"Controls and standards were left out: {listed(controls)}.")
    return replace(found, notes=tuple(notes))


def _block(path: str | Path) -> tuple[list[str], list[list[str]]]:
    """Return heading and rows of the block of results."""
    kinds, heading, rows, inside = [], list[str](), list[list[str]](), False
    for number, row in enumerate(csv.reader(read_lines(path).splitlines()), start=1):
        filled = any(cell.strip() for cell in row)
        if filled and row[0].strip().lower() == _BLOCK:
            kinds.append(row[1].strip() if len(row) > 1 else "")
            inside = not heading and kinds[-1].lower() == _WANTED
        elif inside and not filled:
            inside = False
        elif inside and not heading:
            heading = row
        elif inside:
            if len(row) < len(heading):
                raise InputError(
                    f"{len(row)} cells where {len(heading)} belong", where=Place(str(path), number)
                )
            rows.append(row)
    if not rows:
        raise InputError(
            f"the export holds no concentrations (Result), only: {listed(kinds) or 'nothing'}",
            where=Place(str(path)),
            hint="Export results, or give a table of concentrations.",
        )
    return heading, rows
