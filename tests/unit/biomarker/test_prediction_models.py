"""The two models: optimality, agreement with scikit-learn, and the file of a kept model."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import special

from statera.biomarker.boosted_trees import fit_boosted_path
from statera.biomarker.design import Factor
from statera.biomarker.elastic_net_logistic import fit_elastic_net_path
from statera.biomarker.external_validation import validate_scores
from statera.biomarker.frozen_model import (
    freeze,
    frozen_text,
    read_frozen_model,
    score_new_table,
)
from statera.biomarker.marker_table import MarkerTable
from statera.biomarker.prediction_options import PredictionOptions
from statera.biomarker.score_model import importance, log_odds
from statera.biomarker.tuned_model import TunedModel, fit_tuned_model, predict_log_odds
from statera.errors import InputError, UsageError

pytest.importorskip("sklearn", reason="scikit-learn, the extra of prediction, is absent")

FRACTIONS = np.geomspace(1.0, 0.05, 12)


def data(n: int = 80, k: int = 40, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    x = random.normal(size=(n, k))
    y = random.random(n) < special.expit(1.5 * x[:, 0] - x[:, 1])
    return (x - x.mean(axis=0)) / x.std(axis=0), y


@pytest.mark.parametrize("l1", [0.1, 0.5, 1.0])
@pytest.mark.parametrize("k", [5, 120])
def test_the_optimality_conditions_hold(l1: float, k: int) -> None:
    x, y = data(k=k)
    path = fit_elastic_net_path(x, y, l1, FRACTIONS)
    assert path.converged
    assert not path.coefficients[0].any()
    for fraction, intercept, beta in zip(
        FRACTIONS, path.intercepts, path.coefficients, strict=True
    ):
        penalty = fraction * path.largest
        rest = y - special.expit(intercept + x @ beta)
        gradient = x.T @ rest / y.size - penalty * (1 - l1) * beta
        used = beta != 0
        assert abs(rest.mean()) < 1e-5
        assert gradient[used] == pytest.approx(penalty * l1 * np.sign(beta[used]), abs=2e-5)
        assert (np.abs(gradient[~used]) <= penalty * l1 + 2e-5).all()


def test_scikit_learn_finds_the_same_coefficients() -> None:
    linear = pytest.importorskip("sklearn.linear_model")
    x, y = data(k=25)
    path = fit_elastic_net_path(x, y, 0.5, FRACTIONS)
    weight = 1.0 / (y.size * FRACTIONS[7] * path.largest)
    other = linear.LogisticRegression(
        solver="saga", l1_ratio=0.5, C=weight, tol=1e-9, max_iter=50000, random_state=1
    ).fit(x, y)
    assert path.coefficients[7] == pytest.approx(other.coef_[0], abs=1e-5)
    assert path.intercepts[7] == pytest.approx(float(other.intercept_[0]), abs=1e-5)


def test_separated_classes_end_the_path() -> None:
    x = np.column_stack([np.linspace(-2, 2, 40), np.tile([1.0, -1.0], 20)])
    path = fit_elastic_net_path(x, x[:, 0] > 0, 1.0, np.geomspace(1.0, 1e-6, 40))
    assert np.isfinite(path.coefficients).all()
    assert path.coefficients[-1].tolist() == path.coefficients[-2].tolist()


def test_trees_as_arrays_say_what_the_classifier_says() -> None:
    x, y = data(k=15)
    stages = (0, 3, 25)
    path = fit_boosted_path(x, y, 3, stages, learning_rate=0.1, subsample=0.7, features=6, seed=3)
    new = np.random.default_rng(9).normal(size=(200, 15))
    scores = path.log_odds(new)
    for place in range(3):
        model = path.at(place)
        assert log_odds(model, new) == pytest.approx(scores[:, place], abs=1e-12)
    assert scores[:, 2] == pytest.approx(np.ravel(path.classifier.decision_function(new)))
    assert importance(path.at(0)).tolist() == [0.0] * 15
    gain = importance(path.at(2))
    assert gain == pytest.approx(path.classifier.feature_importances_, abs=0.05)
    assert gain.sum() == pytest.approx(1.0)


def fitted(model: str) -> tuple[TunedModel, MarkerTable, np.ndarray]:
    random = np.random.default_rng(5)
    values = random.normal(size=(90, 12))
    y = random.random(90) < special.expit(2 * values[:, 0] - 1.5 * values[:, 3])
    ids = tuple(f"s{i}" for i in range(90))
    values[4, 0] = np.nan
    lod = np.full(values.shape, -1.8)
    table = MarkerTable(
        tuple(f"M{j}" for j in range(12)), values, values < lod, lod, ids, ids,
        {"age": random.normal(size=90), "arm": Factor.of(["a", "b"] * 45)}, ("x", "y", "z") * 30,
    )  # fmt: skip
    options = PredictionOptions(model=model, penalties=10, trees=(0, 5, 20), depths=(2,))
    return fit_tuned_model(table, y, ids, options, "test"), table, y


@pytest.mark.parametrize("model", ["elastic-net", "boosting"])
def test_a_kept_model_predicts_as_the_fitted_one(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    final, table, y = fitted(model)
    frozen = freeze(final, {"name": "r", "cuts": [1.0]}, {"auc": float("nan")})
    assert frozen.preprocessing.n_markers < 12
    path = tmp_path / "model.json"
    path.write_text(frozen_text(frozen), encoding="utf-8")
    monkeypatch.setitem(sys.modules, "sklearn", None)  # it is used without the library
    again = read_frozen_model(path)
    score, notes = score_new_table(again, table)
    assert score == pytest.approx(predict_log_odds(final, table), abs=1e-12)
    assert not any("outside the range" in n for n in notes)
    assert frozen_text(again) == frozen_text(frozen)
    assert again.rule == {"name": "r", "cuts": [1.0]}
    external = validate_scores(y, score, table.subjects)
    assert external.auc.method == "DeLong"
    assert external.auc.auc > 0.8


def test_what_new_samples_lack_is_told(tmp_path: Path) -> None:
    final, table, _ = fitted("elastic-net")
    frozen = freeze(final, {}, {})
    values = table.values.copy()
    values[0, 0], values[1, 0], values[2, 0] = 40.0, np.nan, 0.0
    strange = replace(table, values=values, batches=("w",) * 90)
    _, notes = score_new_table(frozen, strange)
    assert any("1 of 90 samples lie outside the range" in n and "M0" in n for n in notes)
    assert any("missing values were filled" in n for n in notes)
    assert any("never saw batches w" in n for n in notes)
    with pytest.raises(InputError, match="lacks 1 predictors of the model: age"):
        score_new_table(frozen, replace(table, covariates={"arm": table.covariates["arm"]}))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d.update(schema="other"), "no model of the layout"),
        (lambda d: d["model"].pop("intercept"), "damaged"),
        (lambda d: d["model"]["coefficients"].pop(), "damaged"),
        (lambda d: d["preprocessing"]["scale"].__setitem__(0, 0.0), "damaged"),
        (lambda d: d["preprocessing"]["fill"].__setitem__(0, None), "damaged"),
    ],
)
def test_files_that_are_no_model(change: object, words: str, tmp_path: Path) -> None:
    final, _, _ = fitted("elastic-net")
    content = json.loads(frozen_text(freeze(final, {}, {})))
    change(content)  # type: ignore[operator]
    path = tmp_path / "m.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(InputError, match=words):
        read_frozen_model(path)


def test_a_tree_that_never_ends_is_refused(tmp_path: Path) -> None:
    final, _, _ = fitted("boosting")
    content = json.loads(frozen_text(freeze(final, {}, {})))
    inner = next(i for i, f in enumerate(content["model"]["feature"]) if f >= 0)
    content["model"]["left"][inner] = inner
    path = tmp_path / "m.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(InputError, match="leads nowhere"):
        read_frozen_model(path)
    path.write_text("no", encoding="utf-8")
    with pytest.raises(InputError, match="no JSON"):
        read_frozen_model(path)


def test_the_extra_is_named_where_it_is_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.linear_model", None)
    x, y = data(k=5)
    with pytest.raises(UsageError) as caught:
        fit_elastic_net_path(x, y, 0.5, FRACTIONS)
    assert "statera[predict]" in caught.value.hint
