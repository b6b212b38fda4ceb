"""Inhibition that the library's potencies let expect at each planned dose.

Only potencies measured with the cytokine are used. A bound stays a bound: ``< 50 nM`` gives "at
least" at every dose, and a cytokine without a potency is said to have none.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from statera.engagement import (
    Potency,
    inhibition_at,
    percent_text,
    potencies_from_facts,
)
from statera.errors import StateraError, UnknownNameError
from statera.library import class_facts, load_drug
from statera.numerics.interval import Interval

__all__ = ["NOT_RETRIEVED", "Expected", "KnownPotencies", "expected_inhibition", "known_potencies"]

NOT_RETRIEVED = "NOT RETRIEVED"


@dataclass(frozen=True)
class KnownPotencies:
    """Potencies of a drug and what is known to convert them.

    Attributes
    ----------
    drug
        Name in the library, or as given where the library has none.
    potencies
    molar_mass, molar_mass_source
        g/mol; None where no source gives it.
    remarks
        What could not be found.
    """

    drug: str
    potencies: tuple[Potency, ...]
    molar_mass: float | None
    molar_mass_source: str = ""
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Expected:
    """What one potency lets expect.

    Attributes
    ----------
    cytokine
    name
        What was measured; empty where no potency is known.
    potency
        As stated, or ``NOT RETRIEVED``.
    inhibition
        Fraction at each dose, highest first; empty where not known.
    words
        The same in words.
    source
        Id of the source; empty for the user's own.
    remark
        What must be known of it.
    """

    cytokine: str
    name: str
    potency: str
    inhibition: tuple[Interval, ...]
    words: tuple[str, ...]
    source: str = ""
    remark: str = ""

    @property
    def is_known(self) -> bool:
        """Whether there is a potency."""
        return bool(self.inhibition)


def known_potencies(drug: str, own: Sequence[Potency] = ()) -> KnownPotencies:
    """Return the library's potencies of a drug, after the user's own.

    A drug that the library does not know has the user's potencies only, which is remarked.
    """
    try:
        known = load_drug(drug)
    except UnknownNameError as error:
        said = f"The library does not know {drug}: {error.hint}"
        return KnownPotencies(drug, tuple(own), None, "", (said,))
    facts = (*known.facts_in("potency"), *class_facts("potency", known.name))
    found, _ = potencies_from_facts(facts)
    identity = known.identity
    mine = tuple(p for p in found if p.drug in ("", known.name) and not p.is_of_metabolite)
    remarks: tuple[str, ...] = ()
    if identity.molar_mass is None:
        remarks = (f"No source of the library gives the molar mass of {known.name}.",)
    return KnownPotencies(
        known.name, (*own, *mine), identity.molar_mass, identity.molar_mass_source, remarks
    )


def expected_inhibition(
    known: KnownPotencies, cytokines: Sequence[str], doses_nM: Sequence[float]
) -> tuple[Expected, ...]:
    """Return what each potency measured with a cytokine lets expect, by cytokine.

    Parameters
    ----------
    known
    cytokines
        As planned.
    doses_nM
        Doses in the well, highest first.
    """
    rows: list[Expected] = []
    for cytokine in cytokines:
        mine = [p for p in known.potencies if _names(p.stimulus, cytokine)]
        rows += [_expected(cytokine, p, known.molar_mass, doses_nM) for p in mine]
        if not mine:
            said = f"No potency of {known.drug} measured with {cytokine} is in the library."
            rows.append(Expected(cytokine, "", NOT_RETRIEVED, (), (), "", said))
    return tuple(rows)


def _names(stimulus: str, cytokine: str) -> bool:
    words = {w.strip("-").lower() for w in re.split(r"[^\w\-]+", stimulus)}
    return cytokine.lower() in words


def _expected(
    cytokine: str, potency: Potency, molar_mass: float | None, doses_nM: Sequence[float]
) -> Expected:
    remark = potency.note
    if potency.hill_assumed:
        remark = f"{remark} The slope is taken as 1: the source gives none.".strip()
    try:
        molar = potency.in_nM(molar_mass)
    except StateraError as error:
        return Expected(cytokine, potency.name, potency.text, (), (), potency.source, error.what)
    found = tuple(inhibition_at(dose, molar) for dose in doses_nM)
    words = tuple(percent_text(i, molar.relation) for i in found)
    return Expected(cytokine, potency.name, potency.text, found, words, potency.source, remark)
