"""What the library lets expect at each dose, and how precise the IC50 will be."""

from __future__ import annotations

import math

from statera.assay.plan_map import dose_text
from statera.assay.plan_precision import DesignPrecision
from statera.plan.build import BenchPlan
from statera.plan.expected import Expected
from statera.plan_report.cells import amount
from statera.report.document import (
    Block,
    Callout,
    Cell,
    Inline,
    Paragraph,
    Section,
    Table,
    Tone,
)

__all__ = ["expected_section", "precision_section"]


def expected_section(plan: BenchPlan) -> Section:
    """Return inhibition by dose and potency; what is not known is said."""
    known = [e for e in plan.expected if e.is_known]
    blocks: list[Block] = [
        Callout(
            "missing",
            f"{e.cytokine}: {e.potency}",
            (e.remark,),
        )
        for e in plan.expected
        if not e.is_known
    ]
    if known:
        doses = plan.assay.dilutions.doses
        rows: tuple[tuple[Inline, ...], ...] = tuple(
            (dose_text(d.wanted_nM), *(_cell(e, i) for e in known)) for i, d in enumerate(doses)
        )
        foot = tuple(
            Cell(f"{e.cytokine}: {e.remark}", "text", (e.source,) if e.source else ())
            for e in known
            if e.remark
        )
        table = Table(
            "Inhibition to be expected",
            ("Dose", *(f"{e.cytokine}: IC50 {e.potency}" for e in known)),
            rows,
            numeric=tuple(range(1, len(known) + 1)),
            foot=foot,
        )
        blocks.insert(0, table)
    return Section("expected", "Expected inhibition", tuple(blocks))


def _cell(expected: Expected, index: int) -> Cell:
    interval = expected.inhibition[index]
    return Cell(
        expected.words[index],
        "computed" if interval.is_point else "bound",
        (expected.source,) if expected.source else (),
        "expected",
        (100 * interval.low, 100 * interval.high),
        "%",
    )


def precision_section(plan: BenchPlan) -> Section:
    """Return how many doses, wells and donors give the wanted precision."""
    table = plan.assay.precision
    assert table is not None
    o = table.options
    wanted = f"upper over lower end of the 95 % interval at most {o.wanted_fold:g}"
    smallest = table.smallest
    if smallest is None:
        said = f"None of these designs gives the wanted precision ({wanted})."
    else:
        said = (
            f"The smallest of these designs that gives the wanted precision ({wanted}) has "
            f"{smallest.doses} doses, {_count(smallest.replicates, 'replicate')} and "
            f"{_count(smallest.donors, 'donor')}."
        )
    blocks: list[Block] = [
        Paragraph((Cell(said, "computed", method="precision"),)),
        _assumptions(plan),
        _designs(plan),
    ]
    return Section("precision", "How many doses and donors", tuple(blocks))


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _assumptions(plan: BenchPlan) -> Table:
    table, options = plan.assay.precision, plan.assay.options
    assert table is not None
    o = table.options
    middle = "" if o.ic50_nM is not None else ", the middle of the doses"
    rows = (
        ("Typical IC50", f"{dose_text(table.ic50_nM)}{middle}", "ic50_nM"),
        ("Slope", f"{o.hill:g}", "hill"),
        ("SD of ln IC50 between donors", f"{o.between_donor_sd:g}", "between_donor_sd"),
        ("CV of a well's signal", f"{100 * o.well_cv:g} %", "well_cv"),
        ("Stimulated over unstimulated signal", f"{o.window:g}", "window"),
        ("Wanted 95 % interval of the mean, fold", f"{o.wanted_fold:g}", "wanted_fold"),
    )
    said: dict[str, Inline] = {
        "given": "given by you",
        "assumed": Cell("assumed here", tone="warn"),
    }
    return Table(
        f"What the simulation assumes; {o.experiments} donors a design, seed {o.seed}",
        ("What", "Value", "Origin"),
        tuple(
            (label, value, said[options.origin(f"precision.{key}")]) for label, value, key in rows
        ),
        foot=("An IC50 near the end of the doses is determined less often than shown.",),
    )


def _designs(plan: BenchPlan) -> Table:
    """Return one row for doses and replicates, with a column for each number of donors."""
    table = plan.assay.precision
    assert table is not None
    donors = sorted({d.donors for d in table.designs})
    rows: dict[tuple[int, int], list[DesignPrecision]] = {}
    for design in table.designs:
        rows.setdefault((design.doses, design.replicates), []).append(design)
    planned = plan.assay.options
    mine = (len(planned.doses.values_nM), planned.layout.replicates)
    here = len(planned.layout.donors)
    heads = (f"Mean of {n} donors{' (this plan)' if n == here else ''}" for n in donors)
    return Table(
        "Precision of the IC50 by design",
        (
            "Doses x replicates", "Wells", "Determined", "95 % interval of one donor, fold",
            *heads,
        ),
        tuple(_row(key, some, mine) for key, some in rows.items()),
        numeric=(1, 2, 3),
        foot=(
            "Mean of donors: its 95 % interval as upper over lower end, and in brackets the "
            "standard error of log10 IC50; ticked where the interval is at most "
            f"{table.options.wanted_fold:g} and nine donors of ten are determined.",
            "Wells: for each donor and cytokine, with unstimulated and stimulated ones, FMO not. "
            f"All designs span the same doses, {dose_text(table.lowest_nM)} to "
            f"{dose_text(table.highest_nM)}.",
        ),
    )  # fmt: skip


def _row(
    key: tuple[int, int], designs: list[DesignPrecision], planned: tuple[int, int]
) -> tuple[Inline, ...]:
    first = designs[0]
    name = f"{key[0]} x {key[1]}" + (" (this plan)" if key == planned else "")
    share = first.determined
    determined = Cell(f"{100 * share:.0f} %", "computed", method="precision", value=share)
    return (name, str(first.wells), determined, _fold(first.donor_fold), *map(_mean, designs))


def _fold(value: float) -> Inline:
    if math.isfinite(value):
        return amount(value, "", "precision")
    return Cell("not known", "missing")


def _mean(design: DesignPrecision) -> Inline:
    if not math.isfinite(design.mean_fold):
        return Cell("not known", "missing")
    text = f"{design.mean_fold:.3g} ({design.log10_se:.2g})"
    tone: Tone = "ok" if design.meets else ""
    return Cell(text, "computed", method="precision", value=design.mean_fold, tone=tone)
