"""The running model: a compact pathway of IL-6 under the drug's concentrations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from statera.engagement.potency import potencies_from_facts
from statera.errors import StateraError
from statera.library import find_cytokine
from statera.mechanism.kinase_potencies import KinasePotencies, kinase_potencies
from statera.mechanism.scenario import PathwayRun, Scenario, ScenarioRun, run_scenarios
from statera.monograph.cells import computed
from statera.monograph.context import Context
from statera.pathway.jak_stat_model import jak_stat_marks, jak_stat_network
from statera.pathway.jak_stat_rates import CytokineRates, load_rates
from statera.plot.time_courses import Course, CoursePanel, TimeCourseOptions, draw_time_courses
from statera.report.document import (
    Block,
    Callout,
    Cell,
    Figure,
    Heading,
    Inline,
    Method,
    Paragraph,
    Table,
)
from statera.simulate import implied_covariates

__all__ = ["METHODS", "PathwayShown", "pathway_blocks", "pathway_data", "run_pathway"]

_CYTOKINE = "IL-6"
_IL6 = 40.0  # ng/mL, at which the constants were fitted first
_BEFORE = 1.0  # hours from the dose to the cytokine: near the greatest concentration
_TIMES = np.linspace(0.0, 240.0, 121)
_AT = (5.0, 30.0, 120.0)
_OUTPUTS = ("total_pSTAT", "SOCS", "target")
_TITLES = {"total_pSTAT": "phosphorylated STAT3", "SOCS": "SOCS3", "target": "target mRNA"}

METHODS: tuple[Method, ...] = (
    Method(
        "pathway",
        "The running model",
        "Nine states: active receptor, STAT in cytoplasm and nucleus, its phosphorylated monomer "
        "and dimer, mRNA and protein of SOCS, and mRNA of a target gene. The typical subject's "
        "pharmacokinetics are integrated together with it; phosphorylation is multiplied by the "
        "residual activity of the most inhibited kinase of the receptor, 1 / (1 + C / IC50), at "
        "enzyme potencies and unbound concentrations. The constants were fitted to simulated "
        "courses of a published model of IL-6 in mouse hepatocytes. In the limit of a weak "
        "stimulus, and at early times, the inhibition is that of the Hill equation.",
    ),
)


@dataclass(frozen=True)
class PathwayShown:
    """The pathway under the drug, and what it rests on."""

    run: PathwayRun
    rates: CytokineRates
    potencies: KinasePotencies


def run_pathway(context: Context) -> PathwayShown | str:
    """Run the pathway at the doses of the page, or say why it cannot be."""
    cytokine = find_cytokine(_CYTOKINE)
    if context.model is None or not context.exposures:
        return "no population model gives the concentrations"
    if context.molar_mass is None:
        return "no molar mass is known, so that ng/mL cannot be turned into nM"
    known, _ = potencies_from_facts(context.drug.facts_in("potency"))
    potencies = kinase_potencies(
        known, cytokine.jaks, context.unbound_fraction, molar_mass=context.molar_mass
    )
    if not potencies.values:
        return "no potency against an isolated kinase of the receptor is known"
    rates = load_rates(_CYTOKINE)
    scenarios = [
        Scenario(
            option.label,
            option.at_steady_state(),
            implied_covariates(context.model, option.at_steady_state().doses[0]),
            before=_BEFORE,
        )
        for option in context.exposures
    ]
    try:
        run = run_scenarios(
            jak_stat_network(rates.rates, cytokine=_CYTOKINE, stimulus=_IL6 / rates.half_stimulus),
            jak_stat_marks(cytokine.jaks), context.model, potencies, scenarios, _TIMES, _OUTPUTS,
            molar_mass=context.molar_mass, unbound=context.unbound_fraction,
        )  # fmt: skip
    except StateraError as error:
        return error.what
    return PathwayShown(run, rates, potencies)


def pathway_blocks(context: Context, found: PathwayShown | str) -> list[Block]:
    """Return the figure and the table of the running model, or why there is none."""
    head = Heading("The pathway, running")
    if isinstance(found, str):
        text = f"For {context.name} the pathway of {_CYTOKINE} is not run: {found}."
        return [head, Callout("missing", "Not computed", (text,))]
    return [head, _introduction(found), _figure(context, found), _table(found)]


def pathway_data(found: PathwayShown | str) -> dict[str, object]:
    """Return the running model as plain data."""
    if isinstance(found, str):
        return {"missing": found}
    return {
        "cytokine": _CYTOKINE,
        "time_min": found.run.times.tolist(),
        "scenarios": [
            {
                "label": r.scenario.label,
                "status": r.status,
                "concentration_nM": r.concentration.tolist(),
                "outputs": {n: v.tolist() for n, v in r.outputs.items()},
                "area_inhibition": dict(r.area_inhibition),
            }
            for r in found.run.runs
        ],
    }


def _introduction(found: PathwayShown) -> Paragraph:
    sources = Cell(", ".join(found.potencies.values), "fact", found.potencies.sources)
    return Paragraph(
        (
            f"{_IL6:g} ng/mL of {_CYTOKINE} reach the cells {_BEFORE:g} h after a dose at steady "
            "state and stay. The drug's concentration falls meanwhile, and drives the ",
            Cell("pathway", "computed", method="pathway"),
            " in the same integration. Enzyme potencies at ",
            sources,
            f" are used; {'; '.join(found.potencies.notes)}. "
            f"The constants of the pathway are {found.rates.status}: {found.rates.source}. They "
            "describe liver cells of mice; for another cell only the direction should be read.",
        )
    )


def _figure(context: Context, found: PathwayShown) -> Figure:
    run = found.run
    panels = [
        CoursePanel(
            _TITLES[name],
            tuple(Course(r.scenario.label, run.times, r.outputs[name]) for r in run.runs),
            "share of all STAT3" if name == "total_pSTAT" else "relative",
        )
        for name in _OUTPUTS
    ]
    title = f"{_CYTOKINE} pathway with and without {context.name}"
    peaks = "; ".join(
        f"{r.scenario.label}: {100 * float(np.nanmax(r.outputs['total_pSTAT'])):.0f} %"
        for r in run.runs
    )
    alt = (
        f"Phosphorylated STAT3, SOCS3 and mRNA of a target over 4 h after {_CYTOKINE}. "
        f"Highest share of STAT3 that is phosphorylated: {peaks}."
    )
    svg = draw_time_courses(
        panels, TimeCourseOptions("Time after the cytokine (min)"),
        key="mechanism-running", title=title, alt=alt,
    )  # fmt: skip
    data = {"time": run.times.tolist()} | {
        f"{_TITLES[name]}, {r.scenario.label}": r.outputs[name].tolist()
        for name in _OUTPUTS
        for r in run.runs
    }
    return Figure("mechanism-running", svg, title, alt, data=data)


def _table(found: PathwayShown) -> Table:
    run = found.run
    rows: list[tuple[Inline, ...]] = []
    for r in run.runs[1:]:
        at = [int(np.argmin(np.abs(run.times - t))) for t in _AT]
        inhibited = [100.0 * float(r.inhibition["total_pSTAT"][i]) for i in at]
        rows.append(
            (
                r.scenario.label,
                computed(float(r.concentration[0]), "pathway", "nM"),
                computed(_hill(found, r), "pathway", "%"),
                *(computed(v, "pathway", "%") for v in inhibited),
                computed(100.0 * r.area_inhibition["target"], "pathway", "%"),
            )
        )
    columns = (
        "Dose", "Total at the cytokine", "Hill equation there",
        *(f"pSTAT3 at {t:g} min" for t in _AT), "Target, area",
    )  # fmt: skip
    foot = (
        "The pathway shows less inhibition than the Hill equation where less SOCS3 was made and "
        "where STAT3 is nearly used up without the drug.",
    )
    return Table(
        f"Inhibition of the {_CYTOKINE} pathway",
        columns,
        tuple(rows),
        tuple(range(1, 7)),
        foot=foot,
    )


def _hill(found: PathwayShown, r: ScenarioRun) -> float:
    """Return the inhibition of the most inhibited kinase when the cytokine comes, per cent."""
    fraction = found.run.network.parameters.get("unbound_fraction", 1.0)
    residual = [
        1.0 / (1.0 + (r.concentration[0] * (fraction if p.unbound else 1.0) / p.ic50) ** p.hill)
        for p in found.potencies.values.values()
    ]
    return 100.0 * (1.0 - float(min(residual)))
