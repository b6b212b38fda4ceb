"""Steps before a model: limits, gaps, batches, filter, covariates, learned from training only."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from statera.biomarker.design import Factor
from statera.biomarker.folds import bootstrap_rows, stratified_folds
from statera.biomarker.lod import LodPolicy
from statera.biomarker.marker_table import MarkerTable, select_rows
from statera.biomarker.preprocessing import (
    PreprocessingOptions,
    apply_preprocessing,
    fit_preprocessing,
)
from statera.errors import InputError, UsageError

OPTIONS = PreprocessingOptions()


def table(values: np.ndarray, **more: object) -> MarkerTable:
    n, m = values.shape
    ids = tuple(f"s{i}" for i in range(n))
    given: dict[str, object] = {
        "markers": tuple(f"M{j}" for j in range(m)), "values": values,
        "below_lod": np.zeros((n, m), dtype=bool), "lod": np.full((n, m), np.nan),
        "samples": ids, "subjects": ids,
    }  # fmt: skip
    return MarkerTable(**{**given, **more})  # type: ignore[arg-type]


def outcome(n: int) -> np.ndarray:
    return np.arange(n) % 2 == 0


def test_predictors_are_standardised_and_gaps_take_the_training_median() -> None:
    random = np.random.default_rng(1)
    values = random.normal(3, 2, (40, 3))
    values[0, 1] = np.nan
    fitted = fit_preprocessing(table(values), outcome(40), OPTIONS)
    x = apply_preprocessing(fitted, table(values))
    assert x.mean(axis=0) == pytest.approx(0.0, abs=1e-12)
    assert x.std(axis=0) == pytest.approx(1.0)
    assert fitted.fill[1] == pytest.approx(np.median(values[1:, 1]))
    new = apply_preprocessing(fitted, table(np.array([[np.nan, np.nan, 3.0]])))
    assert new[0, :2] == pytest.approx(((fitted.fill - fitted.centre) / fitted.scale)[:2])


def test_below_the_limit_by_each_policy() -> None:
    values = np.column_stack([np.linspace(1, 4, 20), np.linspace(2, 5, 20)])
    below = np.zeros((20, 2), dtype=bool)
    below[:3, 0] = True
    values[0, 0] = np.nan  # below, without a number
    lod = np.full((20, 2), np.nan)
    lod[:, 0] = 1.5
    given = table(values, below_lod=below, lod=lod)
    kept = fit_preprocessing(given, outcome(20), OPTIONS)
    x = apply_preprocessing(kept, given) * kept.scale + kept.centre
    assert x[0, 0] == pytest.approx(1.5)  # the limit, and not the median
    assert x[1, 0] == pytest.approx(values[1, 0])
    for replacement, fold in (("limit", 0.0), ("half", 1.0), ("over-sqrt-2", 0.5)):
        policy = LodPolicy("substitute", replacement)  # type: ignore[arg-type]
        fitted = fit_preprocessing(given, outcome(20), PreprocessingOptions(policy))
        x = apply_preprocessing(fitted, given) * fitted.scale + fitted.centre
        assert x[:3, 0] == pytest.approx(1.5 - fold)
    dropped = fit_preprocessing(
        given, outcome(20), PreprocessingOptions(LodPolicy("exclude", largest_share=0.1))
    )
    assert dropped.names == ("M1",)
    unknown = fit_preprocessing(replace(given, lod=np.full((20, 2), np.nan)), outcome(20), OPTIONS)
    blank = apply_preprocessing(unknown, replace(given, lod=np.full((20, 2), np.nan)))
    lowest = (blank * unknown.scale + unknown.centre)[0, 0]
    assert lowest == pytest.approx(values[1, 0])  # the lowest training value
    with pytest.raises(UsageError, match="does not take the policy 'flag'"):
        PreprocessingOptions(LodPolicy("flag"))


def test_markers_that_say_nothing_are_dropped() -> None:
    random = np.random.default_rng(2)
    values = random.normal(size=(20, 4))
    values[:, 1] = 7.0
    values[:12, 2] = np.nan
    below = np.zeros((20, 4), dtype=bool)
    below[:, 3] = True
    given = table(values, below_lod=below)
    assert fit_preprocessing(given, outcome(20), OPTIONS).names == ("M0",)
    with pytest.raises(InputError, match="no marker varies"):
        fit_preprocessing(replace(given, below_lod=np.ones((20, 4), bool)), outcome(20), OPTIONS)


def test_batches_are_shifted_and_new_ones_are_not() -> None:
    random = np.random.default_rng(3)
    batches = tuple("ABC"[i % 3] for i in range(300))
    shift = np.array([{"A": -2.0, "B": 0.0, "C": 2.0}[b] for b in batches])
    values = random.normal(size=(300, 2)) + np.column_stack([shift, np.zeros(300)])
    given = table(values, batches=batches)
    fitted = fit_preprocessing(given, outcome(300), OPTIONS)
    assert fitted.shift[:, 0] == pytest.approx([-2, 0, 2], abs=0.25)
    assert np.abs(fitted.shift[:, 1]).max() < 0.1
    x = apply_preprocessing(fitted, given)
    means = [x[[b == one for b in batches], 0].mean() for one in "ABC"]
    assert np.ptp(means) < 0.05
    same = values[:1] * 0 + 5.0
    known = apply_preprocessing(fitted, table(same, batches=("C",)))
    new = apply_preprocessing(fitted, table(same, batches=("D",)))
    assert (new - known)[0, 0] == pytest.approx(fitted.shift[2, 0] / fitted.scale[0])


def test_the_filter_takes_what_differs_and_keeps_covariates() -> None:
    random = np.random.default_rng(4)
    y = outcome(60)
    values = random.normal(size=(60, 8))
    values[:, 5] += 2.0 * y
    given = table(values, covariates={
        "age": random.normal(size=60),
        "arm": Factor.of(["p", "q", "r"] * 20),
    })  # fmt: skip
    fitted = fit_preprocessing(given, y, PreprocessingOptions(filter_top=1))
    assert fitted.names == ("M5", "age", "arm[q]", "arm[r]")
    assert fitted.n_markers == 1
    x = apply_preprocessing(fitted, select_rows(given, np.array([1, 2])))
    raw = x * fitted.scale + fitted.centre
    assert raw[:, 2:] == pytest.approx(np.array([[1.0, 0.0], [0.0, 1.0]]))


def test_a_table_that_lacks_a_predictor_is_refused() -> None:
    values = np.random.default_rng(5).normal(size=(20, 2))
    fitted = fit_preprocessing(table(values), outcome(20), OPTIONS)
    other = table(values, markers=("M0", "X"))
    with pytest.raises(InputError, match="lacks 1 predictors of the model: M1"):
        apply_preprocessing(fitted, other)


def test_names_that_stand_twice_are_refused() -> None:
    values = np.zeros((2, 2))
    with pytest.raises(InputError, match="1 samples are named more than once: a"):
        table(values, samples=("a", "a"))
    with pytest.raises(InputError, match="1 markers are named more than once: M"):
        table(values, markers=("M", "M"))
    with pytest.raises(InputError, match="one entry a sample"):
        table(values, subjects=("a",))


@pytest.mark.parametrize("seed", range(5))
def test_folds_hold_both_classes_and_keep_groups(seed: int) -> None:
    random = np.random.default_rng(seed)
    y = random.random(61) < 0.25
    alone = stratified_folds(y, [str(i) for i in range(61)], 5, random)
    counts = [int(y[alone == f].sum()) for f in range(5)]
    sizes = np.bincount(alone)
    assert max(counts) - min(counts) <= 1
    assert sizes.max() - sizes.min() <= 1
    groups = [f"g{i // 3}" for i in range(61)]
    kept = stratified_folds(y, groups, 4, random)
    assert all(len({kept[i] for i in range(61) if groups[i] == g}) == 1 for g in set(groups))
    assert set(kept.tolist()) == {0, 1, 2, 3}
    with pytest.raises(InputError, match="2 groups cannot be split into 3 folds"):
        stratified_folds(y, [str(i % 2) for i in range(61)], 3, random)


def test_a_bootstrap_draws_whole_subjects_of_each_class() -> None:
    y = np.array([True] * 6 + [False] * 14)
    subjects = [f"s{i // 2}" for i in range(20)]
    rows = bootstrap_rows(y, subjects, np.random.default_rng(1))
    assert y[rows].sum() == 6
    drawn = np.asarray(subjects)[rows]
    assert all((drawn == s).sum() % 2 == 0 for s in set(drawn))
    named = select_rows(table(np.zeros((20, 1)) + np.arange(20)[:, None]), rows)
    assert len(set(named.samples)) == 20
