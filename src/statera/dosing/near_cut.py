"""Renal function close to a limit of the label, with creatinine as it would be without the drug."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from statera.dosing.creatinine_rise import CreatinineRise, creatinine_rise
from statera.dosing.judge import CAUTIOUS
from statera.dosing.judge_renal import NAMES, renal_range
from statera.dosing.patient import Patient, Phase
from statera.dosing.renal_measures import RenalMeasures, renal_measures, with_creatinine_shifted
from statera.library.label_rule import LabelRule, RenalMetric

__all__ = ["CLOSE", "NearCut", "creatinine_shifted", "near_cuts"]

CLOSE = 5.0
"""Distance to a limit below which both estimates are shown, in the unit of the measure."""

_NORMAL = 90.0  # the upper limit of "mild": a dose is never cut there


@dataclass(frozen=True)
class NearCut:
    """An estimate that lies close to a limit, or on the other side after correction.

    Attributes
    ----------
    measure, unit
        Such as ``eGFR`` and ``mL/min/1.73 m2``.
    cut
        The limit.
    value
        The estimate that was used.
    corrected
        The estimate with creatinine as it would be without (or, before the start, with) the drug;
        None where creatinine, age, sex or weight are not known.
    crosses
        True where the two lie on different sides of the limit.
    sentence
        The note.
    source
        Id of the source of the change of creatinine; empty where none is recorded.
    """

    measure: str
    unit: str
    cut: float
    value: float
    corrected: float | None
    crosses: bool
    sentence: str
    source: str = ""


def near_cuts(
    drug: str, rules: Iterable[LabelRule], patient: Patient, estimates: RenalMeasures
) -> tuple[NearCut, ...]:
    """Return a note for every limit of the rules that an estimate lies close to."""
    cuts: dict[RenalMetric, set[float]] = {}
    for rule in rules:
        found = renal_range(rule)
        if found is not None and rule.effect in CAUTIOUS:
            metric, low, high = found
            limits = {v for v in (low, high) if v is not None and v < _NORMAL}
            cuts.setdefault(metric, set()).update(limits)
    if not any(estimates.of(metric) for metric in cuts) or patient.findings.get("dialysis"):
        return ()
    rise = creatinine_rise(drug)
    shifted = creatinine_shifted(rise, patient)
    other = None if shifted is None else renal_measures(shifted)
    notes = []
    for metric in sorted(cuts, key=lambda m: m.value):
        known = estimates.of(metric)
        if not known:
            continue
        again = None
        if other is not None and known[0].equation != "stated" and other.of(metric):
            again = other.of(metric)[0].value
        for cut in sorted(cuts[metric]):
            value = known[0].value
            crosses = again is not None and (value < cut) != (again < cut)
            if abs(value - cut) < CLOSE or crosses:
                notes.append(_note(metric, cut, value, again, rise, patient.phase))
    return tuple(notes)


def creatinine_shifted(rise: CreatinineRise | None, patient: Patient) -> Patient | None:
    """Return the person with creatinine as without the drug, or before the start as with it.

    Returns
    -------
    Patient or None
        None where no rise is recorded, or creatinine is not known.
    """
    if rise is None:
        return None
    step = rise.umol_l if patient.phase is Phase.START else -rise.umol_l
    return with_creatinine_shifted(patient, step)


def _note(
    metric: RenalMetric,
    cut: float,
    value: float,
    again: float | None,
    rise: CreatinineRise | None,
    phase: Phase | None,
) -> NearCut:
    name, unit = NAMES[metric]
    crosses = again is not None and (value < cut) != (again < cut)
    start = phase is Phase.START
    text = f"The {name} of {value:.1f} is close to the limit of {cut:g} {unit}."
    if rise is not None:
        text += (
            f" The drug raises creatinine by about {rise.umol_l:g} umol/L without loss of "
            f"filtration ({rise.fact.source})."
        )
        if again is None:
            text += (
                " Give creatinine with age, sex and weight to see the estimate both ways; a stated "
                "value cannot be corrected."
            )
        elif start:
            text += f" With that rise the estimate would be {again:.1f} on treatment."
        else:
            before = "" if phase is Phase.TREATMENT else ", if it was measured on treatment,"
            text += f" Without that rise{before} the estimate would be {again:.1f}."
    if crosses:
        text += (
            " The two lie on different sides of the limit; the label's limit was applied to the "
            "value as measured."
        )
    return NearCut(
        name, unit, cut, value, again, crosses, text, rise.fact.source if rise is not None else ""
    )
