"""Target engagement: inhibition through the dosing interval by potency and dose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from statera.engagement import ASSUMPTIONS, concentration_basis, hours_text
from statera.library import load_cytokines
from statera.monograph.cells import computed
from statera.monograph.context import Context, DoseOption
from statera.monograph.sections.engagement_check import observed_blocks
from statera.monograph.sections.engagement_courses import (
    combined_course,
    course,
    obstacle,
    pairs,
)
from statera.monograph.sections.engagement_figures import curves_figure, heat_figure
from statera.monograph.sections.engagement_methods import METHODS
from statera.monograph.sections.engagement_plate import plate_blocks, plate_data, spread_table
from statera.monograph.sections.engagement_potencies import Entry, PotencySet, load_potencies
from statera.monograph.sections.engagement_receptors import (
    ReceptorDay,
    ReceptorGroup,
    receptor_days,
    receptor_groups,
)
from statera.monograph.sections.engagement_tables import (
    Result,
    dose_head,
    dose_labels,
    engage,
    potency_table,
    result_data,
    result_table,
    skipped_table,
)
from statera.monograph.sections.mechanism_kinases import RULES, enzyme_entries
from statera.monograph.sections.mechanism_tables import inhibition_cell
from statera.report.document import Block, Callout, Cell, Heading, Inline, Paragraph, Section, Table

__all__ = ["METHODS", "section"]

_Days = dict[DoseOption, dict[tuple[str, ...], ReceptorDay]]


@dataclass(frozen=True)
class _Receptors:
    groups: tuple[ReceptorGroup, ...]
    days: _Days
    sources: tuple[str, ...]


def section(context: Context) -> Section:
    """Return the section on target engagement.

    Raises
    ------
    InputError
        If the user's potencies cannot be read.
    """
    potencies = load_potencies(context)
    reasons = {e: obstacle(context, e) for e in potencies.entries}
    results = _results(context, [e for e, why in reasons.items() if not why])
    blocks: list[Block] = [_introduction(context, results)]
    blocks += _about_potencies(context, potencies, reasons)
    receptors = _receptors(context, potencies)
    if results:
        blocks += [
            Heading("Inhibition by potency and dose"),
            curves_figure(context, results),
            result_table(results),
        ]
        spread = spread_table(results, context.options.seed)
        blocks += [] if spread is None else [spread]
    else:
        blocks += _nothing(context, potencies)
    if receptors.days:
        blocks += _receptor_blocks(receptors)
    observed = observed_blocks(context, results)
    if observed:
        blocks += [Heading("Against what was observed"), *observed]
    data = {
        "unit": "%",
        "results": [result_data(r) for r in results],
        "skipped": [{"fact": f.id, "reason": why} for f, why in potencies.skipped],
        "not_compared": [{"potency": e.name, "reason": why} for e, why in reasons.items() if why],
        "receptors": _receptor_data(receptors),
        "plate": plate_data(potencies.plate, results, context.options.seed),
    }
    return Section("engagement", "Target engagement", tuple(blocks), data)


def _results(context: Context, entries: Sequence[Entry]) -> list[Result]:
    results = [
        engage(e.name, e.heading, dose, course(context, e, exposure), e.sources)
        for e in entries
        for dose, exposure in context.exposures.items()
    ]
    for pair in pairs(context, tuple(entries)):
        readout = pair.parent.potency.readout or pair.parent.potency.target
        name = f"{readout}, parent and metabolite added"
        heading = ("Parent and metabolite", f"{readout}, added (assumed)")
        sources = tuple(dict.fromkeys((*pair.parent.sources, *pair.metabolite.sources)))
        for dose, exposure in context.exposures.items():
            added = combined_course(context, pair, exposure)
            results.append(engage(name, heading, dose, added, sources, "engagement_added"))
    return results


def _introduction(context: Context, results: Sequence[Result]) -> Paragraph:
    if not results:
        return Paragraph(
            (
                "Inhibition through a dosing interval needs a concentration over time and a "
                "potency measured against a signal.",
            )
        )
    model = context.model
    assert model is not None
    return Paragraph(
        (
            "Concentrations of the typical subject and of a simulated population at steady state (",
            Cell(model.title, "fact", (model.source,) if model.source else ()),
            ") are turned into inhibition by the Hill equation, I = C^h / (C^h + IC50^h). "
            "Where a source gives no Hill coefficient, 1 is assumed. Each potency is compared with "
            "the total or the unbound concentration according to what it was measured in.",
        )
    )


def _about_potencies(
    context: Context, potencies: PotencySet, reasons: dict[Entry, str]
) -> list[Block]:
    blocks: list[Block] = []
    if potencies.entries:
        rules = [
            None if reasons[e] else concentration_basis(e.potency, context.unbound_fraction).rule
            for e in potencies.entries
        ]
        blocks.append(potency_table(context, potencies.entries, rules))
    blocks += plate_blocks(potencies)
    if potencies.skipped:
        blocks.append(skipped_table(potencies))
    if potencies.foreign:
        whose = "table" if potencies.plate is None else "plate"
        text = f"{potencies.foreign} rows of your {whose} name another drug and were left out."
        blocks.append(Callout("note", f"Your potency {whose}", (text,)))
    obstacles = {e.name: why for e, why in reasons.items() if why}
    if obstacles:
        text = "; ".join(f"{name}: {why}" for name, why in obstacles.items())
        blocks.append(Callout("missing", "Potencies without a concentration", (f"{text}.",)))
    return blocks


def _nothing(context: Context, potencies: PotencySet) -> list[Block]:
    lacks = []
    if not context.models:
        lacks.append("no population model with its parameters")
    if not potencies.entries:
        lacks.append("no potency (IC50 or EC50)")
    if not lacks:
        return []
    text = (
        f"For {context.name} the sources of this page give {' and '.join(lacks)}. No inhibition is "
        "computed."
    )
    if not potencies.entries:
        text += " Your own potencies, or those of your plate, can be given on the command line."
    blocks: list[Block] = [Callout("missing", "Inhibition not computed", (text,))]
    if context.exposures:
        blocks.append(_exposure_table(context))
    return blocks


def _exposure_table(context: Context) -> Table:
    """Return what a potency would be compared with."""
    rows: list[tuple[Inline, ...]] = []
    for dose, exposure in context.exposures.items():
        unit = next(iter(exposure.typical.units.values()))
        values = [float(exposure.typical.endpoint(k)[0]) for k in ("Cavg", "Cmax", "Ctrough")]
        rows.append((dose.label, *(computed(v, "typical", unit) for v in values)))
    return Table(
        "Total concentrations at steady state that a potency would be compared with",
        ("Dose", "Average", "Maximum", "Before the next dose"),
        tuple(rows),
        numeric=(1, 2, 3),
    )


def _receptors(context: Context, potencies: PotencySet) -> _Receptors:
    entries = enzyme_entries(context, potencies)
    days = receptor_days(context, entries)
    sources = tuple(dict.fromkeys(s for e in entries for s in e.sources))
    return _Receptors(receptor_groups() if days else (), days, sources)


def _receptor_blocks(receptors: _Receptors) -> list[Block]:
    rules = [ASSUMPTIONS[r] for r in RULES]
    return [
        Heading("Expected inhibition by cytokine and dose"),
        Paragraph(
            (
                "Few potencies against single cytokines could be read, so their inhibition is "
                "inferred from the enzyme potencies of the receptor's kinases under two named "
                "assumptions. It shows which signals are hit harder and how this changes with "
                "dose; it is not a prediction of inhibition in cells.",
            )
        ),
        heat_figure(receptors.groups, receptors.days),
        _receptor_table(receptors),
        _half_table(receptors),
        Paragraph(tuple(f"{r.name}: {r.formula}. {r.rationale} " for r in rules)),
    ]


def _receptor_table(receptors: _Receptors) -> Table:
    sources = tuple(dict.fromkeys(c.source for c in load_cytokines() if c.jaks))
    labels = dose_labels(receptors.days)
    columns = ["Kinases: cytokines"]
    for dose in receptors.days:
        columns += [f"{labels[dose]}: {short}" for short in ("limiting", "independent")]
    rows: list[tuple[Inline, ...]] = []
    for group in receptors.groups:
        row: list[Inline] = [Cell(group.kinases.text, note=group.names)]
        for day in receptors.days.values():
            averages = day[group.kinases.names].average
            row += [inhibition_cell(averages[rule], f"receptor_{rule}") for rule in RULES]
        rows.append(tuple(row))
    return Table(
        f"Average daily inhibition expected at steady state ({dose_head(receptors.days).lower()})",
        tuple(columns),
        tuple(rows),
        numeric=tuple(range(1, len(columns))),
        foot=(
            Cell("Kinases of the receptors: table of receptors", "fact", sources),
            "Where it lists one kinase, a pair of it is assumed; of three, all are used.",
            Cell("Enzyme potencies", "fact", receptors.sources)
            if receptors.sources
            else "Enzyme potencies: your table",
        ),
    )


def _half_table(receptors: _Receptors) -> Table:
    columns = ("Kinases", *dose_labels(receptors.days).values())
    rows: list[tuple[Inline, ...]] = []
    for group in receptors.groups:
        row: list[Inline] = [group.kinases.text]
        for day in receptors.days.values():
            hours = day[group.kinases.names].hours_half
            text = hours_text(hours).replace(" a day", "")
            row.append(
                Cell(
                    text,
                    "computed" if hours.is_point else "bound",
                    method="receptor_limiting_kinase",
                    value=(hours.low, hours.high),
                    unit="h/day",
                )
            )
        rows.append(tuple(row))
    return Table(
        "Hours a day with at least half of the signal inhibited, under the limiting kinase",
        columns,
        tuple(rows),
        numeric=tuple(range(1, len(columns))),
    )


def _receptor_data(receptors: _Receptors) -> list[dict[str, object]]:
    return [
        {
            "cytokine": cytokine.name,
            "kinases": list(group.kinases.names),
            "dose_mg": dose.amount,
            "interval_h": dose.interval,
            "average_inhibition": {
                rule: {"low": 100 * v.low, "high": 100 * v.high}
                for rule, v in day[group.kinases.names].average.items()
            },
            "hours_at_half_or_more": {
                "low": day[group.kinases.names].hours_half.low,
                "high": day[group.kinases.names].hours_half.high,
            },
            "sources": [cytokine.source, *receptors.sources],
        }
        for group in receptors.groups
        for cytokine in group.cytokines
        for dose, day in receptors.days.items()
    ]
