"""The observations of a fit as columns: what every diagnostic starts from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from statera.estimate.problem import Problem
from statera.estimate.terms import (
    ABOVE,
    BELOW,
    BETWEEN,
    GAUSS,
    LIKELIHOOD,
    POSITIVE,
    TRUNCATED,
)

__all__ = ["Rows", "covariates_of_subjects", "rows_of"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Rows:
    """Observations that a fit used, in the order of the data.

    Attributes
    ----------
    subject : (n_obs,) int64
        Index of the subject.
    ids
        Identifiers of all subjects.
    time, tad : (n_obs,) float64, in the model's unit of time
        Time, and time since the last dose (NaN before the first).
    kind : (n_obs,) int64
        Index into `outputs`.
    outputs, dvids
        Name of the output or likelihood, and its number in the data.
    dv, limit : (n_obs,) float64
        Observed value, and limit of quantification (NaN where there is none), on the natural
        scale where the residual error is log-normal, else as in the data.
    logarithmic : (n_obs,) bool
        Whether the residual error is that of ln DV.
    quantified, below, above, likelihood : (n_obs,) bool
        What the observation is: a value, censored at a lower or an upper limit, or an outcome
        with a likelihood of its own.
    covariates
        ``(n_obs,)`` float64 by name: the columns of the data, those of the model without gaps.
    """

    subject: Ints
    ids: tuple[str, ...]
    time: Floats
    tad: Floats
    kind: Ints
    outputs: tuple[str, ...]
    dvids: tuple[int, ...]
    dv: Floats
    limit: Floats
    logarithmic: Mask
    quantified: Mask
    below: Mask
    above: Mask
    likelihood: Mask
    covariates: Mapping[str, Floats]

    @property
    def count(self) -> int:
        """Number of observations."""
        return self.dv.size

    @property
    def starts(self) -> Ints:
        """First observation of each subject and the end, (n_subjects + 1,)."""
        return np.searchsorted(self.subject, np.arange(len(self.ids) + 1)).astype(np.int64)

    def natural(self, y: Floats) -> Floats:
        """Return values on the scale of the residual error in the unit of the data.

        Parameters
        ----------
        y : (..., n_obs) float64
        """
        with np.errstate(over="ignore"):
            return np.where(self.logarithmic, np.exp(np.where(self.logarithmic, y, 0.0)), y)


def rows_of(problem: Problem) -> Rows:
    """Return the observations of a problem."""
    of = problem.individuals
    observations, prepared = of.observations, of.prepared
    n = observations.count
    kind = np.zeros(n, dtype=np.int64)
    dv, tad = np.empty(n), np.empty(n)
    for k, place in enumerate(observations.places):
        kind[place] = k
        dv[place] = observations.groups[k].extra["DV"]
        tad[place] = observations.groups[k].extra["TAD"]
    residuals = problem.model.residuals
    logs = [bool(getattr(residuals.get(f.name), "lognormal", False)) for f in observations.kinds]
    logarithmic = np.array(logs, dtype=bool)[kind]
    # by M4 the limit of quantified values is 0, above which they are known to lie
    known = np.where((of.kind == TRUNCATED) & (of.limit == 0.0), np.nan, of.limit)
    with np.errstate(over="ignore"):
        limit = np.where(logarithmic, np.exp(known), known)
        dv = np.where(logarithmic, np.exp(np.where(logarithmic, of.y, 0.0)), dv)
    record = np.flatnonzero(prepared.events.row >= 0)[observations.row]
    covariates = {name: values[record] for name, values in prepared.events.covariates.items()}
    system = prepared.row_system[observations.row]
    for name, values in prepared.segments.covariates.items():
        if not name.startswith("_"):
            covariates[name] = values[system]
    return Rows(
        subject=of.subject,
        ids=prepared.events.subject_ids,
        time=prepared.row_time[observations.row],
        tad=tad,
        kind=kind,
        outputs=tuple(f.name for f in observations.kinds),
        dvids=tuple(f.dvid for f in observations.kinds),
        dv=dv,
        limit=limit,
        logarithmic=logarithmic,
        quantified=(of.kind == GAUSS) | (of.kind == TRUNCATED),
        below=np.isin(of.kind, (BELOW, BETWEEN, POSITIVE)),
        above=of.kind == ABOVE,
        likelihood=of.kind == LIKELIHOOD,
        covariates=covariates,
    )


def covariates_of_subjects(problem: Problem) -> dict[str, Floats]:
    """Return each covariate on the first record of every subject, ``(n_subjects,)`` by name."""
    prepared = problem.individuals.prepared
    first = prepared.events.offsets[:-1]
    found = {name: values[first] for name, values in prepared.events.covariates.items()}
    for name, values in prepared.segments.covariates.items():
        if not name.startswith("_"):
            found[name] = values[prepared.segments.start]
    return found
