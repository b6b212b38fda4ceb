"""Consistency checks on safety figures: intervals, counts, and directions."""

from __future__ import annotations

from collections.abc import Iterator

from statera.evidence.rates import crude_rate_ratio, incidence_rate, ratio_of_printed_rates
from statera.evidence.ratio_estimates import RatioEstimate, compare_direction
from statera.library import class_facts
from statera.monograph.cells import computed, fact_cell
from statera.monograph.context import Context
from statera.monograph.sections.checks import Check, relative
from statera.report.document import Cell
from statera.sources import Fact

__all__ = ["evidence_checks"]


def evidence_checks(context: Context) -> Iterator[Check]:
    """Yield every check that the drug's and the class's safety facts allow."""
    for fact in context.drug.facts_in("safety_comparison"):
        yield from _counts(fact)
    for fact in context.drug.facts_in("safety_incidence"):
        yield from _interval(fact)
    for fact in class_facts("safety_pool"):
        yield from _direction(fact)


def _counts(fact: Fact) -> Iterator[Check]:
    keys = ("events_drug", "py_drug", "events_comparator", "py_comparator")
    if fact.number is None or not all(fact.get(k) for k in keys):
        return
    events, years, other_events, other_years = (float(fact.get(k)) for k in keys)
    ratio = crude_rate_ratio(
        incidence_rate(int(events), years), incidence_rate(int(other_events), other_years)
    )
    yield Check(
        f"Events and person-years against the published {fact.get('measure')}: "
        f"{fact.get('outcome_as_printed')}, {fact.get('study')}",
        computed(ratio.estimate, "consistency", text=f"crude rate ratio {ratio.estimate:.2f}"),
        fact_cell(fact, unit=False),
        relative(ratio.estimate, fact.number),
        f"({events:g} / {years:g}) / ({other_events:g} / {other_years:g}); the published value "
        "pools several databases, so that the two need not be equal",
    )


def _interval(fact: Fact) -> Iterator[Check]:
    if fact.number is None or fact.low is None or fact.high is None or not fact.get("py"):
        return
    years = float(fact.get("py"))
    events = round(fact.number / 100.0 * years)
    rate = incidence_rate(events, years)
    low, high = rate.interval.low, rate.interval.high
    near = abs(low / fact.low - 1) <= 0.15 and abs(high / fact.high - 1) <= 0.15
    yield Check(
        f"Exact interval of the rate of {fact.get('event_as_printed')}",
        computed(low, "consistency", text=f"{low:.2f} to {high:.2f}"),
        fact_cell(fact),
        "agrees" if near else "explained",
        f"about {events} events in {years:g} person-years, from the rounded rate: Garwood's exact "
        "limits against the printed interval; the rate is printed with one digit",
    )


def _direction(fact: Fact) -> Iterator[Check]:
    if fact.number is None or fact.low is None or fact.high is None or not fact.get("ir_jaki"):
        return
    estimate = RatioEstimate(fact.id, fact.get("measure"), fact.number, fact.low, fact.high)
    crude = ratio_of_printed_rates(fact.get("ir_jaki"), fact.get("ir_tnfi"))
    direction = compare_direction(crude.estimate, estimate, crude.rounding)
    verdict = {"same": "agrees", "opposite": "explained"}.get(direction.verdict, "not testable")
    yield Check(
        f"Incidence rates against the direction of the hazard ratio: {fact.parameter}",
        computed(
            crude.estimate, "consistency", text=f"crude ratio of the rates {crude.estimate:.2f}"
        ),
        fact_cell(fact, unit=False),
        verdict,  # type: ignore[arg-type]
        direction.sentence,
    )
    middle = (fact.low * fact.high) ** 0.5
    yield Check(
        f"Centre of the interval of the hazard ratio: {fact.parameter}",
        computed(middle, "consistency"),
        Cell(f"{fact.number:g}", "claim", (fact.source,), value=fact.number),
        relative(middle, fact.number),
        "the geometric mean of the limits should be the estimate",
    )
