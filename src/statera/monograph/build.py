"""Put a monograph together: the same sections, in the same order, for every drug."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module

from statera.engagement import read_potencies
from statera.errors import UnknownNameError
from statera.library import find_source, format_citation
from statera.monograph.context import Context, make_context
from statera.monograph.made import made_with
from statera.monograph.methods import METHODS
from statera.monograph.options import MonographOptions, Progress
from statera.report.check import inlines
from statera.report.document import Cell, Document, Method, Reference, Section

__all__ = ["NOTICE", "SECTIONS", "build", "build_section"]

NOTICE = (
    "Research software. Not a medical device. Not for decisions about a person without an "
    "independent check."
)

SECTIONS = (
    ("identity", "Identity"),
    ("mechanism", "Mechanism"),
    ("pharmacokinetics", "Pharmacokinetics"),
    ("engagement", "Target engagement"),
    ("dosing", "Indications and dosing"),
    ("efficacy", "Efficacy"),
    ("biomarkers", "Biomarkers"),
    ("protocol", "Assay protocol"),
    ("safety", "Comparative safety"),
    ("monitoring", "Monitoring"),
    ("audit", "Audit"),
)
"""Key of each section, which is also its module in `statera.monograph.sections`, and its title."""


def build(
    drug: str, options: MonographOptions | None = None, progress: Progress | None = None
) -> Document:
    """Compute the monograph of a drug.

    Parameters
    ----------
    drug
        Name or alias, whatever its case.
    options
        See `MonographOptions`.
    progress
        Called at the start of every stage.

    Raises
    ------
    UnknownNameError
        If the library has no such drug.
    InputError
        If the user's potencies cannot be read.
    """
    if options is not None and options.potency_table is not None:
        read_potencies(options.potency_table)  # a mistake is said before the work
    tell: Progress = progress or (lambda _stage, _fraction: None)
    tell("Simulating", 0.0)
    context = make_context(drug, options or MonographOptions())
    sections: list[Section] = []
    methods = dict(METHODS)
    for number, (name, words) in enumerate(SECTIONS):
        tell(words, (number + 1) / (len(SECTIONS) + 1))
        section, own = _make(context, name)
        sections.append(section)
        methods |= own
    tell("Writing", 1.0)
    return _document(context, sections, methods)


def build_section(context: Context, name: str) -> Document:
    """Compute one section alone, with the methods and the references that it needs.

    Raises
    ------
    UnknownNameError
        If there is no such section.
    """
    if name not in dict(SECTIONS):
        raise UnknownNameError("section", name, dict(SECTIONS))
    section, own = _make(context, name)
    return _document(context, [section], dict(METHODS) | own)


def _make(context: Context, name: str) -> tuple[Section, dict[str, Method]]:
    module = import_module(f"statera.monograph.sections.{name}")
    make: Callable[[Context], Section] = module.section
    return make(context), {m.key: m for m in module.METHODS}


def _document(
    context: Context, sections: Sequence[Section], methods: Mapping[str, Method]
) -> Document:
    return Document(
        title=context.name.capitalize(),
        subtitle=context.drug.identity.kind,
        notice=NOTICE,
        sections=tuple(sections),
        methods=_used(methods, sections),
        references=_references(sections),
        manifest=made_with(context),
    )


def _cells(sections: Sequence[Section]) -> list[Cell]:
    return [
        part
        for section in sections
        for block in section.blocks
        for part in inlines(block)
        if isinstance(part, Cell)
    ]


def _used(methods: Mapping[str, Method], sections: Sequence[Section]) -> tuple[Method, ...]:
    used = dict.fromkeys(c.method for c in _cells(sections) if c.method)
    return tuple(methods[key] for key in used)


def _references(sections: Sequence[Section]) -> tuple[Reference, ...]:
    cited = dict.fromkeys(s for c in _cells(sections) for s in c.sources)
    found = []
    for key in cited:
        source = find_source(key)
        found.append(
            Reference(key, format_citation(source), source.url, source.grade.value, source.how_read)
        )
    return tuple(found)
