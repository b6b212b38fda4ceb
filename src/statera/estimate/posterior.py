"""The posterior of a fit: draws, their summary, and what is wrong with them.

R-hat (rank-normalised) and effective sample sizes of the bulk and of the tails are those of
Vehtari and others 2021 (doi 10.1214/20-BA1221), who ask for R-hat below 1.01 and 100 effective
draws a chain.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from statera.estimate.log_density import PriorOptions, prior_texts
from statera.estimate.meaning import meanings
from statera.estimate.problem import Problem
from statera.estimate.row_intervals import back

if TYPE_CHECKING:
    import polars as pl

__all__ = ["HIGHEST_RHAT", "LOWEST_ESS", "Posterior", "free_draws", "summarised"]

Floats = NDArray[np.float64]

HIGHEST_RHAT, LOWEST_ESS = 1.01, 100.0
"""R-hat above the first, or fewer effective draws a chain than the second, are said."""


@dataclass(frozen=True)
class Posterior:
    """Draws of the posterior.

    Attributes
    ----------
    problem
        Model, data and what was estimated.
    data
        ``arviz.InferenceData``: variables named as the parameters, ``omega`` (effects squared) and
        ``eta`` (subjects by effects).
    summary
        For each fixed effect and free entry of Omega: ``mean``, ``sd``, quantiles ``q2.5``,
        ``q50``, ``q97.5``, ``rhat``, ``ess`` of the bulk, ``ess_tail``, and ``mcse`` of the mean.
    priors
        Of the same, in words.
    chains, draws
        Chains, and draws of each.
    divergences, deepest
        Steps that the integrator lost, and those that met the largest depth of a tree.
    status
        ``converged``, ``not converged``, or ``stopped``.
    warnings
        What a reader must know.
    seconds
        CPU time.
    """

    problem: Problem
    data: Any
    summary: Mapping[str, Mapping[str, float]]
    priors: Mapping[str, str]
    chains: int
    draws: int
    divergences: int
    deepest: int
    status: str
    warnings: tuple[str, ...]
    seconds: float

    @property
    def converged(self) -> bool:
        """Whether chains agree and are long enough."""
        return self.status == "converged"

    def rows(self) -> list[dict[str, Any]]:
        """Return a row for each parameter: its summary, what it stands for, and its prior.

        ``shown_as`` says how ``value`` (the posterior median) and its interval come from the
        quantiles, as in the table of a fit: ``exp``, ``expit``, ``CV %``, ``SD``, ``corr``.
        """
        problem = self.problem
        known = meanings(problem.model)
        effects = list(problem.model.random_effects)
        draws = free_draws(problem, self.data)
        places = dict(zip(problem.free_names[problem.theta.size :], problem.omega.entries(),
                          strict=True))  # fmt: skip
        omega = np.asarray(self.data.posterior["omega"])
        found = []
        for name, values in self.summary.items():
            kind, of, unit = "fixed effect", "", ""
            if name in places:
                i, j = places[name]
                kind = "variance" if i == j else "covariance"
                of = ", ".join(known[effects[i]].of) if i == j else ""
                log_normal = known[effects[i]].scale == "exp"
                shown, drawn = _effect(omega, i, j, log_normal=log_normal)
                ends = np.quantile(drawn, [0.5, 0.025, 0.975]).tolist()
            else:
                parameter = problem.model.parameters[name]
                of, unit = ", ".join(known[name].of), parameter.unit
                scale = known[name].scale
                shown = "" if scale == "natural" else scale
                q = np.quantile(draws[name], [0.5, 0.025, 0.975]).tolist()
                value, span = back(q[0], (q[1], q[2]), scale)
                ends = [value, *span]
            found.append(
                {"name": name, "kind": kind, "of": of, "unit": unit, **values, "shown_as": shown,
                 "value": ends[0], "value_low": ends[1], "value_high": ends[2],
                 "prior": self.priors[name]}
            )  # fmt: skip
        return found

    def to_polars(self) -> pl.DataFrame:
        """Return the rows as a data frame."""
        import polars as pl  # noqa: PLC0415  heavy: only when a table is asked for

        return pl.DataFrame(self.rows()).fill_nan(None)

    def draws_table(self) -> pl.DataFrame:
        """Return a row a draw: ``chain``, ``draw``, then fixed effects and free (co)variances."""
        import polars as pl  # noqa: PLC0415  as above

        columns: dict[str, Any] = {
            "chain": np.repeat(np.arange(1, self.chains + 1), self.draws),
            "draw": np.tile(np.arange(1, self.draws + 1), self.chains),
        }
        for name, values in free_draws(self.problem, self.data).items():
            columns[name] = values.ravel()
        return pl.DataFrame(columns)

    def __str__(self) -> str:
        from statera.estimate.posterior_text import posterior_text  # noqa: PLC0415  imports this

        return posterior_text(self)


def free_draws(problem: Problem, data: Any) -> dict[str, Floats]:
    """Return the draws (chains, draws) of everything that is estimated."""
    parameters = list(problem.model.parameters)
    found = [np.asarray(data.posterior[parameters[i]]) for i in problem.theta.free]
    omega = np.asarray(data.posterior["omega"])
    found += [omega[:, :, i, j] for i, j in problem.omega.entries()]
    return dict(zip(problem.free_names, found, strict=True))


def summarised(
    problem: Problem, data: Any, priors: PriorOptions, *, seconds: float, stopped: bool
) -> Posterior:
    """Return the posterior of draws, with what is wrong with them."""
    import arviz  # noqa: PLC0415  an extra, which made the draws

    summary = {}
    for name, values in free_draws(problem, data).items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # chains that stand still have no R-hat
            summary[name] = _row(values, arviz)
    stats = data.sample_stats
    lost = int(np.asarray(stats["diverging"]).sum())
    deepest = int(np.asarray(stats["maxdepth_reached"]).sum())
    chains, draws = np.asarray(stats["diverging"]).shape
    remarks, poor = _remarks(summary, chains, draws, lost, deepest)
    status = "not converged" if poor else "converged"
    if stopped:
        status = "stopped"
        remarks.insert(0, f"sampling was stopped: {chains} chains of {draws} draws are left")
    return Posterior(
        problem, data, summary, prior_texts(problem, priors), chains, draws, lost, deepest,
        status, (*problem.warnings, *remarks), seconds,
    )  # fmt: skip


def _row(values: Floats, arviz: Any) -> dict[str, float]:
    low, middle, high = np.quantile(values, [0.025, 0.5, 0.975])
    sd, ess = float(values.std(ddof=1)), float(arviz.ess(values))
    several = values.shape[0] > 1 and values.shape[1] >= 4
    return {
        "mean": float(values.mean()),
        "sd": sd,
        "q2.5": float(low),
        "q50": float(middle),
        "q97.5": float(high),
        "rhat": float(arviz.rhat(values)) if several else math.nan,
        "ess": ess,
        "ess_tail": float(arviz.ess(values, method="tail")),
        "mcse": sd / math.sqrt(ess) if ess > 0.0 else math.nan,
    }


def _remarks(
    summary: Mapping[str, Mapping[str, float]], chains: int, draws: int, lost: int, deepest: int
) -> tuple[list[str], bool]:
    """Return what is wrong in sentences, and whether the chains cannot be used as they are."""
    apart = [n for n, s in summary.items() if s["rhat"] > HIGHEST_RHAT]
    least = LOWEST_ESS * chains
    short = [n for n, s in summary.items() if not min(s["ess"], s["ess_tail"]) >= least]
    remarks = []
    if apart:
        worst = max(summary[n]["rhat"] for n in apart)
        remarks.append(
            f"{', '.join(apart)}: the chains do not agree (R-hat above {HIGHEST_RHAT:g}, up to "
            f"{worst:.3f}); draw more, adapt longer, or look for a parameter that neither data nor "
            "prior determine"
        )
    if short:
        fewest = min(min(summary[n]["ess"], summary[n]["ess_tail"]) for n in short)
        remarks.append(
            f"{', '.join(short)}: fewer than {least:g} effective draws (down to {fewest:.0f}): "
            "means and above all quantiles are uncertain; take more draws"
        )
    if lost:
        remarks.append(
            f"{lost} of {chains * draws} steps diverged: parts of the posterior may be missed; "
            "tighter priors help, or smaller steps (a target of acceptance nearer to 1)"
        )
    if deepest:
        remarks.append(
            f"{deepest} of {chains * draws} trajectories met the largest depth: sampling is slow "
            "and may be incomplete; look for parameters that the data cannot tell apart"
        )
    if chains == 1:
        remarks.append("one chain only: whether chains agree (R-hat) cannot be told")
    return remarks, bool(apart or short)


def _effect(omega: Floats, i: int, j: int, *, log_normal: bool) -> tuple[str, Floats]:
    """Return how an entry of Omega is shown, and its draws on that scale."""
    here = omega[:, :, i, j]
    if i != j:
        return "corr", here / np.sqrt(omega[:, :, i, i] * omega[:, :, j, j])
    if log_normal:
        with np.errstate(over="ignore"):
            return "CV %", 100.0 * np.sqrt(np.expm1(here))
    return "SD", np.sqrt(here)
