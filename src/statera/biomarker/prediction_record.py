"""A prediction as plain data: what the command prints as JSON and the report carries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from statera.biomarker.external_validation import ExternalValidation
from statera.biomarker.predict import Prediction
from statera.biomarker.responder_guards import Guard
from statera.biomarker.responder_rule import rule_text
from statera.biomarker.responders import Responders
from statera.biomarker.score_model import probability
from statera.biomarker.tuned_model import marker_weights

__all__ = ["marker_rows", "prediction_record", "rule_record", "subject_rows", "validation_record"]


def rule_record(found: Responders) -> dict[str, Any]:
    """Return the rule with the cuts it was applied with."""
    return {**found.rule.as_dict(), "cuts": [float(a.cut) for a in found.applied]}


def marker_rows(found: Prediction, names: Sequence[str]) -> list[dict[str, Any]]:
    """Return a row a marker: how often it was selected, and its weight in the final model.

    Parameters
    ----------
    found
        The prediction.
    names : (m,)
        Names that people know.
    """
    weights = marker_weights(found.final, found.table.markers)
    stability = found.stability
    return [
        {
            "marker": marker,
            "name": names[i],
            "status": found.marker_status[i],
            "frequency": float(stability.frequency[i]),
            "same_sign": float(stability.same_sign[i]),
            "weight": float(weights[i]),
        }
        for i, marker in enumerate(found.table.markers)
    ]


def subject_rows(found: Prediction) -> list[dict[str, Any]]:
    """Return a row a sample: its outcome and the mean probability over repeats it was left out."""
    chance = probability(found.nested.log_odds)
    known = np.isfinite(chance)
    count = known.sum(axis=0)
    mean = np.where(known, chance, 0.0).sum(axis=0) / np.where(count > 0, count, np.nan)
    return [
        {
            "sample": sample,
            "subject": found.table.subjects[i],
            "responder": bool(found.outcome[i]),
            "probability": float(mean[i]),
        }
        for i, sample in enumerate(found.table.samples)
    ]


def prediction_record(
    found: Prediction, responders: Responders, guards: Sequence[Guard], names: Sequence[str]
) -> dict[str, Any]:
    """Return the whole result as plain data (arrays of numpy inside)."""
    optimism = None
    if found.optimism is not None:
        optimism = {k: v for k, v in asdict(found.optimism).items() if k != "weights"}
    stability = found.stability
    people = dict(zip(found.table.subjects, found.outcome.tolist(), strict=True))
    return {
        "rule": rule_record(responders),
        "rule_text": rule_text(responders.rule),
        "outcomes": dict(zip(responders.subjects, responders.status, strict=True)),
        "guards": [asdict(g) for g in guards],
        "samples": len(found.table),
        "subjects": len(people),
        "responders": sum(people.values()),
        "options": asdict(found.options),
        "auc": asdict(found.auc),
        "auc_pooled": found.auc_pooled,
        "brier": found.brier,
        "brier_null": found.brier_null,
        "rank_correlation": found.rank_correlation,
        "calibration": asdict(found.calibration),
        "decision_curve": asdict(found.decision),
        "roc": asdict(found.roc),
        "optimism": optimism,
        "reference": asdict(found.reference) if found.reference else None,
        "permutation": asdict(found.permutation) if found.permutation else None,
        "stability": {
            "nogueira": stability.nogueira, "low": stability.low, "high": stability.high,
            "kuncheva": stability.kuncheva, "sizes": stability.sizes, "status": stability.status,
        },
        "folds": [asdict(o) for o in found.nested.outcomes],
        "markers": marker_rows(found, names),
        "predictions": subject_rows(found),
        "sample_size": asdict(found.sample_size),
        "final": {
            "setting": found.final.setting,
            "complexity": found.final.complexity,
            "status": found.final.status,
        },
        "notes": (*responders.notes, *found.notes),
    }  # fmt: skip


def validation_record(found: ExternalValidation) -> dict[str, Any]:
    """Return the performance of a frozen model as plain data."""
    return asdict(found)
