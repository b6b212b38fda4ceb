"""Effect measures: what each one is, on which scale it is pooled and how it is printed.

Codes are those of the field (and of metafor's ``escalc``): RR, OR, PETO, RD and AS from two arms of
counts; IRR, IRD and IRSD from events in person-time; MD, SMD, SMDH and ROM from means; PR, PLN,
PLO, PAS and PFT of one proportion; IR, IRLN, IRS and IRFT of one rate; MN and MNLN of one mean; HR
from what a paper prints; GEN for any other estimate with its variance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

from statera.errors import UnknownNameError

__all__ = ["MEASURES", "Family", "Measure", "Scale", "measure_of"]

Floats = NDArray[np.float64]


class Family(StrEnum):
    """The columns that a measure is computed from."""

    TWO_ARM_COUNTS = "events and members of two arms"
    TWO_ARM_RATES = "events and person-time of two arms"
    TWO_ARM_MEANS = "means, standard deviations and members of two arms"
    ONE_PROPORTION = "events and members of one group"
    ONE_RATE = "events and person-time of one group"
    ONE_MEAN = "mean, standard deviation and members of one group"
    PRINTED = "an estimate with its interval, standard error, p-value or variance"


class Scale(StrEnum):
    """The scale on which a measure is pooled."""

    NATURAL = "natural"
    LOG = "log"
    LOGIT = "logit"
    ARCSINE = "arcsine of the square root"
    DOUBLE_ARCSINE = "double arcsine"
    SQUARE_ROOT = "square root"
    DOUBLE_SQUARE_ROOT = "double square root"


@dataclass(frozen=True)
class Measure:
    """An effect measure.

    Attributes
    ----------
    code
        As in the literature, such as ``OR``.
    name
        In words, on the natural scale.
    family
        Columns it is computed from.
    scale
        On which it is pooled.
    null
        Value of no effect on the pooled scale; NaN for measures of one group.
    """

    code: str
    name: str
    family: Family
    scale: Scale = Scale.NATURAL
    null: float = 0.0

    @property
    def log(self) -> bool:
        """True where values are logarithms, printed as their exponentials."""
        return self.scale is Scale.LOG

    @property
    def ratio(self) -> bool:
        """True for a ratio of two groups."""
        return self.log and self.null == 0.0

    def natural(self, values: ArrayLike, size: float | None = None) -> Floats:
        """Return values of the pooled scale on the natural one.

        Parameters
        ----------
        values : (...,) float64
            On the pooled scale.
        size
            Members or person-time that the Freeman-Tukey scales need: that of the study, or the
            harmonic mean of all for a pooled value (Miller, Am Stat 1978;32:138).
        """
        x = np.asarray(values, dtype=np.float64)
        match self.scale:
            case Scale.LOG:
                with np.errstate(over="ignore"):  # beyond numbers is infinite
                    return np.asarray(np.exp(x))
            case Scale.LOGIT:
                return np.asarray(expit(x))
            case Scale.ARCSINE:
                return np.asarray(np.sin(np.clip(x, 0.0, np.pi / 2.0)) ** 2)
            case Scale.SQUARE_ROOT:
                return np.asarray(np.maximum(x, 0.0) ** 2)
            case Scale.DOUBLE_ARCSINE if size is not None:
                return _inverse_double_arcsine(x, size)
            case Scale.DOUBLE_SQUARE_ROOT if size is not None:
                return _inverse_double_square_root(x, size)
        return x


def _inverse_double_arcsine(x: Floats, n: float) -> Floats:
    """Return the proportion of a double arcsine among `n` (Miller, Am Stat 1978;32:138)."""
    lowest = 0.5 * np.arcsin(np.sqrt(1.0 / (n + 1.0)))
    highest = np.pi / 2.0 - lowest
    inside = np.clip(x, lowest, highest)
    s, c = np.sin(2.0 * inside), np.cos(2.0 * inside)
    root = np.sqrt(np.maximum(0.0, 1.0 - (s + (s - 1.0 / s) / n) ** 2))
    return np.asarray(np.clip(0.5 * (1.0 - np.sign(c) * root), 0.0, 1.0))


def _inverse_double_square_root(x: Floats, t: float) -> Floats:
    """Return the rate of a double square root in person-time `t`, by solving its definition."""
    inside = np.maximum(x, 0.5 * np.sqrt(1.0 / t))
    return np.asarray((inside - 1.0 / (4.0 * t * inside)) ** 2)


def _measures() -> dict[str, Measure]:
    two, rates, means = Family.TWO_ARM_COUNTS, Family.TWO_ARM_RATES, Family.TWO_ARM_MEANS
    one, rate, mean = Family.ONE_PROPORTION, Family.ONE_RATE, Family.ONE_MEAN
    nan = float("nan")
    rows = (
        Measure("RR", "risk ratio", two, Scale.LOG),
        Measure("OR", "odds ratio", two, Scale.LOG),
        Measure("PETO", "odds ratio by Peto", two, Scale.LOG),
        Measure("RD", "risk difference", two),
        Measure("AS", "difference of arcsines of square roots of risks", two),
        Measure("IRR", "incidence rate ratio", rates, Scale.LOG),
        Measure("IRD", "incidence rate difference", rates),
        Measure("IRSD", "difference of square roots of incidence rates", rates),
        Measure("MD", "mean difference", means),
        Measure("SMD", "standardised mean difference (Hedges' g)", means),
        Measure("SMDH", "standardised mean difference, unequal variances", means),
        Measure("ROM", "ratio of means", means, Scale.LOG),
        Measure("PR", "proportion", one, null=nan),
        Measure("PLN", "proportion", one, Scale.LOG, nan),
        Measure("PLO", "proportion", one, Scale.LOGIT, nan),
        Measure("PAS", "proportion", one, Scale.ARCSINE, nan),
        Measure("PFT", "proportion", one, Scale.DOUBLE_ARCSINE, nan),
        Measure("IR", "incidence rate", rate, null=nan),
        Measure("IRLN", "incidence rate", rate, Scale.LOG, nan),
        Measure("IRS", "incidence rate", rate, Scale.SQUARE_ROOT, nan),
        Measure("IRFT", "incidence rate", rate, Scale.DOUBLE_SQUARE_ROOT, nan),
        Measure("MN", "mean", mean, null=nan),
        Measure("MNLN", "mean", mean, Scale.LOG, nan),
        Measure("HR", "hazard ratio", Family.PRINTED, Scale.LOG),
        Measure("GEN", "effect", Family.PRINTED),
    )
    return {m.code: m for m in rows}


#: All measures by their code.
MEASURES: Mapping[str, Measure] = MappingProxyType(_measures())


def measure_of(code: Any) -> Measure:
    """Return the measure with that code; upper or lower case.

    Raises
    ------
    UnknownNameError
        If there is none; the nearest codes are named.
    """
    found = MEASURES.get(str(code).strip().upper())
    if found is None:
        raise UnknownNameError("effect measure", str(code), MEASURES, where="measure")
    return found
