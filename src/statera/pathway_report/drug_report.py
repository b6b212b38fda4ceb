"""The page of a drug on a pathway: courses by scenario, inhibition, concentrations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from statera.mechanism.scenario import PathwayRun, ScenarioRun
from statera.pathway.jak_inhibition import JakMarks, slowed_reactions
from statera.pathway_report.methods import METHODS, NOTICE, REFERENCES
from statera.pathway_report.parts import courses_figure, network_section, number
from statera.plot.time_courses import Course, CoursePanel, TimeCourseOptions
from statera.report.document import (
    Block,
    Callout,
    Document,
    Inline,
    Paragraph,
    Reference,
    Section,
    Table,
)

__all__ = ["build_drug_report", "build_network_report", "drug_sections"]

_SHOWN = 6  # times of the table of inhibition


def build_drug_report(
    run: PathwayRun, marks: JakMarks, drug: str, *, made: Mapping[str, Any]
) -> Document:
    """Return the page of one drug on one pathway.

    Parameters
    ----------
    run
        From `statera.mechanism.scenario.run_scenarios`.
    marks
        What the drug acts on.
    drug
        Its name.
    made
        The manifest.
    """
    references = [REFERENCES["rodas5p"]]
    if marks.source:
        references.append(Reference("marks", marks.source))
    return Document(
        title=f"{drug.capitalize()} on {run.network.name or run.network.id}",
        subtitle=", ".join(r.scenario.label for r in run.runs),
        notice=NOTICE,
        sections=(*drug_sections(run, marks), _notes(run)),
        methods=(METHODS["joint"], METHODS["inhibition"]),
        references=tuple(references),
        manifest=made,
    )


def build_network_report(run: PathwayRun, *, made: Mapping[str, Any]) -> Document:
    """Return the page of a network without a drug of the library."""
    return Document(
        title=run.network.name or run.network.id,
        subtitle="as its file gives it",
        notice=NOTICE,
        sections=(network_section(run.network), _courses(run, drug=False), _notes(run)),
        methods=(METHODS["solved"],),
        references=(REFERENCES["rodas5p"],),
        manifest=made,
    )


def drug_sections(run: PathwayRun, marks: JakMarks) -> tuple[Section, ...]:
    """Return the sections on the network, the courses and the inhibition."""
    slowed = slowed_reactions(run.network, marks)
    return network_section(run.network, slowed), _drug(run), _courses(run), _inhibition(run)


def _drug(run: PathwayRun) -> Section:
    rows: list[tuple[Inline, ...]] = []
    for kinase, p in run.potencies.values.items() if run.potencies is not None else ():
        basis = "unbound" if p.unbound else "total"
        rows.append((kinase, f"{p.ic50:.4g}", f"{p.hill:g}", basis))
    blocks: list[Block] = [
        Table(
            "Potencies used", ("Kinase", "IC50, nM", "Slope", "Compared with"), tuple(rows), (1, 2)
        )
    ]
    if run.unbound is not None:
        blocks.append(Paragraph((f"{100 * run.unbound:g} % of the drug in plasma is unbound.",)))
    return Section("drug", "Drug", tuple(blocks))


def _courses(run: PathwayRun, *, drug: bool = True) -> Section:
    names = list(run.runs[0].outputs)
    panels = [
        CoursePanel(
            name,
            tuple(Course(r.scenario.label, run.times, r.outputs[name]) for r in run.runs),
        )
        for name in names
    ]
    if drug:
        given = tuple(Course(r.scenario.label, run.times, r.concentration) for r in run.runs)
        panels.append(CoursePanel("drug in plasma, total", given, "nM"))
    also = " and the concentration of the drug by scenario" if drug else ""
    alt = f"{', '.join(names)}{also} over time."
    axis = f"Time ({run.time_unit})" if run.time_unit else "Time"
    figure = courses_figure(panels, TimeCourseOptions(axis), "courses", "Courses", alt)
    return Section("courses", "Courses", (figure,))


def _inhibition(run: PathwayRun) -> Section:
    at = _rows(run)
    blocks: list[Block] = []
    for name in run.runs[0].outputs:
        rows = []
        for r in run.runs[1:]:
            cells: list[Inline] = [r.scenario.label]
            cells += [number(100.0 * r.inhibition[name][i], "inhibition") for i in at]
            cells.append(number(100.0 * r.area_inhibition[name], "inhibition"))
            rows.append(tuple(cells))
        columns = ("Scenario", *(f"{run.times[i]:g} {run.time_unit}" for i in at), "area")
        blocks.append(
            Table(f"Inhibition of {name}, %", columns, tuple(rows), tuple(range(1, len(columns))))
        )
    return Section("inhibition", "Inhibition", tuple(blocks), _data(run))


def _rows(run: PathwayRun) -> list[int]:
    """Return the times of the table: spread over the course, those before the stimulus left out."""
    after = np.flatnonzero(run.times > 0.0)
    if after.size > _SHOWN:
        after = after[np.linspace(0, after.size - 1, _SHOWN).round().astype(int)]
    return [int(i) for i in after]


def _data(run: PathwayRun) -> dict[str, object]:
    return {"scenarios": [_scenario(r) for r in run.runs], "times": run.times.tolist()}


def _scenario(r: ScenarioRun) -> dict[str, object]:
    return {
        "label": r.scenario.label,
        "status": r.status,
        "outputs": {n: v.tolist() for n, v in r.outputs.items()},
        "inhibition": {n: v.tolist() for n, v in r.inhibition.items()},
        "area_inhibition": dict(r.area_inhibition),
        "concentration_nM": r.concentration.tolist(),
    }


def _notes(run: PathwayRun) -> Section:
    failed = [f"{r.scenario.label}: {r.status}" for r in run.runs if r.status != "ok"]
    blocks: list[Block] = [Paragraph((f"{n[0].upper()}{n[1:]}.",)) for n in run.notes]
    if failed:
        blocks.insert(0, Callout("warning", "Not solved", tuple(f"{f}. " for f in failed)))
    if not blocks:
        blocks = [Paragraph(("Nothing to add.",))]
    return Section("notes", "What to know", tuple(blocks))
