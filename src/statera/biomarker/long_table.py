"""Long tables: one row a sample and an analyte, columns named by the caller."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NoReturn

import numpy as np
from numpy.typing import NDArray

from statera.biomarker.cells import read_cells
from statera.biomarker.measurements import Measurements, Scale, listed
from statera.biomarker.read_text import read_text_table
from statera.biomarker.repeats import RULES
from statera.errors import InputError, Place, UnknownNameError, UsageError

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Duplicates", "LongRows", "measurements_of_rows", "read_frame", "read_long_table"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Duplicates = Literal["refuse", "mean", "leave-out"]


@dataclass(frozen=True)
class LongRows:
    """Rows of a long table, k of them.

    Attributes
    ----------
    values, lod
        (k,) float64, NaN where missing.
    below, above, flagged
        (k,) marks.
    """

    values: Floats
    lod: Floats
    below: Bools
    above: Bools
    flagged: Bools


def read_frame(path: str | Path) -> pl.DataFrame:
    """Return a parquet file with its types, or a text table with all columns as text.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    import polars as pl  # noqa: PLC0415  heavy: only when a table is read

    file = Path(path)
    if file.suffix.lower() != ".parquet":
        return read_text_table(file)
    try:
        return pl.read_parquet(file)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InputError(
            f"the parquet file cannot be read: {str(error).splitlines()[0]}",
            where=Place(str(file)),
        ) from error


def read_long_table(
    path: str | Path,
    *,
    sample: str = "sample",
    analyte: str = "analyte",
    value: str = "value",
    lod: str | None = None,
    scale: Scale = "linear",
    duplicates: Duplicates = "refuse",
    sample_columns: Sequence[str] = (),
    analyte_columns: Sequence[str] = (),
) -> Measurements:
    """Read a long table (text or parquet).

    Parameters
    ----------
    path
        The file.
    sample, analyte, value, lod
        Names of its columns. Values may be ``<x``, ``>x``, ``OOR <``, ``OOR >`` as well; a value
        under `lod` is marked, and ``<x`` sets the limit of its cell.
    scale
        Scale of the values.
    duplicates
        A sample and analyte that stands twice: ``refuse``, the ``mean`` of its values, or
        ``leave-out`` the sample.
    sample_columns, analyte_columns
        Columns that describe them, carried to their tables.

    Raises
    ------
    InputError
        If a column is absent, a cell is not understood, or a pair stands twice.
    """
    frame = read_frame(path)
    for name in (sample, analyte, value, lod, *sample_columns, *analyte_columns):
        if name is not None and name not in frame.columns:
            raise UnknownNameError("column", name, frame.columns, where=Place(str(path)))
    cells = read_cells(frame[value].to_list())
    limits = read_cells(frame[lod].to_list()) if lod else None
    for column, found in ((value, cells), (lod, limits)):
        if found is not None and found.bad:
            row, text = found.bad[0]
            raise InputError(
                f"'{text}' in column {column}, row {row + 1}, is not understood "
                f"({len(found.bad)} such cells)",
                where=Place(str(path)),
                hint="Numbers, <x, >x, OOR <, OOR > or empty.",
            )
    limit = np.where(np.isnan(cells.lower), limits.values, cells.lower) if limits else cells.lower
    with np.errstate(invalid="ignore"):
        below = cells.below | (cells.values < limit)
    rows = LongRows(cells.values, limit, below, cells.above, cells.extrapolated)
    return measurements_of_rows(
        frame, rows, sample, analyte, scale,
        duplicates=duplicates, sample_columns=sample_columns, analyte_columns=analyte_columns,
    )  # fmt: skip


def measurements_of_rows(
    frame: pl.DataFrame,
    rows: LongRows,
    sample: str,
    analyte: str,
    scale: Scale,
    *,
    duplicates: Duplicates = "refuse",
    sample_columns: Sequence[str] = (),
    analyte_columns: Sequence[str] = (),
    notes: tuple[str, ...] = (),
) -> Measurements:
    """Lay out the rows of a long table as samples by analytes, in order of first appearance.

    Raises
    ------
    InputError
        If a name is missing, or a pair stands twice and `duplicates` is ``refuse``.
    """
    import polars as pl  # noqa: PLC0415  heavy: only when a table is laid out

    if duplicates not in RULES:
        raise UsageError(
            f"'{duplicates}' is no rule for duplicates", hint=f"Use {', '.join(RULES)}."
        )
    tables, places, said = [], [], list(notes)
    for name, key, extra in (
        (sample, "sample", sample_columns),
        (analyte, "analyte", analyte_columns),
    ):
        column = frame[name].cast(pl.String)
        if column.is_null().any() or (column.str.strip_chars() == "").any():
            raise InputError(f"a row has no {key} in column {name}", hint="Name it, or remove it.")
        keyed = pl.DataFrame({key: column}).with_columns(
            *(frame[c] for c in extra if c in frame.columns and c != key)
        )
        table = keyed.unique(subset=[key], keep="first", maintain_order=True)
        mixed = [c for c in table.columns[1:] if keyed.select(key, c).n_unique() > table.height]
        if mixed:  # one value could not stand for all
            said.append(f"Columns that differ within a {key} were left out: {', '.join(mixed)}.")
            table = table.drop(mixed)
        order = table.select(key).with_row_index("_place")
        place = keyed.select(key).join(order, on=key, how="left", maintain_order="left")["_place"]
        tables.append(table)
        places.append(place.to_numpy().astype(np.intp))
    shape = tables[0].height, tables[1].height
    flat = places[0] * shape[1] + places[1]
    counts = np.bincount(flat, minlength=shape[0] * shape[1])
    samples, analytes = (table[table.columns[0]].to_list() for table in tables)
    if (counts > 1).any() and duplicates == "refuse":
        _refuse_pairs(np.flatnonzero(counts > 1), samples, analytes)
    if (counts > 1).any() and duplicates == "leave-out":
        twice = np.asarray((counts.reshape(shape) > 1).any(axis=1))
        left_out = _left_out([name for name, out in zip(samples, twice, strict=True) if out],
                             every=bool(twice.all()))  # fmt: skip
        keep = ~twice[places[0]]
        left = LongRows(*(getattr(rows, f.name)[keep] for f in fields(rows)))
        return measurements_of_rows(
            frame.filter(pl.Series(keep)), left, sample, analyte, scale,
            sample_columns=sample_columns, analyte_columns=analyte_columns,
            notes=(*notes, left_out),
        )  # fmt: skip
    below = _any(rows.below, flat, shape)
    if (counts > 1).any():
        # The mark belongs to the mean where it has all of its values.
        known = ~np.isnan(rows.values)
        gap = np.bincount(flat[~known], minlength=counts.size) > 0
        with np.errstate(invalid="ignore"):
            low = (_mean(rows.values, flat, shape) < _mean(rows.lod, flat, shape)).ravel()
        own = (counts > 1) & ~gap
        below = np.where(own, low, below.ravel()).reshape(shape)
        said.append(f"{int((counts > 1).sum())} pairs stood more than once; their mean is used.")
    return Measurements(
        _mean(rows.values, flat, shape), below,
        _mean(rows.lod, flat, shape), tables[0], tables[1], scale,
        _any(rows.above, flat, shape), _any(rows.flagged, flat, shape), tuple(said),
    )  # fmt: skip


def _refuse_pairs(
    cells: NDArray[np.intp], samples: Sequence[str], analytes: Sequence[str]
) -> NoReturn:
    """Refuse pairs that stand more than once, the first four named."""
    pairs = [f"{samples[c // len(analytes)]} / {analytes[c % len(analytes)]}" for c in cells[:4]]
    raise InputError(
        f"{cells.size} pairs of sample and analyte stand more than once: {', '.join(pairs)}"
        + (", ..." if cells.size > 4 else ""),
        hint="Name repeated samples apart, or take the mean of duplicates.",
    )


def _left_out(names: Sequence[str], *, every: bool) -> str:
    """Return the sentence on samples that are left out; refuse where none would be left."""
    if every:
        raise InputError(
            f"every sample has a pair that stands more than once: {listed(names)}",
            hint="Name repeated samples apart, or take the mean of duplicates.",
        )
    return f"{len(names)} samples stand more than once and were left out: {listed(names)}."


def _mean(values: Floats, flat: NDArray[np.intp], shape: tuple[int, int]) -> Floats:
    known = ~np.isnan(values)
    size = shape[0] * shape[1]
    total = np.bincount(flat[known], weights=values[known], minlength=size)
    count = np.bincount(flat[known], minlength=size)
    with np.errstate(invalid="ignore"):
        return np.asarray(total / np.where(count, count, np.nan)).reshape(shape)


def _any(marks: Bools, flat: NDArray[np.intp], shape: tuple[int, int]) -> Bools:
    found = np.zeros(shape[0] * shape[1], dtype=bool)
    found[flat[marks]] = True
    return found.reshape(shape)
