"""Distributions of covariates in a virtual population."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from statera.errors import InputError
from statera.model import Range
from statera.numerics.streams import stream

__all__ = ["Choice", "Distribution", "LogNormal", "Normal", "Uniform", "parse_distribution"]

_MOST_ROUNDS = 1000


@dataclass(frozen=True)
class Normal:
    """Normal distribution with mean and standard deviation."""

    mean: float
    sd: float
    form: ClassVar[str] = "normal(mean, sd)"

    def __post_init__(self) -> None:
        if not (math.isfinite(self.mean) and self.sd > 0 and math.isfinite(self.sd)):
            raise InputError(f"{self}: the standard deviation must be above zero")

    def draw(self, generator: np.random.Generator, n: int) -> NDArray[np.float64]:
        """Return n values, (n,) float64."""
        return generator.normal(self.mean, self.sd, n)


@dataclass(frozen=True)
class LogNormal:
    """Log-normal distribution with median and standard deviation of the logarithm."""

    median: float
    sd: float
    form: ClassVar[str] = "lognormal(median, sd of the logarithm)"

    def __post_init__(self) -> None:
        if not (self.median > 0 and self.sd > 0 and math.isfinite(self.median * self.sd)):
            raise InputError(f"{self}: median and standard deviation must be above zero")

    def draw(self, generator: np.random.Generator, n: int) -> NDArray[np.float64]:
        """Return n values, (n,) float64."""
        return generator.lognormal(math.log(self.median), self.sd, n)


@dataclass(frozen=True)
class Uniform:
    """Uniform distribution between two ends."""

    low: float
    high: float
    form: ClassVar[str] = "uniform(low, high)"

    def __post_init__(self) -> None:
        if not (self.low < self.high and math.isfinite(self.low) and math.isfinite(self.high)):
            raise InputError(f"{self}: the lower end must lie below the upper")

    def draw(self, generator: np.random.Generator, n: int) -> NDArray[np.float64]:
        """Return n values, (n,) float64."""
        return generator.uniform(self.low, self.high, n)


@dataclass(frozen=True)
class Choice:
    """1 with a probability, else 0: for indicators such as sex."""

    probability: float
    form: ClassVar[str] = "choice(probability of 1)"

    def __post_init__(self) -> None:
        if not 0.0 <= self.probability <= 1.0:
            raise InputError(f"{self}: a probability lies between 0 and 1")

    def draw(self, generator: np.random.Generator, n: int) -> NDArray[np.float64]:
        """Return n values, (n,) float64."""
        return (generator.random(n) < self.probability).astype(np.float64)


Distribution = Normal | LogNormal | Uniform | Choice

_KINDS: dict[str, type[Normal] | type[LogNormal] | type[Uniform] | type[Choice]] = {
    "normal": Normal,
    "lognormal": LogNormal,
    "uniform": Uniform,
    "choice": Choice,
}
_TEXT = re.compile(r"^\s*([a-z]+)\s*\(([^()]*)\)\s*$", re.IGNORECASE)


def parse_distribution(text: str) -> Distribution:
    """Parse text such as ``"normal(74, 15)"``.

    Raises
    ------
    InputError
        If the text names no known distribution or its numbers cannot be used.
    """
    forms = "; ".join(kind.form for kind in _KINDS.values())
    match = _TEXT.match(text)
    kind = _KINDS.get(match.group(1).lower()) if match else None
    if match is None or kind is None:
        raise InputError(f"'{text}' is not a distribution", hint=f"Write one of: {forms}.")
    try:
        numbers = [float(part) for part in match.group(2).split(",")]
        return kind(*numbers)
    except (TypeError, ValueError):
        raise InputError(f"'{text}': expected {kind.form}", hint=f"Known: {forms}.") from None


def draw_covariate(
    distribution: Distribution, name: str, hard: Range, n: int, seed: int
) -> NDArray[np.float64]:
    """Draw one covariate for n subjects, (n,) float64.

    Every covariate has a stream of its own. Values outside the plausible range are drawn anew, so
    that the distribution is truncated there.

    Raises
    ------
    InputError
        If hardly any value falls inside the plausible range.
    """
    generator = stream(seed, f"covariate {name}")
    kept: list[NDArray[np.float64]] = []
    count = 0
    for _ in range(_MOST_ROUNDS):
        values = distribution.draw(generator, n)
        values = values[[hard.holds(float(v)) for v in values]]
        kept.append(values)
        count += values.size
        if count >= n:
            return np.concatenate(kept)[:n]
    raise InputError(
        f"{distribution} for {name} has hardly any value in the plausible range ({hard})",
        where=name,
        hint="Check the numbers and their unit.",
    )
