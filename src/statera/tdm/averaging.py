"""Several models of one patient: how much each counts, and draws of all of them together.

Weights by evidence are the posterior probabilities of the models, equal before the samples:
``w_m = p(samples | m) / sum p(samples | k)``. Weights by the objective of the most likely random
effects, ``exp(-J / 2)`` (Uster et al. 2021, doi 10.1002/cpt.2065), are offered for comparison: J is
no marginal likelihood, since it lacks the volume of what else would explain the samples, and does
not compare models whose Omegas or numbers of random effects differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from statera.errors import UsageError
from statera.tdm.map_estimate import MapEstimate
from statera.tdm.outcome import Outcome, RequestError
from statera.tdm.patient_problem import PatientProblem
from statera.tdm.posterior import Posterior

__all__ = ["AVERAGING", "Member", "average", "model_weights"]

Floats = NDArray[np.float64]

AVERAGING = ("evidence", "map-ofv")


@dataclass(frozen=True)
class Member:
    """One model of a patient with what the samples say under it.

    Attributes
    ----------
    weight, map_weight
        Probability by the rule that was chosen, and by the objective of the most likely effects.
    """

    problem: PatientProblem
    estimate: MapEstimate | None
    posterior: Posterior
    weight: float = 1.0
    map_weight: float = 1.0


def model_weights(log_values: Sequence[float]) -> Floats:
    """Return probabilities proportional to the exponentials of `log_values`."""
    logs = np.asarray(log_values, dtype=np.float64)
    logs = np.where(np.isfinite(logs), logs, -np.inf)
    if not np.isfinite(logs).any():
        return np.full(logs.size, 1.0 / logs.size)
    found = np.exp(logs - logs.max())
    return np.asarray(found / found.sum())


def average(members: Sequence[Member], rule: str = "evidence") -> tuple[Member, ...]:
    """Return the models with their weights.

    Parameters
    ----------
    rule
        ``evidence`` or ``map-ofv``.

    Raises
    ------
    UsageError
        If the rule is not known.
    RequestError
        If the models do not describe the same samples.
    """
    if rule not in AVERAGING:
        raise UsageError(
            f"models are weighed by 'evidence' or 'map-ofv', not '{rule}'",
            where="options.averaging",
        )
    _same_data(members)
    evidence = model_weights([m.posterior.log_evidence for m in members])
    objectives = model_weights([_minus_half_j(m) for m in members])
    chosen = evidence if rule == "evidence" else objectives
    return tuple(
        Member(m.problem, m.estimate, m.posterior, float(w), float(o))
        for m, w, o in zip(members, chosen, objectives, strict=True)
    )


def _minus_half_j(member: Member) -> float:
    """Return -J/2 on the scale of the samples as measured; 0 without samples."""
    if member.estimate is None or member.problem.individuals.y.size == 0:
        return 0.0
    from statera.tdm.draw_likelihood import DrawLikelihood  # noqa: PLC0415  only with samples

    constant = DrawLikelihood(member.problem.individuals, member.problem.theta).constant
    return -0.5 * (member.estimate.objective + constant)


def _same_data(members: Sequence[Member]) -> None:
    """Refuse to compare models that were given different samples."""
    first = members[0].problem.data
    for member in members[1:]:
        data = member.problem.data
        same = len(data.samples) == len(first.samples) and all(
            a.time == b.time and a.value == b.value
            for a, b in zip(data.samples, first.samples, strict=True)
        )
        if not same:
            raise RequestError(
                Outcome.BAD_REQUEST,
                f"{members[0].problem.model.id} and {member.problem.model.id} do not use the same "
                "samples: their likelihoods cannot be compared",
                where="models",
                hint="Leave out the samples that only one of them describes.",
            )
