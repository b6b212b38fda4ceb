"""The window of controls: what is refused, with which sentence, and what becomes of the IC50."""

from __future__ import annotations

import math

import numpy as np
import pytest

from statera.assay.fit_curves import fit_curves, make_curves
from statera.assay.ic50 import Determination, Ic50Options, estimate_ic50
from statera.assay.window import WindowOptions, judge_window
from statera.errors import UsageError

LOW, HIGH = [98.0, 102.0], [980.0, 1020.0]


def test_a_good_window_is_accepted() -> None:
    found = judge_window(LOW, HIGH)
    assert found.accepted
    assert found.absolute_accepted
    assert found.fold == pytest.approx(10.0)
    assert found.cv == pytest.approx(800**0.5 / 900)
    assert found.half_error == pytest.approx((8 / 2 + 800 / 2) ** 0.5 / 900)
    assert found.cautions == ()


@pytest.mark.parametrize(
    ("unstimulated", "stimulated", "said"),
    [
        (HIGH, LOW, "does not raise the signal"),
        (LOW, LOW, "does not raise the signal"),
        (LOW, [130.0, 140.0], "1.35-fold only; 1.5-fold is asked"),
        (LOW, [500.0, 1500.0], "the stimulated control is unstable"),
        ([10.0, 500.0], HIGH, "the unstimulated control is unstable"),
        ([], HIGH, "no unstimulated control"),
        (LOW, [np.nan], "no stimulated control"),
    ],
)
def test_bad_windows_say_why(unstimulated: list[float], stimulated: list[float], said: str) -> None:
    found = judge_window(unstimulated, stimulated)
    assert not found.accepted
    assert not found.absolute_accepted
    assert said in found.sentence


def test_limits_are_options() -> None:
    weak = [134.0, 136.0]
    assert judge_window(LOW, weak, WindowOptions(min_fold=1.3)).accepted
    assert not judge_window(LOW, HIGH, WindowOptions(max_cv=0.01)).accepted
    with pytest.raises(UsageError, match="above 0"):
        judge_window(LOW, HIGH, WindowOptions(min_fold=0.0))


def test_an_unsure_half_way_signal_refuses_the_absolute_ic50_only() -> None:
    found = judge_window(LOW, [900.0, 1100.0])
    assert found.accepted
    assert not found.absolute_accepted
    assert (
        "half way between the controls has an error of 12.5 %"
        in judge_window(
            [100.0, 100.0], [975.0, 1225.0], WindowOptions(max_cv=0.5)
        ).absolute_sentence
    )


def test_what_cannot_be_judged_is_a_caution() -> None:
    one = judge_window(LOW, [1000.0, np.nan])
    assert one.accepted
    assert not one.absolute_accepted
    assert any("1 stimulated wells without a value" in c for c in one.cautions)
    assert any("one stimulated well" in c for c in one.cautions)
    below = judge_window([-5.0, 1.0], HIGH)
    assert below.accepted
    assert math.isnan(below.fold)
    assert any("not above 0" in c for c in below.cautions)


def test_a_refused_window_leaves_no_ic50() -> None:
    doses = np.array([0.0, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0])
    response = 5.0 + 95.0 / (1.0 + doses / 20.0)
    curves = make_curves([np.tile(doses, 2)] * 3, [np.tile(response, 2) + k for k in range(3)])
    noise = np.random.default_rng(2).normal(0.0, 3.0, curves.response.shape)
    fitted = fit_curves(make_curves(curves.dose, curves.response + noise, names=["a", "b", "c"]))
    verdicts = [
        judge_window(LOW, HIGH),
        judge_window(HIGH, LOW),
        judge_window(LOW, [900.0, 1100.0]),
    ]
    relative = estimate_ic50(fitted, None, verdicts)
    absolute = estimate_ic50(fitted, Ic50Options(absolute=50.0), verdicts)
    given = Determination.DETERMINED
    assert [r.determination for r in relative] == [given, Determination.REFUSED, given]
    assert [r.determination is Determination.REFUSED for r in absolute] == [False, True, True]
    assert relative[1].sentence.startswith("refused: stimulation does not raise the signal")
    assert np.isnan(relative[1].estimate)
    assert relative[1].profile is None
    with pytest.raises(UsageError, match="2 verdicts for 3 curves"):
        estimate_ic50(fitted, None, verdicts[:2])
