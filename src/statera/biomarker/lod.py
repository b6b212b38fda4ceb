"""Values below the limit of detection: a named policy, never a silent one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from statera.biomarker.measurements import Measurements, listed, take
from statera.errors import InputError, UsageError

__all__ = ["POLICIES", "LodPolicy", "WithPolicy", "apply_lod_policy"]

Floats = NDArray[np.float64]

#: The policies and what they do.
POLICIES: Mapping[str, str] = {
    "keep": "use values below the limit as they were measured, as vendors of NPX advise",
    "flag": "use them, and flag analytes with too large a share below the limit",
    "substitute": "replace them by the limit, or by a half or 1/sqrt(2) of it",
    "censored": "hand them to a left-censored likelihood as known only to lie below the limit",
    "exclude": "leave out analytes with too large a share below the limit",
}


@dataclass(frozen=True)
class LodPolicy:
    """What is done with values below the limit of detection.

    Attributes
    ----------
    name
        One of `POLICIES`.
    replacement
        For ``substitute``: ``limit``, ``half`` or ``over-sqrt-2`` of the limit on the linear scale;
        on log2 values that is the limit less 0, 1 or 0.5.
    largest_share
        For ``flag`` and ``exclude``: largest share of values below the limit, 0 to 1, that an
        analyte may have.
    """

    name: Literal["keep", "flag", "substitute", "censored", "exclude"] = "keep"
    replacement: Literal["limit", "half", "over-sqrt-2"] = "over-sqrt-2"
    largest_share: float = 0.5

    def __post_init__(self) -> None:
        if self.name not in POLICIES:
            raise UsageError(
                f"no policy is called '{self.name}'", hint=f"Known: {', '.join(POLICIES)}."
            )
        if self.replacement not in _FOLD:
            raise UsageError(
                f"no replacement is called '{self.replacement}'",
                hint=f"Known: {', '.join(_FOLD)}.",
            )
        if not 0.0 <= self.largest_share <= 1.0:
            raise UsageError(f"a share of {self.largest_share:g} is not between 0 and 1")


#: Powers of two that the limit is divided by.
_FOLD: Mapping[str, float] = {"limit": 0.0, "half": 1.0, "over-sqrt-2": 0.5}


@dataclass(frozen=True)
class WithPolicy:
    """Measurements after a policy.

    Attributes
    ----------
    measurements
        Values to analyse, with a note on what was done.
    censored
        (n, m) values known only to lie below ``measurements.lod``; all False but for the policy
        ``censored``, where the values themselves are NaN.
    share_below
        (m,) share of values below the limit, of all that are known to lie below or above it; of
        the analytes that were kept.
    flagged_analytes
        Names of the analytes beyond the largest share (``flag``) or left out (``exclude``).
    policy
        The policy.
    """

    measurements: Measurements
    censored: NDArray[np.bool_]
    share_below: Floats
    flagged_analytes: tuple[str, ...]
    policy: LodPolicy


def apply_lod_policy(measurements: Measurements, policy: LodPolicy | None = None) -> WithPolicy:
    """Apply a policy to values below the limit of detection.

    Raises
    ------
    InputError
        If a policy needs the limit of a value that has none, or a half of a limit that is not
        positive on the linear scale.
    """
    chosen = policy if policy is not None else LodPolicy()
    below = measurements.below_lod
    known = below | ~np.isnan(measurements.values)
    count = known.sum(axis=0)
    share: Floats = below.sum(axis=0) / np.where(count, count, np.nan)
    beyond = np.asarray(share > chosen.largest_share + 1e-12)
    names = [n for n, out in zip(measurements.analyte_ids, beyond, strict=True) if out]
    none = np.zeros_like(below)
    number = int(below.sum())
    if not number and np.isnan(measurements.lod).all():
        measurements = _noted(
            measurements, "No limit of detection is given: what lies below one is not known."
        )
    if chosen.name == "keep":
        lost = int((below & np.isnan(measurements.values)).sum())
        extra = f"; {lost} of them have no number and stay empty" if lost else ""
        done = _noted(measurements, f"{number} values below LOD were kept as measured{extra}.")
        return WithPolicy(done, none, share, (), chosen)
    if chosen.name == "flag":
        said = f"{len(names)} analytes have more than {chosen.largest_share:.0%} below LOD"
        done = _noted(measurements, said + (f": {listed(names)}." if names else "."))
        return WithPolicy(done, none, share, tuple(names), chosen)
    if chosen.name == "exclude":
        share_said = f"more than {chosen.largest_share:.0%} below LOD"
        said = f"{len(names)} analytes with {share_said} are left out"
        said += f": {listed(names)}." if names else "."
        done = take(measurements, analytes=~beyond, note=said)
        return WithPolicy(done, none[:, ~beyond], share[~beyond], tuple(names), chosen)
    _need_limits(measurements)
    if chosen.name == "substitute":
        with np.errstate(invalid="ignore"):
            values = np.where(below, _replacement(measurements, chosen), measurements.values)
        said = f"{number} values below LOD were replaced ({chosen.replacement} of the limit)."
        return WithPolicy(
            _noted(replace(measurements, values=values), said), none, share, (), chosen
        )
    values = np.where(below, np.nan, measurements.values)
    said = f"{number} values are left-censored at LOD."
    return WithPolicy(
        _noted(replace(measurements, values=values), said), below.copy(), share, (), chosen
    )


def _replacement(measurements: Measurements, policy: LodPolicy) -> Floats:
    fold = _FOLD[policy.replacement]
    if measurements.scale == "log2":
        return np.asarray(measurements.lod - fold)
    if (measurements.lod[measurements.below_lod] <= 0.0).any():
        raise InputError(
            "a limit of detection on the linear scale is not positive",
            hint="Are these log2 values? Then say so.",
        )
    return np.asarray(measurements.lod / 2.0**fold)


def _need_limits(measurements: Measurements) -> None:
    lacking = np.asarray((measurements.below_lod & np.isnan(measurements.lod)).any(axis=0))
    if lacking.any():
        names = [n for n, out in zip(measurements.analyte_ids, lacking, strict=True) if out]
        raise InputError(
            f"values below an unknown limit of detection in {len(names)} analytes: {listed(names)}",
            hint="Give the limits, or keep or exclude these values.",
        )


def _noted(measurements: Measurements, sentence: str) -> Measurements:
    return replace(measurements, notes=(*measurements.notes, sentence))
