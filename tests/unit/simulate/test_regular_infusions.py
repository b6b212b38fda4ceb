"""Plain doses are given without the general loop over events, and must be the same as by it.

Inside a window every event is left to the general loop, so that one window over everything asks it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from statera.model import Model
from statera.simulate import simulate

Make = Callable[..., Model]

DOSES = (
    "4 mg via zero q24h x6",
    "4 mg via rate q12h x8",
    "10 mg over 2 h via iv q8h x9",
    "10 mg over 8 h via iv q8h x9",
    "10 mg over 20 h via iv q8h x9",
    "10 mg over 1 h via iv q24h x5 then 5 mg via oral q24h x5",
    "5 mg via oral q12h x6 then 7 mg via rate q24h x3",
)


@pytest.mark.parametrize("times", [np.linspace(0.0, 160.0, 321), np.array([3.0, 100.1])])
@pytest.mark.parametrize("dose", DOSES)
def test_plain_doses_are_those_of_the_general_loop(
    compartments: Make, dose: str, times: np.ndarray
) -> None:
    model = compartments(2)
    etas = np.zeros((3, 0))
    plain = simulate(model, dose, n=3, etas=etas, times=times, windows=[])
    general = simulate(model, dose, n=3, etas=etas, times=times, windows=[(0.0, 400.0)])
    assert (plain.statuses == 0).all()
    for name, found in plain.outputs.items():
        np.testing.assert_allclose(found, general.outputs[name], rtol=1e-11, atol=1e-13)
