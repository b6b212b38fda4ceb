"""A model with its records, prepared once and solved many times: what estimation runs on."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from statera.data import EventTable
from statera.model import Model
from statera.simulate.arrays import check_rates, merge_keys
from statera.simulate.ode_options import OdeOptions
from statera.simulate.prepared_formulas import formulas_of, full_formula
from statera.simulate.prepared_ode import OdeSolver
from statera.simulate.prepared_solvers import LinearSolver
from statera.simulate.segments import Interpolation, Segments, lay_out, make_segments
from statera.simulate.simulate_events import in_model_units, record_covariates

__all__ = ["Columns", "Prepared", "full_formula", "prepare_records"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

OCCASION = "_occasion"


def prepare_records(
    model: Model, events: EventTable, interpolation: Interpolation
) -> tuple[EventTable, dict[str, Floats], list[str]]:
    """Return records in the model's units, its covariates on each, and what a reader must know.

    Raises
    ------
    InputError, DomainError
        If a covariate or amount cannot be used with the model.
    """
    table = in_model_units(model, events)
    covariates, remarks = record_covariates(model, table, interpolation)
    return table, covariates, remarks


@dataclass(frozen=True)
class Columns:
    """What solutions are differentiated by: fixed effects, then random effects.

    Attributes
    ----------
    parameters
        Names of the fixed effects.
    subject_etas, occasion_etas
        Names of the random effects by their level.
    n_occasions
        Random effects of an occasion stand once for each, occasion by occasion.
    """

    parameters: tuple[str, ...]
    subject_etas: tuple[str, ...]
    occasion_etas: tuple[str, ...]
    n_occasions: int

    @property
    def n_parameters(self) -> int:
        """Number of fixed effects."""
        return len(self.parameters)

    @property
    def n_etas(self) -> int:
        """Number of random effects of a subject, those of all occasions included."""
        return len(self.subject_etas) + self.n_occasions * len(self.occasion_etas)

    def of(self, name: str, occasion: Ints) -> Ints | int:
        """Return the column of a name; one for each system where it belongs to occasions."""
        if name in self.parameters:
            return self.parameters.index(name)
        base = self.n_parameters
        if name in self.subject_etas:
            return base + self.subject_etas.index(name)
        offset = base + len(self.subject_etas) + self.occasion_etas.index(name)
        return np.asarray(offset + occasion * len(self.occasion_etas), dtype=np.int64)


class Prepared:
    """A model under event records, ready to be solved again and again.

    Parameters
    ----------
    model
        Its parameter values and omegas are not used.
    events
        Records in the units of the model, see `statera.simulate.simulate_events`.
    covariates
        ``(n_records,)`` float64 by name: all covariates of the model, without gaps.
    occasion : (n_records,) int64, optional
        Occasion of each record, counted from 0, for random effects at that level.
    interpolation
        Rule for covariates between records.
    ode
        Tolerances where the model is not linear.
    workers
        Threads.

    Attributes
    ----------
    columns
        What solutions are differentiated by.
    row_subject, row_system : (n_rows,) int64
        Subject of each observation row, and its row of parameters.
    row_time : (n_rows,) float64, in the model's unit
    """

    def __init__(
        self,
        model: Model,
        events: EventTable,
        covariates: Mapping[str, Floats],
        *,
        occasion: Ints | None = None,
        interpolation: Interpolation = "nocb",
        ode: OdeOptions | None = None,
        workers: int = 1,
    ) -> None:
        self.model = model
        self.workers = workers
        self.events = merge_keys(model, events)
        effects = model.random_effects.values()
        own = tuple(e.name for e in effects if e.level == "subject")
        by_occasion = tuple(e.name for e in effects if e.level == "occasion")
        here = dict(covariates)
        n_occasions = 0
        if by_occasion:
            place = np.zeros(events.time.size) if occasion is None else occasion.astype(np.float64)
            here[OCCASION] = place
            n_occasions = int(place.max()) + 1
        self.columns = Columns(tuple(model.parameters), own, by_occasion, n_occasions)
        self.segments: Segments = make_segments(self.events, here, interpolation)
        self.layout = lay_out(self.events, self.events.n_groups, self.segments)
        self.system_subject = self.segments.subject
        self.occasion = np.zeros(self.segments.subject.size, dtype=np.int64)
        if by_occasion:
            self.occasion = self.segments.covariates[OCCASION].astype(np.int64)
        observed = self.events.row >= 0
        group = np.repeat(np.arange(events.n_groups), np.diff(events.offsets))
        self.row_subject = group[observed].astype(np.int64)
        at = self.segments.at if self.segments.varying else self.segments.start[group]
        self.row_system = at[observed].astype(np.int64)
        self.row_time = self.events.time[observed]
        self.row_start = np.searchsorted(self.row_subject, np.arange(events.n_groups + 1))
        self._prepare(ode or OdeOptions(rtol=1e-8))

    def _prepare(self, ode: OdeOptions) -> None:
        formulas = formulas_of(self.model, self.events.dose_keys, ode)
        self.formulas = formulas
        self.base = formulas.base
        self.structure = formulas.structure
        self.solver: LinearSolver | OdeSolver = copy.copy(formulas.solver)
        self.places = formulas.places
        kinds = [kind == 3 for kind in self.places.kind]
        check_rates(self.events, self.places.key_start.tolist(), kinds)
        self.leaves = formulas.leaves
        self._values = formulas.values

    @property
    def n_subjects(self) -> int:
        """Number of subjects."""
        return self.events.n_groups

    @property
    def how(self) -> str:
        """Which solver is used and why."""
        return f"{self.structure.reason}: {self.solver.how}"

    def system_values(self, theta: Floats, etas: Floats) -> dict[str, Floats | float]:
        """Return what formulas hold, by name, for every row of parameters.

        Parameters
        ----------
        theta : (n_parameters,) float64
        etas : (n_subjects, n_etas) float64
        """
        columns = self.columns
        values: dict[str, Floats | float] = dict(
            zip(columns.parameters, map(float, theta), strict=True)
        )
        mine = etas[self.system_subject]
        rows = np.arange(self.system_subject.size)
        for name in (*columns.subject_etas, *columns.occasion_etas):
            place = columns.of(name, self.occasion) - columns.n_parameters
            values[name] = mine[:, place] if isinstance(place, int) else mine[rows, place]
        values.update(self.segments.covariates)
        return values

    def states(
        self, theta: Floats, etas: Floats, active: NDArray[np.bool_] | None = None
    ) -> tuple[Floats, Ints]:
        """Return the states at observations, (n_rows, n_states), and a status by subject.

        Parameters
        ----------
        active : (n_subjects,) bool, optional
            Subjects to solve; the rows of others are NaN.
        """
        values = self.system_values(theta, etas)
        leaves = self._values(values, self.system_subject.size)
        return self.solver.states(self, leaves, self._skipped(active))

    def slopes(
        self,
        theta: Floats,
        etas: Floats,
        *,
        by_parameters: bool,
        active: NDArray[np.bool_] | None = None,
    ) -> tuple[Floats, Floats, Ints]:
        """Return states, their derivatives (n_rows, n_states, n_columns), and statuses.

        Parameters
        ----------
        by_parameters
            Columns are fixed and random effects, as in `columns`; otherwise random effects only.
        """
        n = self.system_subject.size
        values = self.system_values(theta, etas)
        leaves = self._values(values, n)
        tangents = self.formulas.tangents(by_parameters=by_parameters)
        found = tangents.function(values, n)
        first = 0 if by_parameters else self.columns.n_parameters
        m = self.columns.n_parameters + self.columns.n_etas - first
        slopes = np.zeros((len(self.leaves), n, m))
        rows = np.arange(n)
        for k, (leaf, name) in enumerate(zip(tangents.leaves, tangents.names, strict=True)):
            place = self.columns.of(name, self.occasion)
            if isinstance(place, int):
                slopes[leaf, :, place - first] = found[k]
            else:
                slopes[leaf, rows, place - first] = found[k]
        return self.solver.slopes(self, leaves, slopes, self._skipped(active))

    @property
    def can_bend(self) -> bool:
        """Whether `bends` is available: parameters do not change within a subject."""
        return not self.segments.varying and not self.columns.occasion_etas

    def bends(
        self, theta: Floats, etas: Floats, *, active: NDArray[np.bool_] | None = None
    ) -> tuple[Floats, Floats, Floats, Ints]:
        """Return states with exact first and second derivatives, see `PreparedBends`."""
        return self.formulas.bends(self, theta, etas, self._skipped(active))

    def leaf_values(self, theta: Floats, etas: Floats) -> tuple[dict[str, Floats | float], Floats]:
        """Return what formulas hold, and the leaves (n_leaves, n_systems)."""
        values = self.system_values(theta, etas)
        return values, self._values(values, self.system_subject.size)

    def leaves_at(self, values: Mapping[str, Floats | float], n: int) -> Floats:
        """Return the leaves (n_leaves, n) from what formulas hold, a number or (n,) each."""
        return self._values(values, n)

    def _skipped(self, active: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
        return np.zeros(self.n_subjects, dtype=bool) if active is None else ~active
