"""Figures of pathways: what they say in words, and what they refuse."""

from __future__ import annotations

import re

import numpy as np
import pytest

from statera.plot.likelihood_profiles import DrawnProfile, draw_likelihood_profiles
from statera.plot.reaction_network import DrawnReaction, draw_reaction_network
from statera.plot.time_courses import (
    Course,
    CoursePanel,
    TimeCourseOptions,
    draw_time_courses,
)
from statera.plot.waterfall import draw_waterfall

NAMES = {"key": "figure", "title": "A title", "alt": "What it shows."}
SPECIES = {"STAT": "cytoplasm", "pSTAT": "cytoplasm", "nSTAT": "nucleus"}
REACTIONS = (
    DrawnReaction("phosphorylation", ("STAT",), ("pSTAT",), ("nSTAT",), inhibited=True),
    DrawnReaction("dephosphorylation", ("pSTAT",), ("STAT",)),
    DrawnReaction("import", ("pSTAT",), ("nSTAT",)),
    DrawnReaction("synthesis", (), ("STAT",)),
    DrawnReaction("of others", (), ()),
)


def _described(svg: str) -> None:
    assert svg.lstrip().startswith("<svg")
    assert "A title" in svg
    assert "What it shows." in svg


def _marks(svg: str) -> int:
    return len(re.findall(r"<use ", svg))


def test_waterfall_draws_every_finite_end() -> None:
    few = draw_waterfall([1.0, 2.0, 3.0], [True] * 3, **NAMES)
    more = draw_waterfall([1.0, 2.0, 3.0, np.inf, 3.1], [True] * 3 + [False, True], **NAMES)
    _described(few)
    assert _marks(more) >= _marks(few)
    assert "mathdefault" not in draw_waterfall([0.0, 500.0], [True, True], **NAMES)
    with pytest.raises(ValueError, match="no search"):
        draw_waterfall([np.inf], [False], **NAMES)


def test_profiles_have_a_panel_each() -> None:
    x = np.linspace(-1, 1, 5)
    one = DrawnProfile("k", x, x**2, 0.0, -0.9, np.inf, "k (log10)")
    _described(draw_likelihood_profiles([one] * 4, 1.92, **NAMES))
    with pytest.raises(ValueError, match="there is none"):
        draw_likelihood_profiles([], 1.92, **NAMES)


def test_courses_share_their_colours() -> None:
    t = np.linspace(0, 10, 5)
    course = Course("no drug", t, t, t - 1, t + 1, t[::2], t[::2] + 0.1)
    other = Course("4 mg", t, 0.5 * t)
    panels = [CoursePanel("pSTAT3", (course, other), "nM"), CoursePanel("SOCS3", (other,))]
    svg = draw_time_courses(panels, TimeCourseOptions(band_label="90 %"), **NAMES)
    _described(svg)
    assert svg.count("#c8501e") >= 2  # the second condition, in both panels
    with pytest.raises(ValueError, match="at least one course"):
        draw_time_courses([CoursePanel("pSTAT3", ())], **NAMES)


def test_the_same_network_gives_the_same_drawing() -> None:
    first = draw_reaction_network(SPECIES, REACTIONS, **NAMES)
    _described(first)
    assert first == draw_reaction_network(SPECIES, REACTIONS, **NAMES)
    with pytest.raises(ValueError, match="no species"):
        draw_reaction_network({}, (), **NAMES)


def test_one_species_can_be_drawn() -> None:
    _described(draw_reaction_network({"STAT": ""}, REACTIONS[3:4], **NAMES))
