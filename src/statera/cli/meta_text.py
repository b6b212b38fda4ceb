"""The text of ``statera meta pairwise``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from statera.evidence.certainty import Grading
    from statera.evidence.table_analysis import Analysis, Failed

__all__ = ["text_of"]


def text_of(found: Sequence[Analysis | Failed], *, show_fit: bool = False) -> str:
    """Return the blocks of each outcome; several are headed by their names."""
    from statera.evidence.table_analysis import Failed  # late: only when run

    parts = []
    for one in found:
        text = f"Not pooled: {one.reason}.\n" if isinstance(one, Failed) else _one(one, show_fit)
        if len(found) > 1:
            text = f"{one.outcome}\n{'=' * len(one.outcome)}\n\n{text}"
        parts.append(text)
    if len(found) > 1:
        from statera.evidence.analysis_data import findings_of  # late: only when run
        from statera.evidence.findings_formats import findings_text

        parts.append(
            f"Summary of findings\n===================\n\n{findings_text(findings_of(found))}"
        )
    return "\n".join(parts)


def _one(found: Analysis, show_fit: bool) -> str:
    from statera.evidence.print_diagnostics import print_diagnostics  # late: only when run
    from statera.evidence.print_methods import print_multivariate, print_synthesis
    from statera.evidence.print_text import print_pairwise
    from statera.evidence.subgroup_effects import print_subgroup_effects

    if found.joint is not None:
        joint = found.joint
        text = print_multivariate(
            joint.result, joint.effects, intervals=joint.tau2_intervals, notes=joint.notes
        )
        for j in found.judged:
            if j is not None:
                text += f"\n{certainty_lines(j.grading)}\n"
        return text
    if found.regression is not None:
        return print_pairwise(found.regression, show_fit=show_fit)
    assert found.synthesis is not None
    text = print_synthesis(found.synthesis, show_fit=show_fit)
    if found.groups is not None:
        text += f"\n{print_subgroup_effects(found.groups, found.synthesis.pooled)}"
    if found.diagnostics is not None:
        text += f"\n{print_diagnostics(found.diagnostics)}"
    if found.table.risk_of_bias:
        text += f"\n{_risk_of_bias(found)}\n"
    judged = found.judged[0] if found.judged else None
    if judged is not None and not judged.grading.is_empty:
        text += f"\n{certainty_lines(judged.grading)}\n"
    return text


def _risk_of_bias(found: Analysis) -> str:
    """Return the judgements of each study beside its weight."""
    from statera.evidence.print_cells import number_text, table_text  # late: only when run

    assert found.synthesis is not None
    pooled = found.synthesis.pooled
    domains = found.table.risk_of_bias
    weights = (
        [math.nan] * pooled.k if pooled.weights is None else [float(w) for w in pooled.weights]
    )
    left = list(zip(pooled.effects.names, weights, strict=True))
    rows = [("study", "weight", *domains)]
    for i, name in enumerate(found.effects.names):
        used = bool(left) and left[0][0] == name
        weight = f"{number_text(left.pop(0)[1], 1)}%" if used else "left out"
        weight = weight.replace("NA%", "")
        rows.append((name, weight, *(column[i] or "not judged" for column in domains.values())))
    return f"Risk of Bias:\n\n{table_text(rows, ('study',))}"


def certainty_lines(grading: Grading) -> str:
    """Return the certainty as judged, with its arithmetic and reasons."""
    level = grading.level
    name = f" of '{grading.outcome}'" if grading.outcome else ""
    lines = [f"Certainty of Evidence{name} (GRADE, as judged by the authors of the table):"]
    lines.append(level.text if level is not None else "not rated")
    if grading.judgements:
        lines.append(f"  {grading.sum_text}")
    lines += [f"  {note}" for note in grading.footnotes]
    return "\n".join(lines)
