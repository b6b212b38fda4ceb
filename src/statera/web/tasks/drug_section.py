"""One section of a drug's monograph as data: blocks whose numbers name their origin."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from statera.library import Conflict, load_drug
from statera.monograph.build import build_section
from statera.report.check import inlines
from statera.report.document import (
    Block,
    Callout,
    Cell,
    Definition,
    Figure,
    Heading,
    Inline,
    Paragraph,
    Steps,
    Table,
)
from statera.report.tabulate import tabulate
from statera.web.answer import Answer, Column, Copies
from statera.web.answer import Table as Copied
from statera.web.requests.drug import DrugSectionRequest
from statera.web.tasks.drug_context import (
    conflicts_of_fact,
    conflicts_of_rule,
    facts_of,
    full,
    rules_of,
)
from statera.web.tasks.drug_references import conflict_data, fact_data, references, rule_origin
from statera.web.work import Work

__all__ = ["run"]


def run(request: DrugSectionRequest, work: Work) -> Answer:
    """Compute a section, and what its marks open."""
    drug = load_drug(request.drug).name
    document = build_section(full(drug), request.section)
    section = document.sections[0]
    cells = [p for b in section.blocks for p in inlines(b) if isinstance(p, Cell)]
    origins, conflicts = _origins(drug, cells)
    result = {
        "drug": drug,
        "key": section.key,
        "title": section.title,
        "blocks": [_block(block) for block in section.blocks],
        "methods": {m.key: {"title": m.title, "text": m.text} for m in document.methods},
        "facts": origins,
        "conflicts": {c.id: conflict_data(c) for c in conflicts},
        "references": references(
            (
                *(s for c in cells for s in c.sources),
                *(s for c in conflicts for s in c.sources),
            )
        ),
    }
    return Answer(
        "statera.web.drug-section/1",
        result,
        _tables(section.blocks),
        _copies(drug, section.key),
        (),
        document.manifest,
    )


def _origins(drug: str, cells: Sequence[Cell]) -> tuple[dict[str, dict[str, Any]], list[Conflict]]:
    """Return the facts and rules behind some cells, and the disagreements they stand in."""
    facts, rules = facts_of(drug), rules_of(drug)
    found: dict[str, dict[str, Any]] = {}
    conflicts: dict[str, Conflict] = {}
    for key in dict.fromkeys(k for c in cells for k in c.facts):
        if key in facts:
            own = conflicts_of_fact(drug, key)
            found[key] = fact_data(facts[key], own)
        else:
            own = conflicts_of_rule(drug, rules[key])
            found[key] = rule_origin(rules[key], own)
        conflicts |= {c.id: c for c in own}
    return found, list(conflicts.values())


def _block(block: Block) -> dict[str, Any]:
    match block:
        case Heading():
            return {"kind": "heading", "text": block.text}
        case Paragraph():
            return {"kind": "paragraph", "parts": _parts(block.parts)}
        case Callout():
            return {
                "kind": "callout",
                "tone": block.kind,
                "title": block.title,
                "parts": _parts(block.parts),
            }
        case Table():
            return _table(block)
        case Figure():
            return _figure(block)
        case Steps():
            return {
                "kind": "steps",
                "title": block.title,
                "steps": [_parts(step) for step in block.steps],
            }
        case Definition():
            return {
                "kind": "definition",
                "pairs": [[term, _part(said)] for term, said in block.pairs],
            }


def _table(block: Table) -> dict[str, Any]:
    return {
        "kind": "table",
        "caption": block.caption,
        "columns": block.columns,
        "rows": [_parts(row) for row in block.rows],
        "numeric": block.numeric,
        "row_header": block.row_header,
        "foot": _parts(block.foot),
        "folded": block.folded,
    }


def _figure(block: Figure) -> dict[str, Any]:
    data = tabulate(block.data) if block.data else None
    return {
        "kind": "figure",
        "key": block.key,
        "svg": block.svg,
        "title": block.title,
        "alt": block.alt,
        "caption": _parts(block.caption),
        "data": data,
    }


def _parts(parts: Iterable[Inline]) -> list[Any]:
    return [_part(part) for part in parts]


def _part(part: Inline) -> str | dict[str, Any]:
    """Return a text, or a cell without the fields that are empty."""
    if isinstance(part, str):
        return part
    given: dict[str, Any] = {
        "sources": part.sources,
        "method": part.method,
        "facts": part.facts,
        "note": part.note,
        "tone": part.tone,
    }
    kept = {key: value for key, value in given.items() if value}
    return {"text": part.text, "basis": part.basis, **kept}


def _tables(blocks: Iterable[Block]) -> dict[str, Copied]:
    """Return the tables of a section as text, named by their number in it."""
    tables = [b for b in blocks if isinstance(b, Table)]
    return {
        f"table_{number}": Copied(
            [Column(c) for c in table.columns],
            [[p if isinstance(p, str) else p.text for p in row] for row in table.rows],
        )
        for number, table in enumerate(tables, start=1)
    }


def _copies(drug: str, key: str) -> Copies:
    python = (
        "from statera.monograph import build\n\n"
        f"document = build({drug!r})\n"
        f"section = next(s for s in document.sections if s.key == {key!r})\n"
        "for block in section.blocks:\n"
        "    print(block)\n"
    )
    return Copies(python, f"statera monograph {drug} --json")
