"""What a population model's concentrations inhibit: cytokines by kinase, and measured readouts.

Each readout is a Hill equation of one output of the model, so that simulations can average it over
time: IC50 and output are in the same unit, and the binding to plasma protein is in the IC50.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from statera.engagement.potency import Potency, potencies_from_facts
from statera.engagement.receptor import JAKS
from statera.errors import InputError, UnknownNameError
from statera.library import load_cytokines, load_drug
from statera.library.protein_binding import protein_binding, unbound_fraction
from statera.mechanism.kinase_potencies import kinase_potencies
from statera.model import Model
from statera.units import convert, molar_from_mass, same_dimension

__all__ = ["Readout", "own_readout", "readouts_of"]


@dataclass(frozen=True)
class Readout:
    """An inhibition that follows from the concentration of one output.

    Attributes
    ----------
    name
        Such as ``IL-6`` or ``pSTAT1 (GS-829845)``.
    output
        Of the model.
    ic50, hill
        In the output's unit, total drug.
    basis
        How the IC50 came about, in words.
    cytokines
        Those whose receptors are taken to be inhibited so; empty for a measured readout.
    stats
        Transcription factors of these cytokines, each once.
    sources
        Ids of the sources of the potency.
    notes
        What a reader must know.
    """

    name: str
    output: str
    ic50: float
    hill: float
    basis: str
    cytokines: tuple[str, ...] = ()
    stats: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def readouts_of(model: Model) -> tuple[Readout, ...]:
    """Return what the library's potencies say about a model's concentrations.

    Cytokines come from enzyme potencies by the assumption of the limiting kinase: the receptor is
    inhibited as its most inhibited kinase is. With slopes that are all the same that is the kinase
    with the lowest IC50; where slopes differ, no readout is given. Potencies measured in blood
    come as they are, for the output that holds their substance.
    """
    try:
        drug = load_drug(model.drug)
    except UnknownNameError:
        return ()
    potencies, _ = potencies_from_facts(drug.facts_in("potency"))
    fraction = unbound_fraction(protein_binding(drug))
    mass = drug.identity.molar_mass
    return (
        *_of_cytokines(model, potencies, fraction, mass),
        *_measured(model, potencies, mass),
    )


def own_readout(
    model: Model,
    name: str,
    ic50: float,
    unit: str,
    *,
    hill: float = 1.0,
    unbound: float | None = None,
    molar_mass: float | None = None,
) -> Readout:
    """Return a readout of the first output from a potency that the user gives.

    Parameters
    ----------
    model
        Whose concentrations are meant.
    name
        Of the readout.
    ic50, unit
        In ``nM``, or a mass by volume such as ``ng/mL``.
    hill
        Slope.
    unbound
        Fraction unbound in plasma, where the IC50 is compared with unbound drug; None for total.
    molar_mass
        In g/mol; the library's where not given.

    Raises
    ------
    InputError
        If the IC50 cannot be turned into the output's unit.
    """
    output = model.outputs[0]
    mass = molar_mass
    if mass is None:
        try:
            mass = load_drug(model.drug).identity.molar_mass
        except UnknownNameError:
            mass = None
    if same_dimension(unit, "nM"):
        value = ic50 * convert(1.0, unit, "nM") / _in_nM(model, output.name, mass)
    else:
        value = ic50 * convert(1.0, unit, output.unit)
    against = "total drug" if unbound is None else f"{100.0 * unbound:g} % unbound in plasma"
    basis = f"IC50 {ic50:g} {unit} as given, {against}"
    return Readout(name, output.name, value / (unbound or 1.0), hill, basis)


def _of_cytokines(
    model: Model, potencies: Sequence[Potency], fraction: float | None, mass: float | None
) -> list[Readout]:
    output = model.outputs[0].name
    try:
        per_unit = _in_nM(model, output, mass)
        known = kinase_potencies(potencies, JAKS, fraction, molar_mass=mass)
    except InputError:
        return []
    grouped: dict[tuple[str, ...], list[str]] = {}
    stats: dict[tuple[str, ...], list[str]] = {}
    for cytokine in load_cytokines():
        usable = tuple(k for k in cytokine.jaks if k in known.values)
        if usable and cytokine.jaks_complete:
            grouped.setdefault(cytokine.jaks, []).append(cytokine.name)
            stats.setdefault(cytokine.jaks, []).extend(cytokine.stats)
    found = []
    for kinases, names in grouped.items():
        used = {k: known.values[k] for k in kinases if k in known.values}
        if len({p.hill for p in used.values()}) > 1:
            continue
        total = {k: p.ic50 / (fraction if p.unbound and fraction else 1.0) for k, p in used.items()}
        limiting = min(total, key=lambda k: total[k])
        missing = [k for k in kinases if k not in used]
        about = (*(f"{k}:" for k in kinases), "no source gives the slope")
        notes = [n for n in known.notes if n.startswith(about)]
        if missing:
            notes.append(f"{', '.join(missing)} of this receptor does not count")
        bound = used[limiting].unbound and fraction is not None
        found.append(
            Readout(
                "/".join(kinases),
                output,
                total[limiting] / per_unit,
                used[limiting].hill,
                f"{limiting}, enzyme assay, IC50 {used[limiting].ic50:g} nM"
                + (f" unbound, {100.0 * fraction:g} % unbound in plasma" if bound and fraction
                   else " compared with total drug")
                + ", limiting kinase",
                tuple(names),
                tuple(dict.fromkeys(stats[kinases])),
                known.sources,
                tuple(notes),
            )
        )  # fmt: skip
    return found


def _measured(model: Model, potencies: Sequence[Potency], mass: float | None) -> list[Readout]:
    found = []
    for potency in potencies:
        if potency.matrix not in ("whole_blood", "ex_vivo_blood") or potency.value is None:
            continue
        if potency.relation.is_bound:
            continue
        output = _output_of(model, potency)
        if output is None or (potency.unit == "nM" and potency.is_of_metabolite):
            continue
        unit = next(o.unit for o in model.outputs if o.name == output)
        if potency.unit == "nM":
            try:
                ic50 = potency.value / _in_nM(model, output, mass)
            except InputError:
                continue
        elif same_dimension(unit, "ng/mL"):
            ic50 = potency.value * convert(1.0, "ng/mL", unit)
        else:
            continue
        analyte = potency.analyte or model.drug
        found.append(
            Readout(
                f"{potency.readout or potency.target} by {analyte}",
                output,
                ic50,
                potency.hill,
                f"{potency.matrix.replace('_', ' ')}, IC50 {potency.value:g} {potency.unit}, "
                "total drug",
                (),
                (potency.readout,) if potency.readout.startswith("pSTAT") else (),
                (potency.source,) if potency.source else (),
                (potency.note,) if potency.note else (),
            )
        )
    return found


def _output_of(model: Model, potency: Potency) -> str | None:
    """Return the output that holds the potency's substance; None where none does."""
    if not potency.is_of_metabolite:
        return model.outputs[0].name
    wanted = potency.analyte.lower()
    return next((o.name for o in model.outputs if wanted in o.label.lower()), None)


def _in_nM(model: Model, output: str, molar_mass: float | None) -> float:
    """Return the factor from an output's unit to nM."""
    unit = model.output(output).unit
    if same_dimension(unit, "nM"):
        return convert(1.0, unit, "nM")
    if molar_mass is None or not same_dimension(unit, "ng/mL"):
        raise InputError(
            f"{output} of {model.id} is in {unit or 'no unit'} and cannot be turned into nM"
            + ("" if molar_mass is not None else ": the molar mass is not known"),
            where="molar_mass",
            hint="Give the molar mass in g/mol, and choose an output that is a concentration.",
        )
    return molar_from_mass(convert(1.0, unit, "ng/mL"), molar_mass)
