"""Plain data to a model: what is built, and that every defect is refused at its key."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from statera.model import Model, SpecError
from statera.sources import Status

Build = Callable[..., Model]


def test_everything_is_read(build: Build) -> None:
    model = build()
    assert model.states == ("depot", "central")
    assert model.default_route == "oral"
    assert model.output("CP").unit == "ng/mL"
    assert model.parameters["TVCL"].status is Status.ESTIMATED
    assert model.parameters["V"].status is Status.ASSUMED
    assert model.parameters["TVCL"].rse == 10
    assert model.covariates["WT"].reference == 70
    assert model.residuals["CP"].proportional == 0.2
    assert [e.name for e in model.individual] == ["CL", "K"]
    assert model.expectations[0].quantity == "CL"
    with pytest.raises(KeyError):
        model.output("XX")


def test_covariance_matrix(build: Build) -> None:
    omega = build().omega
    variance = math.log(1 + 0.3**2)
    covariance = 0.5 * math.sqrt(variance * 0.04)
    np.testing.assert_allclose(omega, [[variance, covariance], [covariance, 0.04]], rtol=1e-14)
    with pytest.raises(ValueError, match="read-only"):
        omega[0, 0] = 1.0


def test_tables_cannot_be_changed(build: Build) -> None:
    with pytest.raises(TypeError):
        build().parameters["V"] = None  # type: ignore[index]


ORAL = "inputs/oral/0"


@pytest.mark.parametrize(
    ("changes", "where", "what"),
    [
        ({"schema": "statera.model/9"}, "schema", "expected 'statera.model/1'"),
        ({"id": None}, "id", "missing"),
        ({"id": 3}, "id", "expected a text"),
        ({"units": None}, "units", "missing"),
        ({"units/time": "mg"}, "units.time", "not a unit like 'h'"),
        ({"units/time": "fortnight!"}, "units.time", "not a unit"),
        ({"units/amount": "nmol"}, "units.amount", "not a unit like 'mg'"),
        ({"colour": 1}, "colour", "unknown key"),
        ({"parameters/V/valeu": 1}, "parameters.V.valeu", "unknown key"),
        ({"parameters/V/value": None}, "parameters.V.value", "missing"),
        ({"parameters/V/value": "50"}, "parameters.V.value", "expected a number"),
        ({"parameters/V/value": True}, "parameters.V.value", "expected a number"),
        ({"parameters/V/value": math.nan}, "parameters.V.value", "finite"),
        ({"parameters/V/unit": "litter"}, "parameters.V.unit", "not a unit"),
        ({"parameters/V/status": "guessed"}, "parameters.V.status", "not allowed"),
        ({"parameters/V": 50}, "parameters.V", "expected a table"),
        ({"parameters/2V": {"value": 1}}, "parameters.2V", "cannot be used as a name"),
        ({"parameters/t": {"value": 1}}, "parameters.t", "cannot be used as a name"),
        ({"parameters/exp": {"value": 1}}, "parameters.exp", "cannot be used as a name"),
        ({"parameters/lambda": {"value": 1}}, "parameters.lambda", "cannot be used as a name"),
        ({"parameters/µ": {"value": 1}}, "parameters.µ", "cannot be used as a name"),
        ({"parameters/WT": {"value": 1}}, None, "used twice"),
        ({"random_effects/eta_V/cv": 3}, "random_effects.eta_V", "either"),
        ({"random_effects/eta_V/variance": -1}, "random_effects.eta_V.variance", "negative"),
        ({"random_effects/eta_CL/conversion": None}, "random_effects.eta_CL.conversion", "missing"),
        ({"random_effects/eta_CL/cv": -3}, "random_effects.eta_CL.cv", "negative"),
        ({"random_effects/eta_V/level": "centre"}, "random_effects.eta_V.level", "not allowed"),
        ({"covariances/0/between": ["eta_CL", "x"]}, "covariances.0.between", "two random effects"),
        ({"covariances/0/correlation": 1.5}, "covariances", "not positive semi-definite"),
        ({"covariances/0/value": 0.1}, "covariances.0", "either"),
        ({"covariances": {}}, "covariances", "expected a list"),
        ({"covariates/WT/reference": 0.5}, "covariates.WT.reference", "outside the hard range"),
        ({"covariates/WT/soft": {"min": 9, "max": 1}}, "covariates.WT.soft", "above max"),
        ({"individual/K": "CL/VV"}, "individual.K", "'VV' is not defined; nearest: V (column 4"),
        ({"individual/V": "1"}, "individual.V", "used twice"),
        ({"individual/K": "CL/depot"}, "individual.K", "'depot' is not defined"),
        ({"individual/K": ["CL"]}, "individual.K", "expected a formula"),
        ({"dynamics/d/dt(V)": "1"}, "dynamics.d/dt(V)", "already a name"),
        ({"dynamics": None}, "dynamics", "missing"),
        ({"initial/depo": "1"}, "initial.depo", "not a state"),
        ({"initial/depot": "central"}, "initial.depot", "not defined"),
        ({"inputs": {}}, "inputs", "at least one route"),
        ({"inputs/oral": []}, "inputs.oral", "expected a list"),
        ({f"{ORAL}/into": "depott"}, "inputs.oral.0.into", "not a state"),
        ({f"{ORAL}/kind": "first_order"}, "inputs.oral.0.kind", "not allowed"),
        ({f"{ORAL}/kind": "zero_order"}, "inputs.oral.0", "either 'duration' or 'rate'"),
        ({f"{ORAL}/lag": "AMTT"}, "inputs.oral.0.lag", "nearest: AMT"),
        ({f"{ORAL}/lag": "depot"}, "inputs.oral.0.lag", "not defined"),
        ({"outputs": {}}, "outputs", "at least one output"),
        ({"outputs/CP/expression": "central//V"}, "outputs.CP.expression", "operator"),
        ({"residual/CQ": {}}, "residual.CQ", "not an output"),
        ({"residual/CP/additive": "SDD"}, "residual.CP.additive", "not a parameter"),
        ({"derived/CL": {"expression": "1"}}, "derived.CL", "used twice"),
        ({"derived/THALF/expression": 3}, "derived.THALF.expression", "expected a text"),
        ({"expect/0/value": 0}, "expect.0.value", "other than 0"),
        ({"expect/0/covariates": {"AGE": 3}}, "expect.0.covariates", "not a covariate"),
        ({"expect/0/covariates": {"WT": "x"}}, "expect.0.covariates.WT", "expected a number"),
        ({"expect": {}}, "expect", "expected a list"),
        ({"remarks": "one"}, "remarks", "list of texts"),
        ({"dose": {"soft": {"min": "a"}}}, "dose.soft.min", "expected a number"),
    ],
)  # fmt: skip
def test_defects(build: Build, changes: dict[str, Any], where: str | None, what: str) -> None:
    # "d/dt(V)" holds a slash of its own
    if "dynamics/d/dt(V)" in changes:
        changes = {"dynamics": {"d/dt(V)": "1", "depot": "0", "central": "0"}}
    with pytest.raises(SpecError) as caught:
        build(changes)
    assert caught.value.where == where
    assert what in caught.value.what
    assert caught.value.exit_code == 3


def test_states_may_be_written_plainly(build: Build) -> None:
    model = build({"dynamics": {"depot": "-KA*depot", "central": "KA*depot - K*central"}})
    assert model.states == ("depot", "central")


def test_a_number_is_a_formula(build: Build) -> None:
    process = build({f"{ORAL}/lag": 0.25}).inputs["oral"][0]
    assert float(process.lag) == 0.25
    assert float(process.bioavailability) == 0.9
