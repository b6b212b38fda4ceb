from __future__ import annotations

import numpy as np
import pytest
import sympy as sp
from scipy.interpolate import CubicHermiteSpline
from tests.unit.pathway.petab_case import network

from statera.errors import InputError
from statera.numerics.expression import evaluate
from statera.pathway.input_spline import input_spline, with_input

NODES = [0.0, 1.0, 4.0, 6.0]
VALUES = {"u0": 0.5, "u1": 2.0, "u2": 1.0, "u3": 0.2}
TIMES = np.array([0.0, 0.3, 1.0, 2.5, 4.0, 5.9, 6.0, 20.0])


@pytest.mark.parametrize("logarithmic", [False, True])
def test_a_spline_goes_through_its_values(logarithmic: bool) -> None:
    formula = input_spline(NODES, list(VALUES), logarithmic=logarithmic)
    y = np.array(list(VALUES.values()))
    steps = np.diff(y) / np.diff(NODES)
    slopes = np.array([steps[0], *(steps[:-1] + steps[1:]) / 2, 0.0])
    plain = CubicHermiteSpline(
        NODES, np.log(y) if logarithmic else y, slopes / y if logarithmic else slopes
    )
    inside = plain(np.minimum(TIMES, 6.0))
    expected = np.exp(inside) if logarithmic else inside
    np.testing.assert_allclose(evaluate(formula, {**VALUES, "t": TIMES}), expected, rtol=1e-12)


def test_nodes_that_do_not_ascend_are_refused() -> None:
    with pytest.raises(InputError, match="do not make a spline"):
        input_spline([0.0, 2.0, 1.0], ["a", "b", "c"])


def test_an_input_takes_the_place_of_a_constant() -> None:
    formula = input_spline([0.0, 5.0], ["early", "late"])
    changed = with_input(network(), "ligand", formula, {"early": 1.0, "late": 0.1})
    assert "ligand" not in changed.parameters
    assert changed.parameters["late"] == 0.1
    assert changed.flat(sp.Symbol("ligand", real=True)) == formula
    with pytest.raises(InputError, match="'free' is not constant"):
        with_input(network(), "free", formula, {})
    with pytest.raises(InputError, match="the name 'kon' is taken"):
        with_input(network(), "ligand", formula, {"kon": 1.0})
