"""Event records for sensitivities: in units of the model, with one covariate value a subject."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from statera.data import EventTable
from statera.errors import InputError
from statera.model import Model
from statera.simulate.arrays import merge_keys
from statera.simulate.segments import make_segments
from statera.simulate.simulate_events import _covariates, _in_model_units
from statera.simulate.subjects import check_amounts, model_covariate

__all__ = ["records_of"]

Floats = NDArray[np.float64]


def records_of(model: Model, table: EventTable) -> tuple[EventTable, dict[str, Floats], list[str]]:
    """Return the records in units of the model, covariates by subject, and what to know.

    Raises
    ------
    InputError
        If a covariate changes within a subject.
    """
    events = merge_keys(model, _in_model_units(model, table))
    dosed = (events.key >= 0) & (events.amount > 0)
    remarks = list(check_amounts(model, events.amount[dosed]))
    if not any(model_covariate(model, name) in model.covariates for name in events.covariates):
        return events, {}, remarks
    covariates, notes = _covariates(model, events, "nocb")
    segments = make_segments(events, covariates, "nocb")
    if segments.varying:
        first = events.offsets[:-1]
        changing = [
            name
            for name, values in covariates.items()
            if (values != np.repeat(values[first], np.diff(events.offsets))).any()
        ]
        raise InputError(
            f"{', '.join(changing)} changes within a subject: sensitivities need covariates that "
            "are constant in each",
            where="covariates",
            hint="Give each subject one value, such as its first.",
        )
    return events, dict(segments.covariates), [*remarks, *notes]
