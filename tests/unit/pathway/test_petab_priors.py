from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from statera.pathway.petab_priors import PRIOR_TYPES, Prior, draw, log_density
from statera.pathway.petab_scales import Scale

SCALES: tuple[Scale, ...] = ("lin", "log", "log10")
SHAPES = {"Uniform": (-3.0, 4.0), "Normal": (0.4, 0.7), "Laplace": (0.3, 0.6)}
LINEAR = {
    "uniform": stats.uniform(0.1, 5.0),
    "normal": stats.norm(1.2, 0.7),
    "laplace": stats.laplace(1.1, 0.6),
    "logNormal": stats.lognorm(0.7, scale=math.exp(0.4)),
    "logLaplace": None,
}
PARAMETERS = {
    "uniform": (0.1, 5.1), "normal": (1.2, 0.7), "laplace": (1.1, 0.6),
    "logNormal": (0.4, 0.7), "logLaplace": (0.3, 0.6),
}  # fmt: skip


def prior_of(kind: str) -> Prior:
    if kind in PARAMETERS:
        return Prior(kind, *PARAMETERS[kind])
    return Prior(kind, *SHAPES[kind.removeprefix("parameterScale")])


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("kind", ["uniform", "normal", "laplace", "logNormal", "logLaplace"])
def test_linear_priors_are_densities_of_the_linear_parameter(kind: str, scale: Scale) -> None:
    linear = 1.7
    theta = {"lin": linear, "log": math.log(linear), "log10": math.log10(linear)}[scale]
    if kind == "logLaplace":
        expected = stats.laplace(0.3, 0.6).logpdf(math.log(linear)) - math.log(linear)
    else:
        expected = LINEAR[kind].logpdf(linear)
    assert log_density(prior_of(kind), scale, theta)[0] == pytest.approx(expected, rel=1e-12)


def test_priors_on_the_scale_do_not_look_at_the_linear_value() -> None:
    for scale in SCALES:
        assert log_density(prior_of("parameterScaleNormal"), scale, 0.9)[0] == pytest.approx(
            stats.norm(0.4, 0.7).logpdf(0.9), rel=1e-12
        )
        assert log_density(prior_of("parameterScaleLaplace"), scale, 0.9)[0] == pytest.approx(
            stats.laplace(0.3, 0.6).logpdf(0.9), rel=1e-12
        )
        assert log_density(prior_of("parameterScaleUniform"), scale, 0.9)[0] == 0.0


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("kind", PRIOR_TYPES)
def test_slopes_are_those_of_the_density(kind: str, scale: Scale) -> None:
    prior, theta, step = prior_of(kind), 0.35, 1e-6
    up, down = (log_density(prior, scale, theta + s)[0] for s in (step, -step))
    assert log_density(prior, scale, theta)[1] == pytest.approx((up - down) / (2 * step), abs=1e-7)


def test_outside_a_flat_prior_nothing_is_possible() -> None:
    assert log_density(prior_of("uniform"), "lin", 6.0)[0] == -math.inf
    assert log_density(prior_of("parameterScaleUniform"), "log10", 4.1)[0] == -math.inf
    assert log_density(prior_of("logNormal"), "lin", -1.0)[0] == -math.inf


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("kind", PRIOR_TYPES)
def test_starts_follow_their_prior_within_the_bounds(kind: str, scale: Scale) -> None:
    prior, bounds = prior_of(kind), (-9.0, 9.0)
    drawn = draw(prior, scale, bounds, 4000, np.random.default_rng(3))
    assert drawn.shape == (4000,)
    assert (drawn >= -9.0).all()
    assert (drawn <= 9.0).all()
    base = {"lin": lambda x: x, "log": np.exp, "log10": lambda x: 10.0**x}[scale](drawn)
    own = drawn if prior.on_scale else (np.log(base) if kind.startswith("log") and scale != "lin"
                                        else base)  # fmt: skip
    if kind.startswith("log") and scale == "lin":
        own = np.log(base)
    middle = {"uniform": (prior.first + prior.second) / 2}.get(prior.shape, prior.first)
    assert np.median(own) == pytest.approx(middle, abs=0.25)
