"""The IC50 of a target against one model: in the unit of its output, of total drug, and drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from statera.engagement import Basis, Spread, concentration_basis
from statera.errors import UnknownNameError
from statera.library import Drug, load_drug
from statera.library.protein_binding import protein_binding, unbound_fraction
from statera.model import Model
from statera.numerics.streams import stream
from statera.tdm.outcome import Outcome, Remark, RequestError
from statera.tdm.patient_data import analytes
from statera.tdm.request import Target
from statera.tdm.target_potency import Drawn, TargetPotency
from statera.units import convert, same_dimension

__all__ = ["Ic50Level", "TargetIc50", "ic50_levels", "potency_remarks", "target_ic50"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Ic50Level:
    """IC50 and Hill coefficient with which inhibition is computed.

    Attributes
    ----------
    ic50
        Total concentration in the output's unit: one for all, or (n_draws,).
    hill
    """

    ic50: float | Floats
    hill: float


@dataclass(frozen=True)
class TargetIc50:
    """An IC50 as a concentration that the model has.

    Attributes
    ----------
    ic50
        Of total drug, in `unit`.
    unit
        Of the model's output.
    hill
    ln_sd
        Standard deviation of ln IC50 that is drawn; 0 where it is taken as known.
    basis
        Total or unbound, and the rule that decided.
    """

    ic50: float
    unit: str
    hill: float
    ln_sd: float
    basis: Basis

    def level(self, n: int, seed: int, purpose: str) -> Ic50Level:
        """Return the IC50 of `n` possible individuals; the first k do not depend on n."""
        if self.ln_sd == 0.0:
            return Ic50Level(self.ic50, self.hill)
        drawn = stream(seed, purpose).standard_normal(n)
        return Ic50Level(self.ic50 * np.exp(self.ln_sd * drawn), self.hill)


def target_ic50(target: Target, model: Model, where: str = "") -> TargetIc50:
    """Return the IC50 of a target that has a potency.

    Raises
    ------
    RequestError
        If the potency is of another drug or substance than the model's output, or the library
        lacks the molar mass or the unbound fraction that the comparison needs.
    """
    found = target.potency
    assert found is not None  # asked by the caller
    potency, first = found.potency, analytes(model)[0]
    drug = _drug(found, model, where)
    if target.analyte not in ("", first):
        raise _unusable(
            f"the potency of {found.name} is that of {drug.name}, and '{target.analyte}' is "
            f"another output of {model.id} than its first, '{first}'",
            where,
            f"Leave out 'analyte', or write analyte = \"{first}\".",
        )
    basis = concentration_basis(potency, unbound_fraction(protein_binding(drug)))
    if basis.rule.key == "fraction_unknown_total":
        raise _unusable(
            f"the potency of {found.name} was measured without plasma ({potency.matrix}), and the "
            f"library does not know the unbound fraction of {drug.name}: it cannot be compared "
            "with a concentration in plasma",
            where,
            "Use a potency measured in blood, or give the IC50 of total drug as threshold.",
        )
    unit = model.output(first).unit
    value = _in_unit(found, drug, unit, where) / basis.factor
    return TargetIc50(value, unit, potency.hill, _ln_sd(found), basis)


def ic50_levels(
    targets: Sequence[Target], model: Model, n: int, seed: int
) -> dict[Target, Ic50Level]:
    """Return the IC50s of all targets that have a potency, drawn for `n` possible individuals.

    One potency has the same draws in all targets, doses and intervals; different potencies are
    drawn independently of each other and of the concentration.
    """
    found = {}
    for target in targets:
        if target.potency is not None:
            p = target.potency.potency
            purpose = f"IC50: {p.stimulus}, {p.target}, {p.readout}, {p.cells}; {model.id}"
            found[target] = target_ic50(target, model).level(n, seed, purpose)
    return found


def potency_remarks(targets: Sequence[Target], models: Sequence[Model]) -> list[Remark]:
    """Return what a reader must know of the potencies of the targets."""
    found: list[Remark] = []
    for k, target in enumerate(targets):
        if target.potency is None:
            continue
        for model in models:
            where = f"question.targets[{k}]"
            found += _remarks(target.potency, target_ic50(target, model, where), where)
    return list(dict.fromkeys(found))


def _remarks(potency: TargetPotency, ic50: TargetIc50, where: str) -> list[Remark]:
    p, known = potency.potency, potency.potency.uncertainty
    donors = "" if known is None or not known.donors else f", {known.donors} donors"
    origin = f" from {potency.file}" if potency.file else ""
    hill = f"Hill {p.hill:.3g}" + (" assumed" if p.hill_assumed else "")
    used = (
        f"inhibition of {potency.name}{origin}: IC50 {p.value:.3g} {p.unit} ({hill}{donors}) of "
        f"{ic50.basis.kind} drug, in plasma {ic50.ic50:.3g} {ic50.unit} of total drug"
    )
    if ic50.basis.kind == "unbound":
        used += f" with an unbound fraction of {ic50.basis.factor:.3g}"
    remarks = [Remark(Outcome.POTENCY_USED, f"{used}; {_said_of_spread(potency, ic50)}", where)]
    if ic50.basis.is_flagged:
        remarks.append(Remark(Outcome.POTENCY_BASIS_ASSUMED, ic50.basis.rule.text, where))
    return remarks


def _said_of_spread(potency: TargetPotency, ic50: TargetIc50) -> str:
    known = potency.potency.uncertainty
    if ic50.ln_sd == 0.0:
        return "it is taken as known exactly"
    if potency.drawn is Drawn.MEAN:
        return f"the uncertainty of its mean is drawn (SD of ln IC50 {ic50.ln_sd:.2g})"
    if known is not None and known.ln_sd_between is None:
        return (
            f"the uncertainty of its mean is drawn (SD of ln IC50 {ic50.ln_sd:.2g}); differences "
            "between people are not known and left out"
        )
    return (
        f"an IC50 is drawn for each possible individual (SD of ln IC50 {ic50.ln_sd:.2g}: between "
        "people, and of the mean), independently of the concentration"
    )


def _ln_sd(found: TargetPotency) -> float:
    known = found.potency.uncertainty
    if known is None or found.drawn is Drawn.NONE:
        return 0.0
    spread = Spread.PERSON if found.drawn is Drawn.PERSON else Spread.MEAN
    return known.ln_sd(spread) or 0.0


def _drug(found: TargetPotency, model: Model, where: str) -> Drug:
    name = found.potency.drug
    if not model.drug:
        raise _unusable(
            f"{model.id} does not say which drug it is of, so the potency of {found.name} cannot "
            "be compared with its concentration",
            where,
            "Give the IC50 of total drug in the unit of the output as threshold.",
        )
    try:
        drug = load_drug(model.drug)
    except UnknownNameError:
        raise _unusable(
            f"the library does not know '{model.drug}', the drug of {model.id}, and so neither its "
            "molar mass nor its unbound fraction",
            where,
            "Give the IC50 of total drug in the unit of the output as threshold.",
        ) from None
    # a table need not name the drug: then it is the one that is asked about
    if name.strip().lower() not in {"", drug.name.lower(), *(a.lower() for a in drug.aliases)}:
        raise _unusable(
            f"the potency is that of {name}, and {model.id} is a model of {drug.name}",
            where,
            "Choose a potency of the model's drug.",
        )
    return drug


def _in_unit(found: TargetPotency, drug: Drug, unit: str, where: str) -> float:
    """Return the IC50 as stated, in the unit of the output."""
    p, mass = found.potency, drug.identity.molar_mass
    assert p.value is not None  # a point
    if same_dimension(p.unit, unit):
        return convert(p.value, p.unit, unit)
    if mass is None:
        raise _unusable(
            f"the library does not know the molar mass of {drug.name}: an IC50 in {p.unit} cannot "
            f"be compared with a concentration in {unit}",
            where,
            "Give the IC50 of total drug in the unit of the output as threshold.",
        )
    molar = same_dimension(p.unit, "mol/L")
    if molar and same_dimension(unit, "g/L"):
        return convert(convert(p.value, p.unit, "mol/L") * mass, "g/L", unit)
    if not molar and same_dimension(unit, "mol/L"):
        return convert(convert(p.value, p.unit, "g/L") / mass, "mol/L", unit)
    raise _unusable(
        f"the output of {model_unit(unit)} is no concentration, and an IC50 is one",
        where,
        "Choose a model whose output is a concentration.",
    )


def model_unit(unit: str) -> str:
    """Return a unit in words, also where there is none."""
    return f"unit '{unit}'" if unit else "no unit"


def _unusable(what: str, where: str, hint: str) -> RequestError:
    return RequestError(Outcome.POTENCY_NOT_USABLE, what, where=where or None, hint=hint)


Levels = Mapping[Target, Ic50Level]
"""The drawn IC50s of targets."""
