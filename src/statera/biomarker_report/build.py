"""Put the report of an association analysis together."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from statera.biomarker.analysis import Analysis
from statera.biomarker.sample_table import SampleColumns
from statera.biomarker_report.cells import LIMIT, number
from statera.biomarker_report.contrasts import contrasts_section
from statera.biomarker_report.figures import trajectories, volcanoes
from statera.biomarker_report.methods import ADJUSTMENT, METHODS, REFERENCES, SOURCES
from statera.biomarker_report.permutations import permutation_section
from statera.biomarker_report.remarks import remarks
from statera.report.document import (
    Block,
    Cell,
    Definition,
    Document,
    Inline,
    Paragraph,
    Section,
    Table,
)

__all__ = ["build_biomarker_report"]

_NOTICE = (
    "Research software. Not a medical device. Not for decisions about a person without an "
    "independent check."
)
_FOLD_ABOVE = 30
_MOST_ROWS = 1500


def build_biomarker_report(
    found: Analysis,
    samples: SampleColumns,
    names: Sequence[str],
    *,
    made: Mapping[str, Any],
    title: str = "Analytes and their associations",
    lod: str = "",
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
    lod
        What was done with values below the limit of detection, in words.
    """
    method = found.options.method
    sections = [_summary(found, samples, lod), volcanoes(found, names)]
    used = [method]
    if found.contrasts:
        sections.append(contrasts_section(found, names))
        used.append("pairs")
    if found.permuted is not None:
        sections.append(permutation_section(found.permuted, names))
        used.append("permutation")
    sections += [
        trajectories(found, samples, names),
        _table(found, names),
        _left_out(found, samples, names),
    ]
    keys = [key for name in used for key in SOURCES[name]]
    keys += filter(None, [ADJUSTMENT.get(found.options.adjustment)])
    keys += SOURCES["robust"] if found.options.robust else ()
    return Document(
        title=title,
        subtitle=f"{found.options.formula}, {METHODS[method].title}",
        notice=_NOTICE,
        sections=tuple(sections),
        methods=tuple(METHODS[name] for name in (*used, "means")),
        references=tuple(REFERENCES[key] for key in dict.fromkeys(keys)),
        manifest=made,
    )


def _tested(found: Analysis) -> int:
    return int(np.isfinite(np.column_stack([t.p_value for t in found.terms])).any(axis=1).sum())


def _summary(found: Analysis, samples: SampleColumns, lod: str) -> Section:
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
    if lod:
        pairs.append(("Below the limit of detection", lod))
    if found.options.trend or found.options.robust:
        kinds = [word for word, on in (("trended", found.options.trend),
                                       ("robust", found.options.robust)) if on]  # fmt: skip
        pairs.append(("Prior of variances", " and ".join(kinds)))
    for t in found.terms:
        with np.errstate(invalid="ignore"):
            hits = int((t.adjusted_p < LIMIT).sum())
        meaning = t.meaning or f"{t.numerator_df} degrees of freedom, no one estimate"
        pairs.append((f"{t.term}", f"{hits} with adjusted p < {LIMIT:g} ({meaning})"))
    return Section("summary", "Summary", (Definition(tuple(pairs)),))


def _table(found: Analysis, names: Sequence[str]) -> Section:
    method = found.options.method
    entries = [(t, i) for t in found.terms for i in range(len(names))]
    entries.sort(key=lambda e: (math.isnan(e[0].p_value[e[1]]), e[0].p_value[e[1]]))
    rows: list[tuple[Inline, ...]] = []
    for t, i in entries[:_MOST_ROWS]:
        columns = (t.estimate, t.low, t.high, t.statistic, t.df, t.p_value, t.adjusted_p)
        numbers = [number(float(c[i]), method) for c in columns]
        rows.append((names[i], t.term, *numbers, str(int(found.n[i])), found.status[i]))
    heading = (
        "Analyte", "Term", "Estimate", "Low", "High", "Statistic", "df", "p", "Adjusted p", "n",
        "Status",
    )  # fmt: skip
    scale = "are correlations" if method in ("pearson", "spearman") else "are on the log2 scale"
    foot = (
        f"Estimates {scale}. The statistic is t, F where there is no estimate, or that of a rank "
    )
    foot += "test."
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
    blocks += remarks("Analytes with a remark", "Analytes", found.status, names)
    absent = (
        "Not part of this report: censored values inside mixed models, variances that differ by "
        "group, and random slopes."
    )
    return Section("left-out", "What was left out, and why", (*blocks, Paragraph((absent,))))
