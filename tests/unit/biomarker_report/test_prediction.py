"""The page of a prediction, also of one that found nothing and of one that is perfect."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from statera.biomarker.marker_table import MarkerTable
from statera.biomarker.predict import Prediction, predict_response
from statera.biomarker.prediction_options import PredictionOptions
from statera.biomarker.prediction_record import marker_rows, subject_rows
from statera.biomarker.responder_guards import rule_guards
from statera.biomarker.responder_rule import read_rule
from statera.biomarker.responders import Responders, apply_rule
from statera.biomarker_report.prediction import build_prediction_report
from statera.report import render_html

pytest.importorskip("sklearn", reason="scikit-learn, the extra of prediction, is absent")

LIGHT = PredictionOptions(
    outer_folds=3, repeats=1, inner_folds=2, bootstraps=2, l1_ratios=(1.0,), penalties=4
)


def predicted(effect: float, **options: object) -> tuple[Prediction, Responders]:
    random = np.random.default_rng(2)
    values = random.normal(size=(60, 4))
    score = effect * values[:, 0] + (effect == 0.0) * random.normal(size=60)
    ids = tuple(f"s{i}" for i in range(60))
    table = MarkerTable(
        ("A", "B", "C", "D"), values, np.zeros((60, 4), dtype=bool), np.full((60, 4), np.nan),
        ids, ids,
    )  # fmt: skip
    found = apply_rule({"subject": list(ids), "score": score.tolist()}, read_rule("score > 0"))
    chosen = replace(LIGHT, **options)  # type: ignore[arg-type]
    return predict_response(table, score > 0, chosen, uncut=score), found


def page(found: Prediction, responders: Responders) -> str:
    names = list(found.table.markers)
    guards = rule_guards(responders)
    return render_html(
        build_prediction_report(found, responders, guards, names, ("A note.",), made={"seed": 1})
    )


def test_nothing_found_says_so() -> None:
    found, responders = predicted(0.0, tuning="one-standard-error", smallest_penalty=0.99)
    assert found.stability.status == "no marker is ever selected"
    text = page(found, responders)
    assert "No marker is ever selected." in text
    assert "All predictions are equal: no slope and no curve." in text
    assert "cannot be estimated" in text
    assert found.auc.auc == 0.5
    assert "stability-bars" not in text


def test_classes_told_apart_have_no_interval() -> None:
    found, responders = predicted(50.0, smallest_penalty=0.001)
    assert found.auc.auc > 0.98
    assert found.optimism is not None
    assert "the apparent area is" in found.optimism.status
    text = page(found, responders)
    assert "The apparent area is" in text
    assert "Dichotomising" in text


def test_rows_of_markers_and_samples() -> None:
    found, _ = predicted(1.0)
    rows = marker_rows(found, ["a", "b", "c", "d"])
    assert [r["name"] for r in rows] == ["a", "b", "c", "d"]
    assert rows[0]["frequency"] == 1.0
    assert rows[0]["weight"] > 0.0
    samples = subject_rows(found)
    chance = 1.0 / (1.0 + np.exp(-found.nested.log_odds[0]))
    assert [r["probability"] for r in samples] == pytest.approx(chance.tolist())
    assert sum(r["responder"] for r in samples) == found.outcome.sum()
