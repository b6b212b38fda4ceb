"""Read a plate map: which well holds what, and which file belongs to it."""

from __future__ import annotations

import csv
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from statera.errors import InputError, Place
from statera.library.read import read_text
from statera.plate.problem import Problem

__all__ = ["Columns", "Condition", "PlateMap", "Well", "read_plate_map"]

MAX_BYTES = 5_000_000

_WELL = re.compile(r"^([A-P])0?([1-9]|1\d|2[0-4])$")
_DOSE = re.compile(r"^(.+)_(pM|nM|uM|µM|mM|M)$")
_IN_NM = {"pM": 1e-3, "nM": 1.0, "uM": 1e3, "µM": 1e3, "mM": 1e6, "M": 1e9}


class Condition(StrEnum):
    """What a well is for."""

    UNSTIMULATED = "unstimulated"
    STIMULATED = "stimulated"
    DOSE = "dose"
    FMO = "fmo"
    SINGLE_STAIN = "single_stain"
    UNSTAINED = "unstained"
    UNUSED = "unused"


_WORDS = {
    Condition.UNSTIMULATED: ("unstimulated", "unstim", "unstimulated_dmso", "basal", "negative"),
    Condition.STIMULATED: ("stimulated", "stim", "stim_dmso", "stimulated_dmso", "positive"),
    Condition.DOSE: ("dose", "treated", "drug", "inhibitor"),
    Condition.FMO: ("fmo", "fluorescence_minus_one"),
    Condition.SINGLE_STAIN: ("single_stain", "single", "comp", "compensation"),
    Condition.UNSTAINED: ("unstained", "unstained_control"),
    Condition.UNUSED: ("unused", "empty", "buffer", "edge", "blank"),
}


@dataclass(frozen=True)
class Columns:
    """Headings of the plate map. An empty dose finds the one column that ends in a unit."""

    well: str = "well"
    plate: str = "plate"
    file: str = "file"
    donor: str = "donor"
    cytokine: str = "cytokine"
    condition: str = "condition"
    dose: str = ""
    stain: str = "stain"


@dataclass(frozen=True)
class Well:
    """One row of the plate map.

    Attributes
    ----------
    plate, well
        Such as ``1`` and ``A01``.
    file
        Name of its file; empty where it has none.
    donor, cytokine, condition
    dose
        nM; 0 for controls.
    stain
        Channel of a single stain or that an FMO leaves out.
    line
        In the plate map.
    """

    plate: str
    well: str
    file: str
    donor: str
    cytokine: str
    condition: Condition
    dose: float
    stain: str = ""
    line: int = 0

    @property
    def name(self) -> str:
        """Plate and well, such as ``1-A01``; the well alone on the only plate."""
        return f"{self.plate}-{self.well}" if self.plate else self.well

    @property
    def row(self) -> int:
        """Row from 0."""
        return ord(self.well[0]) - ord("A")

    @property
    def column(self) -> int:
        """Column from 0."""
        return int(self.well[1:]) - 1


@dataclass(frozen=True)
class PlateMap:
    """All wells, and what was odd about them.

    Attributes
    ----------
    path
    wells
    problems
        Rows that were left out, and why.
    """

    path: Path
    wells: tuple[Well, ...]
    problems: tuple[Problem, ...] = field(default=())


def read_plate_map(path: str | Path, columns: Columns | None = None) -> PlateMap:
    """Return the wells of a CSV file with a heading.

    A row that is not understood becomes a problem with its line; the others are kept.

    Raises
    ------
    InputError
        If the file cannot be read, a column is missing or no well is left.
    """
    file = Path(path)
    wanted = columns or Columns()
    heading, rows = _table(file)
    at, factor = _columns(heading, wanted, file)
    wells: list[Well] = []
    problems: list[Problem] = []
    for line, row in rows:
        try:
            well = _well(row, at, factor, Place(str(file), line))
            _check_new(well, wells, file)
            wells.append(well)
        except InputError as error:
            problems.append(Problem.of(error))
    if not wells:
        first = f" The first: {problems[0].sentence}" if problems else ""
        raise InputError(
            f"no well of the plate map can be used.{first}",
            where=Place(str(file)),
            hint="One row a well below a heading: well, file, donor, cytokine, condition, dose_nM.",
        )
    return PlateMap(file, tuple(wells), tuple(problems))


def _table(file: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    if file.is_file() and file.stat().st_size > MAX_BYTES:
        raise InputError(
            f"the file is larger than {MAX_BYTES // 1_000_000} MB", where=Place(str(file))
        )
    text = read_text(file).removeprefix("\ufeff")  # which spreadsheets put in front
    rows = list(_rows(text, file))
    if not rows:
        raise InputError("the plate map is empty", where=Place(str(file)))
    return [cell.strip() for cell in rows[0][1]], rows[1:]


def _rows(text: str, file: Path) -> Iterator[tuple[int, list[str]]]:
    lines = text.splitlines(keepends=True)
    first = next((line for line in lines if line.strip()), "")
    delimiter = next((d for d in (",", ";", "\t") if d in first), ",")
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    start = 1
    try:
        for record in reader:
            if any(cell.strip() for cell in record):
                yield start, record
            start = reader.line_num + 1
    except csv.Error as error:
        raise InputError(
            f"the file is not valid CSV: {error}", where=Place(str(file), reader.line_num)
        ) from error


def _columns(heading: Sequence[str], wanted: Columns, file: Path) -> tuple[dict[str, int], float]:
    """Return the place of each column, and the factor from the dose's unit to nM."""
    place = Place(str(file), 1)
    twice = sorted(name for name, count in Counter(heading).items() if name and count > 1)
    if twice:
        raise InputError(f"the column '{twice[0]}' occurs twice", where=place)
    lower = [name.lower() for name in heading]
    at: dict[str, int] = {}
    for role in ("well", "file", "donor", "cytokine", "condition", "plate", "stain"):
        name = getattr(wanted, role)
        if name.lower() in lower:
            at[role] = lower.index(name.lower())
        elif role in ("well", "file", "condition"):
            raise InputError(
                f"the plate map has no column '{name}'",
                where=place,
                hint=f"Its columns: {', '.join(heading)}. Another name is given under [columns].",
            )
    doses = [i for i, name in enumerate(heading) if _DOSE.match(name)]
    if wanted.dose:
        if wanted.dose.lower() not in lower:
            raise InputError(f"the plate map has no column '{wanted.dose}'", where=place)
        doses = [lower.index(wanted.dose.lower())]
    if len(doses) != 1:
        said = ", ".join(heading[i] for i in doses) or "none"
        raise InputError(
            f"the column of doses is not clear: {said}",
            where=place,
            hint="End its name in a unit, such as dose_nM, or name it: columns.dose.",
        )
    at["dose"] = doses[0]
    match = _DOSE.match(heading[doses[0]])
    return at, _IN_NM[match.group(2)] if match else 1.0


def _well(row: Sequence[str], at: dict[str, int], factor: float, place: Place) -> Well:
    def cell(role: str) -> str:
        index = at.get(role)
        return row[index].strip() if index is not None and index < len(row) else ""

    match = _WELL.match(cell("well").upper())
    if match is None:
        raise InputError(
            f"'{cell('well')}' is not a well",
            where=place,
            hint="Wells are A1 to P24.",
        )
    condition = _condition(cell("condition"), place)
    dose = _dose(cell("dose"), place) * factor
    if condition is Condition.DOSE and dose == 0.0:
        raise InputError(
            "a well of condition 'dose' has no dose",
            where=place,
            hint="Give the dose, or call the well 'stimulated'.",
        )
    if condition in (Condition.STIMULATED, Condition.UNSTIMULATED) and dose > 0.0:
        raise InputError(f"a control has a dose of {cell('dose')}", where=place)
    return Well(
        cell("plate"),
        f"{match.group(1)}{int(match.group(2)):02d}",
        cell("file"),
        cell("donor"),
        cell("cytokine"),
        condition,
        dose,
        cell("stain"),
        place.line or 0,
    )


def _condition(text: str, place: Place) -> Condition:
    word = re.sub(r"[\s\-+/]+", "_", text.strip().lower())
    for condition, words in _WORDS.items():
        if word in words or word == condition.value:
            return condition
    raise InputError(
        f"'{text}' is not a condition" if text else "the condition is missing",
        where=place,
        hint=f"Known: {', '.join(c.value for c in Condition)}.",
    )


def _dose(text: str, place: Place) -> float:
    if not text:
        return 0.0
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= 0.0):
        raise InputError(
            f"the dose '{text}' is not a number of 0 or more",
            where=place,
            hint="Write decimals with a point and leave out the unit: it stands in the heading.",
        )
    return value


def _check_new(well: Well, others: Sequence[Well], file: Path) -> None:
    for other in others:
        where = Place(str(file), well.line)
        if (other.plate, other.well) == (well.plate, well.well):
            raise InputError(f"well {well.name} stands in line {other.line} already", where=where)
        if well.file and other.file == well.file:
            raise InputError(
                f"the file {well.file} belongs to well {other.name} (line {other.line}) already",
                where=where,
            )
