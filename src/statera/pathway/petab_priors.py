"""Priors of PEtab: densities for the objective, draws for starts.

A density is that of the quantity on which the prior is declared: the linear parameter, or the
parameter on its scale for the ``parameterScale`` types. Types that begin with ``log`` are densities
of the linear parameter, ``1/x`` included. A flat prior on the parameter's scale stands for no
prior, as the format says, and adds no constant. Version 1 does not renormalise by the bounds;
version 2 does, see `Prior.log_mass`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from statera.pathway.petab_scales import LN10, Scale, scaled

Floats = NDArray[np.float64]

__all__ = ["PRIOR_TYPES", "Prior", "draw", "log_density"]

PRIOR_TYPES = (
    "parameterScaleUniform",
    "parameterScaleNormal",
    "parameterScaleLaplace",
    "uniform",
    "normal",
    "laplace",
    "logNormal",
    "logLaplace",
)


@dataclass(frozen=True)
class Prior:
    """A prior.

    Attributes
    ----------
    type
        One of `PRIOR_TYPES`; of version 2 also ``logUniform``, ``cauchy``, ``gamma`` (shape and
        scale, of which exponential and chi-squared are cases) and ``rayleigh``.
    first, second
        Bounds, mean and SD, or location and scale; bounds of ``logUniform`` are logarithms.
    log_mass
        Logarithm of the probability between the bounds, where the prior is cut off there.
    """

    type: str
    first: float
    second: float
    log_mass: float | None = None

    @property
    def on_scale(self) -> bool:
        """Whether it is declared on the parameter's own scale."""
        return self.type.startswith("parameterScale")

    @property
    def shape(self) -> str:
        """Which of `_SHAPES` it has."""
        return next(shape for shape in _SHAPES if self.type.lower().endswith(shape))


def log_density(prior: Prior, scale: Scale, theta: float) -> tuple[float, float, float]:
    """Return the log density and its derivatives.

    Parameters
    ----------
    prior
        The prior.
    scale
        Scale of the parameter.
    theta
        The parameter on its scale.

    Returns
    -------
    Log density, its first derivative by `theta`, and the expected information on `theta` that the
    prior carries (minus the second derivative; for Laplace shapes the reciprocal squared scale).
    Outside a uniform prior the log density is minus infinity.
    """
    factor = {"lin": 0.0, "log": 1.0, "log10": LN10}[scale]
    mass = prior.log_mass or 0.0
    if prior.on_scale:
        value, slope, information = _shape(prior, theta)
        return value - mass, slope, information
    linear = theta if factor == 0.0 else math.exp(min(factor * theta, 700.0))
    grows = 1.0 if factor == 0.0 else factor * linear  # d linear / d theta
    if prior.type.startswith("log"):
        if linear <= 0.0:
            return -math.inf, 0.0, 0.0
        value, slope, information = _shape(prior, math.log(linear))
        relative = grows / linear
        found = value - math.log(linear) - mass
        return found, (slope - 1.0) * relative, information * relative**2
    value, slope, information = _shape(prior, linear)
    return value - mass, slope * grows, information * grows**2


def _shape(prior: Prior, x: float) -> tuple[float, float, float]:
    return _SHAPES[prior.shape](prior, x)


def _uniform(prior: Prior, x: float) -> tuple[float, float, float]:
    if not prior.first <= x <= prior.second:
        return -math.inf, 0.0, 0.0
    return (0.0 if prior.on_scale else -math.log(prior.second - prior.first)), 0.0, 0.0


def _normal(prior: Prior, x: float) -> tuple[float, float, float]:
    b = prior.second
    r = (x - prior.first) / b
    return -0.5 * (math.log(2.0 * math.pi) + r * r) - math.log(b), -r / b, 1.0 / (b * b)


def _laplace(prior: Prior, x: float) -> tuple[float, float, float]:
    b = prior.second
    r = (x - prior.first) / b
    return -math.log(2.0 * b) - abs(r), -math.copysign(1.0, r) / b if r else 0.0, 1.0 / (b * b)


def _cauchy(prior: Prior, x: float) -> tuple[float, float, float]:
    b = prior.second
    r = (x - prior.first) / b
    spread = 1.0 + r * r
    return -math.log(math.pi * b * spread), -2.0 * r / (b * spread), 0.5 / (b * b)


def _gamma(prior: Prior, x: float) -> tuple[float, float, float]:
    a, b = prior.first, prior.second
    if x < 0.0 or (x == 0.0 and a != 1.0):
        return -math.inf, 0.0, 0.0
    power = (a - 1.0) * math.log(x) if a != 1.0 else 0.0
    value = power - x / b - a * math.log(b) - math.lgamma(a)
    slope = ((a - 1.0) / x if a != 1.0 else 0.0) - 1.0 / b
    return value, slope, max((a - 1.0) / (x * x), 0.0) if a != 1.0 else 0.0


def _rayleigh(prior: Prior, x: float) -> tuple[float, float, float]:
    a2 = prior.first**2
    if x <= 0.0:
        return -math.inf, 0.0, 0.0
    return math.log(x / a2) - 0.5 * x * x / a2, 1.0 / x - x / a2, 1.0 / (x * x) + 1.0 / a2


_SHAPES: Mapping[str, Callable[[Prior, float], tuple[float, float, float]]] = {
    "uniform": _uniform,
    "normal": _normal,
    "laplace": _laplace,
    "cauchy": _cauchy,
    "gamma": _gamma,
    "rayleigh": _rayleigh,
}


def draw(
    prior: Prior, scale: Scale, bounds: tuple[float, float], size: int, random: np.random.Generator
) -> NDArray[np.float64]:
    """Return starts drawn from a prior, on the parameter's scale, within the bounds.

    Parameters
    ----------
    bounds
        On the parameter's scale.
    size
        How many.
    random
        The random stream.

    Returns
    -------
    (size,) float64; where the prior is cut off at the bounds, those outside are drawn again.
    """
    found = _drawn(prior, scale, size, random)
    if prior.log_mass is None:
        return np.clip(found, *bounds)
    for _ in range(1000):
        outside = ~((found >= bounds[0]) & (found <= bounds[1]))
        if not outside.any():
            return found
        found[outside] = _drawn(prior, scale, int(outside.sum()), random)
    return np.clip(found, *bounds)


def _drawn(prior: Prior, scale: Scale, size: int, random: np.random.Generator) -> Floats:
    a, b = prior.first, prior.second
    draws: Mapping[str, Callable[[], Floats]] = {
        "uniform": lambda: random.uniform(a, b, size),
        "normal": lambda: random.normal(a, b, size),
        "laplace": lambda: random.laplace(a, b, size),
        "cauchy": lambda: a + b * random.standard_cauchy(size),
        "gamma": lambda: random.gamma(a, b, size),
        "rayleigh": lambda: random.rayleigh(a, size),
    }
    drawn = draws[prior.shape]()
    if prior.on_scale:
        return drawn
    linear = np.exp(drawn) if prior.type.startswith("log") else drawn
    if scale == "lin":
        return linear
    return np.array([scaled(float(x), scale) if x > 0.0 else -np.inf for x in linear])
