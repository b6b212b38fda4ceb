"""Event tables from NONMEM data files and data frames, with a report that leaves nothing out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from statera.data.check_records import record_problems
from statera.data.events import EventTable, events_from_columns
from statera.data.raw_table import RawTable, read_number, read_numbers, read_table
from statera.errors import InputError, Place, UnknownNameError, UsageError
from statera.units import convert

__all__ = [
    "ROLES",
    "EventData",
    "EventReport",
    "Problem",
    "Reading",
    "check_events",
    "read_events",
    "refuse",
]

Floats = NDArray[np.float64]

ROLES = ("ID", "TIME", "EVID", "AMT", "RATE", "II", "ADDL", "SS", "CMT", "DV", "MDV")
"""Columns with a meaning of their own; all others are covariates. Case is ignored."""

_SHOWN = 8


@dataclass(frozen=True)
class Problem:
    """What is wrong on one line."""

    line: int
    what: str


@dataclass(frozen=True)
class EventReport:
    """What an event table holds.

    Attributes
    ----------
    source
        Name of the file, or ``table``.
    subjects, records, doses, observations, others
        Counts; doses are dose records, without those that ADDL adds.
    covariates
        Columns kept as covariates.
    problems
        What makes the table unusable, in order of lines.
    notes
        What a reader should know: columns and lines that are not used, and what was filled in.
    """

    source: str
    subjects: int
    records: int
    doses: int
    observations: int
    others: int
    covariates: tuple[str, ...]
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]

    def __str__(self) -> str:
        head = (
            f"{self.source}: {self.subjects} subjects, {self.records} records: {self.doses} doses, "
            f"{self.observations} observations, {self.others} others"
        )
        found = [f"line {p.line}: {p.what}" for p in self.problems]
        return "\n".join([head, *found, *self.notes])


@dataclass(frozen=True)
class EventData:
    """A usable event table with what was observed.

    Attributes
    ----------
    events
        Times in h and amounts in mg.
    observed : (n_observations,) float64
        DV of each observation record, in order; NaN where missing or where MDV is 1.
    compartment : (n_observations,) int64
        CMT of each observation record; 0 where not given.
    lines : (n_records,) int64
        Line of each record.
    report
        Counts and notes.
    """

    events: EventTable
    observed: Floats
    compartment: NDArray[np.int64]
    lines: NDArray[np.int64]
    report: EventReport


def read_events(
    source: Any,
    *,
    columns: Mapping[str, str] | None = None,
    covariates: Sequence[str] | None = None,
    time_unit: str = "h",
    amount_unit: str = "mg",
    comment: str = "#",
) -> EventData:
    """Read event records as NONMEM takes them.

    A point or an empty cell is missing: 0 in the columns of `ROLES` other than ID, TIME and DV.
    Without a column EVID, a record with AMT or RATE is a dose, one with MDV 1 is of type 2, and
    all others are observations. CMT names the state by number (see ``docs/events.md``).

    Parameters
    ----------
    source
        Path of a file with a header line, a polars or pandas frame, or sequences by name.
    columns
        Name of the column of each role that is called otherwise, such as ``{"ID": "SUBJID"}``.
    covariates
        Columns to keep as covariates; by default all others that hold numbers only.
    time_unit, amount_unit
        Units of TIME and II, and of AMT; RATE is an amount by a time.
    comment
        Characters that mark a line of a file as a comment. Such lines are counted.

    Raises
    ------
    InputError
        If the source cannot be read, or any record cannot be used: all problems are counted and
        the first are listed with their lines. `check_events` gives the whole list.
    """
    read = Reading(read_table(source, comment), columns or {}, covariates)
    report = read.report()
    refuse(report.problems, report.source)
    return read.data(report, convert(1.0, time_unit, "h"), convert(1.0, amount_unit, "mg"))


def refuse(problems: Sequence[Problem], source: str) -> None:
    """Raise InputError with the first problem and some more, where there are any."""
    if not problems:
        return
    first, *rest = problems
    listed = [f"line {p.line}: {p.what}" for p in rest[: _SHOWN - 1]]
    if len(rest) > len(listed):
        listed.append(f"and {len(rest) - len(listed)} more")
    raise InputError(
        f"{first.what}" + (f" ({len(rest) + 1} problems in all)" if rest else ""),
        where=Place(source, first.line),
        hint="\n  ".join(listed),
    )


def check_events(
    source: Any,
    *,
    columns: Mapping[str, str] | None = None,
    covariates: Sequence[str] | None = None,
    comment: str = "#",
) -> EventReport:
    """Return the report of an event table, with every problem, without refusing it."""
    return Reading(read_table(source, comment), columns or {}, covariates).report()


class Reading:
    """One table while it is read: numbers by role, and the problems found so far."""

    def __init__(
        self, raw: RawTable, columns: Mapping[str, str], covariates: Sequence[str] | None
    ) -> None:
        self.raw = raw
        self.n = len(raw.lines)
        self.problems: list[Problem] = []
        self.notes: list[str] = list(raw.notes)
        self.names = _roles(raw, columns)
        self.ids = self._ids()
        self.values = {role: self._role(role) for role in ROLES if role != "ID"}
        self.values["EVID"] = self._evid()
        self.covariates = self._covariates(covariates)
        if raw.comments:
            self.notes.append(
                f"{len(raw.comments)} comment lines are left out (from line {raw.comments[0]})"
            )
        self._check()

    def _say(self, record: int, what: str) -> None:
        self.problems.append(Problem(self.raw.lines[record], what))

    def _cells(self, role: str) -> Sequence[str]:
        name = self.names.get(role)
        return [""] * self.n if name is None else self.raw.columns[name]

    def _ids(self) -> list[str]:
        ids = list(self._cells("ID"))
        for i, text in enumerate(ids):
            if not text:
                self._say(i, f"column {self.names['ID']} (ID) is missing")
        return ids

    def _role(self, role: str) -> Floats:
        """Return a role's numbers, reporting cells that are none."""
        missing = np.nan if role in ("TIME", "DV") else 0.0
        cells = self._cells(role)
        quick = read_numbers(cells, missing)
        if quick is not None and not (role == "TIME" and np.isnan(quick).any()):
            return quick
        found = np.full(self.n, missing)
        for i, text in enumerate(cells):
            if not text:
                if role == "TIME":
                    self._say(i, f"column {self.names['TIME']} (TIME) is missing")
                continue
            number = read_number(text)
            if number is not None:
                found[i] = number
                continue
            hint = ": times of day are not read, give hours" if ":" in text else ""
            self._say(i, f"column {self.names[role]} ({role}): '{text}' is not a number{hint}")
        return found

    def _evid(self) -> Floats:
        if "EVID" in self.names:
            return self.values["EVID"]
        dose = (self.values["AMT"] != 0) | (self.values["RATE"] != 0)
        self.notes.append("there is no column EVID: it is taken from AMT, RATE and MDV")
        other = np.where(self.values["MDV"] == 1, 2.0, 0.0)
        return np.where(dose, 1.0, other)

    def _covariates(self, wanted: Sequence[str] | None) -> dict[str, Floats]:
        used = set(self.names.values())
        rest = [name for name in self.raw.columns if name not in used]
        for name in wanted or ():
            if name not in rest:
                raise UnknownNameError("column", name, rest, where="covariates")
        kept: dict[str, Floats] = {}
        for name in rest:
            if wanted is not None and name not in wanted:
                self.notes.append(f"column {name} is not used")
                continue
            cells = self.raw.columns[name]
            values = read_numbers(cells, np.nan)
            if values is None:
                numbers = [read_number(text) for text in cells]
                pairs = enumerate(zip(numbers, cells, strict=True))
                bad = [i for i, (x, text) in pairs if x is None and text]
                if bad and wanted is None:
                    where = f"'{cells[bad[0]]}' on line {self.raw.lines[bad[0]]} is not a number"
                    self.notes.append(f"column {name} is not used: {where}")
                    continue
                for i in bad:
                    self._say(i, f"column {name}: '{cells[i]}' is not a number")
                values = np.array([np.nan if x is None else x for x in numbers], dtype=np.float64)
            empty = int(np.isnan(values).sum())
            if empty == self.n:
                self.notes.append(f"column {name} is not used: it is empty")
                continue
            if empty:
                self.notes.append(f"column {name} is missing on {empty} records")
            kept[name] = values
        return kept

    def _check(self) -> None:
        if self.n == 0:
            self.problems.append(Problem(1, "there are no records"))
            return
        whole = ("EVID", "ADDL", "SS", "CMT")
        for role in whole:
            column = self.values[role]
            wrong = ~(column == np.round(column)) | (np.abs(column) >= 1e9)
            for i in np.flatnonzero(wrong).tolist():
                self._say(i, f"{role} must be a whole number")
        for i in np.flatnonzero(self.values["CMT"] < 0).tolist():
            self._say(i, "CMT below zero (a compartment turned off) is not supported")
        if self.problems:
            return  # the rules below need every number
        values = {
            "time": self.values["TIME"], "evid": self.values["EVID"],
            "amount": self.values["AMT"], "rate": self.values["RATE"],
            "interval": self.values["II"], "additional": self.values["ADDL"],
            "steady_state": self.values["SS"],
        }  # fmt: skip
        for i, what in record_problems(values, self.ids):
            self._say(i, what)
        done: set[str] = set()
        for i in range(self.n):
            if i and self.ids[i] != self.ids[i - 1]:
                done.add(self.ids[i - 1])
                if self.ids[i] in done:
                    self._say(i, f"the records of subject {self.ids[i]} do not stand together")

    def report(self) -> EventReport:
        """Return the counts, problems and notes of the table."""
        evid = self.values["EVID"]
        doses, observed = int(np.isin(evid, (1, 4)).sum()), int((evid == 0).sum())
        return EventReport(
            source=self.raw.file,
            subjects=len(set(self.ids)),
            records=self.n,
            doses=doses,
            observations=observed,
            others=self.n - doses - observed,
            covariates=tuple(self.covariates),
            problems=tuple(sorted(self.problems, key=lambda p: p.line)),
            notes=tuple(self.notes),
        )

    def data(self, report: EventReport, hour: float, mg: float) -> EventData:
        """Return the records; one hour and one mg in the table's units."""
        values = self.values
        rate = values["RATE"]
        events = events_from_columns(
            subject=self.ids,
            time=values["TIME"] * hour,
            evid=values["EVID"],
            amount=values["AMT"] * mg,
            rate=np.where(rate > 0, rate * mg / hour, rate),
            interval=values["II"] * hour,
            additional=values["ADDL"],
            steady_state=values["SS"],
            compartment=values["CMT"],
            covariates=self.covariates,
        )
        rows = events.evid == 0
        return EventData(
            events=events,
            observed=np.where(values["MDV"] == 1, np.nan, values["DV"])[rows],
            compartment=values["CMT"].astype(np.int64)[rows],
            lines=np.array(self.raw.lines, dtype=np.int64),
            report=report,
        )


def _roles(raw: RawTable, columns: Mapping[str, str]) -> dict[str, str]:
    """Return the column of each role that is there."""
    found: dict[str, str] = {}
    for role, name in columns.items():
        if role.upper() not in ROLES:
            raise UnknownNameError("role", role, ROLES, where="columns")
        if name not in raw.columns:
            raise UnknownNameError("column", name, raw.columns, where=raw.file)
        found[role.upper()] = name
    taken = set(found.values())
    if len(taken) != len(found):
        raise UsageError("one column is given two roles", where="columns")
    named = set(found)
    for name in raw.columns:
        role = name.upper()
        if role not in ROLES or role in named or name in taken:
            continue
        if role in found:
            raise InputError(
                f"columns {found[role]} and {name} are both {role}",
                where=raw.file,
                hint=f"Say which by columns={{'{role}': '{name}'}}.",
            )
        found[role] = name
    for role in ("ID", "TIME"):
        if role not in found:
            raise InputError(
                f"there is no column {role}",
                where=raw.file,
                hint=f"Columns: {', '.join(raw.columns)}. Name it by columns={{'{role}': ...}}.",
            )
    return found
