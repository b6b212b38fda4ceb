"""Decisions and results in words."""

from __future__ import annotations

import re
from collections.abc import Sequence

from statera.dosing.combine import NO_USUAL_DOSE, Combined
from statera.dosing.decision import Outcome
from statera.dosing.dose import Dose
from statera.dosing.judge import Judgement, Verdict
from statera.dosing.patient import Patient
from statera.library.label_rule import Effect, LabelRule

__all__ = ["doses_words", "outcome_sentence", "result_words", "rule_words", "until_words"]

_STOP_WORDS = {
    Effect.NOT_RECOMMENDED: "not recommended",
    Effect.DO_NOT_START: "do not start",
    Effect.INTERRUPT: "interrupt",
    Effect.DISCONTINUE: "discontinue",
}
_OFTEN = {"QD": "once daily", "BID": "twice daily"}
# After these words the dose follows directly; after any other action it follows a colon.
_LEADING = re.compile(r"(?:use|with|to|at|dose|becomes)$")


def doses_words(doses: Sequence[Dose]) -> str:
    """Return doses as one phrase, such as ``2 mg once daily (also allowed: 4 mg once daily)``."""
    main = " or ".join(str(d) for d in doses if not d.optional)
    also = " or ".join(str(d) for d in doses if d.optional)
    if not main:
        return also
    return f"{main} (also allowed: {also})" if also else main


def result_words(found: Combined) -> str:
    """Return what rules say together, in words."""
    if found.stop is not None:
        until = until_words(found)
        return _STOP_WORDS[found.stop] + (f" until {until}" if until else "")
    if found.unsettled:
        return f"no dose can be given: {'; '.join(found.unsettled)}"
    return doses_words(found.doses)


def until_words(found: Combined) -> str:
    """Return from which values treatment may go on after an interruption."""
    if found.stop is not Effect.INTERRUPT:
        return ""
    parts = [
        f"{t.analyte} is {t.restart_at:g} {t.unit or t.assumed_unit} or above"
        for j in found.deciding
        if j.effect is Effect.INTERRUPT
        for t in j.rule.thresholds
        if t.restart_at is not None
    ]
    return " and ".join(parts)


def outcome_sentence(
    outcome: Outcome,
    found: Combined,
    so_far: Sequence[Dose],
    missing: Sequence[str],
    mine: Sequence[Judgement],
    patient: Patient,
) -> str:
    """Return the decision in words; `so_far` is what is known where it waits."""
    match outcome:
        case Outcome.DOSE:
            return f"{_capital(doses_words(found.doses))}."
        case Outcome.CANNOT_BE_DECIDED:
            return _undecided(found, so_far, missing, mine)
        case Outcome.COURSE_COMPLETE:
            days = min(j.rule.course_days for j in found.deciding if j.rule.course_days)
            return f"The course of {days:g} days, or until discharge, is complete: no further dose."
        case Outcome.NOT_INDICATED:
            return _not_indicated(mine)
        case Outcome.NO_RULE:
            age = "" if patient.age is None else f" (age {patient.age:g} years)"
            return f"No rule that was read gives a dose for this person{age}."
        case _:
            return f"{_capital(result_words(found))}."


def _undecided(
    found: Combined, so_far: Sequence[Dose], missing: Sequence[str], mine: Sequence[Judgement]
) -> str:
    base_is_open = any(j.effect is Effect.BASE and j.verdict is Verdict.OPEN for j in mine)
    if base_is_open and missing and tuple(found.unsettled) == (NO_USUAL_DOSE,):
        return f"Cannot be decided: missing {'; '.join(missing)}."
    reasons = [r for r in dict.fromkeys(found.unsettled) if r not in missing]
    if not reasons and found.unsettled:
        return f"Cannot be decided: {'; '.join(missing)}."
    sentence = f"Cannot be decided: missing {'; '.join(missing)}."
    if reasons:
        return f"{sentence} {_capital('; '.join(reasons))}."
    return f"{sentence} What is known so far gives {doses_words(so_far)}." if so_far else sentence


def _not_indicated(mine: Sequence[Judgement]) -> str:
    for j in mine:
        if j.effect is Effect.NOT_INDICATED and j.verdict is Verdict.APPLIES:
            return f"Not indicated: {j.rule.action}."
    reasons = "; ".join(f"{j.rule.condition} ({j.why})" for j in mine if j.effect is Effect.APPROVE)
    return f"Not indicated. Approved as read: {reasons}."


def rule_words(rule: LabelRule) -> str:
    """Return what a rule says, condition, action and dose."""
    dose = rule.dose_text
    if not dose and rule.dose_mg is not None:
        dose = f"{rule.dose_mg:g} mg {rule.frequency}".rstrip()
    action = rule.action
    if dose and not (rule.dose_text and "mg" in action):
        action = f"{action} {dose}" if _LEADING.search(action) else f"{action}: {dose}"
    if rule.duration and rule.duration not in f"{rule.action} {rule.condition}":
        action = f"{action} for {rule.duration}"
    for short, words in _OFTEN.items():
        action = re.sub(rf"\b{short}\b", words, action)
    return f"{_capital(rule.condition)}: {action}"


def _capital(text: str) -> str:
    """Begin with a capital, except where the second letter is one, as in eGFR."""
    return text if text[1:2].isupper() else text[:1].upper() + text[1:]
