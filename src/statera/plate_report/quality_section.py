"""Quality control: every removal counted, by rule and by well, with remarks and repairs."""

from __future__ import annotations

import re
from collections.abc import Iterable

from statera.plate.result import PlateResult, WellResult, WellStatus
from statera.plate_report.parts import computed, counted, percent, some_of, unique
from statera.report.document import Block, Cell, Inline, Paragraph, Section, Table

__all__ = ["quality_section"]

_METHOD = "plate_quality"
_NUMBER = re.compile(r"\d+(\.\d+)?")


def quality_section(result: PlateResult) -> Section:
    """Return what quality control found and what it left out."""
    wells = [w for w in result.wells if w.status is WellStatus.ANALYSED]
    removes = result.settings.quality.remove
    blocks: list[Block] = [
        Paragraph(
            (
                "Events that break a rule are left out before gating."
                if removes
                else "Events that break a rule are counted, not left out: the settings say so.",
                " An event can break more than one rule, so that counts of rules may add up to "
                "more than the events removed.",
            )
        ),
        *_by_rule(wells),
        *_by_well(wells),
        *_remarks(result),
    ]
    return Section("quality", "Quality control", tuple(blocks))


def _by_rule(wells: list[WellResult]) -> list[Block]:
    rules: dict[str, list[tuple[str, int, bool]]] = {}
    for w in wells:
        for r in w.removals:
            rules.setdefault(r.rule, []).append((w.well.name, r.events, r.removed))
    if not rules:
        return [Paragraph(("No rule of quality control was applied.",))]
    total = sum(w.n_events for w in wells)
    rows: list[tuple[Inline, ...]] = []
    for rule, found in rules.items():
        events = sum(n for _, n, _ in found)
        hit = [(n, name) for name, n, _ in found if n]
        worst = max(hit, default=(0, "–"))
        rows.append(
            (
                rule.replace("_", " "),
                computed(events, _METHOD),
                Cell(percent(events / total if total else 0.0, 2), "computed", method=_METHOD),
                computed(len(hit), _METHOD),
                f"{worst[1]} ({worst[0]})" if hit else "–",
                "yes" if all(removed for *_, removed in found) else "counted only",
            )
        )
    read = sum(w.n_events for w in wells)
    kept = sum(w.n_kept for w in wells)
    rows.append(
        (
            "all rules together",
            computed(read - kept, _METHOD),
            Cell(percent((read - kept) / read if read else 0.0, 2), "computed", method=_METHOD),
            computed(sum(w.n_kept < w.n_events for w in wells), _METHOD),
            "",
            "yes" if read > kept else "–",
        )
    )
    return [
        Table(
            f"Events by rule, over {counted(len(wells), 'well')} with {total} events",
            ("Rule", "Events", "Share", "Wells", "Most in", "Left out"),
            tuple(rows),
            numeric=(1, 2, 3),
        )
    ]


def _by_well(wells: list[WellResult]) -> list[Block]:
    rows: list[tuple[Inline, ...]] = []
    for w in sorted(wells, key=lambda w: w.n_kept / w.n_events if w.n_events else 1.0):
        hit = [r for r in w.removals if r.events]
        if not hit and w.n_kept == w.n_events:
            continue
        lost = w.n_events - w.n_kept
        rows.append(
            (
                w.well.name,
                computed(w.n_events, _METHOD),
                computed(lost, _METHOD),
                Cell(percent(lost / w.n_events if w.n_events else 0.0, 2), "computed",
                     method=_METHOD),
                "; ".join(r.sentence or f"{r.rule.replace('_', ' ')}: {r.events}" for r in hit),
            )
        )  # fmt: skip
    if not rows:
        return []
    return [
        Table(
            "Events left out by well, the largest share first",
            ("Well", "Read", "Left out", "Share", "Rules"),
            tuple(rows),
            numeric=(1, 2, 3),
            folded=len(rows) > 12,
        )
    ]


def _remarks(result: PlateResult) -> list[Block]:
    """Return flags and repairs, wells that share a sentence but for its numbers joined."""
    rows: list[tuple[Inline, ...]] = []
    kinds: tuple[tuple[str, Iterable[tuple[str, str]]], ...] = (
        ("quality", ((w.well.name, s) for w in result.wells for s in w.flags)),
        ("reading", ((w.well.name, s) for w in result.wells for s in w.repairs)),
        (
            "statistics",
            ((f"{r.well.name} {r.population}", s) for r in result.rows for s in r.flags),
        ),
    )
    for kind, pairs in kinds:
        sets: dict[str, list[tuple[str, str]]] = {}
        for where, sentence in pairs:
            sets.setdefault(_NUMBER.sub("#", sentence), []).append((where, sentence))
        for found in sets.values():
            names, said = unique(w for w, _ in found), unique(s for _, s in found)
            note = "" if len(said) == 1 else "numbers differ between wells"
            rows.append(
                (kind, Cell(said[0], note=note), some_of(names, 12), computed(len(names), _METHOD))
            )
    if not rows:
        return [Paragraph(("No remark on any well.",))]
    return [
        Table(
            "Remarks on wells",
            ("From", "Remark", "Where", "Number"),
            tuple(rows),
            numeric=(3,),
            row_header=False,
            folded=len(rows) > 30,
        )
    ]
