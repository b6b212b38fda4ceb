"""From states to predictions and residual variances of the observations, with derivatives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from statera.model import Model
from statera.model.by_identity import ByIdentity
from statera.numerics.derivative import derivative
from statera.numerics.expression import free_names, symbol
from statera.numerics.scalar import Scalar, scalar
from statera.numerics.vectorised import Vectorised, vectorise
from statera.simulate import Prepared, full_formula

__all__ = ["Formulas", "ObservationFormulas", "Observations"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

DV, TAD, TIME = "DV", "TAD", "t"


@dataclass(frozen=True)
class Formulas:
    """Prediction and variance of one kind of observation.

    Attributes
    ----------
    name
        Output or likelihood.
    prediction
        Over states, parameters, random effects, covariates, ``t``, ``TAD`` and ``DV``.
    variance
        Over the same; None for a likelihood, whose `prediction` is the log-likelihood.
    dvid
        Kind of observation in the data; 0 where not given.
    """

    name: str
    prediction: sp.Expr
    variance: sp.Expr | None
    dvid: int = 0


@dataclass(frozen=True)
class NumberFormulas:
    """A prediction, its variance and their derivatives as one function of numbers.

    Attributes
    ----------
    function
        Returns prediction, variance, and derivatives that are not zero.
    first : (2, n_held) int64
        Where derivatives stand in what the function returns; one beyond its end where they are 0.
    second : (2, n_held, n_held) int64
    """

    function: Scalar
    first: Ints
    second: Ints


class ObservationFormulas:
    """Compiled formulas of one kind of observation, and of their derivatives.

    Attributes
    ----------
    pair
        Prediction and variance over states, parameters, random effects, covariates, ``t``,
        ``TAD`` and ``DV``.
    values, slopes
        The same, and their derivatives that are not zero, as functions.
    by
        Which of the pair each of `slopes` is a derivative of, and by which name.
    used
        Parameters, random effects and covariates that occur.
    held
        States and random effects that occur.
    """

    def __init__(self, model: Model, base: Sequence[str], formulas: Formulas) -> None:
        variance = sp.Integer(1) if formulas.variance is None else formulas.variance
        self.pair = [full_formula(model, formulas.prediction), full_formula(model, variance)]
        self.names = (*model.states, *base, TIME, TAD, DV)
        self.values = vectorise(self.pair, self.names)
        self.used = tuple(n for n in base if any(n in free_names(e) for e in self.pair))
        self.by: list[tuple[int, str]] = []
        self.derivatives: list[sp.Expr] = []
        wanted = (*model.states, *model.parameters, *model.random_effects)
        for k, expression in enumerate(self.pair):
            for name in wanted:
                if name in free_names(expression):
                    self.derivatives.append(derivative(expression, symbol(name)))
                    self.by.append((k, name))
        self.slopes: Vectorised = vectorise(self.derivatives, self.names)
        moving = (*model.states, *model.random_effects)
        self.held = tuple(dict.fromkeys(name for _, name in self.by if name in moving))
        self._pairs: list[tuple[int, str, str, sp.Expr]] = []
        for (k, name), slope in zip(self.by, self.derivatives, strict=True):
            for other in self.held[: self.held.index(name) + 1] if name in self.held else ():
                if (bend := derivative(slope, symbol(other))) != 0:
                    self._pairs.append((k, name, other, bend))
        self._numbers: dict[bool, NumberFormulas] = {}

    def of_numbers(self, *, second: bool) -> NumberFormulas:
        """Return the pair and its derivatives by `held`, to the second if asked for."""
        if second not in self._numbers:
            self._numbers[second] = self._of_numbers(second=second)
        return self._numbers[second]

    def _of_numbers(self, *, second: bool) -> NumberFormulas:
        wanted = list(self.pair)
        n = len(self.held)
        first, bends = np.full((2, n), -1, dtype=np.int64), np.full((2, n, n), -1, dtype=np.int64)
        for (k, name), slope in zip(self.by, self.derivatives, strict=True):
            if name in self.held:
                first[k, self.held.index(name)] = len(wanted)
                wanted.append(slope)
        for k, one, two, bend in self._pairs if second else ():
            i, j = self.held.index(one), self.held.index(two)
            bends[k, i, j] = bends[k, j, i] = len(wanted)
            wanted.append(bend)
        first[first < 0], bends[bends < 0] = len(wanted), len(wanted)
        return NumberFormulas(scalar(wanted, self.names), first, bends)


@lru_cache(maxsize=256)
def _compiled(key: ByIdentity, base: tuple[str, ...], formulas: Formulas) -> ObservationFormulas:
    return ObservationFormulas(key.model, base, formulas)


class _Group:
    """Observations of one kind."""

    def __init__(self, of: Prepared, formulas: Formulas, rows: Ints, dv: Floats, tad: Floats):
        found = _compiled(ByIdentity(of.model), of.base, replace(formulas, dvid=0))
        self.formulas = found
        self.rows = rows
        self.extra = {DV: dv, TAD: tad}
        self.values, self.slopes, self.used, self.by = (
            found.values, found.slopes, found.used, found.by,
        )  # fmt: skip


class Observations:
    """All observations of a data set, evaluated together.

    Parameters
    ----------
    of
        The prepared model.
    kinds
        Formulas by kind of observation.
    kind, row : (n_obs,) int64
        Index into `kinds`, and row of the prepared model.
    dv, tad : (n_obs,) float64
        Observed value as formulas see it, and time after the last dose.
    """

    def __init__(
        self,
        of: Prepared,
        kinds: Sequence[Formulas],
        kind: Ints,
        row: Ints,
        dv: Floats,
        tad: Floats,
    ) -> None:
        self.of = of
        self.row = row
        self.kinds = tuple(kinds)
        self.count = row.size
        self.places = [np.flatnonzero(kind == k) for k in range(len(kinds))]
        self.groups = [
            _Group(of, formulas, row[place], dv[place], tad[place])
            for formulas, place in zip(kinds, self.places, strict=True)
        ]

    def _names(
        self, group: _Group, x: Floats, values: dict[str, Floats | float]
    ) -> dict[str, Floats | float]:
        here: dict[str, Floats | float] = {
            name: x[group.rows, i] for i, name in enumerate(self.of.model.states)
        }
        system = self.of.row_system[group.rows]
        for name in group.used:
            value = values[name]
            here[name] = value[system] if isinstance(value, np.ndarray) else value
        here |= group.extra
        here[TIME] = self.of.row_time[group.rows]
        return here

    def predict(self, x: Floats, values: dict[str, Floats | float]) -> tuple[Floats, Floats]:
        """Return predictions and variances, (n_obs,) each.

        Parameters
        ----------
        x : (n_rows, n_states) float64
        values
            From `Prepared.system_values`.
        """
        f, v = np.empty(self.count), np.empty(self.count)
        for group, place in zip(self.groups, self.places, strict=True):
            found = group.values(self._names(group, x, values), place.size)
            f[place], v[place] = found
        return f, v

    def differentiate(
        self, x: Floats, dx: Floats, values: dict[str, Floats | float], first: int
    ) -> tuple[Floats, Floats, Floats, Floats]:
        """Return predictions, variances and their derivatives, (n_obs, n_columns).

        Parameters
        ----------
        dx : (n_rows, n_states, n_columns) float64
        first
            Column of `Prepared.columns` that is the first of `dx`.
        """
        f, v = np.empty(self.count), np.empty(self.count)
        slopes = np.zeros((2, self.count, dx.shape[2]))
        states = self.of.model.states
        columns = self.of.columns
        for group, place in zip(self.groups, self.places, strict=True):
            here = self._names(group, x, values)
            f[place], v[place] = group.values(here, place.size)
            found = group.slopes(here, place.size)
            moved = dx[group.rows]
            occasion = self.of.occasion[self.of.row_system[group.rows]]
            for (k, name), slope in zip(group.by, found, strict=True):
                if name in states:
                    slopes[k, place] += slope[:, None] * moved[:, states.index(name)]
                    continue
                column = columns.of(name, occasion)
                if isinstance(column, int):
                    if column >= first:
                        slopes[k, place, column - first] += slope
                else:
                    slopes[k, place, column - first] += slope
        return f, v, slopes[0], slopes[1]
