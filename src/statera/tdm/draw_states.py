"""States of one patient's records under many draws of the random effects, in one call."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from statera.data import EventTable
from statera.estimate.chains import tile_prepared
from statera.numerics.modal import decompose
from statera.simulate import Prepared
from statera.simulate.prepared_solvers import LinearSolver

__all__ = ["DrawStates", "Runs", "runs_of_doses"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_ROWS = 20_000
"""Rows solved in one call of the engine: bounds the memory."""

_SAME = 1e-9


@dataclass(frozen=True)
class Runs:
    """The doses of one subject as runs of equal ones.

    Attributes
    ----------
    time, amount, rate, interval, further, endless : (n_runs,) float64
    key : (n_runs,) int64
        Dose key of each run.
    known : (n_rows,) int64
        Runs recorded before each observation.
    """

    time: Floats
    amount: Floats
    rate: Floats
    interval: Floats
    further: Floats
    endless: Floats
    key: Ints
    known: Ints


def runs_of_doses(events: EventTable) -> Runs | None:
    """Return the doses of one subject, equal ones at equal distances joined.

    None where they are not plain doses after a possible steady state: the engine steps through
    those.
    """
    if (events.evid >= 3).any() or (events.steady_state > 1).any():
        return None
    rows: list[list[float]] = []
    known: list[int] = []
    for r in range(events.time.size):
        if events.evid[r] == 0 and events.row[r] >= 0:
            known.append(len(rows))
        if events.evid[r] != 1:
            continue
        steady = float(events.steady_state[r])
        if steady and (rows or known):
            return None
        if steady and events.interval[r] <= 0.0:
            return None
        run = [
            float(events.time[r]), float(events.amount[r]), float(events.rate[r]),
            float(events.interval[r]), float(events.additional[r]), steady, float(events.key[r]),
        ]  # fmt: skip
        if not known and rows and _joined(rows[-1], run):
            continue
        rows.append(run)
    table = np.array(rows, dtype=np.float64).reshape(-1, 7)
    time, amount, rate, interval, further, endless, key = (
        np.ascontiguousarray(table[:, k]) for k in range(7)
    )
    return Runs(
        time, amount, rate, interval, further, endless, key.astype(np.int64),
        np.array(known, dtype=np.int64),
    )  # fmt: skip


def _joined(last: list[float], run: list[float]) -> bool:
    """Extend the last run by another where the two are one; only before the first observation."""
    same = last[1:3] == run[1:3] and last[6] == run[6] and run[5] == 0.0
    if not same or run[4] != 0.0:
        return False
    gap = run[0] - (last[0] + last[4] * last[3])
    if gap <= 0.0:
        return False
    if last[4] == 0.0 and last[5] == 0.0:
        last[3] = gap
    elif abs(gap - last[3]) > _SAME * max(1.0, run[0]):
        return False
    last[4] += 1.0
    return True


class DrawStates:
    """One subject's prepared records, ready for many draws.

    Parameters
    ----------
    prepared
        Of one subject.
    """

    def __init__(self, prepared: Prepared) -> None:
        self.prepared = prepared
        self.n_rows = prepared.row_subject.size
        self._tiled: dict[int, Prepared] = {}
        plain = isinstance(prepared.solver, LinearSolver) and prepared.system_subject.size == 1
        self.runs = runs_of_doses(prepared.events) if plain else None

    @property
    def how(self) -> str:
        """How the states are found."""
        return "superposition" if self.runs is not None else self.prepared.how

    def values(self, theta: Floats, etas: Floats, system: int) -> dict[str, Floats | float]:
        """Return what formulas hold by name, for one row of parameters and every draw."""
        prepared, columns = self.prepared, self.prepared.columns
        found: dict[str, Floats | float] = dict(
            zip(columns.parameters, theta.tolist(), strict=True)
        )
        here = prepared.occasion[system : system + 1]
        for name in (*columns.subject_etas, *columns.occasion_etas):
            place = columns.of(name, here) - columns.n_parameters
            found[name] = etas[:, int(np.asarray(place).ravel()[0])]
        for name, values in prepared.segments.covariates.items():
            found[name] = float(values[system])
        return found

    def __call__(self, theta: Floats, etas: Floats) -> tuple[Floats, Ints]:
        """Return states (n_rows, n_states, n_draws) and a status of each draw.

        Parameters
        ----------
        theta : (n_theta,) float64
        etas : (n_draws, n_etas) float64
        """
        found = self.superposed(theta, etas)
        return self._stepped(theta, np.ascontiguousarray(etas)) if found is None else found

    def superposed(
        self, theta: Floats, etas: Floats, times: Floats | None = None
    ) -> tuple[Floats, Ints] | None:
        """Return states by superposition, or None where it does not hold.

        Parameters
        ----------
        times : (1 or n_draws, n_rows) float64, optional
            Other times than those of the records, in the unit of the model; the doses before each
            row are those of the records.
        """
        runs = self.runs
        if runs is None:
            return None
        from statera.tdm.superposition_kernel import superpose  # noqa: PLC0415  loads compiled code

        prepared, solver = self.prepared, self.prepared.solver
        assert isinstance(solver, LinearSolver)
        n = etas.shape[0]
        leaves = prepared.leaves_at(self.values(theta, np.asfortranarray(etas), 0), n)
        matrix, production, initial = solver.arrays(leaves)
        lam, right, left, modal = decompose(matrix, solver.linear.members, solver.linear.bounds)
        finite = np.isfinite(leaves).all(axis=0)
        if not modal[finite].all():
            return None
        inputs = prepared.places.input_values(leaves)
        compartment, kind = prepared.places.kinds
        statuses = np.where(finite, 0, 4).astype(np.int64)
        asked = prepared.row_time[None, :] if times is None else times
        starts = prepared.places.key_start
        processes = np.stack([starts[runs.key], starts[runs.key + 1]], axis=1)
        out = np.full((asked.shape[1], solver.n, n), np.nan)
        superpose(
            np.ascontiguousarray(asked), float(prepared.events.time[0]), runs.known, runs.time,
            runs.amount, runs.rate, runs.interval, runs.further, runs.endless, processes,
            compartment, kind, *inputs, lam, right, left, production, initial, out, statuses,
        )  # fmt: skip
        out[:, :, statuses != 0] = np.nan
        return out, statuses

    def _stepped(self, theta: Floats, etas: Floats) -> tuple[Floats, Ints]:
        """Step from event to event, many copies of the subject at a time."""
        n = etas.shape[0]
        out = np.empty((self.n_rows, len(self.prepared.model.states), n))
        statuses = np.zeros(n, dtype=np.int64)
        copies = max(1, min(n, _ROWS // max(1, self.n_rows)))
        for first in range(0, n, copies):
            part = slice(first, min(n, first + copies))
            size = part.stop - first
            x, status = self._of(size).states(theta, etas[part])
            out[:, :, part] = x.reshape(size, self.n_rows, -1).transpose(1, 2, 0)
            statuses[part] = status
        return out, statuses

    def _of(self, copies: int) -> Prepared:
        if copies not in self._tiled:
            self._tiled[copies] = tile_prepared(self.prepared, copies)
        return self._tiled[copies]
