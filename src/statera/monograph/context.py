"""What all sections of a monograph share: the drug, its models and their simulations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import numpy as np

from statera.data import Dose, Regimen
from statera.library import Drug, load_drug
from statera.library.models import load_model, models_of
from statera.library.protein_binding import protein_binding, unbound_fraction
from statera.model import Model
from statera.monograph.options import MonographOptions
from statera.parallel import available_workers
from statera.simulate import (
    SimulationResult,
    default_times,
    depends_on_time,
    implied_covariates,
    simulate,
)
from statera.sources import Fact, Status
from statera.units import molar_from_mass

__all__ = [
    "LONG_USE",
    "Context",
    "DoseOption",
    "Exposure",
    "bare_context",
    "label_doses",
    "make_context",
]

LONG_USE = 28
"""Doses after which a model whose clearance changes with time is taken as settled."""

_FREQUENCIES = {"QD": (24.0, "once daily"), "BID": (12.0, "twice daily")}


@dataclass(frozen=True)
class DoseOption:
    """A repeated dose: amount in mg, interval in h."""

    amount: float
    interval: float

    @property
    def label(self) -> str:
        """Such as ``4 mg once daily``."""
        words = dict(_FREQUENCIES.values())
        often = words.get(self.interval, f"every {self.interval:g} h")
        return f"{self.amount:g} mg {often}"

    def at_steady_state(self) -> Regimen:
        """Return the regimen from a dose at steady state on."""
        dose = Dose(0.0, self.amount, "", self.interval, 0, 0.0, True)
        return Regimen((dose,), f"{self.amount:g} mg q{self.interval:g}h ss")

    def once(self) -> Regimen:
        """Return a single dose, observed for one interval of 24 h."""
        return Regimen((Dose(0.0, self.amount),), f"{self.amount:g} mg")


@dataclass(frozen=True)
class Exposure:
    """Simulations of one dose: the typical subject and a population, reference covariates."""

    dose: DoseOption
    typical: SimulationResult
    population: SimulationResult
    typical_single: SimulationResult
    population_single: SimulationResult


@dataclass(frozen=True)
class Context:
    """The drug, what the library knows about it, and what was simulated.

    Attributes
    ----------
    models
        All models of the drug; the first is the primary one. Empty where none is published.
    exposures
        Simulations of the primary model by dose, lowest first; empty without a model.
    molar_mass
        g/mol, or None where no source gives it: then nothing is shown in nM.
    unbound
        The fact behind the unbound fraction in plasma, or None.
    """

    drug: Drug
    options: MonographOptions
    models: tuple[Model, ...]
    exposures: Mapping[DoseOption, Exposure] = field(default_factory=lambda: MappingProxyType({}))
    molar_mass: float | None = None
    unbound: Fact | None = None

    @property
    def model(self) -> Model | None:
        """The primary model."""
        return self.models[0] if self.models else None

    @property
    def name(self) -> str:
        """Name of the drug."""
        return self.drug.name

    @property
    def unbound_fraction(self) -> float | None:
        """Unbound fraction in plasma, from the protein binding in percent."""
        return unbound_fraction(self.unbound)

    @property
    def workers(self) -> int:
        """Threads to use."""
        return self.options.workers or available_workers()

    @property
    def highest(self) -> Exposure | None:
        """Exposure at the highest dose shown."""
        return list(self.exposures.values())[-1] if self.exposures else None

    @property
    def concentration_nM(self) -> float | None:
        """Total concentration at which the pathway is coloured, nM; None where unknown."""
        if self.options.concentration_nM is not None:
            return self.options.concentration_nM
        if self.highest is None or self.molar_mass is None:
            return None
        average = float(self.highest.typical.endpoint("Cavg")[0])
        return molar_from_mass(average, self.molar_mass)

    def run(self, regimen: Regimen, *, typical: bool = False, **changes: Any) -> SimulationResult:
        """Simulate the primary model with the options of the monograph.

        Where the equations depend on time there is no steady state: `LONG_USE` doses are given
        instead, and the last interval is returned with times from its start.
        """
        assert self.model is not None
        dose = regimen.doses[0]
        arguments: dict[str, Any] = {
            "n": 1 if typical else self.options.n,
            "typical": typical,
            "seed": self.options.seed,
            "workers": 1 if typical else self.workers,
            **changes,
        }
        held = implied_covariates(self.model, dose)
        arguments["covariates"] = {**held, **dict(arguments.get("covariates") or {})}
        if not dose.steady_state or not depends_on_time(self.model):
            return simulate(self.model, regimen, **arguments)
        repeated = replace(dose, steady_state=False, additional=LONG_USE - 1)
        start = repeated.last_time
        grid = arguments.get("times")
        arguments["times"] = start + (default_times(regimen) if grid is None else np.asarray(grid))
        arguments["windows"] = [(start, start + dose.interval)]
        result = simulate(self.model, Regimen((repeated,), regimen.text), **arguments)
        return replace(result, times=result.times - start, windows=result.windows - start)


def bare_context(name: str, options: MonographOptions) -> Context:
    """Load a drug and its models; nothing is simulated.

    Raises
    ------
    UnknownNameError
        If the library has no such drug.
    """
    drug = load_drug(name)
    return Context(
        drug,
        options,
        tuple(load_model(model_id) for model_id in models_of(drug.name)),
        molar_mass=drug.identity.molar_mass,
        unbound=protein_binding(drug),
    )


def make_context(name: str, options: MonographOptions) -> Context:
    """Load a drug and simulate its doses.

    Raises
    ------
    UnknownNameError
        If the library has no such drug.
    """
    bare = bare_context(name, options)
    exposures = {dose: _expose(bare, dose) for dose in label_doses(bare)}
    return replace(bare, exposures=MappingProxyType(exposures))


def label_doses(context: Context) -> tuple[DoseOption, ...]:
    """Return the label doses of the drug inside the model's dose range, lowest first.

    Rules that were superseded, and claims of a vendor, do not count. Empty without a model.
    """
    model = context.model
    if model is None:
        return ()
    found = set()
    for rule in context.drug.labels:
        if rule.superseded or rule.status is Status.VENDOR_CLAIM:
            continue
        frequency = _FREQUENCIES.get(rule.frequency or "")
        if rule.dose_mg and frequency and model.dose_soft.holds(rule.dose_mg):
            found.add(DoseOption(rule.dose_mg, frequency[0]))
    return tuple(sorted(found, key=lambda d: (d.amount / d.interval, d.amount)))


def _expose(context: Context, dose: DoseOption) -> Exposure:
    steady, single = dose.at_steady_state(), dose.once()
    return Exposure(
        dose,
        typical=context.run(steady, typical=True),
        population=context.run(steady),
        typical_single=context.run(single, typical=True),
        population_single=context.run(single),
    )
