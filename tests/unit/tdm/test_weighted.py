"""Summaries over weighted draws."""

from __future__ import annotations

import numpy as np
import pytest

from statera.tdm.weighted import rising_order, summaries, summarise


def test_equal_weights_are_a_plain_summary() -> None:
    x = np.random.default_rng(1).normal(3.0, 2.0, 20_000)
    found = summarise(x, np.ones(x.size))
    assert found.mean == pytest.approx(x.mean())
    assert found.sd == pytest.approx(x.std())
    assert found.median == pytest.approx(np.median(x), abs=1e-3)


def test_draws_of_weight_zero_and_without_value_do_not_count() -> None:
    found = summarise(np.array([1.0, np.nan, 5.0, 3.0]), np.array([1.0, 1.0, 0.0, 1.0]))
    assert (found.mean, found.sd) == (2.0, 1.0)


def test_a_violent_tail_has_quantiles_and_an_infinite_spread() -> None:
    x = np.append(np.linspace(1.0, 2.0, 999), 1e200)
    found = summarise(x, np.ones(x.size))
    assert found.sd == np.inf
    assert 1.4 < found.median < 1.6


def test_nothing_to_summarise_is_said_by_no_number() -> None:
    assert np.isnan(summarise(np.array([np.nan]), np.ones(1)).median)


def test_summaries_together_are_those_of_each() -> None:
    source = np.random.default_rng(2)
    eta, other = source.normal(size=500), source.normal(size=500)
    columns = {"eta": eta, "other": other, "grown": np.exp(eta), "fallen": -eta, "one": eta * 0.0}
    columns["missing"] = np.where(eta > 0.0, eta, np.nan)
    weights = source.random(500)
    found = summaries(columns, weights)
    assert {name: repr(s) for name, s in found.items()} == {
        name: repr(summarise(values, weights)) for name, values in columns.items()
    }


def test_an_order_is_taken_over_only_where_it_fits() -> None:
    x = np.array([3.0, 1.0, 2.0])
    known = rising_order(x)
    assert rising_order(np.exp(x), [known]) is known
    assert rising_order(-x, [known]).tolist() == [0, 2, 1]
    assert rising_order(np.array([2.0, 1.0, 1.0]), [known]).tolist() == [1, 2, 0]
