"""Sections with random effects, visual predictive checks, influence and the search."""

from __future__ import annotations

import numpy as np

from statera.estimate.diagnostics import Diagnostics
from statera.estimate.influence import influence
from statera.estimate.replicates import Replicates
from statera.estimate.result import FitResult
from statera.estimate.terms import LIKELIHOOD
from statera.estimate.vpc import Vpc, VpcOptions, vpc
from statera.fit_report.npc_blocks import npc_blocks
from statera.fit_report.options import FitReportOptions
from statera.fit_report.parts import cited, columns_of, computed, listed
from statera.plot.effects import draw_effect_covariates, draw_effects, varying_covariates
from statera.plot.objective import draw_influence, draw_iterations
from statera.plot.vpc import VpcPlotOptions, draw_vpc
from statera.report.document import (
    Block,
    Callout,
    Cell,
    Figure,
    Inline,
    Paragraph,
    Section,
    Table,
)

__all__ = ["effects_section", "influence_section", "vpc_section"]

_INFLUENCE = "diagnostic_influence"
_MOST_NAMED = 10
_MOST_COVARIATES = 6


def effects_section(diagnostics: Diagnostics) -> Section:
    """Return distributions of the random effects, and their course over covariates."""
    blocks: list[Block] = []
    names = diagnostics.effects
    if names:
        blocks.append(
            Paragraph(
                (
                    "Random effects of ",
                    computed(diagnostics.subjects.height, "diagnostic_effects"),
                    " subjects against the distribution that the fit estimated, and against the "
                    "columns that differ between subjects. Smooth lines are those of ",
                    cited("Cleveland", "Cleveland_1979"),
                    "; ρ is the rank correlation.",
                )
            )
        )
        alt = (
            f"Histograms of the random effects {listed(names)} of {diagnostics.subjects.height} "
            "subjects, with the normal curve of the estimated variance over each."
        )
        svg = draw_effects(diagnostics, key="effects", title="Random effects", alt=alt)
        blocks.append(
            Figure(
                "effects",
                svg,
                "Random effects",
                alt,
                data=columns_of(diagnostics.subjects, ("ID", *names)),
            )
        )
    covariates = varying_covariates(diagnostics)
    if names and covariates:
        blocks += _covariates(diagnostics, covariates)
    if not blocks:
        blocks.append(Paragraph(("The model has no random effects.",)))
    return Section("random-effects", "Random effects", tuple(blocks))


def _covariates(diagnostics: Diagnostics, covariates: tuple[str, ...]) -> list[Block]:
    from statera.plot.effects import EffectOptions  # noqa: PLC0415  only here

    shown = covariates[:_MOST_COVARIATES]
    alt = (
        f"Each random effect against {listed(shown)}: points with a smooth line, or boxes where a "
        "covariate has few values; the rank correlation stands in each panel."
    )
    title = "Random effects and covariates"
    svg = draw_effect_covariates(
        diagnostics, EffectOptions(covariates=shown), key="effects-covariates", title=title, alt=alt
    )
    data = columns_of(diagnostics.subjects, ("ID", *diagnostics.effects, *shown))
    found: list[Block] = [Figure("effects-covariates", svg, title, alt, data=data)]
    rest = covariates[_MOST_COVARIATES:]
    if rest:
        found.append(Paragraph((f"Not drawn: {listed(rest)}.",)))
    return found


def vpc_section(result: FitResult, replicates: Replicates, options: FitReportOptions) -> Section:
    """Return visual predictive checks, all from the same replicates."""
    blocks: list[Block] = [
        Paragraph(
            (
                "The data were simulated ",
                computed(replicates.count, "diagnostic_vpc"),
                " times from the estimates under their own design. Where the model describes the "
                "data, lines run inside their bands. Bins by ",
                cited("Fisher", "Fisher_1958"),
                "; prediction correction, where it is named, by ",
                cited("Bergstrand and others", "Bergstrand_2011"),
                ".",
            )
        )
    ]
    for number, choice in enumerate(options.vpc, start=1):
        check = vpc(result, choice, replicates=replicates)
        blocks.append(_vpc_figure(check, choice, number, options))
        blocks += [Callout("note", "Note", (text,)) for text in check.remarks]
    if options.npc is not None and not bool((result.problem.individuals.kind == LIKELIHOOD).all()):
        blocks += npc_blocks(result, replicates, options.npc)
    return Section("predictive-checks", "Predictive checks", tuple(blocks))


def _vpc_figure(check: Vpc, choice: VpcOptions, number: int, options: FitReportOptions) -> Figure:
    title = "Visual predictive check"
    if choice.prediction_corrected:
        title = "Prediction-corrected visual predictive check"
    if choice.stratify:
        title = f"{title} by {choice.stratify}"
    inside, total = 0, 0
    for panel in check.panels:
        for statistic in (*panel.percentiles, *panel.shares):
            known = np.isfinite(statistic.observed) & ~np.isnan(statistic.low)
            low, high = statistic.low[known], statistic.high[known]
            held = (statistic.observed[known] >= low) & (statistic.observed[known] <= high)
            inside, total = inside + int(held.sum()), total + int(known.sum())
    outputs = listed(list(dict.fromkeys(p.output for p in check.panels)))
    alt = (
        f"Percentiles of {outputs} over time with the {100 * choice.level:g} % intervals of "
        f"simulated percentiles, in {len(check.panels)} panels. {inside} of {total} observed "
        "statistics lie inside their interval."
    )
    key = f"vpc-{number}"
    svg = draw_vpc(
        check, VpcPlotOptions(logarithmic=options.logarithmic), key=key, title=title, alt=alt
    )
    table = check.to_polars()
    caption = (
        Cell(f"{inside} of {total}", "computed", method="diagnostic_vpc"),
        " observed statistics lie inside their interval.",
    )
    return Figure(key, svg, title, alt, caption, columns_of(table, table.columns))


def influence_section(result: FitResult, options: FitReportOptions) -> Section:
    """Return the objective by subject, the subjects that count most, and the search."""
    blocks: list[Block] = []
    if options.influence:
        blocks += _influence(result)
    if result.iterations and result.method != "saem":
        alt = "The objective and each estimate by iteration, from the first to the last."
        title = "Course of the search"
        svg = draw_iterations(result, key="search", title=title, alt=alt)
        blocks.append(
            Figure(
                "search",
                svg,
                title,
                alt,
                data={
                    "iteration": [s.number for s in result.iterations],
                    "OFV": [s.objective for s in result.iterations],
                },
            )
        )
    return Section("influence", "Influence and search", tuple(blocks))


def _influence(result: FitResult) -> list[Block]:
    found = influence(result)
    title = "Objective and influence by subject"
    alt = (
        f"Left: objective per observation of {len(found.ids)} subjects. Right: Cook's score "
        "against it; the subjects with the highest values are named."
    )
    svg = draw_influence(found, key="influence-subjects", title=title, alt=alt)
    table = found.to_polars()
    figure = Figure(
        "influence-subjects", svg, title, alt, data=columns_of(table, table.columns[:4])
    )
    ranked = np.argsort(np.where(np.isfinite(found.cook), -found.cook, np.inf))[:_MOST_NAMED]
    rows: list[tuple[Inline, ...]] = []
    for i in ranked:
        sizes = np.abs(found.standardised[i])
        if not np.isfinite(sizes).any():
            continue
        most = int(np.nanargmax(sizes))
        rows.append(
            (
                found.ids[i],
                computed(float(found.ofv[i]), _INFLUENCE),
                computed(float(found.cook[i]), _INFLUENCE),
                found.names[most],
                computed(float(found.change[i, most]), _INFLUENCE),
                computed(float(found.standardised[i, most]), _INFLUENCE),
            )
        )
    said = Paragraph(
        (
            "What leaving out one subject would do to the estimates, by one step of deletion (",
            cited("Cook", "Cook_1986"),
            "). It is an approximation: look again at such subjects with a fit without them.",
        )
    )
    listing = Table(
        "Subjects whose absence would move the estimates most",
        (
            "Subject",
            "Objective",
            "Cook's score",
            "Moved most",
            "Change",
            "In standard errors",
        ),
        tuple(rows),
        numeric=(1, 2, 4, 5),
        foot=(
            "The change in standard errors is that on the scale of the search, the logarithm of "
            "what is positive.",
        ),
    )
    return [said, figure, listing, *(Callout("note", "Note", (text,)) for text in found.remarks)]
