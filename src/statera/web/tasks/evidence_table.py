"""What the tasks on evidence share: the table that was asked about, places as a page shows them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from statera.errors import InputError, Place, StateraError
from statera.evidence.read_table import StudyTable, parse_table
from statera.evidence.table_check import look_through, table_text
from statera.web.answer import Column, Table
from statera.web.requests.evidence import StudyRows

__all__ = ["as_on_page", "options_text", "python_table", "reader", "rows_table", "without_lines"]

_PLACE = re.compile(r"^table:(\d+)(?::(\d+))?$")
_LINES = re.compile(r"^lines? [\d, ]+: ")


def reader(asked: StudyRows) -> tuple[str, Callable[[Mapping[str, str]], StudyTable]]:
    """Return the table as CSV, and what reads its rows.

    Raises
    ------
    InputError
        If cells are wrong: the first by its place, with the number of the others.
    """
    found = look_through(asked.columns, asked.rows)
    wrong = [remark for remark in found.remarks if remark.severity == "error"]
    if wrong:
        first = wrong[0]
        more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
        raise InputError(
            f"{first.what}{more}", where=_said(first.row, first.column, asked.columns),
            hint=first.hint or "Complete the row, or leave it out.",
        )  # fmt: skip
    text = table_text(found.header, found.rows)
    return text, lambda conditions: parse_table(text, "table", conditions)


@contextmanager
def as_on_page(asked: StudyRows) -> Iterator[None]:
    """Let errors name rows and fields instead of lines of a file and options of a command."""
    try:
        yield
    except StateraError as error:
        place = _PLACE.match(str(error.where)) if isinstance(error.where, Place) else None
        if place is not None:
            row = int(place[1]) - 2
            column = int(place[2]) - 1 if place[2] else None
            error.where = _said(row if row >= 0 else None, column, asked.columns)
        elif error.where is not None:
            error.where = re.sub(r"--(?=\w)", "", str(error.where))
        error.hint = re.sub(r"--(?=\w)", "", error.hint or "")
        raise


def _said(row: int | None, column: int | None, columns: Sequence[str]) -> str:
    parts = [] if row is None else [f"row {row + 1}"]
    if column is not None and column < len(columns):
        parts.append(f"column '{columns[column]}'")
    return ", ".join(parts) or "the table"


def without_lines(sentences: Sequence[str]) -> tuple[str, ...]:
    """Return sentences without the lines of a file before them: they name the studies anyhow."""
    return tuple(dict.fromkeys(_LINES.sub("", sentence) for sentence in sentences))


def rows_table(asked: StudyRows) -> Table:
    """Return the rows asked about, to be copied as CSV."""
    return Table([Column(name) for name in asked.columns], [list(row) for row in asked.rows])


def python_table(text: str) -> str:
    """Return a program's lines that hold a table."""
    lines = "\n".join(f"    {line!r}" for line in text.splitlines(keepends=True))
    return f"TABLE = (\n{lines}\n)\n"


def options_text(given: Mapping[str, Any], plain: Mapping[str, Any]) -> str:
    """Return the options of a command that differ from its own defaults."""
    words: list[str] = []
    for option, value in given.items():
        if value == plain.get(option) or value is None or value is False:
            continue
        if value is True:
            words.append(option)
            continue
        each = value if isinstance(value, tuple) else (value,)  # repeated where there are several
        words += [f"{option} {shlex.quote(str(one))}" for one in each]
    return " ".join(words)
