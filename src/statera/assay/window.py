"""Whether the controls leave a window in which an IC50 means anything.

Without such a rule a curve fitted to wells that do not respond gives some IC50 all the same. The
direction is asked first: ratios of spreads, such as Z', do not see it. Rules for the absolute IC50
(a stable control, an error of the half-way mean under 5 %): Sebaugh, Pharm Stat 2011 (doi
10.1002/pst.426).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from statera.errors import UsageError

__all__ = ["WindowOptions", "WindowVerdict", "judge_window"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class WindowOptions:
    """What a window must have.

    Attributes
    ----------
    min_fold
        Mean of stimulated over mean of unstimulated wells; 1.5 is a judgement.
    max_cv
        Standard deviation of either control's wells over the window, above which the control is
        unstable.
    max_half_error
        Standard error of the signal half way between the controls over half the window, above
        which no absolute IC50 is given.
    """

    min_fold: float = 1.5
    max_cv: float = 0.2
    max_half_error: float = 0.05


@dataclass(frozen=True)
class WindowVerdict:
    """What is made of the controls of one curve.

    Attributes
    ----------
    accepted
        Whether any IC50 is given.
    absolute_accepted
        Whether an absolute one is given too.
    sentence
        Why not; empty where accepted.
    absolute_sentence
        Why there is no absolute one.
    cautions
        What could not be judged.
    fold
        NaN where the unstimulated mean is not above 0.
    cv
        Larger standard deviation of the controls over the window; NaN where it is not known.
    half_error
        Standard error of the half-way signal over half the window; NaN where it is not known.
    """

    accepted: bool
    absolute_accepted: bool
    sentence: str
    absolute_sentence: str
    cautions: tuple[str, ...]
    fold: float
    cv: float
    half_error: float


def judge_window(
    unstimulated: ArrayLike, stimulated: ArrayLike, options: WindowOptions | None = None
) -> WindowVerdict:
    """Judge the controls of one curve.

    Parameters
    ----------
    unstimulated, stimulated : (n,) float64
        One value a well on the linear scale, of the same plate, donor, cytokine and population as
        the curve. Values that are not finite are left out, and said.
    options

    Raises
    ------
    UsageError
        If an option is not possible. Bad controls are a verdict.
    """
    chosen = options or WindowOptions()
    if not (chosen.min_fold > 0 and chosen.max_cv > 0 and chosen.max_half_error > 0):
        raise UsageError("limits of the window must be above 0", hint="See WindowOptions.")
    cautions: list[str] = []
    u = _known(unstimulated, "unstimulated", cautions)
    s = _known(stimulated, "stimulated", cautions)
    if not (u.size and s.size):
        which = "unstimulated" if not u.size else "stimulated"
        return _refused(f"there is no {which} control", cautions)
    width = float(s.mean() - u.mean())
    fold = float(s.mean() / u.mean()) if u.mean() > 0 else float("nan")
    if not width > 0:
        said = (
            f"stimulation does not raise the signal (unstimulated {u.mean():.4g}, "
            f"stimulated {s.mean():.4g})"
        )
        return _refused(said, cautions, fold)
    if fold < chosen.min_fold:
        said = (
            f"stimulation raises the signal {fold:.3g}-fold only; {chosen.min_fold:g}-fold is asked"
        )
        return _refused(said, cautions, fold)
    if np.isnan(fold):
        cautions.append("the unstimulated mean is not above 0, so that no fold can be judged")
    return _judged_spread(u, s, fold, cautions, chosen)


def _judged_spread(
    u: Floats, s: Floats, fold: float, cautions: list[str], options: WindowOptions
) -> WindowVerdict:
    width = float(s.mean() - u.mean())
    known = [(n, v) for n, v in (("unstimulated", u), ("stimulated", s)) if v.size >= 2]
    cautions.extend(
        f"one {n} well: its spread is not known"
        for n, v in (("unstimulated", u), ("stimulated", s))
        if v.size < 2
    )
    spreads = {n: float(v.std(ddof=1)) / width for n, v in known}
    cv = max(spreads.values(), default=float("nan"))
    if cv > options.max_cv:
        worst = max(spreads, key=lambda n: spreads[n])
        said = (
            f"the {worst} control is unstable: its standard deviation is {100 * cv:.3g} % of the "
            f"window, more than {100 * options.max_cv:g} %"
        )
        return _refused(said, cautions, fold, cv)
    if len(known) < 2:
        said = "the error of the half-way signal is not known: give two wells of each control"
        return WindowVerdict(True, False, "", said, tuple(cautions), fold, cv, float("nan"))
    # the half-way signal is (u + s) / 2, and half the window (s - u) / 2
    error = float(np.sqrt(sum(v.var(ddof=1) / v.size for _, v in known))) / width
    if error > options.max_half_error:
        said = (
            f"the signal half way between the controls has an error of {100 * error:.3g} %, more "
            f"than {100 * options.max_half_error:g} %"
        )
        return WindowVerdict(True, False, "", said, tuple(cautions), fold, cv, error)
    return WindowVerdict(True, True, "", "", tuple(cautions), fold, cv, error)


def _known(values: ArrayLike, what: str, cautions: list[str]) -> Floats:
    found = np.asarray(values, dtype=np.float64).ravel()
    good = np.isfinite(found)
    if not good.all():
        cautions.append(f"{int((~good).sum())} {what} wells without a value are left out")
    return found[good]


def _refused(
    said: str, cautions: list[str], fold: float = float("nan"), cv: float = float("nan")
) -> WindowVerdict:
    return WindowVerdict(False, False, said, said, tuple(cautions), fold, cv, float("nan"))
