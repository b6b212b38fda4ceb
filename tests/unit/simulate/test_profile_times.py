"""Times at which a profile is drawn."""

from __future__ import annotations

import numpy as np
import pytest

from statera.data import parse_regimen
from statera.errors import InputError
from statera.simulate import profile_times


def test_every_dosing_interval_is_fine_after_its_dose() -> None:
    times = profile_times(parse_regimen("4 mg q24h x14"), points=240)
    assert times[0] == 0
    assert times[-1] == 336
    assert 200 < times.size <= 255
    assert (np.diff(times) > 0).all()
    assert set(np.arange(0, 336, 24.0)) <= set(times)
    for dose in (0.0, 24.0, 312.0):
        assert np.diff(times[times >= dose])[0] < 0.3


def test_a_part_of_the_profile_takes_all_points() -> None:
    regimen = parse_regimen("8 mg; 4 mg q12h x6 at 24 h")
    times = profile_times(regimen, start=30, end=50, points=100)
    assert (times[0], times[-1]) == (30, 50)
    assert {36.0, 48.0} <= set(times)
    assert 90 <= times.size <= 105


def test_very_many_doses_are_spaced_evenly() -> None:
    times = profile_times(parse_regimen("4 mg q24h x200"), points=240)
    np.testing.assert_allclose(np.diff(times), 4800 / 239)


def test_an_empty_range_is_refused() -> None:
    with pytest.raises(InputError, match="from 10 to 5 h"):
        profile_times(parse_regimen("4 mg"), start=10, end=5)
