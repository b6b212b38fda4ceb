"""Points that are kept are the points that would be drawn, and the stream goes on as it would."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri
from scipy.stats import qmc

from statera.numerics.streams import stream
from statera.tdm.standard_points import standard_points


def test_kept_points_leave_the_stream_as_drawing_does() -> None:
    first, second = stream(11, "points of a test"), stream(11, "points of a test")
    drawn = standard_points(first, 1000, 3)
    kept = standard_points(second, 1000, 3)
    assert kept is drawn
    assert first.random() == second.random()
    assert standard_points(first, 1000, 3) is not drawn  # the stream has gone on


def test_draws_of_one_stream_differ_and_are_the_same_with_and_without_what_is_kept() -> None:
    def drawn() -> list[np.ndarray]:
        source = stream(13, "points of a test")
        return [standard_points(source, 256, 2).normal for _ in range(3)]

    fresh = drawn()
    assert not np.array_equal(fresh[0], fresh[1])
    assert not np.array_equal(fresh[1], fresh[2])
    for first, second in zip(fresh, drawn(), strict=True):
        assert first is second
    source = stream(13, "points of a test")
    for expected in fresh:  # as the sequence itself gives them, one after the other
        uniform = qmc.Sobol(3, scramble=True, seed=source).random_base2(8)
        np.testing.assert_allclose(expected, ndtri(uniform[:, :2]), rtol=1e-12)


def test_points_are_those_of_a_scrambled_sequence() -> None:
    found = standard_points(stream(12, "points of a test"), 500, 2)
    source = stream(12, "points of a test")
    uniform = qmc.Sobol(3, scramble=True, seed=source).random_base2(9)[:500]
    np.testing.assert_array_equal(found.normal.shape, (500, 2))
    assert np.abs(np.argsort(found.normal[:, 0]) - np.argsort(uniform[:, 0])).max() == 0
    assert abs(float((found.chi(5.0) ** 2).mean()) - 1.0) < 0.02


def test_generators_of_another_kind_draw_anew() -> None:
    one, two = (np.random.Generator(np.random.MT19937(5)) for _ in range(2))
    first, second = standard_points(one, 64, 2), standard_points(two, 64, 2)
    assert first is not second
    np.testing.assert_array_equal(first.normal, second.normal)
