"""Rows and their simulated exposures, without those that have none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from statera.errors import InputError
from statera.response.exposures import SubjectExposures
from statera.response.outcome_table import ResponseRows

__all__ = ["solved_rows"]

_SHOWN = 5


def solved_rows(
    rows: ResponseRows, exposures: SubjectExposures
) -> tuple[ResponseRows, SubjectExposures]:
    """Return the rows whose exposure could be simulated; the others are named in a note.

    Raises
    ------
    InputError
        If no row has an exposure.
    """
    keep = np.array([status == "ok" for status in exposures.status], dtype=bool)
    if keep.all():
        return rows, exposures
    lost = np.flatnonzero(~keep)
    if not keep.any():
        raise InputError(f"no row has an exposure: {exposures.status[0]}", where="population")
    told = "; ".join(
        f"{exposures.regimen[k]}: {exposures.status[k]}" for k in lost[:_SHOWN].tolist()
    )
    more = "; ..." if lost.size > _SHOWN else ""
    own = np.flatnonzero(keep)
    note = f"{lost.size} rows have no exposure and were left out ({told}{more})."
    return (
        replace(
            rows,
            outcome=rows.outcome.take(own),
            dose=tuple(rows.dose[k] for k in own.tolist()),
            numbers={name: column[own] for name, column in rows.numbers.items()},
            covariates={name: column[own] for name, column in rows.covariates.items()},
            notes=(*rows.notes, note),
        ),
        replace(
            exposures,
            regimen=tuple(exposures.regimen[k] for k in own.tolist()),
            typical=exposures.typical[own],
            draws=None if exposures.draws is None else exposures.draws[own],
            status=tuple(exposures.status[k] for k in own.tolist()),
        ),
    )
