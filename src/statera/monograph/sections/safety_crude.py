"""Crude rate ratios: unadjusted, and kept apart from hazard ratios."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from statera.evidence.rates import crude_rate_ratio, incidence_rate, ratio_of_printed_rates
from statera.evidence.ratio_estimates import DirectionCheck, agreement, compare_direction
from statera.monograph.cells import computed, fact_cell
from statera.monograph.sections.safety_outcomes import MAIN, short_name
from statera.monograph.sections.safety_ratios import Comparison
from statera.numerics.interval import Interval
from statera.report.document import Cell, Inline, Table

__all__ = ["agreement_table", "crude_data", "crude_table", "pool_table"]

_TONES = {"same": "ok", "opposite": "warn", "no direction": "muted"}
_WORDS = {"same": "same side of 1", "opposite": "opposite sides of 1"}


def _has_counts(c: Comparison) -> bool:
    keys = ("events_drug", "events_comparator", "py_drug", "py_comparator")
    return all(c.fact.get(k) for k in keys)


def _ratio_text(value: float, interval: Interval) -> str:
    high = "no upper limit" if math.isinf(interval.high) else f"{interval.high:.2f}"
    return f"{value:.2f} ({interval.low:.2f} to {high})"


def crude_table(found: Sequence[Comparison]) -> Table | None:
    """Return crude rate ratios from events and person-years with exact intervals."""
    rows: list[tuple[Inline, ...]] = []
    for c in (c for c in found if _has_counts(c)):
        f = c.fact
        sides = []
        for side in ("drug", "comparator"):
            events, years = int(f.get(f"events_{side}")), float(f.get(f"py_{side}"))
            sides.append(incidence_rate(events, years, label=side))
        crude = crude_rate_ratio(sides[0], sides[1])
        check = _direction(crude.estimate, c)
        text = _ratio_text(crude.estimate, crude.exact)
        mid_p = f"{crude.mid_p.low:.2f} to {crude.mid_p.high:.2f}"
        rows.append(
            (
                short_name(c.outcome),
                c.study,
                *(
                    Cell(
                        f"{s.events} in {s.person_years:,.0f}".replace(",", "\u202f"),
                        "fact",
                        (f.source,),
                        note=f"{s.per_100:.2f} per 100",
                    )
                    for s in sides
                ),
                Cell(text, "computed", method="crude_ratio", value=crude.estimate),
                Cell(mid_p, "computed", method="crude_ratio"),
                replace(fact_cell(f), note=f.get("measure")),
                _verdict(check),
            )
        )
    if not rows:
        return None
    return Table(
        "Crude rate ratios from events and person-years (unadjusted; not hazard ratios)",
        (
            "Outcome",
            "Study",
            "Inhibitor",
            "Comparator",
            "Crude ratio (exact 95 % CI)",
            "Mid-P 95 % CI",
            "Published",
            "Direction",
        ),
        tuple(rows),
        numeric=(2, 3, 4, 5, 6),
    )


def _direction(
    crude: float, c: Comparison, rounding: Interval | None = None
) -> DirectionCheck | None:
    if not 0.0 < crude < math.inf:
        return None
    return compare_direction(crude, c.estimate, rounding)


def _verdict(check: DirectionCheck | None) -> Cell:
    if check is None:
        return Cell("no direction", tone="muted")
    text = _WORDS.get(check.verdict, check.verdict)
    return Cell(text, "computed", method="direction", tone=_TONES[check.verdict])  # type: ignore[arg-type]


def pool_table(found: Sequence[Comparison]) -> Table | None:
    """Return the pool's two incidence rates, their crude ratio, and its hazard ratio beside it."""
    rows: list[tuple[Inline, ...]] = []
    pools = {c.outcome: c for c in found if c.scope == "pool"}
    for outcome in MAIN:
        c = pools.get(outcome)
        if c is None or not c.fact.get("ir_jaki") or not c.fact.get("ir_tnfi"):
            continue
        top, bottom = float(c.fact.get("ir_jaki")), float(c.fact.get("ir_tnfi"))
        ratio = ratio_of_printed_rates(top, bottom, decimals=2)
        crude = Cell(
            f"{ratio.estimate:.2f}",
            "computed",
            method="printed_ratio",
            value=ratio.estimate,
            note=f"rounding: {ratio.rounding.low:.3f} to {ratio.rounding.high:.3f}",
        )
        rates = [
            Cell(f"{x:.2f}", "claim", (c.fact.source,), value=x, unit="per 100 person-years")
            for x in (top, bottom)
        ]
        check = _direction(ratio.estimate, c, ratio.rounding)
        rows.append((short_name(outcome), *rates, crude, fact_cell(c.fact), _verdict(check)))
    if not rows:
        return None
    return Table(
        "Class-level pool: incidence per 100 person-years and hazard ratio side by side",
        (
            "Outcome",
            "JAK inhibitors",
            "TNF inhibitors",
            "Crude ratio, no CI",
            "Hazard ratio (95 % CI)",
            "Direction",
        ),
        tuple(rows),
        numeric=(1, 2, 3, 4),
        foot=(
            "The crude ratio has no confidence interval, because person-years are not given; the "
            "range is what the rounding of the two rates leaves. The hazard ratio is adjusted for "
            "who received which drug. Neither can be derived from the other, and they may point "
            "in opposite directions.",
        ),
    )


def agreement_table(name: str, found: Sequence[Comparison]) -> Table | None:
    """Return the drug's own estimates over the class-level pool."""
    pools = {c.outcome: c for c in found if c.scope == "pool"}
    rows: list[tuple[Inline, ...]] = []
    for c in found:
        pool = pools.get(c.outcome)
        usable = c.scope == "own" and c.against_tnf and not c.fact.get("subgroup")
        if pool is None or not usable:
            continue
        made = agreement(c.estimate, pool.estimate)
        if made.interval is None:
            cell = computed(made.ratio, "ratio_of_ratios", text=f"{made.ratio:.2f}, no interval")
        else:
            text = _ratio_text(made.ratio, made.interval)
            cell = computed(made.ratio, "ratio_of_ratios", text=text)
        apart = made.interval is not None and not made.interval.low <= 1.0 <= made.interval.high
        verdict = "interval excludes 1" if apart else "interval includes 1"
        cautions = "; ".join(made.cautions)
        rows.append((short_name(c.outcome), c.study, cell, verdict, cautions))
    if not rows:
        return None
    return Table(
        f"How far {name}'s own estimates lie from the class-level pool",
        ("Outcome", "Study", "Own over pool (95 % CI)", "Finding", "Caution"),
        tuple(rows),
        numeric=(2,),
        foot=(
            "As if independent, which they are not where the pool contains the study. A wide "
            "interval says that the data cannot tell, not that there is no difference.",
        ),
    )


def crude_data(found: Sequence[Comparison]) -> list[dict[str, object]]:
    """Return the crude ratios as plain data."""
    rows: list[dict[str, object]] = []
    for c in (c for c in found if _has_counts(c)):
        f = c.fact
        crude = crude_rate_ratio(
            incidence_rate(int(f.get("events_drug")), float(f.get("py_drug"))),
            incidence_rate(int(f.get("events_comparator")), float(f.get("py_comparator"))),
        )
        rows.append(
            {
                "outcome": c.outcome,
                "study": c.study,
                "crude_rate_ratio": crude.estimate,
                "exact": [crude.exact.low, crude.exact.high],
                "mid_p": [crude.mid_p.low, crude.mid_p.high],
                "is_hazard_ratio": False,
                "fact": f.id,
                "sources": [f.source],
            }
        )
    return rows
