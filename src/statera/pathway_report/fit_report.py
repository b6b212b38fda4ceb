"""The page of a network fitted to data: estimates, waterfall, courses against data, profiles."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from statera.numerics.identifiability import weakness
from statera.pathway.multi_start import MultiStart, StartStatus
from statera.pathway.petab_courses import ObservedCourse
from statera.pathway.petab_problem import PetabProblem
from statera.pathway.petab_scales import unscaled_value
from statera.pathway.posterior import PosteriorDraws
from statera.pathway.profile_likelihood import EndStatus, Profile
from statera.pathway_report.methods import METHODS, NOTICE, REFERENCES
from statera.pathway_report.parts import courses_figure, network_section, number
from statera.plot.likelihood_profiles import DrawnProfile, draw_likelihood_profiles
from statera.plot.time_courses import Course, CoursePanel, TimeCourseOptions
from statera.plot.waterfall import draw_waterfall
from statera.report.document import (
    Block,
    Callout,
    Definition,
    Document,
    Figure,
    Inline,
    Paragraph,
    Section,
    Table,
)

__all__ = ["PathwayFit", "build_pathway_fit_report", "estimates_data"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PathwayFit:
    """What the page shows.

    Attributes
    ----------
    theta : (n,) float64
        The optimum, on the parameters' scales.
    value, chi2
        Objective and sum of squared residuals there.
    fisher : (n, n) float64, optional
        Fisher matrix there.
    search, profiles, draws
        None or empty where not asked for.
    courses
        From `statera.pathway.petab_courses.observed_courses`.
    """

    problem: PetabProblem
    theta: Floats
    value: float
    chi2: float
    fisher: Floats | None
    courses: tuple[ObservedCourse, ...]
    search: MultiStart | None = None
    profiles: tuple[Profile, ...] = ()
    draws: PosteriorDraws | None = None


def build_pathway_fit_report(fit: PathwayFit, *, made: Mapping[str, Any]) -> Document:
    """Return the page of one fit."""
    sections = [_summary(fit), _estimates(fit), _courses(fit)]
    methods, references = ["objective", "fisher"], ["rodas5p"]
    if fit.search is not None:
        sections.append(_waterfall(fit.search))
        methods.append("search")
        references.append("fides")
    if fit.profiles:
        sections.append(_profiles(fit))
        methods.append("profile")
        references.append("raue")
    if fit.draws is not None:
        sections.append(_posterior(fit.draws))
        methods.append("bands")
        references.append("terbraak")
    for number_, part in enumerate(fit.problem.parts):
        sections.append(network_section(part.network, key=f"-{number_ + 1}" if number_ else ""))
    return Document(
        title=f"Fit of {fit.problem.name}",
        subtitle=f"{len(fit.theta)} parameters, {_measurements(fit)} measurements",
        notice=NOTICE,
        sections=tuple(sections),
        methods=tuple(METHODS[m] for m in methods),
        references=tuple(REFERENCES[r] for r in references),
        manifest=made,
    )


def _measurements(fit: PathwayFit) -> int:
    return sum(len(p.measurements) for p in fit.problem.parts)


def _summary(fit: PathwayFit) -> Section:
    pairs: list[tuple[str, Inline]] = [
        ("Objective", number(fit.value, "objective")),
        ("Sum of squared residuals", number(fit.chi2, "objective")),
        ("Measurements", str(_measurements(fit))),
        ("Conditions", str(sum(len(p.conditions) for p in fit.problem.parts))),
        ("Parameters estimated", str(len(fit.theta))),
    ]
    if fit.search is not None:
        best = fit.search.at_best()
        pairs.append(("Searches at the best", f"{best} of {len(fit.search.starts)}"))
    blocks: list[Block] = [Definition(tuple(pairs))]
    if fit.search is not None and fit.search.at_best() < 2 < len(fit.search.starts):
        text = "Only one search ended at the lowest objective; a lower one may exist. Search more."
        blocks.append(Callout("warning", "Found once", (text,)))
    return Section("summary", "Summary", tuple(blocks))


def _errors(fit: PathwayFit) -> Floats:
    """Return standard errors; NaN where the Fisher matrix does not hold a parameter."""
    out = np.full(fit.theta.size, math.nan)
    if fit.fisher is None or weakness(fit.fisher, fit.problem.names).singular:
        return out
    try:
        variances = np.diag(np.linalg.inv(fit.fisher))
    except np.linalg.LinAlgError:
        return out
    return np.where(variances > 0.0, np.sqrt(np.abs(variances)), math.nan)


def _estimates(fit: PathwayFit) -> Section:
    errors = _errors(fit)
    rows: list[tuple[Inline, ...]] = []
    for parameter, theta, error in zip(fit.problem.estimated, fit.theta, errors, strict=True):
        low, high = parameter.bounds
        near = 1e-4 * (high - low)
        said = "at its lower bound" if theta - low < near else ""
        said = "at its upper bound" if high - theta < near else said
        value = unscaled_value(float(theta), parameter.scale)
        rows.append(
            (
                parameter.id,
                number(value, "objective"),
                parameter.scale,
                number(float(theta), "objective"),
                number(float(error), "fisher"),
                said,
            )
        )
    blocks: list[Block] = [
        Table(
            "Estimates",
            ("Parameter", "Value", "Scale", "On the scale", "SE on the scale", "Remark"),
            tuple(rows),
            (1, 3, 4),
        )
    ]
    if fit.fisher is not None:
        weak = weakness(fit.fisher, fit.problem.names)
        if weak.singular:
            text = (
                "The data do not tell apart, near the optimum: "
                f"{', '.join((*weak.about, *weak.idle))}. No standard errors are given."
            )
            blocks.append(Callout("warning", "Not identified", (text,)))
    return Section("estimates", "Estimates", tuple(blocks))


def _courses(fit: PathwayFit) -> Section:
    panels: dict[str, list[Course]] = {}
    several = len(fit.problem.parts) > 1
    for c in fit.courses:
        name = f"{c.observable} (model {c.part})" if several else c.observable
        panels.setdefault(name, []).append(
            Course(c.condition, c.times, c.values, c.low, c.high, c.measured_times, c.measured)
        )
    banded = any(c.low is not None for c in fit.courses)
    unit = fit.problem.parts[0].network.time_unit
    options = TimeCourseOptions(
        f"Time ({unit})" if unit else "Time", band_label="90 % of the posterior" if banded else ""
    )
    alt = f"Measured points and simulated courses of {', '.join(panels)}."
    drawn = [CoursePanel(name, tuple(courses)) for name, courses in panels.items()]
    figure = courses_figure(drawn, options, "courses", "Courses and data", alt)
    return Section("courses", "Courses against data", (figure,))


def _waterfall(search: MultiStart) -> Section:
    ends = [s.value for s in search.starts]
    ok = [s.status is StartStatus.CONVERGED for s in search.starts]
    levels = "; ".join(f"{n} at {value:.6g}" for value, n in search.levels())
    alt = f"Ends of {len(ends)} searches: {levels}."
    svg = draw_waterfall(ends, ok, key="waterfall", title="Waterfall", alt=alt)
    figure = Figure("waterfall", svg, "Waterfall", alt, data={"objective": ends})
    rows = tuple(
        (str(s.index + 1), number(s.value, "search"), number(s.gradient, "search"),
         s.status.value, str(s.evaluations), str(s.failed), s.message)
        for s in search.starts
    )  # fmt: skip
    columns = ("Start", "Objective", "Gradient", "Status", "Evaluations", "Failed", "Said")
    table = Table("All searches", columns, rows, (1, 2, 4, 5), folded=True)
    return Section("waterfall", "Searches", (figure, table))


def _profiles(fit: PathwayFit) -> Section:
    names = fit.problem.names
    scales = {p.id: p.scale for p in fit.problem.estimated}
    drawn = [
        DrawnProfile(
            p.name, p.values, p.rise, float(fit.theta[names.index(p.name)]), p.low, p.high,
            f"{p.name} ({scales[p.name]})" if scales[p.name] != "lin" else p.name,
        )
        for p in fit.profiles
    ]  # fmt: skip
    threshold = fit.profiles[0].options.threshold
    alt = f"Profiles of {', '.join(p.name for p in fit.profiles)}."
    svg = draw_likelihood_profiles(drawn, threshold, key="profiles", title="Profiles", alt=alt)
    rows: list[tuple[Inline, ...]] = []
    for p in fit.profiles:
        ends = (_end(p.low, p.low_status), _end(p.high, p.high_status))
        rows.append((p.name, *ends, "yes" if p.identified else "no"))
    table = Table(
        f"Intervals of {100 * fit.profiles[0].options.level:g} %",
        ("Parameter", "Lower end", "Upper end", "Identified"), tuple(rows), (1, 2),
    )  # fmt: skip
    blocks: list[Block] = [Figure("profiles", svg, "Profiles", alt), table]
    better = max(p.better for p in fit.profiles)
    if better > 0.01:
        text = f"A profile passed a point whose objective is lower by {better:.3g}: search more."
        blocks.append(Callout("warning", "Not the optimum", (text,)))
    return Section("profiles", "Profile likelihoods", tuple(blocks))


def _end(value: float, status: EndStatus) -> Inline:
    return number(value, "profile") if status is EndStatus.FOUND else status.value


def _posterior(draws: PosteriorDraws) -> Section:
    columns = ("mean", "sd", "q2.5", "q50", "q97.5", "rhat", "ess")
    rows: list[tuple[Inline, ...]] = [
        (name, *(number(row[c], "bands") for c in columns)) for name, row in draws.summary.items()
    ]
    table = Table(
        "Posterior, on the parameters' scales",
        ("Parameter", "Mean", "SD", "2.5 %", "50 %", "97.5 %", "R-hat", "ESS"),
        tuple(rows), tuple(range(1, 8)),
    )  # fmt: skip
    blocks: list[Block] = [
        Paragraph((f"{draws.draws.shape[0]} chains of {draws.draws.shape[1]} draws; "
                   f"{100 * draws.acceptance:.0f} % of jumps were taken.",)),
        table,
    ]  # fmt: skip
    blocks += [Callout("warning", "Chains", (f"{w}.",)) for w in draws.warnings]
    return Section("posterior", "Posterior", tuple(blocks))


def estimates_data(problem: PetabProblem, theta: Sequence[float]) -> list[dict[str, Any]]:
    """Return the estimates as plain data."""
    return [
        {"parameter": p.id, "scale": p.scale, "theta": float(t),
         "value": unscaled_value(float(t), p.scale)}
        for p, t in zip(problem.estimated, theta, strict=True)
    ]  # fmt: skip
