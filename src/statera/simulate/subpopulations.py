"""To which subpopulation of a mixture model each simulated subject belongs."""

from __future__ import annotations

from collections.abc import Container, Mapping

import numpy as np
from numpy.typing import NDArray

from statera.data import EventTable
from statera.errors import InputError
from statera.model import Mixture, Model
from statera.numerics.expression import evaluate
from statera.numerics.streams import stream

__all__ = [
    "draw_subpopulations",
    "fill_subpopulations",
    "probabilities",
    "reference_subpopulation",
    "subpopulations_by_record",
    "subpopulations_of",
]

Floats = NDArray[np.float64]


def probabilities(
    model: Model, covariates: Mapping[str, Floats], n: int, theta: Floats | None = None
) -> Floats:
    """Return the probability of every subpopulation, (n, n_subpopulations).

    Parameters
    ----------
    covariates
        ``(n,)`` float64 by name.
    theta : (n_theta,) float64, optional
        Fixed effects other than those of the model.

    Raises
    ------
    InputError
        If the model has no subpopulations, or a probability lies outside of 0 to 1.
    """
    if model.mixture is None:
        raise InputError(f"{model.id} has no subpopulations", where="mixture")
    values: dict[str, Floats | float] = {name: p.value for name, p in model.parameters.items()}
    if theta is not None:
        values = dict(zip(model.parameters, map(float, theta), strict=True))
    values |= covariates
    found = np.empty((n, len(model.mixture.subpopulations)))
    for k, subpopulation in enumerate(model.mixture.subpopulations):
        found[:, k] = evaluate(subpopulation.expression, values)
    wrong = ~((found >= 0.0) & (found <= 1.0))
    if wrong.any():
        k = int(np.flatnonzero(wrong.any(axis=0))[0])
        raise InputError(
            f"the probability of the subpopulation {model.mixture.names[k]} is "
            f"{float(found[wrong[:, k], k][0]):g} for a subject: it must lie between 0 and 1",
            where=f"mixture.probabilities.{model.mixture.names[k]}",
            hint="Write it so that it stays there, such as expit(a + b*covariate).",
        )
    return found


def draw_subpopulations(
    p: Floats, seed: int, name: str = "subpopulations", *, largest: bool = False
) -> Floats:
    """Return the number of the subpopulation of every subject, (n,), counted from 1.

    Parameters
    ----------
    p : (n, n_subpopulations) float64
    seed, name
        Of the random stream.
    largest
        Take the most probable subpopulation instead of drawing.
    """
    if largest:
        return np.asarray(1.0 + np.argmax(p, axis=1), dtype=np.float64)
    uniform: Floats = np.asarray(stream(seed, name).random(p.shape[0]))
    above = (uniform[:, None] >= np.cumsum(p, axis=1)[:, :-1]).sum(axis=1)
    return np.asarray(1.0 + above, dtype=np.float64)


def fill_subpopulations(
    model: Model,
    covariates: dict[str, Floats],
    given: Container[str],
    n: int,
    seed: int,
    typical: bool,
) -> list[str]:
    """Draw the subpopulation of every subject into `covariates`; return what a reader must know.

    Parameters
    ----------
    covariates
        ``(n,)`` float64 by name.
    given
        Names of covariates that the caller gives: a subpopulation that is given stays.
    typical
        Take the most probable one, as there is no typical subject of several populations.
    """
    mixture = model.mixture
    if mixture is None or mixture.variable in given:
        return []
    p = probabilities(model, covariates, n)
    covariates[mixture.variable] = draw_subpopulations(p, seed, largest=typical)
    return [_typical(mixture)] if typical else []


def _typical(mixture: Mixture) -> str:
    return (
        f"a typical subject is one of the most probable subpopulation; give {mixture.variable} "
        f"(1 to {len(mixture.names)}) for another"
    )


def reference_subpopulation(
    model: Model, given: Container[str]
) -> tuple[dict[str, float], list[str]]:
    """Return the subpopulation of the typical subject by its name, and what a reader must know.

    Both are empty where there is one population, or where the caller gives the subpopulation.
    """
    mixture = model.mixture
    if mixture is None or mixture.variable in given:
        return {}, []
    return {mixture.variable: model.covariates[mixture.variable].reference}, [_typical(mixture)]


def subpopulations_by_record(
    model: Model,
    table: EventTable,
    covariates: dict[str, Floats],
    seed: int,
    typical: bool,
) -> list[str]:
    """Draw as `fill_subpopulations` for covariates by record; those of a first record count.

    Where the table has a column of its name, it gives the subpopulation.

    Parameters
    ----------
    covariates
        ``(n_records,)`` float64 by name.
    """
    if model.mixture is None:
        return []
    name = model.mixture.variable
    if name.lower() in (column.lower() for column in table.covariates):
        return []
    first = {name: values[table.offsets[:-1]] for name, values in covariates.items()}
    remarks = fill_subpopulations(model, first, (), table.n_groups, seed, typical)
    covariates[name] = np.repeat(first[name], np.diff(table.offsets))
    return remarks


def subpopulations_of(
    model: Model, table: EventTable, covariates: Mapping[str, Floats]
) -> dict[str, Floats]:
    """Return the subpopulation of every subject on its first record by its name, if any."""
    if model.mixture is None:
        return {}
    name = model.mixture.variable
    return {name: covariates[name][table.offsets[:-1]]}
