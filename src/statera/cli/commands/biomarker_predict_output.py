"""What ``statera biomarker predict`` prints and writes beside its page."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from statera.cli.output import write_bytes_atomically

if TYPE_CHECKING:
    from statera.biomarker.calibration import Calibration
    from statera.biomarker.discrimination import AucEstimate
    from statera.biomarker.external_validation import ExternalValidation
    from statera.biomarker.predict import Prediction

__all__ = ["SCHEMA", "performance_rows", "validation_rows", "write_predictions"]

SCHEMA = "statera.biomarker-predict/1"

Row = tuple[str, str, str, str, str]


def performance_rows(found: Prediction) -> list[Row]:
    """Return the measures of the samples that were left out, and what the bootstrap adds."""
    rows = [
        _auc("AUC, cross-validated", found.auc),
        _row("AUC, folds together", (found.auc_pooled,)),
        _row("Brier score", found.brier),
        _row("Brier score of the share", (found.brier_null,)),
        *_calibration(found.calibration),
    ]
    if found.rank_correlation[0] == found.rank_correlation[0]:
        rows.append(_row("rank correlation with the uncut outcome", found.rank_correlation))
    if (o := found.optimism) is not None:
        rows += [
            _row("AUC, apparent", (o.apparent,)),
            _row("AUC, corrected for optimism", (o.corrected, o.low, o.high), o.status),
            _row("AUC, .632+", (o.point_632_plus, o.point_632_low, o.point_632_high)),
        ]
    if found.reference is not None:
        gain = found.reference.gain
        rows += [
            _auc("AUC, covariates alone", found.reference.auc),
            _row("AUC gained by markers", (gain.difference, gain.low, gain.high)),
        ]
    s = found.stability
    rows.append(_row("stability of selection", (s.nogueira, s.low, s.high), s.status))
    if (p := found.permutation) is not None:
        said = f"{p.permuted.size} of {p.requested} permutations"
        rows.append(_row("permutation p", (p.p_value,), said))
    return rows


def validation_rows(found: ExternalValidation) -> list[Row]:
    """Return the measures of a frozen model in new subjects."""
    return [
        _auc(f"AUC ({found.auc.method})", found.auc),
        _row("Brier score", found.brier),
        *_calibration(found.calibration),
    ]


def write_predictions(path: Path, rows: list[dict[str, Any]]) -> None:
    """Write a row a sample as CSV."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(rows[0])
    for row in rows:
        writer.writerow([_cell(value) for value in row.values()])
    write_bytes_atomically(path, stream.getvalue().encode())


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float):
        return "" if value != value else f"{value:.10g}"  # noqa: PLR0124  NaN
    return str(value)


def _auc(name: str, found: AucEstimate) -> Row:
    return _row(name, (found.auc, found.low, found.high), found.status)


def _calibration(found: Calibration) -> list[Row]:
    return [
        _row("calibration intercept", found.intercept),
        _row("calibration slope", found.slope, found.status),
    ]


def _row(name: str, numbers: tuple[float, ...], status: str = "ok") -> Row:
    shown = ["" if x != x else f"{x:.4g}" for x in numbers]  # noqa: PLR0124  NaN
    estimate, low, high = [*shown, "", ""][:3]
    return name, estimate, low, high, status
