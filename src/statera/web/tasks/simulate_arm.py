"""One arm of a simulation: checked, simulated, and kept for the questions that follow.

What is kept in the process answers other percentiles at once, and windows, thresholds and
inhibitions that were asked before. Anything else is simulated: equal seeds give equal subjects, so
a process that kept nothing gives the same numbers.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from statera.data import Regimen, parse_regimen
from statera.errors import InputError, NumericalError, UnknownNameError
from statera.library.models import library_model
from statera.model import Model
from statera.parallel import available_workers
from statera.simulate import (
    SimulationResult,
    implied_covariates,
    model_covariate,
    parse_distribution,
    profile_times,
    simulate,
    structure_of,
)
from statera.simulate.distributions import Distribution
from statera.simulate.subjects import check_doses, check_range
from statera.units import convert
from statera.web.requests.simulate import Arm, SimulateRequest
from statera.web.tasks.concerning import concerning

__all__ = [
    "Covariates",
    "KeptArm",
    "Prepared",
    "Question",
    "forget",
    "kept",
    "prepare_all",
]

Floats = NDArray[np.float64]
Covariates = Mapping[str, float | Distribution]

_MOST_BYTES = 160_000_000
_MOST_MEASURED = 8
_MOST_THREADS = 2
# Doses times subjects that are solved within the time limit of the task.
_MOST_CLOSED, _MOST_STEPPED = 4_000_000, 150_000


@dataclass(frozen=True)
class Prepared:
    """An arm whose names and numbers were checked.

    Attributes
    ----------
    covariates
        As given, and those that the regimen implies.
    implied
        Names of the latter.
    notes
        What lies outside the data of the model, by field: ``dose``, or a covariate's name.
    """

    name: str
    model: Model
    regimen: Regimen
    covariates: Covariates
    implied: tuple[str, ...]
    notes: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Question:
    """What is asked of windows, hashable: as `statera.simulate.simulate` takes it."""

    windows: tuple[tuple[float, float], ...]
    thresholds: tuple[tuple[str, tuple[float, ...]], ...] = ()
    inhibition: tuple[tuple[str, tuple[float, float]], ...] = ()


@dataclass
class KeptArm:
    """What one simulation found.

    Attributes
    ----------
    times : (n_times,) float64, h
    profiles
        ``(n_times, n_solved)`` float64 by output, sorted at each time: any percentile is read off.
    failures
        Sentences, each with its number of subjects.
    measured
        Endpoints by question; results without profiles.
    """

    times: Floats
    profiles: dict[str, Floats]
    units: Mapping[str, str]
    solver: str
    warnings: tuple[str, ...]
    failures: Mapping[str, int]
    measured: OrderedDict[Question, SimulationResult] = field(default_factory=OrderedDict)

    def percentiles(
        self,
        output: str,
        levels: Sequence[float],
        rising: Callable[[Floats], Floats] = np.asarray,
    ) -> Floats:
        """Return percentiles over the solved subjects, (n_levels, n_times) float64.

        Parameters
        ----------
        output
            Whose.
        levels
            In per cent.
        rising
            Turns concentrations into what is wanted, such as inhibition; it must never fall, so
            that the order of subjects stays.
        """
        rows = self.profiles[output]
        place = np.asarray(levels) / 100.0 * (rows.shape[1] - 1)
        low = np.floor(place).astype(int)
        high = np.minimum(low + 1, rows.shape[1] - 1)
        below, above = rising(rows[:, low]), rising(rows[:, high])
        return np.asarray((below + (above - below) * (place - low)).T)

    @property
    def size(self) -> int:
        """Bytes, nearly."""
        found = sum(p.nbytes for p in self.profiles.values())
        for result in self.measured.values():
            found += sum(v.nbytes for v in result.window_values.values())
        return found


_KEPT: OrderedDict[tuple[object, ...], KeptArm] = OrderedDict()


def forget() -> None:
    """Drop everything that was kept."""
    _KEPT.clear()


def prepare_all(request: SimulateRequest) -> list[Prepared]:
    """Check the arms of a request, and give those of one name different ones.

    Raises
    ------
    StateraError
        With the field as its place, such as ``arms.0.covariates.WT``.
    """
    found: list[Prepared] = []
    for index in range(len(request.arms)):
        arm = _prepare(request, index)
        same = sum(a.name == arm.name for a in found)
        found.append(replace(arm, name=f"{arm.name} ({index + 1})") if same else arm)
    return found


def _prepare(request: SimulateRequest, index: int) -> Prepared:
    arm, where = request.arms[index], f"arms.{index}"
    with concerning(f"{where}.model"):
        model = library_model(arm.model)
    notes: dict[str, tuple[str, ...]] = {}
    with concerning(f"{where}.dose"):
        regimen = parse_regimen(arm.dose)
        hour, mg = convert(1.0, "h", model.time_unit), convert(1.0, "mg", model.amount_unit)
        found = check_doses(model, regimen.scaled(hour, mg))
        if found:
            notes["dose"] = found
        _check_work(request, model, regimen)
    covariates: dict[str, float | Distribution] = {}
    for given, value in arm.covariates.items():
        with concerning(f"{where}.covariates.{given}"):
            name = model_covariate(model, given)
            if name not in model.covariates:
                raise UnknownNameError(f"covariate of {model.id}", given, model.covariates)
            covariates[name] = number = _covariate(value)
            if isinstance(number, float):
                outside = check_range(model.covariates[name], np.array([number]), model)
                if outside:
                    notes[name] = tuple(outside)
    implied = implied_covariates(model, regimen.last)
    added = {name: value for name, value in implied.items() if name not in covariates}
    return Prepared(
        arm.name.strip() or _default_name(request, arm), model, regimen,
        {**covariates, **added}, tuple(added), notes,
    )  # fmt: skip


def _default_name(request: SimulateRequest, arm: Arm) -> str:
    several = len({a.model for a in request.arms}) > 1
    return f"{arm.model.partition('/')[0]} {arm.dose}" if several else arm.dose


def _covariate(value: float | str) -> float | Distribution:
    if not isinstance(value, str):
        return float(value)
    try:
        return float(value)
    except ValueError:
        return parse_distribution(value)


def _check_work(request: SimulateRequest, model: Model, regimen: Regimen) -> None:
    doses = sum(d.additional + 1 for d in regimen.doses)
    closed = structure_of(model).closed_form
    most = _MOST_CLOSED if closed else _MOST_STEPPED
    asked = doses * request.n * len(request.arms)
    if asked > most:
        how = "" if closed else f"; {model.id} is solved step by step"
        raise InputError(
            f"{doses} doses for {request.n} subjects in {len(request.arms)} arms are more than the "
            f"{most} that can be waited for{how}",
            hint=f"Take at most {max(1, most // (doses * len(request.arms)))} subjects, or use "
            "'statera simulate'.",
        )


def kept(request: SimulateRequest, arm: Prepared, question: Question) -> KeptArm:
    """Return a simulation that answers `question`, from what is kept where it can be."""
    end = arm.regimen.end if request.until is None else request.until
    covariates = tuple(sorted((name, str(value)) for name, value in arm.covariates.items()))
    key = (
        arm.model.id, arm.regimen.text, covariates,
        request.n, request.seed, request.start, end, request.points,
    )  # fmt: skip
    found = _KEPT.get(key)
    if found is None:
        with concerning("until"):
            times = profile_times(arm.regimen, start=request.start, end=end, points=request.points)
        result = _simulate(request, arm, question, times)
        found = _KEPT[key] = _keep(result, arm.model.id)
        found.measured[question] = _without_profiles(result)
    elif question not in found.measured:
        found.measured[question] = _simulate(request, arm, question, np.zeros(1))
    _KEPT.move_to_end(key)
    found.measured.move_to_end(question)
    while len(found.measured) > _MOST_MEASURED:
        found.measured.popitem(last=False)
    sizes = {key: k.size for key, k in _KEPT.items()}
    total = sum(sizes.values())
    while len(_KEPT) > 1 and total > _MOST_BYTES:
        oldest, _ = _KEPT.popitem(last=False)
        total -= sizes[oldest]
    return found


def _simulate(
    request: SimulateRequest, arm: Prepared, question: Question, times: Floats
) -> SimulationResult:
    inhibition: dict[str, list[tuple[float, float]]] = {}
    for output, hill in question.inhibition:
        inhibition.setdefault(output, []).append(hill)
    return simulate(
        arm.model, arm.regimen, n=request.n, covariates=dict(arm.covariates), seed=request.seed,
        times=times, windows=question.windows, workers=min(_MOST_THREADS, available_workers()),
        thresholds=dict(question.thresholds), inhibition=inhibition,
    )  # fmt: skip


def _keep(result: SimulationResult, model_id: str) -> KeptArm:
    solved = result.statuses == 0
    failures: dict[str, int] = {}
    for _, sentence in result.failures:
        failures[sentence] = failures.get(sentence, 0) + 1
    if not solved.any():
        raise NumericalError(
            f"no subject could be solved: {result.failures[0][1]}",
            where=model_id,
            hint="Check the dose and the covariates against the model.",
        )
    profiles = {}
    for name, rows in result.outputs.items():
        here = np.array((rows if solved.all() else rows[solved]).T, order="C")
        here.sort(axis=1)
        profiles[name] = here
    return KeptArm(result.times, profiles, result.units, result.solver, result.warnings, failures)


def _without_profiles(result: SimulationResult) -> SimulationResult:
    return replace(result, outputs={}, times=np.zeros(0))
