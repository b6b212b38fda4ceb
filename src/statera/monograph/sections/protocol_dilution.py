"""An example of a dilution series from the protocol's stock, set beside plasma concentrations."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from statera.assay import Dilution, Protocol, dilution, log_dilution_series
from statera.monograph.cells import computed, significant
from statera.monograph.context import Context
from statera.report.document import Cell, Method, Table
from statera.units import convert, molar_from_mass

__all__ = ["DILUTION_METHOD", "Span", "dilution_data", "dilution_table", "plasma_spans", "series"]

TOP_NM = 10_000.0
STEP = math.sqrt(10.0)
POINTS = 10

DILUTION_METHOD = Method(
    "dilution",
    "Dilution series",
    "Concentrations fall by the root of 10 from the highest. The series is prepared in pure "
    "solvent and every member is then diluted by the same factor into medium, so that all wells, "
    "the vehicle included, hold the same share of solvent: fold = stock over the highest "
    "concentration, share of solvent = 100 % over fold. Diluting the stock itself straight to a "
    "concentration gives the fold shown and a share of solvent that differs between wells. "
    "Plasma: trough and peak at steady state of the typical subject at the highest dose shown, "
    "converted with the molar mass; unbound = total times the unbound fraction in plasma.",
)


@dataclass(frozen=True)
class Span:
    """A range of plasma concentrations, nM, from trough to peak."""

    label: str
    low: float
    high: float


def series(protocol: Protocol) -> tuple[Dilution, ...]:
    """Return the example: half-log steps from 10 µM, each as a direct dilution of the stock."""
    stock = convert(protocol.drug.stock.value, protocol.drug.stock.unit, "mM")
    return tuple(dilution(stock, float(c)) for c in log_dilution_series(TOP_NM, STEP, POINTS))


def plasma_spans(context: Context) -> tuple[Span, ...]:
    """Return trough to peak of the typical subject, total and unbound; empty where unknown."""
    if context.highest is None or context.molar_mass is None:
        return ()
    typical = context.highest.typical
    low, high = (
        molar_from_mass(float(typical.endpoint(name)[0]), context.molar_mass)
        for name in ("Ctrough", "Cmax")
    )
    spans = [Span("total", low, high)]
    share = context.unbound_fraction
    if share is not None:
        spans.append(Span("unbound", low * share, high * share))
    return tuple(spans)


def dilution_table(context: Context, protocol: Protocol) -> Table:
    """Return the series with what to prepare and where plasma concentrations lie."""
    spans = plasma_spans(context)
    found = series(protocol)
    fold = found[0].fold
    columns = [
        "Concentration in the well",
        "Prepared in solvent",
        f"Solvent after 1:{fold:,.0f}".replace(",", "\u202f"),
        "Fold from the stock, direct",
        "Solvent if direct",
    ]
    columns += [f"Plasma, {s.label}" for s in spans]
    rows = tuple(_row(d, fold, spans) for d in found)
    foot: list[Cell | str] = [
        "The series is an example chosen by this program; the source gives no working "
        "concentrations."
    ]
    if spans and context.highest is not None:
        between = "; ".join(
            f"{s.label} {significant(s.low)} to {significant(s.high)} nM" for s in spans
        )
        sources = tuple(
            dict.fromkeys(
                s
                for s in (
                    context.drug.identity.molar_mass_source,
                    context.unbound.source if context.unbound else "",
                )
                if s
            )
        )
        text = f"Plasma at {context.highest.dose.label}, trough to peak: {between}."
        foot.append(Cell(text, "computed", sources, "dilution"))
    return Table(
        f"Example of a series: {POINTS} half-log steps from {TOP_NM / 1000:g} µM, from a stock of "
        f"{protocol.drug.stock} in {protocol.drug.solvent}",
        tuple(columns),
        rows,
        numeric=(0, 1, 2, 3, 4),
        foot=tuple(foot),
    )


def _row(one: Dilution, fold: float, spans: Sequence[Span]) -> tuple[Cell, ...]:
    direct = f"{one.fold:,.0f}".replace(",", "\u202f")
    return (
        computed(one.target_nM, "dilution", text=_amount(one.target_nM)),
        computed(one.target_nM * fold, "dilution", text=_amount(one.target_nM * fold)),
        computed(100.0 / fold, "dilution", "%", digits=2),
        computed(one.fold, "dilution", text=f"1:{direct}"),
        computed(one.solvent_percent, "dilution", text=_percent(one.solvent_percent)),
        *(_place(one.target_nM, s) for s in spans),
    )


def _amount(nanomolar: float) -> str:
    """Return a concentration in the unit that keeps its number between 1 and 1000."""
    for unit, size in (("mM", 1e6), ("µM", 1e3), ("nM", 1.0)):
        if nanomolar >= size * (1 - 1e-9):
            return f"{significant(nanomolar / size)} {unit}"
    return f"{significant(nanomolar * 1000)} pM"


def _percent(share: float) -> str:
    """Return a share with two significant digits and without an exponent, however small."""
    places = max(0, 1 - math.floor(math.log10(share)))
    return f"{share:.{places}f} %"


def _place(value: float, span: Span) -> Cell:
    if value < span.low:
        text = "below trough"
    elif value > span.high:
        text = "above peak"
    else:
        text = "trough to peak"
    return Cell(text, "computed", method="dilution")


def dilution_data(context: Context, protocol: Protocol) -> dict[str, Any]:
    """Return the series and the plasma ranges as plain data."""
    found = series(protocol)
    return {
        "chosen_by": "this program, as an example",
        "stock": {"value": protocol.drug.stock.value, "unit": protocol.drug.stock.unit},
        "solvent": protocol.drug.solvent,
        "fold_from_solvent_series": found[0].fold,
        "solvent_percent": found[0].solvent_percent,
        "concentrations_nM": [d.target_nM for d in found],
        "direct_fold": [d.fold for d in found],
        "direct_solvent_percent": [d.solvent_percent for d in found],
        "plasma_nM": {s.label: [s.low, s.high] for s in plasma_spans(context)},
        "sources": [protocol.source],
    }
