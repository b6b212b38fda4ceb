"""Nested cross-validation: nothing leaks, and what cannot be done says why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from scipy import special, stats

from statera.biomarker.discrimination import within_folds
from statera.biomarker.folds import stratified_folds
from statera.biomarker.marker_table import MarkerTable, select_rows
from statera.biomarker.nested_validation import nested_predictions
from statera.biomarker.optimism import point_632_plus
from statera.biomarker.predict import join_response, predict_response
from statera.biomarker.prediction_options import PredictionOptions
from statera.biomarker.preprocessing import PreprocessingOptions
from statera.biomarker.responder_rule import read_rule
from statera.biomarker.responders import apply_rule
from statera.biomarker.tuned_model import fit_tuned_model, marker_weights, predict_log_odds
from statera.errors import InputError, UnknownNameError, UsageError
from statera.numerics.streams import stream

pytest.importorskip("sklearn", reason="scikit-learn, the extra of prediction, is absent")

LIGHT = PredictionOptions(
    outer_folds=4, repeats=2, inner_folds=3, bootstraps=0, l1_ratios=(1.0,), penalties=8,
    trees=(0, 5, 15), depths=(1,),
)  # fmt: skip


def trial(
    n: int = 80, m: int = 12, effect: float = 2.0, seed: int = 1
) -> tuple[MarkerTable, np.ndarray]:
    random = np.random.default_rng(seed)
    values = random.normal(size=(n, m))
    y = random.random(n) < special.expit(effect * (values[:, 0] - values[:, 1]))
    return table_of(values), y


def table_of(values: np.ndarray, **more: object) -> MarkerTable:
    n, m = values.shape
    ids = tuple(f"s{i}" for i in range(n))
    base = MarkerTable(
        tuple(f"M{j}" for j in range(m)), values, np.zeros((n, m), dtype=bool),
        np.full((n, m), np.nan), ids, ids,
    )  # fmt: skip
    return replace(base, **more)  # type: ignore[arg-type]


def area(table: MarkerTable, y: np.ndarray, options: PredictionOptions) -> float:
    nested = nested_predictions(table, y, table.subjects, options)
    return float(within_folds(y, nested.log_odds, nested.folds)[0].mean())


def permuted(
    select_outside: bool, markers: int, runs: int, top: int = 4, model: str = "elastic-net"
) -> np.ndarray:
    """Areas on permuted labels, markers selected inside the folds or, wrongly, before them."""
    random = np.random.default_rng(11)
    values = random.normal(size=(48, markers))
    options = replace(LIGHT, model=model, repeats=1, penalties=5, trees=(0, 4, 8),
                      preprocessing=PreprocessingOptions(filter_top=top))  # fmt: skip
    found = []
    for run in range(runs):
        y = random.permutation(np.arange(48) < 20)
        used = values
        if select_outside:
            t = stats.ttest_ind(values[y], values[~y], equal_var=False).statistic
            used = values[:, np.argsort(-np.abs(t))[:top]]
        found.append(area(table_of(used), y, replace(options, seed=run)))
    return np.array(found)


@pytest.mark.parametrize(
    ("model", "markers", "runs"), [("elastic-net", 80, 30), ("boosting", 20, 20)]
)
def test_permuted_labels_give_an_area_of_one_half(model: str, markers: int, runs: int) -> None:
    areas = permuted(select_outside=False, markers=markers, runs=runs, model=model)
    # normal bound over permutations: a false alarm in 1 of 1000 seeds, and this one is fixed
    bound = 3.29 * areas.std(ddof=1) / np.sqrt(areas.size)
    assert 0.0 < bound < 0.08
    assert abs(areas.mean() - 0.5) < bound


def test_selection_before_the_folds_is_seen_to_leak() -> None:
    leaking = permuted(select_outside=True, markers=300, runs=20)
    bound = 3.29 * leaking.std(ddof=1) / np.sqrt(leaking.size)
    assert leaking.mean() - bound > 0.65


def test_what_is_left_out_cannot_reach_the_model() -> None:
    table, y = trial()
    fold = stratified_folds(y, table.subjects, 4, stream(LIGHT.seed, "outer folds 0"))
    wild = table.values.copy()
    wild[fold == 2] = 1e3 * np.random.default_rng(3).normal(size=wild[fold == 2].shape)
    flipped = np.where(fold == 2, ~y, y)
    one = nested_predictions(table, y, table.subjects, replace(LIGHT, repeats=1))
    assert (one.folds[0] == fold).all()
    train = np.flatnonzero(fold != 2)
    models = [
        fit_tuned_model(select_rows(t, train), labels[train], tuple(t.subjects[i] for i in train),
                        LIGHT, "repeat 0 fold 2")
        for t, labels in ((table, y), (replace(table, values=wild), flipped))
    ]  # fmt: skip
    first, second = (marker_weights(m, table.markers) for m in models)
    assert first.tolist() == second.tolist() == one.weights[2].tolist()
    scores = predict_log_odds(models[0], select_rows(table, np.flatnonzero(fold == 2)))
    assert scores.tolist() == one.log_odds[0, fold == 2].tolist()


@pytest.mark.parametrize("model", ["elastic-net", "boosting"])
def test_a_true_effect_is_found_and_a_seed_repeats(model: str) -> None:
    table, y = trial(m=8)
    options = replace(LIGHT, model=model, bootstraps=3)
    uncut = table.values[:, 0] - table.values[:, 1]
    found = predict_response(table, y, options, uncut=uncut)
    again = predict_response(table, y, options, uncut=uncut)
    assert found.nested.log_odds.tobytes() == again.nested.log_odds.tobytes()
    assert found.optimism is not None
    assert again.optimism is not None
    assert found.optimism.corrected == again.optimism.corrected
    assert found.roc.high.tobytes() == again.roc.high.tobytes()
    other = predict_response(table, y, replace(options, seed=2))
    assert other.nested.log_odds.tobytes() != found.nested.log_odds.tobytes()
    assert found.auc.low > 0.6
    assert found.auc.low < found.auc.auc < found.auc.high
    assert found.brier[0] < found.brier_null
    assert set(np.argsort(-found.stability.frequency)[:2].tolist()) == {0, 1}
    assert found.optimism.resamples == 3
    assert found.rank_correlation[1] > 0.3
    assert len(found.nested.outcomes) == 8
    assert all(o.status == "ok" for o in found.nested.outcomes)
    assert (found.roc.low <= found.roc.high).all()


def test_samples_of_a_subject_stay_together() -> None:
    table, y = trial(n=60)
    double = select_rows(table, np.tile(np.arange(60), 2))
    noise = np.random.default_rng(6).normal(0, 0.1, double.values.shape)
    double = replace(double, values=double.values + noise)
    both = np.tile(y, 2)
    found = predict_response(double, both, LIGHT)
    for fold in found.nested.folds:
        assert (fold[:60] == fold[60:]).all()
    assert "120 samples of 60 subjects" in found.notes[0]
    # the interval is that of 60 subjects: near what one sample of each gives
    once = predict_response(table, y, LIGHT)
    assert found.auc.standard_error > 0.7 * once.auc.standard_error
    flipped = both.copy()
    flipped[0] = ~flipped[0]
    with pytest.raises(InputError, match="subject s0 is a responder in one sample"):
        predict_response(double, flipped, LIGHT)


def test_sites_and_folds_of_one_class() -> None:
    table, y = trial(n=80)
    order = np.argsort(y, kind="stable")
    y = y[order]
    table = select_rows(table, order)
    sites = tuple(f"site{i // 10}" for i in range(80))  # most sites hold one class
    found = predict_response(table, y, LIGHT, groups=sites)
    for fold in found.nested.folds:
        assert all(len({fold[i] for i in range(80) if sites[i] == s}) == 1 for s in set(sites))
    assert found.notes[0] == "Folds keep 8 groups together."
    one_class = ("site0",) * int((~y).sum() - 5) + ("site1",) * int(y.sum() + 5)
    one = predict_response(
        table, y, replace(LIGHT, outer_folds=2), groups=one_class
    )  # fmt: skip
    statuses = {o.status for o in one.nested.outcomes}
    assert "not fitted: the training samples hold one class only" in statuses
    assert any("folds: not fitted" in n for n in one.warnings)
    assert np.isnan(one.nested.log_odds).any()
    mixed = tuple(f"site{i % 4}" for i in range(160))
    with pytest.raises(InputError, match="stand in two groups"):
        predict_response(
            select_rows(table, np.tile(np.arange(80), 2)), np.tile(y, 2), LIGHT,
            groups=(*mixed[:80], *mixed[1:81]),
        )  # fmt: skip
    with pytest.raises(InputError, match="3 groups cannot be split into 4 outer folds"):
        predict_response(table, y, LIGHT, groups=tuple(f"g{i % 3}" for i in range(80)))


def change_values(change: Callable[[np.ndarray], None]) -> MarkerTable:
    table, _ = trial()
    values = table.values.copy()
    change(values)
    return replace(table, values=values)


def test_groups_that_are_too_small_and_markers_that_say_nothing() -> None:
    table, _ = trial()
    few = np.arange(80) < 3
    with pytest.raises(InputError, match="too few responders: 3 of 80 subjects"):
        predict_response(table, few, LIGHT)
    with pytest.raises(InputError, match="too few non-responders: 3 of 80"):
        predict_response(table, ~few, LIGHT)
    _, y = trial()
    flat = change_values(lambda v: v.__setitem__((slice(None), slice(None)), 1.0))
    with pytest.raises(InputError, match="no marker can predict anything: 12 constant"):
        predict_response(flat, y, LIGHT)
    below = replace(table, below_lod=np.ones(table.values.shape, dtype=bool))
    with pytest.raises(InputError, match="12 all below LOD"):
        predict_response(below, y, LIGHT)
    empty = change_values(lambda v: v.__setitem__((slice(None), slice(1, 12)), np.nan))
    found = predict_response(empty, y, LIGHT)
    assert found.marker_status == ("ok", *("not measured",) * 11)
    assert "11 not measured" in found.notes[0]
    assert "12 candidate" not in " ".join(found.warnings)


def test_work_that_is_stopped_keeps_what_is_done() -> None:
    table, y = trial()
    seen: list[tuple[str, float]] = []

    def stop(stage: str, share: float) -> bool:
        seen.append((stage, share))
        return True

    found = predict_response(table, y, replace(LIGHT, repeats=3, bootstraps=6, permutations=5),
                             watch=stop)  # fmt: skip
    assert len(found.nested.log_odds) == 1
    assert "Stopped after 1 of 3 repeats." in found.warnings
    assert found.optimism is not None
    assert "1 of 6 resamples were fitted" in found.optimism.status
    assert found.permutation is not None
    assert found.permutation.permuted.size == 1
    assert [s for s, _ in seen] == ["cross-validation"] * 4 + ["bootstrap", "permutations"]
    late = [0]

    def later(stage: str, share: float) -> bool:
        late[0] += stage == "bootstrap"
        return late[0] >= 3

    part = predict_response(table, y, replace(LIGHT, bootstraps=6), watch=later)
    assert part.optimism is not None
    assert part.optimism.resamples == 3
    assert "stopped after 3 of 6 resamples" in part.optimism.status


def test_covariates_alone_are_the_reference() -> None:
    table, y = trial(n=120)
    with_age = replace(table, covariates={"age": y + np.random.default_rng(4).normal(size=120)})
    found = predict_response(with_age, y, LIGHT)
    assert found.reference is not None
    assert found.reference.auc.auc > 0.6
    assert found.auc.auc > found.reference.auc.auc
    assert found.reference.gain.difference == pytest.approx(
        found.auc.auc - found.reference.auc.auc, abs=1e-12
    )


def test_the_permutation_test_counts_the_observed_labels() -> None:
    table, y = trial(n=60, effect=3.0)
    found = predict_response(table, y, replace(LIGHT, repeats=1, permutations=6, penalties=5))
    assert found.permutation is not None
    assert found.permutation.p_value == pytest.approx(1 / 7)
    assert found.permutation.observed == pytest.approx(found.auc.auc)


def test_the_632_plus_estimate_by_hand() -> None:
    # relative overfitting (0.9 - 0.7) / 0.4 = 1/2, weight 0.632 / (1 - 0.184)
    weight = 0.632 / 0.816
    assert point_632_plus(0.9, 0.7) == pytest.approx((1 - weight) * 0.9 + weight * 0.7)
    assert point_632_plus(0.9, 0.4) == pytest.approx(0.5)
    assert point_632_plus(0.7, 0.8) == pytest.approx(0.368 * 0.7 + 0.632 * 0.8)


def test_outcomes_join_samples_by_subject() -> None:
    table, _ = trial(n=5)
    visits = {"subject": ["s0", "s1", "s2", "s9"], "score": ["1", "5", "", "1"]}
    joined, y, uncut, notes = join_response(table, apply_rule(visits, read_rule("score <= 2")))
    assert joined.samples == ("s0", "s1")
    assert y.tolist() == [True, False]
    assert uncut.tolist() == [1.0, 5.0]
    assert "2 measured subjects have no outcome: s3, s4." in notes
    assert "1 subjects were not measured: s9." in notes
    with pytest.raises(InputError, match="no measured subject has a decided response"):
        join_response(
            table, apply_rule({"subject": ["x"], "score": ["1"]}, read_rule("score <= 2"))
        )


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"model": "forest"}, UnknownNameError),
        ({"tuning": "best"}, UnknownNameError),
        ({"outer_folds": 1}, UsageError),
        ({"l1_ratios": (0.0,)}, UsageError),
        ({"trees": (5, 5)}, UsageError),
        ({"level": 1.0}, UsageError),
    ],
)
def test_options_that_cannot_be(given: dict[str, object], error: type[Exception]) -> None:
    with pytest.raises(error):
        PredictionOptions(**given)  # type: ignore[arg-type]


def test_the_simplest_model_within_one_standard_error() -> None:
    table, y = trial()
    best = fit_tuned_model(table, y, table.subjects, LIGHT, "x")
    simple = fit_tuned_model(
        table, y, table.subjects, replace(LIGHT, tuning="one-standard-error"), "x"
    )
    assert simple.complexity >= best.complexity
    assert simple.inner_loss.min() == best.inner_loss.min()
