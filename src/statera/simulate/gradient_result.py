"""Outputs with their sensitivities, for every subject."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from statera.errors import UnknownNameError
from statera.simulate.status import sentence

__all__ = ["GradientResult"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class GradientResult:
    """Outputs and their derivatives.

    Attributes
    ----------
    model_id
        The model solved.
    wrt
        Names of the parameters, random effects and covariates, in the order of the last axis.
    times : (n_times,) or (n_subjects, n_times) float64
        Observation times, h; one row a subject where records were given, NaN where a subject has
        fewer than others.
    outputs
        ``(n_subjects, n_times)`` float64 by output name; NaN for subjects that failed.
    derivatives
        ``(n_subjects, n_times, n_wrt)`` float64 by output name: unit of the output over that of
        the name.
    second
        Names of which second derivatives were asked for.
    curvatures
        ``(n_subjects, n_times, n_wrt, n_second)`` float64 by output name: second derivatives by
        a name of `wrt` and one of `second`.
    units
        Unit of each output.
    statuses : (n_subjects,) int64
        0 where the subject was solved.
    solver
        Which solver was used and why.
    warnings
        Sentences a reader must see.
    """

    model_id: str
    wrt: tuple[str, ...]
    times: Floats
    outputs: Mapping[str, Floats]
    derivatives: Mapping[str, Floats]
    units: Mapping[str, str]
    statuses: NDArray[np.int64]
    solver: str
    warnings: tuple[str, ...]
    second: tuple[str, ...] = ()
    curvatures: Mapping[str, Floats] = field(default_factory=dict)

    @property
    def n_subjects(self) -> int:
        """Number of subjects, failed ones included."""
        return int(self.statuses.size)

    @property
    def failures(self) -> tuple[tuple[int, str], ...]:
        """Index and sentence of every subject that could not be solved."""
        return tuple((int(i), sentence(int(self.statuses[i]))) for i in self.statuses.nonzero()[0])

    def of(self, name: str, output: str | None = None) -> Floats:
        """Return the derivative of an output (by default the first) by one name, (n, n_times).

        Raises
        ------
        UnknownNameError
            If the output is not one of the model's or the name is not in `wrt`.
        """
        key = output or next(iter(self.derivatives))
        if key not in self.derivatives:
            raise UnknownNameError("output", key, self.derivatives)
        if name not in self.wrt:
            raise UnknownNameError("name in wrt", name, self.wrt)
        return self.derivatives[key][:, :, self.wrt.index(name)]

    def curvature(self, name: str, other: str, output: str | None = None) -> Floats:
        """Return the second derivative of an output by two names, (n, n_times).

        At least one of the names must be in `second`; the output is the first by default.

        Raises
        ------
        UnknownNameError
            If the output is not one of the model's, a name is not in `wrt`, or none is in `second`.
        """
        key = output or next(iter(self.derivatives))
        if key not in self.derivatives:
            raise UnknownNameError("output", key, self.derivatives)
        for wanted in (name, other):
            if wanted not in self.wrt:
                raise UnknownNameError("name in wrt", wanted, self.wrt)
        if other not in self.second:
            name, other = other, name
        if other not in self.second:
            raise UnknownNameError("name in second", name, self.second)
        place = self.wrt.index(name), self.second.index(other)
        return self.curvatures[key][:, :, place[0], place[1]]
