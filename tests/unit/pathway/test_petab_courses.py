"""Smooth courses of a problem: the same numbers as its simulations, and bands around them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.unit.pathway.petab_case import objective, read
from tests.unit.pathway.scipy_engine import ScipyEngine

from statera.errors import InputError
from statera.pathway.petab_courses import observed_courses


def test_courses_pass_through_the_simulated_rows(tmp_path: Path) -> None:
    problem, at = read(tmp_path), objective(tmp_path)
    table = at.simulations(at.nominal)
    courses = observed_courses(problem, at.nominal, ScipyEngine(), points=6)
    assert sum(c.measured.size for c in courses) == table.height
    by_name = {(c.observable, c.condition): c for c in courses}
    assert ("bound", "low") in by_name  # placeholders of noise do not enter the name
    for course in courses:
        assert course.times.size in (6, 7)  # a steady state stands behind the grid
        assert np.isfinite(course.times).all()
        assert course.values.shape == course.times.shape
    # row 3 (bound, low, 5 min) is the last time of its own course
    row = table.row(2, named=True)
    (found,) = (c for c in courses if c.observable == "bound" and c.measured.tolist() == [0.92])
    assert found.times[-1] == 5.0
    assert found.values[-1] == pytest.approx(row["simulation"], rel=1e-8)


def test_placeholders_of_observables_are_named_where_they_differ(tmp_path: Path) -> None:
    at = objective(tmp_path)
    courses = observed_courses(read(tmp_path), at.nominal, ScipyEngine(), points=3)
    shares = [c.condition for c in courses if c.observable == "share"]
    assert shares == ["high (1.5)", "high (scale)"]
    after = [c.observable for c in courses if c.condition == "after, after rest"]
    assert sorted(after) == ["bound", "left"]


def test_bands_hold_the_courses_of_the_draws(tmp_path: Path) -> None:
    problem, at = read(tmp_path), objective(tmp_path)
    draws = at.nominal + 0.05 * np.random.default_rng(2).standard_normal((12, at.nominal.size))
    courses = observed_courses(
        problem, at.nominal, ScipyEngine(1e-7, 1e-9), draws=draws, level=1.0, points=4
    )
    for course in courses:
        assert course.low is not None
        assert course.high is not None
        assert (course.low <= course.high).all()
    one = observed_courses(problem, draws[0], ScipyEngine(1e-7, 1e-9), points=4)
    for course, drawn in zip(courses, one, strict=True):
        assert (drawn.values >= course.low - 1e-6).all()
        assert (drawn.values <= course.high + 1e-6).all()


def test_a_failure_is_said(tmp_path: Path) -> None:
    class Failing(ScipyEngine):
        def course(self, *arguments):  # type: ignore[no-untyped-def]
            states, slopes, _ = super().course(*arguments)
            return [np.full_like(s, np.nan) for s in states], slopes, {0: "too stiff"}

        def steady(self, *arguments):  # type: ignore[no-untyped-def]
            return ScipyEngine().steady(*arguments)

    at = objective(tmp_path)
    with pytest.raises(InputError, match="cannot be simulated"):
        observed_courses(read(tmp_path), at.nominal, Failing(), points=2)
