"""What would change a label decision: the rules that are open, or that only the vendor claims."""

from __future__ import annotations

from collections.abc import Sequence

from statera.dosing.combine import Combined, combine, less_cautious_than
from statera.dosing.decision import Alternative
from statera.dosing.decision_words import result_words
from statera.dosing.implied import implies
from statera.dosing.indications import is_for
from statera.dosing.judge import NOT_READ, ON_TREATMENT, Judgement, Verdict
from statera.dosing.label_scope import is_here
from statera.dosing.patient import Patient
from statera.dosing.preference import subject
from statera.library.label_rule import Authority, Effect, LabelRule

__all__ = ["find_alternatives"]

_DOSE_CHANGING = frozenset(Effect) - {
    Effect.WARN,
    Effect.CONSIDER,
    Effect.NO_ADJUSTMENT,
    Effect.APPROVE,
    Effect.NOT_INDICATED,
}


def find_alternatives(
    found: Combined,
    applying: Sequence[Judgement],
    judged: Sequence[Judgement],
    patient: Patient,
    region: str,
    indication: str,
) -> tuple[Alternative, ...]:
    """Return what each rule would change that is open, or that only the vendor claims.

    Parameters
    ----------
    found
        What the rules that apply say.
    applying, judged
        The rules that apply, and all.
    """
    settled = {subject(j.rule) for j in applying if j.effect in _DOSE_CHANGING}
    alternatives = []
    for j in judged:
        if not _may_change(j, settled):
            continue
        together = _together(j, judged, region)
        other = combine([*applying, *together], patient, region)
        if together[0] is not j or other.same_result(found):
            continue
        missing = j.missing
        if _is_claim(j):
            missing = (*missing, f"the label's own rule on {subject(j.rule)} function")
        words = _words(j.rule, missing, result_words(other), region, indication)
        alternatives.append(Alternative(j.rule, missing, words, less_cautious_than(found, other)))
    return tuple(alternatives)


def _is_claim(j: Judgement) -> bool:
    return j.rule.authority is Authority.CLAIM


def _may_change(j: Judgement, settled: set[str]) -> bool:
    if j.effect not in _DOSE_CHANGING:
        return False
    if _is_claim(j):
        return j.holds is not False and subject(j.rule) not in settled
    return j.verdict is Verdict.OPEN


def _together(j: Judgement, judged: Sequence[Judgement], region: str) -> tuple[Judgement, ...]:
    """Return the rule with the open ones that apply whenever it does.

    Where two imply each other, the one that stands first begins: they are one alternative.
    """
    if not is_here(j.rule, region) or _is_claim(j):
        return (j,)
    implied = [
        k
        for k in judged
        if k is not j
        and k.effect in _DOSE_CHANGING
        and k.verdict is Verdict.OPEN
        and is_here(k.rule, region)
        and implies(j.rule, k.rule)
    ]
    mutual = [k for k in implied if implies(k.rule, j.rule)]
    first = next(k for k in judged if k is j or k in mutual)
    return (first, *(k for k in (j, *implied) if k is not first))


def _words(
    rule: LabelRule, missing: Sequence[str], result: str, region: str, indication: str
) -> str:
    """Return the result with what it rests on besides the rule itself."""
    not_read = [m for m in missing if m.startswith(NOT_READ)]
    if rule.authority is Authority.CLAIM:
        return f"{result}, if what only the vendor's overview claims is right"
    if not is_here(rule, region):
        return f"{result}, if what was read for {'/'.join(rule.covers)} holds here as well"
    if not is_for(rule, indication):
        return f"{result}, if what was read for {rule.indication} holds here as well"
    if any(m.endswith(ON_TREATMENT) for m in not_read):
        return "no dose, if the limit for the start holds on treatment as well"
    if not_read:
        return f"{result}, or less: the rule was read for others than this person"
    return result
