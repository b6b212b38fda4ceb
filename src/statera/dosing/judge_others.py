"""Rules that were read for another indication or region, and none on the same for this one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from statera.dosing.indications import is_for
from statera.dosing.judge import CAUTIOUS, NOT_READ, Judgement, Situation, Verdict, judge
from statera.dosing.preference import subject
from statera.library.label_rule import Authority, LabelRule, RuleKind

__all__ = ["judge_elsewhere", "judge_for_another", "not_used", "topics"]

_WORDS = {"renal": "renal function", "hepatic": "hepatic impairment"}
_FACTS_OF_THE_DRUG = frozenset(
    {
        RuleKind.RENAL,
        RuleKind.HEPATIC,
        RuleKind.INTERACTION,
        RuleKind.LABORATORY_START,
        RuleKind.LABORATORY_TREATMENT,
    }
)
# Regulators weigh risk, age and response differently; how the body handles the drug they do not.


def not_used(rule: LabelRule) -> str:
    """Return why a rule never decides, whatever its condition; empty where it may."""
    if rule.superseded:
        return "superseded by a later rule"
    if rule.authority is Authority.CLAIM:
        return "a claim that only the vendor's overview makes"
    return ""


def topics(rule: LabelRule) -> frozenset[tuple[RuleKind, str]]:
    """Return what a rule is about; a laboratory rule is about each of its analytes."""
    if rule.thresholds:
        return frozenset((rule.kind, t.analyte) for t in rule.thresholds)
    return frozenset({(rule.kind, subject(rule))})


def judge_for_another(
    rule: LabelRule, situation: Situation, own: frozenset[tuple[RuleKind, str]]
) -> Judgement:
    """Return what is found of a rule for another indication.

    It does not apply; but where it would lower the dose, its condition holds or is not known, and
    no rule on the same was read for this indication, it stays open: that none was read is no
    reason to think that there is none.

    Parameters
    ----------
    own
        Topics of the rules that were read for this indication.
    """
    why = f"the rule is for {rule.indication}"
    if not rule.indications and (found := _open(rule, situation, own, why, situation.indication)):
        return found
    return Judgement(rule, Verdict.DOES_NOT_APPLY, False, why, (), rule.effect)


def judge_elsewhere(
    rules: Iterable[LabelRule], here: Sequence[LabelRule], situation: Situation, region: str
) -> tuple[Judgement, ...]:
    """Return the rules of other regions that stay open for this one.

    Such a rule is about renal or hepatic function, another medicine or blood counts, would lower
    the dose, and nothing on the same was read in this region for any indication. Where a rule for
    this indication was read, those for others on the same are left out.

    Parameters
    ----------
    rules
        Rules of the drug in other regions.
    here
        Rules of the drug in this region.
    """
    own = frozenset(topic for rule in here for topic in topics(rule))
    others = [r for r in rules if r.kind in _FACTS_OF_THE_DRUG and not r.indications]
    closest = {t for r in others if is_for(r, situation.indication) for t in topics(r)}
    found = []
    for rule in others:
        mine = is_for(rule, situation.indication)
        if not mine and closest & topics(rule):
            continue
        where = "/".join(rule.covers)
        why = f"the rule is for {where}{'' if mine else f', {rule.indication}'}"
        judged = _open(rule, situation, own, why, region)
        if judged is not None:
            found.append(judged)
    return tuple(found)


def _open(
    rule: LabelRule,
    situation: Situation,
    own: frozenset[tuple[RuleKind, str]],
    why: str,
    here: str,
) -> Judgement | None:
    """Return the rule as open, or None where it cannot matter or its topic was read here."""
    if rule.effect not in CAUTIOUS or topics(rule) <= own or not_used(rule):
        return None
    judged = judge(rule, situation)
    if judged.holds is False:
        return None
    if judged.holds is None:
        text = f"{why}, none on this was read for {here}; {judged.why}"
        return Judgement(rule, Verdict.OPEN, None, text, judged.missing, judged.effect)
    topic = subject(rule).removeprefix("laboratory: ").removeprefix("interaction: ")
    return Judgement(
        rule,
        Verdict.OPEN,
        None,
        f"{why}; its condition holds here ({judged.why}), and no rule on this was read for {here}",
        (f"{NOT_READ} {_WORDS.get(topic, topic)} in {here}",),
        judged.effect,
    )
