"""Figures of a fit: they draw what the tables hold, and name what they cannot draw."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from statera.estimate import FitResult
from statera.estimate.diagnostics import DiagnosticOptions, diagnose
from statera.estimate.grid import predict_curves
from statera.estimate.influence import influence
from statera.estimate.npc import NpcOptions, npc
from statera.estimate.npde import NpdeOptions
from statera.estimate.vpc import VpcOptions, vpc
from statera.plot.effects import EffectOptions, draw_effect_covariates, draw_effects
from statera.plot.gof import GofOptions, draw_gof
from statera.plot.individual_fits import (
    IndividualFitOptions,
    draw_individual_fits,
    page_count,
    subjects_on,
)
from statera.plot.npc import draw_npc
from statera.plot.objective import IterationOptions, draw_influence, draw_iterations
from statera.plot.points import logarithmic_axis, padded, thin
from statera.plot.theme import new_figure, theme
from statera.plot.vpc import VpcPlotOptions, draw_vpc

Checked = Callable[[str], Any]


def test_goodness_of_fit(checked: Checked, names: dict[str, str], decay_fit: FitResult) -> None:
    found = diagnose(decay_fit)
    svg = draw_gof(found, **names)
    checked(svg)
    assert svg == draw_gof(found, **names)
    checked(draw_gof(found, GofOptions(logarithmic=True, x="TAD"), **names))
    # each of the 144 observations is a mark in each of six panels
    assert svg.count("<use") >= 6 * 144


def test_points_that_are_left_out_are_counted(names: dict[str, str], decay_fit: FitResult) -> None:
    found = diagnose(decay_fit)
    few = draw_gof(found, GofOptions(most_points=50), **names)
    assert few.count("<use") < draw_gof(found, **names).count("<use") - 400


def test_goodness_of_fit_with_censored_values(
    checked: Checked, names: dict[str, str], censored_fit: FitResult
) -> None:
    found = diagnose(censored_fit, DiagnosticOptions(npde=NpdeOptions(n=60)))
    checked(draw_gof(found, GofOptions(residual="NPDE", logarithmic=True), **names))


def test_goodness_of_fit_names_what_is_wrong(
    names: dict[str, str], decay_fit: FitResult, answer_fit: FitResult
) -> None:
    found = diagnose(decay_fit)
    with pytest.raises(ValueError, match="NPDE was not computed"):
        draw_gof(found, GofOptions(residual="NPDE"), **names)
    with pytest.raises(ValueError, match="no predictions of 'D'"):
        draw_gof(found, GofOptions(output="D"), **names)
    with pytest.raises(ValueError, match="no predictions"):
        draw_gof(diagnose(answer_fit), **names)


def test_individual_fits(checked: Checked, names: dict[str, str], censored_fit: FitResult) -> None:
    found = diagnose(censored_fit)
    options = IndividualFitOptions(rows=2, columns=5, page=3)
    assert page_count(found, options) == 3
    assert subjects_on(found, options) == ("21", "22", "23", "24")
    curves = predict_curves(censored_fit, subjects_on(found, options))
    checked(draw_individual_fits(found, curves, options, **names))
    checked(draw_individual_fits(found, curves, replace(options, logarithmic=True), **names))
    with pytest.raises(ValueError, match="page 4 is empty"):
        draw_individual_fits(found, curves, replace(options, page=4), **names)
    with pytest.raises(ValueError, match="no curve of subject 21"):
        draw_individual_fits(found, curves[1:], options, **names)


def test_random_effects(checked: Checked, names: dict[str, str], decay_fit: FitResult) -> None:
    found = diagnose(decay_fit)
    checked(draw_effects(found, **names))
    svg = draw_effect_covariates(found, **names)
    checked(svg)
    one = draw_effect_covariates(found, EffectOptions(("eCL",), ("SEX",)), **names)
    assert len(one) < len(svg)
    with pytest.raises(ValueError, match="none called 'eX'"):
        draw_effects(found, EffectOptions(effects=("eX",)), **names)
    with pytest.raises(ValueError, match="none called 'AGE'"):
        draw_effect_covariates(found, EffectOptions(covariates=("AGE",)), **names)


def test_visual_predictive_checks(
    checked: Checked, names: dict[str, str], censored_fit: FitResult, answer_fit: FitResult
) -> None:
    check = vpc(censored_fit, VpcOptions(n=40, stratify="SEX"))
    checked(draw_vpc(check, VpcPlotOptions(logarithmic=True), **names))
    bare = draw_vpc(check, VpcPlotOptions(points=False), **names)
    assert bare.count("<use") < draw_vpc(check, **names).count("<use") - 80
    checked(draw_vpc(vpc(answer_fit, VpcOptions(n=40)), **names))


def test_influence_and_search(checked: Checked, names: dict[str, str], line_fit: FitResult) -> None:
    checked(draw_influence(influence(line_fit), **names))
    checked(draw_iterations(line_fit, **names))
    with pytest.raises(ValueError, match="no history"):
        draw_iterations(replace(line_fit, iterations=()), **names)


def test_thinning_keeps_the_ends() -> None:
    x = np.arange(10_000.0)
    y = np.sin(x) + np.where(x == 777, 50.0, 0.0)
    kept = thin(x, y, 500)
    assert kept.size <= 501
    assert 777 in kept
    assert np.argmin(y) in kept
    assert thin(x[:100], y[:100], 500).size == 100


def test_limits_of_axes() -> None:
    assert padded(np.array([0.0, 10.0, np.nan])) == (-0.5, 10.5)
    low, high = padded(np.array([0.0, 1.0, 100.0]), logarithmic=True)
    assert 0.0 < low < 1.0
    assert high > 100.0
    assert padded(np.array([np.nan])) == (0.0, 1.0)
    assert padded(np.array([3.0, 3.0]))[0] < 3.0


def test_logarithmic_axes_have_plain_numbers() -> None:
    with theme():
        figure = new_figure(4, 3)
        axes = figure.subplots()
        logarithmic_axis(axes, "x")
        axes.set_xlim(0.1, 1000)
        figure.draw_without_rendering()
        labels = [label.get_text() for label in axes.get_xticklabels()]
    assert {"0.1", "10", "1000"} <= set(labels)


def test_numerical_predictive_checks(
    checked: Checked, names: dict[str, str], censored_fit: FitResult
) -> None:
    check = npc(censored_fit, NpcOptions(n=60, stratify="SEX"))
    svg = draw_npc(check, **names)
    checked(svg)
    assert svg == draw_npc(check, **names)
    one = npc(censored_fit, NpcOptions(n=60))
    assert len(draw_npc(one, **names)) < len(svg)


def test_the_search_of_a_method_without_objective(
    checked: Checked, names: dict[str, str], line_fit: FitResult
) -> None:
    steps = tuple(replace(s, objective=float("nan")) for s in line_fit.iterations)
    found = draw_iterations(replace(line_fit, iterations=steps), **names)
    checked(found)
    assert len(found) < len(draw_iterations(line_fit, **names))
    marked = draw_iterations(line_fit, IterationOptions(marks=(1,)), **names)
    assert len(marked) > len(draw_iterations(line_fit, **names))
