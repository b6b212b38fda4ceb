"""Tables of studies from a file: columns known by their names, errors by line and column.

Comma, semicolon or tab; the first row names the columns. What is not known is carried along
unchanged. Columns of risk of bias (``rob``, ``rob_...``, ``risk_of_bias...``) and of certainty
(``certainty``, ``grade_...``) are carried under these headings to tables and figures.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from statera.errors import InputError, Place
from statera.evidence.effect_sizes import COLUMN_NAMES, effect_sizes
from statera.evidence.effects import Effects
from statera.evidence.measures import MEASURES, Family, measure_of
from statera.evidence.zero_cells import EffectSizeOptions

__all__ = [
    "StudyTable",
    "effects_of_table",
    "is_ambiguous",
    "number_of_cell",
    "parse_table",
    "read_table",
    "roles_of_columns",
    "separator_of",
]

Floats = NDArray[np.float64]
LARGEST = 50_000_000

_MISSING = frozenset({"", "na", "n/a", "nan", "nr", "nd", ".", "-", "–", "none", "null"})

#: Other names of the columns of numbers, in lower case without signs between words.
_ALIASES: Mapping[str, str] = {
    "value": "estimate", "est": "estimate", "effectsize": "estimate", "pointestimate": "estimate",
    "hr": "estimate", "rr": "estimate", "or": "estimate", "irr": "estimate", "md": "estimate",
    "lo": "low", "lower": "low", "cilow": "low", "cilb": "low", "lcl": "low", "lowerci": "low",
    "cilower": "low", "hi": "high", "upper": "high", "cihigh": "high", "ciub": "high",
    "ucl": "high", "upperci": "high", "ciupper": "high", "yi": "y", "vi": "v", "sei": "se",
    "standarderror": "se", "selog": "se", "pvalue": "p", "pval": "p", "oe": "o_minus_e",
    "ominuse": "o_minus_e", "oev": "o_minus_e_variance", "varoe": "o_minus_e_variance",
    "ominusevariance": "o_minus_e_variance", "ai": "events_1", "ci": "events_2",
    "bi": "non_events_1", "di": "non_events_2", "n1": "total_1", "n2": "total_2",
    "n1i": "total_1", "n2i": "total_2", "x1i": "events_1", "x2i": "events_2", "t1i": "time_1",
    "t2i": "time_2", "py1": "time_1", "py2": "time_2", "personyears1": "time_1",
    "personyears2": "time_2", "m1i": "mean_1", "m2i": "mean_2", "sd1i": "sd_1", "sd2i": "sd_2",
    "xi": "events", "ni": "total", "n": "total", "ti": "time", "py": "time",
    "personyears": "time", "sdi": "sd",
    "te": "y", "sete": "se", "responders": "events", "samplesize": "total",
    "evente": "events_1", "eventc": "events_2", "ne": "total_1", "nc": "total_2",
    "timee": "time_1", "timec": "time_2", "meane": "mean_1", "meanc": "mean_2",
    "sde": "sd_1", "sdc": "sd_2", "experimentalcases": "events_1", "controlcases": "events_2",
    "experimentaln": "total_1", "controln": "total_2", "experimentalmean": "mean_1",
    "controlmean": "mean_2", "experimentalsd": "sd_1", "controlsd": "sd_2",
}  # fmt: skip
_LABELS: Mapping[str, tuple[str, ...]] = {
    "names": ("study", "name", "trial", "author", "slab", "studlab", "label"),
    "group": ("group", "subgroup"),
    "cluster": ("cluster", "overlap", "overlapgroup", "registry", "database"),
    "measure": ("measure", "effectmeasure"),
}
# Also a heading of free text: taken for numbers where all of its cells are.
_AMBIGUOUS = frozenset({"n", "ne", "nc", "te", "or", "time", "events", "total", "level"})
_CERTAINTY = ("certainty", "grade", "evidencegrade")


@dataclass(frozen=True)
class StudyTable:
    """A table of studies as read.

    Attributes
    ----------
    source
        File name.
    columns
        Known columns of numbers, (k,) float64 each, NaN where a cell is empty.
    names, group, cluster
        Of the studies; `group` and `cluster` empty where there is no such column.
    measure
        Measure printed in each row; empty where there is no such column.
    carried
        All other columns, as text by the name in the file.
    risk_of_bias, certainty
        Those of them that judge, by the name in the file.
    lines
        Line of each study in the file.
    notes
        How columns were read, as sentences.
    headings
        For each heading of the file the name that its column is known by.
    """

    source: str
    columns: Mapping[str, Floats]
    names: tuple[str, ...]
    group: tuple[str, ...]
    cluster: tuple[str, ...]
    measure: tuple[str, ...]
    carried: Mapping[str, tuple[str, ...]]
    risk_of_bias: Mapping[str, tuple[str, ...]]
    certainty: Mapping[str, tuple[str, ...]]
    lines: tuple[int, ...]
    notes: tuple[str, ...] = ()
    headings: Mapping[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.names)

    def rows(self, chosen: Sequence[int]) -> StudyTable:
        """Return the table of some of its rows."""

        def kept(values: Sequence[Any]) -> tuple[Any, ...]:
            return tuple(values[i] for i in chosen) if values else ()

        def each(columns: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
            return {name: kept(values) for name, values in columns.items()}

        return replace(
            self,
            columns={name: values[list(chosen)] for name, values in self.columns.items()},
            names=kept(self.names),
            group=kept(self.group),
            cluster=kept(self.cluster),
            measure=kept(self.measure),
            carried=each(self.carried),
            risk_of_bias=each(self.risk_of_bias),
            certainty=each(self.certainty),
            lines=kept(self.lines),
        )

    def column(self, name: str) -> tuple[Any, ...]:
        """Return a column by its heading in the file, or by the name it is known by.

        Raises
        ------
        InputError
            If there is none; the headings are named.
        """
        known: dict[str, Sequence[Any]] = {"names": self.names}
        for label in ("group", "cluster", "measure"):
            if getattr(self, label):
                known[label] = getattr(self, label)
        known.update({key: tuple(values) for key, values in self.columns.items()})
        known.update(self.carried)
        role = self.headings.get(name, name)
        found = known.get(name if role == "carried" else role)
        if found is None:
            told = ", ".join(self.headings or known)
            raise InputError(f"there is no column '{name}'", hint=f"Columns: {told}.")
        return tuple(found)


def read_table(path: str | Path, where: Mapping[str, str] | None = None) -> StudyTable:
    """Read a table of studies.

    Parameters
    ----------
    path
        Text in UTF-8.
    where
        Keep the rows whose columns have these values, such as ``{"outcome": "VTE"}``.

    Raises
    ------
    InputError
        With file, line and column, if the file cannot be read, a row has another number of cells
        than the heading, or a cell of a known column is not a number.
    """
    file = Path(path)
    try:
        if file.stat().st_size > LARGEST:
            raise InputError(
                f"the file has more than {LARGEST // 1_000_000} MB",
                where=Place(str(file)),
                hint="A table of studies is small: see that this is the right file.",
            )
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            "the file is not text in UTF-8", where=Place(str(file)), hint="Save it as UTF-8."
        ) from error
    except OSError as error:
        raise InputError(
            f"the file cannot be read: {error.strerror or error}", where=Place(str(file))
        ) from error
    return parse_table(text, str(file), where)


def parse_table(
    text: str, source: str = "table", where: Mapping[str, str] | None = None
) -> StudyTable:
    """Read a table of studies from text; as `read_table`."""
    header, rows, lines = _cells(text, source)
    if where:
        rows, lines = _chosen(header, rows, lines, where, source)
    roles = roles_of_columns(header, source)
    for j, name in enumerate(header):
        text_there = any(not _isnumber_of_cell(row[j]) for row in rows)
        if is_ambiguous(name) and roles[j] in COLUMN_NAMES and text_there:
            roles[j] = "carried"
    numbers: dict[str, Floats] = {}
    for j, role in enumerate(roles):
        if role in COLUMN_NAMES:
            numbers[role] = np.array(
                [number_of_cell(row[j], source, line, j + 1, header[j])
                 for row, line in zip(rows, lines, strict=True)],
                dtype=np.float64,
            )  # fmt: skip

    def column(role: str) -> tuple[str, ...]:
        return tuple(row[roles.index(role)] for row in rows) if role in roles else ()

    carried = {
        name: tuple(row[j] for row in rows)
        for j, (name, role) in enumerate(zip(header, roles, strict=True))
        if role == "carried"
    }
    names = column("names") or tuple(f"study {i + 1}" for i in range(len(rows)))
    notes = tuple(
        f"column '{name}' was read as {role}"
        for name, role in zip(header, roles, strict=True)
        if role in COLUMN_NAMES and _plain(name) != _plain(role)
    )
    return StudyTable(
        source, numbers, names, column("group"), column("cluster"), column("measure"), carried,
        {n: c for n, c in carried.items() if _plain(n).startswith(("rob", "riskofbias"))},
        {n: c for n, c in carried.items() if _plain(n).startswith(_CERTAINTY)},
        tuple(lines), notes, dict(zip(header, roles, strict=True)),
    )  # fmt: skip


def effects_of_table(
    table: StudyTable,
    measure: str | None = None,
    options: EffectSizeOptions | None = None,
) -> Effects:
    """Compute the effects of a table.

    Parameters
    ----------
    table
    measure
        Code; where not given, the one that all rows of the column ``measure`` name.
    options
        As of `effect_sizes`.

    Raises
    ------
    InputError
        If the measure is not given and the table names none, or several.
    UsageError
        If the columns do not lead to the measure.
    """
    kinds = {m.strip().upper() for m in table.measure if m.strip()}
    if measure is None:
        if len(kinds) != 1:
            told = f"several ({', '.join(sorted(kinds))})" if kinds else "none"
            raise InputError(
                f"the measure was not given, and the table names {told}",
                where=Place(table.source),
                hint=f"Give one of {', '.join(MEASURES)}.",
            )
        measure = next(iter(kinds))
    known = measure_of(measure)
    columns = dict(table.columns)
    if known.family is Family.ONE_MEAN and "mean" not in columns and "mi" in table.carried:
        at = list(table.carried).index("mi") + 1
        columns["mean"] = np.array(
            [number_of_cell(x, table.source, line, at, "mi")
             for x, line in zip(table.carried["mi"], table.lines, strict=True)]
        )  # fmt: skip
    carried: dict[str, Sequence[Any]] = dict(table.carried)
    if table.measure:
        carried["measure"] = table.measure
    return effect_sizes(
        known.code,
        names=table.names,
        group=table.group or None,
        cluster=table.cluster or None,
        carried=carried,
        options=options,
        **columns,
    )


def is_ambiguous(heading: str) -> bool:
    """Return whether a heading may also stand over free text."""
    return _plain(heading) in _AMBIGUOUS


def separator_of(heading: str) -> str:
    """Return what separates the cells of a table: comma, semicolon or tab, the most frequent."""
    return max(",;\t", key=heading.count)


def _cells(text: str, source: str) -> tuple[list[str], list[list[str]], list[int]]:
    first = next((line for line in text.splitlines() if line.strip()), "")
    if not first:
        raise InputError("the table is empty", where=Place(source))
    delimiter = separator_of(first)
    rows: list[list[str]] = []
    lines: list[int] = []
    reader = csv.reader(io.StringIO(text), delimiter=delimiter, skipinitialspace=True)
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                rows.append([cell.strip() for cell in row])
                lines.append(reader.line_num)
    except csv.Error as error:
        raise InputError(
            f"the table cannot be split into cells: {error}", where=Place(source, reader.line_num)
        ) from error
    header = rows[0]
    twice = sorted(name for name, count in Counter(header).items() if count > 1)
    if twice:
        raise InputError(
            f"two columns are called '{twice[0]}'",
            where=Place(source, lines[0], header.index(twice[0]) + 1),
            hint="Give each column a name of its own.",
        )
    for row, line in zip(rows[1:], lines[1:], strict=True):
        if len(row) != len(header):
            raise InputError(
                f"{len(row)} cells in a table of {len(header)} columns",
                where=Place(source, line),
                hint="Put text that holds the separator in double quotes.",
            )
    if len(rows) == 1:
        raise InputError("the table has a heading and no rows", where=Place(source))
    return header, rows[1:], lines[1:]


def _chosen(
    header: list[str], rows: list[list[str]], lines: list[int], where: Mapping[str, str],
    source: str,
) -> tuple[list[list[str]], list[int]]:  # fmt: skip
    for name, value in where.items():
        if name not in header:
            raise InputError(
                f"there is no column '{name}' to choose rows by",
                where=Place(source, 1),
                hint=f"Columns: {', '.join(header)}.",
            )
        j = header.index(name)
        there = sorted({row[j] for row in rows})
        kept = [i for i, row in enumerate(rows) if row[j].lower() == value.strip().lower()]
        if not kept:
            raise InputError(
                f"no row has '{value}' in column '{name}'",
                where=Place(source),
                hint=f"There are: {', '.join(there[:12])}.",
            )
        rows, lines = [rows[i] for i in kept], [lines[i] for i in kept]
    return rows, lines


def roles_of_columns(header: Sequence[str], source: str) -> list[str]:
    """Return for each column the name it is known by, or ``carried``.

    Raises
    ------
    InputError
        If two columns stand for the same.
    """
    roles: list[str] = []
    known = {_plain(name): name for name in COLUMN_NAMES}
    for j, name in enumerate(header):
        plain = _plain(name)
        role = known.get(plain) or _ALIASES.get(plain)
        if role is None:
            role = next((r for r, others in _LABELS.items() if plain in others), "carried")
        if role in roles and role in COLUMN_NAMES:
            first = header[roles.index(role)]
            raise InputError(
                f"columns '{first}' and '{name}' both stand for {role}",
                where=Place(source, 1, j + 1),
                hint="Keep one of them, or rename the other.",
            )
        roles.append("carried" if role in roles and role != "carried" else role)
    return roles


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "", name.lower())


def _isnumber_of_cell(cell: str) -> bool:
    if cell.lower() in _MISSING:
        return True
    try:
        return bool(np.isfinite(float(cell.replace("\N{MINUS SIGN}", "-"))))
    except ValueError:
        return False


def number_of_cell(cell: str, source: str, line: int, column: int, name: str) -> float:
    """Return the number in a cell; NaN where it is empty.

    Raises
    ------
    InputError
        If it holds anything else, with its place.
    """
    if cell.lower() in _MISSING:
        return float("nan")
    try:
        found = float(cell.replace("\N{MINUS SIGN}", "-"))
    except ValueError:
        hint = "Write numbers like 1234.5, and leave unknown cells empty."
        if re.fullmatch(r"[<>≤≥=]+\s*[\d.]+", cell):
            hint = "A bound is not a number: leave the cell empty, or give the value itself."
        elif re.fullmatch(r"-?\d+,\d+", cell):
            hint = "Write a decimal point instead of the comma."
        raise InputError(
            f"'{cell}' in column '{name}' is not a number",
            where=Place(source, line, column),
            hint=hint,
        ) from None
    if not np.isfinite(found):
        raise InputError(
            f"'{cell}' in column '{name}' is not a finite number", where=Place(source, line, column)
        )
    return found
