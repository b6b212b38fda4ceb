"""Event records for sensitivities: in units of the model, with systems where covariates change."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from statera.data import EventTable
from statera.model import Model
from statera.simulate.arrays import merge_keys
from statera.simulate.segments import Interpolation, Segments, make_segments
from statera.simulate.simulate_events import in_model_units, record_covariates
from statera.simulate.subjects import check_amounts, model_covariate

__all__ = ["blocks_of", "records_of"]

Floats = NDArray[np.float64]


def records_of(
    model: Model, table: EventTable, interpolation: Interpolation
) -> tuple[EventTable, Segments, list[str]]:
    """Return the records in units of the model, where covariates change, and what to know."""
    events = merge_keys(model, in_model_units(model, table))
    dosed = (events.key >= 0) & (events.amount > 0)
    remarks = list(check_amounts(model, events.amount[dosed]))
    if not any(model_covariate(model, name) in model.covariates for name in events.covariates):
        return events, make_segments(events, {}, interpolation), remarks
    covariates, notes = record_covariates(model, events, interpolation)
    return events, make_segments(events, covariates, interpolation), [*remarks, *notes]


def blocks_of(events: EventTable, rows: Floats) -> Floats:
    """Return rows of all subjects, which stand one after the other, as a block a subject.

    Parameters
    ----------
    rows : (n_observations, ...) float64

    Returns
    -------
    (n_groups, n_rows, ...) float64
        NaN where a subject has fewer rows than others.
    """
    blocks = np.full((events.n_groups, events.n_rows, *rows.shape[1:]), np.nan)
    group = np.repeat(np.arange(events.n_groups), np.diff(events.offsets))
    observed = events.row >= 0
    blocks[group[observed], events.row[observed]] = rows[events.flat_row[observed]]
    return blocks
