"""Plots of influence: what is marked and that the drawings are sound."""

from __future__ import annotations

import pytest

from statera.evidence.effects import effects_of
from statera.evidence.influence import baujat, influence
from statera.evidence.pairwise import pairwise
from statera.plot.baujat_plot import baujat_figure, draw_baujat
from statera.plot.figure_bytes import figure_bytes
from statera.plot.influence_plot import draw_influence
from statera.report.check import svg_problems

WORDS = {"key": "plot", "title": "Plot", "alt": "Studies."}
Y = [0.1, 0.15, 0.2, 0.12, 0.18, 2.0]
RESULT = pairwise(effects_of(Y, [0.02] * 6, ["A", "B", "C", "D", "E", "Far away"]))


def test_a_study_far_away_is_a_diamond_of_another_colour() -> None:
    found = influence(RESULT)
    assert list(found.is_influential) == [False] * 5 + [True]
    drawn = draw_influence(found, **WORDS)
    assert not svg_problems(drawn)
    assert "#c8501e" in drawn
    calm = pairwise(effects_of(Y[:5], [0.02] * 5))
    assert "#c8501e" not in draw_influence(influence(calm), **WORDS)


def test_baujats_plot_names_those_that_stand_out() -> None:
    drawn = draw_baujat(baujat(RESULT), **WORDS)
    assert not svg_problems(drawn)
    assert drawn == draw_baujat(baujat(RESULT), **WORDS)
    many = pairwise(effects_of([0.1 * i for i in range(30)], [0.02] * 30))
    assert not svg_problems(draw_baujat(baujat(many), **WORDS))


@pytest.mark.parametrize(("suffix", "start"), [(".svg", b"<svg"), (".pdf", b"%PDF")])
def test_a_figure_is_written_by_the_ending(suffix: str, start: bytes) -> None:
    found = baujat(RESULT)
    made = [figure_bytes(lambda: baujat_figure(found), suffix, **WORDS) for _ in range(2)]
    assert made[0].startswith(start)
    assert made[0] == made[1]
