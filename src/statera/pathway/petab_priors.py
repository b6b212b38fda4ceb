"""Priors of PEtab version 1: densities for the objective, draws for starts.

A density is that of the quantity on which the prior is declared: the linear parameter, or the
parameter on its scale for the ``parameterScale`` types. It is not renormalised by the bounds.
``logNormal`` and ``logLaplace`` are densities of the linear parameter, ``1/x`` included. A flat
prior on the parameter's scale stands for no prior, as the format says, and adds no constant.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from statera.pathway.petab_scales import LN10, Scale, scaled

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
    """A prior: its type and its two parameters (bounds, mean and SD, or location and scale)."""

    type: str
    first: float
    second: float

    @property
    def on_scale(self) -> bool:
        """Whether it is declared on the parameter's own scale."""
        return self.type.startswith("parameterScale")

    @property
    def shape(self) -> str:
        """``Uniform``, ``Normal`` or ``Laplace``."""
        return next(
            s for s in ("Uniform", "Normal", "Laplace") if self.type.lower().endswith(s.lower())
        )


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
    linear = theta if factor == 0.0 else math.exp(min(factor * theta, 700.0))
    grows = 1.0 if factor == 0.0 else factor * linear  # d linear / d theta
    if prior.on_scale:
        value, slope, information = _shape(prior, theta)
        return value, slope, information
    if prior.type.startswith("log"):
        if linear <= 0.0:
            return -math.inf, 0.0, 0.0
        value, slope, information = _shape(prior, math.log(linear))
        relative = grows / linear
        return value - math.log(linear), (slope - 1.0) * relative, information * relative**2
    value, slope, information = _shape(prior, linear)
    return value, slope * grows, information * grows**2


def _shape(prior: Prior, x: float) -> tuple[float, float, float]:
    a, b = prior.first, prior.second
    if prior.shape == "Uniform":
        if not a <= x <= b:
            return -math.inf, 0.0, 0.0
        return (0.0 if prior.on_scale else -math.log(b - a)), 0.0, 0.0
    r = (x - a) / b
    if prior.shape == "Normal":
        return -0.5 * (math.log(2.0 * math.pi) + r * r) - math.log(b), -r / b, 1.0 / (b * b)
    return -math.log(2.0 * b) - abs(r), -math.copysign(1.0, r) / b if r else 0.0, 1.0 / (b * b)


def draw(
    prior: Prior, scale: Scale, bounds: tuple[float, float], size: int, random: np.random.Generator
) -> NDArray[np.float64]:
    """Return starts drawn from a prior, on the parameter's scale, clipped to the bounds.

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
    (size,) float64
    """
    a, b = prior.first, prior.second
    if prior.shape == "Uniform":
        drawn = random.uniform(a, b, size)
    elif prior.shape == "Normal":
        drawn = random.normal(a, b, size)
    else:
        drawn = random.laplace(a, b, size)
    if not prior.on_scale:
        linear = np.exp(drawn) if prior.type.startswith("log") else drawn
        drawn = np.array([scaled(float(x), scale) if x > 0.0 or scale == "lin" else -np.inf
                          for x in linear])  # fmt: skip
    return np.clip(drawn, *bounds)
