"""Where every number of a simulation comes from: theta, a fixed parameter, a table or the model."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from statera.errors import InputError
from statera.pathway.petab_conditions import Condition
from statera.pathway.petab_problem import PetabPart, PetabProblem

__all__ = ["Source", "Sources", "Table", "resolve_condition", "resolve_name", "sources_of"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

Source = tuple[int, float]
"""Position in theta and 0, or -1 and a number."""


@dataclass(frozen=True)
class Sources:
    """What names stand for, apart from conditions.

    Attributes
    ----------
    parameters
        By name: those of the parameter table.
    model
        Values in the model file, by name.
    """

    parameters: Mapping[str, Source]
    model: Mapping[str, float]


def sources_of(problem: PetabProblem, part: PetabPart) -> Sources:
    """Return what names stand for in a part of a problem."""
    position = {name: i for i, name in enumerate(problem.names)}
    table = {
        p.id: (position[p.id], 0.0) if p.estimated else (-1, p.nominal) for p in problem.parameters
    }
    return Sources(table, part.network.parameters)


def resolve_name(sources: Sources, name: str, where: Condition | None = None) -> Source:
    """Return what a name stands for: the parameter table goes before the model.

    Raises
    ------
    InputError
        If it has no value anywhere.
    """
    if name in sources.parameters:
        return sources.parameters[name]
    value = sources.model.get(name)
    if value is None or math.isnan(value):
        raise InputError(
            f"'{name}' has no value in the model, the parameter table or the condition"
            + (f" '{where.id}'" if where else ""),
            where=where.place if where else None,
            hint="Add it to the parameter table.",
        )
    return -1, float(value)


def resolve_condition(sources: Sources, condition: Condition, name: str) -> Source:
    """Return what a name stands for under a condition, which goes before everything."""
    value = condition.values.get(name)
    if value is None:
        return resolve_name(sources, name, condition)
    if isinstance(value, str):
        return resolve_name(sources, value, condition)
    return -1, float(value)


class Table:
    """A table of numbers, some of them parts of theta.

    Attributes
    ----------
    source : (n_rows, n_columns) int64
        Position in theta; -1 for a number.
    """

    def __init__(self, rows: Sequence[Sequence[Source]], n_columns: int) -> None:
        shape = (len(rows), n_columns)
        self.source: Ints = np.array([[s for s, _ in row] for row in rows], np.int64).reshape(shape)
        self._fixed: Floats = np.array([[v for _, v in row] for row in rows], np.float64).reshape(
            shape
        )
        self._places: Ints = np.flatnonzero(self.source >= 0)
        self._theta: Ints = self.source.ravel()[self._places]

    def fill(self, linear: Floats) -> Floats:
        """Return the numbers, (n_rows, n_columns) float64, at linear values of theta."""
        if not len(self._places):
            return self._fixed
        filled = self._fixed.copy()
        filled.ravel()[self._places] = linear[self._theta]
        return filled
