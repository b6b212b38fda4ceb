"""One dosing interval at steady state of every draw: of 1 mg where doses scale, else of a dose."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from statera.data import Regimen
from statera.data.regimen import Dose
from statera.model import Model
from statera.numerics.expression import free_names
from statera.numerics.modal import decompose
from statera.simulate import full_formula, simulate, structure_of
from statera.simulate.arrays import processes_of
from statera.simulate.prepared_solvers import LinearSolver
from statera.tdm.draw_states import DrawStates
from statera.tdm.future import asked_at, covariates_at
from statera.tdm.inhibition_profile import inhibited_by_draw, mean_inhibition_by_draw
from statera.tdm.patient_data import analytes
from statera.tdm.patient_problem import PatientProblem
from statera.tdm.request import DoseTaken, Metric, Patient, Target
from statera.tdm.target_ic50 import Ic50Level, Levels

__all__ = ["Interval", "measure_of", "scales", "steady_interval", "steady_problem"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_LONG, _SHORT = 24, 8
"""Steps of a piece of the interval, and of one shorter than an eighth of it; even numbers."""

_DAY = 24.0

_GRID = 240
"""Steps of an interval of a model whose doses do not scale, where each draw has an IC50."""


class Interval(Protocol):
    """An interval of which targets can be measured."""

    def scaling(self, metric: Metric) -> bool:
        """Return whether a metric is that of 1 mg times the dose."""

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

    whole = full_formula(model, expression)
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


class UnitInterval:
    """The interval of 1 mg, for models in which doses scale.

    Areas come from the modes without any course; the course itself is computed when a metric needs
    it.

    Attributes
    ----------
    interval
        h.
    base : (n_draws,) float64
        Level without any dose.
    area : (n_draws,) float64
        Area of 1 mg under the output, in the output's unit and h.
    levels
        IC50s of targets that have a potency.
    """

    proportional = frozenset({Metric.AUC24, Metric.CAVG, Metric.CTROUGH, Metric.CMAX})

    def __init__(
        self, interval: float, base: Floats, area: Floats, course: Callable[[], Course],
        levels: Levels,
    ) -> None:  # fmt: skip
        self.interval, self.base, self.area = interval, base, area
        self._make_course, self.levels = course, levels

    @cached_property
    def course(self) -> Course:
        """Output of 1 mg at the nodes."""
        return self._make_course()

    @cached_property
    def highest(self) -> Floats:
        """Largest output of 1 mg, (n_draws,)."""
        from statera.tdm import profile_kernel  # noqa: PLC0415  loads compiled code

        out = np.empty(self.base.size)
        profile_kernel.highest(self.course.profile, self.course.length, self.course.steps, out)
        return out

    def scaling(self, metric: Metric) -> bool:
        """Return whether a metric is that of 1 mg times the dose."""
        return metric in self.proportional and not self.base.any()

    def measure(self, target: Target, dose: float) -> Floats:
        """Return a metric for each draw under a dose in mg."""
        from statera.tdm import profile_kernel  # noqa: PLC0415  loads compiled code

        metric, out = target.metric, np.empty(self.base.size)
        per_day = _DAY / self.interval
        if metric is Metric.AUC24:
            return dose * self.area * per_day + self.base * _DAY
        if metric is Metric.CAVG:
            return dose * self.area / self.interval + self.base
        if metric is Metric.CTROUGH:
            return np.asarray(dose * self.course.profile[-1] + self.base)
        if metric is Metric.CMAX:
            return dose * self.highest + self.base
        at = self.course
        if metric is Metric.TIME_ABOVE:
            level = _level(target)
            profile_kernel.times_above(
                at.profile, at.length, at.steps, (level - self.base) / dose, out
            )
            return out * per_day
        return self._inhibited(at, _potency(target, self.levels), dose) / self.interval

    def _inhibited(self, at: Course, level: Ic50Level, dose: float) -> Floats:
        from statera.tdm import profile_kernel  # noqa: PLC0415  loads compiled code

        if level.hill != 1.0 or not isinstance(level.ic50, float):
            return inhibited_by_draw(
                at.profile, at.length, at.steps, level.ic50, level.hill, self.base, dose
            )
        out = np.empty(self.base.size)
        profile_kernel.inhibited(at.profile, at.length, at.steps, level.ic50, self.base, dose, out)
        return out


@dataclass(frozen=True)
class Course:
    """An interval at nodes, see `statera.tdm.profile_kernel`.

    Attributes
    ----------
    profile : (n_nodes, n_draws) float64
    length : (n_pieces, n_draws) float64, h
    steps : (n_pieces,) int64
    """

    profile: Floats
    length: Floats
    steps: Ints


def _potency(target: Target, levels: Levels) -> Ic50Level:
    return levels[target] if target.potency is not None else Ic50Level(float(_level(target)), 1.0)


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
    levels: Levels = field(default_factory=dict)

    def scaling(self, metric: Metric) -> bool:
        """Return False: every dose is simulated."""
        return False

    def measure(self, target: Target, dose: float) -> Floats:
        """Return a metric for each draw under a dose in mg."""
        if dose not in self.cache:
            self.cache[dose] = self._simulated(dose)
        return self.cache[dose][target]

    def _simulated(self, dose: float) -> dict[Target, Floats]:
        name = self.analyte
        levels = [t.threshold for t in self.targets if t.metric is Metric.TIME_ABOVE]
        known = {t: _potency(t, self.levels) for t in self.targets if t.metric is Metric.INHIBITION}
        one_for_all = [(k.ic50, k.hill) for k in known.values() if isinstance(k.ic50, float)]
        drawn = len(one_for_all) < len(known)
        times = np.linspace(0.0, self.interval, _GRID + 1) if drawn else np.zeros(0)
        one = Dose(0.0, dose, self.route, self.interval, steady_state=True)
        found = simulate(
            self.model,
            Regimen((one,), f"{dose:g} mg q{self.interval:g}h ss"),
            covariates=self.covariates,
            etas=self.etas,
            times=times,
            windows=[(0.0, self.interval)],
            thresholds={name: [x for x in levels if x is not None]},
            inhibition={name: one_for_all},
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
                level = known[target]
                if isinstance(level.ic50, float):
                    label = f"mean inhibition (IC50 {level.ic50:.12g}, Hill {level.hill:.12g})"
                    out[target] = found.extra_values[name][label][:, 0]
                else:
                    out[target] = mean_inhibition_by_draw(
                        times, found.outputs[name], level.ic50, level.hill
                    )
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
    levels: Levels | None = None,
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
    levels
        IC50s of the targets that have a potency.
    """
    if scales(model, analyte, route):
        found = _unit_interval(model, patient, time, interval, etas, analyte, route, levels or {})
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
        tuple(targets), {}, levels or {},
    )  # fmt: skip


def _unit_interval(
    model: Model, patient: Patient, time: float, interval: float, etas: Floats, analyte: str,
    route: str, levels: Levels,
) -> UnitInterval | None:  # fmt: skip
    problem = steady_problem(model, patient, time, interval, 1.0, 1, analyte, route)
    prepared = problem.individuals.prepared
    solver, states = prepared.solver, DrawStates(prepared)
    if not isinstance(solver, LinearSolver) or states.runs is None:
        return None
    values = states.values(problem.theta, np.asfortranarray(etas), 0)
    n = etas.shape[0]
    leaves = prepared.leaves_at(values, n)
    matrix, production, _ = solver.arrays(leaves)
    lam, right, left, modal = decompose(matrix, solver.linear.members, solver.linear.bounds)
    if not modal[np.isfinite(leaves).all(axis=0)].all():
        return None
    given = np.zeros((n, solver.n))
    inputs = prepared.places.input_values(leaves)
    for p, state in enumerate(prepared.places.kinds[0].tolist()):
        given[:, state] += inputs[0][:, p]
    hour = float(prepared.row_time[-1]) / interval
    rest = _output(problem, values, _balance(lam, right, left, production))
    whole = _output(problem, values, _balance(lam, right, left, given + production))
    edges = _edges(inputs, prepared.places.kinds[1], interval, hour)

    def course() -> Course:
        return _course(model, patient, time, interval, etas, analyte, route, edges, rest)

    return UnitInterval(interval, rest, (whole - rest) / hour, course, levels)


def _balance(lam: Floats, right: Floats, left: Floats, fed: Floats) -> Floats:
    """Return ``-A^-1 fed``, (n_states, n_draws): the state that a constant input holds.

    It is also the integral of the state after an amount given once.
    """
    part = np.einsum("nmj,nj->nm", left, fed)
    with np.errstate(divide="ignore", invalid="ignore"):
        part = np.where(part == 0.0, 0.0, part / np.where(lam < 0.0, lam, np.nan))
    return np.ascontiguousarray(-np.einsum("njm,nm->jn", right, part))


def _output(problem: PatientProblem, values: Mapping[str, Floats | float], x: Floats) -> Floats:
    """Return the output at states (n_states, n_draws)."""
    observations, n = problem.individuals.observations, x.shape[1]
    here = dict(values) | dict.fromkeys(observations.groups[0].extra, 1.0)
    here |= dict(zip(problem.model.states, x, strict=True)) | {"t": 0.0}
    found = observations.groups[0].values(here, n)[0]
    if problem.model.residuals[observations.kinds[0].name].lognormal:
        found = np.exp(found)
    return np.asarray(found)


def _course(
    model: Model, patient: Patient, time: float, interval: float, etas: Floats, analyte: str,
    route: str, edges: Floats, base: Floats,
) -> Course:  # fmt: skip
    """Return the course of 1 mg at steady state, without the level that is there anyway."""
    length = np.diff(edges, axis=0)
    used = length.max(axis=1) > 0.0
    start, length = edges[:-1][used], np.ascontiguousarray(length[used])
    steps = np.where(length.max(axis=1) < interval / 8.0, _SHORT, _LONG).astype(np.int64)
    pieces = []
    for p, count in enumerate(steps.tolist()):
        place = np.linspace(0.0, 1.0, count + 1) ** 2
        place[-1] -= 1e-9  # just before the end, where the next input may begin
        pieces.append(start[p] + length[p] * place[:, None])
    times = np.concatenate(pieces)
    times[-1] = interval
    problem = steady_problem(model, patient, time, interval, 1.0, times.shape[0], analyte, route)
    states = DrawStates(problem.individuals.prepared)
    hour = float(problem.individuals.prepared.row_time[-1]) / interval
    found = states.superposed(problem.theta, etas, np.ascontiguousarray(times.T) * hour)
    assert found is not None  # the same system as that of the areas
    values = states.values(problem.theta, np.asfortranarray(etas), 0)
    profile = np.empty(times.shape)
    for j, x in enumerate(found[0]):
        profile[j] = _output(problem, values, x) - base
    return Course(profile, length, steps)


def _edges(inputs: Sequence[Floats], kind: Ints, interval: float, hour: float) -> Floats:
    """Return where inputs begin and end within the interval, sorted, (n_edges, n_draws), h.

    Parameters
    ----------
    inputs
        Bioavailability, lag, duration and rate of each process, of 1 mg.
    hour
        An hour in the unit of the model.
    """
    bioavailability, lag, duration, rate = inputs
    n = lag.shape[0]
    edges = [np.zeros(n), np.full(n, interval)]
    with np.errstate(all="ignore"):  # a draw far out in the tail may have no finite duration
        for p in range(kind.size):
            begin = lag[:, p] / hour
            edges.append(begin % interval)
            if kind[p] != 0:
                size = duration[:, p] if kind[p] == 1 else bioavailability[:, p] / rate[:, p]
                edges.append((begin + size / hour) % interval)
    found = np.sort(np.nan_to_num(np.stack(edges)), axis=0)
    return np.asarray(np.clip(found, 0.0, interval))
