"""Scenarios: who takes what before and while a pathway is stimulated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from statera.data.regimen import Regimen
from statera.errors import InputError, UnknownNameError
from statera.mechanism.kinase_potencies import KinasePotencies
from statera.model import Model
from statera.pathway.compiled_network import compile_network
from statera.pathway.drug_input import DrugInput, drug_input, with_drug
from statera.pathway.initial_states import initial_states
from statera.pathway.jak_inhibition import JakMarks, Rule, inhibit
from statera.pathway.network import Network
from statera.pathway.outputs import Outputs
from statera.pathway.solve import Doses, PathwayOptions, solve
from statera.units import convert

__all__ = [
    "CONCENTRATION",
    "NO_DRUG",
    "PathwayRun",
    "Scenario",
    "ScenarioRun",
    "checked_parameters",
    "compared",
    "run_alone",
    "run_scenarios",
]

Floats = NDArray[np.float64]
CONCENTRATION = "C_total_nM"
NO_DRUG = "no drug"


@dataclass(frozen=True)
class Scenario:
    """One person under one regimen.

    Attributes
    ----------
    label
        Name in tables and figures.
    dose
        Such as ``"4 mg q24h ss"``; None for no drug.
    covariates
        Of the person; the model's references where not given.
    before
        Hours from the first dose to the time 0 of the pathway, at which its stimulus begins.
    """

    label: str
    dose: str | Regimen | None
    covariates: Mapping[str, float] = field(default_factory=dict)
    before: float = 0.0


@dataclass(frozen=True)
class ScenarioRun:
    """What one scenario did.

    Attributes
    ----------
    outputs
        By name, (n_times,) float64; NaN from where the solver failed.
    inhibition
        By name, (n_times,): 1 - output / output without drug at the same time; NaN where there is
        none without drug. Below 0 where the drug raises it.
    area_inhibition
        By name: the same of the areas over all times.
    concentration : (n_times,) float64, nM
        Total drug.
    status
        ``ok``, or why the solver stopped.
    """

    scenario: Scenario
    outputs: Mapping[str, Floats]
    inhibition: Mapping[str, Floats]
    area_inhibition: Mapping[str, float]
    concentration: Floats
    status: str


@dataclass(frozen=True)
class PathwayRun:
    """All scenarios of a pathway; the first is without drug.

    Attributes
    ----------
    times : (n_times,) float64
        In the network's unit.
    network
        With the drug's states and residual activities.
    potencies
        At the kinases; None without a drug.
    unbound
        Fraction of the drug that is not bound; None where no source gives it.
    notes
        What a reader must know.
    """

    times: Floats
    time_unit: str
    network: Network
    runs: tuple[ScenarioRun, ...]
    notes: tuple[str, ...]
    potencies: KinasePotencies | None = None
    unbound: float | None = None


def run_scenarios(
    network: Network,
    marks: JakMarks,
    model: Model,
    potencies: KinasePotencies,
    scenarios: Sequence[Scenario],
    times: Floats,
    outputs: Sequence[str],
    *,
    time_unit: str | None = None,
    parameters: Mapping[str, float] | None = None,
    unbound: float | None = None,
    molar_mass: float | None = None,
    rule: Rule = "limiting_kinase",
    options: PathwayOptions | None = None,
) -> PathwayRun:
    """Run a pathway without drug and under each scenario.

    The drug's concentration and the pathway are one system, integrated together. All scenarios
    share the compiled network: persons and doses differ by numbers.

    Parameters
    ----------
    network, marks
        The pathway, and what its kinases catalyse.
    model
        Population model of the drug.
    potencies
        At the kinases.
    scenarios
        What to run beside the course without drug.
    times : (n_times,) float64
        Rising, in the network's unit of time.
    outputs
        States or assigned names.
    time_unit
        Where the network's file does not say its unit, or a wrong one.
    parameters
        Values in place of the network's own.
    unbound, molar_mass
        In place of the library's.
    rule
        How kinases of one reaction join.

    Raises
    ------
    InputError
        If a name is unknown, a dose cannot be used, or the unit of time is not known.
    """
    unit = _unit(network, time_unit)
    asked = [s for s in scenarios if s.dose is not None]
    if not asked:
        raise InputError("no scenario gives the drug", hint="Give at least one dose.")
    inputs = [
        drug_input(
            model, s.dose, time_unit=unit, covariates=s.covariates,
            molar_mass=molar_mass, unbound=unbound,
        )
        for s in asked
        if s.dose is not None
    ]  # fmt: skip
    joint = inhibit(
        with_drug(replace(network, time_unit=unit), inputs[0], CONCENTRATION),
        marks, potencies.values, concentration=CONCENTRATION, unbound=inputs[0].unbound, rule=rule,
    )  # fmt: skip
    values = {**joint.parameters, **checked_parameters(joint, parameters or {})}
    all_runs = [Scenario(NO_DRUG, None, before=max(s.before for s in asked)), *asked]
    each = [replace(inputs[0], jumps=replace(inputs[0].jumps, times=np.zeros(0), states=(),
                                             amounts=np.zeros(0)),
                    initial=dict.fromkeys(inputs[0].initial, 0.0)), *inputs]  # fmt: skip
    found = _solve(joint, values, all_runs, each, np.asarray(times, dtype=np.float64), outputs,
                   convert(1.0, "h", unit), options or PathwayOptions())  # fmt: skip
    notes = (*joint.notes, *(n for d in inputs for n in d.notes), *potencies.notes)
    return PathwayRun(
        np.asarray(times), unit, joint, found, tuple(dict.fromkeys(notes)), potencies,
        inputs[0].unbound,
    )  # fmt: skip


def run_alone(
    network: Network,
    times: Floats,
    outputs: Sequence[str],
    *,
    parameters: Mapping[str, float] | None = None,
    options: PathwayOptions | None = None,
) -> PathwayRun:
    """Run a pathway as its file gives it, without a drug of the library.

    Raises
    ------
    InputError, UnknownNameError
        If a parameter or an output is unknown.
    """
    values = {**network.parameters, **checked_parameters(network, parameters or {})}
    compiled = compile_network(network)
    rows = np.array([[values[p] for p in compiled.parameters]])
    initial, _ = initial_states(compiled, rows)
    reader = Outputs(network, outputs)
    at = np.asarray(times, dtype=np.float64)
    solved = solve(compiled, rows, initial, [at], options=options or PathwayOptions())
    read = reader(at, solved.states[0], values)
    nothing = {n: np.full(at.size, np.nan) for n in read}
    run = ScenarioRun(Scenario("as given", None), read, nothing, dict.fromkeys(read, float("nan")),
                      np.zeros(at.size), solved.message[0])  # fmt: skip
    return PathwayRun(at, network.time_unit, network, (run,), network.notes)


def _unit(network: Network, given: str | None) -> str:
    unit = given or network.time_unit
    if not unit:
        raise InputError(
            f"the network {network.id} does not say its unit of time",
            hint="Give it, such as min, so that doses fall at the right times.",
        )
    return unit


def checked_parameters(network: Network, parameters: Mapping[str, float]) -> Mapping[str, float]:
    """Return values for parameters once it is clear that the network has these parameters."""
    for name in parameters:
        if name in network.states or name in network.assigned:
            raise InputError(
                f"'{name}' is no parameter of {network.id}, but follows from its equations",
                where="parameters",
                hint="Set what it depends on.",
            )
        if name not in network.parameters:
            raise UnknownNameError("parameter", name, network.parameters, where="parameters")
    return parameters


def _solve(
    network: Network,
    values: Mapping[str, float],
    scenarios: Sequence[Scenario],
    inputs: Sequence[DrugInput],
    times: Floats,
    names: Sequence[str],
    hour: float,
    options: PathwayOptions,
) -> tuple[ScenarioRun, ...]:
    compiled = compile_network(network)
    rows = np.array([[{**values, **d.parameters}[p] for p in compiled.parameters] for d in inputs])
    initial, _ = initial_states(compiled, rows)
    place = {s: i for i, s in enumerate(compiled.states)}
    for row, drug in zip(initial, inputs, strict=True):
        for state, value in drug.initial.items():
            row[place[state]] = value
    start = np.array([-s.before * hour for s in scenarios])
    doses = _doses(inputs, place, start)
    solved = solve(
        compiled, rows, initial, [times] * len(inputs), start=start, doses=doses, options=options
    )
    reader = Outputs(network, (*names, CONCENTRATION))
    read = [
        reader(times, states, dict(zip(compiled.parameters, row, strict=True)))
        for states, row in zip(solved.states, rows, strict=True)
    ]
    concentrations = [r[CONCENTRATION] for r in read]
    return compared(scenarios, read, concentrations, solved.message, times, names)


def compared(
    scenarios: Sequence[Scenario],
    outputs: Sequence[Mapping[str, Floats]],
    concentrations: Sequence[Floats],
    messages: Sequence[str],
    times: Floats,
    names: Sequence[str],
) -> tuple[ScenarioRun, ...]:
    """Hold every scenario against the first, which is without drug.

    Parameters
    ----------
    scenarios
        In the order of what follows.
    outputs
        By name, (n_times,) float64.
    concentrations
        (n_times,) float64, nM.
    messages
        How each was solved.
    times : (n_times,) float64
    names
        Outputs that are kept.
    """
    without = outputs[0]
    found = []
    for scenario, values, concentration, message in zip(
        scenarios, outputs, concentrations, messages, strict=True
    ):
        with np.errstate(divide="ignore", invalid="ignore"):
            inhibition = {
                n: np.where(without[n] > 0.0, 1.0 - values[n] / without[n], np.nan) for n in names
            }
            areas = {
                n: 1.0 - float(np.trapezoid(values[n], times) / np.trapezoid(without[n], times))
                for n in names
            }
        kept = {n: values[n] for n in names}
        found.append(ScenarioRun(scenario, kept, inhibition, areas, concentration, message))
    return tuple(found)


def _doses(inputs: Sequence[DrugInput], place: Mapping[str, int], start: Floats) -> Doses:
    condition, time, state, amount = [], [], [], []
    for k, drug in enumerate(inputs):
        condition += [k] * len(drug.jumps.states)
        time += (drug.jumps.times + start[k]).tolist()
        state += [place[s] for s in drug.jumps.states]
        amount += drug.jumps.amounts.tolist()
    return Doses(
        np.array(condition, dtype=np.int64), np.array(time), np.array(state, dtype=np.int64),
        np.array(amount),
    )  # fmt: skip
