"""IC50s with intervals and a status: none is given without saying how well it is determined.

Rules for reporting: Sebaugh, Pharm Stat 2011 (doi 10.1002/pst.426); bend points: Sebaugh and
McCray, Pharm Stat 2003 (doi 10.1002/pst.62).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from statera.assay.fit_curves import CONVERGED, TOO_FEW_POINTS, FittedCurves
from statera.assay.logistic import LN_IC50, B, C, D, F
from statera.assay.profile_ic50 import profile_ic50

__all__ = ["Determination", "Flag", "Ic50", "Ic50Options", "bend_doses", "estimate_ic50"]

Floats = NDArray[np.float64]

_BEND = 4.6805
"""The bends of a four-parameter logistic lie where (x / e)^b is this or its inverse."""


class Determination(StrEnum):
    """How well an IC50 is known."""

    DETERMINED = "determined"
    AT_LEAST = "at least"
    AT_MOST = "at most"
    NOT_DETERMINED = "not determined"
    REFUSED = "refused"


class Flag(StrEnum):
    """What a reader must know of an estimate that is given."""

    FEW_DOSES_BELOW = "fewer than two doses below the lower bend"
    FEW_DOSES_ABOVE = "fewer than two doses above the upper bend"
    OUTSIDE_DOSES = "the estimate lies outside the doses"
    ONE_BRACKET = "the absolute level is not bracketed by two predicted responses"
    NOT_CONVERGED = "the search for the best curve did not converge"
    FLAT_PREFERRED = "a flat line explains the responses as well (AICc)"


@dataclass(frozen=True)
class Ic50Options:
    """What is estimated.

    Attributes
    ----------
    level
        Of the intervals.
    margin
        An end further than this factor from the doses is not determined.
    absolute
        Response whose dose is wanted, such as 50 for half of the control in percent; None gives
        the relative IC50, half way between the limits of the curve.
    absolute_se
        Standard error of that response, where it was estimated from controls.
    """

    level: float = 0.95
    margin: float = 10.0
    absolute: float | None = None
    absolute_se: float = 0.0


@dataclass(frozen=True)
class Ic50:
    """One IC50.

    Attributes
    ----------
    name
        Of the curve.
    determination
    estimate
        In the unit of the doses; NaN where refused.
    ln_se
        Standard error of its logarithm.
    wald, profile
        Ends of the intervals; infinite or 0 where open. An absolute IC50 has a Wald interval only.
    hill, bottom, top
        Slope b and the limits c and d.
    flags
    sentence
        For a reader: value and interval, or why there is none.
    """

    name: str
    determination: Determination
    estimate: float
    ln_se: float
    wald: tuple[float, float]
    profile: tuple[float, float] | None
    hill: float
    bottom: float
    top: float
    flags: tuple[Flag, ...]
    sentence: str

    @property
    def p_ic50(self) -> float:
        """Minus log10 of the IC50 in mol/L, for doses in nM."""
        return 9.0 - float(np.log10(self.estimate))


def bend_doses(parameters: Floats) -> tuple[Floats, Floats]:
    """Return the doses of lower and upper bend of curves with f = 1, (n_curves,)."""
    ln_ic50 = parameters[..., LN_IC50]
    with np.errstate(divide="ignore", over="ignore"):  # a flat curve bends nowhere
        far = np.log(_BEND) / np.abs(parameters[..., B])
        return np.exp(ln_ic50 - far), np.exp(ln_ic50 + far)


def estimate_ic50(fitted: FittedCurves, options: Ic50Options | None = None) -> tuple[Ic50, ...]:
    """Return the IC50 of every curve, with its status."""
    chosen = options or Ic50Options()
    if chosen.absolute is None:
        gradient = np.zeros_like(fitted.parameters)
        gradient[:, LN_IC50] = 1.0
        ln = fitted.parameters[:, LN_IC50]
        more = np.zeros(ln.size)
    else:
        ln, gradient, more = _absolute(fitted, chosen)
    se = np.sqrt(fitted.standard_error(gradient) ** 2 + more)
    t = np.asarray(student.ppf(0.5 + chosen.level / 2.0, np.maximum(fitted.df, 1)))
    low, high = profile_ic50(fitted, chosen.level, chosen.margin)
    found = []
    ln = np.clip(ln, -600.0, 600.0)
    for k in range(ln.size):
        interval = (ln[k] - t[k] * se[k], ln[k] + t[k] * se[k])
        profile = (low[k], high[k]) if chosen.absolute is None else None
        found.append(_one(fitted, k, ln[k], se[k], interval, profile, chosen))
    return tuple(found)


def _absolute(fitted: FittedCurves, options: Ic50Options) -> tuple[Floats, Floats, Floats]:
    """Return ln of the dose with the wanted response, its gradient and further variance.

    With z = (d - y) / (y - c): ln x = ln e + ln(z) / b for f = 1; for other f, z is replaced by
    ((d - c) / (y - c))^(1/f) - 1, and the gradient is by central differences.
    """
    assert options.absolute is not None
    y = options.absolute

    def dose(p: Floats, level: float) -> Floats:
        with np.errstate(all="ignore"):
            share = (p[:, D] - p[:, C]) / (level - p[:, C])
            z = share ** (1.0 / p[:, F]) - 1.0
            ratio = np.expm1(np.log(2.0) / p[:, F])
            found: Floats = p[:, LN_IC50] + (np.log(z) - np.log(ratio)) / p[:, B]
        return found

    p = fitted.parameters
    gradient = np.zeros_like(p)
    for i in range(p.shape[1]):
        step = 1e-5 * np.maximum(np.abs(p[:, i]), 1e-3)
        up, down = p.copy(), p.copy()
        up[:, i] += step
        down[:, i] -= step
        gradient[:, i] = (dose(up, y) - dose(down, y)) / (2.0 * step)
    h = 1e-5 * max(abs(y), 1e-3)
    by_y = (dose(p, y + h) - dose(p, y - h)) / (2.0 * h)
    return dose(p, y), gradient, (by_y * options.absolute_se) ** 2


def _one(
    fitted: FittedCurves,
    k: int,
    ln: float,
    se: float,
    wald: tuple[float, float],
    profile: tuple[float, float] | None,
    options: Ic50Options,
) -> Ic50:
    p = fitted.parameters[k]
    name = fitted.curves.names[k]
    known = np.isfinite(ln)
    ends = profile if profile is not None else wald
    inside = fitted.weight[k] > 0
    doses = fitted.curves.dose[k][inside]
    positive = doses[doses > 0]
    flags = _flags(fitted, k, ln, positive, options)
    if fitted.status[k] == TOO_FEW_POINTS or not known or positive.size == 0:
        why = "too few points" if known else "the curve does not reach the wanted response"
        return Ic50(
            name, Determination.REFUSED, np.nan, np.nan, (np.nan, np.nan), None,
            float(p[B]), float(p[C]), float(p[D]), flags, f"refused: {why}",
        )  # fmt: skip
    wald = (max(wald[0], -700.0), min(wald[1], 700.0))
    low_open = not ends[0] > np.log(positive.min() / options.margin)
    high_open = not ends[1] < np.log(positive.max() * options.margin)
    how = {
        (False, False): Determination.DETERMINED,
        (False, True): Determination.AT_LEAST,
        (True, False): Determination.AT_MOST,
        (True, True): Determination.NOT_DETERMINED,
    }[low_open, high_open]
    shown = (0.0 if low_open else np.exp(ends[0]), np.inf if high_open else np.exp(ends[1]))
    return Ic50(
        name,
        how,
        float(np.exp(ln)),
        float(se),
        (float(np.exp(wald[0])), float(np.exp(wald[1]))),
        None if profile is None else (float(shown[0]), float(shown[1])),
        float(p[B]),
        float(p[C]),
        float(p[D]),
        flags,
        _sentence(how, float(np.exp(ln)), shown, options.level),
    )


def _sentence(how: Determination, value: float, ends: tuple[float, float], level: float) -> str:
    percent = f"{100 * level:g} %"
    if how is Determination.DETERMINED:
        return f"{value:.4g} ({percent}: {ends[0]:.4g} to {ends[1]:.4g})"
    if how is Determination.AT_LEAST:
        return f"at least {ends[0]:.4g} ({percent}); not determined above"
    if how is Determination.AT_MOST:
        return f"at most {ends[1]:.4g} ({percent}); not determined below"
    return "not determined by these doses"


def _flags(
    fitted: FittedCurves, k: int, ln: float, doses: Floats, options: Ic50Options
) -> tuple[Flag, ...]:
    p = fitted.parameters[k]
    found = []
    if fitted.status[k] != CONVERGED:
        found.append(Flag.NOT_CONVERGED)
    distinct = np.unique(doses)
    if distinct.size and np.isfinite(ln) and p[B] != 0:
        if options.absolute is None:
            low, high = bend_doses(p)
            if (distinct < low).sum() < 2:
                found.append(Flag.FEW_DOSES_BELOW)
            if (distinct > high).sum() < 2:
                found.append(Flag.FEW_DOSES_ABOVE)
        elif not min((distinct < np.exp(ln)).sum(), (distinct > np.exp(ln)).sum()) >= 2:
            found.append(Flag.ONE_BRACKET)
        if not distinct.min() <= np.exp(ln) <= distinct.max():
            found.append(Flag.OUTSIDE_DOSES)
    if _flat_preferred(fitted, k):
        found.append(Flag.FLAT_PREFERRED)
    return tuple(found)


def aicc(rss: float, n: int, parameters: int) -> float:
    """Return Akaike's criterion for small samples; the variance counts as a parameter.

    Source: Hurvich and Tsai, Biometrika 1989.
    """
    k = parameters + 1
    if n - k - 1 <= 0:
        return float("inf")
    return n * float(np.log(max(rss, 1e-300) / n)) + 2.0 * k + 2.0 * k * (k + 1) / (n - k - 1)


def _flat_preferred(fitted: FittedCurves, k: int) -> bool:
    w = fitted.weight[k]
    y = fitted.curves.response[k]
    n = int((w > 0).sum())
    if n < 3:
        return True
    mean = float(np.sum(w * y) / np.sum(w))
    flat = float(np.sum(w * (y - mean) ** 2))
    return aicc(flat, n, 1) <= aicc(float(fitted.rss[k]), n, fitted.free.size)
