"""Forest plots of the difference from control, by field of medicine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from statera.monograph.sections.efficacy_contrasts import (
    FEWER,
    HARMS,
    INDICATIONS,
    Contrast,
    counts_text,
)
from statera.monograph.sections.efficacy_words import arm_text, endpoint_text, signed, time_text
from statera.plot.forest import ForestGroup, ForestOptions, ForestRow, draw_forest
from statera.report.document import Figure

__all__ = ["forest_figures"]

# More than this many rows in a figure cannot be read at a glance: then only the endpoints that
# most trials share are drawn, and the rest stand in the table.
_MOST_ROWS = 24
_SHARED = ("ACR20", "ACR50")


@dataclass(frozen=True)
class _Field:
    key: str
    title: str
    indications: tuple[str, ...]


_FIELDS = (
    _Field("ra", "Rheumatoid arthritis", ("RA",)),
    _Field("skin", "Skin and hair", ("AA", "AD")),
)


def forest_figures(name: str, found: Sequence[Contrast]) -> list[Figure]:
    """Return one forest plot for each field with a difference; adverse events are left out."""
    drawn = [c for c in found if c.difference is not None and c.endpoint not in HARMS]
    claimed = {i for field in _FIELDS for i in field.indications}
    others = dict.fromkeys(
        c.treated.get("indication") for c in drawn if c.treated.get("indication") not in claimed
    )
    fields = (*_FIELDS, _Field("other", "Other indications", tuple(others)))
    figures = []
    for field in fields:
        own = [c for c in drawn if c.treated.get("indication") in field.indications]
        if own:
            figures.append(_figure(name, field, own))
    return figures


def _figure(name: str, field: _Field, found: Sequence[Contrast]) -> Figure:
    shown = list(found)
    if len(shown) > _MOST_ROWS:
        shown = [c for c in found if c.endpoint in _SHARED] or shown[:_MOST_ROWS]
    groups: dict[str, list[ForestRow]] = {}
    for c in shown:
        groups.setdefault(_heading(c), []).append(_row(c))
    title = f"{field.title}: difference from control"
    said = "; ".join(f"{_label(c)} {signed(c.difference or 0.0)}" for c in shown[:8])
    more = f" and {len(shown) - 8} more" if len(shown) > 8 else ""
    alt = (
        f"Forest plot of {len(shown)} differences between {name} and control in percentage points. "
        f"{said}{more}."
    )
    options = ForestOptions(
        x_label="Active minus control (percentage points)",
        row_head="Trial, arm, time",
        arms=("Active", "Control"),
        estimate_head="Difference (95 % CI)",
    )
    key = f"efficacy-{field.key}"
    svg = draw_forest(
        [ForestGroup(heading, tuple(rows)) for heading, rows in groups.items()],
        options,
        key=key,
        title=title,
        alt=alt,
    )
    caption = "Filled: with an interval; hollow: arm sizes not retrieved, so no interval."
    if len(shown) < len(found):
        caption += f" {', '.join(_SHARED)} only; the other endpoints stand in the tables."
    data = {
        "row": [_label(c) for c in shown],
        "endpoint": [c.endpoint for c in shown],
        "difference": [c.difference for c in shown],
        "low": [None if c.interval is None else c.interval.low for c in shown],
        "high": [None if c.interval is None else c.interval.high for c in shown],
    }
    return Figure(key, svg, title, alt, (caption,), data)


def _heading(c: Contrast) -> str:
    better = "fewer is better" if c.endpoint in FEWER else "more is better"
    indication = c.treated.get("indication")
    return f"{INDICATIONS.get(indication, indication)}: {endpoint_text(c.endpoint)} ({better})"


def _label(c: Contrast) -> str:
    arm = arm_text(c.treated.get("arm")).removeprefix("baricitinib ")
    control = "" if c.control is None else c.control.get("arm")
    against = (
        "" if "placebo" in arm_text(control) or not control else f" against {arm_text(control)}"
    )
    time = time_text(c.treated.get("timepoint"))
    return f"{c.trial}, {arm}{against}, {time}"


def _row(c: Contrast) -> ForestRow:
    control = "" if c.control is None else counts_text(c.control)
    low = None if c.interval is None else c.interval.low
    high = None if c.interval is None else c.interval.high
    return ForestRow(_label(c), c.difference, low, high, counts=(counts_text(c.treated), control))
