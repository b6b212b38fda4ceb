"""Tables of target engagement: potencies, what was left out, and the results by dose."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from statera.engagement import (
    BasisRule,
    EngagementSummary,
    hours_text,
    inhibition_at,
    percent_text,
    summarise,
    summarise_population,
)
from statera.monograph.cells import computed, fact_cell, missing, source_cell
from statera.monograph.context import Context, DoseOption
from statera.monograph.sections.engagement_courses import Course
from statera.monograph.sections.engagement_potencies import Entry, PotencySet, potency_cell
from statera.numerics.interval import Interval
from statera.report.document import Basis as Origin
from statera.report.document import Cell, Inline, Table
from statera.sources import Relation

__all__ = [
    "Result",
    "dose_head",
    "dose_labels",
    "engage",
    "potency_table",
    "result_data",
    "result_table",
    "skipped_table",
]


@dataclass(frozen=True, eq=False)
class Result:
    """Engagement for one potency at one dose: typical subject, and percentiles of a population."""

    name: str
    heading: tuple[str, str]
    dose: DoseOption
    course: Course
    typical: EngagementSummary
    low: EngagementSummary
    high: EngagementSummary
    sources: tuple[str, ...]
    method: str

    @property
    def is_fitted(self) -> bool:
        """True where the potency was fitted from the user's plate."""
        return self.course.potency.uncertainty is not None


def engage(
    name: str,
    heading: tuple[str, str],
    dose: DoseOption,
    course: Course,
    sources: tuple[str, ...],
    method: str = "engagement",
) -> Result:
    """Summarise one course; `heading` is the name in two parts for a figure."""
    many = summarise_population(course.times, course.population, course.potency)
    typical = summarise(course.times, course.typical, course.potency)
    if course.ends is not None:
        # A bound must hold between the samples too, so both ends are taken where they lie.
        low, high = (inhibition_at(c, course.potency) for c in course.ends)
        typical = replace(typical, minimum=low, maximum=high)
    p05, p95 = many.quantile(0.05), many.quantile(0.95)
    return Result(name, heading, dose, course, typical, p05, p95, sources, method)


def dose_labels(doses: Iterable[DoseOption]) -> dict[DoseOption, str]:
    """Return a label for each dose, without the interval where it is the same for all."""
    found = tuple(dict.fromkeys(doses))
    if len({d.interval for d in found}) == 1:
        return {d: f"{d.amount:g} mg" for d in found}
    return {d: d.label for d in found}


def dose_head(doses: Iterable[DoseOption]) -> str:
    """Return the heading above the labels, with the interval where it is the same for all."""
    found = tuple(dict.fromkeys(doses))
    if len({d.interval for d in found}) == 1:
        return f"Dose, {found[0].label.split(' mg ')[1]}"
    return "Dose"


def potency_table(
    context: Context, entries: Sequence[Entry], rules: Sequence[BasisRule | None]
) -> Table:
    """Return the potencies with the concentration that each is compared with."""
    rows: list[tuple[Inline, ...]] = []
    for entry, rule in zip(entries, rules, strict=True):
        p = entry.potency
        hill = _hill(entry)
        basis: Inline = missing("not compared") if rule is None else rule.name
        if rule is not None and rule.flagged:
            basis = Cell(rule.name, tone="warn")
        rows.append((entry.name, potency_cell(entry), hill, p.assay or "not stated", basis, p.note))
    used = {r.key: r for r in rules if r is not None}
    return Table(
        f"Potencies of {context.name} and the concentration each is compared with",
        ("Measured on", "IC50", "Hill", "Assay", "Compared with", "Remark"),
        tuple(rows),
        numeric=(1, 2),
        foot=tuple(f"{r.name}. {r.text}" for r in used.values()),
    )


def _hill(entry: Entry) -> Cell:
    p = entry.potency
    if p.hill_assumed:
        return Cell("1", "text", note="assumed")
    if entry.is_fitted:
        return computed(p.hill, "engagement_plate")
    return source_cell(f"{p.hill:g}", *entry.sources)


def skipped_table(potencies: PotencySet) -> Table:
    """Return the facts beside the potencies that no inhibition can be computed from."""
    rows = []
    for fact, reason in potencies.skipped:
        told = ", ".join(x for x in (fact.get("stimulus"), fact.get("readout")) if x)
        what = f"{fact.parameter}: {told}" if told else fact.parameter
        rows.append((what, fact_cell(fact), reason, fact.note))
    return Table(
        "Stated, but not usable as a potency",
        ("Measured on", "Stated", "Why not used", "Remark"),
        tuple(rows),
        numeric=(1,),
    )


def result_table(results: Sequence[Result]) -> Table:
    """Return the engagement by potency and dose."""
    rows = []
    labels = dose_labels([r.dose for r in results])
    for r in results:
        relation = r.typical.relation
        ends = [percent_text(s.average, relation) for s in (r.low, r.high)]
        spread = f"{ends[0].removesuffix(' %')} to {ends[1].removeprefix('at least ')}"
        spread = spread.replace("to at most", "to")

        def share(value: Interval, found: Result = r) -> Cell:
            return _cell(found, value, percent_text(value, found.typical.relation), 100.0, "%")

        hours = r.typical.hours_above_ic50
        rows.append(
            (
                r.name,
                labels[r.dose],
                share(r.typical.average),
                Cell(spread, _basis(relation), method="engagement_population"),
                share(r.typical.maximum),
                share(r.typical.minimum),
                _cell(r, hours, _hours(hours, relation), 1.0, "h/day"),
            )
        )
    return Table(
        "Inhibition through the dosing interval at steady state, by potency and dose",
        (
            "Measured on",
            dose_head([r.dose for r in results]),
            "Average daily inhibition",
            "5th to 95th percentile",
            "Maximum",
            "Minimum",
            "Time above IC50",
        ),
        tuple(rows),
        numeric=(2, 3, 4, 5, 6),
        foot=(
            "Values are those of the typical subject; the percentiles are those of the average "
            "inhibition over the simulated population. A potency known only as a bound gives only "
            "a bound of inhibition, rounded so that it stays true.",
        ),
    )


def _hours(value: Interval, relation: Relation) -> str:
    text = hours_text(value, relation).replace(" a day", "")
    return "not determined" if text.startswith("not determined") else text


def _basis(relation: Relation) -> Origin:
    return "bound" if relation.is_bound or relation is Relation.RANGE else "computed"


def _cell(result: Result, value: Interval, text: str, scale: float, unit: str) -> Cell:
    ends = (value.low * scale, value.high * scale)
    data = ends[0] if value.is_point else ends
    return Cell(text, _basis(result.typical.relation), method=result.method, value=data, unit=unit)


def result_data(result: Result) -> dict[str, object]:
    """Return one result as plain data; fractions become percent, ends as low and high."""

    def ends(value: Interval, scale: float = 100.0) -> dict[str, float]:
        return {"low": value.low * scale, "high": value.high * scale}

    t, p = result.typical, result.course.potency
    return {
        "potency": result.name,
        "dose_mg": result.dose.amount,
        "interval_h": result.dose.interval,
        "relation": p.relation.value,
        "hill": p.hill,
        "hill_assumed": p.hill_assumed,
        "basis_rule": result.course.basis.rule.key,
        "unit": "%",
        "average_inhibition": ends(t.average),
        "average_inhibition_p05": ends(result.low.average),
        "average_inhibition_p95": ends(result.high.average),
        "maximum_inhibition": ends(t.maximum),
        "minimum_inhibition": ends(t.minimum),
        "hours_above_ic50_per_day": ends(t.hours_above_ic50, 1.0),
        "sources": list(result.sources),
    }
