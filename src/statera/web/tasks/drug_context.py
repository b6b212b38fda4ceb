"""What the tasks of the drug page share; kept in the worker process."""

from __future__ import annotations

from functools import lru_cache

from statera.library import Conflict, LabelRule, RuleKind, class_facts, load_drug
from statera.library.conflicts import load_conflicts
from statera.monograph import MonographOptions
from statera.monograph.context import Context, bare_context, make_context
from statera.monograph.sections.dosing_text import indications_in
from statera.monograph.sections.engagement_potencies import Entry, PotencySet, load_potencies
from statera.monograph.sections.mechanism_kinases import enzyme_entries
from statera.sources import Fact

__all__ = [
    "bare",
    "conflicts_of_fact",
    "conflicts_of_rule",
    "enzymes",
    "facts_of",
    "full",
    "measured",
    "potencies",
    "rules_of",
]


# A disagreement about dosing names its subject in its topic; it stands at rules of these kinds.
_KINDS: tuple[tuple[str, frozenset[RuleKind]], ...] = (
    ("renal", frozenset({RuleKind.RENAL})),
    ("paediatric", frozenset({RuleKind.AGE, RuleKind.WEIGHT})),
    ("age ", frozenset({RuleKind.AGE, RuleKind.RISK})),
    ("status", frozenset({RuleKind.INDICATION})),
    ("counts", frozenset({RuleKind.LABORATORY_START})),
    ("dose", frozenset({RuleKind.STANDARD, RuleKind.RESPONSE, RuleKind.RISK})),
)


@lru_cache(maxsize=32)
def bare(drug: str) -> Context:
    """Return a drug with its models, nothing simulated."""
    return bare_context(drug, MonographOptions(workers=1))


@lru_cache(maxsize=4)
def full(drug: str) -> Context:
    """Return a drug with the simulations that its monograph rests on."""
    return make_context(drug, MonographOptions(workers=1))


@lru_cache(maxsize=32)
def potencies(drug: str) -> PotencySet:
    """Return the potencies of a drug."""
    return load_potencies(bare(drug))


@lru_cache(maxsize=32)
def enzymes(drug: str) -> tuple[Entry, ...]:
    """Return the potencies against single kinases."""
    return enzyme_entries(bare(drug), potencies(drug))


@lru_cache(maxsize=32)
def measured(drug: str) -> tuple[Entry, ...]:
    """Return the potencies against signals in cells or blood."""
    return tuple(e for e in potencies(drug).entries if e.potency.matrix != "enzyme")


@lru_cache(maxsize=32)
def facts_of(drug: str) -> dict[str, Fact]:
    """Return the facts about a drug and about its class, by id."""
    own = load_drug(drug)
    return {f.id: f for f in (*class_facts(), *own.facts)}


@lru_cache(maxsize=32)
def rules_of(drug: str) -> dict[str, LabelRule]:
    """Return the label rules by ``region/id``, as the cells of a monograph name them."""
    return {f"{rule.region}/{rule.id}": rule for rule in load_drug(drug).labels}


@lru_cache(maxsize=32)
def _conflicts(drug: str) -> tuple[Conflict, ...]:
    found = {c.id: c for c in (*load_conflicts(drug), *load_conflicts("class"))}
    return tuple(found.values())


def conflicts_of_fact(drug: str, fact_id: str) -> tuple[Conflict, ...]:
    """Return the recorded disagreements on one side of which a fact stands."""
    return tuple(c for c in _conflicts(drug) if fact_id in c.facts)


def conflicts_of_rule(drug: str, rule: LabelRule) -> tuple[Conflict, ...]:
    """Return the recorded disagreements about dosing on one side of which a rule stands.

    They share indication and source with the rule, and their topic is what the rule is about.
    """
    concerns = set(indications_in(rule))
    return tuple(
        c
        for c in _conflicts(drug)
        if c.indications
        and rule.source in c.sources
        and ("all" in concerns or concerns & set(c.indications))
        and rule.kind in _kinds_of(c)
    )


def _kinds_of(conflict: Conflict) -> frozenset[RuleKind]:
    topic = conflict.topic.lower()
    return next((kinds for word, kinds in _KINDS if word in topic), frozenset(RuleKind))
