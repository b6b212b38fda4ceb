"""Tables of a PEtab problem: cells as text, each with its place in the file."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from statera.errors import InputError, Place

__all__ = ["PetabTable", "check_id", "read_petab_table"]

_MISSING = frozenset({"", "nan", "na", "n/a", "null", "none"})
_ID = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


@dataclass(frozen=True)
class PetabTable:
    """A tab-separated table.

    Attributes
    ----------
    file
        Path of the file.
    names
        Names of the columns, in the order of the file.
    rows
        Cells without spaces around them, one tuple a row.
    lines
        Line of the file of each row, counted from 1.
    """

    file: str
    names: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.rows)

    def place(self, row: int, column: str = "") -> Place:
        """Return where a cell stands; the whole row where no column is named."""
        number = self.names.index(column) + 1 if column in self.names else None
        return Place(self.file, self.lines[row], number)

    def text(self, row: int, column: str) -> str:
        """Return a cell; empty where it is missing or the table has no such column."""
        if column not in self.names:
            return ""
        cell = self.rows[row][self.names.index(column)]
        return "" if cell.lower() in _MISSING else cell

    def required(self, row: int, column: str) -> str:
        """Return a cell that must not be empty."""
        cell = self.text(row, column)
        if not cell:
            raise self.error(row, column, "the cell is empty", "Fill it in.")
        return cell

    def number(self, row: int, column: str) -> float | None:
        """Return the number in a cell, None where it is missing; infinity is a number here."""
        cell = self.text(row, column)
        if not cell:
            return None
        value = to_number(cell)
        if value is None:
            raise self.error(
                row, column, f"'{cell}' is not a number", "Write a number with a decimal point."
            )
        return value

    def choice(self, row: int, column: str, allowed: Sequence[str]) -> str:
        """Return a cell that must be one of some words; the first where it is missing."""
        cell = self.text(row, column) or allowed[0]
        if cell not in allowed:
            raise self.error(
                row, column, f"'{cell}' is not known", f"Write one of {', '.join(allowed)}."
            )
        return cell

    def error(self, row: int, column: str, what: str, hint: str) -> InputError:
        """Return an error that names file, row, column and what to do."""
        return InputError(f"column {column}: {what}", where=self.place(row, column), hint=hint)

    def demand(self, columns: Sequence[str]) -> None:
        """Raise where a column is missing."""
        for name in columns:
            if name not in self.names:
                raise InputError(
                    f"the column {name} is missing",
                    where=Place(self.file, 1),
                    hint=f"Columns found: {', '.join(self.names)}. Names are case-sensitive.",
                )

    def unique(self, column: str) -> None:
        """Raise where an identifier stands twice."""
        first: dict[str, int] = {}
        for row in range(len(self)):
            name = self.text(row, column)
            if name in first:
                raise self.error(
                    row,
                    column,
                    f"'{name}' stands twice, first in line {self.lines[first[name]]}",
                    "Keep one of the rows or rename one.",
                )
            first[name] = row


def to_number(cell: str) -> float | None:
    """Return the number that a cell holds, also ``inf`` and ``-inf``; None where it holds none."""
    if cell.lower().lstrip("+-") in ("inf", "infinity"):
        return -math.inf if cell.startswith("-") else math.inf
    return float(cell) if _NUMBER.fullmatch(cell) else None


def check_id(table: PetabTable, row: int, column: str) -> str:
    """Return an identifier: letters, digits and underscores, not starting with a digit."""
    name = table.required(row, column)
    if not _ID.fullmatch(name):
        raise table.error(
            row,
            column,
            f"'{name}' is not an identifier",
            "Use letters, digits and underscores, and do not start with a digit.",
        )
    return name


def read_petab_table(path: Path) -> PetabTable:
    """Read a tab-separated table whose first line names the columns.

    Raises
    ------
    InputError
        If the file cannot be read, has no header, a column twice, or a row with too many cells.
        Cells left out at the end of a row are empty.
    """
    text = _read_text(path)
    reader = csv.reader(text.splitlines(), delimiter="\t")
    names: tuple[str, ...] = ()
    rows: list[tuple[str, ...]] = []
    lines: list[int] = []
    for cells in reader:
        row = tuple(cell.strip() for cell in cells)
        if not any(row):
            continue
        if not names:
            names = _header(row, Place(str(path), reader.line_num))
            continue
        if len(row) > len(names) and any(row[len(names) :]):
            raise InputError(
                f"the row has {len(row)} cells, the header {len(names)} names",
                where=Place(str(path), reader.line_num),
                hint="Separate cells by one tab each.",
            )
        rows.append((row + ("",) * len(names))[: len(names)])
        lines.append(reader.line_num)
    if not names:
        raise InputError("the table is empty", where=str(path), hint="Write a line of names first.")
    return PetabTable(str(path), names, tuple(rows), tuple(lines))


def _header(row: tuple[str, ...], place: Place) -> tuple[str, ...]:
    while row and not row[-1]:
        row = row[:-1]
    if "" in row:
        raise InputError(
            f"column {row.index('') + 1} has no name", where=place, hint="Name every column."
        )
    twice = next((c for i, c in enumerate(row) if c in row[:i]), None)
    if twice is not None:
        raise InputError(
            f"the column {twice} stands twice", where=place, hint="Keep one of the two."
        )
    return row


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(
            f"cannot open the table: {error.strerror or 'it cannot be read'}",
            where=str(path),
            hint="Check the file names in the problem's YAML file.",
        ) from None
    except UnicodeDecodeError:
        raise InputError(
            "the table is not UTF-8 text", where=str(path), hint="Save it as UTF-8."
        ) from None
