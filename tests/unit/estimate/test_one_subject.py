"""The objective of one subject by plain numbers is that of the arrays, to rounding."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from statera.estimate.one_search import find_mode
from statera.estimate.one_subject import OneSubject, one_subject
from statera.model import build_model
from statera.numerics.scalar import SCALAR_ERRORS, scalar
from statera.tdm.patient_problem import PatientProblem, prepare_patient
from statera.tdm.request import CovariateValue, DoseTaken, Options, Patient, Sample


def _spec(**more: Any) -> dict[str, Any]:
    return {
        "id": "one",
        "units": {"time": "h", "amount": "mg"},
        "parameters": {"TVCL": {"value": 4.0}, "TVV": {"value": 30.0}},
        "random_effects": {
            "e_CL": {"variance": 0.1}, "e_V": {"variance": 0.1}, "e_D": {"variance": 0.2},
            "o_CL": {"variance": 0.05, "level": "occasion"},
        },
        "covariates": {"WT": {"unit": "kg", "reference": 70.0}},
        "individual": {
            "CL": "TVCL*(WT/70)^0.75*exp(e_CL + o_CL)", "V": "TVV*exp(e_V)", "D": "2*exp(e_D)",
        },
        "dynamics": {"body": "-CL/V*body - 0.1*body + 0.2*far", "far": "0.1*body - 0.2*far"},
        "inputs": {"iv": [{"kind": "zero_order", "into": "body", "duration": "D"}]},
        "outputs": {"C": {"expression": "body/V", "unit": "mg/L"}},
        "residual": {"C": {"proportional": 0.15, "additive": 0.05}},
        **more,
    }  # fmt: skip


def _problem(spec: dict[str, Any], *, weight: float = 1.0, time_sd: float = 0.0) -> PatientProblem:
    patient = Patient(
        "P",
        (DoseTaken(0.0, 100.0, interval=24.0, additional=1, occasion="a"),
         DoseTaken(48.0, 80.0, occasion="b")),
        (Sample(3.0, 2.5), Sample(23.0, 0.3, censored="below"), Sample(28.0, 2.0, weight=weight),
         Sample(51.0, 3.0, censored="above"), Sample(60.0, 0.9, time_sd=time_sd)),
        (CovariateValue("WT", 60.0), CovariateValue("WT", 66.0, time=24.0)),
    )  # fmt: skip
    return prepare_patient(build_model(spec), patient, Options())


LINEAR = _spec()
INTEGRATED = _spec(
    random_effects={k: v for k, v in LINEAR["random_effects"].items() if k != "o_CL"},
    covariates={},
    individual={**LINEAR["individual"], "CL": "TVCL*exp(e_CL)"},
    dynamics={"body": "-CL*body/(V + 0.05*body) - 0.1*body + 0.2*far",
              "far": "0.1*body - 0.2*far"},
)  # fmt: skip
LOGARITHMIC = _spec(residual={"C": {"additive": 0.2, "scale": "log"}})


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize(
    ("spec", "weight", "time_sd"),
    [(LINEAR, 1.0, 0.0), (LINEAR, 0.5, 0.4), (LOGARITHMIC, 1.0, 0.0), (INTEGRATED, 1.0, 0.0)],
    ids=["occasions", "weights", "logarithms", "integrated"],
)
def test_numbers_and_arrays_agree(
    spec: dict[str, Any], weight: float, time_sd: float, exact: bool
) -> None:
    problem = _problem(spec, weight=weight, time_sd=time_sd)
    of = problem.individuals
    lean = one_subject(of, problem.theta)
    assert type(lean) is not OneSubject
    plain = OneSubject(of, problem.theta)
    etas = 0.3 * np.sin(1.0 + np.arange(problem.n_etas))
    one, two = lean.point(etas, exact=exact), plain.point(etas, exact=exact)
    # with second derivatives the solver, whose tolerance is 1e-8, takes other steps
    close = 1e-7 if spec is INTEGRATED and exact else 1e-12
    assert one.value == pytest.approx(two.value, rel=close)
    np.testing.assert_allclose(one.f, two.f, rtol=close)
    size = 1e2 * close * np.abs(two.gradient).max()
    np.testing.assert_allclose(one.gradient, two.gradient, rtol=1e2 * close, atol=size)
    size = 1e2 * close * np.abs(two.expected).max()
    np.testing.assert_allclose(one.expected, two.expected, rtol=1e2 * close, atol=size)
    loose = 2e-4 if exact else 1e-9  # the arrays take differences for second derivatives
    scale = np.abs(two.curvature).max()
    np.testing.assert_allclose(one.curvature, two.curvature, rtol=loose, atol=loose * scale)


def test_second_derivatives_are_those_of_the_gradient() -> None:
    problem = _problem(LINEAR, weight=0.7, time_sd=0.3)
    lean = one_subject(problem.individuals, problem.theta)
    etas, step = 0.2 * np.cos(np.arange(problem.n_etas)), 1e-5
    exact = lean.point(etas, exact=True).curvature
    np.testing.assert_allclose(exact, exact.T, rtol=1e-9, atol=1e-9)
    for k, e in enumerate(step * np.eye(problem.n_etas)):
        slope = (lean.point(etas + e).gradient - lean.point(etas - e).gradient) / (2 * step)
        np.testing.assert_allclose(exact[k], slope, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("spec", [LINEAR, INTEGRATED], ids=["linear", "integrated"])
def test_a_search_ends_where_the_gradient_vanishes(spec: dict[str, Any]) -> None:
    problem = _problem(spec)
    lean = one_subject(problem.individuals, problem.theta)
    precision = problem.prior.search_precision
    found = find_mode(lean, precision, np.zeros(problem.n_etas))
    slope = lean.point(found.etas).gradient + 2.0 * precision @ found.etas
    np.testing.assert_allclose(slope, 0.0, atol=1e-4)
    assert not found.kink


def test_plain_numbers_raise_where_arrays_hold_none() -> None:
    import sympy as sp

    from statera.numerics.expression import symbol

    x = symbol("x")
    f = scalar([x**2, sp.log(x), 1 / x], ["x"])
    assert f([2.0]) == pytest.approx([4.0, np.log(2.0), 0.5])
    with pytest.raises(SCALAR_ERRORS):
        f([0.0])
