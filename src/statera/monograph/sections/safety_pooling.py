"""Which published ratios can be pooled, and their synthesis: one outcome at a time.

A ratio is left out where its comparator is no TNF inhibitor, where it concerns a part of the people
of another row or the same people analysed again, or where its interval gives no standard error.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from statera.evidence.effect_sizes import effect_sizes
from statera.evidence.effects import Effects
from statera.evidence.pairwise import pairwise
from statera.evidence.pairwise_result import PairwiseOptions, PairwiseResult
from statera.evidence.ratio_estimates import RatioEstimate
from statera.library import class_facts, drugs, load_drug
from statera.monograph.sections.safety_outcomes import MAIN, overlap_groups
from statera.monograph.sections.safety_ratios import is_tnf_inhibitor, oriented_estimate
from statera.sources import Fact

__all__ = ["OutcomeSynthesis", "StudyRow", "study_rows", "syntheses"]

# Counted among serious infections, as reviews of the class do; its row keeps its own name.
_COUNTED_AS = {"serious_bacterial_infection": "serious_infection"}
_SAME_AGAIN = ("RCT-duplicate", "(crude)")
_QUALIFIERS = re.compile(r"\s*(\(.*\)|RWE cohort|RWE|RCT-duplicate|CV-risk)\s*$")


@dataclass(frozen=True)
class StudyRow:
    """A published ratio and whether it is pooled.

    Attributes
    ----------
    fact, drug
        As published, and which inhibitors it concerns.
    outcome
        One of the four main outcomes.
    estimate
        Inhibitor over comparator.
    databases
        That it may share with other rows.
    reason
        Why it is not pooled; empty where it is.
    """

    fact: Fact
    drug: str
    outcome: str
    estimate: RatioEstimate
    databases: tuple[str, ...]
    reason: str = ""

    @property
    def study(self) -> str:
        """Name of the study."""
        return self.fact.get("study")

    @property
    def name(self) -> str:
        """Study and drug."""
        return f"{self.study}, {self.drug}"

    @property
    def is_randomised(self) -> bool:
        """True for a randomised trial."""
        return self.fact.get("design") == "rct"


@dataclass(frozen=True)
class OutcomeSynthesis:
    """One outcome pooled.

    Attributes
    ----------
    outcome
    rows
        All rows, those not pooled too.
    effects
        Of the pooled ones.
    wald, hartung_knapp
        All pooled rows as if they were independent, by REML.
    apart
        One row a database, so that nobody is counted twice by design, Hartung-Knapp.
    apart_rows
        These rows.
    """

    outcome: str
    rows: tuple[StudyRow, ...]
    effects: Effects
    wald: PairwiseResult
    hartung_knapp: PairwiseResult
    apart: PairwiseResult
    apart_rows: tuple[StudyRow, ...]

    @property
    def pooled(self) -> tuple[StudyRow, ...]:
        """The rows that were pooled."""
        return tuple(r for r in self.rows if not r.reason)


def study_rows() -> tuple[StudyRow, ...]:
    """Return the published ratios of the main outcomes, of all inhibitors in the library."""
    facts = [
        (drug, fact) for drug in drugs() for fact in load_drug(drug).facts_in("safety_comparison")
    ]
    facts += [(f.get("drugs") or "several", f) for f in class_facts("safety_comparison")]
    rows = []
    for drug, fact in facts:
        outcome = _COUNTED_AS.get(fact.get("outcome"), fact.get("outcome"))
        estimate = oriented_estimate(fact)
        if outcome not in MAIN or estimate is None:
            continue
        rows.append(StudyRow(fact, drug, outcome, estimate, overlap_groups(fact)))
    wholes = {(_base(r), r.outcome) for r in rows if r.drug == "JAK inhibitors"}
    return tuple(replace(r, reason=_reason(r, wholes)) for r in rows)


def _base(row: StudyRow) -> str:
    return _QUALIFIERS.sub("", row.study)


def _reason(row: StudyRow, wholes: set[tuple[str, str]]) -> str:
    if not is_tnf_inhibitor(row.fact.get("comparator")):
        return f"compared with {row.fact.get('comparator')}, not with a TNF inhibitor"
    if row.fact.get("subgroup"):
        return f"a part of the people of another row ({row.fact.get('subgroup')})"
    if row.study.endswith(_SAME_AGAIN):
        return "another analysis of people who stand in another row"
    if row.drug != "JAK inhibitors" and (_base(row), row.outcome) in wholes:
        return "contained in the row of all inhibitors of the same study"
    if not row.estimate.has_usable_se:
        return "the interval is not symmetric on the log scale, so it gives no standard error"
    return ""


def syntheses(rows: Sequence[StudyRow]) -> tuple[OutcomeSynthesis, ...]:
    """Return the outcomes that at least one row can be pooled of."""
    found = []
    for outcome in MAIN:
        those = tuple(r for r in rows if r.outcome == outcome)
        pooled = [r for r in those if not r.reason]
        if not pooled:
            continue
        apart = _one_a_database(pooled)
        effects = _effects(pooled)
        knapp = PairwiseOptions(test="knha")
        found.append(
            OutcomeSynthesis(
                outcome, those, effects, pairwise(effects), pairwise(effects, knapp),
                pairwise(_effects(apart), knapp), tuple(apart),
            )
        )  # fmt: skip
    return tuple(found)


def _effects(rows: Sequence[StudyRow]) -> Effects:
    return effect_sizes(
        "HR",
        names=[r.name for r in rows],
        cluster=["; ".join(r.databases) for r in rows],
        estimate=[r.estimate.value for r in rows],
        low=[r.estimate.low for r in rows],
        high=[r.estimate.high for r in rows],
    )


def _one_a_database(rows: Sequence[StudyRow]) -> list[StudyRow]:
    """Return rows that share no database: those that draw on the fewest first, then precise ones.

    A study of several databases would otherwise push out all studies of one.
    """
    used: set[str] = set()
    kept = []
    for row in sorted(rows, key=lambda r: (len(r.databases), r.estimate.se)):
        if not used & set(row.databases):
            kept.append(row)
            used |= set(row.databases)
    return [r for r in rows if r in kept]
