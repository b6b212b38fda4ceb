"""Data of a fit from NONMEM data files and data frames, with a report that leaves nothing out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from statera.data.filters import is_mark, read_conditions
from statera.data.fit_checks import find_oddities
from statera.data.fit_data import DataReport, Excluded, Finding, FitData
from statera.data.observed import EXTRA_ROLES, Observed, read_observed
from statera.data.raw_table import RawTable, read_table
from statera.data.read_events import ROLES, Reading, refuse
from statera.errors import InputError, UnknownNameError, UsageError
from statera.units import convert

__all__ = ["check_data", "read_data"]

Ints = NDArray[np.int64]

_LOOKS_CENSORED = ("BLQ", "BLOQ", "BQL", "LOQ", "ULOQ")


def read_data(
    source: Any,
    *,
    columns: Mapping[str, str] | None = None,
    names: Sequence[str] | None = None,
    ignore: Sequence[str] | str = (),
    accept: Sequence[str] | str = (),
    drop: Sequence[str] = (),
    covariates: Sequence[str] | None = None,
    dvid: Mapping[str, int] | None = None,
    lloq: float | Mapping[str, float] | None = None,
    dv_scale: Literal["natural", "log"] = "natural",
    time_unit: str = "h",
    amount_unit: str = "mg",
) -> FitData:
    """Read records and observations for a fit, as NONMEM takes them.

    Records follow `statera.data.read_events`. An observation is usable where it is of EVID 0, MDV
    is not 1 and DV holds a number, or a limit stands for it. All other observation records, and
    those of EVID 2, get a prediction only.

    Parameters
    ----------
    source
        Path of a file, plain or ``.gz``; a polars or pandas frame; or sequences by name.
    columns
        Name of the column of each role that is called otherwise, such as ``{"DV": "CONC"}``;
        roles are those of `statera.data.read_events`, DVID (kind of observation, number or text),
        CENS (1 below, -1 above the limit, 0 quantified), LLOQ (limit of quantification), LIMIT
        (lower end of the interval of a value below the limit) and OCC. Case is ignored.
    names
        Names of all columns, for a file without a header line, or with one marked as a comment.
    ignore
        Conditions on records to leave out, such as ``"DOSE.EQ.0"`` or ``"ID>100"``, and single
        characters that mark lines to leave out (``@`` stands for all letters; ``#`` always does).
    accept
        Conditions of which a record must fulfil one.
    drop
        Columns not to read; conditions may still use them.
    covariates
        Columns to keep as covariates; by default all others that hold numbers only.
    dvid
        Number of each kind that the column DVID names; by default the numbers in it, or 1, 2, ...
        in order of appearance.
    lloq
        Limit of quantification, or that of each kind by its label, where no column holds it.
        Without a column CENS values below the limit are censored.
    dv_scale
        ``log`` where DV, LLOQ and LIMIT hold natural logarithms.
    time_unit, amount_unit
        Units of TIME and II, and of AMT.

    Raises
    ------
    InputError
        If the source cannot be read or a record cannot be used: all problems are counted and the
        first are listed with their lines. `check_data` gives the whole list.
    """
    draft = _Draft(
        source, columns or {}, names, ignore, accept, drop, covariates, dvid, lloq, dv_scale
    )
    refuse(draft.problems, draft.raw.file)
    return draft.data(convert(1.0, time_unit, "h"), convert(1.0, amount_unit, "mg"))


def check_data(
    source: Any,
    *,
    columns: Mapping[str, str] | None = None,
    names: Sequence[str] | None = None,
    ignore: Sequence[str] | str = (),
    accept: Sequence[str] | str = (),
    drop: Sequence[str] = (),
    covariates: Sequence[str] | None = None,
    dvid: Mapping[str, int] | None = None,
    lloq: float | Mapping[str, float] | None = None,
    dv_scale: Literal["natural", "log"] = "natural",
) -> DataReport:
    """Return the report of data of a fit, with every problem, without refusing them.

    Arguments as `read_data`. What is odd but usable is found only where nothing is unusable.
    """
    draft = _Draft(
        source, columns or {}, names, ignore, accept, drop, covariates, dvid, lloq, dv_scale
    )
    return draft.report() if draft.problems else draft.data(1.0, 1.0).report


class _Draft:
    """Data while they are read."""

    def __init__(
        self,
        source: Any,
        columns: Mapping[str, str],
        names: Sequence[str] | None,
        ignore: Sequence[str] | str,
        accept: Sequence[str] | str,
        drop: Sequence[str],
        covariates: Sequence[str] | None,
        dvid: Mapping[str, int] | None,
        lloq: float | Mapping[str, float] | None,
        dv_scale: Literal["natural", "log"],
    ) -> None:
        if dv_scale not in ("natural", "log"):
            raise UsageError(f"'{dv_scale}' is not a scale: natural or log", where="dv_scale")
        self.dv_scale = dv_scale
        ignored = [ignore] if isinstance(ignore, str) else list(ignore)
        accepted = [accept] if isinstance(accept, str) else list(accept)
        marks = [text.strip() for text in ignored if is_mark(text)]
        table = read_table(source, "".join(["#", *marks]), names)
        mapped = _mapping(columns, table)
        self.excluded: list[Excluded] = []
        if marks or table.comments:
            shown = ", ".join(dict.fromkeys(["#", *marks]))
            first = table.comments[0] if table.comments else 0
            self.excluded.append(Excluded(f"lines marked by {shown}", len(table.comments), first))
        kept = self._filter(
            table, mapped, [t for t in ignored if not is_mark(t)], accepted
        )  # before columns go: conditions may use them
        table = _take(table, kept)
        dropped = {_column(name, table, "drop") for name in drop}
        extra, base = _split(table, mapped, dropped)
        self.raw = base
        self.read = Reading(base, {k: v for k, v in mapped.items() if k in ROLES}, covariates)
        self.notes = [f"column {name} is not used: it is dropped" for name in sorted(dropped)]
        self.notes += [
            f"column {name} is kept as a covariate: if it tells what is censored, say so by "
            "columns={'CENS': ...} or lloq"
            for name in self.read.covariates
            if name.upper() in _LOOKS_CENSORED
        ]
        if "DV" not in self.read.names:
            raise InputError(
                "there is no column DV",
                where=base.file,
                hint=f"Columns: {', '.join(base.columns)}. Name it by columns={{'DV': ...}}.",
            )
        self.observed: Observed = read_observed(self.read, extra, dvid, lloq)
        self.notes += self.observed.notes
        self.problems = sorted(
            {*self.read.problems, *self.observed.problems}, key=lambda p: (p.line, p.what)
        )

    def _filter(
        self, table: RawTable, mapped: Mapping[str, str], ignore: list[str], accept: list[str]
    ) -> list[int]:
        """Return the records that conditions keep, and note what each leaves out."""
        listed = list(table.columns)
        kept = list(range(len(table.lines)))
        for condition in read_conditions(ignore, listed, mapped, "ignore"):
            cells = table.columns[condition.column]
            out = {i for i in kept if condition.holds(cells[i])}
            self._exclude(f"ignore {condition.text}", table, out)
            kept = [i for i in kept if i not in out]
        conditions = read_conditions(accept, listed, mapped, "accept")
        if conditions:
            out = {
                i for i in kept if not any(c.holds(table.columns[c.column][i]) for c in conditions)
            }
            text = " or ".join(c.text for c in conditions)
            self._exclude(f"accept {text}", table, out)
            kept = [i for i in kept if i not in out]
        return kept

    def _exclude(self, rule: str, table: RawTable, out: set[int]) -> None:
        first = table.lines[min(out)] if out else 0
        self.excluded.append(Excluded(rule, len(out), first))

    def report(self, findings: Sequence[Finding] = ()) -> DataReport:
        """Return the report; what was observed is counted by label."""
        read, observed = self.read, self.observed
        labels = {k: observed.labels[k] for k in sorted(observed.labels)}
        kinds = {label: observed.dvid == k for k, label in labels.items()}
        found = read.report()
        return DataReport(
            source=self.raw.file,
            subjects=found.subjects,
            records=found.records,
            doses=found.doses,
            observations={label: int(rows.sum()) for label, rows in kinds.items()},
            below={k: int((observed.cens[rows] == 1).sum()) for k, rows in kinds.items()},
            above={k: int((observed.cens[rows] == -1).sum()) for k, rows in kinds.items()},
            predictions=int(np.isin(read.values["EVID"], (0, 2)).sum()) - observed.record.size,
            excluded=tuple(self.excluded),
            covariates=tuple(read.covariates),
            problems=tuple(self.problems),
            findings=tuple(findings),
            notes=(*found.notes, *self.notes),
        )

    def data(self, hour: float, mg: float) -> FitData:
        """Return the data; one hour and one mg in the table's units."""
        read, observed = self.read, self.observed
        values, lines = read.values, np.array(self.raw.lines, dtype=np.int64)
        report, record = read.report(), observed.record
        given = np.where(values["MDV"] == 1, np.nan, values["DV"])
        # a record of EVID 2 is one with a prediction and nothing observed
        values["EVID"] = np.where(values["EVID"] == 2, 0.0, values["EVID"])
        events = read.data(report, hour, mg).events
        oddities = find_oddities(
            events,
            given,
            used=record,
            dv=np.where(observed.cens == 0, observed.dv, np.nan),
            dvid=observed.dvid,
            lines=lines,
            log=self.dv_scale == "log",
        )
        return FitData(
            events=events,
            dv=observed.dv,
            dvid=observed.dvid,
            cens=observed.cens,
            limit=observed.limit,
            lower=observed.lower,
            subject=np.searchsorted(events.offsets, record, side="right") - 1,
            record=record,
            row=events.flat_row[record],
            line=lines[record],
            occasion=observed.occasion,
            lines=lines,
            dv_scale=self.dv_scale,
            dvid_labels=observed.labels,
            report=self.report([*oddities, *observed.findings]),
        )


def _mapping(columns: Mapping[str, str], table: RawTable) -> dict[str, str]:
    """Return the column of each role that is named, with both as they are spelled here."""
    found = {}
    for role, name in columns.items():
        if role.upper() not in (*ROLES, *EXTRA_ROLES):
            raise UnknownNameError("role", role, (*ROLES, *EXTRA_ROLES), where="columns")
        found[role.upper()] = _column(name, table, "columns")
    return found


def _column(name: str, table: RawTable, where: str) -> str:
    """Return a column of the table, in any case."""
    if name in table.columns:
        return name
    same = [c for c in table.columns if c.upper() == name.upper()]
    if len(same) != 1:
        raise UnknownNameError("column", name, table.columns, where=where)
    return same[0]


def _take(table: RawTable, kept: Sequence[int]) -> RawTable:
    """Return some records of a table."""
    if len(kept) == len(table.lines):
        return replace(table, comments=())
    columns = {name: [cells[i] for i in kept] for name, cells in table.columns.items()}
    lines = tuple(table.lines[i] for i in kept)
    return replace(table, columns=columns, lines=lines, comments=())


def _split(
    table: RawTable, mapped: Mapping[str, str], dropped: set[str]
) -> tuple[dict[str, Sequence[str]], RawTable]:
    """Return the cells of the roles of observations, and the table without them.

    A column stays where it has another meaning as well: OCC is a covariate, too, and CMT may tell
    the kind of observation.
    """
    extra: dict[str, Sequence[str]] = {}
    gone = set(dropped)
    for role in EXTRA_ROLES:
        name = mapped.get(role)
        if name is None:
            name = next((c for c in table.columns if c.upper() == role and c not in gone), None)
        if name is None or name in dropped:
            continue
        extra[role] = table.columns[name]
        other = name.upper() in ROLES or name in [v for k, v in mapped.items() if k in ROLES]
        if role != "OCC" and not other:
            gone.add(name)
    kept = {name: cells for name, cells in table.columns.items() if name not in gone}
    return extra, replace(table, columns=kept)
