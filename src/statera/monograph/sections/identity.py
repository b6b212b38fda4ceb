"""Identity and intended use: what the drug is, what the page is for, how it was made."""

from __future__ import annotations

from collections import Counter
from typing import Any

from statera.library import class_facts
from statera.monograph.cells import missing, source_cell
from statera.monograph.context import Context
from statera.report.document import Callout, Cell, Definition, Inline, Method, Section, Table
from statera.sources import Grade

__all__ = ["METHODS", "section"]

METHODS: tuple[Method, ...] = (
    Method(
        "count",
        "Counts",
        "Entries of the library's data files for this drug and for its class, counted when the "
        "page is made.",
    ),
)


def section(context: Context) -> Section:
    """Return identity, intended use and what the page stands on."""
    identity = context.drug.identity
    pairs: list[tuple[str, Inline]] = [
        ("Name", identity.name),
        ("Kind", source_cell(identity.kind, *_some(identity.kind_source))),
        ("Other names", ", ".join(context.drug.aliases) or missing("none in the library")),
        (
            "CAS number",
            Cell(identity.cas, "claim", _some(identity.cas_source))
            if identity.cas
            else missing("not retrieved"),
        ),
        (
            "Formula",
            source_cell(identity.formula, *_some(identity.molar_mass_source))
            if identity.formula
            else missing("not retrieved"),
        ),
        (
            "Molar mass",
            Cell(
                f"{identity.molar_mass:g} g/mol",
                "fact",
                _some(identity.molar_mass_source),
                value=identity.molar_mass,
                unit="g/mol",
            )
            if identity.molar_mass
            else missing("not retrieved: nothing is converted to nM"),
        ),
    ]
    if identity.metabolites:
        pairs.append(("Active metabolites", ", ".join(identity.metabolites)))
    use = Callout(
        "warning",
        "Intended use",
        (
            "Research and education only. This page is computed from cited facts by research "
            "software; it is not a medical device and not for decisions about a person without an "
            "independent check. Label rules are paraphrased from the sources named beside them "
            "and may be out of date: read the current label.",
        ),
    )
    made = Callout(
        "note",
        "How this page was made",
        (
            "Every number is either a cited fact, marked with its reference, or computed "
            "here, with a link to the method. Where sources disagree both are shown; what could "
            "not be read stays missing. Versions, seed and content hashes of the data files stand "
            "in the manifest at the end.",
        ),
    )
    return Section(
        "identity",
        "Identity and intended use",
        (Definition(tuple(pairs)), use, made, _grades(context)),
        _data(context),
    )


def _some(source: str) -> tuple[str, ...]:
    return (source,) if source else ()


def _all_facts(context: Context) -> list[Any]:
    return [*context.drug.facts, *class_facts(drug=context.name)]


def _grades(context: Context) -> Table:
    facts = Counter(f.grade for f in _all_facts(context))
    rules = Counter(r.grade for r in context.drug.labels)
    rows: list[tuple[Inline, ...]] = []
    for grade in Grade:
        if facts[grade] or rules[grade]:
            rows.append(
                (
                    grade.value,
                    grade.meaning,
                    Cell(str(facts[grade]), "computed", method="count", value=facts[grade]),
                    Cell(str(rules[grade]), "computed", method="count", value=rules[grade]),
                )
            )
    return Table(
        "What the page stands on: facts and label rules by how their source was read",
        ("Grade", "Meaning", "Facts", "Label rules"),
        tuple(rows),
        numeric=(2, 3),
    )


def _data(context: Context) -> dict[str, Any]:
    identity = context.drug.identity
    return {
        "name": identity.name,
        "kind": identity.kind,
        "aliases": list(context.drug.aliases),
        "cas": identity.cas or None,
        "formula": identity.formula or None,
        "molar_mass_g_mol": identity.molar_mass,
        "facts": len(_all_facts(context)),
        "label_rules": len(context.drug.labels),
    }
