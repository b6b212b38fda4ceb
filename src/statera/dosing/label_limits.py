"""What a search over doses needs of a label: the highest dose, and the tablets there are."""

from __future__ import annotations

import re
from dataclasses import dataclass

from statera.dosing.decide import decide
from statera.dosing.decision import Decision, Outcome
from statera.dosing.dose import Dose
from statera.dosing.label_scope import resolve_region
from statera.dosing.patient import Patient
from statera.library.drug import load_drug

__all__ = ["LabelMaximum", "TabletStrengths", "label_maximum", "tablet_strengths"]

_TABLET = re.compile(r"strength|tablet", re.IGNORECASE)


@dataclass(frozen=True)
class LabelMaximum:
    """The highest dose that the label rules allow one person.

    Attributes
    ----------
    dose
        The dose with the highest amount in 24 h, those allowed besides included; None where
        nothing may be given or nothing is known.
    daily_mg
        Its amount in 24 h; 0 where the label says not to use the drug; None where it is not known.
    is_final
        False where something is missing that could lower it.
    reason
        One sentence.
    decision
        What it was taken from.
    """

    dose: Dose | None
    daily_mg: float | None
    is_final: bool
    reason: str
    decision: Decision


@dataclass(frozen=True)
class TabletStrengths:
    """Strengths of the tablets in one region.

    Attributes
    ----------
    mg
        Strengths, ascending; empty where no fact states them.
    reason
        Where they are from, or that they are missing.
    sources
        Ids of the sources.
    """

    mg: tuple[float, ...]
    reason: str
    sources: tuple[str, ...] = ()


def label_maximum(drug: str, region: str, patient: Patient, *, indication: str) -> LabelMaximum:
    """Return the highest dose that the label rules allow one person.

    Raises
    ------
    UnknownNameError
        If drug, region or indication are not known.
    DomainError
        If the library holds no rule for them.
    """
    decision = decide(drug, region, patient, indication=indication)
    doses = decision.doses or decision.so_far
    if doses:
        highest = max(doses, key=lambda d: d.daily_mg)
        final = decision.outcome is Outcome.DOSE
        reason = (
            f"At most {highest} by the label rules that were read."
            if final
            else f"At most {highest} by what is known; {decision.sentence}"
        )
        return LabelMaximum(highest, highest.daily_mg, final, reason, decision)
    if decision.outcome is Outcome.CANNOT_BE_DECIDED:
        return LabelMaximum(None, None, False, decision.sentence, decision)
    return LabelMaximum(None, 0.0, True, decision.sentence, decision)


def tablet_strengths(drug: str, region: str) -> TabletStrengths:
    """Return the strengths of the tablets, if a fact of the library states them.

    Raises
    ------
    UnknownNameError
        If drug or region are not known.
    """
    known, region = load_drug(drug), resolve_region(region)
    stated = [
        f
        for f in known.facts
        if _TABLET.search(f.get("quantity")) and f.get("region") == region and f.number is not None
    ]
    if not stated:
        return TabletStrengths(
            (),
            f"No fact of the library states the tablet strengths of {known.name} in {region}: "
            "give those that are at hand.",
        )
    amounts = tuple(sorted({f.number for f in stated if f.number is not None}))
    return TabletStrengths(amounts, "As stated.", tuple(dict.fromkeys(f.source for f in stated)))
