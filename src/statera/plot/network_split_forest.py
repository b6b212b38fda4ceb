"""Forest of direct against indirect evidence: each pair of treatments that has both."""

from __future__ import annotations

import math
from collections.abc import Sequence

from statera.evidence.network_split import SplitRow
from statera.numerics.intervals_exact import normal_quantile
from statera.plot.study_forest import Mean, Study, StudyForestOptions, StudyGroup

__all__ = ["network_split_forest"]


def network_split_forest(
    rows: Sequence[SplitRow], *, measure: str, log: bool, level: float = 0.95
) -> tuple[tuple[StudyGroup, ...], StudyForestOptions]:
    """Return what `draw_study_forest` draws of splits; squares grow with the share of evidence.

    Parameters
    ----------
    rows
        Of `side_split` or `split_node`; pairs without direct or without indirect evidence are
        left out.
    measure, log
        Code of the measure; whether rows are logarithms.
    level
        Of the intervals.

    Raises
    ------
    ValueError
        If no pair has both kinds of evidence.
    """
    both = [row for row in rows if math.isfinite(row.direct) and math.isfinite(row.indirect)
            and row.studies > 0]  # fmt: skip
    if not both:
        raise ValueError("no comparison has direct and indirect evidence")
    z = normal_quantile(level)

    def ends(value: float, se: float) -> tuple[float, float, float]:
        three = value, value - z * se, value + z * se
        return (math.exp(three[0]), math.exp(three[1]), math.exp(three[2])) if log else three

    groups = []
    for row in both:
        studies = "1 study" if row.studies == 1 else f"{row.studies} studies"
        direct, indirect = ends(row.direct, row.direct_se), ends(row.indirect, row.indirect_se)
        p = "p < 0.001" if row.p < 0.001 else f"p = {row.p:.3f}"
        groups.append(
            StudyGroup(
                row.label,
                (
                    Study(f"Direct ({studies})", *direct, weight=100 * row.share),
                    Study("Indirect", *indirect, weight=100 * (1 - row.share)),
                ),
                (Mean(f"Network ({p})", *ends(row.estimate, row.se)),),
            )
        )
    options = StudyForestOptions(
        scale="ratio" if log else "difference",
        reference=1.0 if log else 0.0,
        row_head="Comparison (p of the difference)",
        estimate_head=f"{measure} ({100 * level:g} % CI)",
        weight_head="Share",
    )
    return tuple(groups), options
