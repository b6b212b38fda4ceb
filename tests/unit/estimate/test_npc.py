"""Numerical predictive checks: coverage of data that follow the model, and of data that do not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from statera.errors import UsageError
from statera.estimate import FitResult, NpcOptions, npc, simulate_replicates
from statera.estimate.rows import rows_of

N = 400


def test_expected_shares_are_those_of_the_intervals(decay_fit: FitResult) -> None:
    check = npc(decay_fit, NpcOptions(n=N))
    panel = check.panels[0]
    nominal = 50.0 * (1.0 - panel.intervals / 100.0)
    assert panel.below[1] == pytest.approx(nominal, abs=1e-9)
    assert panel.above[1] == pytest.approx(nominal, abs=1e-9)
    assert panel.count == 144
    assert (panel.below[2] < panel.below[1]).all()
    assert (panel.below[1] < panel.below[3]).all()
    assert panel.outside <= 3  # the data follow the model


def test_shares_against_quantiles_taken_directly(decay_fit: FitResult) -> None:
    drawn = simulate_replicates(decay_fit, N, 1)
    check = npc(decay_fit, NpcOptions(n=N, intervals=(0.0, 50.0, 90.0)), replicates=drawn)
    y = rows_of(decay_fit.problem).dv
    for k, interval in enumerate((0.0, 50.0, 90.0)):
        low, high = np.quantile(drawn.y, [0.5 - interval / 200, 0.5 + interval / 200], axis=0)
        assert check.panels[0].below[0, k] == pytest.approx(100 * (y < low).mean(), abs=0.8)
        assert check.panels[0].above[0, k] == pytest.approx(100 * (y > high).mean(), abs=0.8)
        shares = 100.0 * (drawn.y < low).mean(axis=1)
        band = np.quantile(shares, [0.025, 0.975])
        assert check.panels[0].below[2:, k] == pytest.approx(band, abs=0.8)


def test_too_little_variability_shows(decay_fit: FitResult) -> None:
    narrow = replace(decay_fit, omega=0.1 * decay_fit.omega, theta=decay_fit.theta)
    check = npc(narrow, NpcOptions(n=N))
    wide = check.panels[0].intervals >= 80.0
    for shares in (check.panels[0].below, check.panels[0].above):
        assert (shares[0, wide] > shares[1, wide]).all()
    assert check.panels[0].outside > npc(decay_fit, NpcOptions(n=N)).panels[0].outside
    table = check.to_polars()
    assert table["OUTSIDE"].sum() == check.panels[0].outside
    assert set(table["SIDE"]) == {"below", "above"}


def test_censored_values_tie(censored_fit: FitResult) -> None:
    """A censored value is never called below an interval that reaches below the limit."""
    check = npc(censored_fit, NpcOptions(n=N, stratify="SEX"))
    assert {p.stratum for p in check.panels} == {"SEX = 0", "SEX = 1"}
    rows = rows_of(censored_fit.problem)
    assert rows.below.any()
    for panel in check.panels:
        nominal = 50.0 * (1.0 - panel.intervals / 100.0)
        assert (panel.below[1] <= nominal + 1e-9).all()  # ties leave some out, simulated too
        assert panel.above[1] == pytest.approx(nominal, abs=1.0)
        assert (panel.below[0] <= panel.below[3] + 5.0).all()


def test_options_that_are_wrong(decay_fit: FitResult) -> None:
    with pytest.raises(UsageError, match="increase"):
        NpcOptions(intervals=(50.0, 20.0))
    with pytest.raises(UsageError, match="level"):
        NpcOptions(level=1.0)
    with pytest.raises(UsageError, match="too few"):
        npc(decay_fit, NpcOptions(n=10))
    with pytest.raises(UsageError, match="not an output"):
        npc(decay_fit, NpcOptions(n=50, lloq={"Q": 1.0}))
