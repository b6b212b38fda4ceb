"""The written rule by which one of several rules on the same subject is followed."""

from __future__ import annotations

from collections.abc import Sequence

from statera.dosing.judge import Judgement
from statera.library.label_rule import Authority, LabelRule, RuleKind
from statera.library.references import find_source
from statera.sources.fact import Grade

__all__ = ["PREFERENCE", "preferred", "source_year", "subject"]

PREFERENCE = (
    "Rules on different subjects (renal function, risk, another medicine, ...) all count and the "
    "lowest dose of them holds, factors on a dose being multiplied; a rule that says not to use "
    "the drug is never set aside by one that gives a dose. Of several rules on the same subject "
    "one is followed: label before emergency authorisation, guideline, review and sources that "
    "name no region; a text of this region alone before one for several; then the better grade (A "
    "to D); then the later year, a source without a date counting as the oldest. The others are "
    "shown as conflicts. A superseded rule and a claim that only the vendor's overview makes never "
    "decide."
)
"""Shown with every decision."""

_GRADES = {grade: rank for rank, grade in enumerate(Grade)}


def source_year(rule: LabelRule) -> int | None:
    """Return the year of the source of a rule; None where it shows none."""
    return find_source(rule.source).year


def subject(rule: LabelRule) -> str:
    """Return what a rule is about, so that two rules on the same subject can be told."""
    if rule.kind is RuleKind.INTERACTION:
        return f"interaction: {rule.interactant_class}"
    if rule.kind in (RuleKind.RISK, RuleKind.AGE):
        return "risk"
    if rule.kind in (RuleKind.LABORATORY_START, RuleKind.LABORATORY_TREATMENT):
        return "laboratory: " + ", ".join(sorted({t.analyte for t in rule.thresholds}))
    return rule.kind.value


def preferred(judgements: Sequence[Judgement]) -> Judgement:
    """Return the one that is followed; the first of those that rank alike."""
    return min(judgements, key=lambda j: _rank(j.rule))


def _rank(rule: LabelRule) -> tuple[int, int, int, int]:
    return (
        list(Authority).index(rule.authority),
        len(rule.covers) if rule.covers else 99,
        _GRADES[rule.grade],
        -(source_year(rule) or 0),
    )
