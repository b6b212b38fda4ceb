"""Put the report of an association analysis together."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from statera.biomarker.analysis import Analysis, TermTests
from statera.biomarker.sample_table import SampleColumns
from statera.biomarker_report.axis import trajectories_of
from statera.biomarker_report.methods import ADJUSTMENT, METHODS, REFERENCES, SOURCES
from statera.plot.trajectories import draw_trajectories
from statera.plot.volcano import draw_volcano
from statera.report.document import (
    Block,
    Callout,
    Cell,
    Definition,
    Document,
    Figure,
    Inline,
    Paragraph,
    Section,
    Table,
)  # fmt: skip
from statera.report.tabulate import format_number

__all__ = ["build_biomarker_report"]

_NOTICE = (
    "Research software. Not a medical device. Not for decisions about a person without an "
    "independent check."
)
_FOLD_ABOVE = 30
_MOST_ROWS = 1500
_TOP = 6
_LIMIT = 0.05


def build_biomarker_report(
    found: Analysis,
    samples: SampleColumns,
    names: Sequence[str],
    *,
    made: Mapping[str, Any],
    title: str = "Analytes and their associations",
) -> Document:
    """Return the report of one analysis.

    Parameters
    ----------
    found
        From `statera.biomarker.analysis.analyse`.
    samples
        What it was made of.
    names : (m,)
        Names of the analytes that people know.
    made
        The manifest.
    title
        Heading.
    """
    method = found.options.method
    sections = [
        _summary(found, samples),
        _volcanoes(found, names),
        _trajectories(found, samples, names),
        _table(found, names),
        _left_out(found, samples, names),
    ]
    keys = [*SOURCES[method], *filter(None, [ADJUSTMENT.get(found.options.adjustment)])]
    return Document(
        title=title,
        subtitle=f"{found.options.formula}, {METHODS[method].title}",
        notice=_NOTICE,
        sections=tuple(sections),
        methods=(METHODS[method], METHODS["means"]),
        references=tuple(REFERENCES[key] for key in keys),
        manifest=made,
    )


def _number(value: float, method: str) -> Cell:
    if not math.isfinite(value):
        return Cell("", "missing")
    return Cell(format_number(value), "computed", method=method, value=value)


def _tested(found: Analysis) -> int:
    return int(np.isfinite(np.column_stack([t.p_value for t in found.terms])).any(axis=1).sum())


def _summary(found: Analysis, samples: SampleColumns) -> Section:
    method, adjustment = found.options.method, found.options.adjustment
    keys = (*SOURCES[method], *filter(None, [ADJUSTMENT.get(adjustment)]))
    pairs: list[tuple[str, Inline]] = [
        ("Analytes tested", f"{_tested(found)} of {len(found.analytes)}"),
        ("Samples", str(len(samples.measurements.sample_ids))),
    ]
    if samples.subject:
        pairs.append(("Subjects", str(len(set(samples.subject)))))
    pairs += [
        ("Formula", found.options.formula),
        ("Method", Cell(METHODS[method].title, "fact", keys)),
        ("Adjustment", f"{adjustment}, over all rows of analyte and term together"),
    ]
    for t in found.terms:
        with np.errstate(invalid="ignore"):
            hits = int((t.adjusted_p < _LIMIT).sum())
        meaning = t.meaning or f"{t.numerator_df} degrees of freedom, no one estimate"
        pairs.append((f"{t.term}", f"{hits} with adjusted p < {_LIMIT:g} ({meaning})"))
    return Section("summary", "Summary", (Definition(tuple(pairs)),))


def _volcanoes(found: Analysis, names: Sequence[str]) -> Section:
    blocks: list[Block] = []
    for number, t in enumerate(found.terms):
        if not t.meaning:
            blocks.append(
                Paragraph(
                    (f"{t.term} has {t.numerator_df} degrees of freedom and so no one estimate: "
                     "no volcano plot is drawn; its tests are in the table.",)
                )
            )  # fmt: skip
        elif np.isfinite(t.p_value).any():
            blocks.append(_volcano(t, number, names))
    return Section("volcano", "Estimates and p-values", tuple(blocks))


def _volcano(t: TermTests, number: int, names: Sequence[str]) -> Figure:
    with np.errstate(invalid="ignore"):
        hits = int((t.adjusted_p < _LIMIT).sum())
    alt = f"{int(np.isfinite(t.p_value).sum())} analytes, {hits} with adjusted p < {_LIMIT:g}."
    label = f"{t.meaning[0].upper()}{t.meaning[1:]} (log2)"
    svg = draw_volcano(
        names, t.estimate, t.p_value, t.adjusted_p, key=f"volcano-{number}", title=t.term, alt=alt,
        x_label=label, limit=_LIMIT,
    )  # fmt: skip
    data = {"analyte": list(names), "estimate": t.estimate.tolist(), "p": t.p_value.tolist()}
    caption = ("The analytes of the smallest p-values are named where there is room.",)
    return Figure(f"volcano-{number}-figure", svg, t.term, alt, caption, data)


def _trajectories(found: Analysis, samples: SampleColumns, names: Sequence[str]) -> Section:
    placed = trajectories_of(samples)
    with np.errstate(invalid="ignore"):
        least = np.nanmin(
            np.where(np.isnan(p := np.column_stack([t.p_value for t in found.terms])), np.inf, p),
            axis=1,
        )
    top = [int(i) for i in np.argsort(least, kind="stable")[:_TOP] if np.isfinite(least[i])]
    if placed is None or not top:
        reason = "no analyte was tested" if placed is not None else "no column has few values"
        return Section(
            "trajectories", "Top analytes", (Callout("missing", "Not drawn", (f"{reason}.",)),)
        )
    alt = f"Values over {placed.axis} of {', '.join(names[i] for i in top)}."
    svg = draw_trajectories(
        [names[i] for i in top], samples.measurements.values.T[top], placed,
        y_label="log2 value", key="trajectories", title="Top analytes", alt=alt,
        level=found.options.level,
    )  # fmt: skip
    joined = "the values of a subject are joined; " if placed.subject else ""
    caption = (
        f"The {len(top)} analytes of the smallest p-values of any term. Small points are samples; "
        f"{joined}large points are means with {found.options.level:.0%} intervals. Chosen for "
        "their p-values, they look better than they would in new data.",
        Cell(" Means", "computed", method="means"),
    )
    return Section(
        "trajectories", "Top analytes",
        (Figure("trajectories-figure", svg, "Top analytes", alt, caption),),
    )  # fmt: skip


def _table(found: Analysis, names: Sequence[str]) -> Section:
    method = found.options.method
    entries = [(t, i) for t in found.terms for i in range(len(names))]
    entries.sort(key=lambda e: (math.isnan(e[0].p_value[e[1]]), e[0].p_value[e[1]]))
    rows: list[tuple[Inline, ...]] = []
    for t, i in entries[:_MOST_ROWS]:
        columns = (t.estimate, t.low, t.high, t.statistic, t.df, t.p_value, t.adjusted_p)
        numbers = [_number(float(c[i]), method) for c in columns]
        rows.append((names[i], t.term, *numbers, str(int(found.n[i])), found.status[i]))
    heading = (
        "Analyte", "Term", "Estimate", "Low", "High", "Statistic", "df", "p", "Adjusted p", "n",
        "Status",
    )  # fmt: skip
    foot = "Estimates are on the log2 scale. The statistic is t, or F where there is no estimate."
    if len(entries) > _MOST_ROWS:
        foot += f" {len(entries) - _MOST_ROWS} of {len(entries)} rows are left to the CSV table."
    table = Table("Tests of all analytes, smallest p-values first", heading, tuple(rows),
                  numeric=tuple(range(2, 10)), foot=(foot,),
                  folded=len(rows) > _FOLD_ABOVE)  # fmt: skip
    return Section("tests", "All tests", (table,))


def _left_out(found: Analysis, samples: SampleColumns, names: Sequence[str]) -> Section:
    blocks: list[Block] = [
        Paragraph((note,)) for note in (*samples.measurements.notes, *samples.notes, *found.notes)
    ]
    counts = Counter(status for status in found.status if status != "ok")
    rows: list[tuple[Inline, ...]] = []
    for status, count in counts.most_common():
        own = [n for n, s in zip(names, found.status, strict=True) if s == status]
        rest = f" and {count - 20} more" if count > 20 else ""
        rows.append((status, str(count), ", ".join(own[:20]) + rest))
    if rows:
        blocks.append(Table("Analytes with a remark", ("Status", "Analytes", "Names"),
                            tuple(rows), numeric=(1,)))  # fmt: skip
    absent = (
        "Not part of this report: censored likelihoods, variances that differ by group, "
        "random slopes, and prediction of response."
    )
    return Section("left-out", "What was left out, and why", (*blocks, Paragraph((absent,))))
