"""One patient under one model as estimation sees it: records, likelihood and prior."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from statera.estimate.effects import Effects
from statera.estimate.individual import Individuals
from statera.estimate.problem import Problem, ProblemOptions, make_problem
from statera.model import Model
from statera.numerics.expression import evaluate
from statera.tdm.outcome import Outcome, Remark
from statera.tdm.patient_data import PatientData, patient_data
from statera.tdm.request import Options, Patient

__all__ = ["PatientProblem", "prepare_patient"]

Floats = NDArray[np.float64]


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
    remarks
        What a reader must know.
    """

    model: Model
    data: PatientData
    individuals: Individuals
    theta: Floats
    omega: Floats
    prior_weight: float
    eta_names: tuple[str, ...]
    eta_occasions: tuple[int, ...]
    remarks: tuple[Remark, ...]

    @property
    def n_etas(self) -> int:
        """Number of random effects, those of all occasions included."""
        return len(self.eta_names)

    @cached_property
    def prior(self) -> Effects:
        """The normal prior that was asked for: Omega divided by the prior's weight."""
        return Effects(self.omega / self.prior_weight)

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
        found: dict[str, Floats] = {}
        for equation in self.model.individual:
            value = np.broadcast_to(evaluate(equation.expression, values), etas.shape[:1])
            values[equation.name] = found[equation.name] = np.array(value, dtype=np.float64)
        return found


def prepare_patient(
    model: Model, patient: Patient, options: Options | None = None
) -> PatientProblem:
    """Prepare the estimation of one patient.

    Raises
    ------
    InputError
        If records cannot be used with the model.
    """
    options = options or Options()
    data = patient_data(model, patient)
    problem: Problem = make_problem(model, data, ProblemOptions(blq=options.blq))
    theta, _, omega = problem.unpack(problem.start)
    columns = problem.individuals.prepared.columns
    names = list(columns.subject_etas)
    occasions = [-1] * len(names)
    for k in range(columns.n_occasions):
        names += columns.occasion_etas
        occasions += [k] * len(columns.occasion_etas)
    return PatientProblem(
        model,
        data,
        problem.individuals,
        theta,
        omega,
        options.prior_weight,
        tuple(names),
        tuple(occasions),
        tuple(Remark(Outcome.BAD_REQUEST, text) for text in problem.warnings),
    )
