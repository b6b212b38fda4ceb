"""The pSTAT3 assay as a structured protocol: what its source states and what is left open."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from statera.assay import Protocol, load_protocol
from statera.assay.protocol import Control, Material, Statement
from statera.library import find_cytokine
from statera.monograph.context import Context
from statera.monograph.sections.protocol_dilution import (
    DILUTION_METHOD,
    dilution_data,
    dilution_table,
)
from statera.plot.protocol import ProtocolStep, draw_protocol
from statera.report.document import (
    Block,
    Callout,
    Cell,
    Figure,
    Heading,
    Inline,
    Method,
    Paragraph,
    Section,
    Steps,
    Table,
)
from statera.report.json import plain
from statera.sources import Status

__all__ = ["METHODS", "section"]

METHODS: tuple[Method, ...] = (DILUTION_METHOD,)

_TITLE = "Assay protocol: inhibition of pSTAT3"
_RECOMMENDED = "recommended here"
# Where a step's text is cut into the title of its box and the details below it.
_CUT = re.compile(r"(?:,| (?=from |in DMSO|with |by |for ))")
_STIMULI = ("IL-6", "IL-15")


def section(context: Context) -> Section:
    """Return the protocol, or for another drug what of it would carry over."""
    protocol = load_protocol("pstat3")
    own = protocol.drug.name == context.name
    blocks = _own(context, protocol) if own else _carried(context, protocol)
    data: dict[str, Any] = {
        "written_for": protocol.drug.name,
        "applies": own,
        "protocol": plain(protocol),
        "stimuli": [plain(find_cytokine(name)) for name in _STIMULI],
        "dilution_example": dilution_data(context, protocol) if own else None,
        "sources": [protocol.source],
    }
    return Section("protocol", _TITLE, tuple(blocks), data)


def _own(context: Context, protocol: Protocol) -> list[Block]:
    source = protocol.source
    return [
        Paragraph(("Objective: ", _stated(protocol.objective, source))),
        Callout(
            "warning", "Not checked against a study", (Cell(protocol.note, sources=(source,)),)
        ),
        _materials(protocol),
        _stimuli(),
        Heading("Steps"),
        _workflow(protocol),
        _steps(protocol),
        Heading("Working concentrations"),
        Callout(
            "missing",
            "Working concentrations",
            (
                f"The source gives the stock and no working concentration of {context.name}. "
                "The series below is an example, not part of the source.",
            ),
        ),
        dilution_table(context, protocol),
        Heading("Controls"),
        _controls(protocol),
        Heading("Readout and analysis"),
        _statements("Readout", protocol.readout, source),
        _statements("Analysis", protocol.analysis, source),
        Heading("What the source leaves open"),
        _gaps(protocol),
    ]


def _stated(text: str, source: str) -> Cell:
    return Cell(text, "claim", (source,))


def _origin(status: Status, source: str) -> Cell:
    if status is Status.ASSUMED:
        return Cell(_RECOMMENDED)
    return Cell("stated", "claim", (source,))


def _materials(protocol: Protocol) -> Table:
    return Table(
        "Materials",
        ("Material", "Class", "Concentration", "Detail", "Origin"),
        tuple(_material(m, protocol.source) for m in protocol.materials),
    )


def _material(material: Material, source: str) -> tuple[Inline, ...]:
    amount = material.concentration
    stated = material.status is not Status.ASSUMED
    shown = (
        Cell(str(amount), "claim", (source,), value=amount.value, unit=amount.unit)
        if amount
        else Cell("not given", "missing", (source,) if stated else ())
    )
    return (material.name, material.kind, shown, material.detail, _origin(material.status, source))


def _stimuli() -> Table:
    rows = []
    for name in _STIMULI:
        c = find_cytokine(name)
        rows.append(
            (
                c.name,
                Cell(c.receptor, "fact", (c.source,)),
                Cell(", ".join(c.jaks), "fact", (c.source,)),
                Cell(", ".join(c.stats), "fact", (c.source,)),
            )
        )
    return Table(
        "The two stimuli signal through different kinases",
        ("Stimulus", "Receptor", "Kinases", "STATs"),
        tuple(rows),
        foot=(
            "STAT3 is reached from both, but through different kinases, so inhibition of the two "
            "need not agree.",
        ),
    )


def _workflow(protocol: Protocol) -> Figure:
    boxes = [_box(step) for step in protocol.steps]
    recommended = sum(not s.is_stated for s in protocol.steps)
    alt = (
        f"Boxes joined by arrows, {len(boxes)} steps in order: "
        + " ".join(f"{i}. {s.text}" for i, s in enumerate(protocol.steps, 1))
        + f" Steps recommended by this program and not stated by the source: {recommended}."
    )
    svg = draw_protocol(boxes, key="protocol-workflow", title="Workflow", alt=alt, columns=3)
    return Figure(
        "protocol-workflow",
        svg,
        "Workflow of the assay",
        alt,
        (
            "Drawn from the steps; the source's own figure was not available. ",
            Cell("Steps without a remark are stated by the source.", "claim", (protocol.source,)),
        ),
        {
            "step": list(range(1, len(boxes) + 1)),
            "text": [s.text for s in protocol.steps],
            "origin": ["stated" if s.is_stated else _RECOMMENDED for s in protocol.steps],
        },
    )


def _box(step: Statement) -> ProtocolStep:
    text = step.text.rstrip(".")
    cut = _CUT.search(text)
    title = text[: cut.start()] if cut else text
    rest = text[cut.end() :].strip() if cut else ""
    return ProtocolStep(title, (rest,) if rest else (), "" if step.is_stated else _RECOMMENDED)


def _steps(protocol: Protocol) -> Steps:
    return Steps(
        "Procedure", tuple(_said(step, protocol.source, "Recommended: ") for step in protocol.steps)
    )


def _said(one: Statement, source: str, prefix: str) -> tuple[Inline, ...]:
    text = _stated(one.text, source) if one.is_stated else f"{prefix}{one.text}"
    return (text, f" {one.note}") if one.note else (text,)


def _controls(protocol: Protocol) -> Table:
    rows = [
        *(_control(c, protocol.source) for c in protocol.stated_controls),
        *(_control(c, protocol.source) for c in protocol.recommended_controls),
    ]
    foot = () if protocol.stated_controls else ("The source states no control.",)
    return Table("Controls", ("Control", "What it is for", "Origin"), tuple(rows), foot=foot)


def _control(control: Control, source: str) -> tuple[Inline, ...]:
    return (control.name, control.purpose, _origin(control.status, source))


def _statements(title: str, statements: Sequence[Statement], source: str) -> Table:
    rows = tuple(
        (
            _stated(s.text, source) if s.is_stated else s.text,
            _origin(s.status, source),
        )
        for s in statements
    )
    return Table(title, (title, "Origin"), rows, row_header=False)


def _gaps(protocol: Protocol) -> Table:
    rows = tuple((Cell(g.what, "missing", (protocol.source,)), g.why) for g in protocol.gaps)
    return Table("Not stated by the source", ("Missing", "Why it matters"), rows)


_CARRIES = {
    "cells": "yes",
    "stimulus": "depends on the kinases the drug inhibits; see the table of stimuli",
    "inhibitor": "no: stock, solvent and working concentrations have to be set for this drug",
    "antibody": "yes",
    "reagent": "yes",
}


def _carried(context: Context, protocol: Protocol) -> list[Block]:
    source = protocol.source
    rows = tuple(
        (m.name, m.kind, Cell(_CARRIES.get(m.kind, "to be judged"))) for m in protocol.materials
    )
    judged = f"Whether a part carries over to {context.name} is this program's own judgement."
    return [
        Callout(
            "missing",
            f"No assay protocol for {context.name}",
            (
                "The library holds one protocol. It was written for ",
                _stated(f"{protocol.drug.name}: {protocol.objective}", source),
                f" No concentration of {context.name} is given by it.",
            ),
        ),
        Table(
            f"What would carry over to {context.name}",
            ("Part", "Class", "Carries over"),
            (
                *rows,
                ("Steps", "procedure", "yes, in the same order"),
                ("Controls", "controls", "yes; all are recommended by this program"),
                ("Readout and analysis", "analysis", "yes, for STAT3"),
            ),
            foot=(judged,),
        ),
        _stimuli(),
        _workflow_elsewhere(protocol, context.name),
    ]


def _workflow_elsewhere(protocol: Protocol, drug: str) -> Steps:
    """Return the steps with the drug's name in place of the protocol's, without its stock."""
    steps: list[tuple[Inline, ...]] = []
    for step in protocol.steps:
        if str(protocol.drug.stock) in step.text:
            steps.append((f"Dissolve and dilute {drug}: stock and solvent have to be set.",))
            continue
        text = re.sub(protocol.drug.name, drug, step.text)
        steps.append(
            (_stated(text, protocol.source) if step.is_stated else f"Recommended: {text}",)
        )
    return Steps(f"The steps as they would read for {drug}", tuple(steps))
