"""Facts behind label rules: measured interactions, organ function, and their net effect."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from statera.library import Drug, LabelRule, RuleKind
from statera.monograph.cells import fact_cell, significant
from statera.monograph.sections.dosing_text import claimed, indications_in, rule_cell
from statera.report.document import Cell, Inline, Method, Table
from statera.sources import Fact

__all__ = ["NET_METHOD", "NetEffect", "behind_table", "facts_behind", "net_effects", "net_table"]

NET_METHOD = Method(
    "net-interaction",
    "Exposure left by an interaction rule",
    "The measured ratio of AUC with the interacting drug, times the dose of the rule over the "
    "standard dose of the same region and indication (or the factor that the rule names). Limits "
    "of the measured ratio are multiplied by the same factor. Only rules are taken whose "
    "interacting drug is named by the measurement.",
)

_BEHIND = (
    "interaction_AUC",
    "renal_impairment_ratio",
    "hepatic",
    "creatinine_change",
    "cystatin_C_change",
    "substrate_of",
)
_PER_DAY = {"QD": 1.0, "BID": 2.0}
# Words that many interacting drugs have in common.
_COMMON = {"strong", "moderate", "inhibitor", "inducer"}


@dataclass(frozen=True)
class NetEffect:
    """An interaction rule with the measured effect it answers.

    Attributes
    ----------
    factor
        Dose of the rule over the standard dose.
    net
        Measured ratio times `factor`.
    low, high
        Its limits, or None where the measurement has none.
    """

    rule: LabelRule
    fact: Fact
    factor: float
    net: float
    low: float | None
    high: float | None


def facts_behind(drug: Drug) -> tuple[Fact, ...]:
    """Return facts that label rules rest on: interactions, renal and hepatic function."""
    found = [f for f in drug.facts_in("pharmacokinetics") if f.get("quantity") in _BEHIND]
    return tuple(sorted(found, key=lambda f: _BEHIND.index(f.get("quantity"))))


def behind_table(facts: Sequence[Fact]) -> Table:
    """Return the facts with who was studied and what a reader must know."""
    rows = tuple(
        (
            fact.parameter,
            replace(fact_cell(fact), note=""),
            fact.population or "not stated",
            Cell(fact.note, sources=(fact.source,) if fact.note else ()),
        )
        for fact in facts
    )
    return Table(
        "Measurements behind the rules",
        ("Measurement", "Value", "Who was studied", "Remark"),
        rows,
    )


def net_effects(drug: Drug) -> tuple[NetEffect, ...]:
    """Return interaction rules whose interacting drug was measured, with what is left."""
    found = []
    for rule in drug.labels:
        if rule.kind is not RuleKind.INTERACTION or claimed(rule) or rule.superseded:
            continue
        factor = _factor(drug.labels, rule)
        for fact in drug.facts_in("pharmacokinetics"):
            if fact.get("quantity") != "interaction_AUC" or fact.number is None or factor is None:
                continue
            if _words(fact.get("interactant")) & _words(rule.interactant):
                low = None if fact.low is None else fact.low * factor
                high = None if fact.high is None else fact.high * factor
                found.append(NetEffect(rule, fact, factor, fact.number * factor, low, high))
    return tuple(found)


def _words(text: str) -> set[str]:
    return {w.lower() for w in re.findall(r"[A-Za-z0-9]+", text)} - _COMMON


def _factor(labels: Sequence[LabelRule], rule: LabelRule) -> float | None:
    if rule.dose_factor is not None:
        return rule.dose_factor
    mine = _daily(rule)
    wanted = set(indications_in(rule))
    doses = {
        _daily(r)
        for r in labels
        if r.kind is RuleKind.STANDARD
        and r.region == rule.region
        and (wanted == {"all"} or wanted & set(indications_in(r)))
    }
    usual = doses.pop() if len(doses) == 1 else None
    return mine / usual if mine and usual else None


def _daily(rule: LabelRule) -> float | None:
    per_day = _PER_DAY.get(rule.frequency)
    return rule.dose_mg * per_day if rule.dose_mg and per_day else None


def net_table(effects: Sequence[NetEffect]) -> Table:
    """Return one row a rule: measured ratio, factor on the dose and what is left."""
    rows: list[tuple[Inline, ...]] = []
    for e in effects:
        text = significant(e.net)
        if e.low is not None and e.high is not None:
            text = f"{text} ({significant(e.low)} to {significant(e.high)})"
        rows.append(
            (
                Cell(e.rule.interactant, "fact", (e.rule.source,), note=e.rule.region_name),
                rule_cell(e.rule),
                fact_cell(e.fact),
                Cell(f"{e.factor:g}", "computed", method="net-interaction", value=e.factor),
                Cell(text, "computed", method="net-interaction", value=e.net),
            )
        )
    return Table(
        "What an interaction rule leaves of a measured interaction",
        ("With", "Rule", "Measured ratio of AUC", "Factor on the dose", "Ratio left"),
        tuple(rows),
        numeric=(2, 3, 4),
        foot=("1 means that the rule restores the exposure without the interacting drug.",),
    )
