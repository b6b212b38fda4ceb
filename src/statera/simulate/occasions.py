"""Random effects that are drawn anew at every occasion of a subject."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from statera.data import EventTable
from statera.errors import InputError
from statera.model import Model
from statera.numerics.streams import normals

__all__ = [
    "draw_occasions",
    "effects_by_occasion",
    "first_occasion",
    "occasion_effects",
    "occasion_numbers",
]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def occasion_effects(model: Model) -> list[int]:
    """Return the places of the effects of an occasion among the random effects.

    Raises
    ------
    InputError
        If such an effect is correlated with one of the subject.
    """
    found = [i for i, e in enumerate(model.random_effects.values()) if e.level == "occasion"]
    others = [i for i in range(len(model.random_effects)) if i not in found]
    if np.asarray(model.omega)[np.ix_(found, others)].any():
        raise InputError(
            f"{model.id}: effects of the occasion and of the subject are correlated, so that "
            "further occasions cannot be drawn",
            where="covariances",
        )
    return found


def occasion_numbers(values: Floats, table: EventTable, lines: Sequence[int] | None = None) -> Ints:
    """Return the number of the occasion of every record within its subject, from 0.

    Occasions are numbered in the order in which they first appear; one that comes back is the
    same again.
    """
    missing = np.isnan(values)
    if missing.any():
        record = int(np.argmax(missing))
        raise InputError(
            "the occasion is missing",
            where=f"line {lines[record]}" if lines is not None else f"record {record + 1}",
        )
    found = np.zeros(values.size, dtype=np.int64)
    for g in range(table.n_groups):
        rows = slice(int(table.offsets[g]), int(table.offsets[g + 1]))
        _, first, inverse = np.unique(values[rows], return_index=True, return_inverse=True)
        rank = np.empty(first.size, dtype=np.int64)
        rank[np.argsort(first)] = np.arange(first.size)
        found[rows] = rank[inverse]
    return found


def draw_occasions(model: Model, etas: Floats, n_occasions: int, seed: int) -> Floats:
    """Return random effects by occasion, (n_subjects, n_occasions, n_eta).

    The first occasion has those given. Each further one has a stream of its own, so that neither
    the number of subjects nor that of occasions changes what is drawn.
    """
    places = occasion_effects(model)
    found = np.repeat(etas[:, None, :], max(1, n_occasions), axis=1)
    spread = np.asarray(model.omega)[np.ix_(places, places)]
    for k in range(1, n_occasions):
        purpose = f"random effects of occasion {k + 1}"
        found[:, k, places] = normals(seed, purpose, etas.shape[0], spread)
    return found


def first_occasion(etas: Floats | None) -> Floats | None:
    """Return the random effects of the first occasion, (n_subjects, n_eta)."""
    return etas[:, 0] if etas is not None and np.ndim(etas) == 3 else etas


def effects_by_occasion(
    model: Model, first: Floats, etas: Floats | None, numbers: Ints | None, seed: int | None
) -> Floats:
    """Return random effects by subject and occasion, (n_subjects, n_occasions, n_eta).

    Parameters
    ----------
    first : (n_subjects, n_eta) float64
        Those of the first occasion.
    etas
        As the caller gave them; with three axes they hold every occasion.
    numbers : (n_records,) int64
        Number of the occasion; None where there is one only.
    seed
        Of further occasions; None where they have the effects of the first.
    """
    n = 1 if numbers is None else int(numbers.max(initial=0)) + 1
    if etas is not None and np.ndim(etas) == 3:
        given = np.asarray(etas, dtype=np.float64)
        if given.shape[1] < n or not np.isfinite(given).all():
            raise InputError(
                f"random effects must be finite numbers for {n} occasions, not {given.shape[1]}",
                where="etas",
            )
        return given
    if seed is None or numbers is None:
        return np.repeat(first[:, None, :], n, axis=1)
    return draw_occasions(model, first, n, seed)
