"""A table as it was given, cell by cell with its place: from a CSV file or a data frame."""

from __future__ import annotations

import csv
import gzip
import math
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from statera.errors import InputError, Place

__all__ = ["RawTable", "cell_text", "read_number", "read_numbers", "read_table"]

_MOST_BYTES = 1_000_000_000
_MISSING = ("", ".")
_MISSING_OBJECTS = ("", ".", "<NA>", "NaT")  # what frames print for objects that stand for nothing


@dataclass(frozen=True)
class RawTable:
    """Cells as text.

    Attributes
    ----------
    columns
        Cells by column name, one a record; empty text where missing.
    lines
        Line of the file, or row of the frame counted from 1, of each record.
    comments
        Lines left out because they are marked as comments.
    file
        Name of the file; ``table`` for a frame.
    notes
        What a reader should know of how the lines were cut.
    """

    columns: Mapping[str, Sequence[str]]
    lines: tuple[int, ...]
    comments: tuple[int, ...]
    file: str
    notes: tuple[str, ...] = ()

    def place(self, record: int) -> Place:
        """Return where a record stands."""
        return Place(self.file, self.lines[record])


def cell_text(value: Any) -> str:
    """Return a cell as text without spaces around it; empty where it is missing.

    Missing are a single point, None, not-a-number, and an empty cell.
    """
    if isinstance(value, str):
        text = value.strip()
        return "" if text in _MISSING else text
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, bool):
        return str(int(value))
    text = str(value).strip()
    return "" if text in _MISSING_OBJECTS else text


def read_number(text: str) -> float | None:
    """Return the number that a cell holds, or None where it holds something else.

    Fortran's exponent (``1.0D+02``) is read; names of infinity and underscores are not numbers.
    """
    if not text or "_" in text or text[-1].isalpha():
        return None
    try:
        return float(text)
    except ValueError:
        pass
    try:
        return float(text.replace("D", "E").replace("d", "e"))
    except ValueError:
        return None


def read_numbers(cells: Sequence[str], missing: float) -> NDArray[np.float64] | None:
    """Return a column of numbers, or None where a cell holds something else.

    The quick way for whole columns; `read_number` says of one cell what it holds.
    """
    try:
        found = np.array([float(c) if c else missing for c in cells], dtype=np.float64)
    except ValueError:
        return None
    allowed = cells.count("") if np.isnan(missing) else 0
    odd = int((~np.isfinite(found)).sum()) > allowed or "_" in "".join(cells)
    return None if odd else found


def read_table(source: Any, comment: str = "#", names: Sequence[str] | None = None) -> RawTable:
    """Return the cells of a file or a frame.

    Parameters
    ----------
    source
        Path of a text file with a header line, separated by commas, semicolons, tabs or spaces,
        which may be compressed (``.gz``); or a frame with ``columns`` (polars, pandas); or
        sequences by column name.
    comment
        Characters that mark a line of the file as a comment where it starts with one; ``@``
        stands for all letters and itself, and spares the header line.
    names
        Names of the columns of a file without a header line, from the left; an empty one leaves
        a column out.

    Raises
    ------
    InputError
        If it cannot be read, has no header, a name twice, or a line with too few or many cells.
    """
    if isinstance(source, str | Path):
        return _read_file(Path(source), comment, names)
    if names is not None:
        raise InputError("column names are given for files only; a table has its own")
    if isinstance(source, Mapping):
        return _from_sequences({str(k): v for k, v in source.items()})
    names = getattr(source, "columns", None)
    if names is None:
        raise InputError(
            f"cannot read events from {type(source).__name__}",
            hint="Give the path of a CSV file, a data frame, or sequences by column name.",
        )
    listed = list(names)
    if len({str(c) for c in listed}) != len(listed):
        raise InputError("the table has a column name twice", where="table")
    return _from_sequences({str(c): source[c] for c in listed})


def _from_sequences(source: Mapping[str, Iterable[Any]]) -> RawTable:
    columns = {name.strip(): [cell_text(v) for v in values] for name, values in source.items()}
    lengths = {name: len(values) for name, values in columns.items()}
    if len(set(lengths.values())) > 1:
        raise InputError(f"the columns differ in length: {lengths}", where="table")
    n = next(iter(lengths.values()), 0)
    return RawTable(columns, tuple(range(1, n + 1)), (), "table")


def _split(line: str, delimiter: str | None, place: Place) -> list[str]:
    if delimiter is None:
        return line.split()
    if '"' not in line:
        return line.split(delimiter)
    try:
        return next(csv.reader([line], delimiter=delimiter))
    except csv.Error as error:
        raise InputError(
            f"the line cannot be split into cells: {error}",
            where=place,
            hint="A double quote that is not closed joins everything after it.",
        ) from error


def _read_text(path: Path) -> str:
    try:
        data = path.read_bytes()
        if data[:2] == b"\x1f\x8b":
            data = _unpacked(path)
        return data.decode("utf-8-sig")
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise InputError("the compressed file is damaged", where=str(path)) from None
    except OSError as error:
        reason = error.strerror or "it cannot be read"
        raise InputError(f"cannot open the file: {reason}", where=str(path)) from None
    except UnicodeDecodeError:
        raise InputError("the file is not UTF-8 text", where=str(path)) from None


def _unpacked(path: Path) -> bytes:
    """Return what a compressed file holds, and no more of it than a table can be."""
    with gzip.open(path) as stream:
        data = stream.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise InputError(
            f"the compressed file unpacks to more than {_MOST_BYTES // 10**6:,} MB",
            where=str(path),
            hint="Unpack it and leave out what is not needed.",
        )
    return data


def _read_file(path: Path, comment: str, names: Sequence[str] | None) -> RawTable:
    header: list[str] | None = None if names is None else [name.strip() for name in names]
    delimiter: str | None = None
    split_by = None if header is None else header  # the first line decides the delimiter
    cells: list[list[str]] = []
    lines: list[int] = []
    comments: list[int] = []
    longer = 0
    if header is not None:
        _check_header([name or f"column {i}" for i, name in enumerate(header)], Place(str(path)))
    for number, line in enumerate(_read_text(path).splitlines(), start=1):
        start = line.lstrip()[:1]
        if not start:
            continue
        letter = "@" in comment and (start == "@" or start.isalpha()) and header is not None
        if start in comment or letter:
            comments.append(number)
            continue
        if header is None or split_by is not None:
            delimiter, split_by = next((d for d in ",;\t" if d in line), None), None
        if header is None:
            header = [name.strip() for name in _split(line, delimiter, Place(str(path), number))]
            _check_header(header, Place(str(path), number))
            continue
        row = _split(line, delimiter, Place(str(path), number))
        if len(row) < len(header) or (names is None and len(row) > len(header)):
            raise InputError(
                f"the line has {len(row)} values, the header {len(header)} names",
                where=Place(str(path), number),
            )
        longer += len(row) > len(header)
        cells.append(row)
        lines.append(number)
    if header is None:
        raise InputError("the file is empty", where=str(path))
    columns = {name: [cell_text(row[i]) for row in cells] for i, name in enumerate(header) if name}
    notes = (f"{longer} lines have more values than there are names",) if longer else ()
    return RawTable(columns, tuple(lines), tuple(comments), str(path), notes)


def _check_header(header: Sequence[str], place: Place) -> None:
    if "" in header:
        raise InputError(f"column {header.index('') + 1} has no name", where=place)
    if all(read_number(name) is not None or name in _MISSING for name in header):
        raise InputError(
            "the first line holds numbers: a line with column names is needed", where=place
        )
    twice = next((name for name, count in Counter(header).items() if count > 1), None)
    if twice is not None:
        raise InputError(
            f"the column name '{twice}' stands twice",
            where=place,
            hint="The first line that is not a comment must hold the names of the columns.",
        )
