"""SomaScan ADAT: blocks of headings, then a table of RFU with annotations on both sides.

RFU are on the linear scale. The file's blocks are ``^HEADER``, ``^COL_DATA`` (what is said of
analytes), ``^ROW_DATA`` (what is said of samples) and ``^TABLE_BEGIN``. In the table, rows on
analytes come first, indented by the columns on samples; a row names those columns; samples follow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from statera.biomarker.long_table import Duplicates
from statera.biomarker.measurements import Measurements, listed
from statera.biomarker.read_text import read_lines
from statera.biomarker.repeats import apart, settle_repeats
from statera.errors import InputError, Place

if TYPE_CHECKING:
    import polars as pl

__all__ = ["read_adat"]


@dataclass
class _Blocks:
    """Parts of the file, with the line that the table starts on."""

    header: dict[str, str] = field(default_factory=dict)
    about_analytes: tuple[str, ...] = ()
    about_samples: tuple[str, ...] = ()
    table: list[list[str]] = field(default_factory=list)
    start: int = 0


def read_adat(
    path: str | Path,
    *,
    sample: str = "SampleId",
    analyte: str = "SeqId",
    keep_controls: bool = False,
    duplicates: Duplicates = "refuse",
) -> Measurements:
    """Read an ADAT file.

    Parameters
    ----------
    path
        The file.
    sample, analyte
        Fields that name samples and analytes.
    keep_controls
        Keep buffers, calibrators and QC samples (SampleType is not Sample), and analytes that are
        no proteins (Type is not Protein); otherwise both leave, with a note.
    duplicates
        A sample named twice: ``refuse``, ``mean`` or ``leave-out``.

    Returns
    -------
    Measurements
        On the linear scale, without limits of detection, which the file does not hold. Samples
        whose RowCheck is not PASS are `flagged`. Fields of the heading are in the notes.

    Raises
    ------
    InputError
        With the line, if a block is absent, a row is too short, or a cell is not a number.
    """
    blocks = _split(read_lines(path).splitlines(), str(path))
    analytes, samples, cells = _tables(blocks, str(path))
    for wanted, table, kind in ((analyte, analytes, "analytes"), (sample, samples, "samples")):
        if wanted not in table:
            raise InputError(
                f"nothing called {wanted} is said of the {kind}",
                where=Place(str(path)),
                hint=f"There are: {', '.join(table)}.",
            )
    rows, columns, notes = _kept(samples, analytes, sample, keep_controls)
    values = np.array([[cells[i][j] for j in columns] for i in rows], dtype=np.float64)
    values = values.reshape(len(rows), len(columns))
    check = samples.get("RowCheck", ["PASS"] * len(cells))
    warned = np.array([check[i].upper() not in ("PASS", "") for i in rows], dtype=bool)
    flagged = np.repeat(warned[:, None], len(columns), axis=1)
    if warned.any():
        notes.append(f"{int(warned.sum())} samples do not pass RowCheck; they are flagged.")
    notes += [f"{k}: {v}" for k, v in blocks.header.items() if k in _SAID]
    none = np.zeros(values.shape, dtype=bool)
    named = [samples[sample][i] for i in rows]
    samples = {**samples, sample: samples[sample].copy()}
    for i, name in zip(rows, apart(named, duplicates), strict=True):
        samples[sample][i] = name
    found = Measurements(
        values, none, np.full(values.shape, np.nan),
        _table("sample", samples, sample, rows), _table("analyte", analytes, analyte, columns),
        "linear", none.copy(), flagged, tuple(notes),
    )  # fmt: skip
    return settle_repeats(found, named, duplicates)


def _table(key: str, fields: dict[str, list[str]], named: str, kept: list[int]) -> pl.DataFrame:
    import polars as pl  # noqa: PLC0415  heavy: only when a table is read

    names = {key: named, **{name: name for name in fields if name != key}}
    return pl.DataFrame({name: [fields[of][i] for i in kept] for name, of in names.items()})


_SAID = ("AssayVersion", "AssayType", "StudyMatrix", "ProcessSteps")


def _split(lines: Sequence[str], file: str) -> _Blocks:
    found = _Blocks()
    block = ""
    for number, line in enumerate(lines, start=1):
        if line.startswith("^") and block != "^TABLE_BEGIN":
            block = line.strip()
            found.start = number
        elif block == "^TABLE_BEGIN":
            if line.strip():
                found.table.append(line.split("\t"))
        elif line.startswith("!"):
            key, *rest = line[1:].split("\t")
            content = tuple(cell.strip() for cell in rest if cell.strip())
            name = key.strip().rstrip(":")
            if block == "^COL_DATA" and name == "Name":
                found.about_analytes = content
            elif block == "^ROW_DATA" and name == "Name":
                found.about_samples = content
            elif block == "^HEADER":
                found.header[name] = " ".join(content)
    for what, part in (
        ("^COL_DATA with !Name", found.about_analytes),
        ("^ROW_DATA with !Name", found.about_samples),
        ("^TABLE_BEGIN with rows", found.table),
    ):
        if not part:
            raise InputError(f"this is no complete ADAT file: no {what}", where=Place(file))
    return found


def _tables(
    blocks: _Blocks, file: str
) -> tuple[dict[str, list[str]], dict[str, list[str]], list[list[float]]]:
    """Return what is said of analytes, what is said of samples, and RFU by sample."""
    left, above = len(blocks.about_samples), len(blocks.about_analytes)
    analytes: dict[str, list[str]] = {}
    for number, row in enumerate(blocks.table[:above], start=blocks.start + 1):
        if len(row) <= left or any(cell.strip() for cell in row[:left]):
            raise InputError(
                f"a row on analytes is not indented by {left} columns", where=Place(file, number)
            )
        analytes[row[left].strip()] = [cell.strip() for cell in row[left + 1 :]]
    width = max(len(v) for v in analytes.values())
    analytes = {name: [*v, *[""] * (width - len(v))] for name, v in analytes.items()}
    if len(blocks.table) <= above + 1:
        raise InputError("the table holds no samples", where=Place(file))
    names = [cell.strip() for cell in blocks.table[above][:left]]
    samples: dict[str, list[str]] = {name: [] for name in names}
    rfu: list[list[float]] = []
    for number, row in enumerate(blocks.table[above + 1 :], start=blocks.start + above + 2):
        if len(row) < left + 1 + width:
            raise InputError(
                f"{len(row)} cells where {left + 1 + width} belong", where=Place(file, number)
            )
        for name, cell in zip(names, row, strict=False):
            samples[name].append(cell.strip())
        rfu.append([_number(c, file, number) for c in row[left + 1 : left + 1 + width]])
    return analytes, samples, rfu


def _number(cell: str, file: str, line: int) -> float:
    text = cell.strip()
    if text.lower() in ("", "na", "nan"):
        return float("nan")
    try:
        return float(text)
    except ValueError as error:
        raise InputError(f"'{text}' is not a number", where=Place(file, line)) from error


def _kept(
    samples: dict[str, list[str]], analytes: dict[str, list[str]], sample: str, keep_controls: bool
) -> tuple[list[int], list[int], list[str]]:
    """Return the samples and analytes to keep, and what is said of the others."""
    n, m = len(samples[sample]), len(next(iter(analytes.values())))
    rows, columns = list(range(n)), list(range(m))
    notes: list[str] = []
    if keep_controls:
        return rows, columns, notes
    if "SampleType" in samples:
        kinds = samples["SampleType"]
        rows = [i for i in rows if kinds[i] == "Sample"]
        others = sorted({kinds[i] for i in range(n)} - {"Sample"})
        if len(rows) < n:
            notes.append(f"{n - len(rows)} controls were left out ({listed(others)}).")
    if "Type" in analytes:
        columns = [j for j in columns if analytes["Type"][j] == "Protein"]
        if len(columns) < m:
            notes.append(f"{m - len(columns)} analytes that are no proteins were left out.")
    return rows, columns, notes
