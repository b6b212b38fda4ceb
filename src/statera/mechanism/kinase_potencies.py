"""Potencies of a drug as residual activities need them: one number a kinase."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from statera.engagement.basis import concentration_basis
from statera.engagement.potency import Potency
from statera.engagement.stated import Matrix
from statera.errors import InputError
from statera.pathway.jak_inhibition import KinasePotency
from statera.sources.fact import Relation

__all__ = ["KinasePotencies", "kinase_potencies"]


@dataclass(frozen=True)
class KinasePotencies:
    """Potencies by kinase, the ids of their sources, and what a reader must know."""

    values: dict[str, KinasePotency]
    sources: tuple[str, ...]
    notes: tuple[str, ...]


def kinase_potencies(
    potencies: Iterable[Potency],
    kinases: Sequence[str],
    unbound: float | None,
    *,
    molar_mass: float | None = None,
    matrices: Sequence[Matrix] = ("enzyme",),
) -> KinasePotencies:
    """Choose one potency for each kinase by rules that are said.

    Points of assays on that kinase alone count. Where several differ their geometric mean is
    taken; a kinase with bounds or ranges only gets none, and a note.

    Parameters
    ----------
    potencies
        Of one drug, such as those of the library.
    kinases
        Names wanted.
    unbound
        Fraction in plasma, None where no source gives it: then all are compared with total drug.
    molar_mass
        In g/mol, for potencies in mass units.
    matrices
        Kinds of assay accepted.
    """
    values: dict[str, KinasePotency] = {}
    notes: list[str] = []
    assumed: list[str] = []
    sources: list[str] = []
    given = [p for p in potencies if p.matrix in matrices and not p.is_of_metabolite]
    for kinase in kinases:
        of = [p for p in given if p.target.strip().upper() == kinase]
        points = [p for p in of if p.relation in (Relation.EQUAL, Relation.ABOUT)]
        if not points:
            why = _bounds(of) if of else f"no potency in an assay of this kind ({matrices[0]})"
            notes.append(f"{kinase}: {why}; taken as not inhibited")
            continue
        numbers = sorted({_in_nM(p, molar_mass) for p in points})
        ic50 = math.exp(sum(math.log(v) for v in numbers) / len(numbers))
        hills = sorted({p.hill for p in points})
        if len(numbers) > 1:
            listed = ", ".join(f"{v:g}" for v in numbers)
            notes.append(f"{kinase}: geometric mean {ic50:.3g} nM of {listed} nM")
        if len(hills) > 1:
            notes.append(f"{kinase}: slopes {', '.join(f'{h:g}' for h in hills)}, the first used")
        if any(p.hill_assumed for p in points):
            assumed.append(kinase)
        basis = concentration_basis(points[0], unbound)
        if basis.is_flagged:
            notes.append(f"{kinase}: {basis.rule.text[0].lower()}{basis.rule.text[1:]}")
        values[kinase] = KinasePotency(ic50, hills[0], unbound=basis.kind == "unbound")
        sources += [p.source for p in points if p.source]
    if assumed:
        notes.append(f"no source gives the slope at {', '.join(assumed)}: 1 is assumed")
    return KinasePotencies(values, tuple(dict.fromkeys(sources)), tuple(notes))


def _in_nM(potency: Potency, molar_mass: float | None) -> float:
    value = potency.in_nM(molar_mass).value
    if value is None:
        raise InputError(f"the potency of {potency.drug} at {potency.target} has no value")
    return value


def _bounds(potencies: Sequence[Potency]) -> str:
    said = []
    for p in potencies:
        if p.relation is Relation.RANGE:
            said.append(f"{p.low:g} to {p.high:g} {p.unit}")
        elif p.value is not None:
            said.append(f"{p.relation.value} {p.value:g} {p.unit}".strip())
    return f"known only as {' or '.join(dict.fromkeys(said))}"
