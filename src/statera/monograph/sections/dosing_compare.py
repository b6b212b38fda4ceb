"""Rules that differ between regions, found by comparing them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from statera.library import Conflict, LabelRule, RuleKind
from statera.monograph.sections.dosing_text import (
    METRIC_WORDS,
    claimed,
    dose_words,
    indications_in,
    rule_cell,
)
from statera.report.document import Cell, Method, Table

__all__ = ["COMPARED", "Difference", "difference_table", "differences", "rule_conflicts"]

COMPARED = Method(
    "rules-compared",
    "Rules compared between regions",
    "Two rules of different regions are compared where they share an indication and neither is "
    "superseded nor a vendor's claim. Standard doses differ where the amount in 24 h differs. "
    "Renal rules are compared only where both name the same measure of renal function and their "
    "limits overlap; they differ where the dose differs or only one of them gives a dose. "
    "Creatinine clearance in mL/min and eGFR in mL/min/1.73 m² are never compared with each other.",
)

_PER_DAY = {"QD": 1.0, "BID": 2.0}


@dataclass(frozen=True)
class Difference:
    """Two rules that differ, with what they are compared at."""

    indication: str
    about: str
    first: LabelRule
    second: LabelRule


def rule_conflicts(
    conflicts: Sequence[Conflict], labels: Sequence[LabelRule]
) -> tuple[Conflict, ...]:
    """Return the conflicts about label rules.

    These stand between at least two sources, one of them behind a rule, and no fact of the
    library stands on either side.
    """
    behind = {rule.source for rule in labels}
    return tuple(
        c for c in conflicts if not c.facts and len(c.sources) > 1 and behind & set(c.sources)
    )


def differences(labels: Sequence[LabelRule]) -> tuple[Difference, ...]:
    """Return the differences between regions, standard doses first."""
    usable = [r for r in labels if not r.superseded and not claimed(r)]
    standard = [r for r in usable if r.kind is RuleKind.STANDARD and r.condition == "standard"]
    renal = [r for r in usable if r.kind is RuleKind.RENAL and r.renal_metric is not None]
    return (*_compare(standard, _standard), *_compare(renal, _renal))


def _compare(rules: Sequence[LabelRule], about: object) -> Iterator[Difference]:
    assert callable(about)
    for first, second in combinations(rules, 2):
        if first.region == second.region:
            continue
        shared = _shared(first, second)
        what = about(first, second) if shared else ""
        if what:
            yield Difference("/".join(shared), what, first, second)


def _shared(first: LabelRule, second: LabelRule) -> tuple[str, ...]:
    mine, yours = indications_in(first), indications_in(second)
    if mine == ("all",):
        return yours
    if yours == ("all",):
        return mine
    return tuple(i for i in mine if i in yours)


def _standard(first: LabelRule, second: LabelRule) -> str:
    mine, yours = _daily(first), _daily(second)
    if mine is None or yours is None or math.isclose(mine, yours):
        return ""
    return "standard dose"


def _renal(first: LabelRule, second: LabelRule) -> str:
    if first.renal_metric is not second.renal_metric:
        return ""
    low = max(first.renal_low or 0.0, second.renal_low or 0.0)
    high = min(_high(first), _high(second))
    mine, yours = _daily(first), _daily(second)
    if low >= high or mine == yours:
        return ""
    if (mine is None and _gives_dose(first)) or (yours is None and _gives_dose(second)):
        return ""
    limits = f"below {high:g}" if low == 0 else f"{low:g} to below {high:g}"
    return f"{METRIC_WORDS[first.renal_metric]}: {limits}"


def _high(rule: LabelRule) -> float:
    return math.inf if rule.renal_high is None else rule.renal_high


def _daily(rule: LabelRule) -> float | None:
    """Return mg in 24 h, or None where the rule gives no single dose."""
    per_day = _PER_DAY.get(rule.frequency)
    return None if rule.dose_mg is None or per_day is None else rule.dose_mg * per_day


def _gives_dose(rule: LabelRule) -> bool:
    """Return True for a rule that changes the dose in a way that is no single amount."""
    return bool(rule.dose_text or rule.dose_factor) or "reduce" in rule.action


def difference_table(found: Sequence[Difference]) -> Table:
    """Return one row a difference, with both rules and their sources."""
    rows = []
    for d in found:
        numbers = any(ch.isdigit() for ch in d.about)
        both = (d.first.source, d.second.source)
        rows.append(
            (
                d.indication,
                Cell(d.about, "computed", both, "rules-compared") if numbers else d.about,
                _side(d.first),
                _side(d.second),
            )
        )
    return Table(
        "Rules that differ between regions, found by comparing the rules above",
        ("Indication", "Compared at", "One region", "Another region"),
        tuple(rows),
        foot=(Cell("Computed by comparing rules pair by pair.", "computed", (), "rules-compared"),),
    )


def _side(rule: LabelRule) -> Cell:
    cell = rule_cell(rule)
    text = dose_words(rule) or cell.text.lower()
    return Cell(f"{rule.region_name}: {text}", "fact", cell.sources, value=cell.value)
