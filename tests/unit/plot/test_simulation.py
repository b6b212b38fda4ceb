"""Drawings of simulations."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from statera.errors import InputError, UnknownNameError
from statera.model import build_model, structure
from statera.plot.simulation import draw_simulation
from statera.simulate import simulate

MODEL = build_model(structure("1cmt_oral", {"CL": 5.0, "V": 40.0, "KA": 1.0}))


def test_a_population_is_drawn_with_its_band() -> None:
    result = simulate(MODEL, "100 mg q12h x2", n=5)
    svg = draw_simulation(result, "C")
    assert ElementTree.fromstring(svg).tag.endswith("svg")
    assert "C of 5 subjects" in svg
    assert "90 % of the" in svg


def test_one_subject_has_no_band() -> None:
    svg = draw_simulation(simulate(MODEL, "100 mg", typical=True))
    assert "C of 1 subject, " in svg
    assert "median." in svg


def test_what_cannot_be_drawn() -> None:
    with pytest.raises(UnknownNameError):
        draw_simulation(simulate(MODEL, "100 mg"), "X")
    spec = structure("1cmt_oral", {"CL": 5.0, "V": 40.0, "KA": 1.0, "LAG": -1.0})
    with pytest.raises(InputError, match="nothing to draw"):
        draw_simulation(simulate(build_model(spec), "100 mg"))
