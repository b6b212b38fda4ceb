"""A fit in words: how it ended, what it found, and what a reader must know."""

from __future__ import annotations

import html
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from statera.estimate.ending import sentence
from statera.estimate.fingerprint import data_hash, model_hash
from statera.estimate.membership import membership_lines, membership_of
from statera.estimate.saem_course import course_text
from statera.estimate.table import Shrinkage, Uncertainty, parameter_table
from statera.manifest import manifest

if TYPE_CHECKING:
    from statera.estimate.result import FitResult

__all__ = ["METHOD_NAMES", "fit_manifest", "summary", "summary_html", "summary_pairs"]

METHOD_NAMES = {
    "fo": "first order (FO)",
    "foce": "first-order conditional estimation without interaction (FOCE)",
    "focei": "first-order conditional estimation with interaction (FOCEI)",
    "laplace": "Laplace approximation (LAPLACE)",
    "agq": "adaptive Gaussian quadrature (AGQ)",
    "its": "iterative two-stage (ITS)",
    "saem": "stochastic approximation EM (SAEM)",
    "imp": "importance sampling (IMP)",
}


def summary(
    result: FitResult,
    uncertainty: Uncertainty | None = None,
    shrinkage: Shrinkage | None = None,
) -> str:
    """Return a fit as text.

    Parameters
    ----------
    result
        What a fit found.
    uncertainty, shrinkage
        As for `statera.estimate.table.parameter_table`.
    """
    pairs = summary_pairs(result, uncertainty)
    width = max(len(name) for name, _ in pairs)
    lines = [f"{name.ljust(width)}  {text}" for name, text in pairs]
    lines += ["", str(parameter_table(result, uncertainty, shrinkage))]
    members = membership_of(result.extra)
    if members is not None:
        lines += ["", *membership_lines(members)]
    if result.warnings:
        lines += ["", "Warnings"]
        lines += [f"- {warning}" for warning in result.warnings]
    return "\n".join(lines)


def summary_html(result: FitResult) -> str:
    """Return a fit as HTML, for notebooks."""
    rows = "".join(
        f'<tr><th style="text-align:left">{html.escape(name)}</th>'
        f'<td style="text-align:left">{html.escape(text)}</td></tr>'
        for name, text in summary_pairs(result)
    )
    warnings = "".join(f"<p>Warning: {html.escape(w)}</p>" for w in result.warnings)
    table = parameter_table(result)._repr_html_()
    members = membership_of(result.extra)
    if members is not None:
        table += f"<pre>{html.escape(chr(10).join(membership_lines(members)))}</pre>"
    return f"<table><tbody>{rows}</tbody></table>{warnings}{table}"


def summary_pairs(
    result: FitResult, uncertainty: Uncertainty | None = None
) -> list[tuple[str, str]]:
    """Return what a fit was and how it ended, as names and texts."""
    problem = result.problem
    people = problem.individuals
    steps = len(result.iterations)
    by = str(result.extra.get("objective_by", "")).upper()
    more = [("Chains", course_text(result))] if result.method == "saem" else []
    if uncertainty is not None and np.isfinite(uncertainty.standard_errors).any():
        more.append(("Standard errors", uncertainty.description))
    return [
        ("Model", problem.model.id),
        ("Method", METHOD_NAMES.get(result.method, result.method)),
        ("Objective", f"{result.ofv:.3f}{_error(result)} (-2 log-likelihood without n ln 2 pi"
         + (f", by {by} at these estimates)" if by else ")")),
        ("Subjects", str(people.n_subjects)),
        ("Observations", f"{people.y.size} used"
         + (f", {problem.omitted} left out" if problem.omitted else "")),
        ("Status", f"{result.status}. {sentence(result.status, result.method)}"),
        *more,
        ("Time", f"{result.seconds:.2f} s of processor time, {steps} iterations"),
    ]  # fmt: skip


def _error(result: FitResult) -> str:
    """Return the standard error of an objective that was sampled."""
    error = result.extra.get("ofv_se")
    return "" if error is None or not math.isfinite(error) else f" with standard error {error:.3f}"


def fit_manifest(result: FitResult, seed: int | None = None, **extra: Any) -> dict[str, Any]:
    """Return how a fit was made: versions, seed, and content hashes of model and data.

    Parameters
    ----------
    seed
        Seed of a method that draws random numbers.
    extra
        Further entries.
    """
    problem = result.problem
    hashes = {"model": model_hash(problem.model), "data": data_hash(problem)}
    return manifest(hashes, seed, method=result.method, **extra)
