"""The incidence of the main adverse events as a figure."""

from __future__ import annotations

from collections.abc import Sequence

from statera.library import drugs, load_drug
from statera.monograph.cells import significant
from statera.monograph.context import Context
from statera.monograph.sections.safety_outcomes import MAIN, outcome_name
from statera.monograph.sections.safety_rates import Rate, make_rate, population_text, rate_cell
from statera.plot.rates import RateGroup, RateOptions, RateRow, draw_rates
from statera.report.document import Figure

__all__ = ["rate_figure"]

# The table that states the same outcomes for four inhibitors, so that they can stand together.
_SHARED_SOURCE = "RMDT2"


def _others(context: Context) -> list[Rate]:
    """Return the rates of the other inhibitors from the table that has several of them."""
    return [
        make_rate(name, f)
        for name in drugs()
        if name != context.name
        for f in load_drug(name).facts_in("safety_incidence")
        if f.source == _SHARED_SOURCE and f.get("measure") == "IR"
    ]


def rate_figure(context: Context, own: Sequence[Rate]) -> Figure | None:
    """Return the rates of the four main outcomes, the drug first, then the other inhibitors."""
    groups, shown = [], []
    others = _others(context)
    for outcome in MAIN:
        here = [r for r in own if r.fact.get("event") == outcome and not r.fact.get("subgroup")]
        there = [r for r in others if r.fact.get("event") == outcome]
        if here or there:
            rows = [_row(context, r) for r in (*here, *there)]
            groups.append(RateGroup(outcome_name(outcome), tuple(rows)))
            shown += [*here, *there]
    if not shown:
        return None
    title = "Incidence of the main adverse events"
    said = "; ".join(
        f"{r.drug}, {outcome_name(r.fact.get('event'))}: {rate_cell(r.fact).text}"
        for r in shown
        if r.drug == context.name
    )
    alt = (
        f"Events per 100 person-years for {context.name} and other JAK inhibitors, by outcome. "
        f"{said or 'No rate of this drug is known; those of other inhibitors are shown.'}"
    )
    svg = draw_rates(groups, RateOptions(), key="safety-rates", title=title, alt=alt)
    caption = (
        "Populations, doses and years of follow-up differ between the rows: they do not compare "
        "drugs. Intervals are published, or cover every count that agrees with the printed rate; "
        "hollow: no interval can be given."
    )
    data = {
        "drug": [r.drug for r in shown],
        "outcome": [r.fact.get("event") for r in shown],
        "rate": [r.fact.number for r in shown],
        "low": [None if r.interval is None else r.interval.low for r in shown],
        "high": [None if r.interval is None else r.interval.high for r in shown],
    }
    return Figure("safety-rates", svg, title, alt, (caption,), data)


def _row(context: Context, rate: Rate) -> RateRow:
    fact = rate.fact
    population = population_text(fact)
    if fact.number is None or fact.relation.is_bound:
        text = rate_cell(fact).text
        return RateRow(rate.drug, None, population=population, text=text)
    series = context.name if rate.drug == context.name else "others"
    stated = rate_cell(fact).text
    if rate.interval is None:
        text = f"{stated} (no interval)"
        return RateRow(rate.drug, fact.number, None, None, population, text, series)
    low, high = rate.interval.low, rate.interval.high
    ends = (f"{v:g}" if rate.is_published else significant(v, 2) for v in (low, high))
    text = f"{stated} ({' to '.join(ends)})"
    return RateRow(rate.drug, fact.number, low, high, population, text, series)
