"""Indications and dosing: label rules by region, what they do to exposure, where they differ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from statera.library import LabelRule, RuleKind
from statera.monograph.context import Context
from statera.monograph.sections.conflicts import conflict_data, conflict_table, conflicts_of
from statera.monograph.sections.dosing_compare import (
    COMPARED,
    Difference,
    difference_table,
    differences,
    rule_conflicts,
)
from statera.monograph.sections.dosing_data import difference_data, effect_data, net_data
from statera.monograph.sections.dosing_facts import (
    NET_METHOD,
    behind_table,
    facts_behind,
    net_effects,
    net_table,
)
from statera.monograph.sections.dosing_renal import (
    RENAL_METHOD,
    RenalEffect,
    renal_covariate,
    renal_effects,
)
from statera.monograph.sections.dosing_renal_table import (
    outside_cell,
    outside_points,
    renal_tables,
)
from statera.monograph.sections.dosing_text import (
    KIND_WORDS,
    claimed,
    condition_cell,
    meaning_of,
    rule_cell,
    rule_data,
    source_cell_of,
    tidy,
)
from statera.monograph.sections.open_gaps import gap_data, gap_table, gaps_about, gaps_of
from statera.report.document import Block, Callout, Cell, Heading, Inline, Method, Section, Table
from statera.sources import Grade

__all__ = ["METHODS", "section"]

METHODS: tuple[Method, ...] = (RENAL_METHOD, COMPARED, NET_METHOD)

_TITLE = "Indications and dosing"
_PEOPLE = {"adult": "adults", "paediatric": "children", "all": "adults and children"}
_COLUMNS = ("Indication", "About", "When", "Rule", "Date, grade")


def section(context: Context) -> Section:
    """Return the rules by region, their effect on exposure, differences and what is missing."""
    labels = context.drug.labels
    effects = renal_effects(context)
    found = differences(labels)
    conflicts = rule_conflicts(conflicts_of(context.name), labels)
    gaps = gaps_about(gaps_of(context.name), "renal function", "dose", "dosing")
    absent = _absent_kinds(labels)
    blocks: list[Block] = [*_intro(context), *_regions(labels)]
    blocks += _renal(context, effects)
    blocks += _behind(context)
    blocks += _disagreements(context, found)
    if conflicts:
        blocks.append(conflict_table(conflicts, "Conflicts about dosing that the library records"))
    blocks.append(Heading("What is missing"))
    blocks += _missing(context, absent)
    if gaps:
        blocks.append(gap_table(gaps, "What could not be read about dosing"))
    data: dict[str, Any] = {
        "rules": [rule_data(r) for r in labels],
        "renal_rules_and_exposure": [effect_data(e) for e in effects],
        "differences_between_regions": [difference_data(d) for d in found],
        "interaction_rules": [net_data(e) for e in net_effects(context.drug)],
        "conflicts": conflict_data(conflicts),
        "no_rule_about": [KIND_WORDS[k] for k in absent],
        "gaps": gap_data(gaps),
    }
    return Section("dosing", _TITLE, tuple(blocks), data)


def _intro(context: Context) -> list[Block]:
    labels = context.drug.labels
    if not labels:
        return [
            Callout(
                "missing",
                "No label rules",
                (f"The library holds no dosing rule for {context.name}.",),
            )
        ]
    letters = sorted({r.grade.value for r in labels if r.grade is not Grade.CALC})
    meanings = "; ".join(f"{g}: {Grade(g).meaning}" for g in letters)
    return [
        Callout(
            "warning",
            "Not a label, and not advice",
            (
                "These are single rules as read in the sources named, not complete labels. The "
                "date is that of the rule or else of the source; 'no date' means that the page "
                "shows none, so the rule may have changed since. Check the current label. ",
                f"Grades used here: {meanings}.",
            ),
        )
    ]


def _regions(labels: Sequence[LabelRule]) -> list[Block]:
    blocks: list[Block] = []
    order = list(RuleKind)
    for region in sorted({r.region for r in labels}, key=lambda key: _region_rank(labels, key)):
        rules = [r for r in labels if r.region == region]
        rules.sort(
            key=lambda r: (r.indication.startswith("all"), r.indication, order.index(r.kind))
        )
        name = rules[0].region_name
        blocks.append(Heading(name))
        if all(claimed(r) for r in rules):
            blocks.append(
                Callout(
                    "warning",
                    "Claims of the vendor's overview",
                    ("No other source was found for these rules; they are not used here.",),
                )
            )
        used = [t for r in rules for t in (r.indication, r.condition, r.action, r.dose_text)]
        meaning = meaning_of(used)
        blocks.append(
            Table(
                f"Rules, {name}",
                _COLUMNS,
                tuple(_row(r) for r in rules),
                foot=(f"{meaning}.",) if meaning else (),
            )
        )
    return blocks


def _region_rank(labels: Sequence[LabelRule], region: str) -> tuple[bool, str]:
    """Order regions by name, those with nothing but claims last."""
    own = [r for r in labels if r.region == region]
    return all(claimed(r) for r in own), own[0].region_name


def _row(rule: LabelRule) -> tuple[Inline, ...]:
    return (
        Cell(rule.indication, sources=(), note=_PEOPLE[rule.population.value]),
        KIND_WORDS[rule.kind],
        condition_cell(rule),
        rule_cell(rule),
        source_cell_of(rule),
    )


def _renal(context: Context, effects: Sequence[RenalEffect]) -> list[Block]:
    blocks: list[Block] = [Heading("Renal rules and exposure")]
    if not effects:
        return [
            *blocks,
            Callout(
                "missing",
                "No renal rule",
                (f"The library holds no renal dosing rule for {context.name}.",),
            ),
        ]
    covariate = renal_covariate(context)
    if context.model is None or covariate is None:
        why = (
            "The library holds no population model of the drug"
            if context.model is None
            else f"The model {context.model.id} has no term for renal function"
        )
        text = f"{why}, so the effect of the renal rules on exposure was not computed."
        return [*blocks, Callout("missing", "Effect of the renal rules", (text,))]
    blocks += _caveat(context, effects)
    blocks += renal_tables(context, effects)
    return blocks


def _caveat(context: Context, effects: Sequence[RenalEffect]) -> list[Block]:
    """Return what the model cannot say: values outside its data, and the library's own rule."""
    found: list[Block] = []
    outside = sorted({p for e in effects for p in outside_points(context, e)})
    missing = {f.id for f in facts_behind(context.drug) if f.get("quantity").startswith("renal")}
    caveats = [c for c in conflicts_of(context.name) if missing & set(c.facts)]
    parts: list[Inline] = []
    if outside:
        parts += [outside_cell(context, outside), " "]
    for caveat in caveats:
        said = tidy(f"{caveat.sources_say[:1].upper()}{caveat.sources_say[1:]}.")
        parts += [Cell(said, "fact", caveat.sources), f" Rule followed: {caveat.rule} "]
    if parts:
        found.append(Callout("warning", "Ratios from a model are not a renal study", tuple(parts)))
    return found


def _behind(context: Context) -> list[Block]:
    facts = facts_behind(context.drug)
    blocks: list[Block] = [Heading("Measurements behind the rules")]
    if not facts:
        text = (
            "The library holds no measured interaction and no measured effect of renal or hepatic "
            f"function for {context.name}."
        )
        return [*blocks, Callout("missing", "Interactions and organ function", (text,))]
    blocks.append(behind_table(facts))
    effects = net_effects(context.drug)
    if effects:
        blocks.append(net_table(effects))
    return blocks


def _disagreements(context: Context, found: Sequence[Difference]) -> list[Block]:
    blocks: list[Block] = [Heading("Where regions and sources differ")]
    if found:
        blocks.append(difference_table(found))
    else:
        text = (
            "Standard doses and renal rules were compared wherever two regions state them in the "
            "same way; none was found to differ. Regions whose rules were not read are not covered."
        )
        blocks.append(Callout("note", "No difference between regions found", (text,)))
    remarks = [r for r in context.drug.labels if "conflict with" in r.note.lower()]
    if remarks:
        parts = [
            part
            for r in remarks
            for part in (
                Cell(f"{r.region_name}, {tidy(r.condition)}: {tidy(r.note)}", "fact", (r.source,)),
                " ",
            )
        ]
        blocks.append(Callout("note", "Differences that the rules themselves record", tuple(parts)))
    return blocks


def _absent_kinds(labels: Sequence[LabelRule]) -> tuple[RuleKind, ...]:
    """Return the kinds about which no rule is recorded, claims not counted."""
    present = {r.kind for r in labels if not claimed(r)}
    return tuple(k for k in RuleKind if k not in present)


def _missing(context: Context, absent: Sequence[RuleKind]) -> list[Block]:
    regions = {r.region_name for r in context.drug.labels if not claimed(r)}
    parts: list[Inline] = []
    if regions:
        parts.append(
            f"Rules were read for: {'; '.join(sorted(regions))}. No other region was read. "
        )
    if absent:
        words = "; ".join(KIND_WORDS[k] for k in absent)
        parts.append(f"No rule is recorded about: {words}. ")
    parts.append("A rule that is absent here was not read; it does not follow that there is none.")
    return [Callout("missing", "Regions and kinds of rules", tuple(parts))]
