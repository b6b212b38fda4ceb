"""Figures of a prediction: ROC, calibration, decision curve, stability of selection."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from statera.biomarker.predict import Prediction
from statera.biomarker.score_model import probability
from statera.plot.calibration import draw_calibration
from statera.plot.decision_curve import draw_decision_curve
from statera.plot.roc import draw_roc
from statera.plot.selection_stability import draw_selection_stability
from statera.report.document import Cell, Figure

__all__ = ["calibration_figure", "decision_figure", "roc_figure", "stability_figure"]

_BARS = 20


def _words(name: str, numbers: Sequence[float]) -> str:
    estimate, low, high = numbers
    if not math.isfinite(estimate):
        return f"{name} cannot be estimated"
    if not math.isfinite(low):
        return f"{name} {estimate:.2f}"
    return f"{name} {estimate:.2f} ({low:.2f} to {high:.2f})".replace("-", "−")


def roc_figure(found: Prediction) -> Figure:
    """Return the ROC curve of samples left out."""
    auc, roc = found.auc, found.roc
    label = _words("AUC", (auc.auc, auc.low, auc.high))
    alt = f"ROC curve of samples left out. {label}."
    svg = draw_roc(roc.false_positives, roc.sensitivity, roc.low, roc.high, label=label,
                   key="roc", title="ROC curve", alt=alt)  # fmt: skip
    caption = (
        "Samples left out, ranked within their fold, as models of different folds have scales of "
        "their own; mean over repeats, with a pointwise band.",
        Cell(" ROC curve", "computed", method="roc"),
    )
    data = {"false_positives": roc.false_positives.tolist(),
            "sensitivity": roc.sensitivity.tolist()}  # fmt: skip
    return Figure("roc-figure", svg, "ROC curve", alt, caption, data)


def calibration_figure(found: Prediction) -> Figure:
    """Return the calibration plot of samples left out."""
    c = found.calibration
    label = "\n".join((_words("intercept", c.intercept), _words("slope", c.slope)))
    alt = (
        f"Observed share of responders over predicted probability; {label.replace(chr(10), ', ')}."
    )
    scores = found.nested.log_odds
    known = np.isfinite(scores)
    bins = [(b.predicted, b.observed, b.low, b.high) for b in c.bins]
    svg = draw_calibration(
        c.curve_at, c.curve, c.curve_low, c.curve_high, bins, probability(scores[known]),
        found.outcome[np.nonzero(known)[1]], label=label, key="calibration",
        title="Calibration", alt=alt,
    )  # fmt: skip
    caption = (
        "Samples left out, all repeats; the histogram shows where their predictions lie. Bands and "
        "bars are pointwise and take the predictions of one subject together.",
        Cell(" Calibration", "computed", method="calibration"),
    )
    data = {"at": c.curve_at.tolist(), "curve": c.curve.tolist()}
    return Figure("calibration-figure", svg, "Calibration", alt, caption, data)


def decision_figure(found: Prediction) -> Figure:
    """Return the decision curve."""
    d = found.decision
    with np.errstate(invalid="ignore"):
        better = d.threshold[d.gain_low > 0.0]
    alt = "Net benefit of the model, of acting on all and on nobody, over thresholds."
    if better.size:
        alt += f" The model is better than both within {better.min():.2f} to {better.max():.2f}."
    svg = draw_decision_curve(
        d.threshold, d.model, d.model_low, d.model_high, d.everybody, key="decision",
        title="Decision curve", alt=alt, name=found.options.model,
    )  # fmt: skip
    said = (
        f"The interval of its gain over the better of both excludes 0 at {better.size} of "
        f"{d.threshold.size} thresholds. "
        if better.size
        else "At no threshold does the interval of its gain over the better of both exclude 0. "
    )
    caption = (
        "Acting where the predicted probability reaches the threshold, against acting on all and "
        "on nobody. " + said,
        Cell(" Decision curve", "computed", method="decision"),
    )
    data = {"threshold": d.threshold.tolist(), "model": d.model.tolist(),
            "everybody": d.everybody.tolist()}  # fmt: skip
    return Figure("decision-figure", svg, "Decision curve", alt, caption, data)


def stability_figure(found: Prediction, rows: Sequence[Mapping[str, Any]]) -> Figure | None:
    """Return bars of the markers selected most often, or None where none ever was.

    Parameters
    ----------
    found
        The prediction.
    rows
        Of `statera.biomarker.prediction_record.marker_rows`, most often selected first.
    """
    top = [r for r in rows if r["frequency"] > 0.0][:_BARS]
    if not top:
        return None
    signed = found.options.model == "elastic-net"
    direction = ["" if not signed or not r["weight"] else "+" if r["weight"] > 0 else "-"
                 for r in top]  # fmt: skip
    resamples = found.stability.sizes.size
    alt = f"Selected most often in {resamples} resamples: {', '.join(r['name'] for r in top[:6])}."
    svg = draw_selection_stability(
        [r["name"] for r in top], np.array([r["frequency"] for r in top]), direction,
        key="stability-bars", title="Stability of selection", alt=alt,
    )  # fmt: skip
    kind = "bootstrap resamples" if found.optimism is not None else "outer folds"
    signs = "; the sign is that of the weight in the model of all subjects" if signed else ""
    caption = (
        f"The {len(top)} markers selected most often in {resamples} {kind}{signs}.",
        Cell(" Stability", "computed", method="stability"),
    )
    return Figure("stability-figure", svg, "Stability of selection", alt, caption)
