"""To which subpopulation of a mixture model each subject belongs, as far as its data tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "UNCERTAIN",
    "Membership",
    "membership_foot",
    "membership_lines",
    "membership_notices",
    "membership_of",
]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

UNCERTAIN = 0.8
"""Posterior probability below which the most probable subpopulation is called uncertain."""


@dataclass(frozen=True)
class Membership:
    """To which subpopulation each subject belongs, as far as the data tell.

    Attributes
    ----------
    names
        Of the subpopulations.
    variable
        Name by which formulas see their number.
    probabilities : (n_subjects, n_subpopulations) float64
        Estimated proportions; the same for all subjects unless covariates enter.
    posterior : (n_subjects, n_subpopulations) float64
        Probabilities of a subject to belong to each, given its data.
    most_probable : (n_subjects,) int64
        Number of the subpopulation with the largest, counted from 1.
    objective : (n_subjects, n_subpopulations) float64
        Objective of a subject as a member of each.
    etas : (n_subjects, n_subpopulations, n_etas) float64
        Modes of its random effects as a member of each.
    eta_variance : (n_subjects, n_subpopulations, n_etas, n_etas) float64
        Their conditional covariance.
    """

    names: tuple[str, ...]
    variable: str
    probabilities: Floats
    posterior: Floats
    most_probable: Ints
    objective: Floats
    etas: Floats
    eta_variance: Floats

    @property
    def largest(self) -> Floats:
        """Posterior probability of the most probable subpopulation, (n_subjects,)."""
        found: Floats = self.posterior[np.arange(self.most_probable.size), self.most_probable - 1]
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return the subpopulations as plain data; subjects are not in it."""
        return {
            "variable": self.variable,
            "subpopulations": [
                {
                    "number": k + 1,
                    "name": name,
                    "proportion": float(np.nanmean(self.probabilities[:, k])),
                    "mean_posterior": float(np.nanmean(self.posterior[:, k])),
                    "subjects": int((self.most_probable == k + 1).sum()),
                }
                for k, name in enumerate(self.names)
            ],
        }


def membership_of(extra: Mapping[str, Any]) -> Membership | None:
    """Return the membership that a fit found, from `FitResult.extra`; None without a mixture."""
    found = extra.get("mixture")
    return found if isinstance(found, Membership) else None


def membership_lines(found: Membership) -> list[str]:
    """Return the subpopulations as lines of text."""
    width = max(len("subpopulation"), *(len(name) for name in found.names))
    head = f"{'subpopulation'.ljust(width)}  {'no.':>3}  {'proportion':>10}  "
    lines = [head + f"{'mean posterior':>14}  {'subjects':>8}"]
    for row in found.to_dict()["subpopulations"]:
        lines.append(
            f"{row['name'].ljust(width)}  {row['number']:3d}  {row['proportion']:10.4f}  "
            f"{row['mean_posterior']:14.4f}  {row['subjects']:8d}"
        )
    lines.append(membership_foot(found))
    if np.ptp(found.probabilities, axis=0).max(initial=0.0) > 0.0:
        lines.append("proportion: the mean over subjects, as it depends on covariates")
    return lines


def membership_foot(found: Membership) -> str:
    """Return how sure it is to which subpopulation subjects belong."""
    unsure = int((found.largest < UNCERTAIN).sum())
    return (
        f"subjects: by their most probable subpopulation; {unsure} of "
        f"{found.most_probable.size} belong to it with a probability below {UNCERTAIN:g}"
    )


def membership_notices(found: Membership) -> tuple[str, ...]:
    """Return what a reader must know: subpopulations without subjects."""
    return tuple(
        f"no subject belongs most probably to the subpopulation {row['name']} "
        f"(proportion {row['proportion']:.3g}): the data do not show it. Fit the model with one "
        "subpopulation fewer and compare, or start from other values"
        for row in found.to_dict()["subpopulations"]
        if row["subjects"] == 0
    )
