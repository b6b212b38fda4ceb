"""Figures of target engagement: curves by potency and dose, and a table by kinases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from statera.engagement import inhibition, mean_interval
from statera.monograph.context import Context, DoseOption
from statera.monograph.sections.engagement_plate import persons
from statera.monograph.sections.engagement_receptors import ReceptorDay, ReceptorGroup
from statera.monograph.sections.engagement_tables import Result, dose_head, dose_labels
from statera.monograph.sections.mechanism_kinases import RULES
from statera.plot.engagement import EngagementPanel, InhibitionCurve, draw_engagement
from statera.plot.heat import HeatRow, draw_heat
from statera.report.document import Figure
from statera.sources import Relation

__all__ = ["curves_figure", "heat_figure"]

Floats = NDArray[np.float64]

_SHORT = {"limiting_kinase": "limiting", "independent": "independent"}
_MOST_PANELS = 9
_DAY = 24.0
_LOWER = (Relation.LESS, Relation.AT_MOST)


def curves_figure(context: Context, results: Sequence[Result]) -> Figure:
    """Return the inhibition through a day at steady state, a panel for each potency."""
    by_name: dict[str, list[Result]] = {}
    for result in results:
        by_name.setdefault(result.name, []).append(result)
    # where not all fit, those of the reader's own plate come first
    known = sorted(by_name.items(), key=lambda item: not item[1][0].is_fitted)
    shown = dict((known if len(known) > _MOST_PANELS else list(by_name.items()))[:_MOST_PANELS])
    labels = dose_labels(context.exposures)
    panels = [
        EngagementPanel(
            found[0].heading[0],
            tuple(_curve(r, labels[r.dose], context.options.seed) for r in found),
            _subtitle(found[0]),
        )
        for found in shown.values()
    ]
    title = "Inhibition through the day at steady state"
    left = len(by_name) - len(shown)
    alt = (
        f"Inhibition by {context.name} from 0 to 100 % over the hours after a dose at steady "
        f"state, one panel for each of {len(shown)} potencies: {', '.join(shown)}. "
        + " ".join(_said(found) for found in shown.values())
    )
    svg = draw_engagement(panels, key="engagement-curves", title=title, alt=alt)
    caption = (
        f"{dose_head(context.exposures)}. Lines: typical subject; bands: 90 % of the simulated "
        "population. A potency known only as a bound is a region, not a line."
    )
    if any(c.inner_low is not None for p in panels for c in p.curves):
        caption += (
            " For potencies of your plate the band holds the differences of the IC50 between "
            "persons too, and the broken lines are the typical subject at both ends of the "
            "interval of the mean IC50."
        )
    if left:
        caption += f" Further potencies ({left}) stand in the table."
    data = {
        f"{r.name}, {r.dose.label}": {
            "hours": r.course.times,
            "at least %": 100 * inhibition(r.course.typical, r.course.potency).low,
            "at most %": 100 * inhibition(r.course.typical, r.course.potency).high,
        }
        for found in shown.values()
        for r in found
    }
    return Figure("engagement-curves", svg, title, alt, (caption,), data)


def _said(found: Sequence[Result]) -> str:
    from statera.engagement import percent_text  # noqa: PLC0415  only words

    best = found[-1]
    words = percent_text(best.typical.average, best.typical.relation)
    return f"{best.name} at {best.dose.label}: {words} on average."


def _subtitle(result: Result) -> str:
    parts = (result.heading[1], f"{result.course.basis.kind} concentration")
    return "; ".join(part for part in parts if part)


def _curve(result: Result, label: str, seed: int) -> InhibitionCurve:
    c = result.course
    band = inhibition(c.typical, c.potency)
    repeats = max(1, round(_DAY / result.dose.interval))
    times = np.concatenate([c.times + k * result.dose.interval for k in range(repeats)])
    keep = np.concatenate([np.diff(times) > 0, [True]])
    bound: Literal["", "at least", "at most"] = ""
    if not band.is_point:
        least = band.relation in _LOWER
        bound = "at least" if least else "at most"
        edge = band.low if least else band.high
        return InhibitionCurve(label, times[keep], 100 * np.tile(edge, repeats)[keep], bound)
    own = persons(c, seed)
    many = inhibition(c.population if own is None else own, c.potency).low
    low, high = np.quantile(many, [0.05, 0.95], axis=0)
    ends = mean_interval(c.potency)

    def day(values: Floats) -> Floats:
        return np.asarray(100 * np.tile(values, repeats)[keep])

    return InhibitionCurve(
        label,
        times[keep],
        day(band.low),
        low=day(low),
        high=day(high),
        inner_low=None if ends is None else day(inhibition(c.typical, ends[1]).low),
        inner_high=None if ends is None else day(inhibition(c.typical, ends[0]).low),
    )


def heat_figure(
    groups: Sequence[ReceptorGroup],
    days: Mapping[DoseOption, Mapping[tuple[str, ...], ReceptorDay]],
) -> Figure:
    """Return the average daily inhibition by kinases and dose under both assumptions."""
    title = "Expected average daily inhibition by the kinases of the receptor"
    labels = dose_labels(days)
    columns = [(rule, dose) for rule in RULES for dose in days]
    names = [f"{_SHORT[rule]}, {labels[dose]}" for rule, dose in columns]
    rows = [
        HeatRow(
            f"{g.kinases.text}: {g.names}",
            tuple(days[dose][g.kinases.names].average[rule] for rule, dose in columns),
        )
        for g in groups
    ]
    alt = (
        "Table of average daily inhibition; rows are the kinases of a receptor with the cytokines "
        f"that use them, columns are assumption and dose: {', '.join(names)}. The numbers stand "
        "in the cells and in the table below."
    )
    svg = draw_heat(
        rows, names, key="engagement-heat", title=title, alt=alt, row_head="Kinases: cytokines"
    )
    caption = (
        f"{dose_head(days)}. Limiting: as inhibited as the most inhibited kinase; independent: "
        "residual activities multiply. A split cell is known only as a bound or a range: upper "
        "left the lower end, lower right the upper end."
    )
    data: dict[str, object] = {"kinases": [g.kinases.text for g in groups]}
    for (rule, dose), name in zip(columns, names, strict=True):
        values = [days[dose][g.kinases.names].average[rule] for g in groups]
        data[f"{name}, low %"] = [100 * v.low for v in values]
        data[f"{name}, high %"] = [100 * v.high for v in values]
    return Figure("engagement-heat", svg, title, alt, (caption,), data)
