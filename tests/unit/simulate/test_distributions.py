"""Covariates drawn for a virtual population."""

from __future__ import annotations

import numpy as np
import pytest

import statera as st
from statera.errors import InputError
from statera.model import Range
from statera.simulate import Choice, LogNormal, Normal, Uniform, parse_distribution
from statera.simulate.distributions import draw_covariate

MODEL = st.load_model("baricitinib/Decker_2024")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("normal(74, 15)", Normal(74, 15)),
        (" LogNormal( 74 ,0.2 ) ", LogNormal(74, 0.2)),
        ("uniform(40,120)", Uniform(40, 120)),
        ("choice(0.6)", Choice(0.6)),
    ],
)
def test_texts_are_read(text: str, expected: object) -> None:
    assert parse_distribution(text) == expected


@pytest.mark.parametrize(
    "text",
    ["gamma(1, 2)", "normal(74)", "normal(a, b)", "normal(1, 2, 3)", "normal 74", "uniform(2, 1)",
     "normal(1, -2)", "lognormal(-1, 1)", "choice(1.5)", "normal(nan, 1)", ""],
)  # fmt: skip
def test_texts_that_make_no_sense_are_refused(text: str) -> None:
    with pytest.raises(InputError):
        parse_distribution(text)


def test_draws_have_the_stated_moments() -> None:
    everything = Range(None, None)
    x = draw_covariate(Normal(74, 15), "WT", everything, 40_000, 1)
    assert x.mean() == pytest.approx(74, abs=0.4)
    assert x.std() == pytest.approx(15, abs=0.3)
    x = draw_covariate(LogNormal(74, 0.2), "WT", everything, 40_000, 1)
    assert np.median(x) == pytest.approx(74, rel=0.01)
    assert np.log(x).std() == pytest.approx(0.2, rel=0.03)
    x = draw_covariate(Choice(0.3), "SEX", everything, 40_000, 1)
    assert set(np.unique(x)) == {0.0, 1.0}
    assert x.mean() == pytest.approx(0.3, abs=0.01)


def test_draws_stay_inside_the_plausible_range() -> None:
    x = draw_covariate(Normal(60, 40), "WT", Range(2, 300), 5_000, 1)
    assert x.min() >= 2
    with pytest.raises(InputError, match="hardly any value"):
        draw_covariate(Normal(-500, 1), "WT", Range(2, 300), 10, 1)


def test_the_first_subjects_do_not_depend_on_their_number_or_on_other_covariates() -> None:
    few = st.simulate(MODEL, "4 mg", n=5, covariates={"WT": Normal(70, 10)}, times=[])
    many = st.simulate(
        MODEL,
        "4 mg",
        n=50,
        covariates={"weight": Normal(70, 10), "eGFR": Uniform(60, 120)},
        times=[],
        workers=2,
    )
    np.testing.assert_array_equal(few.covariates["WT"], many.covariates["WT"][:5])
    assert np.unique(many.covariates["EGFR"]).size == 50


def test_values_outside_the_data_are_a_warning() -> None:
    result = st.simulate(MODEL, "4 mg", n=50, covariates={"EGFR": Uniform(20, 100)}, times=[])
    assert any("extrapolation" in w for w in result.warnings)
