"""Covariates that change in time: which values hold between two records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from statera.data import EventTable
from statera.errors import InputError, UsageError
from statera.simulate.doses import NOT_FINITE

__all__ = ["Interpolation", "Layout", "Segments", "fill_missing", "lay_out", "make_segments"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

Interpolation = Literal["nocb", "locf"]
"""``nocb``: the record that closes an interval rules it; ``locf``: the one that opens it."""


@dataclass(frozen=True)
class Segments:
    """Rows of parameters of every subject, one for each run of records with equal covariates.

    Attributes
    ----------
    subject : (n_rows,) int64
        Group of records that the row belongs to.
    start : (n_groups,) int64
        First row of each group.
    during, at : (n_records,) int64
        Row that holds in the interval which a record closes, and at the record itself. Both are
        empty where covariates are constant: row g then belongs to group g.
    covariates
        ``(n_rows,)`` float64 by name.
    """

    subject: Ints
    start: Ints
    during: Ints
    at: Ints
    covariates: Mapping[str, Floats]

    @property
    def varying(self) -> bool:
        """Whether any covariate changes within a subject."""
        return self.during.size > 0


@dataclass(frozen=True)
class Layout:
    """Where the solvers find parameters and put rows.

    Attributes
    ----------
    first : (n_subjects + 1,) int64
        Rows of parameters of subject s are ``first[s]`` to ``first[s + 1]``.
    during, at
        As in `Segments`.
    row_of : (n_records,) int64
        Row of the result that each record fills; -1 where it is not an observation.
    shape
        Blocks of rows, and rows in each: a block a subject, or one for all.
    """

    first: Ints
    during: Ints
    at: Ints
    row_of: Ints
    shape: tuple[int, int]

    @property
    def n_systems(self) -> int:
        """Number of rows of parameters."""
        return int(self.first[-1])

    def systems(self, part: tuple[int, int]) -> slice:
        """Return the rows of parameters of a range of subjects."""
        return slice(int(self.first[part[0]]), int(self.first[part[1]]))

    def statuses(self, *arrays: Floats) -> Ints:
        """Return 0 for subjects all of whose parameters are finite, else the status of that.

        Each array has a row a system.
        """
        finite = np.ones(self.n_systems, dtype=bool)
        for array in arrays:
            finite &= np.isfinite(array).reshape(self.n_systems, -1).all(axis=1)
        whole = np.logical_and.reduceat(finite, self.first[:-1])
        return np.where(whole, 0, NOT_FINITE).astype(np.int64)


def lay_out(events: EventTable, n_subjects: int, segments: Segments | None) -> Layout:
    """Return the layout: with segments the rows of all subjects stand one after the other."""
    if segments is None:
        none = np.zeros(0, dtype=np.int64)
        first = np.arange(n_subjects + 1, dtype=np.int64)
        return Layout(first, none, none, events.row, (n_subjects, events.n_rows))
    first = np.append(segments.start, segments.subject.size)
    row_of = events.flat_row
    shape = (1, int(row_of.max(initial=-1)) + 1)
    return Layout(first, segments.during, segments.at, row_of, shape)


def fill_missing(
    name: str, values: Floats, events: EventTable, interpolation: Interpolation
) -> tuple[Floats, int]:
    """Return a covariate without gaps, and how many records were filled.

    A gap takes the subject's next value (``nocb``) or last value (``locf``), and the nearest
    one on the other side where there is none.

    Raises
    ------
    InputError
        If a subject has no value at all.
    """
    known = ~np.isnan(values)
    if known.all():
        return values, 0
    n = values.size
    sizes = np.diff(events.offsets)
    first = np.repeat(events.offsets[:-1], sizes)
    last = np.repeat(events.offsets[1:] - 1, sizes)
    index = np.arange(n)
    before = np.maximum.accumulate(np.where(known, index, -1))
    after = np.minimum.accumulate(np.where(known, index, n)[::-1])[::-1]
    earlier, later = before >= first, after <= last
    without = ~(earlier | later)
    if without.any():
        group = int(np.searchsorted(events.offsets, np.argmax(without), side="right")) - 1
        raise InputError(
            f"covariate {name} is missing on every record of subject {events.subject_ids[group]}"
        )
    if interpolation == "nocb":
        chosen = np.where(later, after, before)
    else:
        chosen = np.where(earlier, before, after)
    return values[chosen], int(n - known.sum())


def make_segments(
    events: EventTable, covariates: Mapping[str, Floats], interpolation: Interpolation
) -> Segments:
    """Divide the records of every subject where a covariate changes.

    Parameters
    ----------
    covariates
        ``(n_records,)`` float64 by name, without gaps.
    """
    if interpolation not in ("nocb", "locf"):
        raise UsageError(
            f"covariates are interpolated by 'nocb' or 'locf', not '{interpolation}'",
            where="covariate_interpolation",
        )
    n = events.time.size
    opens = np.zeros(n, dtype=bool)
    opens[events.offsets[:-1]] = True
    changes = opens.copy()
    for values in covariates.values():
        changes[1:] |= values[1:] != values[:-1]
    heads = np.flatnonzero(changes)
    row = np.cumsum(changes).astype(np.int64) - 1
    subject = np.searchsorted(events.offsets, heads, side="right").astype(np.int64) - 1
    values_of = {name: values[heads] for name, values in covariates.items()}
    start = row[events.offsets[:-1]]
    none = np.zeros(0, dtype=np.int64)
    if heads.size == events.n_groups:
        return Segments(subject, start, none, none, values_of)
    if interpolation == "nocb":
        return Segments(subject, start, row, row, values_of)
    during = np.where(opens, row, np.concatenate([row[:1], row[:-1]]))
    return Segments(subject, start, during, row, values_of)
