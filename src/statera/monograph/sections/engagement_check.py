"""What was observed or stated about inhibition in people, beside what is computed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from statera.engagement import percent_text
from statera.library import load_cytokines
from statera.monograph.cells import computed, fact_cell
from statera.monograph.context import Context
from statera.monograph.sections.engagement_tables import Result
from statera.report.document import Block, Cell, Inline, Paragraph, Table
from statera.sources import Fact, Relation

__all__ = ["observed_blocks"]

# Inhibition at the end of the interval up to which the signal is called near its baseline.
_NEAR = 0.2
# Sampling times are seldom stated: a peak within an hour counts as the same.
_SAME_HOURS = 1.0
_PEAK = re.compile(r"maximum (\d+(?:\.\d+)?) h")
_BASELINE = re.compile(r"near baseline by (\d+(?:\.\d+)?) h")


def observed_blocks(context: Context, results: Sequence[Result]) -> list[Block]:
    """Return the statements about inhibition in people and, where it is possible, their check."""
    facts = context.drug.facts_in("inhibition_qualitative")
    if not facts:
        return []
    rows = [(f.parameter, fact_cell(f), f.population, f.n or "not stated", f.note) for f in facts]
    blocks: list[Block] = [
        Table(
            "Inhibition as observed or stated",
            ("What was measured", "Result", "Population", "n", "Remark"),
            tuple(rows),
        )
    ]
    for fact in facts:
        blocks += _check(context, fact, results)
    return blocks


def _check(context: Context, fact: Fact, results: Sequence[Result]) -> list[Block]:
    results = _relevant(fact, results)
    said = str(fact.value)
    peak, baseline = _PEAK.search(said), _BASELINE.search(said)
    highest = context.highest
    if highest is None or not results or not (peak or baseline or "dose-dependent" in said):
        return []
    rows: list[tuple[Inline, ...]] = []
    if peak:
        rows.append(
            _peak_row(fact, float(peak.group(1)), float(highest.typical.endpoint("tmax")[0]))
        )
    if "dose-dependent" in said:
        rows += _dose_rows(fact, results)
    blocks: list[Block] = []
    if baseline:
        rows += _baseline_rows(fact, float(baseline.group(1)), results)
    table = Table(
        f"The statement about {fact.parameter} against the computation at "
        f"{highest.dose.label} or across doses",
        ("Statement", "Stated", "Computed", "Verdict"),
        tuple(rows),
        foot=(
            f"A peak within {_SAME_HOURS:g} h counts as the same, because sampling times were not "
            f"stated; near baseline is read as an inhibition of at most {100 * _NEAR:g} %. Both "
            "limits are choices of this program. Of the enzymes, the most inhibited kinase of the "
            "receptor is shown.",
        ),
    )
    blocks.append(table)
    if baseline:
        blocks += _implied(results)
    return blocks


def _relevant(fact: Fact, results: Sequence[Result]) -> list[Result]:
    """Return the results that bear on the cytokine of a statement.

    Potencies against it, and of the enzymes only the most inhibited kinase of its receptor (the
    assumption of the limiting kinase); all results where no cytokine is named.
    """
    named = [c for c in load_cytokines() if re.match(rf"{re.escape(c.name)}\b", fact.parameter)]
    if not named:
        return list(results)
    cytokine = max(named, key=lambda c: len(c.name))
    word = re.compile(rf"{re.escape(cytokine.name)}(?!\d)")
    kinases = {
        r.name: r.typical.minimum.low
        for r in results
        if r.course.potency.matrix == "enzyme" and r.course.potency.target in cytokine.jaks
    }
    limiting = max(kinases, key=lambda name: kinases[name], default="")
    return [r for r in results if r.name == limiting or word.search(r.course.potency.stimulus)]


def _peak_row(fact: Fact, stated: float, tmax: float) -> tuple[Inline, ...]:
    agrees = abs(stated - tmax) <= _SAME_HOURS
    verdict = Cell("agrees", tone="ok") if agrees else Cell("differs", tone="warn")
    return (
        "Time of the greatest inhibition",
        Cell(f"{stated:g} h", "fact", (fact.source,), value=stated, unit="h"),
        computed(tmax, "typical", "h", digits=2),
        replace(
            verdict,
            note="inhibition follows the concentration without delay, so it peaks at tmax",
        ),
    )


def _dose_rows(fact: Fact, results: Sequence[Result]) -> list[tuple[Inline, ...]]:
    own = [r for r in results if r.name == results[0].name]
    if len(own) < 2:
        return []
    first, last = own[0], own[-1]
    words = [percent_text(r.typical.average, r.typical.relation) for r in (first, last)]
    rises = last.typical.average.low > first.typical.average.low
    return [
        (
            f"Dose-dependent ({first.name}, {first.dose.label} to {last.dose.label})",
            Cell("yes", "fact", (fact.source,)),
            Cell(f"{words[0]} to {words[1]} on average", "computed", method="engagement"),
            Cell("agrees", tone="ok") if rises else Cell("differs", tone="warn"),
        )
    ]


def _baseline_rows(fact: Fact, hours: float, results: Sequence[Result]) -> list[tuple[Inline, ...]]:
    dose = results[-1].dose
    rows: list[tuple[Inline, ...]] = []
    for r in (r for r in results if r.dose == dose):
        value, relation = r.typical.minimum, r.typical.relation
        if value.high <= _NEAR:
            verdict = Cell("agrees", tone="ok")
        elif value.low > _NEAR:
            verdict = Cell("differs", tone="warn", note=_why(r))
        else:
            verdict = Cell("cannot be judged", tone="muted", note="known only as a bound")
        rows.append(
            (
                f"Near baseline by {hours:g} h ({r.name})",
                Cell("near baseline", "fact", (fact.source,)),
                Cell(
                    f"{percent_text(value, relation)} inhibited at its lowest",
                    "bound" if relation.is_bound else "computed",
                    method="engagement",
                ),
                verdict,
            )
        )
    return rows


def _why(result: Result) -> str:
    if result.course.potency.matrix == "enzyme":
        return "an isolated enzyme is inhibited at lower concentrations than a signal in blood"
    return ""


def _implied(results: Sequence[Result]) -> list[Block]:
    """Say what IC50 in blood the statement would need, where enzyme potencies contradict it."""
    last = results[-1].dose
    enzymes = [
        r
        for r in results
        if r.dose == last
        and r.course.potency.matrix == "enzyme"
        and r.course.potency.relation is Relation.EQUAL
        and r.typical.minimum.low > _NEAR
    ]
    if not enzymes:
        return []
    trough = float(enzymes[0].course.typical[-1]) / enzymes[0].course.basis.factor
    needed = trough * (1.0 - _NEAR) / _NEAR
    return [
        Paragraph(
            (
                "Read the other way round: with a total concentration of ",
                computed(trough, "typical", "nM"),
                f" at the end of the interval at {last.label}, an inhibition of at most "
                f"{100 * _NEAR:g} % needs an IC50 in blood of at least ",
                computed(needed, "engagement_implied", "nM", digits=2),
                ". No such IC50 could be read; enzyme potencies rank kinases, they do not predict "
                "the depth or duration of inhibition in blood.",
            )
        )
    ]
