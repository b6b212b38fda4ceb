"""What the library lets expect at each dose, and how precise the IC50 will be."""

from __future__ import annotations

import math

from statera.assay.plan_map import dose_text
from statera.assay.plan_precision import DesignPrecision
from statera.plan.build import BenchPlan
from statera.plan.expected import Expected
from statera.plan_report.cells import amount
from statera.report.document import Block, Callout, Cell, Inline, Paragraph, Section, Table

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
    planned = _planned(plan)
    blocks: list[Block] = [
        Paragraph((Cell(said, "computed", method="precision"),)),
        _assumptions(plan),
        Table(
            "Precision of the IC50 by design",
            (
                "Doses", "Replicates", "Donors", "Wells per donor and cytokine",
                "Determined", "95 % interval of one donor, fold", "SE of log10 IC50, mean",
                "95 % interval of the mean, fold", "Wanted precision",
            ),
            tuple(_row(d, planned) for d in table.designs),
            numeric=tuple(range(8)),
            row_header=False,
            foot=(
                "Fold: upper over lower end. Wells: with unstimulated and stimulated ones, FMO "
                "not. All designs span the same doses, "
                f"{dose_text(table.lowest_nM)} to {dose_text(table.highest_nM)}.",
            ),
        ),
    ]  # fmt: skip
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


def _planned(plan: BenchPlan) -> tuple[int, int, int]:
    options = plan.assay.options
    layout = options.layout
    return len(options.doses.values_nM), layout.replicates, len(layout.donors)


def _row(d: DesignPrecision, planned: tuple[int, int, int]) -> tuple[Inline, ...]:
    mine = (d.doses, d.replicates, d.donors) == planned
    donors: Inline = f"{d.donors} (this plan)" if mine else str(d.donors)

    def shown(value: float) -> Inline:
        if math.isfinite(value):
            return amount(value, "", "precision")
        return Cell("not known", "missing")

    determined = Cell(
        f"{100 * d.determined:.0f} %", "computed", method="precision", value=d.determined
    )
    verdict = Cell("yes", tone="ok") if d.meets else Cell("no", tone="muted")
    return (
        str(d.doses), str(d.replicates), donors, str(d.wells), determined, shown(d.donor_fold),
        shown(d.log10_se), shown(d.mean_fold), verdict,
    )  # fmt: skip
