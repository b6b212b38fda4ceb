"""Five questions that decide whether monitoring a drug makes sense, answered from the facts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from statera.library import RuleKind
from statera.monograph.cells import fact_cell, significant
from statera.monograph.context import Context
from statera.monograph.sections.dosing_text import KIND_WORDS, claimed
from statera.monograph.sections.monitoring_values import Reference
from statera.report.document import Cell, Table, Tone
from statera.sources import Fact

__all__ = ["Answer", "answers", "question_table"]


@dataclass(frozen=True)
class Answer:
    """One question with its verdict and what it rests on."""

    question: str
    verdict: str
    tone: Tone
    findings: tuple[Cell, ...]


def answers(context: Context, found: Sequence[Reference]) -> tuple[Answer, ...]:
    """Return the answers in order: candidate, normal range, target, adjustment, evidence."""
    return (
        _candidate(context, found),
        _range(context, found),
        _target(context),
        _adjustment(context, found),
        _evidence(context),
    )


def _candidate(context: Context, found: Sequence[Reference]) -> Answer:
    findings: list[Cell] = []
    if found:
        top = _top(found)
        for endpoint, words in (("AUC", "AUC"), ("Ctrough", "Trough")):
            text = f"{words}: 95th over 5th percentile {significant(top.spread(endpoint), 2)}-fold"
            note = f"{top.exposure.dose.label}, simulated at reference covariates"
            findings.append(Cell(text, "computed", method="reference-values", note=note))
    else:
        findings.append(Cell("spread between patients: no model to compute it", "missing"))
    relations = [
        f
        for f in context.drug.facts_in("pharmacodynamics")
        if f.get("symbol") == "EC50" and f.number is not None
    ]
    for fact in relations:
        cell = fact_cell(fact)
        text = f"{fact.parameter}: {cell.text} (model {fact.get('model')})"
        findings.append(replace(cell, text=text, note=fact.note))
    if not relations:
        findings.append(Cell("exposure and clinical response: no relation was read", "missing"))
    verdict = "open" if found else "cannot be said"
    return Answer("Is the drug a candidate for monitoring?", verdict, "warn", tuple(findings))


def _range(context: Context, found: Sequence[Reference]) -> Answer:
    findings: list[Cell] = []
    if found:
        top = _top(found)
        low, middle, high = top.percentiles["Ctrough"]
        text = (
            f"trough {significant(middle)} ({significant(low)} to {significant(high)}) "
            f"{top.units['Ctrough']}, simulated"
        )
        note = top.exposure.dose.label
        findings.append(Cell(text, "computed", method="reference-values", note=note))
    published = [
        f
        for f in context.drug.facts_in("monitoring")
        if f.get("quantity") in ("Cmax_ss", "AUCtau_ss", "Cav_ss") and f.number is not None
    ]
    findings += [_named(f) for f in published if f.grade.value != "calc"]
    if not findings:
        findings.append(Cell("no concentration was read and none can be simulated", "missing"))
    verdict = "expected values, no observed range" if findings and found else "not known"
    return Answer("What concentrations are usual?", verdict, "warn", tuple(findings))


def _named(fact: Fact) -> Cell:
    cell = fact_cell(fact)
    spread = f"; CV {fact.get('cv_percent')} %" if fact.get("cv_percent") else ""
    text = f"{fact.parameter}: {cell.text}{spread}"
    return replace(cell, text=text, note=fact.population)


def _target(context: Context) -> Answer:
    ranges = [
        f
        for f in context.drug.facts_in("monitoring")
        if f.get("quantity") in ("target", "reference_range")
    ]
    findings = tuple(
        replace(fact_cell(f), text=f"{f.parameter}: {fact_cell(f).text}", note=f.note)
        for f in ranges
    )
    if any(not f.is_missing for f in ranges):
        return Answer("Which concentration should be reached?", "stated", "ok", findings)
    if not findings:
        findings = (Cell("no range was read", "missing"),)
    return Answer("Which concentration should be reached?", "not established", "bad", findings)


def _adjustment(context: Context, found: Sequence[Reference]) -> Answer:
    findings: list[Cell] = []
    per_mg = _per_mg(found)
    if per_mg is not None:
        low, high, ratio = per_mg
        text = f"AUC per mg at {high} over that at {low}: {significant(ratio)}"
        note = "typical subject; 1 means that exposure follows the dose"
        findings.append(Cell(text, "computed", method="dose-proportion", note=note))
    kinds = [
        k
        for k in (
            RuleKind.RENAL,
            RuleKind.HEPATIC,
            RuleKind.AGE,
            RuleKind.WEIGHT,
            RuleKind.INTERACTION,
        )
        if any(r.kind is k and not claimed(r) for r in context.drug.labels)
    ]
    if kinds:
        sources = tuple(
            dict.fromkeys(
                r.source for r in context.drug.labels if r.kind in kinds and not claimed(r)
            )
        )
        words = ", ".join(KIND_WORDS[k] for k in kinds)
        findings.append(Cell(f"labels adjust for: {words}", "fact", sources))
    findings.append(
        Cell("a rule that starts from a measured concentration: none was read", "missing")
    )
    return Answer(
        "How would the dose be adjusted?",
        "by the label's rules, not by concentration" if kinds else "no rule was read",
        "warn",
        tuple(findings),
    )


def _per_mg(found: Sequence[Reference]) -> tuple[str, str, float] | None:
    """Return lowest dose, highest dose and the ratio of their AUC per mg, one interval alone."""
    first = [r for r in found if r.output == found[0].output]
    if not first:
        return None
    same = [r for r in first if r.exposure.dose.interval == first[-1].exposure.dose.interval]
    low, high = same[0], same[-1]
    if low.exposure.dose.amount == high.exposure.dose.amount:
        return None
    areas = [
        float(r.exposure.typical.endpoint("AUC", r.output)[0]) / r.exposure.dose.amount
        for r in (low, high)
    ]
    return low.exposure.dose.label, high.exposure.dose.label, areas[1] / areas[0]


def _evidence(context: Context) -> Answer:
    studies = [
        f for f in context.drug.facts_in("monitoring") if f.get("quantity") in ("protocol", "study")
    ]
    findings = [
        replace(fact_cell(f), text=f"{f.parameter}: {f.value}", note=f.note) for f in studies
    ]
    text = "a study of outcomes with against without monitoring: none was read"
    findings.append(Cell(text, "missing"))
    return Answer("Does monitoring improve outcomes?", "no evidence found", "bad", tuple(findings))


def _top(found: Sequence[Reference]) -> Reference:
    """Return the parent drug at the highest dose."""
    return [r for r in found if r.output == found[0].output][-1]


def question_table(found: Sequence[Answer]) -> Table:
    """Return one row a finding; the question and the verdict stand on its first."""
    rows = []
    for number, answer in enumerate(found, 1):
        for k, finding in enumerate(answer.findings):
            first = k == 0
            rows.append(
                (
                    f"{number}. {answer.question}" if first else "",
                    Cell(answer.verdict, tone=answer.tone) if first else "",
                    finding,
                )
            )
    return Table(
        "Five questions before a drug is monitored",
        ("Question", "Answer", "What it rests on"),
        tuple(rows),
        row_header=False,
    )
