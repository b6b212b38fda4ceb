"""One patient under one model as estimation sees it: records, likelihood and prior."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from statera.estimate.effects import Effects
from statera.estimate.individual import Individuals
from statera.estimate.problem import ProblemOptions, make_individuals
from statera.model import Model
from statera.model.by_identity import ByIdentity
from statera.numerics.vectorised import Vectorised, vectorise
from statera.simulate import full_formula
from statera.tdm.outcome import Outcome, RequestError
from statera.tdm.patient_data import PatientData, patient_data
from statera.tdm.request import Options, Patient

__all__ = ["PatientProblem", "patient_problem", "prepare_patient"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class PatientProblem:
    """Likelihood and prior of one patient's random effects.

    Attributes
    ----------
    model
    data
        Records and samples.
    individuals
        The likelihood: one subject.
    theta : (n_theta,) float64
        Fixed effects, in the order of the model.
    omega : (n_etas, n_etas) float64
        Covariance of all random effects of the patient, before `prior_weight`.
    prior_weight
        Factor on the precision of the prior.
    eta_names : (n_etas,)
        Random effect of the model behind each column: those of the subject, then those of each
        occasion.
    eta_occasions : (n_etas,)
        Number of the occasion from 0; -1 for effects of the subject.
    used : (n_used,)
        Which of the data's samples count: censored ones may be left out.
    at_time : (n_used,) int64
        Row of the likelihood at the stated time of each of them.
    warnings
        What a reader must know of the records.
    """

    model: Model
    data: PatientData
    individuals: Individuals
    theta: Floats
    omega: Floats
    prior_weight: float
    eta_names: tuple[str, ...]
    eta_occasions: tuple[int, ...]
    used: tuple[int, ...]
    at_time: Ints
    warnings: tuple[str, ...]

    @property
    def n_etas(self) -> int:
        """Number of random effects, those of all occasions included."""
        return len(self.eta_names)

    @cached_property
    def prior(self) -> Effects:
        """The normal prior that was asked for: Omega divided by the prior's weight."""
        return Effects(self.omega / self.prior_weight)

    def natural(self, f: Floats) -> Floats:
        """Return predictions at samples in the output's unit, (n_used,), from those of all rows."""
        found = f[self.at_time]
        if not any(r.lognormal for r in self.model.residuals.values()):
            return found
        of = self.individuals.observations
        for k, formulas in enumerate(of.kinds):
            residual = self.model.residuals.get(formulas.name)
            if residual is not None and residual.lognormal:
                mine = np.isin(self.at_time, of.places[k])
                found[mine] = np.exp(found[mine])
        return found

    def parameters(self, etas: Floats) -> dict[str, Floats]:
        """Return individual parameters at the last record, (n,) by name.

        Parameters
        ----------
        etas : (n, n_etas) float64
        """
        prepared = self.individuals.prepared
        last = prepared.system_subject.size - 1
        values: dict[str, Floats | float] = {
            name: float(self.theta[i]) for i, name in enumerate(self.model.parameters)
        }
        columns = prepared.columns
        for name in self.model.random_effects:
            place = columns.of(name, prepared.occasion[last:]) - columns.n_parameters
            values[name] = etas[:, int(np.asarray(place).ravel()[0])]
        for name, course in prepared.segments.covariates.items():
            values[name] = float(course[last])
        n = etas.shape[0]
        function = _individual(ByIdentity(self.model))
        found = function(values, n)
        return {e.name: found[k] for k, e in enumerate(self.model.individual)}


@lru_cache(maxsize=64)
def _individual(key: ByIdentity) -> Vectorised:
    """Return the individual parameters of a model as functions, derived once."""
    model = key.model
    base = (*model.parameters, *model.random_effects, *model.covariates)
    return vectorise([full_formula(model, e.expression) for e in model.individual], base)


def prepare_patient(
    model: Model, patient: Patient, options: Options | None = None
) -> PatientProblem:
    """Prepare the estimation of one patient; there may be no samples.

    Raises
    ------
    InputError
        If records cannot be used with the model; a `RequestError` names its outcome.
    """
    options = options or Options()
    data = patient_data(model, patient, options.covariate_interpolation)
    return patient_problem(
        model,
        data,
        ProblemOptions(blq=options.blq, covariate_interpolation=options.covariate_interpolation),
        prior_weight=options.prior_weight,
    )


def patient_problem(
    model: Model, data: PatientData, options: ProblemOptions, *, prior_weight: float = 1.0
) -> PatientProblem:
    """Prepare the estimation of one patient whose records are already laid out.

    Raises
    ------
    InputError
        If records cannot be used with the model; a `RequestError` names its outcome.
    """
    if not prior_weight > 0.0:
        raise RequestError(
            Outcome.BAD_REQUEST,
            f"a prior weight of {prior_weight:g} is not possible",
            where="options.prior_weight",
            hint="Write a number above 0: 1 for the prior as it is, less to flatten it.",
        )
    laid = make_individuals(model, data, options)
    columns = laid.individuals.prepared.columns
    names = list(columns.subject_etas)
    occasions = [-1] * len(names)
    for k in range(columns.n_occasions):
        names += columns.occasion_etas
        occasions += [k] * len(columns.occasion_etas)
    effects = list(model.random_effects)
    at = np.array([effects.index(name) for name in names], dtype=np.int64)
    same = np.equal.outer(occasions, occasions)
    omega = np.where(same, np.asarray(model.omega)[np.ix_(at, at)], 0.0)
    _check_omega(model, omega)
    used = {int(k): i for i, k in enumerate(laid.observed)}
    kept = [j for j, k in enumerate(data.at_time.tolist()) if k in used]
    return PatientProblem(
        model,
        data,
        laid.individuals,
        np.array([p.value for p in model.parameters.values()], dtype=np.float64),
        omega,
        prior_weight,
        tuple(names),
        tuple(occasions),
        tuple(kept),
        np.array([used[int(data.at_time[j])] for j in kept], dtype=np.int64),
        laid.warnings,
    )


def _check_omega(model: Model, omega: Floats) -> None:
    live = np.flatnonzero(np.diag(omega) > 0.0)
    inside = omega[np.ix_(live, live)]
    lowest = float(np.linalg.eigvalsh(inside)[0]) if live.size else 1.0
    if not (np.isfinite(omega).all() and lowest > 1e-12 * np.abs(inside).max(initial=0.0)):
        raise RequestError(
            Outcome.OMEGA_NOT_POSITIVE,
            f"the covariance of the random effects of {model.id} is not positive definite "
            f"(its smallest eigenvalue is {lowest:g})",
            where="random_effects",
            hint="Check variances and covariances of the model.",
        )
