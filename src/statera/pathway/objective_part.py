"""The share of one model and its data in the objective of a PEtab problem."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from statera.pathway.engine import Engine
from statera.pathway.objective_kernel import likelihood, predict, predict_slopes
from statera.pathway.observable_formulas import observable_formulas
from statera.pathway.petab_mapping import (
    Ints,
    Source,
    Sources,
    Table,
    resolve_condition,
    resolve_name,
    sources_of,
)
from statera.pathway.petab_problem import PetabPart, PetabProblem
from statera.pathway.petab_scales import SCALES
from statera.pathway.petab_simulation import Simulation

if TYPE_CHECKING:
    import polars as pl

__all__ = ["ObjectivePart", "PartResult"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PartResult:
    """What one part gives.

    Attributes
    ----------
    found : (2, n_measurements) float64
        Observables and noises.
    terms : (6, n_measurements) float64
        See `statera.pathway.objective_kernel.likelihood`.
    slopes : (2, n_measurements, n_theta) float64
        Derivatives of `found` by theta; None where not asked for, or not needed for the sum.
    failed
        Sentence of each simulation that failed, by its number.
    message
        The first failure in a sentence; empty where there is none.
    summed : (n_theta,) float64
        Derivatives of the log-likelihood by theta, where the adjoint gave them.
    """

    found: Floats
    terms: Floats
    slopes: Floats | None
    failed: Mapping[int, str]
    message: str
    summed: Floats | None = None

    @property
    def llh(self) -> float:
        """Log-likelihood; minus infinity where something failed."""
        return float(self.terms[0].sum()) if not self.message else -np.inf

    @property
    def chi2(self) -> float:
        """Sum of squared weighted residuals; infinity where something failed."""
        residuals = self.terms[1]
        return float(residuals @ residuals) if not self.message else np.inf

    @property
    def residuals(self) -> Floats:
        """Weighted residuals, (n_measurements,)."""
        found: Floats = self.terms[1]
        return found

    def gradient(self) -> Floats:
        """Return the derivatives of the log-likelihood by theta, (n_theta,)."""
        if self.summed is not None:
            return self.summed
        assert self.slopes is not None
        total: Floats = self.terms[2] @ self.slopes[0] + self.terms[3] @ self.slopes[1]
        return total

    def fisher(self) -> Floats:
        """Return the Fisher information, (n_theta, n_theta)."""
        assert self.slopes is not None
        weighted: Floats = np.sqrt(self.terms[4:6])[:, :, None] * self.slopes
        flat = np.concatenate(list(weighted))
        return np.asarray(flat.T @ flat, dtype=np.float64)


class ObjectivePart:
    """One model with its data, ready to be evaluated.

    Parameters
    ----------
    problem
        The problem.
    number
        Of the part, from 0.
    engine
        What solves.
    gradient
        How the gradient is found: ``auto``, ``forward`` or ``adjoint``.

    Attributes
    ----------
    adjoint
        Whether the gradient goes the way back.
    """

    def __init__(
        self, problem: PetabProblem, number: int, engine: Engine, gradient: str = "auto"
    ) -> None:
        part = problem.parts[number]
        self._part, self._number = part, number
        self._n_theta = len(problem.names)
        sources = sources_of(problem, part)
        self._simulation = Simulation(part, sources, engine, self._n_theta, gradient)
        self.adjoint = self._simulation.adjoint
        used = {m.observable for m in part.measurements}
        self._formulas = observable_formulas(
            part.network,
            [o for o in part.observables.values() if o.id in used],
            self._simulation.states,
            self._simulation.parameters,
        )
        self._lay_out_rows(part, sources)

    def _lay_out_rows(self, part: PetabPart, sources: Sources) -> None:
        rows = part.measurements
        kind = {o.id: i for i, o in enumerate(self._formulas.observables)}
        observables = [part.observables[m.observable] for m in rows]
        self._kinds = np.array([kind[m.observable] for m in rows], dtype=np.int64)
        self._times = np.array([m.time for m in rows], dtype=np.float64)
        self._measured = np.array([m.value for m in rows], dtype=np.float64)
        self._transformations = np.array(
            [SCALES.index(o.transformation) for o in observables], dtype=np.int64
        )
        self._distributions = np.array(
            [int(o.distribution == "laplace") for o in observables], dtype=np.int64
        )
        conditions = list(dict.fromkeys(m.condition for m in rows))
        place = {c: i for i, c in enumerate(conditions)}
        self._settings = np.array([place[m.condition] for m in rows], dtype=np.int64)
        kinds: dict[str, set[int]] = {}
        for m in rows:
            kinds.setdefault(m.condition, set()).add(kind[m.observable])
        seen = {c: {n for k in kinds[c] for n in self._formulas.names(k)} for c in conditions}
        self._table = Table(
            [
                [
                    resolve_condition(sources, part.conditions[c], n) if n in seen[c] else (-1, 0.0)
                    for n in self._formulas.parameters
                ]
                for c in conditions
            ],
            len(self._formulas.parameters),
        )
        n_slots = self._formulas.n_slots
        self._slots = Table(
            [
                _slot_sources(sources, (*m.observable_values, *m.noise_values), n_slots)
                for m in rows
            ],
            n_slots,
        )
        self._point = self._simulation.arms.point
        self._arm = self._simulation.arms.of_point[self._point]
        self._tape = self._formulas.tape
        held = frozenset[str]().union(*map(self._formulas.names, range(len(kind))))
        states = self._simulation.states
        self._seen = np.array([i for i, n in enumerate(states) if n in held], dtype=np.int64)

    def evaluate(
        self, linear: Floats, grows: Floats | None, *, gradient_only: bool = False
    ) -> PartResult:
        """Return observables, noises and what they add to the likelihood.

        Parameters
        ----------
        linear, grows : (n_theta,) float64
            Linear values of theta, and their derivatives by theta; None for no derivatives.
        gradient_only
            Whether the gradient is all that is wanted of the derivatives.
        """
        points = self._simulation.run(linear, grows, gradient_only)
        common = (
            self._tape.parts, self._tape.room, self._kinds, self._times, self._point,
            self._settings, points.states, self._table.fill(linear), self._slots.fill(linear),
        )  # fmt: skip
        slopes = None
        by_states, columns, width = points.slopes, self._simulation.columns, self._n_theta
        if points.back is not None:
            by_states, columns = self._own_columns
            width += len(self._seen)
        if grows is None or by_states is None:
            found = predict(*common)
        else:
            slopes = np.zeros((2, len(self._kinds), width))
            found = predict_slopes(
                *common, by_states, columns, self._table.source, self._slots.source, grows, slopes
            )
        if points.failed:
            found[:, np.isin(self._arm, list(points.failed))] = np.nan
        terms = likelihood(found, self._measured, self._transformations, self._distributions)
        message = self._message(points.failed, found, terms)
        if points.back is None or slopes is None:
            return PartResult(found, terms, slopes, points.failed, message)
        summed = None if message else self._summed(terms, slopes, points.back)
        return PartResult(found, terms, None, points.failed, message, summed)

    @cached_property
    def _own_columns(self) -> tuple[Floats, Ints]:
        """Slopes of the states by themselves, for those that formulas hold, behind theta."""
        count, seen = len(self._simulation.arms.of_point), len(self._seen)
        slopes = np.zeros((count, len(self._simulation.states), seen))
        slopes[:, self._seen, np.arange(seen)] = 1.0
        return slopes, np.tile(self._n_theta + np.arange(seen), (count, 1))

    def _summed(self, terms: Floats, slopes: Floats, back: Callable[[Floats], Floats]) -> Floats:
        """Return the derivatives of the log-likelihood by theta: direct ones and the way back."""
        rows = terms[2][:, None] * slopes[0] + terms[3][:, None] * slopes[1]
        weights = np.zeros((len(self._simulation.arms.of_point), len(self._simulation.states)))
        np.add.at(weights, (self._point[:, None], self._seen), rows[:, self._n_theta :])
        total: Floats = rows[:, : self._n_theta].sum(axis=0) + back(weights)
        return total

    def _message(self, failed: Mapping[int, str], found: Floats, terms: Floats) -> str:
        if failed:
            first = min(failed)
            label = self._simulation.arms.labels[first]
            others = f" ({len(failed) - 1} other conditions fail too)" if len(failed) > 1 else ""
            return f"condition {label}: {failed[first]}{others}"
        if np.isfinite(terms[0].sum()):
            return ""
        return self._row_status(int(np.flatnonzero(~np.isfinite(terms[0]))[0]), found)

    def _row_status(self, row: int, found: Floats) -> str:
        m = self._part.measurements[row]
        where = f"{m.observable} under {m.condition} at time {m.time:g}"
        if not np.isfinite(found[:, row]).all():
            return f"{where}: the simulation or its noise is not finite"
        if not found[1, row] > 0.0:
            return f"{where}: the noise {found[1, row]:.4g} is not above 0"
        return f"{where}: the simulation {found[0, row]:.4g} has no logarithm, or is out of range"

    def table(self, result: PartResult) -> pl.DataFrame:
        """Return the measurements with what was simulated, see `Objective.simulations`."""
        import polars as pl  # noqa: PLC0415  heavy: only when a table is asked for

        rows = self._part.measurements
        extra = list(dict.fromkeys(name for m in rows for name in m.extra))
        return pl.DataFrame(
            {
                "part": [self._number + 1] * len(rows),
                "observableId": [m.observable for m in rows],
                "preequilibrationConditionId": [m.preequilibration for m in rows],
                "simulationConditionId": [m.condition for m in rows],
                "time": self._times,
                "measurement": self._measured,
                "simulation": result.found[0],
                "noise": result.found[1],
                "residual": result.terms[1],
                "status": [
                    result.failed.get(
                        int(arm), "ok" if fine else self._row_status(row, result.found)
                    )
                    for row, (arm, fine) in enumerate(
                        zip(self._arm, np.isfinite(result.terms[0]), strict=True)
                    )
                ],
                **{name: [m.extra.get(name, "") for m in rows] for name in extra},
            }
        )


def _slot_sources(sources: Sources, values: tuple[float | str, ...], width: int) -> list[Source]:
    found: list[Source] = [
        resolve_name(sources, v) if isinstance(v, str) else (-1, float(v)) for v in values
    ]
    return found + [(-1, 0.0)] * (width - len(found))
