"""From columns of text to outcomes, exposures and covariates of rows that are complete."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from statera.errors import InputError, UnknownNameError
from statera.response.binary import Binary
from statera.response.cox import Cox
from statera.response.hazards import Hazard
from statera.response.ordinal import Ordinal
from statera.response.outcomes import Outcome
from statera.response.time_to_event import TimeToEvent

__all__ = ["OutcomeColumns", "ResponseRows", "read_rows"]

Floats = NDArray[np.float64]
Endpoint = Literal["binary", "ordinal", "time"]

_EMPTY = frozenset({"", "na", "nan", "null", "."})
_YES = frozenset({"1", "1.0", "yes", "true", "y"})
_NO = frozenset({"0", "0.0", "no", "false", "n"})
_SHOWN = 8


@dataclass(frozen=True)
class OutcomeColumns:
    """Which column holds what; empty for none.

    Attributes
    ----------
    outcome
        Answer (yes/no, 1/0) or grade; of times, whether the event came (1/0).
    time
        Time of the event or of leaving.
    until
        Between two visits: the visit at which the event was found; `time` is the one before.
        Empty cells are rows without an event.
    start
        From when a row was under observation.
    exposure, dose, subject
        Of each row.
    numbers
        Further columns of numbers, such as covariates of a population model.
    covariates
        Columns of the model: numbers, or levels with the first as baseline.
    levels
        Of a grade, lowest first; sorted unless given.
    """

    outcome: str = ""
    time: str = ""
    until: str = ""
    start: str = ""
    exposure: str = ""
    dose: str = ""
    subject: str = ""
    numbers: tuple[str, ...] = ()
    covariates: tuple[str, ...] = ()
    levels: tuple[str, ...] = ()

    @property
    def used(self) -> tuple[str, ...]:
        """Columns that must be complete."""
        named = (self.outcome, self.time, self.start, self.exposure, self.dose, self.subject)
        return tuple(dict.fromkeys(n for n in (*named, *self.numbers, *self.covariates) if n))


@dataclass(frozen=True)
class ResponseRows:
    """Rows that are complete, n of them.

    Attributes
    ----------
    outcome
    exposure : (n,) float64 or None
        None where no column was named.
    dose : (n,) tuple of str
        As written; empty where no column was named.
    numbers, covariates
        Columns (n,) by name; a covariate of levels has a column for each but the first.
    notes
        What was left out.
    """

    outcome: Outcome | Cox
    exposure: Floats | None
    dose: tuple[str, ...]
    numbers: Mapping[str, Floats]
    covariates: Mapping[str, Floats]
    notes: tuple[str, ...]


def read_rows(
    table: Mapping[str, Sequence[str]],
    endpoint: Endpoint,
    columns: OutcomeColumns,
    hazard: Hazard | None = None,
) -> ResponseRows:
    """Return the rows of a table.

    Parameters
    ----------
    table
        Cells as text by column.
    endpoint
        ``binary``, ``ordinal`` or ``time``.
    columns
        Which column holds what.
    hazard
        Of times; None for Cox's model.

    Raises
    ------
    UnknownNameError
        If there is no such column.
    InputError
        If a cell cannot be read, no row is complete, or times contradict each other.
    """
    for name in (*columns.used, *((columns.until,) if columns.until else ())):
        if name not in table:
            raise UnknownNameError("column", name, table)
    _check_asked(endpoint, columns)
    cells = {name: ["" if c is None else str(c).strip() for c in table[name]] for name in table}
    n = len(next(iter(cells.values()), []))
    optional = {columns.outcome} if columns.until else set()
    full = np.ones(n, dtype=bool)
    for name in columns.used:
        if name not in optional:
            full &= np.array([c.lower() not in _EMPTY for c in cells[name]], dtype=bool)
    if not full.any():
        raise InputError("no row has all the columns that are used", where="table")
    kept = np.flatnonzero(full)
    notes = []
    if kept.size < n:
        lost = np.flatnonzero(~full) + 1
        shown = ", ".join(str(r) for r in lost[:_SHOWN]) + (", ..." if lost.size > _SHOWN else "")
        notes.append(f"{lost.size} of {n} rows lack a value and were left out: row {shown}.")
    own = {name: [column[i] for i in kept] for name, column in cells.items()}
    people = np.arange(kept.size)
    if columns.subject:
        people = np.unique(own[columns.subject], return_inverse=True)[1]
    outcome = _outcome(own, endpoint, columns, people, hazard, kept)
    repeated = np.unique(people).size < people.size
    if repeated and endpoint != "time":
        notes.append(
            "Some subjects have several rows, which are taken as independent: standard errors and "
            "p-values are too small. Use one row a subject."
        )
    covariates: dict[str, Floats] = {}
    for name in columns.covariates:
        covariates |= _covariate(name, own[name])
    return ResponseRows(
        outcome,
        _numbers(own, columns.exposure, kept) if columns.exposure else None,
        tuple(own[columns.dose]) if columns.dose else (),
        {name: _numbers(own, name, kept) for name in columns.numbers},
        covariates,
        tuple(notes),
    )


def _check_asked(endpoint: Endpoint, columns: OutcomeColumns) -> None:
    if endpoint == "time":
        if not columns.time or not (columns.outcome or columns.until):
            raise InputError(
                "times need a column of times and one that says whether the event came",
                where="endpoint",
                hint="Name both columns, or the visit until which the event came.",
            )
        return
    if not columns.outcome:
        raise InputError("the column of the response is not named", where="outcome")


def _outcome(
    cells: Mapping[str, Sequence[str]], endpoint: Endpoint, columns: OutcomeColumns,
    people: NDArray[np.int64], hazard: Hazard | None, rows: NDArray[np.int64],
) -> Outcome | Cox:  # fmt: skip
    if endpoint == "binary":
        return Binary(_answers(cells[columns.outcome], columns.outcome, rows), people)
    if endpoint == "ordinal":
        return _grades(cells[columns.outcome], columns.levels, people)
    time = _numbers(cells, columns.time, rows)
    entry = _numbers(cells, columns.start, rows) if columns.start else np.zeros(time.size)
    right = _ends(cells, columns, time, rows)
    _check_times(entry, time, right, people, rows)
    if hazard is not None:
        return TimeToEvent(entry, time, right, people, hazard)
    if (np.isfinite(right) & (right > time)).any():
        raise InputError(
            "Cox's model takes times that are known exactly or censored on the right",
            where="until",
            hint="Use a parametric or piecewise hazard for events between two visits.",
        )
    return Cox(entry, time, np.isfinite(right), people)


def _ends(
    cells: Mapping[str, Sequence[str]], columns: OutcomeColumns, time: Floats,
    rows: NDArray[np.int64],
) -> Floats:  # fmt: skip
    """Return until when the event came; infinite where it did not."""
    if not columns.until:
        event = _answers(cells[columns.outcome], columns.outcome, rows)
        return np.where(event, time, np.inf)
    texts = cells[columns.until]
    empty = [t.lower() in _EMPTY or t.lower() in ("inf", "infinity") for t in texts]
    filled = ["inf" if gap else t for t, gap in zip(texts, empty, strict=True)]
    return _numbers({columns.until: filled}, columns.until, rows, infinite=True)


def _check_times(
    entry: Floats, left: Floats, right: Floats, people: NDArray[np.int64], rows: NDArray[np.int64]
) -> None:
    exact = left == right
    last = np.where(np.isfinite(right), right, left)
    for bad, what in (
        ((entry < 0) | (left < 0), "a time is negative"),
        (right < left, "the event came before the time that it came after"),
        (exact & (left <= 0), "an event at time 0 has no density"),
        (last <= entry, "a row ends before or when it starts"),
        (left < entry, "a row is known before it was under observation"),
    ):
        if bad.any():
            at = int(rows[np.flatnonzero(bad)[0]]) + 1
            raise InputError(f"{what} (row {at}, {int(bad.sum())} in all)", where="time")
    order = np.lexsort((entry, people))
    same = people[order][1:] == people[order][:-1]
    overlap = same & (entry[order][1:] < last[order][:-1] - 1e-12)
    after = same & np.isfinite(right[order][:-1])
    for bad, what in (
        (overlap, "rows of a subject overlap in time"),
        (after, "a subject is under observation after its event"),
    ):
        if bad.any():
            at = int(rows[order[1:][bad][0]]) + 1
            raise InputError(
                f"{what} (row {at})", where="time",
                hint="Give each row of a subject its start and its end.",
            )  # fmt: skip


def _answers(texts: Sequence[str], name: str, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    for i, text in enumerate(texts):
        if text.lower() not in _YES and text.lower() not in _NO:
            raise InputError(
                f"'{text}' is neither yes nor no (row {int(rows[i]) + 1})", where=name,
                hint="Write 1 and 0, yes and no, or true and false.",
            )  # fmt: skip
    return np.array([text.lower() in _YES for text in texts], dtype=bool)


def _grades(texts: Sequence[str], given: tuple[str, ...], people: NDArray[np.int64]) -> Ordinal:
    levels = given or tuple(sorted(set(texts), key=_natural))
    for text in texts:
        if text not in levels:
            raise UnknownNameError("grade", text, levels)
    present = [level for level in levels if level in set(texts)]
    if len(present) < 2:
        raise InputError("all rows have the same grade", where="outcome")
    place = {level: k for k, level in enumerate(present)}
    return Ordinal(np.array([place[t] for t in texts]), tuple(present), people)


def _natural(text: str) -> tuple[int, float, str]:
    try:
        return 0, float(text), ""
    except ValueError:
        return 1, 0.0, text


def _numbers(
    cells: Mapping[str, Sequence[str]], name: str, rows: NDArray[np.int64], infinite: bool = False
) -> Floats:
    found = np.empty(len(cells[name]))
    for i, text in enumerate(cells[name]):
        try:
            found[i] = float(text)
        except ValueError:
            found[i] = np.nan
        if np.isnan(found[i]) or (np.isinf(found[i]) and not infinite):
            raise InputError(f"'{text}' is not a number (row {int(rows[i]) + 1})", where=name)
    return found


def _covariate(name: str, texts: Sequence[str]) -> dict[str, Floats]:
    try:
        values = np.array([float(t) for t in texts])
    except ValueError:
        levels = sorted(set(texts))
        return {
            f"{name}[{level}]": np.array([float(t == level) for t in texts]) for level in levels[1:]
        }
    if not np.isfinite(values).all():
        raise InputError(f"column {name} holds a value that is not finite", where=name)
    return {name: values}
