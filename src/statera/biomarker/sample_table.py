"""What is known of samples (subject, visit, treatment): read and joined to measurements."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from statera.biomarker.design import Factor
from statera.biomarker.long_table import read_frame
from statera.biomarker.measurements import Measurements, listed, repeated, take
from statera.errors import InputError, Place, UnknownNameError

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "SampleColumns",
    "join_samples",
    "join_subjects",
    "read_sample_rows",
    "read_samples",
    "read_subjects",
    "sample_columns",
]

_SAMPLE = ("sample", "sampleid", "sample_id")
_EMPTY = frozenset({"", "na", "nan", "null"})


@dataclass(frozen=True)
class SampleColumns:
    """Columns of the samples that an analysis uses, complete in every sample.

    Attributes
    ----------
    measurements : Measurements
        Of the samples that are left, n of them.
    columns
        Numbers (n,) or factors by name.
    subject : tuple of str
        Of each sample; empty where no column was named.
    notes
        Samples left out, and columns taken as numbers.
    """

    measurements: Measurements
    columns: Mapping[str, NDArray[np.float64] | Factor]
    subject: tuple[str, ...]
    notes: tuple[str, ...]


def read_samples(path: str | Path) -> pl.DataFrame:
    """Return a table with the column ``sample`` first; one that stands twice is refused.

    Raises as `read_sample_rows`.
    """
    return read_sample_rows(path)[0]


def read_sample_rows(
    path: str | Path, duplicates: str = "refuse"
) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Return a table with the column ``sample`` first, each sample once, and what was left out.

    Rows of a sample that say the same are one. Where they differ the table is refused, or with
    ``leave-out`` (or ``mean``, as words have none) the sample is left out by name.

    Raises
    ------
    InputError
        If no column is called sample or SampleID, a name is empty, or a sample stands twice.
    """
    import polars as pl  # noqa: PLC0415  heavy: only when a table is read

    frame = read_frame(path)
    own = [name for name in frame.columns if name.strip().lower() in _SAMPLE]
    place = Place(str(path))
    if len(own) != 1:
        said = f"{len(own)} columns name" if own else "no column names"
        raise InputError(
            f"{said} the samples", where=place, hint="Call one column sample or SampleID."
        )
    frame = frame.rename({own[0]: "sample"}).select(
        pl.col("sample").cast(pl.String), pl.exclude("sample")
    )
    return _once(frame, "sample", "samples", place, duplicates)


def read_subjects(
    path: str | Path, subject: str, duplicates: str = "refuse"
) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Return a table with a row a subject, as of exposures, and what was left out.

    Raises
    ------
    UnknownNameError
        If there is no column `subject`.
    InputError
        If a name is empty or a subject stands twice.
    """
    import polars as pl  # noqa: PLC0415  heavy: only when a table is read

    frame = read_frame(path)
    place = Place(str(path))
    if subject not in frame.columns:
        raise UnknownNameError("column", subject, frame.columns, where=place)
    frame = frame.select(pl.col(subject).cast(pl.String), pl.exclude(subject))
    return _once(frame, subject, "subjects", place, duplicates)


def _once(
    frame: pl.DataFrame, column: str, kind: str, place: Place, duplicates: str
) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Return the rows of a table whose column `column` names each of them once."""
    import polars as pl  # noqa: PLC0415  heavy: only when a table is read

    frame = frame.with_columns(pl.col(column).fill_null("").str.strip_chars())
    names = frame[column].to_list()
    if "" in names:
        raise InputError(f"row {names.index('') + 1} names no {kind[:-1]}", where=place)
    once = frame.unique(maintain_order=True)
    notes = []
    if once.height < frame.height:
        notes.append(f"{frame.height - once.height} rows say what another row of their "
                     f"{kind[:-1]} says.")  # fmt: skip
    twice = repeated(once[column].to_list())
    if twice and duplicates == "refuse":
        raise InputError(
            f"{len(twice)} {kind} stand more than once: {listed(twice)}",
            where=place,
            hint=f"Give each of the {kind} one row.",
        )
    if twice:
        notes.append(
            f"{len(twice)} {kind} stand more than once with different rows and were left out: "
            f"{listed(twice)}."
        )
        once = once.filter(~pl.col(column).is_in(twice))
    return once, tuple(notes)


def join_subjects(measurements: Measurements, table: pl.DataFrame, subject: str) -> Measurements:
    """Return the samples with the columns of their subjects added, as exposures.

    A subject that the table lacks has empty cells; a column that the samples have too is taken
    from the table.

    Raises
    ------
    UnknownNameError
        If the samples have no column `subject`.
    """
    import polars as pl  # noqa: PLC0415  heavy: only when tables are joined

    samples = measurements.samples
    if subject not in samples.columns:
        raise UnknownNameError("column", subject, samples.columns, where="--subject")
    own = samples.with_columns(pl.col(subject).cast(pl.String).str.strip_chars())
    both = [name for name in table.columns if name in own.columns and name != subject]
    joined = own.drop(both).join(table, on=subject, how="left", maintain_order="left")
    people = dict.fromkeys(str(name) for name in own[subject].drop_nulls().to_list())
    known = set(table[subject].to_list())
    absent = [name for name in people if name not in known]
    notes = []
    if absent:
        notes.append(f"{len(absent)} subjects are not in the table of subjects: {listed(absent)}.")
    if both:
        notes.append(f"Columns in both files were taken from the table: {', '.join(both)}.")
    return replace(measurements, samples=joined, notes=(*measurements.notes, *notes))


def join_samples(measurements: Measurements, table: pl.DataFrame) -> Measurements:
    """Return the samples that `table` describes, with its columns; the others are noted by name.

    A column that the measurements carry too is taken from the table.

    Raises
    ------
    InputError
        If no sample is in both.
    """
    known = {name: row for row, name in enumerate(table["sample"].to_list())}
    ids = measurements.sample_ids
    keep = np.array([name in known for name in ids], dtype=bool)
    if not keep.any():
        raise InputError(
            "no sample of the measurements is in the table of samples",
            where="samples",
            hint=f"Measured: {listed(ids, 3)}. In the table: {listed(list(known), 3)}.",
        )
    notes = []
    lost = [name for name in ids if name not in known]
    if lost:
        notes.append(
            f"{len(lost)} measured samples are not in the table of samples and were left out: "
            f"{listed(lost)}."
        )
    unmeasured = [name for name in known if name not in set(ids)]
    if unmeasured:
        notes.append(
            f"{len(unmeasured)} samples of the table have no measurement: {listed(unmeasured)}."
        )
    kept = take(measurements, samples=keep)
    rows = table[[known[name] for name in kept.sample_ids]].drop("sample")
    both = [name for name in rows.columns if name in kept.samples.columns]
    if both:
        notes.append(f"Columns in both files were taken from the table: {', '.join(both)}.")
    samples = kept.samples.drop(both).hstack(rows) if rows.width else kept.samples
    return replace(kept, samples=samples, notes=(*kept.notes, *notes))


def sample_columns(
    measurements: Measurements,
    names: Sequence[str],
    subject: str | None,
    factors: Mapping[str, tuple[str, ...]],
) -> SampleColumns:
    """Return columns as numbers or factors; samples that lack one are left out, by name.

    Parameters
    ----------
    names
        Columns of the formula.
    subject
        Column of subjects.
    factors
        Columns that are factors even where all cells are numbers, with their levels in order
        (baseline first); without levels they are sorted.

    Raises
    ------
    UnknownNameError
        If there is no such column, or a cell is none of the levels given.
    InputError
        If no sample is complete.
    """
    table = measurements.samples
    wanted = list(dict.fromkeys([*names, *([subject] if subject else [])]))
    for name in (*wanted, *factors):
        if name not in table.columns:
            raise UnknownNameError("column", name, table.columns)
    cells = {name: [_text(x) for x in table[name].to_list()] for name in wanted}
    gaps = {name: [not text for text in column] for name, column in cells.items()}
    missing = np.array(list(gaps.values()), dtype=bool).reshape(len(gaps), -1)
    keep: NDArray[np.bool_] = np.asarray(~missing.any(axis=0), dtype=bool)
    notes = []
    if not keep.all():
        lost = [n for n, kept in zip(measurements.sample_ids, keep, strict=True) if not kept]
        lacking = [name for name, gap in gaps.items() if any(gap)]
        notes.append(
            f"{len(lost)} samples lack a value of {', '.join(lacking)} and were left out: "
            f"{listed(lost)}."
        )
    if not keep.any():
        raise InputError("no sample has all the columns of the formula", where="samples")
    kept = take(measurements, samples=keep)
    columns: dict[str, NDArray[np.float64] | Factor] = {}
    for name in dict.fromkeys(names):
        texts = [text for text, good in zip(cells[name], keep, strict=True) if good]
        numbers = _numbers(texts)
        if name in factors:
            columns[name] = Factor.of(texts, factors[name] or _sorted(texts))
        elif numbers is None:
            columns[name] = Factor.of(texts)
        else:
            columns[name] = numbers
            notes.append(f"{name} holds numbers and has one slope; as a factor it has levels.")
    people = (
        tuple(text for text, good in zip(cells[subject], keep, strict=True) if good)
        if subject
        else ()
    )
    return SampleColumns(kept, columns, people, tuple(notes))


def _text(cell: Any) -> str:
    text = "" if cell is None else str(cell).strip()
    return "" if text.lower() in _EMPTY else text


def _numbers(texts: Sequence[str]) -> NDArray[np.float64] | None:
    try:
        found = np.array([float(text) for text in texts])
    except ValueError:
        return None
    return found if np.isfinite(found).all() else None


def _sorted(texts: Sequence[str]) -> tuple[str, ...]:
    levels = sorted(set(texts))
    return tuple(sorted(levels, key=float if _numbers(levels) is not None else _natural))


def _natural(text: str) -> tuple[tuple[int, float, str], ...]:
    """Return a key by which w4 comes before w12: digits count as numbers."""
    parts = re.split(r"(\d+)", text)
    return tuple((0, float(p), "") if p.isdigit() else (1, 0.0, p) for p in parts if p)
