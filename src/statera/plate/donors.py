"""IC50s over donors: of each cytokine, population and readout, with the spread between donors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from statera.assay.donors import DonorOptions, FittedDonors, fit_donors, new_donor, two_stage
from statera.assay.fit_curves import Curves, make_curves
from statera.assay.ic50 import Determination
from statera.assay.logistic import LN_IC50, NAMES, B
from statera.assay.plate_quality import minimum_significant_ratio
from statera.errors import StateraError
from statera.plate.problem import Problem, Severity
from statera.plate.result import CurveResult
from statera.plate.settings import FitSettings, fixed_parameters

__all__ = ["DonorResult", "join_donors"]

Floats = NDArray[np.float64]

_MIXED_FROM = 3
"""Donors from which their spread is estimated within one model of all points."""


@dataclass(frozen=True)
class DonorResult:
    """One IC50 over donors.

    Attributes
    ----------
    cytokine, population, readout
    donors
        Those that were used.
    method
        ``mixed``: one model of all points; ``two-stage``: donors' own estimates pooled; ``single``:
        the only donor's.
    status
        As of an IC50: where only bounds are known, they are not pooled.
    ic50
        Geometric mean, nM, or the known end where the status is a bound.
    interval
        Of the mean, at `level`; None for an open end.
    ln_ic50, ln_se
        Mean of ln IC50 and its standard error.
    ln_sd_between
        Standard deviation of ln IC50 between donors; None where it is not known.
    new_donor
        Interval of the IC50 of a donor who was not in the experiment; None where not known.
    hill
        Of the mean donor.
    two_stage
        Geometric mean and interval from the other method, as a check; None where there is none.
    minimum_significant_ratio
        From the donors' IC50s: two single donors differ where their ratio is larger.
    sentences
        What a reader must know.
    ln_sd_interval
        Of the standard deviation between donors, by profile likelihood; None where not known.
    """

    cytokine: str
    population: str
    readout: str
    donors: tuple[str, ...]
    method: str
    status: Determination
    ic50: float
    interval: tuple[float | None, float | None]
    level: float
    ln_ic50: float
    ln_se: float
    ln_sd_between: float | None
    new_donor: tuple[float, float] | None
    hill: float
    two_stage: tuple[float, float, float] | None
    minimum_significant_ratio: float | None
    sentences: tuple[str, ...] = ()
    ln_sd_interval: tuple[float, float] | None = None

    @property
    def n_donors(self) -> int:
        """Number of donors used."""
        return len(self.donors)

    @property
    def name(self) -> str:
        """Such as ``IL-6, CD4, pSTAT3``."""
        return ", ".join(p for p in (self.cytokine, self.population, self.readout) if p)

    @property
    def sentence(self) -> str:
        """Value, interval and number of donors."""
        low, high = self.interval
        percent = f"{100 * self.level:g} %"
        many = f"{self.n_donors} donor{'' if self.n_donors == 1 else 's'}"
        if self.status is Determination.DETERMINED and low is not None and high is not None:
            return f"{self.ic50:.4g} nM ({percent}: {low:.4g} to {high:.4g}), {many}"
        return f"{self.status.value} {self.ic50:.4g} nM, {many}"

    def as_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            **asdict(self),
            "status": self.status.value,
            "n_donors": self.n_donors,
            "mean_ln_ic50": self.ln_ic50,
            "se": self.ln_se,
            "sd_between": self.ln_sd_between,
            "sentence": self.sentence,
        }


Group = tuple[str, str, str]


def join_donors(
    curves: Sequence[CurveResult], fit: FitSettings
) -> tuple[tuple[DonorResult, ...], tuple[Problem, ...]]:
    """Return an IC50 over donors for each cytokine, population and readout that has any.

    Points of one donor from several plates are taken together. Refused curves are left out and
    named by their own status; bounds are named here.
    """
    groups: dict[Group, list[CurveResult]] = {}
    for curve in curves:
        if curve.ic50.determination is not Determination.REFUSED:
            key = (curve.cytokine, curve.population, curve.readout)
            groups.setdefault(key, []).append(curve)
    found: list[DonorResult] = []
    problems: list[Problem] = []
    for key, some in groups.items():
        try:
            result = _of_group(key, some, fit)
        except StateraError as error:
            problems.append(Problem.of(error, ", ".join(part for part in key if part)))
            continue
        if isinstance(result, Problem):
            problems.append(result)
        else:
            found.append(result)
    return tuple(found), tuple(problems)


def _of_group(key: Group, curves: Sequence[CurveResult], fit: FitSettings) -> DonorResult | Problem:
    known = [c for c in curves if c.ic50.determination is Determination.DETERMINED]
    others = [c for c in curves if c.ic50.determination is not Determination.DETERMINED]
    said = tuple(f"{c.donor or 'a donor'} is left out: {c.ic50.sentence}" for c in others)
    if not known:
        return _bound(key, curves, fit, said)
    donors = _by_donor(known)
    if len(donors) == 1:
        return _single(key, known, fit, said)
    points = make_curves(
        [np.concatenate([c.dose for c in some]) for some in donors.values()],
        [np.concatenate([c.response for c in some]) for some in donors.values()],
        names=list(donors),
    )
    spread = minimum_significant_ratio([_geometric_mean(some) for some in donors.values()])
    if len(donors) < _MIXED_FROM:
        return _pooled(key, points, tuple(donors), known, fit, spread, said)
    return _mixed(key, points, tuple(donors), fit, spread, said)


def _by_donor(curves: Sequence[CurveResult]) -> Mapping[str, list[CurveResult]]:
    found: dict[str, list[CurveResult]] = {}
    for curve in curves:
        found.setdefault(curve.donor or curve.plate, []).append(curve)
    return found


def _geometric_mean(curves: Sequence[CurveResult]) -> float:
    return float(np.exp(np.mean([np.log(c.ic50.estimate) for c in curves])))


def _bound(
    key: Group, curves: Sequence[CurveResult], fit: FitSettings, said: tuple[str, ...]
) -> DonorResult | Problem:
    """Return the bound of the only donor; bounds of several are not pooled."""
    name = ", ".join(part for part in key if part)
    (first, *more) = curves
    how = first.ic50.determination
    if more or how is Determination.NOT_DETERMINED or first.ic50.profile is None:
        listed = "; ".join(said)
        return Problem(
            name,
            f"no donor's IC50 is determined, so that none over donors is given ({listed})",
            "Choose doses that reach both ends of the curve.",
            Severity.WARNING,
        )
    low, high = first.ic50.profile
    at_least = how is Determination.AT_LEAST
    value = low if at_least else high
    interval = (low, None) if at_least else (None, high)
    return DonorResult(
        *key, (first.donor,), "single", how, value, interval, fit.level, float(np.log(value)),
        first.ic50.ln_se, None, None, abs(first.ic50.hill), None, None, _ONE,
    )  # fmt: skip


_ONE = ("one donor: the interval says nothing of how donors differ",)


def _single(
    key: Group, curves: Sequence[CurveResult], fit: FitSettings, said: tuple[str, ...]
) -> DonorResult:
    if len(curves) > 1:
        value = _geometric_mean(curves)
        ln = np.log([c.ic50.estimate for c in curves])
        se = float(np.sqrt(np.mean([c.ic50.ln_se**2 for c in curves]) / len(curves)))
        far = 1.959963984540054 * max(se, float(ln.std(ddof=1) / np.sqrt(ln.size)))
        ends: tuple[float, float] = (value * float(np.exp(-far)), value * float(np.exp(far)))
        said = (*said, f"{len(curves)} curves of one donor are averaged")
    else:
        value, se = curves[0].ic50.estimate, curves[0].ic50.ln_se
        ends = curves[0].ic50.profile or curves[0].ic50.wald
    return DonorResult(
        *key, (curves[0].donor,), "single", Determination.DETERMINED, value, ends, fit.level,
        float(np.log(value)), se, None, None, float(np.mean([c.ic50.hill for c in curves])), None,
        None, (*_ONE, *said),
    )  # fmt: skip


def _pooled(
    key: Group,
    points: Curves,
    donors: tuple[str, ...],
    curves: Sequence[CurveResult],
    fit: FitSettings,
    spread: float,
    said: tuple[str, ...],
) -> DonorResult:
    pooled = two_stage(points, DonorOptions(fixed=fixed_parameters(fit.model), level=fit.level))
    few = f"{len(donors)} donors hardly show a spread between donors"
    low, high = (float(np.exp(end)) for end in pooled.interval)
    return DonorResult(
        *key, donors, "two-stage", Determination.DETERMINED, float(np.exp(pooled.estimate)),
        (low, high), fit.level, pooled.estimate, pooled.se, float(np.sqrt(pooled.tau2.value)),
        _exp(pooled.prediction), float(np.mean([c.ic50.hill for c in curves])), None, spread,
        (few, *said),
    )  # fmt: skip


def _mixed(
    key: Group,
    points: Curves,
    donors: tuple[str, ...],
    fit: FitSettings,
    spread: float,
    said: tuple[str, ...],
) -> DonorResult:
    fixed = fixed_parameters(fit.model)
    random = tuple(name for name in ("c", "d", "ln_ic50") if name not in fixed)
    options = DonorOptions(random=random, fixed=fixed, level=fit.level, nodes=0)
    fitted = fit_donors(points, options)
    foreseen = new_donor(fitted)
    try:
        check = two_stage(points, options)
        second = (float(np.exp(check.estimate)), *_exp(check.interval))
    except StateraError as error:
        second = None
        said = (*said, f"the check in two stages was not possible: {error.what}")
    return DonorResult(
        *key, donors, "mixed", Determination.DETERMINED, foreseen.median, foreseen.mean_interval,
        fit.level, foreseen.mean_ln_ic50, foreseen.se, foreseen.sd_between, foreseen.interval,
        float(fitted.mean[B]), second, spread, (*fitted.sentences, *said), _sd_interval(fitted),
    )  # fmt: skip


def _sd_interval(fitted: FittedDonors) -> tuple[float, float] | None:
    for term in fitted.terms:
        if term.name == NAMES[LN_IC50] and np.isfinite(term.interval).any():
            return term.interval
    return None


def _exp(ends: tuple[float, float]) -> tuple[float, float]:
    with np.errstate(over="ignore"):
        return float(np.exp(ends[0])), float(np.exp(ends[1]))
