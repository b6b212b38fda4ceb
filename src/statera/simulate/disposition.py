"""Disposition of the typical subject: rates and half-lives of a linear system."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from statera.model import Model
from statera.numerics.modal import decompose
from statera.simulate.arrays import individual_values, linear_arrays
from statera.simulate.simulate import structure_of
from statera.simulate.subjects import CovariateInput, make_subjects
from statera.units import convert

__all__ = ["terminal_half_life"]


def terminal_half_life(
    model: Model, output: str | None = None, covariates: Mapping[str, CovariateInput] | None = None
) -> float | None:
    """Return ln 2 over the smallest rate that shows in an output, h.

    None where the system is not linear, its modes are not real, or nothing decays.
    """
    structure = structure_of(model)
    if structure.linear is None or not structure.outputs.linear:
        return None
    subjects = make_subjects(model, 1, covariates or {}, 1, True)
    values = individual_values(model, subjects.covariates, subjects.etas)
    system = linear_arrays(model, structure, values, 1)
    rates, right, _, real = decompose(
        system.matrix, structure.linear.members, structure.linear.bounds
    )
    if not real[0]:
        return None
    index = [o.name for o in model.outputs].index(output) if output else 0
    shows = np.abs(system.weights[0, index] @ right[0])
    slow = [-r for r, s in zip(rates[0], shows, strict=True) if s > 1e-9 * shows.max() and r < 0]
    return convert(math.log(2.0) / min(slow), model.time_unit, "h") if slow else None
