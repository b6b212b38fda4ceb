"""One dosing interval at steady state of every draw: of one mg where doses scale, else of a dose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from statera.data import Regimen
from statera.data.regimen import Dose
from statera.model import Model
from statera.numerics.expression import free_names
from statera.simulate import full_formula, simulate, structure_of
from statera.simulate.arrays import processes_of
from statera.simulate.prepared_solvers import LinearSolver
from statera.tdm.draw_states import DrawStates
from statera.tdm.future import asked_at, covariates_at
from statera.tdm.patient_data import analytes
from statera.tdm.patient_problem import PatientProblem
from statera.tdm.request import DoseTaken, Metric, Patient, Target

__all__ = ["Interval", "measure_of", "scales", "steady_interval", "steady_problem"]

Floats = NDArray[np.float64]

_STEPS = 20
_DAY = 24.0


class Interval(Protocol):
    """An interval of which targets can be measured."""

    def measure(self, target: Target, dose: float) -> Floats:
        """Return a metric for each draw under a dose in mg, in the unit of `measure_of`."""


def measure_of(target: Target, model: Model) -> str:
    """Return the unit in which a metric is computed: of the output, h, and 1 for inhibition."""
    unit = model.output(target.analyte or analytes(model)[0]).unit
    if target.metric is Metric.AUC24:
        return f"{unit}*h"
    if target.metric is Metric.TIME_ABOVE:
        return "h"
    return "" if target.metric is Metric.INHIBITION else unit


def scales(model: Model, analyte: str, route: str = "") -> bool:
    """Return whether concentrations are proportional to the dose, on top of a constant level."""
    structure = structure_of(model)
    if structure.linear is None or structure.transit:
        return False
    output = model.output(analyte)
    if any(name in model.states for e in _slopes(model, output.expression) for name in e):
        return False
    return not any(
        "AMT" in free_names(formula)
        for process in processes_of(model, route)
        for formula in (process.bioavailability, process.lag, process.duration, process.rate)
        if formula is not None
    )


def _slopes(model: Model, expression: object) -> list[frozenset[str]]:
    """Return the names in the derivatives of an output by the states."""
    import sympy as sp  # noqa: PLC0415  slow to load

    from statera.numerics.expression import symbol  # noqa: PLC0415

    whole = full_formula(model, expression)  # type: ignore[arg-type]
    return [frozenset(free_names(sp.diff(whole, symbol(s)))) for s in model.states]


def steady_problem(
    model: Model, patient: Patient, time: float, interval: float, amount: float, rows: int,
    analyte: str, route: str = "",
) -> PatientProblem:  # fmt: skip
    """Return records of a dose at steady state, with the covariates known at a time."""
    dose = DoseTaken(0.0, amount, route, interval=interval, steady_state=True)
    steady = replace(patient, doses=(dose,), samples=(), covariates=covariates_at(patient, time))
    times = np.linspace(0.0, interval, rows + 1)[1:]
    return asked_at(model, steady, times, analyte)


@dataclass(frozen=True)
class UnitInterval:
    """The interval of 1 mg, for models in which doses scale.

    Attributes
    ----------
    interval
        h.
    profile : (n_pieces * (steps + 1), n_draws) float64
        Output of 1 mg at the nodes, see `statera.tdm.profile_measures`.
    base : (n_draws,) float64
        Level without any dose.
    length : (n_pieces, n_draws) float64, h
    """

    interval: float
    profile: Floats
    base: Floats
    length: Floats
    cache: dict[str, Floats]

    def _unit(self, name: str) -> Floats:
        from statera.tdm import profile_measures  # noqa: PLC0415  loads compiled code

        if name not in self.cache:
            out = np.empty(self.base.size)
            kernel = profile_measures.areas if name == "area" else profile_measures.highest
            kernel(self.profile, self.length, _STEPS, out)
            self.cache[name] = out
        return self.cache[name]

    def measure(self, target: Target, dose: float) -> Floats:
        """Return a metric for each draw under a dose in mg."""
        from statera.tdm import profile_measures  # noqa: PLC0415  loads compiled code

        metric, out = target.metric, np.empty(self.base.size)
        per_day = _DAY / self.interval
        if metric is Metric.AUC24:
            return dose * self._unit("area") * per_day + self.base * _DAY
        if metric is Metric.CAVG:
            return dose * self._unit("area") / self.interval + self.base
        if metric is Metric.CTROUGH:
            return dose * self.profile[-1] + self.base
        if metric is Metric.CMAX:
            return dose * self._unit("highest") + self.base
        level = _level(target)
        if metric is Metric.TIME_ABOVE:
            profile_measures.times_above(
                self.profile, self.length, _STEPS, (level - self.base) / dose, out
            )
            return out * per_day
        profile_measures.inhibited(
            self.profile, self.length, _STEPS, level, self.base, dose, out
        )
        return out / self.interval


def _level(target: Target) -> float:
    assert target.threshold is not None  # checked with the question
    return target.threshold


@dataclass(frozen=True)
class SimulatedInterval:
    """The interval of each dose on its own, for models in which doses do not scale."""

    model: Model
    interval: float
    covariates: dict[str, float]
    etas: Floats
    analyte: str
    route: str
    targets: tuple[Target, ...]
    cache: dict[float, dict[Target, Floats]]

    def measure(self, target: Target, dose: float) -> Floats:
        """Return a metric for each draw under a dose in mg."""
        if dose not in self.cache:
            self.cache[dose] = self._simulated(dose)
        return self.cache[dose][target]

    def _simulated(self, dose: float) -> dict[Target, Floats]:
        name = self.analyte
        levels = [t.threshold for t in self.targets if t.metric is Metric.TIME_ABOVE]
        potencies = [t.threshold for t in self.targets if t.metric is Metric.INHIBITION]
        one = Dose(0.0, dose, self.route, self.interval, steady_state=True)
        found = simulate(
            self.model,
            Regimen((one,), f"{dose:g} mg q{self.interval:g}h ss"),
            covariates=self.covariates,
            etas=self.etas,
            times=[],
            windows=[(0.0, self.interval)],
            thresholds={name: [x for x in levels if x is not None]},
            inhibition={name: [(x, 1.0) for x in potencies if x is not None]},
        )
        values = found.window_values[name][:, 0]
        highest, _, area, mean, last, _ = values.T
        per_day = _DAY / self.interval
        out: dict[Target, Floats] = {}
        for target in self.targets:
            if target.metric is Metric.TIME_ABOVE:
                label = f"time above {target.threshold:.12g}"
                out[target] = found.extra_values[name][label][:, 0] * per_day
            elif target.metric is Metric.INHIBITION:
                label = f"mean inhibition (IC50 {target.threshold:.12g}, Hill 1)"
                out[target] = found.extra_values[name][label][:, 0]
            else:
                plain = {
                    Metric.AUC24: area * per_day, Metric.CAVG: mean, Metric.CTROUGH: last,
                    Metric.CMAX: highest,
                }  # fmt: skip
                out[target] = np.asarray(plain[target.metric])
        return out


def steady_interval(
    model: Model,
    patient: Patient,
    time: float,
    interval: float,
    etas: Floats,
    targets: Sequence[Target],
    analyte: str,
    route: str = "",
) -> Interval:
    """Return one interval at steady state, of all draws.

    Parameters
    ----------
    time
        Covariates are those known then, h.
    interval
        h.
    etas : (n_draws, n_etas) float64
        Random effects in the order of the model, one set a draw.
    """
    if scales(model, analyte, route):
        found = _unit_interval(model, patient, time, interval, etas, analyte, route)
        if found is not None:
            return found
    problem = steady_problem(model, patient, time, interval, 1.0, 1, analyte, route)
    covariates = {
        name: float(v[0]) for name, v in problem.individuals.prepared.segments.covariates.items()
        if name in model.covariates
    }  # fmt: skip
    names = [*problem.individuals.prepared.columns.subject_etas,
             *problem.individuals.prepared.columns.occasion_etas]  # fmt: skip
    order = [names.index(n) for n in model.random_effects]
    return SimulatedInterval(
        model, interval, covariates, np.ascontiguousarray(etas[:, order]), analyte, route,
        tuple(targets), {},
    )  # fmt: skip


def _unit_interval(
    model: Model, patient: Patient, time: float, interval: float, etas: Floats, analyte: str,
    route: str,
) -> UnitInterval | None:  # fmt: skip
    rows = 1
    problem = steady_problem(model, patient, time, interval, 1.0, rows, analyte, route)
    solver = problem.individuals.prepared.solver
    if not isinstance(solver, LinearSolver):
        return None
    edges = _edges(problem, etas, interval)
    length = np.diff(edges, axis=0)
    used = length.max(axis=1) > 0.0
    start, length = edges[:-1][used], length[used]
    place = np.linspace(0.0, 1.0, _STEPS + 1) ** 2
    # just before the end, where the next input may begin
    place[-1] -= 1e-9
    times = start[:, None, :] + length[:, None, :] * place[None, :, None]
    times[-1, -1] = interval
    times = times.reshape(-1, etas.shape[0])
    problem = steady_problem(
        model, patient, time, interval, 1.0, times.shape[0], analyte, route
    )
    hour = problem.individuals.prepared.row_time[-1] / interval
    profile = _values(problem, etas, times.T * hour)
    if profile is None:
        return None
    base = np.zeros(etas.shape[0])
    if solver.linear.constant or structure_of(model).outputs.constant:
        twice = steady_problem(
            model, patient, time, interval, 2.0, times.shape[0], analyte, route
        )
        double = _values(twice, etas, times.T * hour)
        assert double is not None
        base = 2.0 * profile[-1] - double[-1]
        profile = double - profile
    return UnitInterval(interval, profile, base, length, {})


def _edges(problem: PatientProblem, etas: Floats, interval: float) -> Floats:
    """Return where inputs begin and end within the interval, sorted, (n_edges, n_draws), h."""
    prepared = problem.individuals.prepared
    states = DrawStates(prepared)
    hour = prepared.row_time[-1] / interval
    values = states.values(problem.theta, np.asfortranarray(etas), 0)
    n = etas.shape[0]
    leaves = prepared.leaves_at(values, n)
    _, lag, duration, rate = prepared.places.input_values(leaves)
    bioavailability = prepared.places.input_values(leaves)[0]
    kind = prepared.places.kinds[1]
    edges = [np.zeros(n), np.full(n, interval)]
    for p in range(kind.size):
        begin = lag[:, p] / hour
        edges.append(begin % interval)
        if kind[p] != 0:
            size = duration[:, p] if kind[p] == 1 else bioavailability[:, p] / rate[:, p]
            edges.append((begin + size / hour) % interval)
    found = np.sort(np.nan_to_num(np.stack(edges)), axis=0)
    return np.clip(found, 0.0, interval)


def _values(problem: PatientProblem, etas: Floats, times: Floats) -> Floats | None:
    """Return the output at times of each draw, (n_times, n_draws)."""
    states = DrawStates(problem.individuals.prepared)
    if states.runs is None:
        return None
    found = states.superposed(problem.theta, etas, times)
    if found is None:
        return None
    x = found[0]
    model = problem.model
    group = problem.individuals.observations.groups[0]
    values = states.values(problem.theta, np.asfortranarray(etas), 0)
    values |= {name: 1.0 for name in group.extra}
    out = np.empty((times.shape[1], etas.shape[0]))
    logarithms = model.residuals[problem.individuals.observations.kinds[0].name].lognormal
    for j in range(times.shape[1]):
        here = values | dict(zip(model.states, x[j], strict=True)) | {"t": 0.0}
        out[j] = group.values(here, etas.shape[0])[0]
    return np.exp(out) if logarithms else out
