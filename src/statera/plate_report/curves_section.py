"""Dose-response curves by stimulation and readout, one panel a population."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from statera.assay.ic50 import Determination
from statera.plate.result import CurveResult, PlateResult
from statera.plate.settings import Model
from statera.plate_report.ic50_words import ends_of, ic50_text, reason_of
from statera.plate_report.parts import counted, listed, slug_of, unique
from statera.plot.dose_response import (
    DoseCurve,
    DosePanel,
    DoseResponseOptions,
    draw_dose_response,
)
from statera.report.document import Block, Figure, Paragraph, Section

__all__ = ["curves_section"]

_MOST_DONORS = 6  # as many as there are markers that tell them apart

_MODELS = {
    Model.FOUR: "a four-parameter logistic curve",
    Model.THREE: "a logistic curve whose top is held at the stimulated control",
    Model.FIVE: "a five-parameter, asymmetric logistic curve",
}


def curves_section(result: PlateResult) -> Section:
    """Return figures of the curves."""
    if not result.curves:
        return Section("curves", "Dose-response curves", ())
    blocks: list[Block] = [
        Paragraph(
            (
                "Points are wells, as per cent of the window between the unstimulated (0) and the "
                "stimulated (100) controls of the same donor, on the "
                f"{result.settings.fit.scale.value} scale; lines are {_model(result)}. "
                "Dose 0 is the stimulated control, drawn beyond the break. Bars above the dose "
                "axis are the IC50s with their intervals. Refused curves are grey points without a "
                "line; those beyond the axis lie on its edge.",
            )
        )
    ]
    sets: dict[tuple[str, str, str], list[CurveResult]] = {}
    for c in result.curves:
        sets.setdefault((c.plate, c.cytokine, c.readout), []).append(c)
    for (plate, cytokine, readout), curves in sets.items():
        donors = unique(c.donor for c in curves)
        for start in range(0, len(donors), _MOST_DONORS):
            chosen = donors[start : start + _MOST_DONORS]
            mine = [c for c in curves if c.donor in chosen]
            of = chosen if len(donors) > _MOST_DONORS else []
            blocks.append(_figure(result, (plate, cytokine, readout), mine, of))
    return Section("curves", "Dose-response curves", tuple(blocks))


def _model(result: PlateResult) -> str:
    return _MODELS[result.settings.fit.model]


def _figure(
    result: PlateResult,
    where: tuple[str, str, str],
    curves: Sequence[CurveResult],
    donors: Sequence[str],
) -> Figure:
    plate, cytokine, readout = where
    populations = unique(c.population for c in curves)
    panels = [
        DosePanel(name, tuple(_curve(c) for c in curves if c.population == name))
        for name in populations
    ]
    key = slug_of("curve", plate, cytokine, readout, *donors)
    title = ", ".join(p for p in (cytokine, readout, f"plate {plate}" if plate else "") if p)
    if donors:
        title += f", donors {donors[0]} to {donors[-1]}"
    said = "; ".join(
        f"{c.population} {c.donor or 'all donors'}: {ic50_text(c.ic50)}"
        + (" nM" if c.ic50.determination not in _SILENT else "")
        for c in curves
    )
    alt = (
        f"{readout} against dose of {result.settings.drug} under {cytokine or 'stimulation'} in "
        f"{listed(populations)}, {counted(len(unique(c.donor for c in curves)), 'donor')}. "
        f"IC50: {said}."
    )
    level = f"{100 * result.settings.fit.level:g} %"
    options = DoseResponseOptions(
        x_label=f"{result.settings.drug} (nM)",
        y_label=f"{readout} (% of window)",
        half=result.settings.fit.absolute,
        interval_label=f"IC50 with {level} interval",
    )
    svg = draw_dose_response(panels, options, key=key, title=title, alt=alt)
    data = {
        "well": [w for c in curves for w in c.wells],
        "donor": [c.donor for c in curves for _ in c.wells],
        "population": [c.population for c in curves for _ in c.wells],
        "dose (nM)": np.concatenate([c.dose for c in curves]),
        "response (%)": np.concatenate([c.response for c in curves]),
    }
    return Figure(key, svg, title, alt, data=data)


_SILENT = (Determination.REFUSED, Determination.NOT_DETERMINED)


def _curve(curve: CurveResult) -> DoseCurve:
    refused = curve.ic50.determination is Determination.REFUSED
    return DoseCurve(
        curve.donor or "all donors",
        curve.dose,
        curve.response,
        # What was fitted to wells that cannot give an IC50 is not shown: it would be believed.
        np.zeros((2, 0)) if refused else curve.curve,
        None if refused else curve.ic50.estimate,
        None if refused else ends_of(curve.ic50),
        (reason_of(curve.ic50) or "no reason was given") if refused else "",
    )
