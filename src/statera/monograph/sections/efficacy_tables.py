"""Tables of efficacy: results by indication, other outcomes, ratios, conflicts, gaps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from statera.library import Conflict, class_facts, load_conflicts, load_gaps
from statera.monograph.cells import fact_cell, missing
from statera.monograph.context import Context
from statera.monograph.sections.efficacy_contrasts import Contrast, derived_difference
from statera.monograph.sections.efficacy_words import arm_text, endpoint_text, signed, time_text
from statera.report.document import Cell, Inline, Table
from statera.sources import Fact

__all__ = [
    "conflict_table",
    "contrast_data",
    "derived_table",
    "difference_cell",
    "missing_table",
    "other_table",
    "ratio_table",
    "result_table",
]

_HOW = {
    "counts": "from stated counts",
    "printed": "from printed percentages",
    "published": "as published",
    "none": "",
}
_LONGEST_NOTE = 40
# Gaps of the library that concern trial results, by id.
_GAPS = ("cov-barrier-actt-2", "breeze-easi75", "ra-trial-secondary", "pain-median-times")


def difference_cell(contrast: Contrast) -> Cell:
    """Return the difference in percentage points with its interval, or why there is none."""
    if contrast.difference is None:
        return Cell("none")
    text = signed(contrast.difference)
    if contrast.interval is not None:
        text += f" ({signed(contrast.interval.low)} to {signed(contrast.interval.high)})"
    if contrast.published is not None:
        return replace(fact_cell(contrast.published), text=text)
    method = "risk_difference" if contrast.interval is not None else "plain_difference"
    return Cell(
        text, "computed", method=method, value=contrast.difference, unit="percentage points"
    )


def result_table(caption: str, found: Sequence[Contrast]) -> Table:
    """Return results as a table, a row for each treated arm and control."""
    rows: list[tuple[Inline, ...]] = []
    for c in found:
        endpoint = f"{endpoint_text(c.endpoint)}, {time_text(c.treated.get('timepoint'))}"
        control: Cell | str = "none" if c.control is None else _arm_cell(c.control)
        short = c.note if len(c.note) <= _LONGEST_NOTE else "see below"
        note = "; ".join(part for part in (_HOW[c.kind], short) if part)
        rows.append((c.trial, endpoint, _arm_cell(c.treated), control, difference_cell(c), note))
    return Table(
        f"{caption}, and difference from control in percentage points (95 % CI)",
        ("Trial", "Endpoint", "Active arm", "Control arm", "Difference", "Basis"),
        tuple(rows),
        numeric=(4,),
        foot=_remarks(found),
    )


def _arm_cell(fact: Fact) -> Cell:
    cell = fact_cell(fact)
    n, events = fact.get("arm_n"), fact.get("events")
    size = f" of {n}" if n.isdigit() else ""
    if size and events.isdigit():
        size = f" ({events} of {n})"
    return replace(cell, text=f"{cell.text}{size}", note=arm_text(fact.get("arm")))


def _remarks(found: Sequence[Contrast]) -> tuple[str, ...]:
    """Return the remarks of the facts, each once with the trials it belongs to."""
    said: dict[str, dict[str, None]] = {}
    for contrast in found:
        notes = [contrast.note] if len(contrast.note) > _LONGEST_NOTE else []
        for fact in (contrast.treated, contrast.control):
            # An odds ratio in the remark has a row of its own among the ratios.
            if fact is not None and fact.note and not fact.get("odds_ratio"):
                notes.append(fact.note)
        for note in notes:
            said.setdefault(note, {})[contrast.trial] = None
    shorter = {a for a in said for b in said if a != b and b.startswith(a)}
    for note in shorter:
        del said[note]
    return tuple(f"{', '.join(trials)}: {note}" for note, trials in said.items())


def derived_table(found: Iterable[Contrast]) -> Table | None:
    """Return published differences beside those recomputed from derived arm sizes."""
    every = [c for c in found if c.kind == "published"]
    rows: list[tuple[Inline, ...]] = []
    for c in every:
        same = [o for o in every if (o.trial, o.endpoint) == (c.trial, c.endpoint)]
        arms = [o.treated for o in same] + ([c.control] if c.control is not None else [])
        made = derived_difference(c, arms)
        if made is None:
            continue
        n1, n2, difference, interval = made
        text = f"{signed(difference)} ({signed(interval.low)} to {signed(interval.high)})"
        rows.append(
            (
                c.trial,
                arm_text(c.treated.get("arm")),
                Cell(f"about {n1} and {n2}", "computed", method="derived_sizes"),
                replace(difference_cell(c), note=""),
                Cell(text, "computed", method="derived_sizes", value=difference),
            )
        )
    if not rows:
        return None
    return Table(
        "Check: published differences against those recomputed from derived arm sizes",
        ("Trial", "Arm", "Derived sizes", "Published (95 % CI)", "Recomputed (95 % CI)"),
        tuple(rows),
        numeric=(2, 3, 4),
        foot=(
            "The published values come from a statistical model, the recomputed ones from crude "
            "percentages; arm sizes follow from the total and the allocation ratio, taken in the "
            "order in which the source lists the arms.",
        ),
    )


def ratio_table(context: Context, facts: Sequence[Fact]) -> Table | None:
    """Return hazard, odds and risk ratios as published; those of the class where they bear."""
    rows: list[tuple[Inline, ...]] = []
    own = [f for f in facts if f.get("measure") == "ratio" and not f.is_missing]
    indications = {f.get("indication") for f in facts}
    shared = [
        f
        for f in class_facts("efficacy", context.name)
        if f.get("measure") == "ratio" and f.get("indication") in indications
    ]
    for fact in (*own, *shared):
        rows.append(_ratio_row(fact, "class, not one drug" if fact in shared else ""))
    for fact in facts:
        if fact.get("odds_ratio"):
            rows.append(_odds_row(fact))
    if not rows:
        return None
    return Table(
        "Ratios as published",
        ("Trial", "Endpoint", "Comparison", "Measure", "Estimate (95 % CI)", "Remark"),
        tuple(rows),
        numeric=(4,),
    )


def _ratio_row(fact: Fact, scope: str) -> tuple[Inline, ...]:
    return (
        fact.get("trial"),
        _plain_endpoint(fact),
        Cell(arm_text(fact.get("arm")), note=scope),
        fact.get("ratio_kind"),
        fact_cell(fact),
        fact.note,
    )


def _plain_endpoint(fact: Fact) -> str:
    """Return the endpoint without the name of the measure, which has its own column."""
    text = endpoint_text(fact.get("endpoint")).removesuffix(f" {fact.get('ratio_kind')}")
    time = time_text(fact.get("timepoint"))
    return f"{text}, {time}" if time else text


def _odds_row(fact: Fact) -> tuple[Inline, ...]:
    low, high = fact.get("odds_ratio_low"), fact.get("odds_ratio_high")
    value = float(fact.get("odds_ratio"))
    cell = Cell(f"{value:g} ({low} to {high})", "fact", (fact.source,), value=value)
    endpoint = f"{endpoint_text(fact.get('endpoint'))}, {time_text(fact.get('timepoint'))}"
    arms = f"{arm_text(fact.get('arm'))} against placebo"
    return (fact.get("trial"), endpoint, arms, "OR", cell, "")


def other_table(facts: Sequence[Fact]) -> Table | None:
    """Return outcomes that are neither proportions nor ratios."""
    kinds = ("mean_change", "time", "text")
    own = [
        f
        for f in facts
        # Sizes of arms stand with the results of the trial.
        if f.get("measure") in kinds and not f.is_missing and f.statistic != "randomised numbers"
    ]
    if not own:
        return None
    rows = [
        (
            f.get("trial"),
            ", ".join(
                x for x in (endpoint_text(f.get("endpoint")), time_text(f.get("timepoint"))) if x
            ),
            arm_text(f.get("arm")),
            replace(fact_cell(f), note=f.statistic),
            f.note,
        )
        for f in own
    ]
    return Table(
        "Other outcomes",
        ("Trial", "Endpoint", "Arm", "Result", "Remark"),
        tuple(rows),
    )


def conflict_table(context: Context) -> Table | None:
    """Return where sources on efficacy disagree, both sides kept."""
    ids = {f.id for f in context.drug.facts_in("efficacy")}
    found: list[Conflict] = [c for c in load_conflicts(context.name) if ids & set(c.facts)]
    if not found:
        return None
    rows = [
        (
            c.topic,
            Cell(c.sources_say, "fact", tuple(s for s in c.sources if s != "SMOLECULE_2026")),
            Cell(c.overview, "claim", ("SMOLECULE_2026",)) if c.overview else "",
            c.kind,
            c.rule,
        )
        for c in found
    ]
    return Table(
        "Where sources differ",
        ("Topic", "Sources say", "Vendor's overview", "Why", "What this page does"),
        tuple(rows),
    )


def missing_table(context: Context, facts: Sequence[Fact]) -> Table | None:
    """Return trial results that could not be read."""
    rows: list[tuple[Inline, ...]] = []
    for f in facts:
        if f.is_missing:
            what = f"{f.get('trial')}: {endpoint_text(f.get('endpoint'))}"
            rows.append((what, fact_cell(replace(f, note="")), f.note))
    for gap in load_gaps(context.name):
        if gap.id in _GAPS:
            where = "; ".join(x for x in (gap.where, gap.url) if x)
            rows.append((gap.item, missing(gap.status), where))
    if not rows:
        return None
    return Table("Results that could not be read", ("Result", "State", "Remark"), tuple(rows))


def contrast_data(c: Contrast) -> dict[str, object]:
    """Return one contrast as plain data."""
    facts = [f for f in (c.treated, c.control, c.published) if f is not None]
    return {
        "indication": c.treated.get("indication"),
        "trial": c.trial,
        "endpoint": c.endpoint,
        "timepoint": c.treated.get("timepoint"),
        "arm": c.treated.get("arm"),
        "dose_mg": c.treated.get("dose_mg") or None,
        "control": None if c.control is None else c.control.get("arm"),
        "percent": c.treated.number,
        "percent_control": None if c.control is None else c.control.number,
        "difference": c.difference,
        "low": None if c.interval is None else c.interval.low,
        "high": None if c.interval is None else c.interval.high,
        "rounding": None if c.rounding is None else [c.rounding.low, c.rounding.high],
        "unit": "percentage points",
        "kind": c.kind,
        "note": c.note,
        "facts": [f.id for f in facts],
        "sources": list(dict.fromkeys(f.source for f in facts)),
    }
