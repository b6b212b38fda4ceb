"""Doses against targets, and what to measure next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from statera.patient_report.words import (
    METRICS,
    Clock,
    computed,
    dose_text,
    percent,
    range_text,
    with_unit,
)
from statera.report.document import Block, Callout, Cell, Inline, Paragraph, Section, Table

__all__ = ["advice_section", "sampling_section"]

Data = Mapping[str, Any]

_SHOWN = 6


def advice_section(result: Data) -> Section:
    """Return the advice, its targets and the candidates."""
    advice = result["advice"]
    if advice is None:
        why = ("No target was asked for: the page shows what is expected, and advises no dose.",)
        return Section("advice", "Dose", (Callout("note", "Forecast only", why),))
    kind: Literal["note", "warning"] = "note" if advice["reached"] else "warning"
    title = "Advised by the calculation" if advice["reached"] else "No candidate reaches the target"
    blocks: list[Block] = [
        Callout(kind, title, (advice["sentence"],)),
        _targets(result),
        _candidates(advice, result["targets"]),
    ]
    return Section("advice", "Dose", tuple(blocks), {"advice": advice})


def _targets(result: Data) -> Table:
    rows: list[tuple[Inline, ...]] = []
    for target in result["targets"]:
        validated = target["grade"] == "validated"
        rows.append(
            (
                _target_name(target),
                range_text(target["low"], target["high"], target["unit"]),
                Cell(target["grade"], tone="ok" if validated else "warn"),
                target["basis"] or Cell("no basis given", "missing"),
            )
        )
    return Table("Targets, at steady state", ("Target", "Range", "Grade", "Basis"), tuple(rows))


def _target_name(target: Data) -> Inline:
    name = str(METRICS.get(target["metric"], target["metric"]))
    potency = target.get("potency")
    if potency is None:
        return name
    origin = potency.get("from_file")
    note = f"IC50 {potency['value']:.3g} {potency['unit']}, Hill {potency['hill']:.3g}"
    return Cell(f"{name}: {potency['name']}", note=f"{note}, {origin}" if origin else note)


def _candidates(advice: Data, targets: Sequence[Data]) -> Table:
    shown = advice["candidates"][:_SHOWN]
    metrics = [e["metric"] for e in shown[0]["expected"]] if shown else []
    names = [METRICS.get(m, m) for m in metrics]
    for k, target in enumerate(targets[: len(names)]):
        if "potency" in target and metrics.count(target["metric"]) > 1:
            names[k] = f"{names[k]}: {target['potency']['name']}"
    columns = ["Dose", "P(target)", *names, "Label maximum"]
    rows: list[tuple[Inline, ...]] = []
    for c in shown:
        name: Inline = dose_text(c["amount"], c["interval"], c["pieces"])
        if c["rank"] == advice["chosen_rank"]:
            name = Cell(str(name), tone="ok")
        chance = percent(c["probability"])
        cells: list[Inline] = [computed(c["probability"], "candidates", text=chance)]
        for e in c["expected"]:
            text = with_unit(f"{e['p50']:.3g} ({e['p5']:.3g} to {e['p95']:.3g})", e["unit"])
            cells.append(computed(e["p50"], "candidates", e["unit"], text))
        rows.append((name, *cells, _maximum(c)))
    rest = len(advice["candidates"]) - len(shown)
    foot = (f"{rest} further candidates stand in the data.",) if rest > 0 else ()
    return Table(
        "Candidates: probability of all targets, and median with 90 % of what is expected",
        tuple(columns),
        tuple(rows),
        numeric=tuple(range(1, 2 + len(metrics))),
        foot=foot,
    )


def _maximum(candidate: Data) -> Cell:
    above = candidate["above_label_maximum"]
    if above is None:
        return Cell("not asked", "missing")
    return Cell("above", tone="bad") if above else Cell("within", tone="ok")


def sampling_section(result: Data) -> Section | None:
    """Return what a further sample is worth; None where nothing was asked."""
    sampling = result["sampling"]
    if sampling is None or not sampling["singles"]:
        return None
    name = METRICS.get(sampling["metric"], sampling["metric"])
    unit = sampling["unit"].replace("*", "·")
    rows: list[tuple[Inline, ...]] = []
    for choice in (*sampling["singles"][:3], *sampling["pairs"][:2]):
        when = " and ".join(f"{t:g} h" for t in choice["times"])
        left = computed(choice["sd"], "sampling", unit)
        share = percent(choice["share"])
        rows.append((when, left, computed(choice["share"], "sampling", text=share)))
    clock = Clock(result["request"]["origin"])
    later = result["later"]["doses"]
    begin = clock.say(later[0]["time"]) if later else "the next dose"
    return Section(
        "sampling",
        "What to measure next",
        (
            Paragraph(
                (
                    f"The standard deviation of the {name} is now ",
                    computed(sampling["sd"], "sampling", unit),
                    f". Times are counted from the dose at {begin}.",
                )
            ),
            Table(
                "Samples that would narrow the target most",
                ("After the dose", "Standard deviation left", "Of that now"),
                tuple(rows),
                numeric=(1, 2),
            ),
        ),
        {"sampling": sampling},
    )
