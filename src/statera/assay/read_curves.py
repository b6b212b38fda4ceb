"""Read dose-response curves from a table: one row a point, any number of curves."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from statera.assay.fit_curves import Curves, make_curves
from statera.errors import InputError, Place
from statera.library.read import read_text

__all__ = ["MAX_BYTES", "CurveTable", "read_curves"]

MAX_BYTES = 50_000_000

_DOSE = re.compile(r"^(.+)_(pM|nM|uM|µM|mM|M)$")
_MISSING = ("", "na", "nan")
_IN_NM = {"pM": 1e-3, "nM": 1.0, "uM": 1e3, "µM": 1e3, "mM": 1e6, "M": 1e9}


@dataclass(frozen=True)
class CurveTable:
    """Curves of a table.

    Attributes
    ----------
    curves
        Doses in nM.
    left_out
        Lines whose response is empty or NA: not measured.
    """

    curves: Curves
    left_out: tuple[int, ...]


def read_curves(path: str | Path) -> CurveTable:
    """Return the curves of a CSV file.

    Columns: one dose whose name ends in its unit (``dose_nM``), ``response``, and ``weight`` where
    points have weights; all others together name the curve.

    Raises
    ------
    InputError
        With file and line, where something is not understood.
    """
    file = Path(path)
    (_, heading), *rows = list(_rows(file))
    names = [name.strip() for name in heading]
    place = Place(str(file), 1)
    doses = [i for i, name in enumerate(names) if _DOSE.match(name)]
    if len(doses) != 1:
        said = ", ".join(names[i] for i in doses) or "none"
        raise InputError(
            f"the column of doses is not clear: {said}",
            where=place,
            hint="End its name in a unit, such as dose_nM.",
        )
    lower = [name.lower() for name in names]
    if "response" not in lower:
        raise InputError(
            "the table has no column 'response'",
            where=place,
            hint=f"Its columns: {', '.join(names)}.",
        )
    match = _DOSE.match(names[doses[0]])
    factor = _IN_NM[match.group(2)] if match else 1.0
    special = {doses[0], lower.index("response")}
    weight = lower.index("weight") if "weight" in lower else None
    if weight is not None:
        special.add(weight)
    labels = [i for i in range(len(names)) if i not in special]
    found: dict[str, list[tuple[float, float, float]]] = {}
    left_out: list[int] = []
    for line, row in rows:
        where = Place(str(file), line)
        if len(row) != len(names):
            raise InputError(f"{len(row)} fields, but the heading has {len(names)}", where=where)
        if row[lower.index("response")].strip().lower() in _MISSING:
            left_out.append(line)
            continue
        dose = _number(row[doses[0]], "dose", where, lowest=0.0) * factor
        response = _number(row[lower.index("response")], "response", where)
        w = 1.0 if weight is None else _number(row[weight], "weight", where, lowest=0.0)
        name = ", ".join(row[i].strip() for i in labels if row[i].strip()) or "curve"
        found.setdefault(name, []).append((dose, response, w))
    if not found:
        raise InputError("the table has no measured points", where=Place(str(file)))
    points = [list(zip(*some, strict=True)) for some in found.values()]
    curves = make_curves(
        [p[0] for p in points], [p[1] for p in points], [p[2] for p in points], names=list(found)
    )
    return CurveTable(curves, tuple(left_out))


def _number(text: str, what: str, where: Place, lowest: float = -math.inf) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= lowest):
        at_least = " of 0 or more" if lowest == 0.0 else ""
        raise InputError(
            f"the {what} '{text.strip()}' is not a number{at_least}",
            where=where,
            hint="Leave out points that were not measured.",
        )
    return value


def _rows(file: Path) -> Iterator[tuple[int, Sequence[str]]]:
    if file.is_file() and file.stat().st_size > MAX_BYTES:
        raise InputError(
            f"the file is larger than {MAX_BYTES // 1_000_000} MB", where=Place(str(file))
        )
    text = read_text(file).removeprefix("\ufeff")  # which spreadsheets put in front
    lines = text.splitlines(keepends=True)
    first = next((line for line in lines if line.strip()), "")
    if not first:
        raise InputError("the table is empty", where=Place(str(file)))
    delimiter = next((d for d in (",", ";", "\t") if d in first), ",")
    reader = csv.reader(lines, delimiter=delimiter)
    start = 1
    for record in reader:
        if any(cell.strip() for cell in record):
            yield start, record
        start = reader.line_num + 1
