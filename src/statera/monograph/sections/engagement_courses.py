"""The concentration that a potency is compared with, through one dosing interval."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from statera.engagement import Basis, Potency, concentration_basis
from statera.monograph.context import Context, Exposure
from statera.monograph.sections.engagement_potencies import Entry
from statera.units import convert, molar_from_mass

__all__ = ["Course", "Pair", "combined_course", "course", "obstacle", "pairs", "total_nM"]

Floats = NDArray[np.float64]

# Inhibition depends on the ratio of concentration to IC50 alone. Where both are known as mass
# per volume of the same substance, any molar mass cancels; this one leaves the numbers as they
# are printed.
_CANCELS = 1000.0


@dataclass(frozen=True, eq=False)
class Course:
    """Concentrations through a dosing interval at steady state, on the basis of a potency.

    Attributes
    ----------
    potency
        On the scale of the concentrations.
    basis
        Total or unbound, and the rule that decided.
    times : (n,) float64, h
    typical : (n,) float64
    population : (n_subjects, n) float64
    ends
        Lowest and highest concentration of the typical subject, located between the samples; None
        where only the samples are known.
    """

    potency: Potency
    basis: Basis
    times: Floats
    typical: Floats
    population: Floats
    ends: tuple[float, float] | None = None


@dataclass(frozen=True)
class Pair:
    """A parent and its metabolite with potencies for the same readout."""

    parent: Entry
    metabolite: Entry


def _output(context: Context, potency: Potency) -> str | None:
    """Return the model output that holds the potency's substance, or None."""
    assert context.model is not None
    if not potency.is_of_metabolite:
        return context.model.outputs[0].name
    wanted = potency.analyte.lower()
    named = (o.name for o in context.model.outputs if wanted in o.label.lower())
    return next(named, None)


def obstacle(context: Context, entry: Entry) -> str:
    """Return why a potency cannot be compared with a concentration; empty where it can."""
    potency = entry.potency
    if context.model is None:
        return "no population model"
    if not context.exposures:
        return "no once- or twice-daily label dose inside the range of the model"
    if _output(context, potency) is None:
        return f"the model has no concentration of {potency.analyte}"
    if potency.unit == "nM" and potency.is_of_metabolite:
        return f"no source gives the molar mass of {potency.analyte}"
    if potency.unit == "nM" and context.molar_mass is None:
        return "no source gives the molar mass, so ng/mL cannot be turned into nM"
    return ""


def _scaled(context: Context, values: Floats, unit: str, potency: Potency) -> Floats:
    mass = values * convert(1.0, unit, "ng/mL")
    if potency.unit == "nM":
        assert context.molar_mass is not None
        return mass * molar_from_mass(1.0, context.molar_mass)
    return mass


def course(context: Context, entry: Entry, exposure: Exposure) -> Course:
    """Return the concentrations for a potency; call only where there is no `obstacle`."""
    potency = entry.potency
    output = _output(context, potency)
    assert output is not None
    unit = exposure.typical.units[output]
    solved = exposure.population.statuses == 0
    basis = concentration_basis(potency, context.unbound_fraction)

    def ready(values: Floats) -> Floats:
        return basis.apply(_scaled(context, values, unit, potency))

    ends = [exposure.typical.endpoint(name, output) for name in ("Cmin", "Cmax")]
    return Course(
        potency.in_nM(_CANCELS),
        basis,
        exposure.typical.times,
        ready(exposure.typical.outputs[output][0]),
        ready(exposure.population.outputs[output][solved]),
        (float(ready(ends[0])[0]), float(ready(ends[1])[0])),
    )


def pairs(context: Context, entries: tuple[Entry, ...]) -> tuple[Pair, ...]:
    """Return parents and metabolites whose potencies can be added up.

    Same readout, target, stimulus, matrix, unit and Hill coefficient, both known as points.
    """

    def kind(p: Potency) -> tuple[object, ...]:
        return (p.stimulus, p.readout, p.target, p.matrix, p.unit, p.hill, p.ic50.is_point)

    found = []
    for second in entries:
        if not second.potency.is_of_metabolite or obstacle(context, second):
            continue
        for first in entries:
            if first.potency.is_of_metabolite or obstacle(context, first):
                continue
            if kind(first.potency) == kind(second.potency) and first.potency.ic50.is_point:
                found.append(Pair(first, second))
    return tuple(found)


def combined_course(context: Context, pair: Pair, exposure: Exposure) -> Course:
    """Return the concentration of parent equivalents, C + Cm IC50/IC50m."""
    parent = course(context, pair.parent, exposure)
    other = course(context, pair.metabolite, exposure)
    share = parent.potency.ic50.low / other.potency.ic50.low
    return replace(
        parent,
        potency=replace(parent.potency, note=""),
        typical=parent.typical + share * other.typical,
        population=parent.population + share * other.population,
        ends=None,
    )


def total_nM(context: Context, exposure: Exposure) -> Floats | None:
    """Return the typical total concentration of the drug, nM; None without a molar mass."""
    if context.molar_mass is None or context.model is None:
        return None
    name = context.model.outputs[0].name
    factor = convert(1.0, exposure.typical.units[name], "ng/mL")
    values = exposure.typical.outputs[name][0]
    return np.asarray(values * factor * molar_from_mass(1.0, context.molar_mass))
