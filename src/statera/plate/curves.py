"""Dose-response curves of a plate, by donor, cytokine, population and readout."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from statera.assay.fit_curves import FitOptions, FittedCurves, fit_curves, make_curves
from statera.assay.ic50 import Ic50Options, estimate_relative_and_absolute
from statera.assay.logistic import logistic, logistic_jacobian
from statera.assay.percent_inhibition import percent_inhibition
from statera.assay.plate_quality import signal_window, z_prime
from statera.assay.window import WindowOptions, WindowVerdict, judge_window
from statera.cytometry.statistics import arcsinh_ratio, fold_change
from statera.plate.plate_map import Condition
from statera.plate.problem import Problem, Severity
from statera.plate.result import Controls, CurveResult, PopulationRow
from statera.plate.settings import FitSettings, ResponseScale, Weighting, fixed_parameters

__all__ = ["NO_CYTOKINE", "fit_plate_curves", "with_controls"]

Floats = NDArray[np.float64]
Key = tuple[str, str, str, str, str]
"""Plate, donor, cytokine, population and readout."""

NO_CYTOKINE = ("", "none", "-", "no", "medium", "unstimulated")
"""What stands for no cytokine in a plate map."""

_LINE = 161


@dataclass(frozen=True)
class _Group:
    """Rows of one curve, controls apart."""

    key: Key
    unstimulated: tuple[PopulationRow, ...]
    stimulated: tuple[PopulationRow, ...]
    doses: tuple[PopulationRow, ...]


def _groups(rows: Sequence[PopulationRow]) -> list[_Group]:
    """Return the rows of each curve.

    Unstimulated wells that name no cytokine, since none was added, serve all cytokines of their
    plate and donor that have none of their own.
    """
    found: dict[Key, list[PopulationRow]] = {}
    shared: dict[tuple[str, str, str, str], list[PopulationRow]] = {}
    for row in rows:
        w = row.well
        if w.condition not in (Condition.UNSTIMULATED, Condition.STIMULATED, Condition.DOSE):
            continue
        if w.condition is Condition.UNSTIMULATED and w.cytokine.lower() in NO_CYTOKINE:
            shared.setdefault((w.plate, w.donor, row.population, row.readout), []).append(row)
        else:
            key = (w.plate, w.donor, w.cytokine, row.population, row.readout)
            found.setdefault(key, []).append(row)
    if shared and not found:  # unstimulated wells alone
        found = {(k[0], k[1], "", k[2], k[3]): some for k, some in shared.items()}
    groups = []
    for key, some in found.items():
        low = [r for r in some if r.well.condition is Condition.UNSTIMULATED]
        if not low:
            plate, donor, _, population, readout = key
            low = shared.get((plate, donor, population, readout), [])
        groups.append(
            _Group(
                key,
                tuple(low),
                tuple(r for r in some if r.well.condition is Condition.STIMULATED),
                tuple(r for r in some if r.well.condition is Condition.DOSE),
            )
        )
    return groups


def _on_scale(rows: Sequence[PopulationRow], fit: FitSettings, cofactor: float) -> Floats:
    medians = np.array([r.median for r in rows], dtype=np.float64)
    found: Floats = (
        np.arcsinh(medians / cofactor) if fit.scale is ResponseScale.ARCSINH else medians
    )
    return found


def with_controls(
    rows: Sequence[PopulationRow], fit: FitSettings, cofactor: float
) -> tuple[PopulationRow, ...]:
    """Return rows with fold, arcsinh ratio and inhibition against the controls of their group."""
    filled: dict[tuple[str, str, str], PopulationRow] = {}
    for group in _groups(rows):
        some = (*group.unstimulated, *group.stimulated, *group.doses)
        low, high = len(group.unstimulated), len(group.unstimulated) + len(group.stimulated)
        place = np.arange(len(some))
        inhibition = percent_inhibition(
            _on_scale(some, fit, cofactor),
            np.zeros(len(some), dtype=np.int64),
            place < low,
            (place >= low) & (place < high),
        ).value
        medians = np.array([r.median for r in some])
        base = _known(medians[:low])
        reference = float(base.mean()) if base.size else np.nan
        fold, ratio = fold_change(medians, reference), arcsinh_ratio(medians, reference, cofactor)
        for k, row in enumerate(some):
            filled[_place(row)] = replace(
                row,
                fold=float(fold[k]),
                arcsinh_ratio=float(ratio[k]),
                inhibition=float(inhibition[k]),
            )
    return tuple(filled.get(_place(row), row) for row in rows)


def _place(row: PopulationRow) -> tuple[str, str, str]:
    return row.well.name, row.population, row.readout


def _known(values: Floats) -> Floats:
    return values[np.isfinite(values)]


def fit_plate_curves(
    rows: Sequence[PopulationRow], fit: FitSettings, cofactor: float
) -> tuple[tuple[CurveResult, ...], tuple[Problem, ...]]:
    """Return a curve for every group with doses; one without controls is a refusal, said."""
    groups = [g for g in _groups(rows) if g.doses]
    problems: list[Problem] = []
    kept: list[tuple[_Group, Floats, Floats, tuple[str, ...]]] = []
    for group in groups:
        name = ", ".join(part for part in group.key if part)
        u = _known(_on_scale(group.unstimulated, fit, cofactor))
        s = _known(_on_scale(group.stimulated, fit, cofactor))
        missing = [
            what for what, values in (("unstimulated", u), ("stimulated", s)) if not values.size
        ]
        if missing:
            problems.append(
                Problem(
                    name,
                    f"there is no {' and no '.join(missing)} control with events, so that no "
                    "inhibition can be computed",
                    "Controls share plate, donor and cytokine with the doses.",
                )
            )
            continue
        dose, response, wells = _points(group, u, s, fit, cofactor)
        lost = len(group.doses) + len(group.stimulated) - dose.size
        if lost:
            problems.append(
                Problem(
                    name,
                    f"{lost} wells hold no events of this population and give no point",
                    severity=Severity.WARNING,
                )
            )
        if np.unique(dose).size >= 2:
            kept.append((group, dose, response, wells))
        else:
            problems.append(Problem(name, "fewer than two doses have events"))
    return _fitted(kept, fit, cofactor), tuple(problems)


def _points(
    group: _Group, u: Floats, s: Floats, fit: FitSettings, cofactor: float
) -> tuple[Floats, Floats, tuple[str, ...]]:
    """Return doses, per cent of the window and wells; stimulated wells are dose 0."""
    rows = (*group.stimulated, *group.doses)
    dose = np.array([r.well.dose for r in rows])
    x = _on_scale(rows, fit, cofactor)
    span = s.mean() - u.mean()
    with np.errstate(divide="ignore", invalid="ignore"):
        response = 100.0 * (x - u.mean()) / span
    good = np.isfinite(response)
    names = tuple(r.well.name for r, ok in zip(rows, good, strict=True) if ok)
    return dose[good], response[good], names


def _options(fit: FitSettings) -> FitOptions:
    robust = fit.weights.value if fit.weights in (Weighting.HUBER, Weighting.BISQUARE) else ""
    return FitOptions(fixed=fixed_parameters(fit.model), robust=robust)


def _fitted(
    kept: Sequence[tuple[_Group, Floats, Floats, tuple[str, ...]]],
    fit: FitSettings,
    cofactor: float,
) -> tuple[CurveResult, ...]:
    if not kept:
        return ()
    names = [", ".join(part for part in g.key if part) for g, *_ in kept]
    doses, responses = [k[1] for k in kept], [k[2] for k in kept]
    fitted = fit_curves(make_curves(doses, responses, names=names), _options(fit))
    if fit.weights is Weighting.RELATIVE:
        fitted = _relative(fitted, kept, fit, cofactor)
    judged = [_judged(g, fit, cofactor) for g, *_ in kept]
    pairs = estimate_relative_and_absolute(
        fitted,
        Ic50Options(level=fit.level, absolute=fit.absolute),
        [verdict for verdict, _ in judged],
    )
    found = []
    for k, (group, dose, response, wells) in enumerate(kept):
        found.append(
            CurveResult(
                *group.key,
                dose=dose,
                response=response,
                wells=wells,
                controls=judged[k][1],
                ic50=pairs[k].relative,
                absolute=pairs[k].absolute,
                parameters=fitted.parameters[k],
                curve=_line(dose, fitted.parameters[k]),
                band=_band(_line(dose, fitted.parameters[k]), fitted, k, fit.level),
            )
        )
    return tuple(found)


def _relative(
    fitted: FittedCurves,
    kept: Sequence[tuple[_Group, Floats, Floats, tuple[str, ...]]],
    fit: FitSettings,
    cofactor: float,
) -> FittedCurves:
    """Return fits weighted by one over the squared signal that the first fit foresees."""
    weights = []
    for k, (group, dose, *_) in enumerate(kept):
        u = _known(_on_scale(group.unstimulated, fit, cofactor)).mean()
        s = _known(_on_scale(group.stimulated, fit, cofactor)).mean()
        with np.errstate(divide="ignore"):
            foreseen = logistic(np.log(dose)[None], fitted.parameters[k][None])[0]
        signal = np.abs(u + foreseen / 100.0 * (s - u)) + 1e-9
        weights.append((signal.mean() / signal) ** 2)
    curves = make_curves(
        [k[1] for k in kept], [k[2] for k in kept], weights, names=fitted.curves.names
    )
    return fit_curves(curves, fitted.options)


def _judged(group: _Group, fit: FitSettings, cofactor: float) -> tuple[WindowVerdict, Controls]:
    u = _known(np.array([r.median for r in group.unstimulated]))
    s = _known(np.array([r.median for r in group.stimulated]))
    verdict = judge_window(u, s, WindowOptions(min_fold=fit.min_fold, max_cv=fit.max_control_cv))
    a = _known(_on_scale(group.unstimulated, fit, cofactor))
    b = _known(_on_scale(group.stimulated, fit, cofactor))
    fold = float(s.mean() / u.mean()) if u.mean() > 0 else np.nan
    return verdict, Controls(u, s, fold, z_prime(a, b), signal_window(a, b))


def _line(dose: Floats, parameters: Floats) -> Floats:
    positive = dose[dose > 0]
    if positive.size == 0 or not np.isfinite(parameters).all():
        return np.zeros((2, 0))
    low, high = np.log(positive.min()) - 1.0, np.log(positive.max()) + 1.0
    ln_x = np.linspace(low, high, _LINE)
    y = logistic(ln_x[None], parameters[None])[0]
    return np.stack([np.exp(ln_x), y])


def _band(line: Floats, fitted: FittedCurves, k: int, level: float) -> Floats:
    """Return the pointwise interval of a fitted line, (2, n_line), by the delta method.

    Empty where the covariance of the estimates does not exist.
    """
    covariance, df = fitted.covariance[k], int(fitted.df[k])
    if line.shape[1] == 0 or df < 1 or not np.isfinite(covariance).all():
        return np.zeros((2, 0))
    _, slope = logistic_jacobian(np.log(line[:1]), fitted.parameters[k][None])
    g = slope[0][:, fitted.free]
    reach = float(student.ppf(0.5 + level / 2.0, df)) * np.sqrt(
        np.einsum("ij,jk,ik->i", g, covariance, g)
    )
    return np.stack([line[1] - reach, line[1] + reach])
