"""Simulate the conditions of a PEtab problem, with derivatives by theta."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from statera.pathway.engine import AdjointEngine, Engine, Seeds
from statera.pathway.network import Network
from statera.pathway.objective_adjoint import by_theta, chooses_adjoint
from statera.pathway.petab_arms import Arm, find_arms
from statera.pathway.petab_mapping import Ints, Sources
from statera.pathway.petab_problem import PetabPart
from statera.pathway.petab_stage import Stage, dynamic_parameters

__all__ = ["Points", "Simulation"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Points:
    """States where something was measured.

    Attributes
    ----------
    states : (n_points, n_states) float64
        NaN where a simulation failed.
    slopes : (n_points, n_states, n_columns) float64
        Derivatives by theta; None where not asked for.
    failed
        Sentence of each simulation that failed, by its number.
    back
        In the place of `slopes`, the adjoint: from the derivatives of a number by `states` to
        those by theta, (n_theta,).
    """

    states: Floats
    slopes: Floats | None
    failed: Mapping[int, str]
    back: Callable[[Floats], Floats] | None = None


class Simulation:
    """The simulations of a part.

    Parameters
    ----------
    part
        Model and data.
    sources
        What names stand for.
    engine
        What solves.
    n_theta
        Number of estimated parameters.
    gradient
        How gradients are found: ``auto``, ``forward`` or ``adjoint``.

    Attributes
    ----------
    arms
        What is simulated.
    columns : (n_points, n_columns) int64
        Position in theta of each column of `Points.slopes`; -1 where it is not used.
    adjoint
        Whether gradients go the way back.
    """

    def __init__(
        self, part: PetabPart, sources: Sources, engine: Engine, n_theta: int, gradient: str
    ) -> None:
        self._engine, self._n_theta = engine, n_theta
        self._solvable = engine.compile(part.network)
        self.states: tuple[str, ...] = tuple(self._solvable.states)
        self.parameters: tuple[str, ...] = tuple(self._solvable.parameters)
        self.arms = find_arms(
            part, sources, self.states, self.parameters, *dynamic_parameters(part.network)
        )
        self._before = self._stage(part.network, self.arms.before, n_theta, None)
        self._main = self._stage(part.network, self.arms.arms, n_theta, self._before)
        self.columns = self._main.columns[self.arms.of_point]
        self._begin = np.array([arm.start for arm in self.arms.arms], dtype=np.float64)
        widths = np.array([len(theta) for theta in self._main.used], dtype=np.int64)
        self._groups = _groups(self.arms.timed, widths)
        self.adjoint = chooses_adjoint(
            gradient, engine, self._solvable, widths[self.arms.timed], part.network.id
        )
        self._together = [(self.arms.timed, 0)] if len(self.arms.timed) else []

    def _stage(
        self, network: Network, arms: tuple[Arm, ...], n_theta: int, before: Stage | None
    ) -> Stage:
        return Stage(network, self.states, self.parameters, arms, n_theta, before)

    def run(self, linear: Floats, grows: Floats | None, gradient_only: bool = False) -> Points:
        """Simulate.

        Parameters
        ----------
        linear, grows : (n_theta,) float64
            Linear values of theta, and their derivatives by theta; None for no derivatives.
        gradient_only
            Whether derivatives of one number are all that is wanted of them.
        """
        values, initial, seeds, failed = self._start(linear, grows)
        if self.adjoint and gradient_only and seeds is not None:
            return self._taped(values, initial, seeds, failed)
        states, slopes = self._courses(values, initial, seeds, failed)
        if len(self.arms.steady):
            further, by = self._steady(values, initial, seeds, failed)
            states = np.concatenate([states, further])
            slopes = None if slopes is None or by is None else np.concatenate([slopes, by])
        return Points(states, slopes, failed)

    def _start(
        self, linear: Floats, grows: Floats | None
    ) -> tuple[Floats, Floats, Seeds | None, dict[int, str]]:
        """Return parameters, starts and their derivatives, and what failed before the start."""
        failed_before: Mapping[int, str] = {}
        link: tuple[Floats, Floats | None] | None = None
        if self._before.size:
            values, initial, seeds = self._before.prepare(linear, grows, None)
            found, slopes, failed_before = self._engine.steady(
                self._solvable, values, initial, seeds
            )
            link = (found, slopes)
        values, initial, seeds = self._main.prepare(linear, grows, link)
        failed = {
            row: f"pre-equilibration: {failed_before[arm.before]}"
            for row, arm in enumerate(self.arms.arms)
            if arm.before in failed_before
        }
        return values, initial, seeds, failed

    def _taped(
        self, values: Floats, initial: Floats, seeds: Seeds, failed: dict[int, str]
    ) -> Points:
        """Simulate with a way back; what is steady keeps its few forward columns."""
        assert isinstance(self._engine, AdjointEngine)
        rows = self.arms.timed
        times = [self.arms.times[r] for r in rows]
        found, back, wrong = self._engine.taped_course(
            self._solvable, values[rows], initial[rows], times, self._begin[rows]
        )
        for place, sentence in wrong.items():
            failed.setdefault(int(rows[place]), sentence)
        states, slopes = [np.empty((0, len(self.states))), *found], None
        if len(self.arms.steady):
            further, slopes = self._steady(values, initial, seeds, failed)
            states.append(further)
        columns = self._main.columns[np.concatenate([rows, self.arms.steady])]
        ends = np.cumsum([len(t) for t in times], dtype=np.int64)

        def go_back(weights: Floats) -> Floats:
            *timed, steady = np.split(weights, ends)
            return by_theta(
                back, timed, (seeds[0][rows], seeds[1][rows]),
                None if slopes is None else (steady, slopes), columns, self._n_theta,
            )  # fmt: skip

        return Points(np.concatenate(states), None, failed, go_back)

    def _courses(
        self, values: Floats, initial: Floats, seeds: Seeds | None, failed: dict[int, str]
    ) -> tuple[Floats, Floats | None]:
        """Return states and slopes at the times of all simulations."""
        groups = self._groups if seeds is not None else self._together
        states: list[Floats] = []
        slopes: list[Floats] = []
        for rows, width in groups:
            chosen = None
            if seeds is not None:
                chosen = (seeds[0][rows][:, :, :width], seeds[1][rows][:, :, :width])
            times = [self.arms.times[r] for r in rows]
            found, by, wrong = self._engine.course(
                self._solvable, values[rows], initial[rows], times, chosen, self._begin[rows]
            )
            states += found
            slopes += by or ()
            for place, sentence in wrong.items():
                failed.setdefault(int(rows[place]), sentence)
        if not states:
            states = [np.empty((0, len(self.states)))]
            slopes = [np.empty((0, len(self.states), self.columns.shape[1]))]
        if len(groups) <= 1:
            return np.concatenate(states), np.concatenate(slopes) if seeds is not None else None
        return self._in_order(states, slopes)

    def _in_order(self, states: list[Floats], slopes: list[Floats]) -> tuple[Floats, Floats]:
        """Return what was solved in groups, in the order of the simulations."""
        order = np.concatenate([rows for rows, _ in self._groups])
        firsts = np.concatenate([[0], np.cumsum([len(t) for t in self.arms.times])])
        all_states = np.empty((firsts[-1], len(self.states)))
        all_slopes = np.zeros((*all_states.shape, self.columns.shape[1]))
        for arm, x, by in zip(order, states, slopes, strict=True):
            place = slice(firsts[arm], firsts[arm + 1])
            all_states[place] = x
            all_slopes[place, :, : by.shape[2]] = by
        return all_states, all_slopes

    def _steady(
        self, values: Floats, initial: Floats, seeds: Seeds | None, failed: dict[int, str]
    ) -> tuple[Floats, Floats | None]:
        rows = self.arms.steady
        chosen = None if seeds is None else (seeds[0][rows], seeds[1][rows])
        found, by, wrong = self._engine.steady(self._solvable, values[rows], initial[rows], chosen)
        for place, sentence in wrong.items():
            failed.setdefault(int(rows[place]), f"steady state: {sentence}")
        return found, by


def _groups(rows: Ints, widths: Ints) -> list[tuple[Ints, int]]:
    """Return simulations of about as many columns together: empty columns cost as much as full."""
    if not len(rows):
        return []
    order = rows[np.argsort(widths[rows], kind="stable")]
    edges = [0]
    for place, row in enumerate(order):
        if widths[row] > 1.25 * widths[order[edges[-1]]] + 1:
            edges.append(place)
    groups = [np.sort(part) for part in np.split(order, edges[1:])]
    return [(group, int(widths[group].max())) for group in groups]
