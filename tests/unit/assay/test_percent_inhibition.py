"""Inhibition between the controls of each group, and the error that these bring."""

from __future__ import annotations

import numpy as np
import pytest

from statera.assay.percent_inhibition import percent_inhibition
from statera.errors import InputError

# plate A: unstimulated 100, stimulated 1000; plate B: 200 and 600
SIGNAL = np.array([90.0, 110.0, 950.0, 1050.0, 550.0, 200.0, 600.0, 500.0])
GROUP = np.array(["A", "A", "A", "A", "A", "B", "B", "B"])
LOW = np.array([1, 1, 0, 0, 0, 1, 0, 0], dtype=bool)
HIGH = np.array([0, 0, 1, 1, 0, 0, 1, 0], dtype=bool)


def test_each_well_by_its_own_controls() -> None:
    found = percent_inhibition(SIGNAL, GROUP, LOW, HIGH)
    assert found.value[4] == pytest.approx(50.0)
    assert found.value[7] == pytest.approx(25.0)
    assert found.value[:4].sum() == pytest.approx(200.0)
    # half way, both controls weigh half: 100 sqrt((10^2 + 50^2) / 4) / 900
    assert found.se_controls[4] == pytest.approx(100 * (2600 / 4) ** 0.5 / 900)
    assert np.isnan(found.se_controls[7])  # one well a control
    assert found.sentences == ()


def test_errors_are_those_of_repeated_experiments() -> None:
    generator = np.random.default_rng(8)
    n, wells, x = 4000, 4, 400.0
    u = generator.normal(100.0, 10.0, (n, wells))
    s = generator.normal(1000.0, 60.0, (n, wells))
    signal = np.hstack([u, s, np.full((n, 1), x)]).ravel()
    kinds = np.array([0] * wells + [1] * wells + [2])
    kind = np.tile(kinds, n)
    found = percent_inhibition(signal, np.repeat(np.arange(n), kinds.size), kind == 0, kind == 1)
    point = kind == 2
    spread = found.value[point].std()
    mean_square = np.sqrt(np.mean(found.se_controls[point] ** 2))
    assert mean_square == pytest.approx(spread, rel=0.05)


def test_the_error_of_the_well_is_apart() -> None:
    found = percent_inhibition(SIGNAL, GROUP, LOW, HIGH, np.full(8, 9.0))
    np.testing.assert_allclose(found.se_well, [1.0] * 5 + [2.25] * 3)


def test_groups_that_cannot_be_computed_are_named() -> None:
    signal = np.array([5.0, np.nan, 3.0, 9.0, 4.0])
    group = np.array(["A", "A", "A", "B", "B"])
    low = np.array([True, False, False, True, False])
    high = np.array([False, True, False, False, True])
    found = percent_inhibition(signal, group, low, high)
    assert np.isnan(found.value[:3]).all()
    assert found.value[3:] == pytest.approx([100.0, 0.0])
    assert "A: no stimulated control" in found.sentences[0]
    assert "B: stimulated (4) is not above unstimulated (9)" in found.sentences[1]


def test_controls_that_make_no_sense_are_refused() -> None:
    with pytest.raises(InputError, match="row 0 is both controls"):
        percent_inhibition([1.0], ["A"], [True], [True])
    with pytest.raises(InputError, match="differ in number"):
        percent_inhibition([1.0, 2.0], ["A"], [True], [False])
