"""Incidence per 100 person-years: stated, with the interval that is published or follows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from statera.evidence.printed import decimals_of, events_from_rate
from statera.library import class_facts, load_drug
from statera.monograph.cells import fact_cell, significant
from statera.monograph.context import Context
from statera.monograph.sections.safety_outcomes import (
    ordered,
    outcome_name,
    remarks,
    short_name,
    signs,
)
from statera.numerics.interval import Interval
from statera.numerics.intervals_exact import poisson_exact
from statera.report.document import Cell, Inline, Table
from statera.sources import Fact, Relation

__all__ = [
    "Rate",
    "class_rates",
    "make_rate",
    "population_text",
    "rate_cell",
    "rate_data",
    "rate_interval",
    "rate_table",
    "rates",
    "ratio_table",
]


@dataclass(frozen=True)
class Rate:
    """An incidence rate with its interval.

    Attributes
    ----------
    drug
        Whose rate it is; for facts of the class, the group.
    fact
        The rate per 100 person-years.
    interval
        Events per 100 person-years; None where neither published nor computable.
    is_published
        Whether the interval is the published one.
    counts
        Fewest and most events that agree with the printed rate; None where not derived.
    """

    drug: str
    fact: Fact
    interval: Interval | None
    is_published: bool = False
    counts: tuple[int, int] | None = None


def rate_interval(
    per_100: float, person_years: float, decimals: int | None = None
) -> tuple[Interval, tuple[int, int]] | None:
    """Return an interval that covers every count agreeing with a printed rate, and those counts.

    From Garwood's lower limit of the fewest events to the upper limit of the most. None where no
    whole number agrees.
    """
    count = events_from_rate(per_100, person_years, decimals)
    if count.low is None or count.high is None:
        return None
    scale = 100.0 / person_years
    low, high = poisson_exact(count.low).low * scale, poisson_exact(count.high).high * scale
    return Interval(low, high), (count.low, count.high)


def make_rate(drug: str, fact: Fact) -> Rate:
    """Return a rate with the interval that is published or follows from its person-years."""
    if fact.low is not None and fact.high is not None:
        return Rate(drug, fact, Interval(fact.low, fact.high), True)
    years = fact.get("py")
    if fact.number is None or fact.relation is not Relation.EQUAL or not years:
        return Rate(drug, fact, None)
    made = rate_interval(fact.number, float(years), _decimals(fact))
    return Rate(drug, fact, None) if made is None else Rate(drug, fact, made[0], False, made[1])


def _decimals(fact: Fact) -> int:
    """Return the decimals a rate was printed with.

    A whole number has lost its zero: it counts as printed with one decimal where other rates of
    its source have decimals.
    """
    own = decimals_of(fact.number or 0.0)
    if own or fact.number is None:
        return own
    beside = [
        f.number
        for f in load_drug(fact.drug).facts_in("safety_incidence")
        if f.source == fact.source and f.number is not None
    ]
    return 1 if any(decimals_of(x) for x in beside) else 0


def _group(fact: Fact) -> str:
    names = {"TNFi": "TNF inhibitors", "JAKi": "JAK inhibitors"}
    group = fact.get("group") or "comparator"
    return names.get(group, group)


def rates(context: Context) -> tuple[Rate, ...]:
    """Return the drug's own rates and those of comparators in the same studies."""
    own = [
        make_rate(context.name, f)
        for f in context.drug.facts_in("safety_incidence")
        if f.get("measure") == "IR"
    ]
    sources = {r.fact.source for r in own}
    beside = [
        make_rate(_group(f), f)
        for f in class_facts("safety_incidence", context.name)
        if f.get("measure") == "IR" and f.source in sources
    ]
    return (*own, *beside)


def class_rates(context: Context, own: Sequence[Rate]) -> tuple[Rate, ...]:
    """Return rates of the class and its comparators from studies without rates of the drug."""
    shown = {r.fact.id for r in own}
    return tuple(
        make_rate(_group(f), f)
        for f in class_facts("safety_incidence", context.name)
        if f.get("measure") == "IR" and f.id not in shown
    )


def population_text(fact: Fact) -> str:
    """Return who was followed: population, arm and period."""
    arm = "" if fact.get("arm") == fact.get("group") else fact.get("arm")
    parts = [signs(fact.population), arm, fact.get("period")]
    return ", ".join(p for p in parts if p)


def rate_table(context: Context, own: Sequence[Rate], caption: str) -> Table:
    """Return rates as a table, comparators of the same study among them."""
    rows: list[tuple[Inline, ...]] = []
    for outcome in ordered({r.fact.get("event") for r in own}):
        for r in (r for r in own if r.fact.get("event") == outcome):
            definition = r.fact.get("definition")
            group = "" if r.drug == context.name else r.drug
            who = ", ".join(p for p in (population_text(r.fact), group) if p)
            years = r.fact.get("py")
            size = f"{float(years):,.0f}".replace(",", "\u202f") if years else "not stated"
            what = Cell(short_name(outcome), note=definition)
            rows.append((what, who, rate_cell(r.fact), _interval_cell(r), size))
    return Table(
        caption,
        ("Outcome", "Population", "Rate", "95 % CI", "Person-years"),
        tuple(rows),
        numeric=(2, 3, 4),
        foot=remarks((_named(context, r), r.fact.note) for r in own),
    )


def _named(context: Context, rate: Rate) -> str:
    name = short_name(rate.fact.get("event"))
    return name if rate.drug == context.name else f"{name}, {rate.drug}"


def rate_cell(fact: Fact) -> Cell:
    """Return the rate without its interval and unit, which have columns of their own."""
    cell = fact_cell(replace(fact, low=None, high=None), unit=False)
    if fact.number is not None and fact.relation is Relation.EQUAL:
        places = max(decimals_of(fact.number), _decimals(fact))
        cell = replace(cell, text=f"{fact.number:.{places}f}")
    return replace(cell, unit=fact.unit)


def _interval_cell(rate: Rate) -> Cell:
    if rate.interval is None:
        if rate.fact.is_missing or rate.fact.relation.is_bound:
            return Cell("none")
        return Cell("no interval", note="events not stated")
    low, high = rate.interval.low, rate.interval.high
    if rate.is_published:
        return Cell(f"{low:g} to {high:g}", "fact", (rate.fact.source,), value=(low, high))
    assert rate.counts is not None
    first, last = rate.counts
    events = f"{first} events" if first == last else f"{first} to {last} events"
    text = f"{significant(low, 2)} to {significant(high, 2)}"
    return Cell(text, "computed", method="rate_cover", value=(low, high), note=events)


def ratio_table(context: Context) -> Table | None:
    """Return standardised incidence and mortality ratios against the general population."""
    names = {"SIR": "Standardised incidence ratio", "SMR": "Standardised mortality ratio"}
    facts = [f for f in context.drug.facts_in("safety_incidence") if f.get("measure") in names]
    if not facts:
        return None
    rows = [
        (names[f.get("measure")], outcome_name(f.get("event")), f.population, fact_cell(f))
        for f in facts
    ]
    return Table(
        "Standardised ratios against the general population, as published (95 % CI)",
        ("Measure", "Outcome", "Population", "Ratio"),
        tuple(rows),
        numeric=(3,),
    )


def rate_data(rate: Rate) -> dict[str, object]:
    """Return one rate as plain data."""
    f = rate.fact
    return {
        "drug": rate.drug,
        "outcome": f.get("event"),
        "definition": f.get("definition"),
        "population": population_text(f),
        "rate": f.number,
        "relation": f.relation.value,
        "low": None if rate.interval is None else rate.interval.low,
        "high": None if rate.interval is None else rate.interval.high,
        "interval": None
        if rate.interval is None
        else ("published" if rate.is_published else "covers all counts that agree"),
        "person_years": float(f.get("py")) if f.get("py") else None,
        "unit": "per 100 person-years",
        "fact": f.id,
        "sources": [f.source],
    }
