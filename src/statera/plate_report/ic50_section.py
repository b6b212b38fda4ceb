"""The IC50s of a plate: as a chart and as a table, each with its status."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from statera.assay.ic50 import Determination
from statera.assay.plate_quality import minimum_significant_ratio
from statera.plate.result import CurveResult, PlateResult
from statera.plate_report.donors_section import donor_row
from statera.plate_report.ic50_words import (
    ends_of,
    ic50_cell,
    ic50_text,
    p_ic50_cell,
    reason_of,
    status_cell,
)
from statera.plate_report.parts import cited, computed, counted
from statera.plot.ic50_forest import Ic50Group, Ic50Row, draw_ic50_forest
from statera.report.document import Block, Cell, Figure, Inline, Paragraph, Section, Table

__all__ = ["ic50_section"]

_IC50, _WINDOW, _MSR = "plate_ic50", "plate_window", "plate_repeats"


def ic50_section(result: PlateResult) -> Section:
    """Return chart and table of IC50s."""
    if not result.curves:
        return Section("ic50", "IC50", ())
    level = f"{100 * result.settings.fit.level:g} %"
    blocks: list[Block] = [
        Paragraph(
            (
                "Doses in nM at which the response is half way between its limits on the "
                f"{result.settings.fit.scale.value} scale of fluorescence, with {level} intervals "
                "by ",
                cited("profile likelihood", "Bates_1988"),
                ". ",
                Cell("Determined", tone="ok"),
                " means that the interval is closed within ten times the doses that were tried; "
                "otherwise only the end that is known is given, as a bound, or nothing. ",
                Cell("Refused", tone="bad"),
                " means that the wells cannot give an IC50, whatever a fit would say.",
            )
        ),
        *_chart(result),
        _table(result),
        _windows(result),
        *_repeats(result),
        Paragraph(
            (
                "Remarks on doses follow ",
                cited("Sebaugh", "Sebaugh_2011"),
                ", bends of a curve ",
                cited("Sebaugh and McCray", "Sebaugh_2003"),
                ", the comparison with a flat line ",
                cited("Hurvich and Tsai", "Hurvich_1989"),
                ", and Z′ ",
                cited("Zhang and others", "Zhang_1999"),
                ".",
            )
        ),
    ]
    return Section("ic50", "IC50", tuple(blocks), {"curves": _data(result)})


def _chart(result: PlateResult) -> list[Block]:
    doses = np.concatenate([c.dose for c in result.curves])
    positive = doses[doses > 0]
    if positive.size == 0:
        return []
    groups: dict[str, list[Ic50Row]] = {}
    for c in result.curves:
        heading = ", ".join(p for p in (c.cytokine, c.population, c.readout) if p)
        given = c.ic50.determination is not Determination.REFUSED
        row = Ic50Row(
            " ".join(p for p in (c.plate, c.donor) if p) or "all donors",
            _said(c),
            c.ic50.estimate if c.ic50.determination is Determination.DETERMINED else None,
            ends_of(c.ic50) if given else None,
        )
        groups.setdefault(heading, []).append(row)
    for donor in result.donors:
        if donor.name in groups and donor.n_donors > 1:
            groups[donor.name].append(donor_row(donor))
    how = [c.ic50.determination for c in result.curves]
    alt = (
        f"IC50s of {result.settings.drug} in {counted(len(how), 'curve')} by stimulation and "
        f"population, on a logarithmic axis with intervals: {how.count(Determination.DETERMINED)} "
        f"determined, {how.count(Determination.REFUSED)} refused."
    )
    title = "IC50 by donor"
    svg = draw_ic50_forest(
        [Ic50Group(heading, tuple(rows)) for heading, rows in groups.items()],
        (float(positive.min()), float(positive.max())),
        key="ic50-chart",
        title=title,
        alt=alt,
    )
    caption = (
        "An arrow marks an end that these doses do not determine; a diamond is the mean over "
        "donors, with its interval.",
    )
    return [Figure("ic50-chart", svg, title, alt, caption, _columns(result))]


def _said(curve: CurveResult) -> str:
    text = ic50_text(curve.ic50)
    status = curve.ic50.determination
    if status is Determination.DETERMINED:
        return f"{text}, determined"
    if status is Determination.REFUSED:
        return f"refused: {reason_of(curve.ic50)}"
    return text


def _place(result: PlateResult) -> tuple[list[str], Callable[[CurveResult], list[Inline]]]:
    """Return the headings that name a curve, and its cells; plate and readout where several."""
    plates = len({c.plate for c in result.curves}) > 1
    readouts = len({c.readout for c in result.curves}) > 1

    def cells(c: CurveResult) -> list[Inline]:
        parts = (c.cytokine, c.population, c.readout if readouts else "")
        found: list[Inline] = [", ".join(p for p in parts if p), c.donor or "all"]
        return [*found, c.plate or "–"] if plates else found

    return ["Curve", "Donor", *(["Plate"] if plates else [])], cells


def _ordered(curves: Sequence[CurveResult]) -> list[CurveResult]:
    """Return curves with donors of the same stimulation and population side by side."""
    sets: dict[tuple[str, str, str], list[CurveResult]] = {}
    for c in curves:
        sets.setdefault((c.cytokine, c.population, c.readout), []).append(c)
    return [c for some in sets.values() for c in some]


def _table(result: PlateResult) -> Table:
    heads, place = _place(result)
    level = f"Dose at {result.settings.fit.absolute:g} % of control (nM)"
    rows: list[tuple[Inline, ...]] = []
    for c in _ordered(result.curves):
        known = c.ic50.determination not in (Determination.NOT_DETERMINED, Determination.REFUSED)
        rows.append(
            (
                *place(c),
                status_cell(c.ic50),
                ic50_cell(c.ic50, _IC50),
                p_ic50_cell(c.ic50, _IC50),
                computed(c.ic50.hill, _IC50, decimals=2) if known else Cell("–"),
                _absolute(c),
                _remarks(c),
            )
        )
    first = len(heads) + 1
    return Table(
        f"IC50s of {result.settings.drug}",
        (*heads, "Status", "IC50 (nM)", "pIC50", "Hill slope", level, "Remarks"),
        tuple(rows),
        numeric=tuple(range(first, first + 4)),
        foot=(
            "The IC50 is relative: the dose half way between the limits of the curve. "
            "The dose at a stated response has an interval from the standard error of its "
            "logarithm.",
        ),
    )


def _windows(result: PlateResult) -> Table:
    heads, place = _place(result)
    rows: list[tuple[Inline, ...]] = []
    for c in _ordered(result.curves):
        u, s = c.controls.unstimulated, c.controls.stimulated
        rows.append(
            (
                *place(c),
                _mean(u),
                _mean(s),
                f"{u.size} and {s.size}",
                computed(c.controls.fold, _WINDOW, decimals=2),
                computed(c.controls.z_prime, _WINDOW, decimals=2),
                computed(c.controls.signal_window, _WINDOW, figures=2),
            )
        )
    first = len(heads)
    return Table(
        "Stimulation windows: medians of the controls",
        (
            *heads, "Unstimulated", "Stimulated", "Wells", "Fold", "Z′", "Signal window",
        ),
        tuple(rows),
        numeric=tuple(range(first, first + 6)),
        foot=(
            "Z′ and the signal window tell how far apart the controls are, not how well an IC50 "
            "is known, and not which of them is higher. They need two wells of each control.",
        ),
        folded=len(rows) > 24,
    )  # fmt: skip


def _repeats(result: PlateResult) -> list[Block]:
    """Return minimum significant ratios of curves that were determined on several plates."""
    sets: dict[tuple[str, str, str, str], list[CurveResult]] = {}
    for c in result.curves:
        if c.ic50.determination is Determination.DETERMINED:
            sets.setdefault((c.cytokine, c.population, c.readout, c.donor), []).append(c)
    rows: list[tuple[Inline, ...]] = []
    for (cytokine, population, readout, donor), some in sets.items():
        if len({c.plate for c in some}) < 2:
            continue
        values = np.array([c.ic50.estimate for c in some])
        rows.append(
            (
                ", ".join(p for p in (cytokine, population, readout) if p),
                donor or "all",
                str(values.size),
                computed(float(np.exp(np.log(values).mean())), _MSR),
                computed(minimum_significant_ratio(values), _MSR, decimals=2),
            )
        )
    if not rows:
        return []
    table = Table(
        "IC50s that were determined on several plates",
        ("Curve", "Donor", "Plates", "Geometric mean (nM)", "Minimum significant ratio"),
        tuple(rows),
        numeric=(2, 3, 4),
        foot=("Two plates give a rough ratio only.",),
    )
    said = ("The minimum significant ratio is that of ", cited("Eastwood", "Eastwood_2006"), ".")
    return [table, Paragraph(said)]


def _mean(values: NDArray[np.float64]) -> Cell:
    return computed(float(values.mean()) if values.size else None, _WINDOW, figures=4)


def _absolute(curve: CurveResult) -> Cell:
    if curve.absolute is None:
        return Cell("–")
    if curve.ic50.determination is Determination.REFUSED:
        return Cell("–")
    found = ic50_cell(curve.absolute, _IC50)
    if found.text == "–":
        why = curve.absolute.determination.value
        return Cell("–", note=reason_of(curve.absolute) if why == "refused" else why)
    flags = tuple(f.value for f in curve.absolute.flags if f not in curve.ic50.flags)
    if not flags:
        return found
    return Cell(found.text, found.basis, method=found.method, value=found.value, unit=found.unit,
                note="; ".join(flags))  # fmt: skip


def _remarks(curve: CurveResult) -> Cell:
    if curve.ic50.determination is Determination.REFUSED:
        return Cell(reason_of(curve.ic50))
    return Cell("; ".join(f.value for f in curve.ic50.flags))


def _columns(result: PlateResult) -> dict[str, list[object]]:
    ends = [ends_of(c.ic50) for c in result.curves]
    shown = [c.ic50.determination is Determination.DETERMINED for c in result.curves]
    return {
        "curve": [c.name for c in result.curves],
        "status": [c.ic50.determination.value for c in result.curves],
        "IC50 (nM)": [
            c.ic50.estimate if ok else None for c, ok in zip(result.curves, shown, strict=True)
        ],
        "low": [low if np.isfinite(low) and low > 0 else None for low, _ in ends],
        "high": [high if np.isfinite(high) else None for _, high in ends],
    }


def _data(result: PlateResult) -> list[dict[str, object]]:
    """Return the curves as data; a number that has no closed interval is left out of it."""
    names = ("plate", "donor", "cytokine", "population", "readout")
    found = []
    for c in result.curves:
        low, high = ends_of(c.ic50)
        found.append(
            {
                **{name: getattr(c, name) for name in names},
                "status": c.ic50.determination.value,
                "ic50_nM": c.ic50.estimate
                if c.ic50.determination is Determination.DETERMINED
                else None,
                "interval_nM": [low, high],
                "hill": c.ic50.hill,
                "fold": c.controls.fold,
                "z_prime": c.controls.z_prime,
                "flags": [f.value for f in c.ic50.flags],
                "sentence": c.ic50.sentence,
            }
        )
    return found
