"""A drug's pharmacokinetics beside a pathway, so that one integration carries both.

The states of a population model join the network with their rates turned into its unit of time,
at the parameters of one subject. A dose is a jump of a state at an instant. An input at a constant
rate is a state of its own, which jumps up where the input starts and down where it ends; so no
solver needs to know of doses more than jumps.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from statera.data.regimen import Dose, Regimen, parse_regimen
from statera.errors import InputError, UnknownNameError
from statera.library import load_drug
from statera.library.protein_binding import protein_binding, unbound_fraction
from statera.model import Model
from statera.model.model import InputProcess
from statera.model.model import Output as ModelOutput
from statera.numerics.expression import evaluate, symbol
from statera.pathway.network import TIME, Network
from statera.simulate import simulate
from statera.simulate.arrays import individual_values, processes_of
from statera.simulate.subjects import make_subjects
from statera.units import convert, molar_from_mass, same_dimension

__all__ = ["DrugInput", "Jumps", "drug_input", "with_drug"]

Floats = NDArray[np.float64]
PREFIX = "pk_"


@dataclass(frozen=True)
class Jumps:
    """What is added to states at instants, in order of time.

    Attributes
    ----------
    times : (n_jumps,) float64
        In the network's unit of time.
    states
        Name of the state of each jump.
    amounts : (n_jumps,) float64
    """

    times: Floats
    states: tuple[str, ...]
    amounts: Floats


@dataclass(frozen=True)
class DrugInput:
    """The drug's part of a joint system.

    Attributes
    ----------
    states, rates, initial
        Of the pharmacokinetics, per unit of the network's time; names begin with ``pk_``.
    parameters
        Of the subject, by name; so persons differ by numbers alone and share a compiled network.
    concentration
        Total concentration in nM as a formula over these states.
    unbound
        Fraction that is not bound to plasma protein, or None where no source gives it.
    jumps
        The doses.
    notes
        What a reader must know.
    """

    model_id: str
    regimen: str
    states: tuple[str, ...]
    rates: tuple[sp.Expr, ...]
    initial: Mapping[str, float]
    parameters: Mapping[str, float]
    concentration: sp.Expr
    unbound: float | None
    jumps: Jumps
    notes: tuple[str, ...] = ()


def drug_input(
    model: Model,
    dose: str | Regimen,
    *,
    time_unit: str,
    output: str | None = None,
    covariates: Mapping[str, float] | None = None,
    etas: Floats | None = None,
    molar_mass: float | None = None,
    unbound: float | None = None,
) -> DrugInput:
    """Prepare one subject's pharmacokinetics under a regimen for joining a network.

    Parameters
    ----------
    model
        A population model whose inputs are boluses and zero-order inputs.
    dose
        Such as ``"4 mg q24h x3"``; ``ss`` starts at steady state.
    time_unit
        Of the network, such as ``min``.
    output
        Output that is the concentration in plasma; by default the first.
    covariates
        Of the subject; references where not given.
    etas : (n_eta,) float64, optional
        Random effects; 0 where not given, the typical subject.
    molar_mass, unbound
        In g/mol, and the unbound fraction; by default the library's for the model's drug.

    Raises
    ------
    InputError
        If the model cannot be carried beside a pathway (transit input, equations that depend on
        time), or its output has no concentration in mass or molar units.
    DomainError
        If the dose or a covariate lies outside the model's hard range.
    """
    regimen = parse_regimen(dose) if isinstance(dose, str) else dose
    effects = np.zeros((1, len(model.random_effects))) if etas is None else np.atleast_2d(etas)
    subjects = make_subjects(model, 1, dict(covariates or {}), 1, True, effects)
    known = individual_values(model, subjects.covariates, subjects.etas)
    values = {k: float(np.ravel(v)[0]) for k, v in known.items()}
    found = _output(model, output)
    _check(model)
    per = convert(1.0, time_unit, model.time_unit)
    renamed = {symbol(s): symbol(PREFIX + s) for s in (*model.states, *values)}
    rates = {PREFIX + e.name: per * e.expression.xreplace(renamed) for e in model.dynamics}
    starts, remarks = _start(model, regimen, subjects.covariates, effects)
    jumps, inputs = _jumps(model, regimen, values, 1.0 / per)
    for state, into in inputs.items():
        rates[into] = rates[into] + symbol(state)
        rates[state] = sp.Integer(0)
        starts[state] = 0.0
    to_nM = _to_nM(model, found, molar_mass)
    concentration = symbol("nM_per_unit") * found.expression.xreplace(renamed)
    used = concentration.free_symbols.union(*(r.free_symbols for r in rates.values()))
    return DrugInput(
        model_id=model.id,
        regimen=regimen.text or f"{len(regimen.doses)} doses",
        states=tuple(rates),
        rates=tuple(rates.values()),
        initial=starts,
        parameters={
            "nM_per_unit": to_nM,
            **{PREFIX + k: v for k, v in values.items() if symbol(PREFIX + k) in used},
        },
        concentration=concentration,
        unbound=_unbound(model) if unbound is None else unbound,
        jumps=jumps,
        notes=(*subjects.warnings, *remarks),
    )


def with_drug(network: Network, drug: DrugInput, name: str = "C_total_nM") -> Network:
    """Return the network with the drug's states; its total concentration is assigned to `name`.

    Raises
    ------
    InputError
        If the network already has one of the names.
    """
    taken = {*network.states, *network.parameters, *network.assigned}
    clash = sorted(taken & {*drug.states, *drug.parameters, name})
    if clash:
        raise InputError(
            f"the network {network.id} already has {', '.join(clash)}, names that the drug needs",
            hint="Rename them in the network.",
        )
    return replace(
        network,
        states=(*network.states, *drug.states),
        rates=(*network.rates, *drug.rates),
        initial={**network.initial, **{k: sp.Float(v) for k, v in drug.initial.items()}},
        parameters={**network.parameters, **drug.parameters},
        assigned={name: drug.concentration, **network.assigned},
        notes=(*network.notes, f"concentrations from {drug.model_id}", *drug.notes),
    )


def _check(model: Model) -> None:
    for equation in model.dynamics:
        if TIME in equation.expression.free_symbols:
            raise InputError(
                f"d/dt({equation.name}) of {model.id} depends on time and cannot be carried "
                "beside a pathway"
            )
    for route, processes in model.inputs.items():
        if any(p.kind == "transit" for p in processes):
            raise InputError(
                f"route {route} of {model.id} enters through transit compartments, which cannot "
                "be carried beside a pathway",
                hint="Use a model with a bolus, a depot or a zero-order input.",
            )


def _output(model: Model, name: str | None) -> ModelOutput:
    if name is None:
        return model.outputs[0]
    for output in model.outputs:
        if output.name == name:
            return output
    raise UnknownNameError("output", name, [o.name for o in model.outputs])


def _to_nM(model: Model, output: ModelOutput, molar_mass: float | None) -> float:
    """Return the factor from the output's unit to nM."""
    if same_dimension(output.unit, "nM"):
        return convert(1.0, output.unit, "nM")
    mass = molar_mass
    if mass is None and model.drug:
        try:
            mass = load_drug(model.drug).identity.molar_mass
        except UnknownNameError:
            mass = None
    if mass is None or not same_dimension(output.unit, "ng/mL"):
        raise InputError(
            f"{output.name} of {model.id} is in {output.unit or 'no unit'} and cannot be turned "
            "into nM" + ("" if mass is not None else ": the molar mass of its drug is not known"),
            hint="Give molar_mass in g/mol, and choose an output that is a concentration.",
        )
    return molar_from_mass(convert(1.0, output.unit, "ng/mL"), mass)


def _unbound(model: Model) -> float | None:
    if not model.drug:
        return None
    try:
        drug = load_drug(model.drug)
    except UnknownNameError:
        return None
    return unbound_fraction(protein_binding(drug))


def _scaled(model: Model, regimen: Regimen) -> Regimen:
    return regimen.scaled(convert(1.0, "h", model.time_unit), convert(1.0, "mg", model.amount_unit))


def _start(
    model: Model, regimen: Regimen, covariates: Mapping[str, Floats], etas: Floats
) -> tuple[dict[str, float], tuple[str, ...]]:
    """Return the states before the first dose: at steady state where the regimen says so."""
    steady = [d for d in regimen.doses if d.steady_state]
    if not steady:
        values = individual_values(model, covariates, etas)
        starts = {s: model.initial.get(s, sp.Integer(0)) for s in model.states}
        return {PREFIX + s: float(np.ravel(evaluate(e, values))[0]) for s, e in starts.items()}, ()
    if len(steady) > 1 or steady[0] is not regimen.doses[0] or steady[0].time > 0:
        raise InputError(
            "beside a pathway only the first dose, at time 0, can be at steady state",
            where="dose",
        )
    interval = steady[0].interval
    alone = Regimen((replace(steady[0], additional=0),))
    bare = replace(
        model,
        outputs=tuple(ModelOutput(s, s, symbol(s), model.amount_unit) for s in model.states),
        residuals={},
        likelihoods={},
    )
    found = simulate(
        bare, alone, covariates=dict(covariates), etas=etas, times=[interval], windows=[]
    )
    if found.statuses.any():
        raise InputError(f"{model.id} has no steady state of this regimen", where="dose")
    return {PREFIX + s: float(found.outputs[s][0, 0]) for s in model.states}, found.warnings


def _jumps(
    model: Model, regimen: Regimen, values: Mapping[str, float], factor: float
) -> tuple[Jumps, dict[str, str]]:
    """Return the doses as jumps, and the states of constant inputs with what they enter."""
    rows: list[tuple[float, str, float]] = []
    inputs: dict[str, str] = {}
    for dose in _scaled(model, regimen).doses:
        for process in processes_of(model, dose.route):
            amount, lag, duration = _process(process, dose, values)
            if dose.steady_state and lag + duration > dose.interval:
                raise InputError(
                    f"an input of {model.id} lasts {lag + duration:g} {model.time_unit}, longer "
                    "than the dosing interval; write the doses out instead of a steady state",
                    where="dose",
                )
            into = PREFIX + process.into
            for k in range(dose.additional + 1):
                begin = dose.time + k * dose.interval + lag
                if duration == 0.0:
                    rows.append((begin * factor, into, amount))
                    continue
                state = f"{PREFIX}input_{process.into}"
                inputs[state] = into
                # states hold amounts per unit of the network's time
                rate = amount / (duration * factor)
                rows.append((begin * factor, state, rate))
                rows.append(((begin + duration) * factor, state, -rate))
    rows.sort(key=lambda row: row[0])
    times, states, amounts = zip(*rows, strict=True)
    return Jumps(np.array(times), tuple(states), np.array(amounts)), inputs


def _process(
    process: InputProcess, dose: Dose, values: Mapping[str, float]
) -> tuple[float, float, float]:
    """Return amount, lag and duration of one input of a dose, in the model's units."""

    def number(formula: sp.Expr) -> float:
        return float(np.ravel(evaluate(formula, {**values, "AMT": dose.amount}))[0])

    amount = number(process.bioavailability) * dose.amount
    lag = number(process.lag)
    duration = dose.duration
    if duration == 0.0 and process.duration is not None:
        duration = number(process.duration)
    elif duration == 0.0 and process.rate is not None:
        duration = amount / number(process.rate)
    if not (math.isfinite(amount + lag + duration) and lag >= 0.0 and duration >= 0.0):
        raise InputError(
            f"a dose of {dose.amount:g} has amount {amount:g}, lag {lag:g} and duration "
            f"{duration:g}; all must be finite, and none negative",
            where="dose",
        )
    return amount, lag, duration
