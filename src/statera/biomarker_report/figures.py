"""Volcano plots of the terms, and trajectories of the analytes that stand out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from statera.biomarker.analysis import Analysis, TermTests
from statera.biomarker.sample_table import SampleColumns
from statera.biomarker_report.axis import trajectories_of
from statera.biomarker_report.cells import LIMIT
from statera.plot.trajectories import Trajectories, draw_trajectories
from statera.plot.volcano import draw_volcano
from statera.report.document import Block, Callout, Cell, Figure, Paragraph, Section

__all__ = ["trajectories", "volcanoes"]

_FEW = 6
_MOST = 24
_CORRELATIONS = ("pearson", "spearman")


def volcanoes(found: Analysis, names: Sequence[str]) -> Section:
    """Return a volcano plot of each term that has an estimate."""
    blocks: list[Block] = []
    for place, t in enumerate(found.terms):
        if not t.meaning:
            blocks.append(
                Paragraph(
                    (f"{t.term} has {t.numerator_df} degrees of freedom and so no one estimate: "
                     "no volcano plot is drawn; its tests are in the table.",)
                )
            )  # fmt: skip
        elif np.isfinite(t.p_value).any():
            blocks.append(_volcano(t, place, names, found.options.method))
    return Section("volcano", "Estimates and p-values", tuple(blocks))


def _volcano(t: TermTests, place: int, names: Sequence[str], method: str) -> Figure:
    with np.errstate(invalid="ignore"):
        hits = int((t.adjusted_p < LIMIT).sum())
    alt = f"{int(np.isfinite(t.p_value).sum())} analytes, {hits} with adjusted p < {LIMIT:g}."
    label = f"{t.meaning[0].upper()}{t.meaning[1:]}"
    svg = draw_volcano(
        names, t.estimate, t.p_value, t.adjusted_p, key=f"volcano-{place}", title=t.term, alt=alt,
        x_label=label if method in _CORRELATIONS else f"{label} (log2)", limit=LIMIT,
    )  # fmt: skip
    data = {"analyte": list(names), "estimate": t.estimate.tolist(), "p": t.p_value.tolist()}
    caption = ("The analytes of the smallest p-values are named where there is room.",)
    return Figure(f"volcano-{place}-figure", svg, t.term, alt, caption, data)


def _least(columns: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return the smallest value (m,) of any term, inf where there is none."""
    table = np.column_stack(columns)
    return np.asarray(np.where(np.isnan(table), np.inf, table).min(axis=1))


def trajectories(found: Analysis, samples: SampleColumns, names: Sequence[str]) -> Section:
    """Return trajectories of the significant analytes, or of the first few where there is none."""
    title = "Trajectories"
    placed = trajectories_of(samples)
    p = _least([t.p_value for t in found.terms])
    adjusted = _least([t.adjusted_p for t in found.terms])
    order = [int(i) for i in np.argsort(p, kind="stable") if np.isfinite(p[i])]
    hits = [i for i in order if adjusted[i] < LIMIT]
    top = (hits or order[:_FEW])[:_MOST]
    if placed is None or not top:
        reason = "no analyte was tested" if placed is not None else "no column has few values"
        return Section("trajectories", title, (Callout("missing", "Not drawn", (f"{reason}.",)),))
    if not hits:
        said = f"No analyte has adjusted p < {LIMIT:g}; the {len(top)} smallest p-values are drawn."
    elif len(hits) > len(top):
        said = (
            f"The first {len(top)} of {len(hits)} analytes with adjusted p < {LIMIT:g} are drawn."
        )
    else:
        said = f"All {len(hits)} analytes with adjusted p < {LIMIT:g} in any term are drawn."
    blocks: list[Block] = [Paragraph((said,))]
    titles = [f"{name} (p {q:.1e})" for name, q in zip(names, adjusted, strict=True)]
    for start in range(0, len(top), _FEW):
        some = top[start : start + _FEW]
        blocks.append(_panels(found, samples, names, titles, placed, some, start // _FEW))
    return Section("trajectories", title, tuple(blocks))


def _panels(
    found: Analysis, samples: SampleColumns, names: Sequence[str], titles: Sequence[str],
    placed: Trajectories, some: Sequence[int], place: int,
) -> Figure:  # fmt: skip
    level = found.options.level
    alt = f"Values over {placed.axis} of {', '.join(names[i] for i in some)}."
    key = f"trajectories-{place}"
    title = ", ".join(names[i] for i in some)
    svg = draw_trajectories(
        [titles[i] for i in some], samples.measurements.values.T[list(some)], placed,
        y_label="log2 value", key=key, title=title, alt=alt, level=level,
    )  # fmt: skip
    if place:
        return Figure(f"{key}-figure", svg, title, alt, ())
    joined = "the values of a subject are joined; " if placed.subject else ""
    caption = (
        "In order of the smallest p-value of any term; p is the smallest adjusted one. Small "
        f"points are samples; {joined}large points are means with {level:.0%} intervals. Chosen "
        "for their p-values, they look better than they would in new data.",
        Cell(" Means", "computed", method="means"),
    )
    return Figure(f"{key}-figure", svg, title, alt, caption)
