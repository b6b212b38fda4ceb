"""Olink NPX in the long format of Target and Explore, CSV or parquet. NPX and LOD are log2."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from statera.biomarker.long_table import Duplicates, LongRows, measurements_of_rows, read_frame
from statera.biomarker.measurements import Measurements, listed
from statera.errors import InputError, UsageError

if TYPE_CHECKING:
    import polars as pl

__all__ = ["NpxOptions", "measurements_of_npx", "read_npx"]

Floats = NDArray[np.float64]

_NEEDED = ("SampleID", "OlinkID", "NPX")
_ANALYTE = ("UniProt", "Assay", "Panel", "Panel_Lot_Nr", "MissingFreq", "Normalization")
# Columns of a row's measurement; all others describe the sample.
_MEASURED = frozenset({
    "SampleID", "OlinkID", "NPX", "LOD", "Index", "Count", "ExtNPX", "PCNormalizedNPX",
    "QC_Warning", "Assay_Warning", "SampleQC", "AssayQC", "PlateLOD", "MaxLOD", "AssayType",
    "Panel_Version", "PlateID", "WellID", "Block", *_ANALYTE,
})  # fmt: skip


@dataclass(frozen=True)
class NpxOptions:
    """How NPX is read.

    Attributes
    ----------
    quality
        ``keep`` values that quality control warned of (marked in `flagged`), or ``remove-failed``
        (QC says FAIL), or ``remove-warned`` (warned or failed).
    duplicates
        A sample and assay that stands twice: ``refuse``, ``mean`` or ``leave-out``.
    control_words
        Without a column SampleType, samples whose names hold one of these words, in any case, are
        controls.
    lod_column
        Column of the limit of detection.
    """

    quality: Literal["keep", "remove-failed", "remove-warned"] = "keep"
    duplicates: Duplicates = "refuse"
    control_words: tuple[str, ...] = ("control",)
    lod_column: str = "LOD"


def read_npx(path: str | Path, options: NpxOptions | None = None) -> Measurements:
    """Read NPX from a file; see `measurements_of_npx`.

    Raises
    ------
    InputError
        If it cannot be read or is not in the long NPX format.
    """
    return measurements_of_npx(read_frame(path), options)


def measurements_of_npx(frame: pl.DataFrame, options: NpxOptions | None = None) -> Measurements:
    """Return the measurements of a long NPX table: controls leave, QC and LOD become marks.

    Raises
    ------
    InputError
        If a column is absent, a number cannot be read, or a sample and assay stands twice.
    """
    import polars as pl  # noqa: PLC0415  heavy: only when a table is read

    chosen = options if options is not None else NpxOptions()
    if chosen.quality not in ("keep", "remove-failed", "remove-warned"):
        raise UsageError(
            f"'{chosen.quality}' is no rule of quality",
            hint="Use keep, remove-failed or remove-warned.",
        )
    absent = [name for name in _NEEDED if name not in frame.columns]
    if absent:
        raise InputError(
            f"this is no long NPX table: no column {', '.join(absent)}",
            hint="Export NPX in the long format, one row a sample and assay.",
        )
    control = is_control(frame, chosen.control_words)
    kept = frame.filter(pl.Series(~control))
    if not kept.height:
        raise InputError("all rows are controls", hint="Look at SampleType and AssayType.")
    gone = set(frame["SampleID"].to_list()) - set(kept["SampleID"].to_list())
    notes = []
    if control.any():
        named = f" (samples {listed(sorted(map(str, gone)))})" if gone else ""
        notes.append(f"{int(control.sum())} rows of controls were left out{named}.")
    values = numbers(kept, "NPX")
    has_lod = chosen.lod_column in kept.columns
    lod = numbers(kept, chosen.lod_column) if has_lod else np.full(values.size, np.nan)
    if not has_lod:
        notes.append(f"There is no column {chosen.lod_column}: no limit of detection is known.")
    warned, failed = _quality(kept)
    remove = {"keep": np.zeros_like(failed), "remove-failed": failed, "remove-warned": warned}
    out = remove[chosen.quality]
    if out.any():
        notes.append(f"{int(out.sum())} values were removed by quality control.")
    values = np.where(out, np.nan, values)
    with np.errstate(invalid="ignore"):
        below = values < lod
    rows = LongRows(values, lod, below, np.zeros_like(below), warned)
    return measurements_of_rows(
        kept, rows, "SampleID", "OlinkID", "log2",
        duplicates=chosen.duplicates, analyte_columns=_ANALYTE,
        sample_columns=[c for c in kept.columns if c not in _MEASURED], notes=tuple(notes),
    )  # fmt: skip


def is_control(frame: pl.DataFrame, words: tuple[str, ...] = ("control",)) -> NDArray[np.bool_]:
    """Return which rows belong to control samples or to control assays."""
    import polars as pl  # noqa: PLC0415  heavy: only when a table is read

    found = np.zeros(frame.height, dtype=bool)
    if "SampleType" in frame.columns:
        kind = frame["SampleType"].cast(pl.String).fill_null("SAMPLE").str.to_uppercase()
        found |= (~kind.is_in(["SAMPLE", ""])).to_numpy()
    elif words:
        name = frame["SampleID"].cast(pl.String).fill_null("").str.to_lowercase()
        for word in words:
            found |= name.str.contains(word.lower(), literal=True).to_numpy()
    if "AssayType" in frame.columns:
        kind = frame["AssayType"].cast(pl.String).fill_null("assay").str.to_lowercase()
        found |= (~kind.is_in(["assay", ""])).to_numpy()
    return found


def numbers(frame: pl.DataFrame, column: str) -> Floats:
    """Return a column as float64; empty cells and NA as NaN.

    Raises
    ------
    InputError
        Naming the first cell that is not a number.
    """
    import polars as pl  # noqa: PLC0415  heavy: only when a table is read

    cells = frame[column]
    if cells.dtype.is_numeric():
        return np.array(cells.cast(pl.Float64).fill_null(float("nan")).to_numpy())
    text = cells.cast(pl.String).str.strip_chars()
    empty = text.is_null() | text.str.to_lowercase().is_in(["", "na", "nan", "null"])
    found = text.cast(pl.Float64, strict=False)
    bad = (found.is_null() & ~empty).to_numpy()
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise InputError(
            f"'{text[row]}' in column {column}, row {row + 1}, is not a number",
            hint="Numbers, or NA where there is none.",
        )
    return np.array(found.fill_null(float("nan")).to_numpy())


def _quality(frame: pl.DataFrame) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which rows are warned of (or worse), and which failed."""
    import polars as pl  # noqa: PLC0415  heavy: only when a table is read

    warned, failed = np.zeros((2, frame.height), dtype=bool)
    for column in ("QC_Warning", "Assay_Warning", "SampleQC", "AssayQC"):
        if column not in frame.columns:
            continue
        word = frame[column].cast(pl.String).fill_null("").str.strip_chars().str.to_uppercase()
        failed |= word.is_in(["FAIL", "FAILED"]).to_numpy()
        warned |= word.is_in(["WARN", "WARNING", "FAIL", "FAILED"]).to_numpy()
    return warned, failed
