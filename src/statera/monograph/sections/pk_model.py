"""The published models of a drug: structure, parameters with origin, domain, expectations."""

from __future__ import annotations

from collections.abc import Iterator

from statera.model import Model, Parameter, RandomEffect
from statera.monograph.cells import (
    computed,
    number_text,
    significant,
    source_cell,
    written_unit,
)
from statera.monograph.context import Context
from statera.report.document import Block, Callout, Cell, Inline, Method, Paragraph, Table
from statera.simulate import check_expectations, structure_of

__all__ = ["METHODS", "model_blocks"]

METHODS = (
    Method(
        "expectation",
        "Does the model reproduce its source?",
        "Values that a paper states, or that follow from its parameters by arithmetic, are "
        "compared with a simulation of the encoded model; the difference must lie within a "
        "tolerance set from the digits printed.",
    ),
    Method(
        "conversion",
        "Variances of random effects",
        "A printed coefficient of variation becomes a variance by the formula named in the row: "
        "w2 = ln(1 + CV^2) for log-normal parameters, or w2 = CV^2 where the paper defines the "
        "printed percentage as 100 times the standard deviation.",
    ),
)


def model_blocks(context: Context) -> Iterator[Block]:
    """Yield what the published models are and whether they reproduce their sources."""
    yield _overview(context)
    primary = context.model
    assert primary is not None
    yield Paragraph(
        (
            "Simulations on this page use ",
            source_cell(primary.id, primary.source),
            f", {primary.title[0].lower()}{primary.title[1:]}. "
            f"Solver: {structure_of(primary).reason}. Reference subject: {_reference(primary)}.",
        )
    )
    yield _parameters(primary)
    if primary.random_effects:
        yield _effects(primary)
    yield _domain(primary)
    yield _expectations(context)
    for model in context.models:
        if model.remarks:
            yield Callout(
                "note",
                f"Read before using {model.id}",
                (Cell(" ".join(model.remarks), "fact", (model.source,)),),
            )


def _reference(model: Model) -> str:
    if not model.covariates:
        return "the model has no covariates"
    return ", ".join(
        f"{c.label or c.name} {c.reference:g} {written_unit(c.unit)}".rstrip()
        for c in model.covariates.values()
    )


def _overview(context: Context) -> Table:
    rows: list[tuple[Inline, ...]] = []
    for model in context.models:
        rows.append(
            (
                source_cell(model.id, model.source),
                model.population,
                ", ".join(model.states),
                ", ".join(model.covariates) or "none",
                "; ".join(model.gaps) or "none",
            )
        )
    return Table(
        "Published population models in the library",
        ("Model", "Population", "States", "Covariates", "Not given by the source"),
        tuple(rows),
    )


def _parameter_row(p: Parameter, source: str) -> tuple[Inline, ...]:
    interval = ""
    if p.low is not None and p.high is not None:
        interval = f"{number_text(p.low)} to {number_text(p.high)}"
    value = Cell(
        f"{number_text(p.value)} {p.unit}".rstrip(),
        "fact",
        (source,),
        value=p.value,
        unit=p.unit,
        note=f"printed as {p.printed}" if p.printed else "",
    )
    return (
        p.name,
        value,
        "" if p.rse is None else number_text(p.rse),
        interval,
        p.status.value.replace("_", " "),
        f"{p.locator}. {p.note}".strip(". ") if p.note else p.locator,
    )


def _parameters(model: Model) -> Table:
    return Table(
        f"Fixed effects of {model.id}",
        ("Parameter", "Value", "RSE (%)", "Published interval", "Status", "Where"),
        tuple(_parameter_row(p, model.source) for p in model.parameters.values()),
        numeric=(1, 2),
    )


def _effect_row(effect: RandomEffect, model: Model) -> tuple[Inline, ...]:
    printed = Cell(effect.printed or "", "fact", (model.source,))
    if effect.conversion == "as published":
        variance = Cell(
            significant(effect.variance), "fact", (model.source,), value=effect.variance
        )
    else:
        variance = computed(effect.variance, "conversion")
    return (
        effect.name,
        printed,
        variance,
        effect.conversion,
        effect.level,
        effect.status.value.replace("_", " "),
    )


def _effects(model: Model) -> Table:
    names = list(model.random_effects)
    pairs = [
        f"{names[i]} with {names[j]}: {significant(float(model.omega[i, j]))} (correlation "
        f"{model.omega[i, j] / (model.omega[i, i] * model.omega[j, j]) ** 0.5:.2f})"
        for i in range(len(names))
        for j in range(i)
        if model.omega[i, j] != 0
    ]
    foot: tuple[Inline, ...] = ()
    if pairs:
        foot = (Cell("Covariances: " + "; ".join(pairs) + ".", "fact", (model.source,)),)
    return Table(
        f"Variability of {model.id}",
        ("Random effect", "As printed", "Variance used", "Conversion", "Level", "Status"),
        tuple(_effect_row(e, model) for e in model.random_effects.values()),
        numeric=(2,),
        foot=foot,
    )


def _domain(model: Model) -> Table:
    rows: list[tuple[Inline, ...]] = [
        (
            c.label or c.name,
            f"{c.reference:g} {written_unit(c.unit)}".rstrip(),
            str(c.soft),
            str(c.hard),
            c.basis,
        )
        for c in model.covariates.values()
    ]
    rows.append(
        (
            "single dose (mg)",
            "",
            str(model.dose_soft),
            str(model.dose_hard),
            model.dose_basis,
        )
    )
    return Table(
        f"Where {model.id} may be used",
        (
            "Covariate",
            "Reference",
            "Covered by the data (warning outside)",
            "Plausible (error outside)",
            "Basis",
        ),
        tuple(rows),
    )


def _expectations(context: Context) -> Table:
    rows: list[tuple[Inline, ...]] = []
    for model in context.models:
        for result in check_expectations(model):
            e = result.expectation
            rows.append(
                (
                    model.id,
                    f"{e.quantity}{f', {e.dose}' if e.dose else ''}",
                    Cell(
                        f"{number_text(e.value)} {written_unit(e.unit)}".rstrip(),
                        "fact",
                        (model.source,),
                        value=e.value,
                        unit=e.unit,
                    ),
                    computed(result.found, "expectation", e.unit, digits=4),
                    computed(result.difference, "expectation", text=f"{result.difference:+.2%}"),
                    Cell("holds", tone="ok") if result.ok else Cell("does not hold", tone="bad"),
                    e.basis,
                )
            )
    return Table(
        "Do the encoded models reproduce their sources?",
        ("Model", "Quantity", "Expected", "Simulated", "Difference", "Verdict", "Basis"),
        tuple(rows),
        numeric=(2, 3, 4),
    )
