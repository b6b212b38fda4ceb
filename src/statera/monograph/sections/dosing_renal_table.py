"""Tables of renal dose rules and exposure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from statera.library import LabelRule
from statera.monograph.cells import computed, significant
from statera.monograph.context import Context
from statera.monograph.sections.dosing_renal import (
    MEASURES,
    RenalEffect,
    dose_of,
    renal_covariate,
)
from statera.monograph.sections.dosing_text import METRIC_WORDS, claimed, indications_in, tidy
from statera.report.document import Cell, Table

__all__ = ["outside_cell", "outside_points", "renal_tables"]


def renal_tables(context: Context, effects: Sequence[RenalEffect]) -> list[Table]:
    """Return the computed rules, and the others with the reason why they were not computed."""
    done = [e for e in effects if e.dose is not None]
    left = [e for e in effects if e.dose is None]
    tables = []
    if done:
        columns = ("Rule", "Dose compared", "AUC over 24 h, mid-range", "Ratio, lower limit")
        tables.append(
            Table(
                "What renal dose rules do to exposure (typical subject, steady state)",
                (
                    *columns,
                    "Ratio, mid-range",
                    "Ratio, upper limit",
                    "Mid-range, dose kept",
                    "Data",
                ),
                tuple(_row(context, e) for e in done),
                numeric=(2, 3, 4, 5, 6),
                foot=(
                    "Ratio: AUC over 24 h of the rule's dose over that of the standard dose at the "
                    "model's reference renal function; 1 means that the rule restores the exposure "
                    "of the reference. 'Dose kept': if the standard dose were given. 'Data': "
                    "whether the whole range lies inside the data behind the model.",
                ),
            )
        )
    if left:
        rows = tuple((_name(e.rule), METRIC_WORDS[e.rule.renal_metric], e.reason) for e in left)
        tables.append(
            Table(
                "Renal rules whose effect was not computed",
                ("Rule", "Measure of renal function", "Why not"),
                rows,
            )
        )
    return tables


def _name(rule: LabelRule) -> Cell:
    text = f"{rule.region_name}: {rule.indication}, {tidy(rule.condition)}"
    return Cell(text, "claim" if claimed(rule) else "fact", (rule.source,))


def _row(context: Context, effect: RenalEffect) -> tuple[Cell | str, ...]:
    rule, standard = effect.rule, effect.standard
    assert effect.dose is not None
    assert standard is not None
    usual = dose_of(standard)
    assert usual is not None
    ratios = [
        "open" if r is None else _ratio(r, p)
        for r, p in zip(effect.ratios, effect.points, strict=True)
    ]
    compared = Cell(
        f"{effect.dose.label} against {usual.label}",
        "fact",
        tuple(dict.fromkeys((rule.source, standard.source))),
        note=_standard_note(effect),
    )
    return (
        replace(_name(rule), note=METRIC_WORDS[rule.renal_metric]),
        compared,
        computed(effect.auc_middle, "renal-rule", effect.unit),
        *ratios,
        computed(effect.unchanged, "renal-rule"),
        _domain(context, effect),
    )


def _ratio(ratio: float, point: float | None) -> Cell:
    return Cell(
        significant(ratio),
        "computed",
        method="renal-rule",
        value=ratio,
        note="" if point is None else f"at {point:g}",
    )


def _standard_note(effect: RenalEffect) -> str:
    assert effect.standard is not None
    wanted, has = set(indications_in(effect.rule)), set(indications_in(effect.standard))
    if wanted == {"all"} or wanted & has:
        return f"Standard: {effect.standard.indication}, {effect.standard.region_name}"
    return (
        f"Standard: {effect.standard.indication}, {effect.standard.region_name}; "
        f"no single standard dose is recorded for {effect.rule.indication}"
    )


def _domain(context: Context, effect: RenalEffect) -> Cell:
    covariate = renal_covariate(context)
    assert covariate is not None
    assert context.model is not None
    source = (context.model.source,) if context.model.source else ()
    if covariate.soft.low is None and covariate.soft.high is None:
        return Cell("range not retrieved", "missing", source)
    if effect.warnings:
        note = tidy(f"data: {covariate.soft} {covariate.unit}")
        return Cell("extrapolation", "computed", source, "renal-rule", note=note, tone="warn")
    return Cell("inside", "computed", source, "renal-rule", tone="ok")


def outside_points(context: Context, effect: RenalEffect) -> tuple[float, ...]:
    """Return the simulated values of renal function that lie outside the model's data."""
    covariate = renal_covariate(context)
    if covariate is None or effect.dose is None:
        return ()
    return tuple(p for p in effect.points if p is not None and not covariate.soft.holds(p))


def outside_cell(context: Context, points: Sequence[float]) -> Cell:
    """Return the sentence that names values outside the model's data."""
    covariate = renal_covariate(context)
    assert covariate is not None
    assert context.model is not None
    values = ", ".join(f"{p:g}" for p in points)
    words, _, unit = METRIC_WORDS[MEASURES[covariate.name]].partition(", ")
    text = (
        f"Values at {words} {values} {unit} are extrapolations: the data behind "
        f"{context.model.id} have {covariate.soft} {unit}."
    )
    return Cell(text, "computed", (context.model.source,), "renal-rule")
