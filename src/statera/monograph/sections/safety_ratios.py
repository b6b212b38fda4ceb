"""Published ratios against TNF inhibitors: the drug's own, the class, and the class-level pool."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from statera.evidence.ratio_estimates import RatioEstimate
from statera.library import class_facts
from statera.monograph.cells import fact_cell
from statera.monograph.context import Context
from statera.monograph.sections.safety_outcomes import (
    MAIN,
    ordered,
    outcome_name,
    overlap_groups,
    remarks,
    short_name,
    signs,
)
from statera.plot.forest import ForestGroup, ForestOptions, ForestRow, draw_forest
from statera.report.document import Cell, Figure, Inline, Table
from statera.sources import Fact

__all__ = [
    "Comparison",
    "comparison_data",
    "comparison_table",
    "comparisons",
    "is_tnf_inhibitor",
    "oriented_estimate",
    "overlap_table",
    "ratio_figure",
]

# Comparators that are TNF inhibitors; anything else does not belong on the same axis.
_TNF = ("tnfi", "adalimumab", "etanercept", "infliximab", "golimumab", "certolizumab")
_DESIGNS = {
    "observational": "observational",
    "observational_meta": "observational, several databases",
    "rct": "randomised trial",
}
_SCOPES = ("own", "class", "pool")


@dataclass(frozen=True)
class Comparison:
    """A published ratio, oriented so that the inhibitor stands on top.

    Attributes
    ----------
    fact
        As published.
    scope
        ``own`` (this drug), ``class`` (several or all inhibitors) or ``pool`` (meta-analysis).
    estimate
        Inhibitor over comparator.
    is_inverted
        Whether the source prints it the other way round.
    """

    fact: Fact
    scope: str
    estimate: RatioEstimate

    @property
    def outcome(self) -> str:
        """Key of the outcome."""
        return self.fact.get("outcome")

    @property
    def is_inverted(self) -> bool:
        """True where the source prints comparator over inhibitor."""
        return self.estimate.inverted_from is not None

    @property
    def against_tnf(self) -> bool:
        """True where the comparator is a TNF inhibitor."""
        return is_tnf_inhibitor(self.fact.get("comparator"))

    @property
    def study(self) -> str:
        """Name of the study, with its subgroup."""
        study = self.fact.get("study") or "Class-level pool"
        subgroup = self.fact.get("subgroup")
        return f"{study}, {subgroup}" if subgroup else study


def comparisons(context: Context) -> tuple[Comparison, ...]:
    """Return the published ratios that concern the drug, by scope."""
    groups = (
        ("own", context.drug.facts_in("safety_comparison")),
        ("class", class_facts("safety_comparison", context.name)),
        ("pool", class_facts("safety_pool", context.name)),
    )
    found = []
    for scope, facts in groups:
        for fact in facts:
            made = oriented_estimate(fact)
            if made is not None:
                found.append(Comparison(fact, scope, made))
    return tuple(found)


def is_tnf_inhibitor(comparator: str) -> bool:
    """Return True for the name of a TNF inhibitor or of their class."""
    return comparator.lower() in _TNF


def oriented_estimate(fact: Fact) -> RatioEstimate | None:
    """Return a published ratio as inhibitor over comparator; None without an interval."""
    if fact.number is None or fact.low is None or fact.high is None:
        return None
    inhibitor, comparator = "inhibitor", fact.get("comparator")
    turned = fact.get("direction") == "comparator_over_drug"
    groups = overlap_groups(fact)
    estimate = RatioEstimate(
        label=fact.get("study") or fact.id,
        measure=fact.get("measure"),
        value=fact.number,
        low=fact.low,
        high=fact.high,
        numerator=comparator if turned else inhibitor,
        comparator=inhibitor if turned else comparator,
        overlap_group=groups[0] if groups else "",
        source=fact.source,
    )
    return estimate.oriented(inhibitor)


def ratio_figure(context: Context, found: Sequence[Comparison]) -> Figure | None:
    """Return the ratios of the four main outcomes against TNF inhibitors as a forest plot."""
    shown = [c for c in found if c.against_tnf and c.outcome in MAIN]
    shown.sort(key=lambda c: (MAIN.index(c.outcome), _SCOPES.index(c.scope)))
    if not shown:
        return None
    groups = [
        ForestGroup(
            outcome_name(outcome),
            tuple(_row(context, c) for c in shown if c.outcome == outcome),
        )
        for outcome in MAIN
        if any(c.outcome == outcome for c in shown)
    ]
    title = "Risk against TNF inhibitors, as published"
    own = [c for c in shown if c.scope == "own"]
    said = "; ".join(
        f"{outcome_name(c.outcome)}, {c.study}: {c.estimate.value:.2f} "
        f"({c.estimate.low:.2f} to {c.estimate.high:.2f})"
        for c in (own or [c for c in shown if c.scope == "pool"])
    )
    alt = (
        f"Forest plot of {len(shown)} published ratios of JAK inhibitors over TNF inhibitors on a "
        f"logarithmic axis. {said}."
    )
    options = ForestOptions(
        scale="ratio",
        x_label="Inhibitor over TNF inhibitor (log scale)",
        row_head="Study",
        arms=("Drug", "Measure"),
        estimate_head="Ratio (95 % CI)",
        favours=("fewer with the inhibitor", "more with the inhibitor"),
        decimals=2,
    )
    svg = draw_forest(groups, options, key="safety-ratios", title=title, alt=alt)
    caption = (
        "Diamonds: pool of the whole class as the vendor's overview states it; it is not an "
        "average of the rows above. HR: hazard ratio; HRw: weighted hazard ratio; IRR: incidence "
        "rate ratio: different measures on one axis."
    )
    data = {
        "outcome": [c.outcome for c in shown],
        "study": [c.study for c in shown],
        "scope": [c.scope for c in shown],
        "measure": [c.estimate.measure for c in shown],
        "ratio": [c.estimate.value for c in shown],
        "low": [c.estimate.low for c in shown],
        "high": [c.estimate.high for c in shown],
    }
    return Figure("safety-ratios", svg, title, alt, (caption,), data)


def _drug(context: Context, c: Comparison) -> str:
    if c.scope == "own":
        return context.name
    named = c.fact.get("drugs")
    return "all inhibitors" if named == "JAK inhibitors" else named.replace("; ", ",\n")


def _row(context: Context, c: Comparison) -> ForestRow:
    label = c.study
    if c.scope == "pool":
        label = "Class-level pool (vendor's claim)"
    if c.fact.get("design") == "rct":
        label += " (randomised)"
    if c.is_inverted:
        label += " (turned round)"
    e = c.estimate
    measure = c.fact.get("measure")
    counts = (_drug(context, c), measure)
    return ForestRow(label, e.value, e.low, e.high, counts, pooled=c.scope == "pool")


def comparison_table(context: Context, found: Sequence[Comparison]) -> Table:
    """Return every ratio as published, with what it is and what limits it."""
    rows: list[tuple[Inline, ...]] = []
    turned = any(c.is_inverted for c in found)
    for outcome in ordered({c.outcome for c in found}):
        for c in (c for c in found if c.outcome == outcome):
            design = _DESIGNS.get(c.fact.get("design"), "meta-analysis, observational")
            stated = fact_cell(c.fact)
            note = "printed comparator over inhibitor" if c.is_inverted else ""
            row: list[Inline] = [
                Cell(short_name(outcome), note=c.fact.get("definition")),
                Cell(c.study, note=f"{design}; {signs(c.fact.population)}"),
                f"{_drug(context, c)} against {_comparator(c)}".replace("\n", " "),
                replace(stated, text=f"{c.fact.get('measure')} {stated.text}", note=note),
            ]
            rows.append((*row, _oriented(c)) if turned else tuple(row))
    columns = ("Outcome", "Study", "Comparison", "As published (95 % CI)", "Turned round")
    return Table(
        "Ratios against a comparator, as published",
        columns if turned else columns[:-1],
        tuple(rows),
        numeric=(3, 4) if turned else (3,),
        foot=remarks((f"{c.study}, {short_name(c.outcome)}", _remark(c)) for c in found),
    )


def _comparator(c: Comparison) -> str:
    name = c.fact.get("comparator")
    return "TNF inhibitors" if name == "TNFi" else name


def _oriented(c: Comparison) -> Cell:
    e = c.estimate
    if not c.is_inverted:
        return Cell("")
    text = f"{e.value:.2f} ({e.low:.2f} to {e.high:.2f})"
    return Cell(text, "computed", method="turned", value=e.value)


def _remark(c: Comparison) -> str:
    notes = []
    if not c.estimate.has_usable_se:
        notes.append("the interval is not symmetric on the log scale, so gives no standard error.")
    if not c.against_tnf:
        notes.append("not against a TNF inhibitor, so not in the figure.")
    if c.scope == "pool":
        return " ".join(notes)  # its remarks stand under the figure
    return " ".join([*notes, c.fact.note] if c.fact.note else notes)


def overlap_table(found: Sequence[Comparison]) -> Table | None:
    """Return databases that more than one study draws on, with the studies."""
    groups: dict[str, dict[str, None]] = {}
    for c in found:
        for name in overlap_groups(c.fact):
            groups.setdefault(name, {})[c.fact.get("study")] = None
    rows = [(name, "; ".join(studies)) for name, studies in groups.items() if len(studies) > 1]
    if not rows:
        return None
    return Table(
        "Studies that may count the same people: not to be pooled as if independent",
        ("Database", "Studies"),
        tuple(rows),
        foot=(
            "The class-level pool may contain any of the observational studies; its list of "
            "studies with their values was not retrieved.",
        ),
    )


def comparison_data(c: Comparison) -> dict[str, object]:
    """Return one comparison as plain data."""
    e = c.estimate
    return {
        "outcome": c.outcome,
        "study": c.study,
        "scope": c.scope,
        "measure": e.measure,
        "design": c.fact.get("design") or "meta-analysis",
        "comparator": c.fact.get("comparator"),
        "ratio": e.value,
        "low": e.low,
        "high": e.high,
        "inverted": c.is_inverted,
        "usable_standard_error": e.has_usable_se,
        "overlap": list(overlap_groups(c.fact)),
        "fact": c.fact.id,
        "sources": [c.fact.source],
    }
