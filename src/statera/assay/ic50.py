"""IC50s with intervals and a status: none is given without saying how well it is determined.

Rules for reporting: Sebaugh, Pharm Stat 2011 (doi 10.1002/pst.426); bend points: Sebaugh and
McCray, Pharm Stat 2003 (doi 10.1002/pst.62).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy.special import fdtrc
from scipy.stats import t as student

from statera.assay.fit_curves import CONVERGED, TOO_FEW_POINTS, FittedCurves
from statera.assay.logistic import LN_IC50, B, C, D, F, ln_e
from statera.assay.profile_ic50 import profile_absolute, profile_ic50
from statera.assay.window import WindowVerdict
from statera.errors import UsageError

__all__ = [
    "Determination",
    "Flag",
    "Ic50",
    "Ic50Options",
    "Ic50Pair",
    "bend_doses",
    "estimate_ic50",
    "estimate_relative_and_absolute",
]

Floats = NDArray[np.float64]

_BEND = 1.0 / (1.0 + 4.6805)
"""A curve bends where this share of its span is left, and where it is gone: 17.6 and 82.4 %."""

_FLAT_P = 0.01
"""AICc with few points prefers a flat line to curves that explain 99.9 % of the variance; a curve
is refused only where the F test finds nothing at this level either."""


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
    NO_DOSE_BELOW = "no dose below the lower bend"
    NO_DOSE_ABOVE = "no dose above the upper bend"
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
        Ends of the intervals; infinite or 0 where open. The profile decides on the status.
    hill, bottom, top
        Slope b and the limits c and d.
    flags
    sentence
        For a reader: value and interval, or why there is none.
    hill_se, hill_wald
        Standard error and interval of the slope; 0 and the slope itself where it was fixed.
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
    hill_se: float = float("nan")
    hill_wald: tuple[float, float] = (float("nan"), float("nan"))

    @property
    def p_ic50(self) -> float:
        """Minus log10 of the IC50 in mol/L, for doses in nM."""
        return 9.0 - float(np.log10(self.estimate))

    @property
    def p_ic50_interval(self) -> tuple[float, float]:
        """The interval of `p_ic50`, lower end first; infinite where open, NaN where refused."""
        low, high = self.profile if self.profile is not None else self.wald
        with np.errstate(divide="ignore"):
            return 9.0 - float(np.log10(high)), 9.0 - float(np.log10(low))


@dataclass(frozen=True)
class Ic50Pair:
    """Both IC50s of one curve: half way between its limits, and at a stated response."""

    relative: Ic50
    absolute: Ic50


def bend_doses(parameters: Floats) -> tuple[Floats, Floats]:
    """Return the doses of lower and upper bend, (n_curves,): 17.6 and 82.4 % of the span.

    With f = 1 these are ``IC50 4.6805^(+-1/b)``.
    """
    b, f = parameters[..., B], parameters[..., F]
    with np.errstate(all="ignore"):  # a flat curve bends nowhere
        ends = [
            np.exp(ln_e(parameters) + np.log(share ** (-1.0 / f) - 1.0) / b)
            for share in (_BEND, 1.0 - _BEND)
        ]
        low, high = np.minimum(*ends), np.maximum(*ends)
    return np.where(b == 0, 0.0, low), np.where(b == 0, np.inf, high)


def estimate_relative_and_absolute(
    fitted: FittedCurves,
    options: Ic50Options,
    verdicts: Sequence[WindowVerdict] | None = None,
) -> tuple[Ic50Pair, ...]:
    """Return relative and absolute IC50 of every curve, each with its own status.

    Raises
    ------
    UsageError
        If `options` names no response for the absolute one.
    """
    if options.absolute is None:
        raise UsageError("no response is given for the absolute IC50", hint="Such as absolute=50.")
    relative = estimate_ic50(fitted, replace(options, absolute=None), verdicts)
    absolute = estimate_ic50(fitted, options, verdicts)
    return tuple(Ic50Pair(r, a) for r, a in zip(relative, absolute, strict=True))


def estimate_ic50(
    fitted: FittedCurves,
    options: Ic50Options | None = None,
    verdicts: Sequence[WindowVerdict] | None = None,
) -> tuple[Ic50, ...]:
    """Return the IC50 of every curve, with its status.

    Parameters
    ----------
    fitted
    options
    verdicts
        What is made of the controls of each curve, in order (`judge_window`): a window that is
        not accepted refuses the IC50, one not accepted for absolute IC50s an absolute one.

    Raises
    ------
    UsageError
        If the verdicts are not one a curve.
    """
    chosen = options or Ic50Options()
    if verdicts is not None and len(verdicts) != fitted.rss.size:
        raise UsageError(f"{len(verdicts)} verdicts for {fitted.rss.size} curves")
    t = np.asarray(student.ppf(0.5 + chosen.level / 2.0, np.maximum(fitted.df, 1)))
    if chosen.absolute is None:
        ln, se = fitted.parameters[:, LN_IC50], fitted.standard_errors[:, LN_IC50]
        low, high = profile_ic50(fitted, chosen.level, chosen.margin)
    else:
        ln, gradient, more = _absolute(fitted, chosen)
        se = np.sqrt(fitted.standard_error(gradient) ** 2 + more)
        low, high = profile_absolute(
            fitted, chosen.absolute, ln, se, chosen.absolute_se, chosen.level, chosen.margin
        )
    found = []
    ln = np.clip(ln, -600.0, 600.0)
    hill, hill_se = fitted.parameters[:, B], fitted.standard_errors[:, B]
    for k in range(ln.size):
        interval = (ln[k] - t[k] * se[k], ln[k] + t[k] * se[k])
        one = _one(fitted, k, ln[k], se[k], interval, (low[k], high[k]), chosen)
        far = float(t[k] * hill_se[k])
        one = replace(
            one,
            hill_se=float(hill_se[k]),
            hill_wald=(float(hill[k]) - far, float(hill[k]) + far),
        )
        said = "" if verdicts is None else _objection(verdicts[k], chosen)
        found.append(_refused(one, said) if said else one)
    return tuple(found)


def _objection(verdict: WindowVerdict, options: Ic50Options) -> str:
    if not verdict.accepted:
        return verdict.sentence
    if options.absolute is not None and not verdict.absolute_accepted:
        return verdict.absolute_sentence
    return ""


def _refused(ic50: Ic50, why: str) -> Ic50:
    nothing = (float("nan"), float("nan"))
    return replace(
        ic50,
        determination=Determination.REFUSED,
        estimate=float("nan"),
        ln_se=float("nan"),
        wald=nothing,
        profile=None,
        sentence=f"refused: {why}",
    )


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
        with np.errstate(invalid="ignore"):
            gradient[:, i] = (dose(up, y) - dose(down, y)) / (2.0 * step)
    h = 1e-5 * max(abs(y), 1e-3)
    with np.errstate(invalid="ignore"):
        by_y = (dose(p, y + h) - dose(p, y - h)) / (2.0 * h)
    return dose(p, y), gradient, (by_y * options.absolute_se) ** 2


def _one(
    fitted: FittedCurves,
    k: int,
    ln: float,
    se: float,
    wald: tuple[float, float],
    profile: tuple[float, float],
    options: Ic50Options,
) -> Ic50:
    p = fitted.parameters[k]
    inside = fitted.weight[k] > 0
    doses = fitted.curves.dose[k][inside]
    positive = doses[doses > 0]
    known = bool(np.isfinite(ln)) and positive.size > 0
    flags = _flags(fitted, k, ln, doses, options) if known else ()
    wald = (max(wald[0], -700.0), min(wald[1], 700.0))
    found = Ic50(
        fitted.curves.names[k],
        Determination.NOT_DETERMINED,
        float(np.exp(ln)),
        float(se),
        (float(np.exp(wald[0])), float(np.exp(wald[1]))),
        None,
        float(p[B]),
        float(p[C]),
        float(p[D]),
        flags,
        "",
    )
    if fitted.status[k] == TOO_FEW_POINTS:
        return _refused(found, "too few points for this curve")
    if not known:
        why = "the curve does not reach the wanted response"
        return _refused(found, why if positive.size else "there is no dose above 0")
    if Flag.FLAT_PREFERRED in flags and _flat_is_enough(fitted, k):
        return _refused(found, "a flat line explains the responses as well")
    low_open = not profile[0] > np.log(positive.min() / options.margin)
    high_open = not profile[1] < np.log(positive.max() * options.margin)
    # beyond the doses, or where they show only one limit, a curve knows a bound at most
    low_open |= Flag.NO_DOSE_BELOW in flags or ln < np.log(positive.min())
    high_open |= Flag.NO_DOSE_ABOVE in flags or ln > np.log(positive.max())
    how = {
        (False, False): Determination.DETERMINED,
        (False, True): Determination.AT_LEAST,
        (True, False): Determination.AT_MOST,
        (True, True): Determination.NOT_DETERMINED,
    }[low_open, high_open]
    shown = (
        0.0 if low_open else float(np.exp(profile[0])),
        float("inf") if high_open else float(np.exp(profile[1])),
    )
    said = _sentence(how, found.estimate, shown, options.level)
    return replace(found, determination=how, profile=shown, sentence=said)


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
    distinct = np.unique(doses[doses > 0])
    if options.absolute is None:
        found.extend(_bend_flags(fitted, p, doses, distinct))
    elif not min((distinct < np.exp(ln)).sum(), (distinct > np.exp(ln)).sum()) >= 2:
        found.append(Flag.ONE_BRACKET)
    if not distinct.min() <= np.exp(ln) <= distinct.max():
        found.append(Flag.OUTSIDE_DOSES)
    if _flat_preferred(fitted, k):
        found.append(Flag.FLAT_PREFERRED)
    return tuple(found)


def _bend_flags(fitted: FittedCurves, p: Floats, doses: Floats, distinct: Floats) -> list[Flag]:
    if p[B] == 0:
        return []
    low, high = bend_doses(p)
    below, above = int((distinct < low).sum()), int((distinct > high).sum())
    found = []
    if below < 2:
        found.append(Flag.FEW_DOSES_BELOW)
    if above < 2:
        found.append(Flag.FEW_DOSES_ABOVE)
    # a limit that is fixed needs no dose, and dose 0 shows the one below
    below_limit, above_limit = (D, C) if p[B] > 0 else (C, D)
    if below == 0 and below_limit in fitted.free and not (doses == 0).any():
        found.append(Flag.NO_DOSE_BELOW)
    if above == 0 and above_limit in fitted.free:
        found.append(Flag.NO_DOSE_ABOVE)
    return found


def aicc(rss: float, n: int, parameters: int) -> float:
    """Return Akaike's criterion for small samples; the variance counts as a parameter.

    Source: Hurvich and Tsai, Biometrika 1989.
    """
    k = parameters + 1
    if n - k - 1 <= 0:
        return float("inf")
    return n * float(np.log(max(rss, 1e-300) / n)) + 2.0 * k + 2.0 * k * (k + 1) / (n - k - 1)


def _flat_preferred(fitted: FittedCurves, k: int) -> bool:
    n = int((fitted.weight[k] > 0).sum())
    if n < 3:
        return True
    return aicc(_flat_rss(fitted, k), n, 1) <= aicc(float(fitted.rss[k]), n, fitted.free.size)


def _flat_is_enough(fitted: FittedCurves, k: int) -> bool:
    """Return whether the F test of the curve against a flat line finds nothing."""
    more, df = fitted.free.size - 1, int(fitted.df[k])
    if more < 1 or df < 1:
        return True
    rss = max(float(fitted.rss[k]), 1e-300)
    ratio = max(_flat_rss(fitted, k) - rss, 0.0) / more / (rss / df)
    return bool(fdtrc(more, df, ratio) > _FLAT_P)


def _flat_rss(fitted: FittedCurves, k: int) -> float:
    w, y = fitted.weight[k], fitted.curves.response[k]
    mean = float(np.sum(w * y) / np.sum(w))
    return float(np.sum(w * (y - mean) ** 2))
