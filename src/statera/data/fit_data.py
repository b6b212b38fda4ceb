"""Data of a fit: records with what was observed, and a report that leaves nothing out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from statera.data.events import EventTable
from statera.data.read_events import Problem
from statera.errors import UsageError

__all__ = ["DataReport", "Excluded", "Finding", "FitData"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_SHOWN = 6


@dataclass(frozen=True)
class Excluded:
    """Records that a condition, or a mark of comments, has left out.

    Attributes
    ----------
    rule
        Such as ``ignore SD.NE.1``.
    records, first_line
        Their number, and where the first stands; 0 where there are none.
    """

    rule: str
    records: int
    first_line: int


@dataclass(frozen=True)
class Finding:
    """Something odd that does not make the data unusable.

    Attributes
    ----------
    kind
        Status, such as ``duplicate_time``; see `statera.data.fit_checks`.
    line
        Line of the first record it concerns.
    what
        A sentence.
    """

    kind: str
    line: int
    what: str


@dataclass(frozen=True)
class DataReport:
    """What a data set holds.

    Attributes
    ----------
    source
        Name of the file, or ``table``.
    subjects, records, doses
        Counts after exclusion; doses are dose records, without those that ADDL adds.
    observations, below, above
        Usable observations by kind (DVID), and how many of them are below or above a limit of
        quantification.
    predictions
        Records that get a prediction and have no usable observation.
    excluded
        What was left out by which rule; also rules that left nothing out.
    covariates
        Columns kept as covariates.
    problems
        What makes the data unusable.
    findings
        What is odd.
    notes
        Columns that are not used, and what was filled in.
    """

    source: str
    subjects: int
    records: int
    doses: int
    observations: Mapping[str, int]
    below: Mapping[str, int]
    above: Mapping[str, int]
    predictions: int
    excluded: tuple[Excluded, ...]
    covariates: tuple[str, ...]
    problems: tuple[Problem, ...]
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]

    def __str__(self) -> str:
        lines = [
            f"{self.source}: {self.subjects} subjects, {self.records} records, {self.doses} doses, "
            f"{sum(self.observations.values())} observations, {self.predictions} records with a "
            "prediction only"
        ]
        for kind, count in self.observations.items():
            limits = [
                f"{number} {where} the limit of quantification"
                for number, where in ((self.below[kind], "below"), (self.above[kind], "above"))
                if number
            ]
            lines.append(f"DVID {kind}: {count} observations{''.join(', ' + x for x in limits)}")
        for rule in self.excluded:
            first = f", the first on line {rule.first_line}" if rule.records else ""
            lines.append(f"{rule.rule}: {rule.records} records left out{first}")
        lines += [f"line {p.line}: {p.what}" for p in self.problems]
        for kind in dict.fromkeys(f.kind for f in self.findings):
            same = [f for f in self.findings if f.kind == kind]
            lines += [f"line {f.line}: {f.what}" for f in same[:_SHOWN]]
            if len(same) > _SHOWN:
                lines.append(f"and {len(same) - _SHOWN} more of the kind {kind}")
        if self.covariates:
            lines.append(f"covariates: {', '.join(self.covariates)}")
        return "\n".join([*lines, *self.notes])

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain data, with all problems and findings."""
        plain = asdict(replace(self, observations={}, below={}, above={}))
        for name in ("observations", "below", "above"):
            plain[name] = dict(getattr(self, name))
        return plain


@dataclass(frozen=True)
class FitData:
    """Records and observations, ready to be fitted.

    Attributes
    ----------
    events
        All records, with a row of predictions for each that is not a dose or a reset.
    dv : (n_obs,) float64
        Observed values on the scale of `dv_scale`, in the order of the table. A censored value is
        as given, or its limit where it is missing.
    dvid : (n_obs,) int64
        Kind of observation; `dvid_labels` holds what the table calls it.
    cens : (n_obs,) int64
        1 below the limit, -1 above it, 0 quantified.
    limit : (n_obs,) float64
        Limit of quantification that applies to the observation, NaN where there is none.
    lower : (n_obs,) float64
        Lower end of the interval of a value below the limit (column LIMIT), NaN where none.
    subject : (n_obs,) int64
        Index into ``events.subject_ids``.
    record : (n_obs,) int64
        Record of the table that holds the observation.
    row : (n_obs,) int64
        Row of its prediction, see ``EventTable.flat_row``.
    line : (n_obs,) int64
        Line of the file.
    occasion : (n_records,) int64 or None
        Occasion of each record, counted from 0 within the subject in order of appearance.
    lines : (n_records,) int64
        Line of each record.
    dv_scale
        ``natural``, or ``log`` where the table holds logarithms.
    dvid_labels
        What the table calls each kind.
    report
        Counts, exclusions, findings.
    """

    events: EventTable
    dv: Floats
    dvid: Ints
    cens: Ints
    limit: Floats
    lower: Floats
    subject: Ints
    record: Ints
    row: Ints
    line: Ints
    occasion: Ints | None
    lines: Ints
    dv_scale: Literal["natural", "log"]
    dvid_labels: Mapping[int, str]
    report: DataReport

    @property
    def n_obs(self) -> int:
        """Number of usable observations."""
        return self.dv.size

    def to_natural(self) -> FitData:
        """Return the data with logarithms turned back into values.

        Raises
        ------
        UsageError
            If they are on the natural scale already.
        """
        if self.dv_scale != "log":
            raise UsageError("the data are on the natural scale already", where="dv_scale")
        return replace(
            self,
            dv=np.exp(self.dv),
            limit=np.exp(self.limit),
            lower=np.exp(self.lower),
            dv_scale="natural",
        )
