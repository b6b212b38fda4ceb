"""Which records hold a usable observation, of which kind, and what is censored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from statera.data.fit_data import Finding
from statera.data.raw_table import read_number
from statera.data.read_events import Problem, Reading
from statera.errors import UsageError

__all__ = ["EXTRA_ROLES", "Observed", "read_observed"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

EXTRA_ROLES = ("DVID", "CENS", "LLOQ", "LIMIT", "OCC")
"""Columns that say more of observations."""


@dataclass(frozen=True)
class Observed:
    """Usable observations, see `statera.data.fit_data.FitData` for the arrays.

    Attributes
    ----------
    labels
        What the table calls each kind.
    problems, findings, notes
        As in `statera.data.fit_data.DataReport`.
    """

    dv: Floats
    dvid: Ints
    cens: Ints
    limit: Floats
    lower: Floats
    record: Ints
    occasion: Ints | None
    labels: Mapping[int, str]
    problems: tuple[Problem, ...]
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]


class _Cells:
    """Columns as numbers, and the problems met in them."""

    def __init__(self, lines: Sequence[int], extra: Mapping[str, Sequence[str]]) -> None:
        self.lines = lines
        self.extra = extra
        self.problems: list[Problem] = []

    def say(self, record: int, what: str) -> None:
        self.problems.append(Problem(self.lines[record], what))

    def numbers(self, role: str) -> Floats:
        """Return a column as numbers, NaN where missing or absent."""
        found = np.full(len(self.lines), np.nan)
        for i, text in enumerate(self.extra.get(role, ())):
            number = read_number(text)
            if number is not None:
                found[i] = number
            elif text:
                self.say(i, f"{role}: '{text}' is not a number")
        return found


def read_observed(
    read: Reading,
    extra: Mapping[str, Sequence[str]],
    dvid: Mapping[str, int] | None,
    lloq: float | Mapping[str, float] | None,
) -> Observed:
    """Return the usable observations.

    Parameters
    ----------
    read
        The records.
    extra
        Cells of the columns of `EXTRA_ROLES`.
    dvid, lloq
        As in `statera.data.read_data`.
    """
    cells = _Cells(read.raw.lines, extra)
    given, mdv = read.values["DV"], read.values["MDV"] == 1
    wanted = np.flatnonzero((read.values["EVID"] == 0) & ~mdv)
    kinds, labels, notes = _kinds(cells, wanted, dvid)
    places = sorted({int(c) for c in read.values["CMT"][wanted].tolist() if np.isfinite(c)})
    if "DVID" not in extra and len(places) > 1:
        notes.append(
            f"observations stand in compartments {', '.join(map(str, places))} and are taken as "
            "of one kind: where CMT tells the kind, say columns={'DVID': 'CMT'}"
        )
    limit = _limits(cells, kinds, labels, lloq)
    cens = _censoring(cells, given, limit, wanted, np.isin(read.values["EVID"], (0, 2)))
    # a limit that no column tells is the value itself, as in CENS 1 with DV at the limit
    ends = np.where((cens == 1) & np.isfinite(limit), limit, given)
    for i in wanted[(cens[wanted] != 0) & ~np.isfinite(ends[wanted])].tolist():
        cells.say(i, "the value is censored, and neither DV nor LLOQ holds the limit")
    dv = np.where(cens != 0, ends, given)
    usable = wanted[np.isfinite(dv[wanted])]
    findings = [
        Finding("missing_dv", cells.lines[i], "DV is missing: the record gets a prediction only")
        for i in wanted[~np.isfinite(dv[wanted]) & (cens[wanted] == 0)].tolist()
    ]
    hidden = mdv & (cens != 0)
    findings += [
        Finding("censored_mdv", cells.lines[i], "the value is censored, but MDV is 1: not used")
        for i in np.flatnonzero(hidden).tolist()
    ]
    occasion = _occasions(cells, read.ids)
    lower = cells.numbers("LIMIT")
    return Observed(
        dv=dv[usable],
        dvid=kinds[usable],
        cens=cens[usable],
        limit=np.where(cens != 0, ends, limit)[usable],
        lower=np.where(cens == 1, lower, np.nan)[usable],
        record=usable.astype(np.int64),
        occasion=occasion,
        labels=labels,
        problems=tuple(cells.problems),
        findings=tuple(findings),
        notes=tuple(notes),
    )


def _kinds(
    cells: _Cells, wanted: Ints, given: Mapping[str, int] | None
) -> tuple[Ints, dict[int, str], list[str]]:
    """Return the kind of every record (0 where it is none), the labels, and notes."""
    kinds = np.zeros(len(cells.lines), dtype=np.int64)
    if "DVID" not in cells.extra:
        if given:
            raise UsageError("there is no column DVID whose kinds could be numbered", where="dvid")
        kinds[wanted] = 1
        return kinds, {1: "1"}, []
    column = cells.extra["DVID"]
    present = list(dict.fromkeys(column[i] for i in wanted.tolist() if column[i]))
    numbers = [read_number(text) for text in present]
    notes: list[str] = []
    if given is not None:
        code = {_label(k): int(v) for k, v in given.items()}
        if len(set(code.values())) != len(code):
            raise UsageError("two kinds have the same number", where="dvid")
    elif all(n is not None and n == round(n) for n in numbers):
        code = {_label(text): round(float(text)) for text in present}
    else:
        code = {text: i for i, text in enumerate(present, start=1)}
        notes.append("DVID: " + ", ".join(f"{t} is taken as {i}" for t, i in code.items()))
    for i in wanted.tolist():
        label = _label(column[i])
        if not label:
            cells.say(i, "DVID is missing on an observation")
        elif label not in code:
            cells.say(i, f"DVID '{label}' has no number: give it one by dvid")
        else:
            kinds[i] = code[label]
    used = set(kinds[wanted].tolist())
    return kinds, {v: k for k, v in code.items() if v in used}, notes


def _label(text: str) -> str:
    """Return a kind's label, whole numbers without their point."""
    number = read_number(str(text))
    return str(int(number)) if number is not None and number == round(number) else str(text)


def _limits(
    cells: _Cells,
    kinds: Ints,
    labels: Mapping[int, str],
    given: float | Mapping[str, float] | None,
) -> Floats:
    """Return the limit of quantification of every record, NaN where there is none."""
    column = cells.numbers("LLOQ")
    if given is None:
        return column
    if "LLOQ" in cells.extra:
        raise UsageError("the table has a column LLOQ: drop it to give the limit", where="lloq")
    if not isinstance(given, Mapping):
        return np.full(len(cells.lines), float(given))
    by_label = {_label(k): float(v) for k, v in given.items()}
    if unknown := set(by_label) - set(labels.values()):
        known = ", ".join(labels.values())
        raise UsageError(f"no observation is of kind '{min(unknown)}' ({known})", where="lloq")
    for kind, label in labels.items():
        column[kinds == kind] = by_label.get(label, np.nan)
    return column


def _censoring(
    cells: _Cells, given: Floats, limit: Floats, wanted: Ints, observation: NDArray[np.bool_]
) -> Ints:
    """Return 1 below, -1 above the limit and 0 otherwise, of every record."""
    cens = np.zeros(len(cells.lines), dtype=np.int64)
    if "CENS" not in cells.extra:
        with np.errstate(invalid="ignore"):
            cens[wanted] = (given < limit)[wanted]
        return cens
    column = cells.numbers("CENS")
    column = np.where(np.isnan(column), 0.0, column)
    for i in np.flatnonzero(observation).tolist():
        if column[i] in (-1.0, 0.0, 1.0):
            cens[i] = int(column[i])
        else:
            cells.say(i, f"CENS must be 1, 0 or -1, not {column[i]:g}")
    return cens


def _occasions(cells: _Cells, ids: Sequence[str]) -> Ints | None:
    """Return the occasion of every record, from 0 in order of appearance within the subject."""
    column = cells.extra.get("OCC")
    if column is None:
        return None
    found = np.zeros(len(ids), dtype=np.int64)
    seen: dict[tuple[str, str], int] = {}
    count: dict[str, int] = {}
    for i, (subject, text) in enumerate(zip(ids, column, strict=True)):
        if not text:
            cells.say(i, "OCC is missing")
            continue
        key = (subject, _label(text))
        if key not in seen:
            seen[key] = count[subject] = count.get(subject, -1) + 1
        found[i] = seen[key]
    return found
