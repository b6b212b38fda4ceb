"""A user's own potency table, read from CSV with every mistake placed by line and column."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from statera.engagement.potency import Potency
from statera.engagement.stated import (
    MATRICES,
    Matrix,
    Stated,
    matrix_of,
    parse_relation,
    parse_stated,
    standard_unit,
)
from statera.errors import InputError, Place, StateraError, UnknownNameError
from statera.sources.fact import Relation

__all__ = ["COLUMNS", "MAX_BYTES", "read_potency_csv"]

#: Columns a table may have. ``cytokine`` and ``stimulus`` are one column under two names.
COLUMNS = (
    "drug",
    "cytokine",
    "stimulus",
    "target",
    "readout",
    "assay",
    "matrix",
    "relation",
    "value",
    "unit",
    "hill",
    "source",
    "label",
    "note",
)
#: Larger files are refused: a potency table has tens of rows.
MAX_BYTES = 2_000_000


@dataclass(frozen=True)
class _Row:
    """One record: its fields by column name, and where each of them stands."""

    file: str
    line: int
    fields: Mapping[str, str]
    columns: Mapping[str, int | None]

    def get(self, name: str) -> str:
        return self.fields.get(name, "")

    def place(self, name: str) -> Place:
        return Place(self.file, self.line, self.columns.get(name))


def read_potency_csv(path: str | Path, drug: str = "") -> tuple[Potency, ...]:
    """Read potencies from a table.

    Parameters
    ----------
    path
        A CSV file in UTF-8, separated by commas, semicolons or tabs, with a header. ``value``,
        ``unit`` and one of ``cytokine`` and ``target`` are required. The relation stands in its own
        column or before the value (``<50``); a range is written ``10-20``.
    drug
        Drug of rows that name none.

    Returns
    -------
    tuple of Potency
        In the order of the file; ``unit`` is nM or ng/mL.

    Raises
    ------
    InputError
        With file, line and column: for an unreadable file, an unknown column or unit, a missing,
        negative or absurd value, a relation stated twice differently, or a duplicate row.
    """
    file = str(path)
    potencies: list[Potency] = []
    seen: dict[tuple[str, ...], int] = {}
    for row in _rows(_read_text(Path(path)), file):
        potency = _potency(row, drug)
        key = tuple(
            part.strip().lower()
            for part in (
                potency.drug,
                potency.stimulus,
                potency.target,
                potency.readout,
                potency.assay,
                potency.matrix,
                potency.source,
            )
        )
        if key in seen:
            raise InputError(
                f"this row repeats line {seen[key]}: same drug, cytokine, target, readout, assay "
                "and source",
                where=Place(file, row.line),
                hint="Remove one of them, or tell them apart by readout, assay or source.",
            )
        seen[key] = row.line
        potencies.append(potency)
    if not potencies:
        raise InputError(
            "the table has no rows", where=Place(file), hint="Add a row below the header."
        )
    return tuple(potencies)


def _read_text(path: Path) -> str:
    file = str(path)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(
                f"the file is larger than {MAX_BYTES // 1_000_000} MB",
                where=Place(file),
                hint="A potency table has one row a potency; is this the right file?",
            )
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            "the file is not UTF-8 text", where=Place(file), hint="Save it as CSV in UTF-8."
        ) from error
    except OSError as error:
        reason = error.strerror or "unknown reason"
        raise InputError(f"the file cannot be read: {reason}", where=Place(file)) from error


def _rows(text: str, file: str) -> Iterator[_Row]:
    lines = text.splitlines(keepends=True)
    first = next((line for line in lines if line.strip()), "")
    delimiter = next((d for d in (",", ";", "\t") if d in first), ",")
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    header: list[str] | None = None
    line = 1
    try:
        for record in reader:
            start, line = line, reader.line_num + 1
            if not any(cell.strip() for cell in record):
                continue
            alone = reader.line_num == start
            starts = _starts(lines[start - 1], delimiter) if alone else []
            if header is None:
                header = _header(record, starts, file, start)
                continue
            if len(record) != len(header):
                raise InputError(
                    f"{len(record)} fields, but the header has {len(header)}",
                    where=Place(file, start),
                    hint="Quote a field that contains the separator.",
                )
            places = [starts[i] if i < len(starts) else None for i in range(len(header))]
            yield _Row(
                file,
                start,
                {name: cell.strip() for name, cell in zip(header, record, strict=True)},
                dict(zip(header, places, strict=True)),
            )
    except csv.Error as error:
        raise InputError(
            f"the file is not valid CSV: {error}", where=Place(file, reader.line_num)
        ) from error
    if header is None:
        raise InputError(
            "the file is empty",
            where=Place(file),
            hint="The first line names the columns: cytokine, value, unit, ...",
        )


def _starts(line: str, delimiter: str) -> list[int]:
    """Return the column, counted from 1, at which each field of a one-line record starts."""
    starts, quoted = [1], False
    for index, character in enumerate(line):
        if character == '"':
            quoted = not quoted
        elif character == delimiter and not quoted:
            starts.append(index + 2)
    return starts


def _header(record: list[str], starts: list[int], file: str, line: int) -> list[str]:
    names = [cell.strip().lower() for cell in record]
    for index, name in enumerate(names):
        column = starts[index] if index < len(starts) else None
        if name not in COLUMNS:
            raise UnknownNameError("column", name, COLUMNS, where=Place(file, line, column))
        if name in names[:index]:
            raise InputError(f"the column '{name}' occurs twice", where=Place(file, line, column))
    missing = [name for name in ("value", "unit") if name not in names]
    if not {"cytokine", "stimulus", "target"} & set(names):
        missing.append("cytokine or target")
    if {"cytokine", "stimulus"} <= set(names):
        raise InputError(
            "'cytokine' and 'stimulus' are the same column",
            where=Place(file, line),
            hint="Keep one of them.",
        )
    if missing:
        raise InputError(
            f"missing column: {', '.join(missing)}",
            where=Place(file, line),
            hint="Required: value, unit and one of cytokine and target.",
        )
    return names


def _potency(row: _Row, drug: str) -> Potency:
    stimulus = row.get("cytokine") or row.get("stimulus")
    if not stimulus and not row.get("target"):
        name = "cytokine" if "cytokine" in row.fields else "target"
        raise InputError(
            "neither a cytokine nor a target is named",
            where=row.place(name),
            hint="Say what the potency was measured on.",
        )
    if not row.get("unit"):
        raise InputError("the unit is missing", where=row.place("unit"), hint="Such as nM.")
    try:
        factor, unit = standard_unit(row.get("unit"))
    except StateraError as error:
        raise InputError(error.what, where=row.place("unit"), hint=error.hint) from error
    stated = _stated(row)
    hill, hill_assumed = _hill(row)
    matrix = _matrix(row)

    def scaled(value: float | None) -> float | None:
        return None if value is None else value * factor

    try:
        return Potency(
            drug=row.get("drug") or drug,
            value=scaled(stated.value),
            unit=unit,
            relation=stated.relation,
            low=scaled(stated.low),
            high=scaled(stated.high),
            label=row.get("label"),
            target=row.get("target"),
            stimulus=stimulus,
            readout=row.get("readout"),
            assay=row.get("assay"),
            hill=hill,
            hill_assumed=hill_assumed,
            matrix=matrix,
            source=row.get("source"),
            note=row.get("note"),
        )
    except InputError as error:
        name = "hill" if "Hill" in error.what else "value"
        raise InputError(error.what, where=row.place(name), hint=error.hint) from error


def _stated(row: _Row) -> Stated:
    text = row.get("value")
    if not text:
        raise InputError("the value is missing", where=row.place("value"), hint="Such as 5.9.")
    try:
        stated = parse_stated(text)
    except InputError as error:
        raise InputError(error.what, where=row.place("value"), hint=error.hint) from error
    written = row.get("relation")
    if not written:
        return stated
    try:
        relation = parse_relation(written)
    except InputError as error:
        raise InputError(error.what, where=row.place("relation"), hint=error.hint) from error
    signed = re.match(r"^\s*[<>~=≤≥≈]", text) is not None or stated.relation is Relation.RANGE
    if (signed or relation is Relation.RANGE) and stated.relation is not relation:
        raise InputError(
            f"the relation '{written}' does not fit the value '{text}'",
            where=row.place("relation"),
            hint="State the relation once, in its column or before the value.",
        )
    return Stated(relation, stated.value, stated.low, stated.high)


def _hill(row: _Row) -> tuple[float, bool]:
    text = row.get("hill")
    if not text:
        return 1.0, True
    try:
        return float(text), False
    except ValueError as error:
        raise InputError(
            f"'{text}' is not a Hill coefficient",
            where=row.place("hill"),
            hint="Give a number such as 1.1, or leave the field empty for 1.",
        ) from error


def _matrix(row: _Row) -> Matrix:
    written = row.get("matrix").lower().replace(" ", "_").replace("-", "_")
    if not written:
        return matrix_of(row.get("assay"))
    for known in MATRICES:
        if known == written:
            return known
    raise UnknownNameError("matrix", row.get("matrix"), MATRICES, where=row.place("matrix"))
