"""Potency of a curve relative to another: a ratio of doses, with intervals.

A ratio of IC50s means the same at every response only where curves are parallel, so that question
comes first. Fieller's interval treats both IC50s as normal (Fieller, J R Stat Soc B 1954), the
Wald interval their logarithms; the profile interval neither.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from statera.assay.fit_curves import Curves
from statera.assay.ic50 import Determination
from statera.assay.joint_fits import JointOptions, profile_joint
from statera.assay.logistic import LN_IC50, B, C, D, F
from statera.assay.parallelism import NestedVerdict, parallelism
from statera.errors import InputError, UsageError

__all__ = ["RelativePotency", "fieller", "relative_potency"]

Floats = NDArray[np.float64]

_OPEN = float(np.log(1e6))
"""An end of a ratio beyond this factor is open."""


@dataclass(frozen=True)
class RelativePotency:
    """Potency of one curve relative to the reference.

    Attributes
    ----------
    name, reference
    ratio
        Dose of the reference over that of the curve with the same effect; above 1 the curve is the
        more potent. NaN where refused.
    wald, profile, fieller
        Intervals; NaN where refused. Fieller's is infinite where the IC50 in the denominator is
        not known to be above 0; there is no profile of a ratio at a stated response.
    determination
        Refused where the curves are not parallel or never reach the response; at least, at most
        or not determined where the profile (of a ratio at a response, the Wald interval) is open.
    parallelism
    sentence
    """

    name: str
    reference: str
    ratio: float
    wald: tuple[float, float]
    profile: tuple[float, float]
    fieller: tuple[float, float]
    determination: Determination
    parallelism: NestedVerdict
    sentence: str

    @property
    def refused(self) -> bool:
        """Whether no ratio is given."""
        return self.determination is Determination.REFUSED


def fieller(
    numerator: float, denominator: float, covariance: Floats, quantile: float
) -> tuple[float, float]:
    """Return Fieller's interval of a ratio of normal estimates.

    Parameters
    ----------
    numerator, denominator
    covariance : (2, 2) float64
        In that order.
    quantile
        Of t.
    """
    v11, v12, v22 = covariance[0, 0], covariance[0, 1], covariance[1, 1]
    if not np.isfinite(covariance).all():
        return float("-inf"), float("inf")
    g = quantile**2 * v22 / denominator**2
    ratio = numerator / denominator
    if not g < 1:
        return float("-inf"), float("inf")
    if v22 == 0:
        far = quantile / abs(denominator) * float(np.sqrt(v11))
        return ratio - far, ratio + far
    root = v11 - 2.0 * ratio * v12 + ratio**2 * v22 - g * (v11 - v12**2 / v22)
    far = quantile / abs(denominator) * float(np.sqrt(max(root, 0.0)))
    centre = ratio - g * v12 / v22
    return float((centre - far) / (1.0 - g)), float((centre + far) / (1.0 - g))


def relative_potency(
    curves: Curves,
    reference: str,
    options: JointOptions | None = None,
    absolute: float | None = None,
    level: float = 0.95,
    alpha: float = 0.05,
) -> tuple[RelativePotency, ...]:
    """Return the potency of every other curve relative to the reference.

    Parameters
    ----------
    curves
    reference
        Name of a curve.
    options
        The free model of the test of parallelism.
    absolute
        A response: the ratio of the doses that have it, from the free model. It needs no parallel
        curves and holds at that response only.
    level
        Of intervals.
    alpha
        Of the test of parallelism.

    Raises
    ------
    InputError
        If no curve, or more than one, has the reference's name.
    """
    if curves.names.count(reference) != 1:
        raise InputError(
            f"{curves.names.count(reference)} curves are called '{reference}'",
            hint=f"Curves: {', '.join(curves.names)}.",
        )
    if not 0.0 < level < 1.0:
        raise UsageError(f"an interval cannot have a level of {level:g}")
    verdict = parallelism(curves, options, alpha)
    r = curves.names.index(reference)
    return tuple(_one(verdict, r, k, absolute, level) for k in range(len(curves.names)) if k != r)


def _one(
    verdict: NestedVerdict, r: int, k: int, absolute: float | None, level: float
) -> RelativePotency:
    fit = verdict.restricted if absolute is None else verdict.free
    names = fit.curves.names
    if absolute is None and not verdict.holds:
        return _refused(verdict, names[k], names[r], verdict.sentence)
    rows, logs = [], []
    for i in (r, k):
        value, gradient = _ln_dose(fit.parameters[i], absolute)
        full = np.zeros_like(fit.parameters)
        full[i] = gradient
        rows.append(fit.contrast(full))
        logs.append(value)
    if not np.isfinite(logs).all():
        return _refused(verdict, names[k], names[r], "a curve does not reach the wanted response")
    difference = rows[0] - rows[1]
    covariance = np.stack(rows) @ fit.covariance @ np.stack(rows).T
    quantile = float(student.ppf(0.5 + level / 2.0, fit.df))
    ln_ratio = logs[0] - logs[1]
    far = quantile * float(np.sqrt(difference @ fit.covariance @ difference))
    doses = np.exp(np.clip(logs, -300.0, 300.0))
    ends = fieller(doses[0], doses[1], covariance * np.outer(doses, doses), quantile)
    wald, profile = (ln_ratio - far, ln_ratio + far), (float("nan"), float("nan"))
    if absolute is None:
        profile = profile_joint(fit, difference, level)
    shown = wald if absolute is not None else profile
    how = _determined(shown)
    with np.errstate(over="ignore"):
        ratio = float(np.exp(ln_ratio))
        wald, profile, shown = (
            (float(np.exp(a)), float(np.exp(b))) for a, b in (wald, profile, shown)
        )
    said = _sentence(how, ratio, shown, names[r], level)
    if absolute is not None:
        said += f" at a response of {absolute:g}"
        said += "" if verdict.holds else "; the curves are not parallel: there only"
    return RelativePotency(names[k], names[r], ratio, wald, profile, ends, how, verdict, said)


def _determined(ends: tuple[float, float]) -> Determination:
    """Return the status of an interval of ln ratio; ends beyond any dose count as open."""
    low_open, high_open = not ends[0] > -_OPEN, not ends[1] < _OPEN
    if low_open:
        return Determination.NOT_DETERMINED if high_open else Determination.AT_MOST
    return Determination.AT_LEAST if high_open else Determination.DETERMINED


def _sentence(
    how: Determination, ratio: float, ends: tuple[float, float], reference: str, level: float
) -> str:
    percent, times = f"{100 * level:g} %", f"times as potent as {reference}"
    if how is Determination.DETERMINED:
        return f"{ratio:.4g} {times} ({percent}: {ends[0]:.4g} to {ends[1]:.4g})"
    if how is Determination.AT_LEAST:
        return f"at least {ends[0]:.4g} {times} ({percent})"
    if how is Determination.AT_MOST:
        return f"at most {ends[1]:.4g} {times} ({percent})"
    return f"how many {times} is not determined"


def _ln_dose(p: Floats, response: float | None) -> tuple[float, Floats]:
    """Return ln of the dose, half way or with a response, and its gradient (5,)."""
    gradient = np.zeros(5)
    gradient[LN_IC50] = 1.0
    if response is None:
        return float(p[LN_IC50]), gradient

    def ln_dose(q: Floats) -> float:
        with np.errstate(all="ignore"):
            z = ((q[D] - q[C]) / (response - q[C])) ** (1.0 / q[F]) - 1.0
            return float(q[LN_IC50] + (np.log(z) - np.log(np.expm1(np.log(2.0) / q[F]))) / q[B])

    for i in (B, C, D, F):
        step = 1e-5 * max(abs(float(p[i])), 1e-3)
        up, down = p.copy(), p.copy()
        up[i] += step
        down[i] -= step
        with np.errstate(invalid="ignore"):
            gradient[i] = (ln_dose(up) - ln_dose(down)) / (2.0 * step)
    return ln_dose(p), gradient


def _refused(verdict: NestedVerdict, name: str, reference: str, why: str) -> RelativePotency:
    nothing = (float("nan"), float("nan"))
    return RelativePotency(
        name,
        reference,
        float("nan"),
        nothing,
        nothing,
        nothing,
        Determination.REFUSED,
        verdict,
        f"refused: {why}",
    )
