"""Potencies fitted from a plate, with where they come from: what a potency file holds."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from statera.engagement.ic50_uncertainty import Ic50Uncertainty
from statera.engagement.potency import MAX_HILL, MAX_VALUE, Potency
from statera.engagement.stated import MATRICES, Matrix
from statera.errors import InputError
from statera.sources.fact import Relation

__all__ = [
    "PotencyFile",
    "PotencyProvenance",
    "PotencyRecord",
    "PotencyStatus",
    "RefusedPotency",
    "first_problem",
]

HASH = re.compile(r"sha256:[0-9a-f]{64}")
"""How content hashes are written."""

Problem = tuple[str, str, str]
"""Key, what is wrong with it, and what was expected."""


class PotencyStatus(StrEnum):
    """How well an IC50 is known; those that are not known at all are refused."""

    DETERMINED = "determined"
    AT_LEAST = "at least"
    AT_MOST = "at most"

    @property
    def relation(self) -> Relation:
        """The relation of the value to the IC50."""
        return {
            PotencyStatus.DETERMINED: Relation.EQUAL,
            PotencyStatus.AT_LEAST: Relation.AT_LEAST,
            PotencyStatus.AT_MOST: Relation.AT_MOST,
        }[self]


@dataclass(frozen=True)
class PotencyRecord:
    """One fitted potency.

    Attributes
    ----------
    drug, stimulus, readout, cells
        What inhibits which signal, read how, in which cells.
    value
        IC50, nM: the estimate where determined, else the end of the interval that is known.
    hill
        Hill coefficient as fitted, above 0.
    status
        Whether `value` is the IC50 or a bound of it.
    assay, matrix
        Kind of assay in words, and what the drug was dissolved in.
    low, high
        Interval of the mean over donors, nM; None for an open end.
    level
        Of the interval.
    ln_se
        Standard error of ln IC50 of the mean; None where unknown. Of a bound it is kept and not
        used.
    ln_sd_between
        Standard deviation of ln IC50 between donors; None where unknown.
    donors
        How many were fitted.
    flags
        What a reader must know of the estimate, as sentences.
    source, note
        Name of the experiment, and a remark.

    Raises
    ------
    InputError
        If a number is not possible, or does not fit the status.
    """

    drug: str
    stimulus: str
    readout: str
    cells: str
    value: float
    hill: float
    status: PotencyStatus = PotencyStatus.DETERMINED
    assay: str = ""
    matrix: Matrix = "unknown"
    low: float | None = None
    high: float | None = None
    level: float = 0.95
    ln_se: float | None = None
    ln_sd_between: float | None = None
    donors: int = 1
    flags: tuple[str, ...] = ()
    source: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        problem = first_problem(vars(self))
        if problem is not None:
            key, what, expected = problem
            raise InputError(what, where=f"{self.name}, {key}", hint=f"Expected {expected}.")

    @property
    def name(self) -> str:
        """Such as ``IL-6, pSTAT3, CD4``."""
        return ", ".join(p for p in (self.stimulus, self.readout, self.cells) if p)

    @property
    def relation(self) -> Relation:
        """The relation of the value to the IC50."""
        return self.status.relation

    def potency(self) -> Potency:
        """Return it as the potency that engagement and forecasts use."""
        remarks = (*self.flags, self.note)
        return Potency(
            drug=self.drug,
            value=self.value,
            unit="nM",
            relation=self.relation,
            stimulus=self.stimulus,
            readout=self.readout,
            assay=self.assay,
            hill=self.hill,
            hill_assumed=False,
            matrix=self.matrix,
            source=self.source,
            note="; ".join(r for r in remarks if r),
            cells=self.cells,
            uncertainty=Ic50Uncertainty(
                self.ln_se, self.ln_sd_between, self.low, self.high, self.level, self.donors
            ),
        )


@dataclass(frozen=True)
class RefusedPotency:
    """A curve that gave no potency, kept so that nothing is lost.

    Attributes
    ----------
    stimulus, cells, readout
    donor
        Empty where all donors together gave none.
    reason
        As a sentence.
    """

    stimulus: str
    cells: str
    readout: str
    donor: str
    reason: str


@dataclass(frozen=True)
class PotencyProvenance:
    """Where fitted potencies come from.

    Attributes
    ----------
    statera
        Version of the program.
    created
        Date and time in UTC.
    settings, plate_map
        Content hashes of the plate's settings and of its map.
    gates
        Content hash or name of the gates, or in words how they were made.
    statistics, fit
        What was computed of each well and how curves were fitted, in words.
    files
        Content hash of each file of events by its name.
    """

    statera: str
    created: str
    settings: str
    plate_map: str
    gates: str = ""
    statistics: str = ""
    fit: str = ""
    files: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True)
class PotencyFile:
    """Everything that a potency file says.

    Attributes
    ----------
    name
        Of the experiment.
    potencies, refused
    provenance
    content_hash
        Of the file that was read; empty where it was made in memory. Not compared.
    """

    name: str
    potencies: tuple[PotencyRecord, ...]
    refused: tuple[RefusedPotency, ...]
    provenance: PotencyProvenance
    content_hash: str = field(default="", compare=False)


def first_problem(fields: Mapping[str, Any]) -> Problem | None:
    """Return the first thing that cannot be in the fields of a `PotencyRecord`, or None."""
    for key in ("drug", "stimulus", "readout", "cells"):
        if not fields[key]:
            return key, f"'{key}' is empty", "a text"
    if fields["matrix"] not in MATRICES:
        known = ", ".join(MATRICES)
        return "matrix", f"'{fields['matrix']}' is not a matrix", f"one of: {known}"
    return _number_problem(fields) or _interval_problem(fields)


def _number_problem(fields: Mapping[str, Any]) -> Problem | None:
    for key in ("value", "low", "high"):
        value = fields[key]
        if value is None and key != "value":
            continue
        if not 0.0 < value <= MAX_VALUE:
            return key, f"'{key}' is {value:g} nM", "a concentration above 0 and below 1 mol/L"
    hill = fields["hill"]
    if not 0.0 < hill <= MAX_HILL:
        return "hill", f"'hill' is {hill:g}", f"a Hill coefficient above 0, at most {MAX_HILL:g}"
    for key in ("ln_se", "ln_sd_between"):
        value = fields[key]
        if value is not None and not (math.isfinite(value) and value >= 0.0):
            return key, f"'{key}' is {value:g}", "a standard deviation of ln IC50, at least 0"
    if not 0.0 < fields["level"] < 1.0:
        return "level", f"'level' is {fields['level']:g}", "a number between 0 and 1, such as 0.95"
    if fields["donors"] < 1:
        return "donors", f"'donors' is {fields['donors']}", "a whole number of at least 1"
    return None


def _interval_problem(fields: Mapping[str, Any]) -> Problem | None:
    low, high, value = fields["low"], fields["high"], fields["value"]
    status = PotencyStatus(fields["status"])
    if low is not None and high is not None and low > high:
        return "low", f"the interval {low:g} to {high:g} is upside down", "low at most high"
    if status is PotencyStatus.AT_LEAST and high is not None:
        return "high", "an IC50 known to be at least a value has no upper end", "no 'high'"
    if status is PotencyStatus.AT_MOST and low is not None:
        return "low", "an IC50 known to be at most a value has no lower end", "no 'low'"
    ends = (0.0 if low is None else low, math.inf if high is None else high)
    if status is PotencyStatus.DETERMINED and not ends[0] <= value <= ends[1]:
        what = f"the value {value:g} lies outside its interval {ends[0]:g} to {ends[1]:g}"
        return "value", what, "a value between 'low' and 'high'"
    return None
