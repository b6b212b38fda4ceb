"""All that is wrong with a table of studies at once, by row and column; nothing is dropped.

Reading a table for an analysis ends at the first error. Here a table is looked through while it is
being typed: each cell that is no number, each row that leads to no effect, and what the entry
checks find stand beside the row and cell that they concern.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass

from statera.errors import InputError, Place, StateraError
from statera.evidence.effect_sizes import COLUMN_NAMES
from statera.evidence.effects import Effects
from statera.evidence.entry_checks import FindingKind, entry_checks
from statera.evidence.measures import measure_of
from statera.evidence.network_data import connected_parts
from statera.evidence.network_methods import COUNTS
from statera.evidence.network_table import counts_of_table, network_of_table, studies_of_table
from statera.evidence.read_table import (
    StudyTable,
    effects_of_table,
    is_ambiguous,
    number_of_cell,
    parse_table,
    roles_of_columns,
    separator_of,
)
from statera.evidence.zero_cells import EffectSizeOptions

__all__ = [
    "Remark",
    "TableCheck",
    "check_network",
    "check_studies",
    "look_through",
    "split_text",
    "table_text",
]

_AT_ROW = re.compile(r":(\d+)(?::(\d+))?$")


@dataclass(frozen=True)
class Remark:
    """Something to look at.

    Attributes
    ----------
    row, column
        From 0; None where it concerns the whole table or row.
    what, hint
        Sentences.
    severity
        ``error`` (the row cannot be used), ``warning`` or ``note``.
    """

    row: int | None
    column: int | None
    what: str
    hint: str = ""
    severity: str = "error"


@dataclass(frozen=True)
class TableCheck:
    """A table as far as it could be read.

    Attributes
    ----------
    header, rows
        As given; rows filled up to the length of the heading.
    roles
        What each column was taken for; ``carried`` where it is no column of an analysis.
    table
        With cells that are no numbers left empty; None where nothing can be read. Its `lines` are
        the rows given, from 2.
    remarks
        On columns and cells, in the order of the table.
    """

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    roles: tuple[str, ...]
    table: StudyTable | None
    remarks: tuple[Remark, ...]


def split_text(text: str) -> tuple[list[str], list[list[str]]]:
    """Return heading and rows of a text with commas, semicolons or tabs; nothing is judged."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    reader = csv.reader(io.StringIO(text), delimiter=separator_of(first), skipinitialspace=True)
    try:
        cells = [
            [" ".join(cell.split()) for cell in row]
            for row in reader
            if any(c.strip() for c in row)
        ]
    except csv.Error as error:
        raise InputError(
            f"the table cannot be split into cells: {error}",
            where=Place("table", reader.line_num),
            hint="Put text that holds the separator in double quotes.",
        ) from error
    if not cells:
        raise InputError("the table is empty", hint="Paste a heading and a row a study.")
    return cells[0], cells[1:]


def table_text(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table as CSV."""
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows([header, *rows])
    return stream.getvalue()


def look_through(header: Sequence[str], rows: Sequence[Sequence[str]]) -> TableCheck:
    """Look at each column and cell of a table."""
    remarks: list[Remark] = []
    names = _distinct([name.strip() for name in header], remarks)
    filled = [_filled(row, i, len(names), remarks) for i, row in enumerate(rows)]
    roles = _roles(names, remarks)
    clean = [list(row) for row in filled]
    for j, role in enumerate(roles):
        cells = [row[j] for row in filled]
        found = {i: error for i, cell in enumerate(cells)
                 if (error := _no_number(cell, names[j])) is not None}  # fmt: skip
        # a heading such as "n" or "time" over nothing but words is no column of numbers
        words_only = bool(found) and len(found) == sum(bool(cell) for cell in cells)
        if role not in COLUMN_NAMES or (words_only and is_ambiguous(names[j])):
            continue
        for i, error in found.items():
            clean[i][j] = ""
            remarks.append(Remark(i, j, error.what, error.hint))
    table = None
    if rows and not any(role in COLUMN_NAMES for role in roles):
        remarks.append(
            Remark(
                None, None, "no column of numbers is known by its name",
                "Rename the headings, such as events_1, total_1, events_2, total_2, or estimate, "
                "low, high.",
            )
        )  # fmt: skip
    if not rows:
        remarks.append(Remark(None, None, "the table has a heading and no rows", "Add a study."))
    else:
        try:
            table = parse_table(table_text(names, clean))
        except InputError as error:
            remarks.append(Remark(None, None, error.what, error.hint))
    order = sorted(remarks, key=lambda r: (-1 if r.row is None else r.row, r.column or 0))
    return TableCheck(
        tuple(names), tuple(tuple(row) for row in filled), tuple(roles), table, tuple(order)
    )


def check_studies(
    table: StudyTable, measure: str | None, options: EffectSizeOptions | None = None
) -> tuple[Effects | None, tuple[Remark, ...]]:
    """Return the effects of the rows, and what the entry checks find.

    The effects are None where the columns do not lead to the measure; a remark says why.
    """
    try:
        effects = effects_of_table(table, measure, options)
    except StateraError as error:
        return None, (Remark(*_place(error), error.what, error.hint or ""),)
    remarks = []
    for name, rows in _outcomes(
        table
    ):  # studies of different outcomes are not held against each other
        part, of_rows = table.rows(rows), effects.take(rows)
        for finding in entry_checks(of_rows):
            lost = finding.kind is FindingKind.NO_EFFECT
            concerned = [
                line - 2
                for line, study, used in zip(part.lines, part.names, of_rows.is_usable, strict=True)
                # of rows with the same name only those without an effect are left out
                if study in finding.studies and not (lost and used)
            ]
            severity = "error" if lost else str(finding.severity)
            if finding.kind is FindingKind.MIXED_MEASURES or not concerned:
                said = f"{name}: {finding.sentence}" if name else finding.sentence
                remarks.append(Remark(None, None, said, "", severity))
                continue
            remarks += [Remark(i, None, finding.sentence, "", severity) for i in concerned]
    return effects, tuple(remarks)


def check_network(table: StudyTable, measure: str, method: str) -> tuple[Remark, ...]:
    """Look at each study of a network by itself, then at whether studies join the treatments."""
    by_study: dict[str, list[int]] = {}
    for i, name in enumerate(studies_of_table(table)):
        by_study.setdefault(name, []).append(i)
    remarks = []
    for name, rows in by_study.items():
        try:
            _network(table.rows(rows), measure, method)
        except StateraError as error:
            row, column = _place(error)
            said = f"{name}: {error.what}"
            places = [table.lines[j] - 2 for j in rows] if row is None else [row]
            remarks += [Remark(place, column, said, error.hint or "") for place in places]
    if remarks:
        same = {(r.what.partition(": ")[2], r.hint) for r in remarks}
        if len(same) == 1 and len(remarks) == len(table):  # a column is missing: say it once
            what, hint = same.pop()
            return (Remark(None, None, what, hint),)
        return tuple(remarks)
    try:
        _network(table, measure, method)
        parts = connected_parts(network_of_table(table, measure)) if method not in COUNTS else ()
    except StateraError as error:
        return (Remark(*_place(error), error.what, error.hint or ""),)
    if len(parts) > 1:
        named = "; ".join(", ".join(part) for part in parts)
        return (Remark(None, None, f"no study joins these parts of the network: {named}",
                       "Each part is analysed by itself.", "warning"),)  # fmt: skip
    return ()


def _outcomes(table: StudyTable) -> list[tuple[str, list[int]]]:
    """Return each outcome with its rows; all rows where no column names outcomes."""
    column = next((c for c in table.carried if c.strip().lower() == "outcome"), None)
    if column is None:
        return [("", list(range(len(table))))]
    rows: dict[str, list[int]] = {}
    for i, name in enumerate(table.carried[column]):
        rows.setdefault(name.lower(), []).append(i)
    return [(table.carried[column][found[0]], found) for found in rows.values()]


def _network(table: StudyTable, measure: str, method: str) -> None:
    if method in COUNTS:
        counts_of_table(table, rates=COUNTS[method] == "IRR")
    else:
        network_of_table(table, measure_of(measure).code)


def _distinct(header: Sequence[str], remarks: list[Remark]) -> list[str]:
    names: list[str] = []
    seen: set[str] = set()
    for j, name in enumerate(header):
        own = name or f"column {j + 1}"
        if not name:
            remarks.append(Remark(None, j, f"column {j + 1} has no name", "Name it.", "warning"))
        if own in seen:
            remarks.append(
                Remark(None, j, f"two columns are called '{own}'", "Rename one of them.")
            )
            own = f"{own} ({j + 1})"
        seen.add(own)
        names.append(own)
    return names


def _filled(row: Sequence[str], i: int, width: int, remarks: list[Remark]) -> list[str]:
    cells = [" ".join(cell.split()) for cell in row]  # a row stays one line
    if len(cells) != width:
        remarks.append(
            Remark(i, None, f"{len(cells)} cells in a table of {width} columns",
                   "Put text that holds the separator in double quotes.")
        )  # fmt: skip
    return [*cells, *([""] * (width - len(cells)))][:width]


def _roles(names: Sequence[str], remarks: list[Remark]) -> list[str]:
    """Return what columns stand for; of two that stand for the same the second is carried."""
    kept = list(names)
    for _ in names:
        try:
            return roles_of_columns(kept, "table")
        except InputError as error:
            _, column = _place(error)
            assert column is not None
            remarks.append(Remark(None, column, error.what, error.hint))
            kept[column] = f"column {column + 1}: {names[column]}"
    return ["carried"] * len(names)


def _no_number(cell: str, name: str) -> InputError | None:
    try:
        number_of_cell(cell, "table", 0, 0, name)
    except InputError as error:
        return error
    return None


def _place(error: StateraError) -> tuple[int | None, int | None]:
    """Return row and column, from 0, of an error's place in the text of a table."""
    found = _AT_ROW.search(str(error.where)) if isinstance(error.where, Place) else None
    if found is None:
        return None, None
    line, column = int(found[1]), found[2]
    return (line - 2 if line > 1 else None), (int(column) - 1 if column else None)
