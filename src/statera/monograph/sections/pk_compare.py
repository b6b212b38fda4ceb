"""Each published pharmacokinetic parameter next to what the model gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from statera.model import Model
from statera.monograph.cells import computed, fact_cell, missing
from statera.monograph.context import Context, Exposure
from statera.report.document import Cell, Inline, Table
from statera.simulate import simulate, terminal_half_life
from statera.sources import Fact, Relation

__all__ = ["Comparison", "accumulation", "compare", "comparison_table", "other_facts_table"]


@dataclass(frozen=True)
class Comparison:
    """A published value and the model's.

    Attributes
    ----------
    simulated
        Value of the typical subject in the unit of the fact; None where the model has no such
        quantity.
    method
        Key of the method behind it.
    difference
        Relative difference from a published point; None for bounds and ranges.
    verdict
        In words, for bounds and ranges.
    why_not
        Why there is no simulated value.
    """

    fact: Fact
    simulated: float | None
    method: str
    difference: float | None
    verdict: str
    why_not: str = ""


def accumulation(exposure: Exposure, model: Model) -> float:
    """Return AUC over an interval at steady state over that after the first dose, minus 1."""
    steady = float(exposure.typical.endpoint("AUC")[0])
    first = simulate(
        model,
        exposure.dose.once(),
        times=[],
        windows=[(0.0, exposure.dose.interval)],
        typical=True,
    )
    return steady / float(first.endpoint("AUC")[0]) - 1.0


def _of_dose(context: Context, fact: Fact) -> Exposure | None:
    """Return the exposure at the dose the fact names, or at the highest."""
    dose = fact.get("dose_mg")
    if not dose:
        return context.highest
    for option, exposure in context.exposures.items():
        if option.amount == float(dose):
            return exposure
    return None


def _derived(name: str) -> Callable[[Exposure], float | None]:
    def value(exposure: Exposure) -> float | None:
        found = exposure.typical.parameters.get(name)
        return None if found is None else float(found[0])

    return value


def _endpoint(name: str) -> Callable[[Exposure], float | None]:
    return lambda exposure: float(exposure.typical.endpoint(name)[0])


_SINGLE: dict[str, Callable[[Exposure], float | None]] = {
    "tmax": lambda e: float(e.typical_single.endpoint("tmax")[0]),
    "Cmax_ss": _endpoint("Cmax"),
    "AUCtau_ss": _endpoint("AUC"),
    "Cav_ss": _endpoint("Cavg"),
    "CL_F": _derived("CL"),
    "CLr_F": _derived("CLR"),
    "CLnr_F": _derived("CLNR"),
    "V_F": _derived("VSS"),
    "V1_F": _derived("V1"),
    "V2_F": _derived("V2"),
    "renal_share": _derived("FREN"),
}

# Quantities that a model of apparent parameters cannot give, and why.
_WHY_NOT = {
    "F": "the model has apparent parameters (per F): bioavailability is not in it",
    "V": "an absolute volume; the model's is apparent: see the audit for V/F times F",
}


def compare(context: Context) -> tuple[Comparison, ...]:
    """Return all published parameters that have a counterpart in the model, or say why not."""
    return tuple(
        _compare(context, fact)
        for fact in context.drug.facts_in("pharmacokinetics")
        if fact.get("quantity") in {*_SINGLE, *_WHY_NOT, "thalf", "accumulation_AUC"}
    )


def _compare(context: Context, fact: Fact) -> Comparison:
    quantity = fact.get("quantity")
    if context.model is None:
        return Comparison(fact, None, "", None, "", "no published population model in the library")
    if quantity in _WHY_NOT:
        return Comparison(fact, None, "", None, "", _WHY_NOT[quantity])
    exposure = _of_dose(context, fact)
    value, method = None, "typical"
    if quantity == "thalf":
        value, method = terminal_half_life(context.model), "halflife"
    elif exposure is not None and quantity == "accumulation_AUC":
        value, method = 100.0 * accumulation(exposure, context.model), "accumulation"
    elif exposure is not None:
        value = _SINGLE[quantity](exposure)
    if value is None:
        return Comparison(fact, None, "", None, "", "not a quantity of the model")
    difference, verdict = _judge(fact, value)
    return Comparison(fact, value, method, difference, verdict)


def _judge(fact: Fact, value: float) -> tuple[float | None, str]:
    """Return the relative difference from a point, or a verdict on a bound or range."""
    point = fact.number
    if fact.relation is Relation.RANGE and fact.low is not None and fact.high is not None:
        inside = fact.low <= value <= fact.high
        return None, "inside the range" if inside else "outside the range"
    if point is None:
        return None, ""
    if fact.relation in (Relation.LESS, Relation.AT_MOST):
        return None, "within the bound" if value <= point else "above the bound"
    if fact.relation in (Relation.GREATER, Relation.AT_LEAST):
        return None, "within the bound" if value >= point else "below the bound"
    spread = fact.low is not None and fact.high is not None and fact.low <= value <= fact.high
    return value / point - 1.0, "inside the printed range" if spread else ""


def _difference_cell(comparison: Comparison) -> Inline:
    if comparison.difference is not None:
        return computed(comparison.difference, "difference", text=f"{comparison.difference:+.0%}")
    return Cell(comparison.verdict) if comparison.verdict else ""


def comparison_table(comparisons: tuple[Comparison, ...]) -> Table:
    """Return published and simulated values side by side."""
    rows: list[tuple[Inline, ...]] = []
    for c in comparisons:
        unit = "" if c.fact.unit in ("fraction", "ratio") else c.fact.unit
        simulated = (
            missing(c.why_not) if c.simulated is None else computed(c.simulated, c.method, unit)
        )
        rows.append(
            (
                f"{c.fact.parameter}{f', {c.fact.statistic}' if c.fact.statistic else ''}",
                c.fact.population,
                replace(fact_cell(c.fact), note=c.fact.note),
                simulated,
                _difference_cell(c),
            )
        )
    return Table(
        "Published parameters next to the model's typical subject",
        ("Parameter", "Published population", "Published", "Simulated", "Difference"),
        tuple(rows),
        numeric=(2, 3, 4),
    )


def other_facts_table(context: Context) -> Table | None:
    """Return the pharmacokinetic facts that no model quantity corresponds to."""
    compared = {c.fact.id for c in compare(context)}
    rows = tuple(
        (f.parameter, f.statistic, fact_cell(f), f.population, f.note)
        for f in context.drug.facts_in("pharmacokinetics")
        if f.id not in compared
    )
    if not rows:
        return None
    return Table(
        "Other pharmacokinetic facts",
        ("Parameter", "Statistic", "Value", "Population", "Remark"),
        rows,
        numeric=(2,),
    )
