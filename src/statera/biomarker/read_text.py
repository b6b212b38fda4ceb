"""Tables of text: read once, every cell kept as it was written."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING

from statera.errors import InputError, Place

if TYPE_CHECKING:
    import polars as pl

__all__ = ["read_lines", "read_text_table"]


def read_lines(path: str | Path) -> str:
    """Return a text file's content in UTF-8 (with or without mark), else in Latin-1.

    Raises
    ------
    InputError
        If it cannot be read, is empty or is no text.
    """
    file = Path(path)
    try:
        content = file.read_bytes()
    except OSError as error:
        raise InputError(
            f"the file cannot be read: {error.strerror or error}", where=Place(str(file))
        ) from error
    if b"\0" in content[:4096]:
        raise InputError("the file is not text", where=Place(str(file)))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    if not text.strip():
        raise InputError("the file is empty", where=Place(str(file)))
    return text


def delimiter_of(line: str) -> str:
    """Return tab, semicolon or comma, whichever the heading holds most of."""
    return max(("\t", ";", ","), key=line.count)


def _plain_table(text: str, mark: str) -> pl.DataFrame | None:
    """Return a table without quotes or gaps, read at once; None where it must be read with care."""
    import polars as pl  # noqa: PLC0415  heavy: only when a table is read

    body = text.replace("\r\n", "\n").strip("\n")
    lines = body.count("\n") + 1
    names = [name.strip() for name in body.split("\n", 1)[0].split(mark)]
    whole = body.count(mark) == lines * (len(names) - 1)
    if '"' in body or "\n\n" in body or "\r" in body or not whole or len(set(names)) < len(names):
        return None
    if len(names) < 2 or lines < 2:
        return None
    try:
        frame = pl.read_csv(
            io.BytesIO(body.encode()), separator=mark, infer_schema=False, quote_char=None,
        )  # fmt: skip
    except pl.exceptions.PolarsError:
        return None
    if frame.height != lines - 1:
        return None
    found = frame.rename(dict(zip(frame.columns, names, strict=True))).select(
        pl.all().fill_null("").str.strip_chars()
    )
    found = found.filter(pl.any_horizontal(pl.all() != ""))
    return found if found.height else None


def read_text_table(path: str | Path) -> pl.DataFrame:
    """Read a table whose first row names the columns; every column stays text.

    Comma, semicolon or tab.

    Raises
    ------
    InputError
        With file and line if a row has another number of cells than the heading, or two columns
        have one name.
    """
    import polars as pl  # noqa: PLC0415  heavy: only when a table is read

    text = read_lines(path)
    mark = delimiter_of(text.lstrip().split("\n", 1)[0])
    fast = _plain_table(text, mark)
    if fast is not None:
        return fast
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark)
    rows = ((reader.line_num, row) for row in reader if any(cell.strip() for cell in row))
    line, heading = next(rows)
    names = [name.strip() for name in heading]
    doubled = {n for n in names if names.count(n) > 1}
    if doubled:
        raise InputError(
            f"two columns are called '{sorted(doubled)[0]}'", where=Place(str(path), line)
        )
    cells = []
    for number, row in rows:
        if len(row) != len(names):
            raise InputError(
                f"{len(row)} cells where the heading has {len(names)}",
                where=Place(str(path), number),
                hint="Quote cells that hold the separator.",
            )
        cells.append(row)
    if not cells:
        raise InputError("there are no rows below the heading", where=Place(str(path)))
    columns = zip(*cells, strict=True)
    return pl.DataFrame(
        {name: [c.strip() for c in column] for name, column in zip(names, columns, strict=True)},
        schema=dict.fromkeys(names, pl.String),
    )
