"""What the fit was made from: observations and covariates in numbers."""

from __future__ import annotations

import numpy as np

from statera.estimate.diagnostics import Diagnostics
from statera.fit_report.parts import computed
from statera.plot.points import column
from statera.report.document import Block, Callout, Inline, Section, Table

__all__ = ["data_section"]

_METHOD = "diagnostic_counts"
_FEW = 6


def data_section(diagnostics: Diagnostics) -> Section:
    """Return counts of observations by output, and covariates of subjects."""
    blocks: list[Block] = [_outputs(diagnostics)]
    if diagnostics.covariates:
        blocks.append(_covariates(diagnostics))
    blocks += [Callout("note", "Note", (text,)) for text in diagnostics.remarks]
    return Section("observations", "Observations", tuple(blocks))


def _outputs(diagnostics: Diagnostics) -> Table:
    import polars as pl  # noqa: PLC0415  heavy: loaded when a table is made

    rows: list[tuple[Inline, ...]] = []
    table = diagnostics.observations
    for output in table["OUTPUT"].unique(maintain_order=True).to_list():
        mine = table.filter(pl.col("OUTPUT") == output)
        per = mine.group_by("ID").len()["len"]
        quantified = mine.filter(pl.col("STATUS").is_in(["quantified", "outcome"]))
        values = column(quantified, "DV")
        unit = diagnostics.units.get(output, "")
        rows.append(
            (
                output,
                computed(int(per.len()), _METHOD),
                computed(mine.height, _METHOD),
                computed(mine.height - quantified.height, _METHOD),
                computed(float(np.median(per.to_numpy())), _METHOD),
                computed(float(np.median(values)) if values.size else None, _METHOD, unit),
                computed(float(values.min()) if values.size else None, _METHOD, unit),
                computed(float(values.max()) if values.size else None, _METHOD, unit),
            )
        )
    return Table(
        "Observations used, by output",
        (
            "Output", "Subjects", "Observations", "Beyond a limit", "Per subject, median",
            "Median", "Lowest", "Highest",
        ),
        tuple(rows),
        numeric=tuple(range(1, 8)),
        foot=("Median, lowest and highest are those of quantified values.",),
    )  # fmt: skip


def _covariates(diagnostics: Diagnostics) -> Table:
    rows: list[tuple[Inline, ...]] = []
    for name in diagnostics.covariates:
        values = column(diagnostics.subjects, name)
        known = values[np.isfinite(values)]
        levels, counts = np.unique(known, return_counts=True)
        if levels.size <= _FEW:
            said = ", ".join(f"{v:g}: {n}" for v, n in zip(levels, counts, strict=True))
        else:
            said = f"median {np.median(known):.4g}, {known.min():.4g} to {known.max():.4g}"
        from_data: Inline = said or "no values"
        rows.append((name, from_data, computed(int(values.size - known.size), _METHOD)))
    return Table(
        "Columns beside the observations, on the first record of each subject",
        ("Column", "Value: subjects, or range", "Missing"),
        tuple(rows),
        numeric=(2,),
    )
