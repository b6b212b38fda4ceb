"""The plate itself: what its wells hold, how they fared, their events and medians."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from statera.plate.plate_map import Condition, Well
from statera.plate.result import PlateResult, PopulationRow, WellResult, WellStatus
from statera.plate_report.parts import content_of, counted, digits, known, slug_of, unique
from statera.plot.plate_heat import Category, PlateCell, PlatePanel, PlateSize, draw_plates
from statera.report.document import Block, Figure, Paragraph, Section

__all__ = ["plate_section"]

_SHORT = {
    Condition.UNSTIMULATED: "U",
    Condition.STIMULATED: "S",
    Condition.FMO: "FMO",
    Condition.SINGLE_STAIN: "1×",
    Condition.UNSTAINED: "0×",
}
_CONTENT = {
    "dose": Category("dose (nM)", "#cfe1ee"),
    "U": Category("U unstimulated", "#f3dccf"),
    "S": Category("S stimulated", "#d5e8dd"),
    "other": Category("other control", "#e6dfee"),
}
_STATUS = {
    WellStatus.ANALYSED: Category("analysed", "#cfe1ee"),
    WellStatus.NO_FILE: Category("no file", "#ffffff", crossed=True),
    WellStatus.UNREADABLE: Category("unreadable", "#e9a98f", crossed=True),
    WellStatus.NOT_GATED: Category("not gated", "#f0cf8e", crossed=True),
    WellStatus.EMPTY: Category("no events", "#dcdfe3", crossed=True),
}


def plate_section(result: PlateResult) -> Section:
    """Return drawings of each plate."""
    blocks: list[Block] = [
        Paragraph(
            (
                "Each plate as its wells. Every drawing has its own scale of colours; compare "
                "wells within a drawing, numbers between them. Look for rows, columns or edges "
                "that stand out.",
            )
        )
    ]
    for plate in unique(w.well.plate for w in result.wells):
        wells = [w for w in result.wells if w.well.plate == plate]
        size = PlateSize.of([(w.well.row, w.well.column) for w in wells])
        blocks += [_layout(plate, wells, size), _events(plate, wells, size)]
        rows = [r for r in result.rows if r.well.plate == plate]
        for readout in unique(r.readout for r in rows):
            mine = [r for r in rows if r.readout == readout]
            blocks.append(_medians(plate, readout, mine, size, [w.well for w in _used(wells)]))
    return Section("plate", "The plate", tuple(blocks))


def _named(plate: str, *parts: str) -> tuple[str, str]:
    """Return key and title of a figure of a plate."""
    title = ", ".join(parts)
    return slug_of("plate", plate, *parts), f"Plate {plate}: {title}" if plate else title


def _used(wells: Sequence[WellResult]) -> list[WellResult]:
    return [w for w in wells if w.status is not WellStatus.UNUSED]


def _layout(plate: str, wells: Sequence[WellResult], size: PlateSize) -> Figure:
    used = _used(wells)
    cells, states = [], []
    for w in used:
        said, kind = _content(w.well)
        cells.append(PlateCell(w.well.row, w.well.column, said, category=kind))
        state = _STATUS[w.status].name
        states.append(PlateCell(w.well.row, w.well.column, category=state))
    kinds = [c for c in _CONTENT.values() if any(cell.category == c.name for cell in cells)]
    status = [c for c in _STATUS.values() if any(cell.category == c.name for cell in states)]
    panels = [
        PlatePanel("Content", tuple(cells), tuple(kinds)),
        PlatePanel("Status", tuple(states), tuple(status)),
    ]
    key, title = _named(plate, "content and status of the wells")
    lost = [w for w in used if w.status is not WellStatus.ANALYSED]
    alt = f"{counted(len(used), 'well')} in use, {len(used) - len(lost)} analysed."
    if lost:
        alt += f" Not analysed: {', '.join(f'{w.well.well} ({w.status})' for w in lost)}."
    data = {
        "well": [w.well.well for w in used],
        "donor": [w.well.donor for w in used],
        "stimulation": [w.well.cytokine for w in used],
        "content": [content_of(w.well) for w in used],
        "status": [w.status.value for w in used],
        "remark": [w.sentence for w in used],
    }
    svg = draw_plates(panels, size, key=key, title=title, alt=alt)
    return Figure(key, svg, _capital(title), alt, data=data)


def _content(well: Well) -> tuple[str, str]:
    if well.condition is Condition.DOSE:
        plain = f"{well.dose:g}"
        return plain if len(plain) <= 5 else _short(well.dose), _CONTENT["dose"].name
    said = _SHORT.get(well.condition, "")
    return said, _CONTENT.get(said, _CONTENT["other"]).name


def _events(plate: str, wells: Sequence[WellResult], size: PlateSize) -> Figure:
    used = _used(wells)
    good = [w.status is WellStatus.ANALYSED and w.n_events > 0 for w in used]
    kept = [float(w.n_kept) if ok else math.nan for w, ok in zip(used, good, strict=True)]
    removed = [
        100 * (1 - w.n_kept / w.n_events) if ok else math.nan
        for w, ok in zip(used, good, strict=True)
    ]
    panels = [
        _panel(
            "Events kept",
            [(w.well, k) for w, k in zip(used, kept, strict=True)],
            _short,
            "events",
            (0.0, max(known(kept), default=1.0)),
        ),
        _panel(
            "Events removed by quality control",
            [(w.well, r) for w, r in zip(used, removed, strict=True)],
            lambda v: f"{v:.1f}",
            "per cent of those read",
            (0.0, max(5.0, *known(removed))),  # small shares stay pale
        ),
    ]
    key, title = _named(plate, "events of the wells")
    counts = [w.n_kept for w in used if w.status is WellStatus.ANALYSED]
    alt = (
        f"Events kept in {counted(len(counts), 'well')}, from {min(counts, default=0)} to "
        f"{max(counts, default=0)}; quality control removed up to "
        f"{max(known(removed), default=0.0):.1f} per cent."
    )
    data = {
        "well": [w.well.well for w in used],
        "events": [w.n_events for w in used],
        "kept": kept,
        "removed (%)": removed,
    }
    svg = draw_plates(panels, size, key=key, title=title, alt=alt)
    return Figure(key, svg, _capital(title), alt, data=data)


def _medians(
    plate: str,
    readout: str,
    rows: Sequence[PopulationRow],
    size: PlateSize,
    used: Sequence[Well],
) -> Figure:
    populations = unique(r.population for r in rows)
    panels = []
    for name in populations:
        medians = {r.well.name: r.median for r in rows if r.population == name}
        values = [(w, medians.get(w.name, math.nan)) for w in used]
        panels.append(_panel(name, values, _short, readout))
    key, title = _named(plate, f"median {readout} by population")
    parts = []
    for name in populations:
        found = known(r.median for r in rows if r.population == name)
        if found:
            parts.append(f"{name} from {digits(min(found))} to {digits(max(found))}")
    alt = f"Median fluorescence of {readout} by well: {'; '.join(parts) or 'none'}."
    data = {
        "well": [r.well.well for r in rows],
        "population": [r.population for r in rows],
        "events": [r.count for r in rows],
        "median": [r.median for r in rows],
    }
    svg = draw_plates(panels, size, key=key, title=title, alt=alt)
    caption = ("Compensated, linear fluorescence. A dash stands for a well without a value.",)
    return Figure(key, svg, _capital(title), alt, caption, data)


def _panel(
    title: str,
    values: Sequence[tuple[Well, float]],
    say: Callable[[float], str],
    remark: str,
    span: tuple[float, float] | None = None,
) -> PlatePanel:
    cells = tuple(
        PlateCell(well.row, well.column, say(v) if math.isfinite(v) else "", v)
        for well, v in values
    )
    finite = known(v for _, v in values)
    low, high = span or (min(finite, default=0.0), max(finite, default=0.0))
    ends = (say(low), say(high)) if finite else ("", "")
    return PlatePanel(title, cells, ends=ends, remark=remark, span=span)


def _short(value: float) -> str:
    """Return a number in at most five characters."""
    if abs(value) >= 99_950:
        return f"{value / 1000:.0f}k"
    if abs(value) >= 9_995:
        return f"{value / 1000:.1f}k"
    if abs(value) >= 1000 or value == round(value):
        return f"{value:.0f}"
    return digits(value)


def _capital(title: str) -> str:
    return title[:1].upper() + title[1:]
